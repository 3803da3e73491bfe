//! The offset index: where the batch with a given last offset starts. Layout and rules are Kafka's.
//!
//! ```text
//! at size field         big-endian; an entry of 8 bytes
//!  0   4  offset        last offset of a batch, less the base offset of the segment
//!  4   4  position      first byte of that batch in the .log file
//! ```

use super::index_file::Entry;
use crate::types::Offset;

/// An entry of an `.index` file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetEntry {
    /// Last offset of the batch, less the segment's base.
    pub relative: u32,
    /// First byte of the batch.
    pub position: u32,
}

impl OffsetEntry {
    /// The entry, if the segment can hold it: Kafka reads both numbers as `int32`.
    pub fn new(base: Offset, last: Offset, position: u64) -> Option<OffsetEntry> {
        Some(OffsetEntry {
            relative: relative(base, last)?,
            position: position.try_into().ok().filter(fits)?,
        })
    }

    /// Last offset of the batch.
    pub fn last_offset(self, base: Offset) -> Offset {
        base.plus(i64::from(self.relative))
    }
}

/// The offset less the base, if Kafka could read it.
pub fn relative(base: Offset, offset: Offset) -> Option<u32> {
    offset.0.checked_sub(base.0)?.try_into().ok().filter(fits)
}

fn fits(number: &u32) -> bool {
    i32::try_from(*number).is_ok()
}

impl Entry for OffsetEntry {
    const SIZE: usize = 8;

    fn decode(bytes: &[u8]) -> Option<OffsetEntry> {
        let (relative, rest) = bytes.split_first_chunk()?;
        let position = rest.first_chunk()?;
        Some(OffsetEntry { relative: u32::from_be_bytes(*relative), position: u32::from_be_bytes(*position) })
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn key(self) -> i64 {
        i64::from(self.relative)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::local::index_file::Growing;

    #[test]
    fn the_nearest_entry_at_or_below_is_found() {
        let mut index = Growing::new();
        for (last, position) in [(9, 100), (19, 200), (29, 300)] {
            index.push(OffsetEntry::new(Offset(5), Offset(5 + last), position).unwrap());
        }
        let position = |key| index.find_in_tail(key).map(|entry| entry.position);
        assert_eq!([8, 9, 18, 19, 1000].map(position), [None, Some(100), Some(100), Some(200), Some(300)]);
    }

    #[test]
    fn offsets_too_far_from_the_base_get_no_entry() {
        assert!(OffsetEntry::new(Offset(0), Offset(i64::from(i32::MAX)), 0).is_some());
        assert!(OffsetEntry::new(Offset(0), Offset(i64::from(i32::MAX) + 1), 0).is_none());
        assert!(OffsetEntry::new(Offset(1), Offset(0), 0).is_none());
    }
}
