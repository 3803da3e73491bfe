//! What both sparse indexes share: entries of fixed size in ascending order, the older ones in a file, the newest in
//! memory until they are appended to it off the ack path. Must not know what an entry means.

use super::files::Held;
use crate::sys::File;
use std::io::{self, IoSlice};
use std::ops::Range;

/// Of the entries in a growing file one in so many is kept in memory, so that a look-up reads one page of the file:
/// 4 KiB of memory for 1 GiB of batches.
const PAGE_ENTRIES: u32 = 512;

/// Bytes of a page of the largest entries, and the entry behind it.
const PAGE_BYTES: usize = (PAGE_ENTRIES as usize + 1) * 16;

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
    /// The first entry of each page of those written by this process, and its number.
    pages: Vec<(u32, E)>,
    tail: Vec<E>,
    last: Option<E>,
}

/// The entries on both sides of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Near<E> {
    /// The last one at or below it.
    pub below: Option<E>,
    /// The one behind that, if it is known.
    pub above: Option<E>,
}

/// What memory knows about where a key is.
#[derive(Clone, Copy, Debug)]
pub enum Sought<E> {
    /// The entries.
    Here(Near<E>),
    /// They are among these entries of the file, by number: from the first, below the second.
    InFile(u32, u32),
}

impl<E> Near<E> {
    /// No entries.
    pub const NONE: Near<E> = Near { below: None, above: None };
}

impl<E: Entry> Growing<E> {
    /// An index without entries.
    pub fn new() -> Growing<E> {
        Growing { written: 0, pages: Vec::new(), tail: Vec::new(), last: None }
    }

    /// An index whose first `written` entries are in the file, `last` being the last of them.
    pub fn resumed(written: u32, last: Option<E>) -> Growing<E> {
        Growing { written, pages: Vec::new(), tail: Vec::new(), last }
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

    /// Where the entries around `key` are.
    pub fn seek(&self, key: i64) -> Sought<E> {
        let behind = self.tail.partition_point(|entry| entry.key() <= key);
        let above = self.tail.get(behind).copied();
        match behind.checked_sub(1).and_then(|at| self.tail.get(at)) {
            Some(below) => Sought::Here(Near { below: Some(*below), above }),
            None if self.written == 0 => Sought::Here(Near { below: None, above }),
            None => {
                let behind = self.pages.partition_point(|(_, entry)| entry.key() <= key);
                let page = behind.checked_sub(1).and_then(|at| self.pages.get(at));
                let next = self.pages.get(behind).map_or(self.written, |(number, _)| number + 1);
                Sought::InFile(page.map_or(0, |(number, _)| *number), next)
            }
        }
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
        for (number, entry) in (self.written..).zip(&self.tail) {
            if self.pages.last().is_none_or(|(last, _)| number - last >= PAGE_ENTRIES) {
                self.pages.push((number, *entry));
            }
        }
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

/// The largest of the first `count` entries whose key is at most `key`. Damaged entries can mislead it, never break it:
/// the caller checks what it finds against the log.
pub fn find_in<E: Entry>(held: &Held, count: u32, key: i64) -> io::Result<Option<E>> {
    Ok(near_in(held, 0..count, key)?.below)
}

/// The entries around `key`, of those with these numbers, as [`find_in`]: by bisection, of a file down to a page, which
/// is read at once.
pub fn near_in<E: Entry>(held: &Held, numbers: Range<u32>, key: i64) -> io::Result<Near<E>> {
    let Range { start: mut low, end: mut high } = numbers;
    let mut near = Near::NONE;
    let page = match held {
        Held::File(_) => PAGE_ENTRIES + 1,
        Held::Mapped(_) => 0,
    };
    while low < high && high - low > page {
        let middle = low + (high - low) / 2;
        match entry_at::<E>(held, middle)? {
            Some(entry) if entry.key() <= key => {
                near.below = Some(entry);
                low = middle + 1;
            }
            entry => {
                near.above = entry;
                high = middle;
            }
        }
    }
    if let Held::File(file) = held
        && low < high
    {
        let mut bytes = [0; PAGE_BYTES];
        let Some(room) = bytes.get_mut(..(high - low) as usize * E::SIZE) else { return Ok(near) };
        let got = file.read_at(room, u64::from(low) * E::SIZE as u64)?;
        for entry in room.get(..got).unwrap_or_default().chunks_exact(E::SIZE).filter_map(E::decode) {
            if entry.key() > key {
                near.above = Some(entry);
                break;
            }
            near.below = Some(entry);
        }
    }
    Ok(near)
}

#[cfg(test)]
mod tests {
    use super::super::offset_index::OffsetEntry;
    use super::*;
    use crate::sys::{Fs, OpenHow, SimFs};
    use std::path::Path;

    fn entry(nth: u32) -> OffsetEntry {
        OffsetEntry { relative: nth * 10, position: nth }
    }

    /// Both neighbours of a key, wherever they are.
    fn near(index: &Growing<OffsetEntry>, held: &Held, key: i64) -> Near<OffsetEntry> {
        match index.seek(key) {
            Sought::Here(near) => near,
            Sought::InFile(from, below) => {
                assert!(below - from <= PAGE_ENTRIES + 1);
                near_in(held, from..below, key).unwrap()
            }
        }
    }

    #[test]
    fn entries_are_found_in_the_file_by_one_page_and_in_memory() {
        let fs = SimFs::new(1);
        fs.create_dir_all(Path::new("/d")).unwrap();
        let file = fs.open(Path::new("/d/index"), OpenHow::CreateNew).unwrap();
        let held = Held::File(file.clone());
        let mut index = Growing::new();
        let count = 3 * PAGE_ENTRIES + 100;
        for nth in 0..count {
            index.push(entry(nth));
            // In parts of all sizes; the newest ones stay in memory.
            if [0, 7, 600, 601, 1300, 1500].contains(&nth) {
                index.write_tail(&*file).unwrap();
            }
        }
        assert_eq!(index.unwritten() as u32, count - 1501);
        for key in -1..i64::from(count) * 10 + 10 {
            let found = near(&index, &held, key);
            let expect = u32::try_from(key).ok().map(|key| entry((key / 10).min(count - 1)));
            assert_eq!(found.below, expect, "{key}");
            if let Some(above) = found.above {
                assert_eq!(above, expect.map_or(entry(0), |below| entry(below.position + 1)), "{key}");
            }
        }
        let resumed = Growing::resumed(1501, Some(entry(1500)));
        let Sought::InFile(from, below) = resumed.seek(7777) else { panic!("it is in the file") };
        assert_eq!(
            near_in(&held, from..below, 7777).unwrap(),
            Near { below: Some(entry(777)), above: Some(entry(778)) }
        );
    }
}
