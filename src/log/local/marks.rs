//! The durable marks of a log directory (`logboom.marks`): per partition, how far a crash may not cut. Ours alone.
//! Written lazily, off the ack's path, and replaced whole: either the old marks are there or the new ones.
//!
//! ```text
//! at size field            all integers big-endian
//!  0   4  magic "LBMK"
//!  4   2  version = 2
//!  6   2  flags            bit 0: every log was closed in good order
//!                          bit 1: earlier marks were lost, so a partition without an entry is not a new one
//!  8   4  count            of entries
//! 12  84  entries          ascending by topic id and partition
//!  .   4  crc              crc32 (ISO-HDLC) of all before
//!
//! entry
//!  0  16  topic id
//! 16   4  partition
//! 20   8  start            log start offset
//! 28   8  end              durable end: offset after the last record that a crash may not cut
//! 36   8  base             base offset of the segment that holds the end
//! 44   8  position         bytes of that segment's .log file below the end
//! 52   4  index entries    of that segment below the end, all synced
//! 56   4  time entries     of that segment below the end, all synced
//! 60   8  max time         largest timestamp of that segment below the end; -1 none
//! 68   8  max time offset  last offset of the batch that holds it
//! 76   4  epochs crc       crc32 of the text of leader-epoch-checkpoint as far as it is below the end
//! 80   4  has crc          1 if the field before is set, else 0
//! ```
//!
//! Version 1 has 8 reserved bytes at 76, and is read.

use crate::types::{Offset, PartitionIndex, TimestampMs, TopicId, Uuid};
use bytes::{Buf, BufMut};
use std::collections::BTreeMap;

/// Name of the file in the log directory.
pub const FILE: &str = "logboom.marks";

const MAGIC: &[u8; 4] = b"LBMK";
const VERSION: u16 = 2;
const CLEAN: u16 = 1;
const LOST: u16 = 2;
const HEAD: usize = 12;
const ENTRY: usize = 84;

/// A point of a log at which a batch ends, with all that is needed to go on from there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// The next offset.
    pub end: Offset,
    /// Base offset of the segment.
    pub base: Offset,
    /// Bytes of its `.log` file.
    pub position: u64,
    /// Entries of its offset index.
    pub index_entries: u32,
    /// Entries of its time index.
    pub time_entries: u32,
    /// Its largest timestamp.
    pub max_time: TimestampMs,
    /// Last offset of the batch that holds it.
    pub max_time_offset: Offset,
}

impl Point {
    /// The beginning of the segment at `base`.
    pub fn start_of(base: Offset) -> Point {
        Point {
            end: base,
            base,
            position: 0,
            index_entries: 0,
            time_entries: 0,
            max_time: TimestampMs::NONE,
            max_time_offset: base,
        }
    }
}

/// What is kept of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Log start offset.
    pub start: Offset,
    /// The durable end.
    pub point: Point,
    /// Checksums of what goes with it; `None` in a mark of version 1.
    pub sums: Option<MarkSums>,
}

impl Mark {
    /// Whether there can be such a log. Offsets are not negative, the front is cut only as far as the log is durable,
    /// and a segment that holds the end does not begin behind it.
    pub fn is_possible(&self) -> bool {
        let (start, Point { end, base, .. }) = (self.start, self.point);
        start.min(base) >= Offset::ZERO && start.max(base) <= end
    }

    /// The same mark for a log that begins at `start`, if that is further on. What was summed up began earlier.
    pub fn begun_at(self, start: Offset) -> Mark {
        if start > self.start { Mark { start, sums: None, ..self } } else { self }
    }
}

/// Checksums of files that have none of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkSums {
    /// Of the text of the leader epochs below the durable end.
    pub epochs: u32,
}

/// A partition by the id of its topic.
pub type MarkKey = (TopicId, PartitionIndex);

/// The file's content.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Marks {
    /// Every log was closed in good order after the last mark.
    pub clean: bool,
    /// Earlier marks were lost: a partition without a mark is not a new one.
    pub lost: bool,
    /// By partition.
    pub by_partition: BTreeMap<MarkKey, Mark>,
}

impl Marks {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.by_partition.len() * ENTRY + 4);
        out.put_slice(MAGIC);
        out.put_u16(VERSION);
        out.put_u16(if self.clean { CLEAN } else { 0 } | if self.lost { LOST } else { 0 });
        out.put_u32(u32::try_from(self.by_partition.len()).unwrap_or(u32::MAX));
        for ((id, partition), Mark { start, point, sums }) in &self.by_partition {
            out.put_slice(&id.0);
            out.put_i32(*partition);
            out.put_i64(start.0);
            out.put_i64(point.end.0);
            out.put_i64(point.base.0);
            out.put_u64(point.position);
            out.put_u32(point.index_entries);
            out.put_u32(point.time_entries);
            out.put_i64(point.max_time.0);
            out.put_i64(point.max_time_offset.0);
            out.put_u32(sums.map_or(0, |sums| sums.epochs));
            out.put_u32(u32::from(sums.is_some()));
        }
        out.put_u32(crc32fast::hash(&out));
        out
    }

    /// Reads the file; `None` if it is damaged or of a later version.
    pub fn decode(bytes: &[u8]) -> Option<Marks> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_be_bytes(*crc) || body.len() < HEAD {
            return None;
        }
        let mut rest = body.strip_prefix(MAGIC)?;
        let (version, flags, count) = (rest.get_u16(), rest.get_u16(), rest.get_u32());
        if !(1..=VERSION).contains(&version)
            || rest.len() != usize::try_from(count).ok()?.checked_mul(ENTRY)?
        {
            return None;
        }
        let mut by_partition = BTreeMap::new();
        while rest.len() >= ENTRY {
            let (key, mark) = decode_entry(&mut rest);
            by_partition.insert(key, mark);
        }
        Some(Marks { clean: flags & CLEAN != 0, lost: flags & LOST != 0, by_partition })
    }

    /// Takes out the marks that no log can have: they count as lost. Returns how many there were.
    pub fn drop_impossible(&mut self) -> usize {
        let before = self.by_partition.len();
        self.by_partition.retain(|_, mark| mark.is_possible());
        let dropped = before - self.by_partition.len();
        self.lost |= dropped > 0;
        dropped
    }
}

/// Reads one entry; the caller has made sure of `ENTRY` bytes.
fn decode_entry(rest: &mut &[u8]) -> (MarkKey, Mark) {
    let mut id = [0; 16];
    rest.copy_to_slice(&mut id);
    let partition = rest.get_i32();
    let start = Offset(rest.get_i64());
    let point = Point {
        end: Offset(rest.get_i64()),
        base: Offset(rest.get_i64()),
        position: rest.get_u64(),
        index_entries: rest.get_u32(),
        time_entries: rest.get_u32(),
        max_time: TimestampMs(rest.get_i64()),
        max_time_offset: Offset(rest.get_i64()),
    };
    let (epochs, has_sums) = (rest.get_u32(), rest.get_u32());
    let sums = (has_sums == 1).then_some(MarkSums { epochs });
    ((Uuid(id), partition), Mark { start, point, sums })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        let point = Point {
            end: Offset(70),
            base: Offset(50),
            position: 4711,
            index_entries: 3,
            time_entries: 2,
            max_time: TimestampMs(99),
            max_time_offset: Offset(61),
        };
        let mut marks = Marks { clean: true, ..Marks::default() };
        marks.by_partition.insert(
            (Uuid::from_random(1), 0),
            Mark { start: Offset(7), point, sums: Some(MarkSums { epochs: 0 }) },
        );
        marks.by_partition.insert((Uuid::from_random(2), 5), Mark { start: Offset(0), point, sums: None });
        marks
    }

    #[test]
    fn marks_read_back() {
        let bytes = marks().encode();
        assert_eq!(bytes.len(), HEAD + 2 * ENTRY + 4);
        assert_eq!(Marks::decode(&bytes), Some(marks()));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let good = marks().encode();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Marks::decode(&bad), None, "bit {bit}");
        }
        for end in 0..good.len() {
            assert_eq!(Marks::decode(&good[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn marks_that_no_log_can_have_count_as_lost() {
        assert_eq!((marks().drop_impossible(), marks().lost), (0, false));
        for (start, base, end) in [(-1, 50, 70), (71, 50, 70), (7, -1, 70), (7, 71, 70), (-9, -8, -7)] {
            let mut marks = marks();
            let mark = marks.by_partition.values_mut().next().unwrap();
            (mark.start, mark.point.base, mark.point.end) = (Offset(start), Offset(base), Offset(end));
            assert_eq!(marks.drop_impossible(), 1, "{start} {base} {end}");
            assert!(marks.lost && marks.by_partition.len() == 1);
        }
    }
}
