//! Writing the files of a cleaned segment: batches through one buffer, indexes and checksums on the way, all synced at
//! the end, and nothing as long as the segment stays as it is. Must not know why a batch is as it is.

use super::swap::{CLEANED, TXN_INDEX, staged};
use super::task::{CleanError, CleanedGroup, Pace, SourceSegment};
use super::txns::AbortedTxn;
use crate::log::local::files::{Kind, file_name, segment_path};
use crate::log::local::seal::{BLOCK, Body, SUFFIX as SEAL, Side};
use crate::log::local::segment::Active;
use crate::record::BatchHeader;
use crate::sys::{File, Fs, OpenHow};
use crate::types::{Epoch, Offset, TimestampMs};
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

/// Largest `.log` file that Kafka can read.
pub const LOG_BYTES_MAX: u64 = i32::MAX as u64;

/// Bytes written between two syncs. One sync of a whole segment at the end would keep those of producers waiting, and a
/// throttled cleaning would come to the disk all at once.
const SYNC_EVERY: u64 = 16 << 20;

/// Removes what a cleaning of the group at `base` left, if it did.
pub fn remove_leftovers(fs: &dyn Fs, dir: &Path, base: Offset) -> io::Result<()> {
    // The seal first: without it the others mean nothing to anybody.
    let kinds = [SEAL, Kind::Log.suffix(), Kind::Index.suffix(), Kind::TimeIndex.suffix(), TXN_INDEX];
    for path in kinds.map(|suffix| staged(dir, base, suffix, CLEANED)) {
        if fs.exists(&path) {
            fs.remove(&path)?;
        }
    }
    Ok(())
}

/// A cleaned segment in the making.
pub struct Output<'a> {
    fs: &'a dyn Fs,
    dir: &'a Path,
    pace: &'a dyn Pace,
    interval_bytes: u64,
    /// Written to at each [`Output::flush`]; the buffer keeps its memory from group to group.
    buffer: &'a mut Vec<u8>,
    flush_bytes: usize,
    target: Target,
    /// Bytes that left the buffer.
    flushed: u64,
    synced: u64,
    /// The segment's size, indexes and largest time, as when it is appended to.
    segment: Active,
    blocks: Vec<u32>,
    epochs: Vec<(Epoch, Offset)>,
    aborted: Vec<u8>,
}

/// Where the bytes go.
enum Target {
    /// Nowhere: only sizes count.
    Nowhere,
    /// Nowhere yet: so far they are those of the segment that is cleaned. Many segments stay as they are.
    Source,
    /// The cleaned segment.
    File(Arc<dyn File>),
}

/// Where and how a cleaned segment is written.
pub struct OutputOptions<'a> {
    pub fs: &'a dyn Fs,
    /// The partition's directory.
    pub dir: &'a Path,
    /// `index.interval.bytes`
    pub interval_bytes: u64,
    /// Bytes at which the buffer is written out.
    pub flush_bytes: usize,
    /// Write nothing at all.
    pub is_dry: bool,
    pub pace: &'a dyn Pace,
}

impl<'a> Output<'a> {
    /// Begins the segment at `base`. Nothing is written before [`Output::differ`].
    pub fn new(base: Offset, options: OutputOptions<'a>, buffer: &'a mut Vec<u8>) -> Output<'a> {
        let OutputOptions { fs, dir, interval_bytes, flush_bytes, is_dry, pace } = options;
        buffer.clear();
        Output {
            fs,
            dir,
            pace,
            interval_bytes,
            buffer,
            flush_bytes: flush_bytes.max(BLOCK as usize),
            target: if is_dry { Target::Nowhere } else { Target::Source },
            flushed: 0,
            synced: 0,
            segment: Active::new(base, TimestampMs::NONE, 0),
            blocks: Vec::new(),
            epochs: Vec::new(),
            aborted: Vec::new(),
        }
    }

    /// What comes now is not what the segment at the same base has here: its bytes up to now are copied, and what
    /// comes is written.
    pub fn differ(&mut self) -> Result<(), CleanError> {
        if !matches!(self.target, Target::Source) {
            return Ok(());
        }
        let base = self.segment.base;
        remove_leftovers(self.fs, self.dir, base)?;
        let log = self.fs.open(&staged(self.dir, base, Kind::Log.suffix(), CLEANED), OpenHow::CreateNew)?;
        self.target = Target::File(Arc::clone(&log));
        let same = std::mem::take(&mut self.flushed);
        if same == 0 {
            return Ok(());
        }
        let source = self.fs.open(&segment_path(self.dir, base, Kind::Log), OpenHow::Read)?;
        let mut chunk = vec![0; self.flush_bytes / BLOCK as usize * BLOCK as usize];
        while self.flushed < same {
            let want = usize::try_from(same - self.flushed).unwrap_or(usize::MAX).min(chunk.len());
            let part = chunk.get_mut(..want).unwrap_or_default();
            let got = source.read_at(part, self.flushed)?;
            self.check_again(part.get(..got).unwrap_or_default(), want)?;
            log.write_all_at(&[IoSlice::new(part)], self.flushed)?;
            self.wrote(want, want)?;
        }
        Ok(())
    }

    /// Bytes read a second time have to be those that were found good: the new seal says that they are.
    fn check_again(&self, part: &[u8], want: usize) -> Result<(), CleanError> {
        let nth = usize::try_from(self.flushed / BLOCK).unwrap_or(usize::MAX);
        let known = self.blocks.get(nth..).unwrap_or_default();
        let same = part.chunks(BLOCK as usize).zip(known).all(|(block, crc)| crc32fast::hash(block) == *crc);
        if part.len() == want && same {
            return Ok(());
        }
        let why = "the bytes are others than a moment before".to_owned();
        Err(CleanError::Damaged { base: self.segment.base, position: self.flushed, why })
    }

    /// Bytes of batches so far.
    pub fn size(&self) -> u64 {
        self.segment.size
    }

    /// Takes note of an epoch among the batches that were read, kept or not: epochs begin where they began.
    pub fn note_epoch(&mut self, epoch: Epoch, first: Offset) {
        if self.epochs.last().is_none_or(|(last, _)| *last < epoch) {
            self.epochs.push((epoch, first));
        }
    }

    /// Appends a batch.
    pub fn append(&mut self, header: &BatchHeader, bytes: &[u8]) -> Result<(), CleanError> {
        self.segment.note(header, self.interval_bytes);
        if matches!(self.target, Target::Nowhere) {
            return Ok(());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= self.flush_bytes {
            self.flush(self.buffer.len() / BLOCK as usize * BLOCK as usize)?;
        }
        Ok(())
    }

    /// Takes note of an aborted transaction of which records are left.
    pub fn append_aborted(&mut self, aborted: &AbortedTxn) {
        aborted.encode(&mut self.aborted);
    }

    /// Writes the first `len` bytes of the buffer: whole blocks, or all there will be.
    fn flush(&mut self, len: usize) -> Result<(), CleanError> {
        let ready = self.buffer.get(..len).unwrap_or_default();
        let is_written = match &self.target {
            Target::File(log) => log.write_all_at(&[IoSlice::new(ready)], self.flushed).map(|()| true)?,
            Target::Source | Target::Nowhere => false,
        };
        self.blocks.extend(ready.chunks(BLOCK as usize).map(crc32fast::hash));
        self.buffer.drain(..len);
        // A batch larger than the buffer made it larger; it is not kept so.
        self.buffer.shrink_to(2 * self.flush_bytes);
        if is_written {
            return self.wrote(0, len);
        }
        self.flushed += len as u64;
        Ok(())
    }

    /// So many bytes more are in the file.
    fn wrote(&mut self, read: usize, len: usize) -> Result<(), CleanError> {
        self.flushed += len as u64;
        if let Target::File(log) = &self.target
            && self.flushed - self.synced >= SYNC_EVERY
        {
            log.sync_data()?;
            self.synced = self.flushed;
        }
        match self.pace.moved(read as u64, len as u64).is_break() {
            true => Err(CleanError::Stopped),
            false => Ok(()),
        }
    }

    /// Writes the rest and the side files, and syncs them all. The segment stands for offsets up to `end`.
    pub fn finish(mut self, end: Offset, replaces: Vec<SourceSegment>) -> Result<CleanedGroup, CleanError> {
        // An old index of aborted transactions must not outlive its markers: a reader would take the producer's next
        // transaction for the aborted one. So an empty one takes its place.
        let txn_index = |segment: &SourceSegment| self.dir.join(file_name(segment.base, TXN_INDEX));
        let had_txn_index = replaces.iter().any(|segment| self.fs.exists(&txn_index(segment)));
        self.differ()?;
        self.flush(self.buffer.len())?;
        if let Target::File(log) = &self.target {
            log.sync_data()?;
        }
        self.segment.note_time();
        let base = self.segment.base;
        let index = self.write_side(Kind::Index.suffix(), &self.segment.index.tail_bytes().1)?;
        let times = self.write_side(Kind::TimeIndex.suffix(), &self.segment.times.tail_bytes().1)?;
        let has_txn_index = had_txn_index || !self.aborted.is_empty();
        if has_txn_index {
            self.write_side(TXN_INDEX, &self.aborted)?;
        }
        let body = Body {
            size: self.segment.size,
            max_time: self.segment.max_time,
            max_time_offset: self.segment.max_time_offset,
            epochs: self.epochs.clone(),
            blocks: std::mem::take(&mut self.blocks),
        };
        let seal = body.sealed(base, end, index, times);
        self.write_side(SEAL, &seal.encode())?;
        Ok(CleanedGroup { seal, replaces, has_txn_index })
    }

    fn write_side(&self, suffix: &str, bytes: &[u8]) -> io::Result<Side> {
        let path = staged(self.dir, self.segment.base, suffix, CLEANED);
        let file = self.fs.open(&path, OpenHow::CreateNew)?;
        file.write_all_at(&[IoSlice::new(bytes)], 0)?;
        file.sync_data()?;
        Ok(Side::of(bytes))
    }
}
