//! First touch: bytes that this process did not append are checked once before they are served, a block of a sealed
//! segment against its seal, all others batch by batch. What was checked is remembered, a bit for 16 KiB, until all
//! of a segment is. What is wrong is listed as damage. Never reads under the short lock.

use super::damage::{Damage, DamageKind};
use super::log::LocalLog;
use super::read::Run;
use super::scan::is_unreadable;
use super::seal::{self, BLOCK, Seal, Stored};
use super::segment::Sealed;
use crate::log::ReadError;
use crate::sys::File;
use crate::types::{Offset, TimestampMs};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// Blocks read at a time.
const TOGETHER: u64 = 16;

/// What was checked of one segment.
pub(super) struct Proof {
    /// It has a sound seal.
    is_sealed: bool,
    done: Mutex<Bits>,
}

/// A bit for each block that is left to check.
struct Bits {
    words: Vec<u64>,
    left: u64,
}

/// The segments of a log of which some is left to check; those that are whole have no entry.
pub(super) type Proofs = Mutex<BTreeMap<(Offset, u32), Arc<Proof>>>;

/// Names a segment among all of a directory: the log's number, the base, the generation.
type SealKey = (u64, Offset, u32);

/// The seals last used, because blocks are checked a few at a time and a seal of 1 GiB takes 256 KiB.
#[derive(Default)]
pub(super) struct SealCache {
    held: Mutex<VecDeque<(SealKey, Arc<Seal>)>>,
}

/// 16 seals of segments of 1 GiB are 4 MiB; another one is read in a fraction of a millisecond.
const SEALS_HELD_MAX: usize = 16;

impl SealCache {
    fn get(&self, key: SealKey) -> Option<Arc<Seal>> {
        self.held.lock().iter().find(|(held, _)| *held == key).map(|(_, seal)| Arc::clone(seal))
    }

    fn put(&self, key: SealKey, seal: Arc<Seal>) {
        let mut held = self.held.lock();
        held.retain(|(known, _)| *known != key);
        held.truncate(SEALS_HELD_MAX - 1);
        held.push_front((key, seal));
    }

    pub(super) fn forget(&self, log: u64, base: Offset) {
        self.held.lock().retain(|(key, _)| (key.0, key.1) != (log, base));
    }

    pub(super) fn forget_log(&self, log: u64) {
        self.held.lock().retain(|(key, _)| key.0 != log);
    }
}

impl Bits {
    fn new(blocks: u64) -> Bits {
        let words = usize::try_from(blocks.div_ceil(64)).unwrap_or(0);
        Bits { words: vec![u64::MAX; words], left: blocks }
    }

    fn has(&self, block: u64) -> bool {
        let word = usize::try_from(block / 64).ok().and_then(|at| self.words.get(at));
        word.is_some_and(|word| word >> (block % 64) & 1 == 1)
    }

    fn clear(&mut self, block: u64) {
        if self.has(block)
            && let Some(word) = usize::try_from(block / 64).ok().and_then(|at| self.words.get_mut(at))
        {
            *word &= !(1 << (block % 64));
            self.left -= 1;
        }
    }

    /// The runs of blocks among these that are left to check.
    fn left_in(&self, blocks: Range<u64>) -> Vec<Range<u64>> {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for block in blocks.filter(|block| self.has(*block)) {
            match runs.last_mut() {
                Some(run) if run.end == block => run.end += 1,
                _ => runs.push(block..block + 1),
            }
        }
        runs
    }
}

impl LocalLog {
    /// Makes sure that every batch that touches these bytes of a segment is sound, or listed as damage.
    pub(super) fn prove(&self, run: &Run, bytes: Range<u64>) -> Result<(), ReadError> {
        let upto = bytes.end.min(run.trusted).min(run.size);
        if bytes.start >= upto || self.state.lock().is_trusted(run) {
            return Ok(());
        }
        let proof = self.proof(run);
        let left = proof.done.lock().left_in(bytes.start / BLOCK..upto.div_ceil(BLOCK));
        if left.is_empty() {
            return Ok(());
        }
        for blocks in left {
            let blocks = self.widened(run, blocks);
            let seal = if proof.is_sealed { self.seal_of(run) } else { None };
            match seal {
                Some(seal) => self.prove_sealed(run, &seal, blocks.clone())?,
                None => {
                    let found = self.survey(run, blocks.clone(), None)?;
                    let bad: Vec<Range<u64>> = found.iter().map(|one| one.bytes.clone()).collect();
                    self.forget_healed(run, &blocks, &bad);
                    self.note_damage(found);
                }
            }
            let mut done = proof.done.lock();
            blocks.for_each(|block| done.clear(block));
        }
        if proof.done.lock().left == 0 {
            self.proved(run);
        }
        Ok(())
    }

    /// Checks blocks against the seal, and the batches of those that differ.
    fn prove_sealed(&self, run: &Run, seal: &Arc<Seal>, blocks: Range<u64>) -> Result<(), ReadError> {
        let file = self.open_run(run, run.base)?;
        let mut bad = Vec::new();
        let mut at = blocks.start;
        while at < blocks.end {
            let upto = blocks.end.min(at + TOGETHER);
            bad.extend(bad_blocks(&*file, seal, at..upto)?);
            at = upto;
        }
        let bytes: Vec<Range<u64>> = bad.iter().map(|bad| bad.start * BLOCK..bad.end * BLOCK).collect();
        self.forget_healed(run, &blocks, &bytes);
        for blocks in bad {
            self.note_damage(self.survey(run, blocks, Some(seal))?);
        }
        Ok(())
    }

    /// These blocks, and all others of damage that is listed in them: it is judged as a whole, or it would stay listed
    /// after the disk reads again.
    fn widened(&self, run: &Run, blocks: Range<u64>) -> Range<u64> {
        let all = run.trusted.min(run.size).div_ceil(BLOCK);
        let damages = self.damages.lock();
        let mut wide = blocks;
        for one in damages.in_segment(run.base).filter(|one| !one.bytes.is_empty()) {
            let theirs = one.bytes.start / BLOCK..one.bytes.end.div_ceil(BLOCK).min(all);
            if theirs.start < wide.end && wide.start < theirs.end {
                wide = wide.start.min(theirs.start)..wide.end.max(theirs.end);
            }
        }
        wide
    }

    /// Damage listed earlier whose bytes are now what they were: a disk that reads again, a file put back. `bad` are
    /// the bytes that are not.
    fn forget_healed(&self, run: &Run, blocks: &Range<u64>, bad: &[Range<u64>]) {
        let holds_bad =
            |bytes: &Range<u64>| bad.iter().any(|bad| bad.start < bytes.end && bytes.start < bad.end);
        let whole = blocks.start * BLOCK..blocks.end * BLOCK;
        let known = self.damages.lock().in_bytes(run.base, whole.clone()).is_some();
        if known {
            self.forget_damage(|one| {
                let within = whole.start <= one.bytes.start && one.bytes.end <= whole.end;
                one.base == run.base && !one.bytes.is_empty() && within && !holds_bad(&one.bytes)
            });
        }
    }

    /// All of a segment is checked. If nothing is wrong with it, nobody has to ask again.
    fn proved(&self, run: &Run) {
        let sound = !self.damages.lock().all().iter().any(|one| one.base == run.base);
        if sound {
            let mut state = self.state.lock();
            if let Some(sealed) = state.sealed_of(run) {
                sealed.trusted = 0;
            } else if state.active.base == run.base {
                state.active.trusted = 0;
            }
            drop(state);
            self.proofs.lock().remove(&(run.base, run.generation));
        }
    }

    /// A pass over the whole segment found it sound.
    pub(super) fn trust(&self, run: &Run) {
        if let Some(sealed) = self.state.lock().sealed_of(run) {
            sealed.trusted = 0;
        }
        self.proofs.lock().remove(&(run.base, run.generation));
    }

    /// What is left to check of a segment, which begins here.
    fn proof(&self, run: &Run) -> Arc<Proof> {
        let key = (run.base, run.generation);
        if let Some(proof) = self.proofs.lock().get(&key) {
            return Arc::clone(proof);
        }
        let blocks = run.trusted.min(run.size).div_ceil(BLOCK);
        let is_sealed = run.index.is_sealed() && self.seal_of(run).is_some();
        let proof = Arc::new(Proof { is_sealed, done: Mutex::new(Bits::new(blocks)) });
        let here = self.state.lock().segments();
        let mut proofs = self.proofs.lock();
        // Those of segments that were removed or replaced meanwhile go when another begins.
        proofs.retain(|key, _| here.contains(key));
        let proof = Arc::clone(proofs.entry(key).or_insert(proof));
        drop(proofs);
        if is_sealed {
            self.begin_proof(run);
        }
        proof
    }

    /// What is to be looked at of a sealed segment before any block is: its size and its indexes.
    fn begin_proof(&self, run: &Run) {
        let Some(seal) = self.seal_of(run).filter(|_| run.trusted == run.size) else { return };
        if seal.body.size < run.size {
            self.note_damage([Damage {
                at: run.end,
                until: run.end,
                base: run.base,
                bytes: seal.body.size..run.size,
                kind: DamageKind::Wrong,
                why: format!("the segment was sealed at {} bytes", seal.body.size),
                found: self.dir().clock().wall(),
            }]);
        }
        // Building them anew reads the segment, which begins here again.
        let seen = |sealed: &mut Sealed| std::mem::replace(&mut sealed.indexes_seen, true);
        let is_seen = self.state.lock().sealed_of(run).is_none_or(seen);
        if !is_seen {
            self.prove_indexes(run, &seal);
        }
    }

    /// The seal of a sealed segment, if it has a sound one.
    pub(super) fn seal_of(&self, run: &Run) -> Option<Arc<Seal>> {
        if !run.has_seal {
            return None;
        }
        let key = (self.number(), run.base, run.generation);
        if let Some(seal) = self.dir().seals().get(key) {
            return Some(seal);
        }
        match seal::load(self.dir().fs(), self.path(), run.base) {
            Stored::Sound(seal) => {
                let seal = Arc::new(seal);
                self.dir().seals().put(key, Arc::clone(&seal));
                Some(seal)
            }
            found => {
                tracing::warn!(
                    partition = %self.name(), segment = %run.base, missing = found == Stored::Missing,
                    "a seal is not to be had and will be made anew"
                );
                self.unseal(run);
                None
            }
        }
    }

    /// The damage at this byte of a segment, once it was looked at.
    pub(super) fn damage_at(&self, run: &Run, byte: u64) -> Result<Option<Damage>, ReadError> {
        if run.trusted == 0 {
            return Ok(None);
        }
        self.prove(run, byte..byte.saturating_add(1))?;
        Ok(self.damages.lock().in_bytes(run.base, byte..byte.saturating_add(1)).cloned())
    }

    /// The file of a run for walks over its batches: reads stop at damage.
    pub(super) fn open_proven(&self, run: &Run, from: Offset) -> Result<Arc<dyn File>, ReadError> {
        let file = self.open_run(run, from)?;
        match self.me.upgrade() {
            Some(log) if run.trusted > 0 => Ok(Arc::new(Proven { log, run: *run, file })),
            _ => Ok(file),
        }
    }
}

/// The runs of blocks that are not what the seal says, or cannot be read.
pub(super) fn bad_blocks(
    file: &dyn File,
    seal: &Seal,
    blocks: Range<u64>,
) -> Result<Vec<Range<u64>>, ReadError> {
    let mut bytes = vec![0; usize::try_from((blocks.end - blocks.start) * BLOCK).unwrap_or(0)];
    let from = blocks.start * BLOCK;
    let got = match file.read_at(&mut bytes, from) {
        Ok(got) => Some(got),
        Err(error) if is_unreadable(&error) => None,
        Err(error) => return Err(error.into()),
    };
    let mut bad: Vec<Range<u64>> = Vec::new();
    for (nth, room) in (blocks).zip(bytes.chunks_mut(BLOCK as usize)) {
        let start = nth * BLOCK;
        let sealed = seal.body.size.saturating_sub(start).min(BLOCK);
        let here = match got {
            Some(got) => (from + got as u64).saturating_sub(start).min(sealed),
            // One by one: the disk may give all but one of them.
            None => match file.read_at(room, start) {
                Ok(got) => (got as u64).min(sealed),
                Err(error) if is_unreadable(&error) => 0,
                Err(error) => return Err(error.into()),
            },
        };
        let here = room.get(..usize::try_from(here).unwrap_or(0)).unwrap_or_default();
        if !seal.holds(nth, here) || here.is_empty() {
            match bad.last_mut() {
                Some(run) if run.end == nth => run.end += 1,
                _ => bad.push(nth..nth + 1),
            }
        }
    }
    Ok(bad)
}

/// A `.log` file of which nothing is read that was not checked.
struct Proven {
    log: Arc<LocalLog>,
    run: Run,
    file: Arc<dyn File>,
}

impl File for Proven {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        let end = at.saturating_add(buf.len() as u64).min(self.run.size);
        self.log.prove(&self.run, at..end).map_err(|error| match error {
            ReadError::Storage(error) => error,
            other => io::Error::other(other),
        })?;
        let damage = self.log.damages.lock().in_bytes(self.run.base, at..end).map(|one| one.bytes.start);
        let len = match damage {
            // A walk that comes to a batch of no bytes asks what is there.
            Some(from) => usize::try_from(from.saturating_sub(at)).unwrap_or(usize::MAX).min(buf.len()),
            None => buf.len(),
        };
        self.file.read_at(buf.get_mut(..len).unwrap_or_default(), at)
    }

    fn write_all_at(&self, _: &[IoSlice<'_>], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn modified(&self) -> io::Result<Option<TimestampMs>> {
        self.file.modified()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.fd()
    }
}
