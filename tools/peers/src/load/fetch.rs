//! Loads that read: each connection is one reader with a position in every partition, and asks for all of them at
//! once, as consumers do. Answers are walked batch by batch, which touches the headers only; the first one of each
//! reader is checked to the last record.

use super::meter::Meter;
use super::{Load, Sent, Wire};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use logboom::record::{BatchHeader, check_crc, read_records};
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logboom::wire::{Records, Str};
use std::ops::Range;

/// The version in which is fetched: the last one with topics by name.
const FETCH_VERSION: i16 = 12;
/// What consumers ask for by default.
const PARTITION_BYTES: i32 = 1 << 20;
const FETCH_BYTES: i32 = 50 << 20;
const WAIT_MS: i32 = 500;
/// Most bytes of one batch when its records are counted.
const DECOMPRESSED_MAX: usize = 64 << 20;

/// What a reader does at the end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// It waits for more.
    Follow,
    /// It begins anew, with each partition that it has read to this end.
    Again,
    /// It leaves the partition, and ends when it has left all.
    Leave,
}

/// Readers of one topic.
pub struct Reading {
    conns: Range<usize>,
    topic: Str,
    ends: Vec<i64>,
    at_end: AtEnd,
    /// By reader, then by partition.
    positions: Vec<Vec<i64>>,
    checked: Vec<bool>,
    stopped: bool,
    /// Readers that have read everything.
    pub finished: usize,
    /// Offsets of the last answer: partition, first, behind the last.
    pub arrived: Vec<(usize, i64, i64)>,
    /// The window.
    pub meter: Meter,
}

impl Reading {
    /// A reader on each connection, from offset 0 on. `ends` are the ends of the partitions now.
    pub fn new(conns: Range<usize>, topic: &str, ends: Vec<i64>, at_end: AtEnd) -> Reading {
        let readers = conns.len();
        Reading {
            conns,
            topic: topic.into(),
            positions: vec![vec![0; ends.len()]; readers],
            checked: vec![false; readers],
            ends,
            at_end,
            stopped: false,
            finished: 0,
            arrived: Vec::new(),
            meter: Meter::default(),
        }
    }

    /// Begins at the end instead.
    pub fn from_end(mut self) -> Reading {
        self.positions = vec![self.ends.clone(); self.conns.len()];
        self
    }

    fn ask(&mut self, wire: &mut Wire, conn: usize) -> Result<()> {
        let reader = conn - self.conns.start;
        let mut partitions = Vec::new();
        for (index, position) in self.positions[reader].iter_mut().enumerate() {
            if *position >= self.ends[index] {
                match self.at_end {
                    AtEnd::Follow => {}
                    AtEnd::Again => *position = 0,
                    AtEnd::Leave => continue,
                }
            }
            partitions.push(FetchPartition {
                partition: i32::try_from(index)?,
                fetch_offset: *position,
                partition_max_bytes: PARTITION_BYTES,
                ..FetchPartition::default()
            });
        }
        if partitions.is_empty() {
            self.finished += 1;
            return Ok(());
        }
        // As brokers want it, the partition that was read least recently comes first.
        let turn = self.meter.requests as usize % partitions.len();
        partitions.rotate_left(turn);
        let request = FetchRequest {
            max_wait_ms: WAIT_MS,
            min_bytes: 1,
            max_bytes: FETCH_BYTES,
            session_epoch: -1,
            topics: vec![FetchTopic { topic: self.topic.clone(), partitions, ..FetchTopic::default() }],
            ..FetchRequest::default()
        };
        let frame = encode_request(&request, FETCH_VERSION, 0, Some("peers"))?.to_bytes()?;
        let at = wire.now();
        wire.push(conn, &frame, Sent { at, tag: 0 });
        Ok(())
    }

    fn take(&mut self, reader: usize, frame: Bytes) -> Result<()> {
        let (_, answer) = decode_response::<FetchRequest>(frame, FETCH_VERSION)?;
        ensure!(answer.error_code.is_none(), "a fetch was refused: {}", answer.error_code);
        self.arrived.clear();
        for found in answer.responses.iter().flat_map(|topic| &topic.partitions) {
            ensure!(found.error_code.is_none(), "a fetch was refused: {}", found.error_code);
            let Some(Records::Bytes(bytes)) = &found.records else { continue };
            let index = usize::try_from(found.partition_index)?;
            let from = *self.positions[reader].get(index).context("a partition not asked for")?;
            let walked = walk(bytes, from, !self.checked[reader])?;
            if walked.bytes == 0 {
                ensure!(bytes.is_empty(), "{} bytes without a whole batch", bytes.len());
                continue;
            }
            self.meter.bytes += walked.bytes;
            self.meter.records += (walked.next - from) as u64;
            self.positions[reader][index] = walked.next;
            self.arrived.push((index, from, walked.next));
        }
        if !self.arrived.is_empty() {
            self.checked[reader] = true;
        } else if self.at_end != AtEnd::Follow {
            bail!("a fetch of what is there brought nothing");
        }
        Ok(())
    }
}

impl Load for Reading {
    fn start(&mut self, wire: &mut Wire) -> Result<()> {
        for conn in self.conns.clone() {
            self.ask(wire, conn)?;
        }
        Ok(())
    }

    fn tick(&mut self, _wire: &mut Wire) -> Result<Option<u64>> {
        Ok(None)
    }

    fn answer(&mut self, wire: &mut Wire, conn: usize, sent: Sent, frame: Bytes, now: u64) -> Result<()> {
        self.take(conn - self.conns.start, frame)?;
        self.meter.requests += 1;
        self.meter.took(now.saturating_sub(sent.at));
        if !self.stopped {
            self.ask(wire, conn)?;
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.stopped = true;
    }
}

/// What an answer holds.
struct Walked {
    bytes: u64,
    next: i64,
}

/// Goes over the whole batches in these bytes; the last one may be cut, as Kafka does it. Offsets must go on without
/// a gap from `from`. With `deeply`, CRC and records are checked too.
fn walk(bytes: &Bytes, from: i64, deeply: bool) -> Result<Walked> {
    let mut at = 0;
    let mut next = from;
    while bytes.len() - at >= BatchHeader::SIZE {
        let header = BatchHeader::parse(&bytes[at..])?;
        if header.size > bytes.len() - at {
            break;
        }
        // The first batch may begin before what was asked for.
        let follows = if at == 0 { header.base_offset.0 <= from } else { header.base_offset.0 == next };
        ensure!(
            follows && header.next_offset().0 > next,
            "offset {} where {next} belongs",
            header.base_offset.0
        );
        if deeply {
            let batch = bytes.slice(at..at + header.size);
            check_crc(&batch)?;
            let mut count = 0;
            for record in read_records(&batch, DECOMPRESSED_MAX)? {
                record?;
                count += 1;
            }
            ensure!(count == header.count, "{count} records in a batch of {}", header.count);
        }
        next = header.next_offset().0;
        at += header.size;
    }
    Ok(Walked { bytes: at as u64, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::Shape;
    use logboom::record::{Codec, stamp};
    use logboom::types::{Epoch, Offset};

    fn batches(bases: &[i64]) -> Bytes {
        let mut all = Vec::new();
        for base in bases {
            let mut batch = Shape { records: 4, value: 100, codec: Codec::None }.build().bytes.to_vec();
            stamp(&mut batch, Offset(*base), Epoch(0));
            all.extend(batch);
        }
        Bytes::from(all)
    }

    #[test]
    fn whole_batches_are_counted_and_a_cut_one_is_left() {
        let two = batches(&[8, 12]);
        let walked = walk(&two, 8, true).unwrap();
        assert_eq!((walked.bytes, walked.next), (two.len() as u64, 16));
        let walked = walk(&two.slice(..two.len() - 1), 8, true).unwrap();
        assert_eq!((walked.bytes, walked.next), (two.len() as u64 / 2, 12));
    }

    #[test]
    fn a_gap_a_repetition_and_a_flipped_bit_end_the_run() {
        assert!(walk(&batches(&[0, 8]), 0, false).is_err());
        assert!(walk(&batches(&[4, 4]), 4, false).is_err());
        assert!(walk(&batches(&[5]), 4, false).is_err());
        let mut bad = batches(&[0]).to_vec();
        bad[100] ^= 1;
        assert!(walk(&Bytes::from(bad.clone()), 0, true).is_err());
        assert!(walk(&Bytes::from(bad), 0, false).is_ok());
    }
}
