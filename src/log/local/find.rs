//! Finding records by time: the time index narrows it down, the batches themselves decide.

use super::files::{Held, Kind};
use super::index_file::{entries_in, entry_at, find_in};
use super::log::{LocalLog, State};
use super::read::{Place, Run, RunIndex};
use super::scan::FAR;
use super::segment::Sealed;
use super::time_index::TimeEntry;
use super::walk::{Step, Walk};
use crate::log::{Found, ReadError};
use crate::record::{BadBatch, BatchHeader, Record, find_timestamp, read_records};
use crate::types::{Offset, TimestampMs};

/// Most bytes that the records of one batch may have once decompressed, as for a batch on its way in.
const DECOMPRESSED_MAX: usize = i32::MAX as usize;

/// What look-ups by time need of the log, taken together.
pub(super) struct Horizon {
    runs: Vec<Run>,
    start: Offset,
    seen: Offset,
    /// Time entries of the active segment in its file; the newest ones, and its largest timestamp, in memory.
    written: u32,
    tail: Option<TimeEntry>,
    active_base: Offset,
    active_max: TimestampMs,
}

impl LocalLog {
    pub(super) fn find_first_at(&self, at: TimestampMs) -> Result<Option<Found>, ReadError> {
        self.steady(|| self.find_first_once(at))
    }

    fn find_first_once(&self, at: TimestampMs) -> Result<Option<Found>, ReadError> {
        let horizon = self.state.lock().horizon(at);
        for run in &horizon.runs {
            if self.max_time_of(run, &horizon)?.is_some_and(|max| max < at) {
                continue;
            }
            let from = self
                .time_entry_below(run, at, &horizon)
                .map_or(horizon.start, |offset| offset.max(horizon.start));
            if let Some(found) = self.first_in(run, at, from, &horizon)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record of `run` from `from` on, and below the high watermark, that is not older than `at`.
    fn first_in(
        &self,
        run: &Run,
        at: TimestampMs,
        from: Offset,
        horizon: &Horizon,
    ) -> Result<Option<Found>, ReadError> {
        let Some(position) = self.sound_from(run, from)? else { return Ok(None) };
        let mut walk = Walk::new(self, run, position, FAR, from)?;
        while let Some(step) = walk.next_header()? {
            let Step::Batch(position, header) = step else { continue };
            if header.base_offset >= horizon.seen {
                return Ok(None);
            }
            if header.max_timestamp < at {
                continue;
            }
            if let Some(found) = read_batch(&mut walk, position, &header, at, horizon.start)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    pub(super) fn find_latest(&self) -> Result<Option<Found>, ReadError> {
        self.steady(|| self.find_latest_once())
    }

    fn find_latest_once(&self) -> Result<Option<Found>, ReadError> {
        let horizon = self.state.lock().horizon(TimestampMs::NONE);
        let mut best: Option<Found> = None;
        for run in &horizon.runs {
            let known = best.map_or(TimestampMs::NONE, |found| found.timestamp);
            if self.max_time_of(run, &horizon)?.is_some_and(|max| max <= known) {
                continue;
            }
            best = self.latest_in(run, &horizon, known)?.or(best);
        }
        Ok(best)
    }

    /// The first record of `run` with its largest visible timestamp, if that is above `known`.
    fn latest_in(
        &self,
        run: &Run,
        horizon: &Horizon,
        known: TimestampMs,
    ) -> Result<Option<Found>, ReadError> {
        // The largest timestamp of all is in the batch that the last time entry names, or behind it.
        let from =
            self.time_entry_below(run, TimestampMs(i64::MAX), horizon).filter(|last| *last < horizon.seen);
        let from = from.unwrap_or(horizon.start).max(horizon.start);
        let Some(position) = self.sound_from(run, from)? else { return Ok(None) };
        let mut best: Option<(u64, BatchHeader)> = None;
        let mut cut: Option<Found> = None;
        let mut walk = Walk::new(self, run, position, FAR, horizon.start)?;
        while let Some(step) = walk.next_header()? {
            let Step::Batch(position, header) = step else { continue };
            if header.base_offset >= horizon.seen {
                break;
            }
            if header.base_offset < horizon.start {
                // The header speaks for records below the start too.
                cut = latest_from(&mut walk, position, &header, horizon.start)?
                    .filter(|found| found.timestamp > known);
                continue;
            }
            let known = cut.map_or(known, |found| found.timestamp);
            if header.max_timestamp > best.map_or(known, |(_, best)| best.max_timestamp) {
                best = Some((position, header));
            }
        }
        let Some((position, header)) = best else { return Ok(cut) };
        read_batch(&mut walk, position, &header, header.max_timestamp, horizon.start)
    }

    /// Largest timestamp of a segment; `None` if only its batches can tell.
    pub(super) fn max_time_of(&self, run: &Run, horizon: &Horizon) -> Result<Option<TimestampMs>, ReadError> {
        if run.base == horizon.active_base {
            return Ok(Some(horizon.active_max));
        }
        if let Some(known) = self.state.lock().sealed_max_time(run) {
            return Ok(Some(known));
        }
        let Some(entry) = self.last_time_entry(run) else { return Ok(None) };
        // The entry must be true of the batch it names, or the file is not to be believed.
        match self.find_place(run, entry.last_offset(run.base))? {
            Place::Batch(_, header) if header.max_timestamp == entry.timestamp => {}
            Place::Damage(_) => return Ok(None),
            Place::Batch(..) | Place::Behind => {
                self.distrust_index(run);
                return Ok(None);
            }
        }
        self.state.lock().keep_sealed_max_time(run, entry.timestamp);
        Ok(Some(entry.timestamp))
    }

    /// Where to begin to read for records from `offset` on: behind damage that holds it.
    fn sound_from(&self, run: &Run, offset: Offset) -> Result<Option<u64>, ReadError> {
        Ok(match self.find_place(run, offset)? {
            Place::Batch(at, _) => Some(at),
            Place::Damage(damage) => Some(damage.bytes.end),
            Place::Behind => None,
        })
    }

    fn last_time_entry(&self, run: &Run) -> Option<TimeEntry> {
        let held = self.dir().pool().sealed_index(self.path(), self.run_key(run, Kind::TimeIndex)).ok()?;
        let last = entries_in::<TimeEntry>(&held).ok()?.checked_sub(1)?;
        entry_at(&held, last).ok().flatten()
    }

    /// An offset of `run` below which every record is older than `at`. Only a hint: any error means "none", and so
    /// does an entry that is not true of the batch it names.
    fn time_entry_below(&self, run: &Run, at: TimestampMs, horizon: &Horizon) -> Option<Offset> {
        let entry = self.time_entry(run, at, horizon)?;
        let offset = entry.last_offset(run.base);
        match self.find_place(run, offset) {
            Ok(Place::Batch(_, header))
                if header.max_timestamp == entry.timestamp && header.last_offset() == offset =>
            {
                Some(offset)
            }
            Ok(Place::Damage(_)) | Err(_) => None,
            Ok(Place::Batch(..) | Place::Behind) => {
                self.distrust_index(run);
                None
            }
        }
    }

    fn time_entry(&self, run: &Run, at: TimestampMs, horizon: &Horizon) -> Option<TimeEntry> {
        // The entry just below `at`: at a timestamp equal to it, an earlier record of its batch may be the first.
        let key = at.0.saturating_sub(1);
        if run.base == horizon.active_base {
            if horizon.tail.is_some() {
                return horizon.tail;
            }
            let file = self.dir().pool().file(self.path(), self.run_key(run, Kind::TimeIndex)).ok()?;
            return find_in::<TimeEntry>(&Held::File(file), horizon.written, key).ok()?;
        }
        let held = self.dir().pool().sealed_index(self.path(), self.run_key(run, Kind::TimeIndex)).ok()?;
        find_in::<TimeEntry>(&held, entries_in::<TimeEntry>(&held).ok()?, key).ok()?
    }
}

impl State {
    pub(super) fn horizon(&self, at: TimestampMs) -> Horizon {
        let key = if at == TimestampMs::NONE { i64::MAX } else { at.0.saturating_sub(1) };
        let mut runs: Vec<Run> =
            self.all_runs(self.start).into_iter().filter(|run| run.base <= self.seen.base).collect();
        if let Some(last) = runs.last_mut().filter(|run| run.base == self.seen.base) {
            (last.size, last.end) = (self.seen.position, self.seen.offset);
        }
        Horizon {
            runs,
            start: self.start,
            seen: self.seen.offset,
            written: self.active.times.written(),
            tail: self.active.times.find_in_tail(key),
            active_base: self.active.base,
            active_max: self.active.max_time,
        }
    }

    /// The sealed segment that a run is of, unless it was removed or replaced.
    pub(super) fn sealed_of(&mut self, run: &Run) -> Option<&mut Sealed> {
        let at = self.sealed.binary_search_by_key(&run.base, |sealed| sealed.base).ok()?;
        self.sealed.get_mut(at).filter(|sealed| sealed.generation == run.generation)
    }

    fn sealed_max_time(&mut self, run: &Run) -> Option<TimestampMs> {
        self.sealed_of(run)?.max_time
    }

    pub(super) fn keep_sealed_max_time(&mut self, run: &Run, max_time: TimestampMs) {
        if let Some(sealed) = self.sealed_of(run) {
            sealed.max_time = Some(max_time);
        }
    }
}

impl RunIndex {
    /// Whether the index is a file that could be built anew.
    pub(super) fn is_sealed(self) -> bool {
        matches!(self, RunIndex::Sealed)
    }
}

/// The first record of a batch that is not older than `at`, from the log start on. Damage is an error, not "none".
fn read_batch(
    walk: &mut Walk<'_>,
    position: u64,
    header: &BatchHeader,
    at: TimestampMs,
    start: Offset,
) -> Result<Option<Found>, ReadError> {
    let bytes = walk.batch(position, header)?;
    let found = find_timestamp(&bytes, at, start, DECOMPRESSED_MAX).map_err(|why| bad(header, &why))?;
    Ok(found.map(|(offset, timestamp)| Found { offset, timestamp, epoch: header.leader_epoch }))
}

/// The first record with the largest timestamp of those of a batch from `start` on.
fn latest_from(
    walk: &mut Walk<'_>,
    position: u64,
    header: &BatchHeader,
    start: Offset,
) -> Result<Option<Found>, ReadError> {
    let bytes = walk.batch(position, header)?;
    let bad = |why: BadBatch| bad(header, &why);
    let mut best: Option<Found> = None;
    for record in read_records(&bytes, DECOMPRESSED_MAX).map_err(bad)? {
        let Record { offset, timestamp, .. } = record.map_err(bad)?;
        if offset >= start && best.is_none_or(|best| timestamp > best.timestamp) {
            best = Some(Found { offset, timestamp, epoch: header.leader_epoch });
        }
    }
    Ok(best)
}

fn bad(header: &BatchHeader, why: &BadBatch) -> ReadError {
    ReadError::Damaged { at: header.base_offset, until: header.next_offset(), why: why.to_string() }
}
