//! Walking the batches of a `.log` file: headers alone, or whole batches with their CRC checked. Memory stays at one
//! chunk, whatever sizes the bytes claim. Knows nothing of segments or indexes.

use crate::record::{BadBatch, BatchHeader, check_crc};
use crate::sys::File;
use crate::types::Offset;
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// Chunk of a walk over a few headers: about what lies between two index entries.
pub const NEAR: usize = 4096;
/// Chunk of a scan over a whole segment: large enough that the system call is noise.
pub const FAR: usize = 256 * 1024;

/// Where the CRC-protected bytes of a batch begin.
const CRC_FROM: usize = 21;

/// Why a walk ended early.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Reading failed.
    #[error(transparent)]
    Storage(#[from] io::Error),
    /// No whole and sound batch starts at this byte.
    #[error("byte {at}: {why}")]
    Bad {
        /// Byte of the file.
        at: u64,
        /// What is wrong.
        why: String,
    },
}

/// A position in a `.log` file and a chunk around it.
pub struct Scan {
    file: Arc<dyn File>,
    at: u64,
    end: u64,
    chunk: usize,
    held: Vec<u8>,
    held_at: u64,
    /// The base offset, which no CRC covers, must not be below this.
    least: Offset,
}

impl Scan {
    /// A scan of the batches that lie in bytes `at..end` of `file`, reading `chunk` bytes at a time.
    pub fn new(file: Arc<dyn File>, at: u64, end: u64, chunk: usize) -> Scan {
        Scan { file, at, end, chunk, held: Vec::new(), held_at: 0, least: Offset::ZERO }
    }

    /// The same scan, where offsets below `least` are damage.
    pub fn above(self, least: Offset) -> Scan {
        Scan { least, ..self }
    }

    /// Goes on at byte `at`, where offsets below `least` are damage.
    pub fn jump(&mut self, at: u64, least: Offset) {
        (self.at, self.least) = (at, least);
    }

    /// Byte at which the next batch starts.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next header and the byte where its batch starts; `None` at the end. The records are not looked at.
    pub fn next_header(&mut self) -> Result<Option<(u64, BatchHeader)>, ScanError> {
        if self.at >= self.end {
            return Ok(None);
        }
        let (at, left) = (self.at, self.end - self.at);
        let want = left.min(BatchHeader::SIZE as u64) as usize;
        let header = BatchHeader::parse(self.hold(at, want)?).map_err(|why| bad(at, &why))?;
        if header.size as u64 > left {
            let have = usize::try_from(left).unwrap_or(usize::MAX);
            return Err(bad(at, &BadBatch::Cut { have, need: header.size }));
        }
        let last = header.base_offset.0.checked_add(i64::from(header.last_offset_delta));
        if header.base_offset < self.least
            || header.last_offset_delta < 0
            || last.is_none_or(|last| last == i64::MAX)
        {
            return Err(ScanError::Bad {
                at,
                why: format!("offsets {} + {}", header.base_offset, header.last_offset_delta),
            });
        }
        self.at += header.size as u64;
        self.least = header.next_offset();
        Ok(Some((at, header)))
    }

    /// Like `next_header`, with the batch's CRC checked. After an error the position is still at the bad batch.
    pub fn next_checked(&mut self) -> Result<Option<(u64, BatchHeader)>, ScanError> {
        let least = self.least;
        let Some((at, header)) = self.next_header()? else { return Ok(None) };
        let checked = if header.size <= self.chunk {
            self.hold(at, header.size).and_then(|batch| check_crc(batch).map_err(|why| bad(at, &why)))
        } else {
            self.check_large(at, &header)
        };
        if let Err(error) = checked {
            (self.at, self.least) = (at, least);
            return Err(error);
        }
        Ok(Some((at, header)))
    }

    /// The bytes of a batch that this scan returned and checked.
    pub fn batch(&mut self, at: u64, header: &BatchHeader) -> Result<Bytes, ScanError> {
        if header.size <= self.chunk {
            return Ok(Bytes::copy_from_slice(self.hold(at, header.size)?));
        }
        let mut bytes = vec![0; header.size];
        let got = self.file.read_at(&mut bytes, at)?;
        if got < header.size {
            return Err(bad(at, &BadBatch::Cut { have: got, need: header.size }));
        }
        Ok(bytes.into())
    }

    /// The CRC of a batch larger than a chunk, a chunk at a time: a size out of damaged bytes reserves nothing.
    fn check_large(&self, at: u64, header: &BatchHeader) -> Result<(), ScanError> {
        let mut chunk = vec![0; self.chunk];
        let (mut from, mut computed) = (CRC_FROM, 0);
        while from < header.size {
            let want = (header.size - from).min(chunk.len());
            let part = chunk.get_mut(..want).unwrap_or_default();
            let got = self.file.read_at(part, at + from as u64)?;
            if got < want {
                return Err(bad(at, &BadBatch::Cut { have: from + got, need: header.size }));
            }
            computed = crc32c::crc32c_append(computed, part);
            from += want;
        }
        if computed == header.crc {
            return Ok(());
        }
        Err(bad(at, &BadBatch::Crc { stored: header.crc, computed }))
    }

    /// Makes sure that `len` bytes from `at` on are held, as far as the file has them.
    fn hold(&mut self, at: u64, len: usize) -> Result<&[u8], ScanError> {
        let ends = self.held_at + self.held.len() as u64;
        if at < self.held_at || at + len as u64 > ends {
            let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
            self.held.resize(self.chunk.max(len).min(left), 0);
            self.held_at = at;
            let got = match self.file.read_at(&mut self.held, at) {
                Ok(got) => got,
                Err(error) => {
                    self.held.clear();
                    return Err(error.into());
                }
            };
            self.held.truncate(got);
        }
        let from = usize::try_from(at - self.held_at).unwrap_or(usize::MAX);
        let to = from.saturating_add(len).min(self.held.len());
        Ok(self.held.get(from..to).unwrap_or_default())
    }
}

/// The disk does not give the bytes, and asking again is of no use: not a want of memory, descriptors or rights.
pub fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|number| UNREADABLE.contains(&number))
}

/// EIO, EBADMSG, ENODATA, EUCLEAN: what Linux says of sectors and file systems that have gone bad.
const UNREADABLE: [i32; 4] = [5, 74, 61, 117];

fn bad(at: u64, why: &BadBatch) -> ScanError {
    ScanError::Bad { at, why: why.to_string() }
}
