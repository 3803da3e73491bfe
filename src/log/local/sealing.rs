//! Sealing in the background: a segment that was rolled and is durable, or that was found without a seal, is read
//! once, checked batch by batch, and sealed. Off the ack's path, at a bounded rate.

use super::files::Kind;
use super::index_file::{Entry, entries_in, entry_at};
use super::log::{LocalLog, State};
use super::offset_index::OffsetEntry;
use super::read::Run;
use super::seal::{BuildError, BuildOptions, Seal, Side, build_body, seal_path};
use super::time_index::TimeEntry;
use crate::log::{LogState, ReadError};
use crate::record::BatchHeader;
use crate::sys::stage;
use crate::types::{Offset, TimestampMs};
use std::io;
use std::ops::ControlFlow;

/// Bytes of a segment checked batch by batch between two looks at the clock.
const PROVED_AT_ONCE: u64 = 1 << 20;

impl LocalLog {
    /// Seals the segments that are due, calling `pace` with the bytes read. True if some are left for later.
    pub(super) fn seal_due(&self, pace: &mut dyn FnMut(usize) -> ControlFlow<()>) -> bool {
        loop {
            let due = {
                let state = self.state.lock();
                if state.phase == LogState::Closed {
                    return false;
                }
                state.due_for_seal()
            };
            let run = match due {
                Due::Run(run) => run,
                Due::Later => return true,
                Due::Nothing => return false,
            };
            match self.seal_segment(&run, pace) {
                Ok(()) => {}
                Err(BuildError::Stopped) => return true,
                Err(error) => {
                    if let Some(sealed) = self.state.lock().sealed_of(&run) {
                        sealed.cannot_seal = true;
                    }
                    tracing::warn!(partition = %self.name(), segment = %run.base, %error, "a segment gets no seal");
                }
            }
        }
    }

    /// A seal that turned out to be none: the segment gets another.
    pub(super) fn unseal(&self, run: &Run) {
        if let Some(sealed) = self.state.lock().sealed_of(run) {
            sealed.has_seal = false;
        }
        self.dir().seal_later(self.number(), self.me.clone());
    }

    fn seal_segment(
        &self,
        run: &Run,
        pace: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), BuildError> {
        let file = self.open_run(run, run.base).map_err(storage)?;
        let mut check = IndexCheck::new(self, run);
        let built = build_body(
            &*file,
            BuildOptions {
                base: run.base,
                end: run.end,
                size: run.size,
                note: &mut |at, header| check.note(at, header),
                pace,
            },
        );
        let body = match built {
            Err(error @ (BuildError::Bad(_) | BuildError::Storage(_))) => {
                self.find_damage(run).map_err(storage)?;
                return Err(error);
            }
            built => built?,
        };
        // The chain bears out offsets and epochs only together with what the log knows of both.
        let mut at = 0;
        while at < run.trusted.min(run.size) {
            let upto = (at + PROVED_AT_ONCE).min(run.size);
            self.prove(run, at..upto).map_err(storage)?;
            if pace(usize::try_from(upto - at).unwrap_or(0)).is_break() {
                return Err(BuildError::Stopped);
            }
            at = upto;
        }
        if self.damages.lock().all().iter().any(|one| one.base == run.base) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is damaged").into());
        }
        let end = match self.gap_behind(run).map_err(storage)? {
            Some(gap) => gap.at,
            None => run.end,
        };
        if !check.holds() {
            self.distrust_index(run);
        }
        let turn = self.rebuilding.lock();
        let [index, times] = [Kind::Index, Kind::TimeIndex].map(|kind| self.side(run, kind));
        self.keep_seal(run, &body.sealed(run.base, end, index?, times?))?;
        drop(turn);
        self.trust(run);
        Ok(())
    }

    /// Looks at every block, so that what is damaged is listed.
    fn find_damage(&self, run: &Run) -> Result<(), ReadError> {
        self.prove(&Run { trusted: run.size, ..*run }, 0..run.size)
    }

    pub(super) fn side(&self, run: &Run, kind: Kind) -> io::Result<Side> {
        let path = super::files::segment_path(self.path(), run.base, kind);
        Ok(Side::of(&self.dir().fs().read(&path)?))
    }

    /// Gives the seal its name, unless the segment was removed or replaced meanwhile. The caller has `rebuilding`, so
    /// that it is not replaced just now.
    pub(super) fn keep_seal(&self, run: &Run, seal: &Seal) -> io::Result<()> {
        let fs = self.dir().fs();
        let path = seal_path(self.path(), run.base);
        let temporary = stage(fs, &path, &seal.encode())?;
        let mut state = self.state.lock();
        let Some(sealed) = state.sealed_of(run) else {
            drop(state);
            return fs.remove(&temporary);
        };
        // A rename under the short lock: `reopen` takes that, too, and may make this segment the active one.
        fs.rename(&temporary, &path)?;
        (sealed.has_seal, sealed.max_time) = (true, Some(seal.body.max_time));
        drop(state);
        self.dir().seals().forget(self.number(), run.base);
        Ok(())
    }

    /// Makes sure, once, that an index file of a sealed segment is what the seal says; builds it anew if not.
    pub(super) fn prove_indexes(&self, run: &Run, seal: &Seal) {
        let holds = |kind, side: Side| self.side(run, kind).is_ok_and(|found| found == side);
        if !holds(Kind::Index, seal.index) || !holds(Kind::TimeIndex, seal.times) {
            self.distrust_index(run);
        }
    }
}

fn storage(error: ReadError) -> BuildError {
    match error {
        ReadError::Storage(error) => error.into(),
        other => io::Error::other(other).into(),
    }
}

enum Due {
    Run(Run),
    Later,
    Nothing,
}

impl State {
    /// The first segment without a seal that may have one: all of it durable.
    fn due_for_seal(&self) -> Due {
        let ends = self.sealed.iter().skip(1).map(|next| next.base).chain([self.active.base]);
        let mut left = self.sealed.iter().zip(ends).filter(|(one, _)| !one.has_seal && !one.cannot_seal);
        match left.next() {
            Some((sealed, end)) if end <= self.point.base && self.phase == LogState::Online => {
                Due::Run(sealed.run(end))
            }
            Some(_) => Due::Later,
            None => Due::Nothing,
        }
    }
}

/// Compares the entries of both indexes with the batches that go by.
struct IndexCheck {
    base: Offset,
    index: Option<(super::files::Held, u32)>,
    times: Option<(super::files::Held, u32)>,
    next_index: u32,
    next_time: u32,
    max: TimestampMs,
    max_offset: Offset,
    is_true: bool,
}

impl IndexCheck {
    fn new(log: &LocalLog, run: &Run) -> IndexCheck {
        let pool = log.dir().pool();
        let open = |kind| pool.sealed_index(log.path(), log.run_key(run, kind)).ok();
        let index =
            open(Kind::Index).and_then(|held| Some((held.clone(), entries_in::<OffsetEntry>(&held).ok()?)));
        let times =
            open(Kind::TimeIndex).and_then(|held| Some((held.clone(), entries_in::<TimeEntry>(&held).ok()?)));
        IndexCheck {
            base: run.base,
            is_true: index.is_some() && times.is_some(),
            index,
            times,
            next_index: 0,
            next_time: 0,
            max: TimestampMs::NONE,
            max_offset: run.base,
        }
    }

    fn note(&mut self, at: u64, header: &BatchHeader) {
        if header.max_timestamp > self.max {
            (self.max, self.max_offset) = (header.max_timestamp, header.last_offset());
        }
        let entry: Option<OffsetEntry> = next_entry(self.index.as_ref(), self.next_index);
        if let Some(entry) = entry.filter(|entry| u64::from(entry.position) <= at) {
            self.next_index += 1;
            self.is_true &=
                u64::from(entry.position) == at && entry.last_offset(self.base) == header.last_offset();
        }
        let entry: Option<TimeEntry> = next_entry(self.times.as_ref(), self.next_time);
        if let Some(entry) = entry.filter(|entry| entry.last_offset(self.base) <= header.last_offset()) {
            self.next_time += 1;
            self.is_true &= entry.timestamp == self.max && entry.last_offset(self.base) == self.max_offset;
        }
    }

    /// Every entry was true, and the last time entry is the largest timestamp.
    fn holds(&self) -> bool {
        let all = |held: &Option<(super::files::Held, u32)>, seen| {
            held.as_ref().is_some_and(|(_, count)| *count == seen)
        };
        self.is_true && all(&self.index, self.next_index) && all(&self.times, self.next_time)
    }
}

fn next_entry<E: Entry>(held: Option<&(super::files::Held, u32)>, nth: u32) -> Option<E> {
    held.and_then(|(held, _)| entry_at::<E>(held, nth).ok().flatten())
}
