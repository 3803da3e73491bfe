//! The time index: the largest timestamp up to an offset. Layout and rules are Kafka's.
//!
//! ```text
//! at size field         big-endian; an entry of 12 bytes
//!  0   8  timestamp     largest timestamp of the segment so far, in ms since 1970
//!  8   4  offset        last offset of the batch that holds it, less the base offset of the segment
//! ```

use super::index_file::Entry;
use crate::types::{Offset, TimestampMs};

/// An entry of a `.timeindex` file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeEntry {
    /// Largest timestamp so far.
    pub timestamp: TimestampMs,
    /// Last offset of the batch that holds it, less the segment's base.
    pub relative: u32,
}

impl TimeEntry {
    /// Last offset of the batch.
    pub fn last_offset(self, base: Offset) -> Offset {
        base.plus(i64::from(self.relative))
    }
}

impl Entry for TimeEntry {
    const SIZE: usize = 12;

    fn decode(bytes: &[u8]) -> Option<TimeEntry> {
        let (timestamp, rest) = bytes.split_first_chunk()?;
        let relative = rest.first_chunk()?;
        Some(TimeEntry {
            timestamp: TimestampMs(i64::from_be_bytes(*timestamp)),
            relative: u32::from_be_bytes(*relative),
        })
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.0.to_be_bytes());
        out.extend_from_slice(&self.relative.to_be_bytes());
    }

    fn key(self) -> i64 {
        self.timestamp.0
    }
}
