//! Reading the batches of a segment, one after another, each checked: through one buffer that is kept, in large reads.
//! Compaction copies what it reads under a new seal, so bytes that are wrong must stop it here. Must not know why.

use super::task::{CleanError, Pace, SourceSegment};
use crate::log::local::files::{Held, Kind, segment_path};
use crate::log::local::index_file::{entries_in, find_in};
use crate::log::local::offset_index::{OffsetEntry, relative};
use crate::log::local::seal::{BLOCK, Seal, Stored, load};
use crate::record::{BadBatch, BatchHeader, check_crc};
use crate::sys::{File, Fs, OpenHow};
use crate::types::{Epoch, Offset};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Least size of the buffer: enough for reads that the disk does in one go.
const BUFFER_BYTES_MIN: usize = 64 * 1024;

/// Where the CRC-protected bytes of a batch begin.
const CRC_FROM: usize = 21;

/// Memory for reading, kept between segments.
pub struct ReadBuffer {
    bytes: Vec<u8>,
    /// Bytes that a read asks for; only a larger batch makes the buffer larger for a while.
    usual: usize,
    /// What is held: this range of `bytes`.
    start: usize,
    end: usize,
}

impl ReadBuffer {
    /// A buffer of `bytes`, taken at the first use.
    pub fn new(bytes: usize) -> ReadBuffer {
        ReadBuffer { bytes: Vec::new(), usual: bytes.max(BUFFER_BYTES_MIN), start: 0, end: 0 }
    }

    fn held(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }
}

/// A batch in the read buffer, whole and sound.
#[derive(Clone, Copy)]
pub struct SourceBatch<'a> {
    /// Its first byte in the `.log` file.
    pub position: u64,
    /// Its header.
    pub header: BatchHeader,
    /// All of it.
    pub bytes: &'a [u8],
    /// No batch of the segment follows.
    pub is_last: bool,
}

/// The batches of one segment.
pub struct Source<'a> {
    file: Arc<dyn File>,
    segment: SourceSegment,
    buffer: &'a mut ReadBuffer,
    pace: &'a dyn Pace,
    /// First byte of the next batch.
    at: u64,
    least: Offset,
    epoch: Epoch,
    sealed: Option<Sealed>,
}

/// The blocks of a sealed segment, checked as they are read. The CRC of a batch leaves its first bytes open.
struct Sealed {
    seal: Seal,
    hasher: crc32fast::Hasher,
    /// Bytes seen.
    seen: u64,
}

impl Sealed {
    /// The next bytes of the file; where they are not those that were sealed, the byte at which their block begins.
    fn check(&mut self, mut bytes: &[u8]) -> Result<(), u64> {
        while !bytes.is_empty() {
            let nth = self.seen / BLOCK;
            let ends = ((nth + 1) * BLOCK).min(self.seal.body.size);
            let left = usize::try_from(ends.saturating_sub(self.seen)).unwrap_or(usize::MAX);
            let (part, rest) = bytes.split_at(left.clamp(1, bytes.len()));
            self.hasher.update(part);
            self.seen += part.len() as u64;
            bytes = rest;
            if self.seen >= ends {
                let crc = std::mem::take(&mut self.hasher).finalize();
                let known = usize::try_from(nth).ok().and_then(|nth| self.seal.body.blocks.get(nth));
                if known != Some(&crc) {
                    return Err(nth * BLOCK);
                }
            }
        }
        Ok(())
    }
}

impl<'a> Source<'a> {
    /// The batches from byte `at`, where one starts, to the end of the segment.
    pub fn open(
        fs: &dyn Fs,
        dir: &Path,
        segment: SourceSegment,
        at: u64,
        buffer: &'a mut ReadBuffer,
        pace: &'a dyn Pace,
    ) -> Result<Source<'a>, CleanError> {
        let file = fs.open(&segment_path(dir, segment.base, Kind::Log), OpenHow::Read)?;
        (buffer.start, buffer.end) = (0, 0);
        Ok(Source { file, segment, buffer, pace, at, least: segment.base, epoch: Epoch::NONE, sealed: None })
    }

    /// All batches of the segment, its bytes checked against its seal as well, if it has a sound one.
    pub fn open_sealed(
        fs: &dyn Fs,
        dir: &Path,
        segment: SourceSegment,
        buffer: &'a mut ReadBuffer,
        pace: &'a dyn Pace,
    ) -> Result<Source<'a>, CleanError> {
        let sealed = match load(fs, dir, segment.base) {
            Stored::Sound(seal) if seal.body.size == segment.size && seal.end == segment.end => {
                Some(Sealed { seal, hasher: crc32fast::Hasher::new(), seen: 0 })
            }
            _ => None,
        };
        Ok(Source { sealed, ..Source::open(fs, dir, segment, 0, buffer, pace)? })
    }

    /// Leader epochs of the segment and where they began, as its seal knows them: also of batches that are gone.
    pub fn sealed_epochs(&self) -> &[(Epoch, Offset)] {
        self.sealed.as_ref().map_or(&[], |sealed| &sealed.seal.body.epochs)
    }

    /// The next batch; `None` at the end of the segment.
    pub fn next_batch(&mut self) -> Result<Option<SourceBatch<'_>>, CleanError> {
        let left = self.segment.size.saturating_sub(self.at);
        if left == 0 {
            return Ok(None);
        }
        self.hold(BatchHeader::SIZE)?;
        let header = BatchHeader::parse(self.buffer.held()).map_err(|bad| self.bad(&bad))?;
        if header.size as u64 > left {
            let have = usize::try_from(left).unwrap_or(usize::MAX);
            return Err(self.bad(&BadBatch::Cut { have, need: header.size }));
        }
        self.check_order(&header)?;
        if header.size > self.buffer.usual && header.size > self.buffer.held().len() {
            // A size out of damaged bytes must not reserve memory.
            self.check_large(&header)?;
        }
        self.hold(header.size)?;
        let position = self.at;
        let from = self.buffer.start;
        self.at += header.size as u64;
        self.buffer.start += header.size;
        (self.least, self.epoch) = (header.next_offset(), header.leader_epoch);
        let bytes = self.buffer.bytes.get(from..from + header.size).unwrap_or_default();
        check_crc(bytes).map_err(|bad| CleanError::bad_batch(self.segment.base, position, &bad))?;
        Ok(Some(SourceBatch { position, header, bytes, is_last: self.at >= self.segment.size }))
    }

    fn check_order(&self, header: &BatchHeader) -> Result<(), CleanError> {
        let last = header.base_offset.0.checked_add(i64::from(header.last_offset_delta));
        let fits = last.is_some_and(|last| last < self.segment.end.0);
        if header.base_offset < self.least || header.last_offset_delta < 0 || header.count < 0 || !fits {
            return Err(self.damaged(format!(
                "offsets {} + {}, expected within {}..{}",
                header.base_offset, header.last_offset_delta, self.least, self.segment.end
            )));
        }
        if header.leader_epoch < self.epoch {
            return Err(self.damaged(format!("leader epoch {} behind {}", header.leader_epoch, self.epoch)));
        }
        Ok(())
    }

    /// Makes sure that the next `len` bytes are held, or as many as the segment has.
    fn hold(&mut self, len: usize) -> Result<(), CleanError> {
        let buffer = &mut *self.buffer;
        let held = buffer.end - buffer.start;
        let left = self.segment.size.saturating_sub(self.at);
        if held >= len || held as u64 >= left {
            return Ok(());
        }
        buffer.bytes.copy_within(buffer.start..buffer.end, 0);
        (buffer.start, buffer.end) = (0, held);
        let room = buffer.usual.max(len);
        if buffer.bytes.len() != room {
            buffer.bytes.resize(room, 0);
            // What one huge batch needed is given back with the next one.
            buffer.bytes.shrink_to(room);
        }
        let want = room.min(usize::try_from(left).unwrap_or(usize::MAX));
        let space = buffer.bytes.get_mut(held..want).unwrap_or_default();
        let (asked, got) = (space.len(), self.file.read_at(space, self.at + held as u64)?);
        buffer.end = held + got;
        if got < asked {
            return Err(self.damaged(format!(
                "the file ends at byte {}, expected {}",
                self.at + (held + got) as u64,
                self.segment.size
            )));
        }
        let fresh = buffer.bytes.get(held..buffer.end).unwrap_or_default();
        if let Some(Err(at)) = self.sealed.as_mut().map(|sealed| sealed.check(fresh)) {
            let why = "the bytes are not those that were sealed".to_owned();
            return Err(CleanError::Damaged { base: self.segment.base, position: at, why });
        }
        if self.pace.moved(got as u64, 0).is_break() {
            return Err(CleanError::Stopped);
        }
        Ok(())
    }

    /// The CRC of a batch that is larger than the buffer, a buffer at a time.
    fn check_large(&mut self, header: &BatchHeader) -> Result<(), CleanError> {
        let mut chunk = vec![0; BUFFER_BYTES_MIN];
        let (mut from, mut computed) = (CRC_FROM, 0);
        while from < header.size {
            let want = (header.size - from).min(chunk.len());
            let part = chunk.get_mut(..want).unwrap_or_default();
            if self.file.read_at(part, self.at + from as u64)? < want {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            computed = crc32c::crc32c_append(computed, part);
            from += want;
        }
        match computed == header.crc {
            true => Ok(()),
            false => Err(self.bad(&BadBatch::Crc { stored: header.crc, computed })),
        }
    }

    fn bad(&self, bad: &BadBatch) -> CleanError {
        CleanError::bad_batch(self.segment.base, self.at, bad)
    }

    fn damaged(&self, why: String) -> CleanError {
        CleanError::Damaged { base: self.segment.base, position: self.at, why }
    }
}

/// A byte of the segment at which a batch starts, none of the batches before it holding `from`. By the offset index
/// where that is right; else the first.
pub fn position_below(fs: &dyn Fs, dir: &Path, segment: SourceSegment, from: Offset) -> u64 {
    let indexed = || -> Option<u64> {
        let key = relative(segment.base, from)?.checked_sub(1)?;
        let index = Held::File(fs.open(&segment_path(dir, segment.base, Kind::Index), OpenHow::Read).ok()?);
        let entry =
            find_in::<OffsetEntry>(&index, entries_in::<OffsetEntry>(&index).ok()?, key.into()).ok()??;
        let log = fs.open(&segment_path(dir, segment.base, Kind::Log), OpenHow::Read).ok()?;
        let mut head = [0; BatchHeader::SIZE];
        log.read_at(&mut head, entry.position.into()).ok()?;
        let header = BatchHeader::parse(&head).ok()?;
        let right = header.last_offset() == entry.last_offset(segment.base)
            && u64::from(entry.position) + header.size as u64 <= segment.size;
        right.then_some(entry.position.into())
    };
    if from <= segment.base { 0 } else { indexed().unwrap_or(0) }
}
