//! Putting a cleaned segment in its place in a log that is in use: what readers see of it, and what happens to the log
//! when the disk fails in the middle. Reads and writes no data.

use super::swap::{CommitError, Swap};
use crate::log::LogState;
use crate::log::local::files::{FileKey, Kind};
use crate::log::local::log::{LocalLog, State};
use crate::log::local::segment::{Sealed, Spot};
use crate::types::{Offset, TimestampMs};
use std::io;
use std::sync::atomic::Ordering;

/// A group of sealed segments, as a cleaner saw them, and what was made of them: `<base>.*.cleaned`, whole and synced.
#[derive(Clone, Debug)]
pub(in crate::log::local) struct Replacement {
    /// Base offset of the first, and of the cleaned one.
    pub base: Offset,
    /// The segments, which follow one another.
    pub old: Vec<Sealed>,
    /// Where the segment behind them begins.
    pub end: Offset,
    /// Bytes of the cleaned `.log`.
    pub size: u64,
    /// Its largest timestamp.
    pub max_time: TimestampMs,
}

/// Why the segments were not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// They are not what they were: the front was cut, or the log is not online any more. The cleaned files are gone.
    #[error("the segments were removed meanwhile")]
    Changed,
    /// The mark on disk is not behind them, so that a crash would miss what is removed.
    #[error("the segments are not below the durable mark on disk")]
    NotMarked,
    /// An earlier replacement waits for the next opening of the log.
    #[error("an earlier replacement was not finished; the next start finishes it")]
    Pending,
    /// The disk failed before anything was changed.
    #[error("cannot replace segments: {0}")]
    NotDone(#[source] io::Error),
    /// The disk failed in the middle. What the log serves is right; the next opening finishes what is on disk.
    #[error("cannot finish a replacement: {0}")]
    Unfinished(#[source] io::Error),
}

impl LocalLog {
    /// Replaces the segments. Readers see the old ones or the new one, whole; appends wait for three renames.
    pub(in crate::log::local) fn replace(&self, made: &Replacement) -> Result<(), ReplaceError> {
        let swap = Swap { fs: self.dir().fs(), dir: self.path(), base: made.base };
        let ready = self.may_replace(made.end);
        let _tidying = self.tidying.lock();
        let ready = ready.and_then(|()| match self.state.lock().find_group(made) {
            Some(_) => Ok(()),
            None => Err(ReplaceError::Changed),
        });
        if let Err(error) = ready {
            swap.abandon();
            return Err(error);
        }
        match swap.commit() {
            Ok(()) => {}
            Err(CommitError::NotDone(error)) => {
                swap.abandon();
                return Err(ReplaceError::NotDone(error));
            }
            Err(CommitError::Unknown(error)) => return Err(self.sync_lost(error)),
        }
        let placed = self.put_in_place(&swap, made);
        let delay = self.delete_delay();
        let finished = placed.and_then(|()| {
            for sealed in made.old.iter().skip(1) {
                let gone = swap.retire(sealed.base)?;
                gone.into_iter().for_each(|path| self.dir().remove_later(path, delay));
            }
            Ok(())
        });
        finished.map_err(|error| self.unfinished(error))?;
        swap.finish().map_err(|error| self.sync_lost(error))?;
        self.state.lock().sealed_at(swap.base);
        Ok(())
    }

    /// Recovery reads behind the mark that is on disk and knows no gaps there: it has to be behind the segments.
    pub(super) fn may_replace(&self, end: Offset) -> Result<(), ReplaceError> {
        if self.swap_pending.load(Ordering::Acquire) {
            return Err(ReplaceError::Pending);
        }
        let mark = self.dir().mark_on_disk(self, end).map_err(ReplaceError::NotDone)?;
        if end > mark.point.base { Err(ReplaceError::NotMarked) } else { Ok(()) }
    }

    /// Gives the files their names and shows the new segment. In one step for those who look under the short lock;
    /// whoever opens files after having looked finds the layout changed.
    fn put_in_place(&self, swap: &Swap<'_>, made: &Replacement) -> io::Result<()> {
        let indexes = {
            let _rebuilding = self.rebuilding.lock();
            let mut state = self.state.lock();
            let generation = u32::try_from(self.next_layout() & u64::from(u32::MAX)).unwrap_or(u32::MAX);
            // Nothing is shown unless this succeeds. Behind it there is no way back: an index that stays is one of
            // other batches, which is found out and mended.
            swap.place_log()?;
            let indexes = swap.place_indexes();
            state.show(swap.base, generation, made);
            indexes
        };
        for old in &made.old {
            for kind in [Kind::Log, Kind::Index, Kind::TimeIndex] {
                self.dir().pool().forget(FileKey { generation: old.generation, ..self.key(old.base, kind) });
            }
        }
        indexes
    }

    fn unfinished(&self, error: io::Error) -> ReplaceError {
        self.swap_pending.store(true, Ordering::Release);
        ReplaceError::Unfinished(error)
    }

    /// A failed sync of the directory may have taken the name of a new segment with it.
    fn sync_lost(&self, error: io::Error) -> ReplaceError {
        self.fail(&mut self.state.lock(), &error, "directory sync");
        self.unfinished(error)
    }
}

impl State {
    /// Where the segments of a replacement are among the sealed ones, if they are what they were.
    fn find_group(&self, made: &Replacement) -> Option<usize> {
        if self.phase != LogState::Online {
            return None;
        }
        made.old.first().filter(|first| first.base == made.base)?;
        let at = self.sealed.binary_search_by_key(&made.base, |sealed| sealed.base).ok()?;
        let now = self.sealed.get(at..at.checked_add(made.old.len())?)?;
        let same = |(now, old): (&Sealed, &Sealed)| {
            (now.base, now.generation, now.size) == (old.base, old.generation, old.size)
        };
        let behind = self.sealed.get(at + made.old.len()).map_or(self.active.base, |next| next.base);
        (now.iter().zip(&made.old).all(same) && behind == made.end).then_some(at)
    }

    /// The seal of a segment just replaced has its name.
    fn sealed_at(&mut self, base: Offset) {
        if let Ok(at) = self.sealed.binary_search_by_key(&base, |sealed| sealed.base)
            && let Some(sealed) = self.sealed.get_mut(at)
        {
            (sealed.has_seal, sealed.cannot_seal) = (true, false);
        }
    }

    fn show(&mut self, base: Offset, generation: u32, made: &Replacement) {
        // Under the seal's name there is that of the old segment until the swap is finished.
        let new = Sealed::written(base, generation, made.size, made.max_time);
        let new = Sealed { has_seal: false, cannot_seal: true, ..new };
        if let Ok(at) = self.sealed.binary_search_by_key(&base, |sealed| sealed.base) {
            let behind = (at + made.old.len()).min(self.sealed.len());
            self.sealed.splice(at..behind, [new]);
        }
        // Positions in the old file mean nothing in the new one. What is shown reaches at least to the end of what was
        // cleaned, so where it ended in there, because nothing came since the roll, it ends where the next begins.
        if (base..made.end).contains(&self.seen.base) {
            self.seen = Spot { offset: self.seen.offset, base: made.end, position: 0 };
        }
        let seen = self.seen;
        let moved = |spot: &&mut Spot| (base..made.end).contains(&spot.base);
        self.recent.iter_mut().filter(moved).for_each(|spot| *spot = seen);
    }
}
