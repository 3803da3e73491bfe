//! Reading: where the batches from an offset on are, and walking all of them. Holds the short lock only to look at
//! the segments, never while it reads a file.

use super::files::{FileKey, Held, Kind};
use super::index_file::{Entry, entries_in, find_in};
use super::log::{LocalLog, State};
use super::offset_index::OffsetEntry;
use super::scan::{FAR, NEAR, Scan, ScanError};
use super::segment::{Sealed, Spot};
use crate::log::{Piece, ReadError, ReadLimit, ReadPlan};
use crate::record::BatchHeader;
use crate::sys::File;
use crate::types::Offset;
use bytes::Bytes;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The part of a segment that a call may look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub base: Offset,
    pub generation: u32,
    /// Bytes of the `.log` file that may be looked at.
    pub size: u64,
    /// The offset index to search in.
    pub index: RunIndex,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum RunIndex {
    /// The whole file.
    Sealed,
    /// So many entries of the file; those in memory were searched under the lock, for the offset that the call is
    /// about and for the one below which it may see.
    Growing { written: u32, hints: [Option<OffsetEntry>; 2] },
}

impl LocalLog {
    pub(super) fn plan(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        self.steady(|| self.plan_once(from, limit))
    }

    fn plan_once(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        let (runs, upto, known, seen) = {
            let state = self.state.lock();
            if from < state.start || from > state.end {
                return Err(ReadError::OutOfRange {
                    asked: from,
                    start: state.start,
                    end: state.seen.offset,
                });
            }
            let upto = state.seen.offset.min(limit.below);
            if from >= upto {
                return Ok(ReadPlan::default());
            }
            let known = state.recent.iter().find(|spot| spot.offset == from).copied();
            (state.runs(from, upto, limit.bytes as u64), upto, known, state.seen)
        };
        let mut plan = ReadPlan::default();
        let mut left = limit.bytes as u64;
        for (nth, run) in runs.iter().enumerate() {
            let Some((at, first)) = self.start_in(run, from, known.filter(|_| nth == 0))? else { continue };
            let end = if upto == seen.offset { run.size } else { self.end_below(run, at, upto)? };
            let whole_first = limit.at_least_one && plan.pieces.is_empty() && end - at > left;
            if whole_first {
                left = left.max(self.size_of_first(run, at, first)?);
            }
            let take = left.min(end.saturating_sub(at));
            if take > 0 {
                let file = self.open_run(run, from)?;
                plan.pieces.push(Piece::File { file, at, len: usize::try_from(take).unwrap_or(usize::MAX) });
            }
            left -= take;
            if left == 0 || end < run.size {
                break;
            }
        }
        Ok(plan)
    }

    /// Where the batch that holds `from`, or the first one behind it, starts in `run`.
    fn start_in(
        &self,
        run: &Run,
        from: Offset,
        known: Option<Spot>,
    ) -> Result<Option<(u64, Option<BatchHeader>)>, ReadError> {
        if from <= run.base {
            return Ok((run.size > 0).then_some((0, None)));
        }
        if let Some(spot) = known.filter(|spot| spot.base == run.base && spot.position < run.size) {
            return Ok(Some((spot.position, None)));
        }
        Ok(self.locate(run, from)?.map(|(at, header)| (at, Some(header))))
    }

    /// Where the first batch that is not wholly below `upto` starts, or the end of the run.
    fn end_below(&self, run: &Run, at: u64, upto: Offset) -> Result<u64, ReadError> {
        Ok(self.locate(run, upto)?.map_or(run.size, |(end, _)| end.max(at)))
    }

    fn size_of_first(&self, run: &Run, at: u64, known: Option<BatchHeader>) -> Result<u64, ReadError> {
        if let Some(header) = known {
            return Ok(header.size as u64);
        }
        let file = self.open_run(run, run.base)?;
        // One header: a larger chunk would be read for nothing.
        let mut scan = Scan::new(file, at, run.size, BatchHeader::SIZE);
        let header = scan.next_header().map_err(|error| damaged(run.base, error))?;
        Ok(header.map_or(0, |(_, header)| header.size as u64))
    }

    /// The first batch of `run` whose last offset is at least `offset`, by index and a walk over headers.
    pub(super) fn locate(&self, run: &Run, offset: Offset) -> Result<Option<(u64, BatchHeader)>, ReadError> {
        if let Some(entry) = self.nearest(run, offset) {
            let mut scan = Scan::new(self.open_run(run, offset)?, u64::from(entry.position), run.size, NEAR);
            match scan.next_header() {
                Ok(Some((at, header))) if header.last_offset() == entry.last_offset(run.base) => {
                    return walk_to(&mut scan, (at, header), run.base, offset);
                }
                Ok(None) if u64::from(entry.position) >= run.size => {
                    // The entry lies beyond what may be seen: all that may be seen is below the offset.
                    return self.locate_from_start(run, offset);
                }
                Err(ScanError::Storage(error)) => return Err(error.into()),
                _ => self.distrust_index(run),
            }
        }
        self.locate_from_start(run, offset)
    }

    fn locate_from_start(&self, run: &Run, offset: Offset) -> Result<Option<(u64, BatchHeader)>, ReadError> {
        let mut scan = Scan::new(self.open_run(run, offset)?, 0, run.size, NEAR);
        match scan.next_header().map_err(|error| damaged(run.base, error))? {
            Some(first) => walk_to(&mut scan, first, run.base, offset),
            None => Ok(None),
        }
    }

    /// The nearest index entry at or below `offset`. An index that cannot be read costs time only.
    fn nearest(&self, run: &Run, offset: Offset) -> Option<OffsetEntry> {
        let key = offset.0.checked_sub(run.base.0)?;
        let found = match run.index {
            RunIndex::Growing { written, hints } => match hints
                .into_iter()
                .flatten()
                .filter(|entry| entry.key() <= key)
                .max_by_key(|entry| entry.relative)
            {
                Some(entry) => return Some(entry),
                None if written == 0 => return None,
                None => self
                    .dir()
                    .pool()
                    .file(self.path(), self.run_key(run, Kind::Index))
                    .and_then(|file| find_in::<OffsetEntry>(&Held::File(file), written, key)),
            },
            RunIndex::Sealed => self
                .dir()
                .pool()
                .sealed_index(self.path(), self.run_key(run, Kind::Index))
                .and_then(|held| find_in::<OffsetEntry>(&held, entries_in::<OffsetEntry>(&held)?, key)),
        };
        match found {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(partition = %self.name(), segment = %run.base, %error, "cannot read an index");
                self.distrust_index(run);
                None
            }
        }
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
        for run in &runs {
            let opened = self.replay_start(run, from);
            if self.layout() != layout {
                return Ok(Some(next));
            }
            // From here on the file is the one that was looked up, whatever happens to its name.
            let (file, at) = opened?;
            let mut scan = Scan::new(file, at, run.size, FAR).above(least.max(run.base));
            while let Some((at, header)) = scan.next_checked().map_err(|error| damaged(run.base, error))? {
                least = header.next_offset();
                if least > end {
                    let why = format!("byte {at}: offsets up to {least} in a log that ends at {end}");
                    return Err(ReadError::Damaged { at: header.base_offset, why });
                }
                let bytes = scan.batch(at, &header).map_err(|error| damaged(header.base_offset, error))?;
                if visit(&header, bytes).is_break() {
                    return Ok(None);
                }
                next = next.max(least);
            }
        }
        Ok(None)
    }

    /// The file of a run, and where the batch that holds `from`, or the first behind it, starts.
    fn replay_start(&self, run: &Run, from: Offset) -> Result<(Arc<dyn File>, u64), ReadError> {
        let at = if from <= run.base { 0 } else { self.locate(run, from)?.map_or(run.size, |(at, _)| at) };
        Ok((self.open_run(run, from)?, at))
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
                run.size = self.seen.position;
            }
            if !runs.is_empty() {
                behind += run.size;
            }
            runs.push(run);
        }
        runs
    }

    /// All segments from the one that holds `from` on, to the end of the log.
    pub(super) fn all_runs(&self, from: Offset) -> Vec<Run> {
        self.runs_from(from, from).collect()
    }

    fn runs_from(&self, from: Offset, upto: Offset) -> impl Iterator<Item = Run> + '_ {
        let first = self.sealed.partition_point(|sealed| sealed.base <= from).saturating_sub(1);
        // If even the active segment begins at or below the offset, no sealed one holds it.
        let first = if self.active.base <= from { self.sealed.len() } else { first };
        let sealed = self.sealed.iter().skip(first);
        let sealed = sealed.map(Sealed::run);
        let hint = |at: Offset| self.active.index.find_in_tail(at.0.checked_sub(self.active.base.0)?);
        let index =
            RunIndex::Growing { written: self.active.index.written(), hints: [hint(from), hint(upto)] };
        sealed.chain([Run { base: self.active.base, generation: 0, size: self.active.size, index }])
    }
}

impl Sealed {
    /// The whole segment.
    pub(super) fn run(&self) -> Run {
        Run { base: self.base, generation: self.generation, size: self.size, index: RunIndex::Sealed }
    }
}

/// Walks on to the first batch whose last offset is at least `offset`.
fn walk_to(
    scan: &mut Scan,
    first: (u64, BatchHeader),
    base: Offset,
    offset: Offset,
) -> Result<Option<(u64, BatchHeader)>, ReadError> {
    let (mut at, mut header) = first;
    while header.last_offset() < offset {
        let known = header.next_offset();
        match scan.next_header().map_err(|error| damaged(known.max(base), error))? {
            Some(next) => (at, header) = next,
            None => return Ok(None),
        }
    }
    Ok(Some((at, header)))
}

pub(super) fn damaged(at: Offset, error: ScanError) -> ReadError {
    match error {
        ScanError::Storage(error) => error.into(),
        ScanError::Bad { .. } => ReadError::Damaged { at, why: error.to_string() },
    }
}
