//! What both sparse indexes share: entries of fixed size in ascending order, the older ones in a file, the newest in
//! memory until they are appended to it off the ack path. Must not know what an entry means.

use super::files::Held;
use crate::sys::File;
use std::io::{self, IoSlice};

/// An entry of a sparse index.
pub trait Entry: Copy {
    /// Bytes of an entry.
    const SIZE: usize;
    /// Reads an entry from exactly `SIZE` bytes.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// Appends the entry.
    fn encode(self, out: &mut Vec<u8>);
    /// What the entries ascend by.
    fn key(self) -> i64;
}

/// The index of the active segment: its newest entries, and how many are in the file already.
#[derive(Debug)]
pub struct Growing<E> {
    written: u32,
    tail: Vec<E>,
    last: Option<E>,
}

impl<E: Entry> Growing<E> {
    /// An index without entries.
    pub fn new() -> Growing<E> {
        Growing { written: 0, tail: Vec::new(), last: None }
    }

    /// An index whose first `written` entries are in the file, `last` being the last of them.
    pub fn resumed(written: u32, last: Option<E>) -> Growing<E> {
        Growing { written, tail: Vec::new(), last }
    }

    /// Number of entries.
    pub fn len(&self) -> u32 {
        self.written.saturating_add(u32::try_from(self.tail.len()).unwrap_or(u32::MAX))
    }

    /// Entries that only memory has.
    pub fn unwritten(&self) -> usize {
        self.tail.len()
    }

    /// Entries in the file.
    pub fn written(&self) -> u32 {
        self.written
    }

    /// The newest entry.
    pub fn last(&self) -> Option<E> {
        self.last
    }

    /// Adds an entry, which must be above the last.
    pub fn push(&mut self, entry: E) {
        self.tail.push(entry);
        self.last = Some(entry);
    }

    /// The largest entry whose key is at most `key`, if memory can tell.
    pub fn find_in_tail(&self, key: i64) -> Option<E> {
        let above = self.tail.partition_point(|entry| entry.key() <= key);
        self.tail.get(above.checked_sub(1)?).copied()
    }

    /// The entries that only memory has, encoded, and the byte of the file where they belong.
    pub fn tail_bytes(&self) -> (u64, Vec<u8>) {
        let mut bytes = Vec::with_capacity(self.tail.len() * E::SIZE);
        for entry in &self.tail {
            entry.encode(&mut bytes);
        }
        (u64::from(self.written) * E::SIZE as u64, bytes)
    }

    /// Appends to the file what only memory has. After an error the same call may be made again.
    pub fn write_tail(&mut self, file: &dyn File) -> io::Result<()> {
        let (at, bytes) = self.tail_bytes();
        file.write_all_at(&[IoSlice::new(&bytes)], at)?;
        self.written = self.len();
        self.tail = Vec::new();
        Ok(())
    }
}

/// Number of whole entries in a file or map.
pub fn entries_in<E: Entry>(held: &Held) -> io::Result<u32> {
    let bytes = match held {
        Held::File(file) => file.size()?,
        Held::Mapped(map) => map.len() as u64,
    };
    Ok(u32::try_from(bytes / E::SIZE as u64).unwrap_or(u32::MAX))
}

/// Entry number `at`; `None` past the end.
pub fn entry_at<E: Entry>(held: &Held, at: u32) -> io::Result<Option<E>> {
    let start = u64::from(at) * E::SIZE as u64;
    match held {
        Held::Mapped(map) => {
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            Ok(map.get(start..start.saturating_add(E::SIZE)).and_then(E::decode))
        }
        Held::File(file) => {
            let mut bytes = [0; 16];
            let Some(bytes) = bytes.get_mut(..E::SIZE) else { return Ok(None) };
            let got = file.read_at(bytes, start)?;
            Ok(if got < E::SIZE { None } else { E::decode(bytes) })
        }
    }
}

/// The largest of the first `count` entries whose key is at most `key`, by bisection. Damaged entries can mislead
/// it, never break it: the caller checks what it finds against the log.
pub fn find_in<E: Entry>(held: &Held, count: u32, key: i64) -> io::Result<Option<E>> {
    let (mut low, mut high, mut best) = (0, count, None);
    while low < high {
        let middle = low + (high - low) / 2;
        match entry_at::<E>(held, middle)? {
            Some(entry) if entry.key() <= key => {
                best = Some(entry);
                low = middle + 1;
            }
            _ => high = middle,
        }
    }
    Ok(best)
}
