//! How much of what was not synced a power cut leaves.

use crate::sys::SeededRng;

/// What a power cut leaves of the unsynced changes of each file, or of the unsynced names of each directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Survival {
    /// None of them.
    Nothing,
    /// All of them: the cache was written out just in time.
    Everything,
    /// Some of them, drawn for each file and directory: none, all, the first few, or any.
    Drawn,
}

/// Which of a list of changes are on disk: the first `first` of them, none after `last`, any between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Survival {
    /// The extremes are drawn often, since many defects show only there.
    pub(super) fn draw(rng: &SeededRng) -> Survival {
        match rng.below(6) {
            0 => Survival::Nothing,
            1 => Survival::Everything,
            _ => Survival::Drawn,
        }
    }

    pub(super) fn kept(self, rng: &SeededRng, changes: usize) -> Kept {
        match self {
            Survival::Nothing => Kept { first: 0, last: 0 },
            Survival::Everything => Kept { first: changes, last: changes },
            Survival::Drawn => Kept::draw(rng, changes),
        }
    }
}

impl Kept {
    pub(super) fn draw(rng: &SeededRng, changes: usize) -> Kept {
        match rng.below(4) {
            0 => Survival::Nothing.kept(rng, changes),
            1 => Survival::Everything.kept(rng, changes),
            2 => {
                let whole = rng.below(changes as u64 + 1) as usize;
                Kept { first: whole, last: changes.min(whole + 1) }
            }
            _ => Kept { first: 0, last: changes },
        }
    }

    /// A number of changes between the two ends.
    pub(super) fn moment(self, rng: &SeededRng) -> usize {
        self.first + rng.below((self.last - self.first) as u64 + 1) as usize
    }

    /// Whether the change `at`, counted from zero, is on disk.
    pub(super) fn keeps(self, at: usize, rng: &SeededRng) -> bool {
        at < self.first || (at < self.last && rng.below(2) == 0)
    }
}
