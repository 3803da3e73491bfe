//! Finding out which batches of a stretch of a segment are sound, one after another, and where damage begins and ends:
//! only what is not provably what was written is refused. Behind a batch whose size cannot be believed it goes on at
//! the next one that the index names, or that is found by its header, CRC and offset.

use super::damage::{Damage, DamageKind};
use super::epochs::Epochs;
use super::files::{Held, Kind};
use super::index_file::{Entry, entries_in, entry_at};
use super::log::LocalLog;
use super::offset_index::OffsetEntry;
use super::proof::bad_blocks;
use super::read::{Run, RunIndex};
use super::scan::{FAR, Scan, ScanError, is_unreadable};
use super::seal::{BLOCK, Seal};
use crate::log::ReadError;
use crate::record::BatchHeader;
use crate::sys::File;
use crate::types::Offset;
use std::ops::Range;
use std::sync::Arc;

/// Index entries tried before a walk begins at byte 0, or a search goes on without one.
const ENTRIES_TRIED: u32 = 8;
/// Sound batches in a row that make a find believable where no index says where one starts: a record may hold what
/// looks like a batch, but not the beginning of what follows it in the file.
const CHAIN: usize = 3;

/// A stretch of batches that is looked at.
pub(super) struct Survey<'a> {
    pub file: Arc<dyn File>,
    /// Bytes that belong to the segment.
    pub size: u64,
    /// Its offsets.
    pub base: Offset,
    pub below: Offset,
    /// What a seal, or the log, knows of epochs.
    pub epochs: Epochs,
    pub seal: Option<&'a Seal>,
    /// The offset index and its number of entries.
    pub index: Option<(Held, u32)>,
}

/// Why a batch is refused.
pub(super) struct Flaw {
    pub kind: DamageKind,
    pub why: String,
}

/// Batches that are refused: their bytes, and the offsets they stood for.
pub(super) struct Extent {
    pub bytes: Range<u64>,
    pub at: Offset,
    pub until: Offset,
    pub flaw: Flaw,
}

impl LocalLog {
    /// The damage in some blocks of a segment, by its batches.
    pub(super) fn survey(
        &self,
        run: &Run,
        blocks: Range<u64>,
        seal: Option<&Seal>,
    ) -> Result<Vec<Damage>, ReadError> {
        let epochs = match seal {
            Some(seal) => Epochs::from_starts(seal.body.epochs.clone()),
            None => self.state.lock().epochs.clone(),
        };
        let survey = Survey {
            file: self.open_run(run, run.base)?,
            size: run.size,
            base: run.base,
            below: run.end,
            epochs,
            seal,
            index: self.index_of(run),
        };
        let stop = (blocks.end.saturating_mul(BLOCK)).min(run.trusted).min(run.size);
        let found = survey.walk(blocks.start.saturating_mul(BLOCK)..stop)?;
        let now = self.dir().clock().wall();
        Ok(found.into_iter().map(|extent| extent.damage(run.base, now)).collect())
    }

    /// The offset index of a run as far as it is in a file. One that cannot be had costs time only.
    fn index_of(&self, run: &Run) -> Option<(Held, u32)> {
        let key = self.run_key(run, Kind::Index);
        match run.index {
            RunIndex::Sealed => {
                let held = self.dir().pool().sealed_index(self.path(), key).ok()?;
                let count = entries_in::<OffsetEntry>(&held).ok()?;
                Some((held, count))
            }
            RunIndex::Growing { written: 0, .. } => None,
            RunIndex::Growing { written, .. } => {
                Some((Held::File(self.dir().pool().file(self.path(), key).ok()?), written))
            }
        }
    }
}

impl Extent {
    pub(super) fn damage(self, base: Offset, found: crate::types::TimestampMs) -> Damage {
        let Extent { bytes, at, until, flaw } = self;
        Damage { at, until, base, bytes, kind: flaw.kind, why: flaw.why, found }
    }
}

impl Survey<'_> {
    /// Looks at every batch that starts in `bytes`, and at those between them and the next boundary before that is
    /// certain.
    pub(super) fn walk(&self, bytes: Range<u64>) -> Result<Vec<Extent>, ReadError> {
        let mut found: Vec<Extent> = Vec::new();
        let (mut at, mut least) = self.begin(bytes.start)?;
        let mut scan = self.scan(at);
        while at < bytes.end {
            let flaw = match self.judge(&mut scan, at, least)? {
                Ok(header) => {
                    at += header.size as u64;
                    least = header.next_offset();
                    continue;
                }
                Err(flaw) => flaw,
            };
            let (next, until) = self.resync(at, least)?;
            match found.last_mut().filter(|last| last.bytes.end == at) {
                Some(last) => (last.bytes.end, last.until) = (next, until),
                None => found.push(Extent { bytes: at..next, at: least, until, flaw }),
            }
            (at, least) = (next, until);
            scan = self.scan(at);
        }
        Ok(found)
    }

    fn scan(&self, at: u64) -> Scan {
        Scan::new(self.file.clone(), at, self.size, FAR)
    }

    /// The last boundary at or before `byte` that is certain, and the offset there.
    fn begin(&self, byte: u64) -> Result<(u64, Offset), ReadError> {
        if let Some((held, count)) = &self.index {
            let above = entries_upto(held, *count, byte);
            for nth in (above.saturating_sub(ENTRIES_TRIED)..above).rev() {
                if let Some(found) = self.named(held, nth)? {
                    return Ok(found);
                }
            }
        }
        Ok((0, self.base))
    }

    /// The batch that an index entry names, if it is sound and the one that was meant.
    fn named(&self, held: &Held, nth: u32) -> Result<Option<(u64, Offset)>, ReadError> {
        let Ok(Some(entry)) = entry_at::<OffsetEntry>(held, nth) else { return Ok(None) };
        let at = u64::from(entry.position);
        let header = match self.parse(&mut self.scan(at), at)? {
            Ok(header) if header.last_offset() == entry.last_offset(self.base) => header,
            _ => return Ok(None),
        };
        let fits = header.base_offset >= self.base && header.next_offset() <= self.below;
        Ok(fits.then_some((at, header.base_offset)))
    }

    /// Whether an index entry names the batch at `at` with this last offset.
    fn is_named(&self, at: u64, header: &BatchHeader) -> bool {
        let Some((held, count)) = &self.index else { return false };
        let Some(nth) = entries_upto(held, *count, at).checked_sub(1) else { return false };
        matches!(entry_at::<OffsetEntry>(held, nth), Ok(Some(entry))
            if u64::from(entry.position) == at && entry.last_offset(self.base) == header.last_offset())
    }

    /// The batch at `at`, whole and with its CRC right; else what is wrong with it.
    fn parse(&self, scan: &mut Scan, at: u64) -> Result<Result<BatchHeader, Flaw>, ReadError> {
        scan.jump(at, Offset(i64::MIN));
        let mut read = scan.next_checked();
        if matches!(&read, Err(ScanError::Storage(error)) if is_unreadable(error)) {
            // A chunk reaches far behind the batch; only what the disk does not give of the batch itself counts.
            let mut exact = Scan::new(self.file.clone(), at, self.size, BatchHeader::SIZE);
            exact.jump(at, Offset(i64::MIN));
            read = exact.next_checked();
        }
        match read {
            Ok(Some((_, header))) => Ok(Ok(header)),
            Ok(None) => Ok(Err(wrong("the segment ends here".to_owned()))),
            Err(ScanError::Bad { why, .. }) => Ok(Err(wrong(why))),
            Err(ScanError::Storage(error)) if is_unreadable(&error) => {
                Ok(Err(Flaw { kind: DamageKind::Unreadable, why: error.to_string() }))
            }
            Err(ScanError::Storage(error)) => Err(error.into()),
        }
    }

    /// Whether the batch at `at`, before which the log had come to `least`, is what was written there. The CRC leaves
    /// base offset and epoch open: neighbours, index and seal have to bear them out.
    fn judge(&self, scan: &mut Scan, at: u64, least: Offset) -> Result<Result<BatchHeader, Flaw>, ReadError> {
        if let Some(seal) = self.seal.filter(|seal| at >= seal.body.size) {
            return Ok(Err(wrong(format!("the segment was sealed at {} bytes", seal.body.size))));
        }
        let header = match self.parse(scan, at)? {
            Ok(header) => header,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let expected = || format!("offset {} where {least} was expected", header.base_offset);
        if let Err(flaw) = self.fits(&header, least) {
            return Ok(Err(flaw));
        }
        if header.base_offset == least || self.is_named(at, &header) {
            return Ok(Ok(header));
        }
        if let Some(seal) = self.seal {
            let blocks = at / BLOCK..(at + header.size as u64).div_ceil(BLOCK);
            return Ok(match bad_blocks(&*self.file, seal, blocks)?.is_empty() {
                true => Ok(header),
                false => Err(wrong(expected())),
            });
        }
        // Compaction leaves gaps. If there was none, what follows contradicts this batch.
        let straight = least.plus(i64::from(header.last_offset_delta)).next();
        let next = at + header.size as u64;
        let follows = match self.parse(scan, next)? {
            Ok(next) => next.base_offset,
            Err(_) => self.below,
        };
        let contradicted = follows == straight || follows < header.next_offset();
        Ok(if contradicted { Err(wrong(expected())) } else { Ok(header) })
    }

    /// Order, bounds and epoch.
    fn fits(&self, header: &BatchHeader, least: Offset) -> Result<(), Flaw> {
        if header.base_offset < least || header.next_offset() > self.below {
            let why = format!(
                "offsets {}..{} outside {least}..{}",
                header.base_offset,
                header.next_offset(),
                self.below
            );
            return Err(wrong(why));
        }
        let epoch = self.epochs.at(header.base_offset);
        if epoch.0 >= 0 && epoch != header.leader_epoch {
            return Err(wrong(format!("leader epoch {} where {epoch} was", header.leader_epoch)));
        }
        Ok(())
    }

    /// Where sound batches go on behind the bad one at `at`: the byte, and the offset there. The end of the segment
    /// if nowhere.
    pub(super) fn resync(&self, at: u64, least: Offset) -> Result<(u64, Offset), ReadError> {
        if let Some(seal) = self.seal.filter(|seal| at >= seal.body.size) {
            return Ok((self.size, least.max(seal.end)));
        }
        if let Some(next) = self.size_at(at) {
            // The last batch: what follows it, if anything, follows the segment.
            if at + next == self.size {
                return Ok((self.size, self.below));
            }
            if let Some(offset) = self.sound_at(at + next, least)? {
                return Ok((at + next, offset));
            }
        }
        let anchor = self.anchor(at, least)?;
        let upto = anchor.map_or(self.size, |(at, _)| at);
        if let Some(found) = self.search(at + 1, upto, least)? {
            return Ok(found);
        }
        Ok(anchor.unwrap_or((self.size, self.below)))
    }

    /// Size of the batch at `at` by its own word.
    fn size_at(&self, at: u64) -> Option<u64> {
        let mut head = [0; BatchHeader::SIZE];
        let got = self.file.read_at(&mut head, at).ok()?;
        let header = BatchHeader::parse(head.get(..got)?).ok()?;
        Some(header.size as u64)
    }

    /// The offset of the batch at `at`, if that is sound and plausible there.
    fn sound_at(&self, at: u64, least: Offset) -> Result<Option<Offset>, ReadError> {
        if at >= self.size {
            return Ok(None);
        }
        let parsed = self.parse(&mut self.scan(at), at)?;
        Ok(parsed.ok().filter(|header| self.fits(header, least).is_ok()).map(|header| header.base_offset))
    }

    /// The next boundary behind `at` that the index knows.
    fn anchor(&self, at: u64, least: Offset) -> Result<Option<(u64, Offset)>, ReadError> {
        let Some((held, count)) = &self.index else { return Ok(None) };
        let above = entries_upto(held, *count, at);
        for nth in above..above.saturating_add(ENTRIES_TRIED).min(*count) {
            if let Some(found) = self.named(held, nth)?.filter(|(_, offset)| *offset >= least) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first byte of `from..upto` at which a sound batch starts from which others lead to `upto`.
    fn search(&self, from: u64, upto: u64, least: Offset) -> Result<Option<(u64, Offset)>, ReadError> {
        let mut chunk = vec![0; FAR];
        let mut at = from;
        while at + BatchHeader::SIZE as u64 <= upto {
            let want = usize::try_from(upto - at).unwrap_or(usize::MAX).min(chunk.len());
            let part = chunk.get_mut(..want).unwrap_or_default();
            let got = match self.file.read_at(part, at) {
                Ok(got) => got,
                Err(error) if is_unreadable(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            for (nth, head) in part.get(..got).unwrap_or_default().windows(BatchHeader::SIZE).enumerate() {
                let start = at + nth as u64;
                let plausible = BatchHeader::parse(head).is_ok_and(|header| {
                    header.size as u64 <= upto - start && self.fits(&header, least).is_ok()
                });
                if plausible
                    && let Some(offset) = self.sound_at(start, least)?
                    && self.leads_to(start, upto)?
                {
                    return Ok(Some((start, offset)));
                }
            }
            if got < want || got <= BatchHeader::SIZE {
                break;
            }
            at += (got - BatchHeader::SIZE + 1) as u64;
        }
        Ok(None)
    }

    /// Whether sound batches follow one another from `at` to `upto`, or for long enough if no index vouches for that.
    fn leads_to(&self, mut at: u64, upto: u64) -> Result<bool, ReadError> {
        let mut scan = self.scan(at);
        let mut least = Offset(i64::MIN);
        for nth in 0.. {
            if at >= upto || (upto == self.size && nth >= CHAIN) {
                break;
            }
            match self.parse(&mut scan, at)? {
                Ok(header) if header.base_offset >= least => {
                    at += header.size as u64;
                    least = header.next_offset();
                }
                _ => return Ok(false),
            }
        }
        Ok(at == upto || upto == self.size)
    }
}

fn wrong(why: String) -> Flaw {
    Flaw { kind: DamageKind::Wrong, why }
}

/// The number of entries whose position is at most `byte`, by bisection; damaged entries can mislead it.
fn entries_upto(held: &Held, count: u32, byte: u64) -> u32 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match entry_at::<ByPosition>(held, middle) {
            Ok(Some(entry)) if entry.key() <= i64::try_from(byte).unwrap_or(i64::MAX) => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

/// An entry of an offset index by the byte that it names.
#[derive(Clone, Copy)]
struct ByPosition(OffsetEntry);

impl Entry for ByPosition {
    const SIZE: usize = OffsetEntry::SIZE;

    fn decode(bytes: &[u8]) -> Option<ByPosition> {
        OffsetEntry::decode(bytes).map(ByPosition)
    }

    fn encode(self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn key(self) -> i64 {
        i64::from(self.0.position)
    }
}
