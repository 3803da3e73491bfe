//! What one simulated file holds: what readers see, what the disk holds for certain, and the changes between the
//! two, of which a crash keeps any part. Knows nothing of names.

use super::pages::{Pages, SECTOR};
use super::survival::Kept;
use crate::sys::SeededRng;
use std::collections::BTreeMap;

/// One change of a file since its last good sync.
#[derive(Clone)]
struct Change {
    kind: ChangeKind,
    len_before: u64,
    len_after: u64,
}

#[derive(Clone)]
enum ChangeKind {
    Write { at: u64, bytes: Vec<u8> },
    SetLen,
}

impl Change {
    fn cuts(&self) -> bool {
        self.len_after < self.len_before
    }

    fn cuts_sector(&self, sector: u64) -> bool {
        self.cuts() && self.len_after < (sector + 1) * SECTOR && sector * SECTOR < self.len_before
    }

    /// Nothing of the sector is left by the cut.
    fn drops_sector(&self, sector: u64) -> bool {
        self.cuts_sector(sector) && self.len_after <= sector * SECTOR
    }

    fn sectors(&self) -> std::ops::Range<u64> {
        match &self.kind {
            ChangeKind::Write { at, bytes } => at / SECTOR..(at + bytes.len() as u64).div_ceil(SECTOR),
            ChangeKind::SetLen => 0..0,
        }
    }

    /// Where its bytes end.
    fn end(&self) -> u64 {
        match &self.kind {
            ChangeKind::Write { at, bytes } => at + bytes.len() as u64,
            ChangeKind::SetLen => 0,
        }
    }

    /// What the change makes of one sector.
    fn apply(&self, sector: u64, held: &mut [u8; SECTOR as usize]) {
        let start = sector * SECTOR;
        match &self.kind {
            ChangeKind::Write { at, bytes } => {
                let from = start.max(*at);
                let to = (start + SECTOR).min(at + bytes.len() as u64);
                let Some(count) = to.checked_sub(from) else { return };
                let source = (from - at) as usize..(from - at + count) as usize;
                let target = (from - start) as usize..(from - start + count) as usize;
                if let (Some(source), Some(target)) = (bytes.get(source), held.get_mut(target)) {
                    target.copy_from_slice(source);
                }
            }
            ChangeKind::SetLen if self.cuts_sector(sector) => {
                let kept = self.len_after.saturating_sub(start) as usize;
                held.iter_mut().skip(kept).for_each(|byte| *byte = 0);
            }
            ChangeKind::SetLen => {}
        }
    }
}

/// A file of the simulation.
#[derive(Clone, Default)]
pub(super) struct Content {
    now: Pages,
    disk: Pages,
    unsynced: Vec<Change>,
}

impl Content {
    /// A file whose bytes are all on disk.
    pub(super) fn at_rest(bytes: Pages) -> Content {
        Content { now: bytes.clone(), disk: bytes, unsynced: Vec::new() }
    }

    /// What readers see.
    pub(super) fn now(&self) -> &Pages {
        &self.now
    }

    pub(super) fn write(&mut self, bytes: Vec<u8>, at: u64) {
        let len_before = self.now.len();
        self.now.write(&bytes, at);
        self.changed(ChangeKind::Write { at, bytes }, len_before);
    }

    pub(super) fn set_len(&mut self, len: u64) {
        let len_before = self.now.len();
        self.now.set_len(len);
        self.changed(ChangeKind::SetLen, len_before);
    }

    fn changed(&mut self, kind: ChangeKind, len_before: u64) {
        self.unsynced.push(Change { kind, len_before, len_after: self.now.len() });
    }

    /// Everything that changed since the last sync, good or failed, reaches the disk. What an earlier failed sync
    /// lost stays lost, except in a sector that was written again, with the length that holds it.
    pub(super) fn sync(&mut self) {
        let changes = std::mem::take(&mut self.unsynced);
        for change in changes.iter().filter(|change| change.cuts()) {
            self.disk.set_len(change.len_after.min(self.disk.len()));
        }
        let known_len = self.disk.len();
        for sector in changes.iter().flat_map(Change::sectors) {
            self.disk.put_sector(sector, &self.now.sector(sector));
        }
        let resized = changes.iter().any(|change| change.len_before != change.len_after);
        let reached = changes.iter().map(Change::end).max().unwrap_or(0).min(self.now.len());
        self.disk.set_len(if resized { self.now.len() } else { known_len.max(reached) });
    }

    /// A sync that reported an error: any part of the changes is on disk, and the file reads as if all were.
    pub(super) fn sync_failed(&mut self, rng: &SeededRng) {
        self.disk = self.survivor(Kept::draw(rng, self.unsynced.len()), rng);
        self.unsynced.clear();
    }

    /// Flips bits wherever the byte is held.
    pub(super) fn corrupt(&mut self, at: u64, xor: u8) {
        for pages in [&mut self.now, &mut self.disk] {
            let mut byte = [0];
            if pages.read(&mut byte, at) == 1 {
                pages.write(&byte.map(|byte| byte ^ xor), at);
            }
        }
        for change in &mut self.unsynced {
            if let ChangeKind::Write { at: start, bytes } = &mut change.kind
                && let Some(byte) = at.checked_sub(*start).and_then(|within| bytes.get_mut(within as usize))
            {
                *byte ^= xor;
            }
        }
    }

    /// Number of changes that a crash may take back.
    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// The bytes after a power cut. The length and each sector hold the outcome of some moment of their own within
    /// `kept`; a sector never holds what was there before a cut that the length shows.
    pub(super) fn survivor(&self, kept: Kept, rng: &SeededRng) -> Pages {
        let moment = kept.moment(rng);
        let len = match moment.checked_sub(1).and_then(|last| self.unsynced.get(last)) {
            Some(change) => change.len_after,
            None => self.disk.len(),
        };
        let mut survivor = self.disk.clone();
        for (sector, touching) in self.histories() {
            // Changes are counted from one: the outcome of moment `m` has the first `m` of them.
            let seen_cut = |at: &&usize| {
                **at <= moment && self.unsynced.get(**at - 1).is_some_and(|change| change.cuts_sector(sector))
            };
            let unseen_drop = |at: &&usize| {
                **at > moment && self.unsynced.get(**at - 1).is_some_and(|change| change.drops_sector(sector))
            };
            let first = touching.iter().rfind(seen_cut).map_or(kept.first, |at| kept.first.max(*at));
            let last = touching.iter().find(unseen_drop).map_or(kept.last, |at| kept.last.min(*at - 1));
            let choices = touching.iter().filter(|at| **at > first && **at <= last).count();
            let skip = rng.below(choices as u64 + 1) as usize;
            let drawn = touching.iter().filter(|at| **at > first && **at <= last).take(skip).last();
            let outcome = *drawn.unwrap_or(&first);
            let mut bytes = self.disk.sector(sector);
            for change in touching.iter().take_while(|at| **at <= outcome) {
                if let Some(change) = self.unsynced.get(*change - 1) {
                    change.apply(sector, &mut bytes);
                }
            }
            survivor.put_sector(sector, &bytes);
        }
        survivor.set_len(len);
        survivor
    }

    /// For every sector that changed, the changes that touch it, counted from one.
    fn histories(&self) -> BTreeMap<u64, Vec<usize>> {
        let mut histories: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, change) in self.unsynced.iter().enumerate() {
            if change.cuts() {
                let first = change.len_after / SECTOR;
                let mut cut: Vec<u64> = histories.range(first..).map(|(sector, _)| *sector).collect();
                cut.extend(self.disk.sectors_from(first).filter(|sector| !histories.contains_key(sector)));
                for sector in cut.into_iter().filter(|sector| change.cuts_sector(*sector)) {
                    histories.entry(sector).or_default().push(at + 1);
                }
            }
            for sector in change.sectors() {
                histories.entry(sector).or_default().push(at + 1);
            }
        }
        histories
    }
}
