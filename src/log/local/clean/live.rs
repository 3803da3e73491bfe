//! What a log in use offers to a cleaner: how dirty it is, what may be cleaned, and a cleaning from its beginning to
//! its last swap. When to clean which log is up to the caller. The rules are those of Kafka 4.4.0
//! (`LogCleanerManager.cleanableOffsets`, `calculateCleanableBytes`, `maxCompactionDelay`).

use super::replace::{ReplaceError, Replacement};
use super::{
    CleanError, CleanReport, CleanSettings, CleanTask, Cleaner, CleanerLimits, LastRecord, Pace,
    SourceSegment,
};
use crate::log::local::dir::LogDir;
use crate::log::local::files::{Kind, base_of};
use crate::log::local::log::LocalLog;
use crate::log::local::read::Run;
use crate::log::local::reserve::is_no_room;
use crate::log::local::scan::{NEAR, Scan};
use crate::log::local::segment::Sealed;
use crate::log::{LogState, PartitionLog, ReadError};
use crate::sys::{IoCause, OpenHow, Rng, io_cause};
use crate::types::{Offset, ProducerId, TimestampMs, TopicId, TopicPartition};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Bytes checked between two looks at whether to end.
const PROVED_AT_ONCE: u64 = 1 << 20;

/// Bytes written between two looks at how much room there is.
const LOOK_EVERY: u64 = 1 << 20;

/// What the topic wants of its cleanings. Times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanRules {
    /// `min.cleanable.dirty.ratio`
    pub min_ratio: f64,
    /// `min.compaction.lag.ms`
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`
    pub max_lag_ms: i64,
    /// How it is cleaned.
    pub settings: CleanSettings,
}

/// How dirty a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dirt {
    /// Below it every key stands once.
    pub first_dirty: Offset,
    /// Where the first segment begins that may not be cleaned yet.
    pub end: Offset,
    /// Bytes of the segments that begin below `first_dirty`.
    pub clean_bytes: u64,
    /// Bytes of the segments behind them, up to `end`.
    pub cleanable_bytes: u64,
    /// For how long records have waited longer than `max.compaction.lag.ms`, in milliseconds; 0 for none.
    pub overdue_ms: i64,
}

impl Dirt {
    /// The part that is dirty, 0 to 1.
    pub fn ratio(&self) -> f64 {
        match self.clean_bytes.saturating_add(self.cleanable_bytes) {
            0 => 0.0,
            total => self.cleanable_bytes as f64 / total as f64,
        }
    }

    /// Whether a cleaning is due: dirty enough, or records have waited too long.
    pub fn is_due(&self, rules: &CleanRules) -> bool {
        self.cleanable_bytes > 0 && (self.overdue_ms > 0 || self.ratio() > rules.min_ratio)
    }
}

/// What a cleaning has to know beside the log.
pub struct CleanInput<'a> {
    /// What was found out before.
    pub dirt: Dirt,
    /// What the topic wants.
    pub rules: &'a CleanRules,
    /// What the producers that are remembered wrote last.
    pub producers: BTreeMap<ProducerId, LastRecord>,
    /// Wall clock.
    pub now: TimestampMs,
}

/// Why a log was not cleaned to the end. What was swapped in before stays, and is right.
#[derive(Debug, thiserror::Error)]
pub enum CleanLogError {
    /// Told to, or the log is not online any more, or segments were removed meanwhile: try again later.
    #[error("the cleaning was stopped")]
    Stopped,
    /// What is left of the disk is for those who append. Nothing of the unfinished segment is there any more.
    #[error("there is no room to spare for a cleaned segment")]
    NoRoom,
    /// It cannot be cleaned.
    #[error(transparent)]
    Clean(#[from] CleanError),
    /// What was cleaned could not be put in place.
    #[error(transparent)]
    Replace(#[from] ReplaceError),
}

impl LocalLog {
    /// How dirty the log is. `stable` is the last stable offset. May read a header or an index entry of each dirty
    /// segment.
    pub fn dirt(&self, stable: Offset, rules: &CleanRules, now: TimestampMs) -> Result<Dirt, ReadError> {
        self.steady(|| self.dirt_once(stable, rules, now))
    }

    fn dirt_once(&self, stable: Offset, rules: &CleanRules, now: TimestampMs) -> Result<Dirt, ReadError> {
        let first_dirty = self.dir().cleaned_until(self);
        let (sealed, mut end) = {
            let state = self.state.lock();
            // Neither what a power cut may take, nor the segment that is appended to.
            let ends = state.sealed.iter().skip(1).map(|next| next.base).chain([state.active.base]);
            let sealed: Vec<(Sealed, Offset)> = state.sealed.iter().copied().zip(ends).collect();
            (sealed, state.point.base)
        };
        end = end.min(stable);
        let dirty =
            |end| sealed.iter().filter(move |(sealed, behind)| *behind > first_dirty && sealed.base < end);
        if rules.min_lag_ms > 0 {
            let young = now.0.saturating_sub(rules.min_lag_ms);
            for (segment, behind) in dirty(end) {
                if self.largest_time(&segment.run(*behind))?.is_none_or(|time| time.0 > young) {
                    end = segment.base;
                    break;
                }
            }
        }
        // Whole segments.
        let cut = sealed.iter().find(|(_, behind)| *behind > end);
        end = cut.map_or(end, |(segment, _)| segment.base.min(end));
        let mut overdue_ms = 0;
        if rules.max_lag_ms != i64::MAX {
            let due = now.0.saturating_sub(rules.max_lag_ms.max(0));
            for (segment, behind) in dirty(end) {
                let first = self.first_time(&segment.run(*behind))?;
                if first.0 > 0 && first.0 < due {
                    overdue_ms = overdue_ms.max(due - first.0);
                }
            }
        }
        let clean = sealed.iter().filter(|(sealed, _)| sealed.base < first_dirty);
        let clean_bytes = clean.map(|(sealed, _)| sealed.size).sum();
        let cleanable_bytes = dirty(end).map(|(sealed, _)| sealed.size).sum();
        Ok(Dirt { first_dirty, end, clean_bytes, cleanable_bytes, overdue_ms })
    }

    /// The largest timestamp of a sealed segment; none if it is damaged so that nobody knows.
    fn largest_time(&self, run: &Run) -> Result<Option<TimestampMs>, ReadError> {
        let horizon = self.state.lock().horizon(TimestampMs::NONE);
        match self.max_time_of(run, &horizon) {
            Ok(Some(known)) => Ok(Some(known)),
            Ok(None) => Ok(Some(self.read_max_time(run)?)),
            Err(ReadError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The largest timestamp of a segment's first batch, from which its age counts.
    fn first_time(&self, run: &Run) -> Result<TimestampMs, ReadError> {
        let file = self.open_run(run, run.base)?;
        let header = Scan::new(file, 0, run.size, NEAR).next_header().ok().flatten();
        Ok(header.map_or(TimestampMs::NONE, |(_, header)| header.max_timestamp))
    }

    /// Closes the active segment if its first records have waited longer than `max_lag_ms`, so that they can be
    /// cleaned though nobody appends. True if it did.
    pub fn close_overdue(&self, max_lag_ms: i64, now: TimestampMs) -> io::Result<bool> {
        if max_lag_ms == i64::MAX {
            return Ok(false);
        }
        {
            let mut state = self.state.lock();
            if state.phase != LogState::Online || state.active.size == 0 || self.dir().is_full() {
                return Ok(false);
            }
            let first = match state.active.first_time {
                Some(first) => first,
                None => self.read_first_time(&state)?,
            };
            state.active.first_time = Some(first);
            if first.0 <= 0 || now.0.saturating_sub(first.0) <= max_lag_ms {
                return Ok(false);
            }
            let wall = self.dir().clock().wall();
            self.roll(&mut state, wall).inspect_err(|error| self.dir().note_failed_write(error))?;
        }
        self.commit();
        Ok(true)
    }

    /// A cleaner for this log: what fails on its disk is known to the log directory.
    pub fn cleaner(&self, rng: Arc<dyn Rng>, limits: CleanerLimits) -> Cleaner {
        Cleaner::new(Arc::clone(&self.dir().fs), rng, limits)
    }

    /// Cleans the log as far as `input.dirt` says, or as the map of keys reaches, group by group, and keeps how far
    /// that is.
    pub fn clean(
        &self,
        cleaner: &mut Cleaner,
        input: CleanInput<'_>,
        pace: &dyn Pace,
    ) -> Result<CleanReport, CleanLogError> {
        let pace = Stopping { log: self, pace, unlooked: Cell::default(), is_crowded: Cell::default() };
        if self.room_to_clean() == 0 {
            return Err(CleanLogError::NoRoom);
        }
        let cleaned = self.clean_at(cleaner, input, &pace);
        cleaned.map_err(|error| match error.storage() {
            // Whether those who append have room they find out themselves: there is again what was just removed.
            Some(failed) if is_no_room(failed) => CleanLogError::NoRoom,
            Some(failed) if io_cause(failed) == IoCause::Call => {
                self.dir().probe();
                error
            }
            _ if pace.is_crowded.get() => CleanLogError::NoRoom,
            _ => error,
        })
    }

    /// Bytes that cleaned segments may take in the log's directory.
    pub fn room_to_clean(&self) -> u64 {
        self.dir().room_to_clean()
    }

    /// Bytes that a cleaning may take beside the segments that it replaces, at most and at once.
    pub fn room_wanted(&self, rules: &CleanRules) -> u64 {
        let state = self.state.lock();
        let sizes = || state.sealed.iter().map(|sealed| sealed.size);
        sizes().max().unwrap_or(0).max(rules.settings.segment_bytes).min(sizes().sum())
    }

    fn clean_at(
        &self,
        cleaner: &mut Cleaner,
        input: CleanInput<'_>,
        pace: &Stopping<'_>,
    ) -> Result<CleanReport, CleanLogError> {
        // Before anything is read: it may write the marks.
        self.may_replace(input.dirt.end)?;
        self.prove_below(input.dirt.end, pace)?;
        let task = self.clean_task(input);
        let mut cleaning = cleaner.begin(&task, pace).map_err(stopped)?;
        while let Some(group) = cleaning.next_group().map_err(stopped)? {
            let old = self.sealed_among(&group.replaces);
            let seal = &group.seal;
            let made = Replacement {
                base: seal.base,
                old,
                end: seal.end,
                size: seal.body.size,
                max_time: seal.body.max_time,
            };
            match self.replace(&made) {
                Err(ReplaceError::Changed) => return Err(CleanLogError::Stopped),
                Err(_) if self.marks().state == LogState::Closed => return Err(CleanLogError::Stopped),
                replaced => replaced?,
            }
        }
        let report = cleaning.finish();
        if let Err(error) = self.dir().note_cleaned(self, report.cleaned_until) {
            // The next cleaning begins where the last one did.
            tracing::warn!(partition = %self.name(), %error, "cannot keep how far a log is cleaned");
            if io_cause(&error) == IoCause::Call {
                self.dir().probe();
            }
        }
        Ok(report)
    }

    /// Makes sure that what is to be rewritten is what was written: a new seal over damage would hide it for good.
    fn prove_below(&self, end: Offset, pace: &dyn Pace) -> Result<(), CleanLogError> {
        let runs = {
            let state = self.state.lock();
            state.all_runs(Offset(i64::MIN))
        };
        for run in runs.iter().filter(|run| run.end <= end) {
            let mut at = 0;
            while at < run.trusted.min(run.size) {
                let upto = (at + PROVED_AT_ONCE).min(run.size);
                self.prove(run, at..upto).map_err(|error| match error {
                    ReadError::Storage(error) => CleanError::Storage(error),
                    other => CleanError::Storage(io::Error::other(other)),
                })?;
                at = upto;
                if pace.moved(PROVED_AT_ONCE, 0).is_break() {
                    return Err(CleanLogError::Stopped);
                }
            }
        }
        let damages = self.damages.lock();
        let bases: BTreeSet<Offset> = runs.iter().filter(|run| run.end <= end).map(|run| run.base).collect();
        match damages.all().iter().find(|damage| bases.contains(&damage.base)) {
            Some(damage) => {
                let (base, position, why) = (damage.base, damage.bytes.start, damage.why.clone());
                Err(CleanError::Damaged { base, position, why }.into())
            }
            None => Ok(()),
        }
    }

    fn clean_task(&self, input: CleanInput<'_>) -> CleanTask {
        let CleanInput { dirt, rules, producers, now } = input;
        let state = self.state.lock();
        let ends = state.sealed.iter().skip(1).map(|next| next.base).chain([state.active.base]);
        let sealed = state.sealed.iter().zip(ends);
        let sealed = sealed.map(|(sealed, end)| SourceSegment { base: sealed.base, size: sealed.size, end });
        let active = SourceSegment { base: state.active.base, size: state.active.size, end: state.end };
        let (segments, beyond) = sealed.chain([active]).partition(|segment| segment.end <= dirt.end);
        CleanTask {
            dir: self.path().to_owned(),
            segments,
            beyond,
            first_dirty: dirt.first_dirty,
            end: dirt.end,
            high_watermark: state.seen.offset,
            producers,
            settings: rules.settings,
            now,
        }
    }

    /// The segments of a group as they are in the log now.
    fn sealed_among(&self, group: &[SourceSegment]) -> Vec<Sealed> {
        let state = self.state.lock();
        let find = |segment: &SourceSegment| {
            let at = state.sealed.binary_search_by_key(&segment.base, |sealed| sealed.base).ok()?;
            state.sealed.get(at).filter(|sealed| sealed.size == segment.size).copied()
        };
        // One that is missing makes the group another one than what was cleaned.
        group.iter().map(find).collect::<Option<_>>().unwrap_or_default()
    }
}

impl LogDir {
    /// How dirty a partition is that is not open, by the names and sizes of its files: an estimate, for whether it is
    /// worth to open it. The last segment does not count.
    pub fn dirt_at_rest(&self, name: &TopicPartition, id: TopicId) -> io::Result<(u64, u64)> {
        let until = self.cleaned_until_at_rest(&(id, name.partition));
        let mut sizes = BTreeMap::new();
        for path in self.fs.list(&self.path.join(name.to_string()))? {
            if let Some(base) = base_of(&path, Kind::Log.suffix()) {
                sizes.insert(base, self.fs.open(&path, OpenHow::Read)?.size()?);
            }
        }
        sizes.pop_last();
        let clean = sizes.range(..until).map(|(_, size)| size).sum();
        Ok((clean, sizes.range(until..).map(|(_, size)| size).sum()))
    }
}

/// Ends a cleaning also when the log is closed or fails, and when it takes the last room.
struct Stopping<'a> {
    log: &'a LocalLog,
    pace: &'a dyn Pace,
    /// Bytes written since the last look at the room.
    unlooked: Cell<u64>,
    is_crowded: Cell<bool>,
}

impl Pace for Stopping<'_> {
    fn moved(&self, bytes_read: u64, bytes_written: u64) -> ControlFlow<()> {
        if self.log.marks().state != LogState::Online {
            return ControlFlow::Break(());
        }
        self.unlooked.set(self.unlooked.get().saturating_add(bytes_written));
        if self.unlooked.get() >= LOOK_EVERY {
            self.unlooked.set(0);
            self.is_crowded.set(self.log.room_to_clean() == 0);
        }
        if self.is_crowded.get() {
            return ControlFlow::Break(());
        }
        self.pace.moved(bytes_read, bytes_written)
    }
}

impl CleanLogError {
    /// The error of the file system that ended the cleaning with nothing changed.
    fn storage(&self) -> Option<&io::Error> {
        match self {
            CleanLogError::Clean(CleanError::Storage(error))
            | CleanLogError::Replace(ReplaceError::NotDone(error)) => Some(error),
            _ => None,
        }
    }
}

fn stopped(error: CleanError) -> CleanLogError {
    match error {
        CleanError::Stopped => CleanLogError::Stopped,
        error => error.into(),
    }
}
