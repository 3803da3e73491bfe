//! Loads that send batches: as many in flight as a window holds, or at a rate that does not wait for answers. Every
//! batch is acknowledged or the run ends, and is counted by partition, so that the count can be held against what the
//! broker has.

use super::meter::Meter;
use super::{Load, Sent, Wire};
use crate::batches::{Batch, PRODUCE_VERSION, produce_frame};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use logboom::wire::frame::decode_response;
use logboom::wire::messages::produce::ProduceRequest;
use std::ops::Range;

/// Requests without an answer at a fixed rate; what is due beyond waits, and its latency counts from when it was due.
const BACKLOG_MAX: usize = 20_000;

/// When a batch is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many requests are always under way on each connection.
    Window(usize),
    /// So many requests a second on all connections together.
    Rate(f64),
}

/// A producer on some of the connections.
pub struct Producing {
    conns: Range<usize>,
    frames: Vec<Bytes>,
    batch: Batch,
    pace: Pace,
    sent: u64,
    /// When the next request is due, at a rate; none before the start.
    due: Option<f64>,
    stopped: bool,
    /// Records acknowledged since the beginning, by partition.
    pub acked: Vec<u64>,
    /// When each request was due, in order; kept if somebody asks for it.
    pub intended: Option<Vec<u64>>,
    /// The window.
    pub meter: Meter,
}

impl Producing {
    /// One batch again and again, to all partitions in turn.
    ///
    /// # Errors
    /// A name that is too long.
    pub fn new(
        conns: Range<usize>,
        topic: &str,
        partitions: i32,
        batch: &Batch,
        pace: Pace,
    ) -> Result<Producing> {
        let frames: Result<Vec<Bytes>> =
            (0..partitions).map(|index| produce_frame(topic, index, batch)).collect();
        Ok(Producing {
            conns,
            frames: frames?,
            batch: batch.clone(),
            pace,
            sent: 0,
            due: None,
            stopped: false,
            acked: vec![0; usize::try_from(partitions)?],
            intended: None,
            meter: Meter::default(),
        })
    }

    fn send(&mut self, wire: &mut Wire, conn: usize, at: u64) {
        let tag = self.sent % self.frames.len() as u64;
        self.sent += 1;
        if let Some(intended) = &mut self.intended {
            intended.push(at);
        }
        wire.push(conn, &self.frames[tag as usize], Sent { at, tag });
    }

    fn acknowledged(&mut self, partition: u64, frame: Bytes) -> Result<()> {
        let (_, answer) = decode_response::<ProduceRequest>(frame, PRODUCE_VERSION)?;
        let [topic] = answer.responses.as_slice() else {
            bail!("an answer about {} topics", answer.responses.len())
        };
        let [found] = topic.partition_responses.as_slice() else {
            bail!("an answer about several partitions")
        };
        ensure!(
            found.error_code.is_none(),
            "a batch was refused: {} {:?}",
            found.error_code,
            found.error_message
        );
        ensure!(u64::try_from(found.index)? == partition, "an answer about another partition");
        *self.acked.get_mut(partition as usize).context("no such partition")? += self.batch.records;
        Ok(())
    }
}

impl Load for Producing {
    fn start(&mut self, wire: &mut Wire) -> Result<()> {
        let now = wire.now();
        match self.pace {
            Pace::Window(window) => {
                for _ in 0..window {
                    for conn in self.conns.clone() {
                        self.send(wire, conn, now);
                    }
                }
            }
            Pace::Rate(_) => self.due = Some(now as f64),
        }
        Ok(())
    }

    fn tick(&mut self, wire: &mut Wire) -> Result<Option<u64>> {
        let (Pace::Rate(rate), Some(mut due), false) = (self.pace, self.due, self.stopped) else {
            return Ok(None);
        };
        let now = wire.now() as f64;
        let mut room = BACKLOG_MAX.saturating_sub(wire.waiting_on(&self.conns));
        while due <= now && room > 0 {
            let conn = self.conns.start + (self.sent % self.conns.len() as u64) as usize;
            self.send(wire, conn, due as u64);
            due += 1e9 / rate;
            room -= 1;
        }
        self.due = Some(due);
        // Without room the next answer makes some.
        Ok((room > 0).then_some(due as u64))
    }

    fn answer(&mut self, wire: &mut Wire, conn: usize, sent: Sent, frame: Bytes, now: u64) -> Result<()> {
        self.acknowledged(sent.tag, frame)?;
        self.meter.requests += 1;
        self.meter.records += self.batch.records;
        self.meter.bytes += self.batch.bytes.len() as u64;
        self.meter.plain += self.batch.plain;
        self.meter.took(now.saturating_sub(sent.at));
        if !self.stopped && matches!(self.pace, Pace::Window(_)) {
            self.send(wire, conn, now);
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.stopped = true;
    }
}
