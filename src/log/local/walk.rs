//! Walking the batches of a run for readers: over damage, which is told, and on behind it. Reads nothing that was not
//! checked. Also what is missing between a segment and the next.

use super::damage::{Damage, DamageKind};
use super::log::LocalLog;
use super::read::Run;
use super::scan::{Scan, ScanError};
use crate::log::ReadError;
use crate::record::BatchHeader;
use crate::types::Offset;
use bytes::Bytes;

/// What a walk comes to.
pub(super) enum Step {
    /// A batch, and the byte where it starts.
    Batch(u64, BatchHeader),
    /// Batches that are refused.
    Damage(Damage),
}

/// A walk over a run.
pub(super) struct Walk<'a> {
    log: &'a LocalLog,
    run: Run,
    scan: Scan,
    next: Offset,
}

impl<'a> Walk<'a> {
    /// From the boundary at byte `at` on, reading `chunk` bytes at a time; `from` is the offset the caller is about.
    pub(super) fn new(
        log: &'a LocalLog,
        run: &Run,
        at: u64,
        chunk: usize,
        from: Offset,
    ) -> Result<Walk<'a>, ReadError> {
        let scan = Scan::new(log.open_proven(run, from)?, at, run.size, chunk);
        Ok(Walk { log, run: *run, scan, next: run.base })
    }

    /// The same walk, where offsets below `least` are damage.
    pub(super) fn above(self, least: Offset) -> Walk<'a> {
        Walk { scan: self.scan.above(least), next: least, ..self }
    }

    /// The next header; `None` at the end of the run. The records are not looked at.
    pub(super) fn next_header(&mut self) -> Result<Option<Step>, ReadError> {
        let read = self.scan.next_header();
        self.step(read)
    }

    /// The same with the batch's CRC checked.
    pub(super) fn next_checked(&mut self) -> Result<Option<Step>, ReadError> {
        let read = self.scan.next_checked();
        self.step(read)
    }

    /// The bytes of a batch that this walk returned.
    pub(super) fn batch(&mut self, at: u64, header: &BatchHeader) -> Result<Bytes, ReadError> {
        self.scan.batch(at, header).map_err(|error| damaged(header.base_offset, header.next_offset(), error))
    }

    fn step(
        &mut self,
        read: Result<Option<(u64, BatchHeader)>, ScanError>,
    ) -> Result<Option<Step>, ReadError> {
        let error = match read {
            Ok(batch) => {
                return Ok(batch.map(|(at, header)| {
                    self.next = header.next_offset();
                    Step::Batch(at, header)
                }));
            }
            Err(error) => error,
        };
        match self.log.damage_at(&self.run, self.scan.position())? {
            Some(damage) => {
                self.scan.jump(damage.bytes.end, damage.until);
                self.next = damage.until;
                Ok(Some(Step::Damage(damage)))
            }
            None => Err(damaged(self.next, self.next.next(), error)),
        }
    }
}

impl LocalLog {
    /// What is missing between the last batch of a run and the next segment, if anything is.
    pub(super) fn gap_behind(&self, run: &Run) -> Result<Option<Damage>, ReadError> {
        if run.is_joined {
            return Ok(None);
        }
        let (last, why) = match self.seal_of(run) {
            Some(seal) if seal.body.size <= run.size => (seal.end, "the segments behind it are missing"),
            _ => match self.last_offset_of(run)? {
                Tail::Compacted => (run.end, ""),
                Tail::Ends(next) => (next, "what followed is missing"),
            },
        };
        if last >= run.end {
            if let Some(sealed) = self.state.lock().sealed_of(run) {
                sealed.is_joined = true;
            }
            return Ok(None);
        }
        let damage = Damage {
            at: last,
            until: run.end,
            base: run.base,
            bytes: run.size..run.size,
            kind: DamageKind::Missing,
            why: why.to_owned(),
            found: self.dir().clock().wall(),
        };
        self.note_damage([damage.clone()]);
        Ok(Some(damage))
    }

    /// What is missing before the first segment of the log.
    pub(super) fn gap_before(&self, run: &Run, from: Offset) -> Damage {
        let damage = Damage {
            at: from,
            until: run.base,
            base: from,
            bytes: 0..0,
            kind: DamageKind::Missing,
            why: "the first segments are missing".to_owned(),
            found: self.dir().clock().wall(),
        };
        let known = self.damages.lock().at(from).cloned();
        known.unwrap_or(damage)
    }

    /// Where the batches of a segment without a seal end.
    fn last_offset_of(&self, run: &Run) -> Result<Tail, ReadError> {
        let (mut walk, mut first) = self.walk_near(run, run.end)?;
        let (mut next, mut thinned) = (None, false);
        while let Some(step) = first.take().map_or_else(|| walk.next_header(), |step| Ok(Some(step)))? {
            match step {
                Step::Batch(_, header) => {
                    let gap = next.is_some_and(|next| header.base_offset > next);
                    thinned |= gap || header.count.saturating_sub(1) < header.last_offset_delta;
                    next = Some(header.next_offset());
                }
                Step::Damage(damage) => next = Some(damage.until),
            }
        }
        // Without its seal a compacted segment does not say for which offsets it stands.
        Ok(if thinned { Tail::Compacted } else { Tail::Ends(next.unwrap_or(run.base)) })
    }
}

enum Tail {
    Compacted,
    Ends(Offset),
}

impl Damage {
    /// What a reader gets that asks for one of these offsets.
    pub(super) fn error(&self) -> ReadError {
        ReadError::Damaged { at: self.at, until: self.until, why: self.why.clone() }
    }
}

/// A walk's error where no damage is listed.
pub(super) fn damaged(at: Offset, until: Offset, error: ScanError) -> ReadError {
    match error {
        ScanError::Storage(error) => error.into(),
        ScanError::Bad { .. } => ReadError::Damaged { at, until, why: error.to_string() },
    }
}
