//! A producer and readers at once, on connections of their own. If both are of one topic with one partition, how long
//! each record took from when it should have been sent until a reader had it is measured too.

use super::fetch::Reading;
use super::meter::Meter;
use super::produce::Producing;
use super::{Load, Sent, Wire};
use anyhow::{Context, Result};
use bytes::Bytes;

/// Both.
pub struct Mixed {
    /// On the first connections.
    pub producing: Producing,
    /// On the others.
    pub reading: Reading,
    /// How many are the first.
    pub producers: usize,
    /// From intent to arrival, of each record and reader; filled if the producer keeps its intents.
    pub end_to_end: Meter,
}

impl Mixed {
    /// Puts them together.
    pub fn new(producing: Producing, producers: usize, reading: Reading) -> Mixed {
        Mixed { producing, reading, producers, end_to_end: Meter::default() }
    }

    /// Begins a new window.
    pub fn reset(&mut self) {
        self.producing.meter = Meter::default();
        self.reading.meter = Meter::default();
        self.end_to_end = Meter::default();
    }
}

impl Load for Mixed {
    fn start(&mut self, wire: &mut Wire) -> Result<()> {
        self.reading.start(wire)?;
        self.producing.start(wire)
    }

    fn tick(&mut self, wire: &mut Wire) -> Result<Option<u64>> {
        self.producing.tick(wire)
    }

    fn answer(&mut self, wire: &mut Wire, conn: usize, sent: Sent, frame: Bytes, now: u64) -> Result<()> {
        if conn < self.producers {
            return self.producing.answer(wire, conn, sent, frame, now);
        }
        self.reading.answer(wire, conn, sent, frame, now)?;
        if let Some(intended) = &self.producing.intended {
            for (_, from, next) in &self.reading.arrived {
                for offset in *from..*next {
                    let at =
                        intended.get(usize::try_from(offset)?).context("a record that was never sent")?;
                    self.end_to_end.took(now.saturating_sub(*at));
                }
            }
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.producing.stop();
        self.reading.stop();
    }
}
