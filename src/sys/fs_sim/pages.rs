//! Bytes of one simulated file, in pages that copies share until one of them writes, so that a crash or a kill
//! copies no bytes. Knows nothing of what is synced.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What a disk writes whole or not at all.
pub(super) const SECTOR: u64 = 512;

/// What a file occupies space by, as on most file systems.
pub(super) const PAGE: u64 = 4096;

type Page = [u8; PAGE as usize];

/// A sparse array of bytes; what lies beyond `len` is zero.
#[derive(Clone, Default)]
pub(super) struct Pages {
    held: BTreeMap<u64, Arc<Page>>,
    len: u64,
}

/// The parts of `range` that lie in one page each: page number, place in the page, length.
fn parts(range: Range<u64>) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let left = range.end.checked_sub(at).filter(|left| *left > 0)?;
        let within = at % PAGE;
        let take = left.min(PAGE - within);
        let part = (at / PAGE, within as usize, take as usize);
        at += take;
        Some(part)
    })
}

impl Pages {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Pages that hold bytes.
    pub(super) fn held(&self) -> u64 {
        self.held.len() as u64
    }

    /// Fills `buf` from `at` and says how much there was before the end.
    pub(super) fn read(&self, buf: &mut [u8], at: u64) -> usize {
        let end = at.saturating_add(buf.len() as u64).min(self.len).max(at);
        let mut rest = buf;
        let mut done = 0;
        for (page, within, take) in parts(at..end) {
            let Some((head, tail)) = rest.split_at_mut_checked(take) else { break };
            match self.held.get(&page).and_then(|bytes| bytes.get(within..within + take)) {
                Some(bytes) => head.copy_from_slice(bytes),
                None => head.fill(0),
            }
            rest = tail;
            done += take;
        }
        done
    }

    /// Puts `bytes` at `at` and grows the length to hold them.
    pub(super) fn write(&mut self, bytes: &[u8], at: u64) {
        let end = at + bytes.len() as u64;
        self.put(bytes, at);
        self.len = self.len.max(end);
    }

    fn put(&mut self, bytes: &[u8], at: u64) {
        let mut rest = bytes;
        for (page, within, take) in parts(at..at + bytes.len() as u64) {
            let Some((head, tail)) = rest.split_at_checked(take) else { break };
            let page = self.held.entry(page).or_insert_with(|| Arc::new([0; PAGE as usize]));
            if let Some(place) = Arc::make_mut(page).get_mut(within..within + take) {
                place.copy_from_slice(head);
            }
            rest = tail;
        }
    }

    /// How many of `len` bytes at `at` can be written when `free` more pages may be taken.
    pub(super) fn fitting(&self, len: u64, at: u64, free: u64) -> u64 {
        let mut free = free;
        let mut fits = 0;
        for (page, _, take) in parts(at..at + len) {
            if !self.held.contains_key(&page) {
                if free == 0 {
                    break;
                }
                free -= 1;
            }
            fits += take as u64;
        }
        fits
    }

    /// Cuts or extends with zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        self.held.split_off(&len.div_ceil(PAGE));
        let within = (len % PAGE) as usize;
        if within > 0
            && let Some(page) = self.held.get_mut(&(len / PAGE))
            && let Some(tail) = page.get(within..)
            && tail.iter().any(|byte| *byte != 0)
            && let Some(tail) = Arc::make_mut(page).get_mut(within..)
        {
            tail.fill(0);
        }
        self.len = len;
    }

    /// The bytes of a sector.
    pub(super) fn sector(&self, sector: u64) -> [u8; SECTOR as usize] {
        let mut bytes = [0; SECTOR as usize];
        let start = (sector * SECTOR % PAGE) as usize;
        let held = self.held.get(&(sector * SECTOR / PAGE));
        if let Some(held) = held.and_then(|page| page.get(start..start + SECTOR as usize)) {
            bytes.copy_from_slice(held);
        }
        bytes
    }

    /// Replaces a sector and leaves the length alone; the caller cuts what then lies beyond it.
    pub(super) fn put_sector(&mut self, sector: u64, bytes: &[u8; SECTOR as usize]) {
        let held = self.held.contains_key(&(sector * SECTOR / PAGE));
        if held || bytes.iter().any(|byte| *byte != 0) {
            self.put(bytes, sector * SECTOR);
        }
    }

    /// Sectors at or after `first` that may hold something else than zeros.
    pub(super) fn sectors_from(&self, first: u64) -> impl Iterator<Item = u64> {
        let per_page = PAGE / SECTOR;
        let pages = self.held.range(first / per_page..).map(|(page, _)| *page);
        pages.flat_map(move |page| page * per_page..(page + 1) * per_page).filter(move |at| *at >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_read_back_what_was_written_with_zeros_between() {
        let mut pages = Pages::default();
        pages.write(&[7; 5000], 4000);
        pages.write(b"end", 20_000);
        let mut all = vec![9; 30_000];
        assert_eq!(pages.read(&mut all, 0), 20_003);
        assert!(all[..4000].iter().chain(&all[9000..20_000]).all(|byte| *byte == 0));
        assert!(all[4000..9000].iter().all(|byte| *byte == 7));
        assert_eq!((&all[20_000..20_003], pages.held()), (&b"end"[..], 4));
        assert_eq!(pages.read(&mut all, 50_000), 0);
    }

    #[test]
    fn what_was_cut_off_reads_as_zeros_when_the_file_grows_again() {
        let mut pages = Pages::default();
        pages.write(&[7; 10_000], 0);
        pages.set_len(5000);
        pages.set_len(10_000);
        let mut all = vec![9; 10_000];
        assert_eq!(pages.read(&mut all, 0), 10_000);
        assert!(all[..5000].iter().all(|byte| *byte == 7));
        assert!(all[5000..].iter().all(|byte| *byte == 0));
        assert_eq!(pages.held(), 2);
    }

    #[test]
    fn a_copy_does_not_see_later_writes() {
        let mut pages = Pages::default();
        pages.write(b"old", 0);
        let copy = pages.clone();
        pages.write(b"new", 0);
        assert_eq!((&copy.sector(0)[..3], &pages.sector(0)[..3]), (&b"old"[..], &b"new"[..]));
    }
}
