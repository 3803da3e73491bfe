//! Reading: where the batches from an offset on are, and walking all of them. Holds the short lock only to look at
//! the segments, never while it reads a file.

use super::damage::Damage;
use super::files::{FileKey, Held, Kind};
use super::index_file::{Near, Sought, entries_in, near_in};
use super::log::{LocalLog, State};
use super::offset_index::OffsetEntry;
use super::scan::{FAR, NEAR};
use super::segment::{Sealed, Spot};
use super::walk::{Step, Walk};
use crate::log::{Piece, ReadError, ReadLimit, ReadPlan};
use crate::record::BatchHeader;
use crate::sys::File;
use crate::types::Offset;
use bytes::Bytes;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The part of a segment that a call may look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub base: Offset,
    pub generation: u32,
    /// Bytes of the `.log` file that may be looked at.
    pub size: u64,
    /// The offset behind them, or at which the next segment begins.
    pub end: Offset,
    /// Bytes from here on were appended or checked by this process.
    pub trusted: u64,
    /// A seal was seen beside it.
    pub has_seal: bool,
    /// Nothing is missing between it and the next segment.
    pub is_joined: bool,
    /// The offset index to search in.
    pub index: RunIndex,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum RunIndex {
    /// The whole file.
    Sealed,
    /// So many entries of the file; those in memory were searched under the lock, for the offset that the call is
    /// about and for the one below which it may see.
    Growing { written: u32, hints: [Hint; 2] },
}

/// What memory knew of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    key: i64,
    sought: Sought<OffsetEntry>,
}

/// Where an offset is in a run.
pub(super) enum Place {
    /// In the batch that starts at this byte, or that is the first behind it.
    Batch(u64, BatchHeader),
    /// In what is damaged.
    Damage(Damage),
    /// Behind the last batch.
    Behind,
}

/// What a plan may take of a run.
enum Part {
    Bytes(Taken),
    Refused(Damage),
    None,
}

/// Bytes that a plan may take, and what is known of them.
struct Taken {
    at: u64,
    end: u64,
    /// Of the batch at their start.
    first: Option<BatchHeader>,
    /// They reach to the end of the run.
    whole: bool,
}

/// What a plan was begun with.
struct Begun {
    from: Offset,
    seen: Spot,
    /// The log's life and its layout: what is remembered of places is about these.
    shape: (u64, u64),
}

impl LocalLog {
    pub(super) fn plan(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        self.steady(|| self.plan_once(from, limit))
    }

    fn plan_once(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        let (runs, upto, known, begun) = {
            let state = self.state.lock();
            if from < state.start || from > state.end {
                return Err(ReadError::OutOfRange {
                    asked: from,
                    start: state.start,
                    end: state.seen.offset,
                });
            }
            let begun = Begun { from, seen: state.seen, shape: self.shape() };
            let upto = state.seen.offset.min(limit.below);
            if from >= upto {
                return Ok(ReadPlan::default());
            }
            let runs = state.runs(from, upto, limit.bytes as u64);
            let known = runs.first().and_then(|run| state.known(run, from));
            (runs, upto, known, begun)
        };
        let seen = begun.seen;
        if let Some(first) = runs.first().filter(|first| from < first.base) {
            return Err(self.gap_before(first, from).error());
        }
        let mut plan = ReadPlan::default();
        let mut left = limit.bytes as u64;
        for (nth, run) in runs.iter().enumerate() {
            match self.take_of(run, from, upto, upto == seen.offset, known.filter(|_| nth == 0))? {
                Part::Refused(damage) if plan.pieces.is_empty() => return Err(damage.error()),
                Part::Refused(_) => break,
                Part::None => {}
                Part::Bytes(Taken { at, end, mut first, whole }) => {
                    if limit.at_least_one && plan.pieces.is_empty() && end - at > left {
                        first = first.map_or_else(|| self.first_at(run, at), |first| Ok(Some(first)))?;
                        left = left.max(first.map_or(0, |first| first.size as u64));
                    }
                    let take = left.min(end.saturating_sub(at));
                    let refused = self.take_sound(run, at..at + take, &mut plan)?;
                    left -= take;
                    if refused.is_none() {
                        let taken = Taken { at, end: at + take, first, whole: whole && at + take == end };
                        self.note_reached(run, &taken, &begun);
                    }
                    match refused {
                        Some(damage) if plan.pieces.is_empty() => return Err(damage.error()),
                        Some(_) => break,
                        None if left == 0 || !whole => break,
                        None => {}
                    }
                }
            }
            // What was looked up ends with this run, but the log does not: an empty answer would say that it did.
            let follows = nth + 1 < runs.len() || (plan.pieces.is_empty() && run.base < seen.base);
            if let Some(gap) = if follows { self.gap_behind(run)? } else { None } {
                if plan.pieces.is_empty() && from >= gap.at {
                    return Err(gap.error());
                }
                break;
            }
        }
        Ok(plan)
    }

    /// What of a run a plan may take: from the batch that holds `from`, or the first one behind it, to `upto`.
    fn take_of(
        &self,
        run: &Run,
        from: Offset,
        upto: Offset,
        all: bool,
        known: Option<u64>,
    ) -> Result<Part, ReadError> {
        let (at, first) = if from <= run.base {
            (0, None)
        } else if let Some(known) = known {
            (known, None)
        } else {
            match self.find_place(run, from)? {
                Place::Batch(at, header) => (at, Some(header)),
                Place::Damage(damage) => return Ok(Part::Refused(damage)),
                Place::Behind => return Ok(Part::None),
            }
        };
        let end = if all { run.size } else { self.end_below(run, at, upto)? };
        Ok(match run.size {
            0 => Part::None,
            _ => Part::Bytes(Taken { at, end, first, whole: end == run.size }),
        })
    }

    /// Remembers where a reader is and where it will go on: others ask for the same, and it comes back.
    fn note_reached(&self, run: &Run, taken: &Taken, begun: &Begun) {
        let Begun { from, seen, shape } = *begun;
        let spot = |offset, position| Spot { offset, base: run.base, position };
        let here = taken.first.filter(|first| first.base_offset == from).map(|_| spot(from, taken.at));
        let next = match taken.first {
            _ if taken.whole && run.base == seen.base => Some(seen),
            Some(first) if taken.at + first.size as u64 == taken.end => {
                Some(spot(first.next_offset(), taken.end))
            }
            _ => None,
        };
        if here.is_none() && next.is_none() {
            return;
        }
        let mut state = self.state.lock();
        // What was cut off or replaced meanwhile is of no use, and must not be taken for what came in its place.
        if self.shape() == shape {
            for spot in [here, next].into_iter().flatten() {
                state.reached.put(spot, run.generation);
            }
        }
    }

    /// The life and the layout of the log, both of which change under the short lock only.
    fn shape(&self) -> (u64, u64) {
        (self.lives.load(Ordering::Acquire), self.layout())
    }

    /// Where the first batch that is not wholly below `upto` starts, or the end of the run.
    fn end_below(&self, run: &Run, at: u64, upto: Offset) -> Result<u64, ReadError> {
        Ok(match self.find_place(run, upto)? {
            Place::Batch(end, _) => end.max(at),
            Place::Damage(damage) => damage.bytes.start.max(at),
            Place::Behind => run.size,
        })
    }

    /// Adds `bytes` of a run to a plan, up to the first batch that is refused: the damage there.
    fn take_sound(
        &self,
        run: &Run,
        bytes: Range<u64>,
        plan: &mut ReadPlan,
    ) -> Result<Option<Damage>, ReadError> {
        let mut at = bytes.start;
        while at < bytes.end {
            let damage = self.first_damage(run, at..bytes.end)?;
            let sound = damage.as_ref().map_or(bytes.end, |damage| damage.bytes.start.max(at));
            if sound > at {
                let len = usize::try_from(sound - at).unwrap_or(usize::MAX);
                plan.pieces.push(Piece::File { file: self.open_run(run, run.base)?, at, len });
            }
            match damage {
                Some(damage) if damage.until > damage.at => return Ok(Some(damage)),
                // Bytes that stood for no record.
                Some(damage) => at = damage.bytes.end,
                None => break,
            }
        }
        Ok(None)
    }

    /// The first damage in `bytes`, once they were looked at.
    fn first_damage(&self, run: &Run, bytes: Range<u64>) -> Result<Option<Damage>, ReadError> {
        if bytes.start >= run.trusted {
            return Ok(None);
        }
        self.prove(run, bytes.clone())?;
        Ok(self.damages.lock().in_bytes(run.base, bytes).cloned())
    }

    fn first_at(&self, run: &Run, at: u64) -> Result<Option<BatchHeader>, ReadError> {
        // One header: a larger chunk would be read for nothing.
        let mut walk = Walk::new(self, run, at, BatchHeader::SIZE, run.base)?;
        Ok(match walk.next_header()? {
            Some(Step::Batch(_, header)) => Some(header),
            Some(Step::Damage(_)) | None => None,
        })
    }

    /// The first batch of `run` whose last offset is at least `offset`, by index and a walk over headers. An error if
    /// the offset is in damage.
    pub(super) fn locate(&self, run: &Run, offset: Offset) -> Result<Option<(u64, BatchHeader)>, ReadError> {
        match self.find_place(run, offset)? {
            Place::Batch(at, header) => Ok(Some((at, header))),
            Place::Damage(damage) => Err(damage.error()),
            Place::Behind => Ok(None),
        }
    }

    /// The place of an offset in a run.
    pub(super) fn find_place(&self, run: &Run, offset: Offset) -> Result<Place, ReadError> {
        let near = self.nearest(run, offset);
        if let Some((at, header)) = self.batch_above(run, offset, near)? {
            return Ok(Place::Batch(at, header));
        }
        let (mut walk, mut first) = self.walk_from(run, offset, near.below)?;
        while let Some(step) = first.take().map_or_else(|| walk.next_header(), |step| Ok(Some(step)))? {
            match step {
                Step::Batch(at, header) if header.last_offset() >= offset => {
                    return Ok(Place::Batch(at, header));
                }
                Step::Damage(damage) if damage.until > offset => return Ok(Place::Damage(damage)),
                _ => {}
            }
        }
        Ok(Place::Behind)
    }

    /// The batch of the index entry behind an offset, if that holds it. Of large batches each has an entry, and the one
    /// looked for is found by its own header alone.
    fn batch_above(
        &self,
        run: &Run,
        offset: Offset,
        near: Near<OffsetEntry>,
    ) -> Result<Option<(u64, BatchHeader)>, ReadError> {
        let Some(entry) = near.above else { return Ok(None) };
        let (below, at) =
            (near.below.map_or(0, |below| u64::from(below.position)), u64::from(entry.position));
        // Where one chunk of a walk holds all headers up to it, looking here first would be a read for nothing. What is
        // still to be checked is left to a walk, which knows of damage.
        if at >= run.size || at.saturating_sub(below) < NEAR as u64 || run.trusted > below {
            return Ok(None);
        }
        let mut walk = Walk::new(self, run, at, BatchHeader::SIZE, offset)?;
        match walk.next_header() {
            Ok(Some(Step::Batch(at, header)))
                if header.last_offset() == entry.last_offset(run.base) && header.base_offset <= offset =>
            {
                Ok(Some((at, header)).filter(|_| header.last_offset() >= offset))
            }
            Err(ReadError::Storage(error)) => Err(error.into()),
            // A walk from below tells whether the index is wrong.
            _ => Ok(None),
        }
    }

    /// A walk that begins at or before the batch that holds `offset`, by the index; and its first step, if that was
    /// taken to make sure.
    pub(super) fn walk_near(&self, run: &Run, offset: Offset) -> Result<(Walk<'_>, Option<Step>), ReadError> {
        self.walk_from(run, offset, self.nearest(run, offset).below)
    }

    fn walk_from(
        &self,
        run: &Run,
        offset: Offset,
        below: Option<OffsetEntry>,
    ) -> Result<(Walk<'_>, Option<Step>), ReadError> {
        let start = |at| Ok((Walk::new(self, run, at, NEAR, offset)?, None));
        // An entry beyond what may be seen says that all that may be seen is below the offset.
        let Some(entry) = below.filter(|entry| u64::from(entry.position) < run.size) else {
            return start(0);
        };
        match self.damage_at(run, u64::from(entry.position))? {
            Some(damage) if damage.until <= offset => return start(damage.bytes.end),
            Some(damage) if damage.at <= offset => {
                return Ok((start(damage.bytes.end)?.0, Some(Step::Damage(damage))));
            }
            Some(_) => return start(0),
            None => {}
        }
        let mut walk = Walk::new(self, run, u64::from(entry.position), NEAR, offset)?;
        match walk.next_header() {
            Ok(Some(Step::Batch(at, header))) if header.last_offset() == entry.last_offset(run.base) => {
                Ok((walk, Some(Step::Batch(at, header))))
            }
            Err(ReadError::Storage(error)) => Err(error.into()),
            _ => {
                self.distrust_index(run);
                start(0)
            }
        }
    }

    /// The index entries around `offset`. An index that cannot be read costs time only.
    fn nearest(&self, run: &Run, offset: Offset) -> Near<OffsetEntry> {
        let Some(key) = offset.0.checked_sub(run.base.0) else { return Near::NONE };
        let pool = self.dir().pool();
        let index = self.run_key(run, Kind::Index);
        let found = match run.index.sought(key) {
            Some(Sought::Here(near)) => return near,
            Some(Sought::InFile(from, below)) => pool
                .file(self.path(), index)
                .and_then(|file| near_in::<OffsetEntry>(&Held::File(file), from..below, key)),
            None => pool
                .sealed_index(self.path(), index)
                .and_then(|held| near_in::<OffsetEntry>(&held, 0..entries_in::<OffsetEntry>(&held)?, key)),
        };
        found.unwrap_or_else(|error| {
            tracing::warn!(partition = %self.name(), segment = %run.base, %error, "cannot read an index");
            self.distrust_index(run);
            Near::NONE
        })
    }

    /// The file of a run. A segment removed meanwhile means that the start has moved past `from`.
    pub(super) fn open_run(&self, run: &Run, from: Offset) -> Result<Arc<dyn File>, ReadError> {
        self.dir().pool().file(self.path(), self.run_key(run, Kind::Log)).map_err(|error| {
            let state = self.state.lock();
            if error.kind() == io::ErrorKind::NotFound && run.base < state.start {
                return ReadError::OutOfRange { asked: from, start: state.start, end: state.seen.offset };
            }
            error.into()
        })
    }

    pub(super) fn run_key(&self, run: &Run, kind: Kind) -> FileKey {
        FileKey { generation: run.generation, ..self.key(run.base, kind) }
    }

    pub(super) fn replay_from(
        &self,
        from: Offset,
        visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut next = from;
        // A replacement of segments between two of them: the rest is looked up anew.
        while let Some(seen) = self.replay_steadily(next, visit)? {
            next = seen;
        }
        Ok(())
    }

    /// Replays until the end, or until segments were replaced: then the offset to go on from.
    fn replay_steadily(
        &self,
        from: Offset,
        visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<Option<Offset>, ReadError> {
        let (runs, end, layout) = {
            let state = self.state.lock();
            if from < state.start || from > state.end {
                return Err(ReadError::OutOfRange { asked: from, start: state.start, end: state.end });
            }
            (state.all_runs(from), state.end, self.layout())
        };
        let mut next = from;
        let mut least = Offset::ZERO;
        if let Some(first) = runs.first().filter(|first| from < first.base) {
            return Err(self.gap_before(first, from).error());
        }
        for (nth, run) in runs.iter().enumerate() {
            let opened = self.replay_start(run, from);
            if self.layout() != layout {
                return Ok(Some(next));
            }
            // From here on the file is the one that was looked up, whatever happens to its name.
            let mut walk = opened?.above(least.max(run.base));
            while let Some(step) = walk.next_checked()? {
                let (at, header) = match step {
                    Step::Batch(at, header) => (at, header),
                    Step::Damage(damage) if damage.until > damage.at => return Err(damage.error()),
                    Step::Damage(_) => continue,
                };
                least = header.next_offset();
                if least > end {
                    let why = format!("byte {at}: offsets up to {least} in a log that ends at {end}");
                    return Err(ReadError::Damaged { at: header.base_offset, until: end, why });
                }
                if visit(&header, walk.batch(at, &header)?).is_break() {
                    return Ok(None);
                }
                next = next.max(least);
            }
            let gap = if nth + 1 < runs.len() { self.gap_behind(run)? } else { None };
            if let Some(gap) = gap.filter(|gap| gap.until > from) {
                return Err(gap.error());
            }
        }
        Ok(None)
    }

    /// A walk from the batch that holds `from`, or the first behind it.
    fn replay_start(&self, run: &Run, from: Offset) -> Result<Walk<'_>, ReadError> {
        let at = if from <= run.base { 0 } else { self.locate(run, from)?.map_or(run.size, |(at, _)| at) };
        Walk::new(self, run, at, FAR, from)
    }
}

impl State {
    /// The visible parts of the segments from the one that holds `from` on, as many as `bytes` can need.
    fn runs(&self, from: Offset, upto: Offset, bytes: u64) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut behind = 0;
        for mut run in self.runs_from(from, upto) {
            if run.base >= upto || run.base > self.seen.base || (behind >= bytes && runs.len() > 1) {
                break;
            }
            if run.base == self.seen.base {
                (run.size, run.end) = (self.seen.position, self.seen.offset);
            }
            if !runs.is_empty() {
                behind += run.size;
            }
            runs.push(run);
        }
        runs
    }

    /// Where in a run the batch of this first offset starts, if that is remembered.
    fn known(&self, run: &Run, from: Offset) -> Option<u64> {
        // What was appended lately is in no segment that was replaced.
        let lately = || {
            let mut recent = self.recent.iter().filter(|_| run.generation == 0);
            recent.find(|spot| spot.offset == from && spot.base == run.base).map(|spot| spot.position)
        };
        let known = self.reached.find(run.base, run.generation, from).or_else(lately);
        known.filter(|position| *position < run.size)
    }

    /// All segments from the one that holds `from` on, to the end of the log.
    pub(super) fn all_runs(&self, from: Offset) -> Vec<Run> {
        self.runs_from(from, from).collect()
    }

    fn runs_from(&self, from: Offset, upto: Offset) -> impl Iterator<Item = Run> + '_ {
        let first = self.sealed.partition_point(|sealed| sealed.base <= from).saturating_sub(1);
        // If even the active segment begins at or below the offset, no sealed one holds it.
        let first = if self.active.base <= from { self.sealed.len() } else { first };
        let ends = self.sealed.iter().skip(first + 1).map(|next| next.base).chain([self.active.base]);
        let sealed = self.sealed.iter().skip(first).zip(ends).map(|(sealed, end)| sealed.run(end));
        let hint = |at: Offset| {
            let key = at.0.saturating_sub(self.active.base.0);
            Hint { key, sought: self.active.index.seek(key) }
        };
        let index =
            RunIndex::Growing { written: self.active.index.written(), hints: [hint(from), hint(upto)] };
        sealed.chain([Run {
            base: self.active.base,
            generation: 0,
            size: self.active.size,
            end: self.end,
            trusted: self.active.trusted,
            has_seal: false,
            is_joined: true,
            index,
        }])
    }

    /// All of a segment was checked since the run was looked up.
    pub(super) fn is_trusted(&mut self, run: &Run) -> bool {
        if self.active.base == run.base {
            return self.active.trusted == 0;
        }
        self.sealed_of(run).is_some_and(|sealed| sealed.trusted == 0)
    }

    /// The segments that are here, by base and generation.
    pub(super) fn segments(&self) -> Vec<(Offset, u32)> {
        let sealed = self.sealed.iter().map(|sealed| (sealed.base, sealed.generation));
        sealed.chain([(self.active.base, 0)]).collect()
    }
}

impl RunIndex {
    /// What memory knew of a key; `None` where a whole file is the index.
    fn sought(self, key: i64) -> Option<Sought<OffsetEntry>> {
        let RunIndex::Growing { written, hints } = self else { return None };
        if let Some(hint) = hints.iter().find(|hint| hint.key == key) {
            return Some(hint.sought);
        }
        // What is known to be below a lower key is below this one, too.
        let below = hints.iter().filter(|hint| hint.key < key).filter_map(|hint| match hint.sought {
            Sought::Here(near) => near.below,
            Sought::InFile(..) => None,
        });
        let below = below.max_by_key(|entry| entry.relative);
        Some(match below {
            None if written > 0 => Sought::InFile(0, written),
            below => Sought::Here(Near { below, above: None }),
        })
    }
}

impl Sealed {
    /// The whole segment, the next one beginning at `end`.
    pub(super) fn run(&self, end: Offset) -> Run {
        let Sealed { base, generation, size, trusted, has_seal, is_joined, .. } = *self;
        Run { base, generation, size, end, trusted, has_seal, is_joined, index: RunIndex::Sealed }
    }
}
