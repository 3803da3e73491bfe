//! Walks a `.log` file from any byte and goes on behind damage: every batch with its header and checksum, what is
//! damaged with the bytes that it takes, and a tail that is not whole. Memory stays at one chunk, whatever sizes the
//! bytes claim. Must not know records, nor what else lies beside the file.

use crate::record::{BadBatch, BatchHeader};
use crate::sys::{File, Fs, OpenHow};
use crate::types::{Epoch, Offset};
use bytes::Bytes;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Read at a time: large enough that the system call is noise.
const CHUNK: usize = 256 * 1024;
/// Where the bytes begin that the CRC of a batch covers.
const CRC_FROM: usize = 21;
/// Shortest message of magic 0, with its offset and size.
const OLD_MIN: u64 = 26;
/// What the search for the next batch may read over and over, beside a few times what it searches. Bytes of a stranger
/// could make every byte look like the start of a batch of gigabytes.
const SEARCH_SPARE: u64 = 64 << 20;

/// What stands at a byte of the file.
#[derive(Clone, Debug)]
pub enum Found {
    /// A batch that is whole, its checksum right, its offsets in order.
    Batch {
        /// First byte.
        at: u64,
        /// The header.
        header: BatchHeader,
    },
    /// A message of Kafka before 0.11 (magic 0 or 1), its checksum right.
    Old {
        /// First byte.
        at: u64,
        /// Bytes.
        size: u64,
        /// Its magic.
        magic: i8,
        /// Its offset: of the last record, if it is a compressed set.
        offset: Offset,
    },
    /// Bytes that are no sound batch, up to the next that is, or to the end if sound ones went before and none follows.
    Damage {
        /// First byte.
        at: u64,
        /// First byte of what follows.
        until: u64,
        /// The header at that byte, if it reads as one.
        header: Option<BatchHeader>,
        /// What is wrong.
        why: String,
    },
    /// The last bytes of the file, which end inside a batch: a write that was torn, or is under way.
    Torn {
        /// First byte.
        at: u64,
        /// End of the file.
        until: u64,
        /// What is wrong.
        why: String,
    },
    /// Zeros up to the end of the file: room that was reserved.
    Zeros {
        /// First byte.
        at: u64,
        /// End of the file.
        until: u64,
    },
}

impl Found {
    /// First byte.
    pub fn at(&self) -> u64 {
        match self {
            Found::Batch { at, .. }
            | Found::Old { at, .. }
            | Found::Damage { at, .. }
            | Found::Torn { at, .. }
            | Found::Zeros { at, .. } => *at,
        }
    }
}

/// A walk under way.
pub struct LogWalk {
    file: Arc<dyn File>,
    at: u64,
    end: u64,
    held: Vec<u8>,
    held_at: u64,
    /// Offsets, which no CRC covers, must not be below this.
    least: Offset,
    /// Nor their batches end above this.
    below: Offset,
    /// Nor their epochs go down.
    epoch: Epoch,
}

impl LogWalk {
    /// A walk over the whole file, as long as it is now.
    pub fn open(fs: &dyn Fs, path: &Path) -> io::Result<LogWalk> {
        let file = fs.open(path, OpenHow::Read)?;
        let end = file.size()?;
        Ok(LogWalk {
            file,
            at: 0,
            end,
            held: Vec::new(),
            held_at: 0,
            least: Offset::ZERO,
            below: Offset(i64::MAX),
            epoch: Epoch::NONE,
        })
    }

    /// Offsets must lie in `least..below`.
    pub fn within(self, least: Offset, below: Offset) -> LogWalk {
        LogWalk { least, below, ..self }
    }

    /// Goes on at a byte; what the offsets before it were is not known then.
    pub fn from_byte(self, at: u64) -> LogWalk {
        LogWalk { at, ..self }
    }

    /// Ends at a byte if the file is longer.
    pub fn until_byte(self, end: u64) -> LogWalk {
        let end = self.end.min(end);
        LogWalk { end, ..self }
    }

    /// Byte of what comes next.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// End of the walk.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// What stands at the next byte; `None` at the end.
    ///
    /// # Errors
    /// Reading failed; the same byte may be tried again.
    pub fn find_next(&mut self) -> io::Result<Option<Found>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let at = self.at;
        let why = match self.try_batch(at)? {
            Ok(header) => match self.outdone(at, &header)? {
                None => {
                    self.take(at, &header);
                    return Ok(Some(Found::Batch { at, header }));
                }
                Some(why) => {
                    let until = at + header.size as u64;
                    self.at = until;
                    return Ok(Some(Found::Damage { at, until, header: Some(header), why }));
                }
            },
            Err(why) => why,
        };
        if let Some(old) = self.try_old(at)? {
            return Ok(Some(old));
        }
        if self.only_zeros(at)? {
            self.at = self.end;
            return Ok(Some(Found::Zeros { at, until: self.end }));
        }
        let header = self.header(at)?.ok();
        let until = self.next_sound(at, header.as_ref())?;
        self.at = until;
        let cut = header.as_ref().is_none_or(|header| header.size as u64 > self.end - at);
        let short = self.end - at < BatchHeader::SIZE as u64;
        Ok(Some(match until == self.end && (cut || short) {
            true => Found::Torn { at, until, why },
            false => Found::Damage { at, until, header, why },
        }))
    }

    /// The bytes of a batch that this walk gave.
    pub fn batch(&self, at: u64, header: &BatchHeader) -> io::Result<Bytes> {
        let from = usize::try_from(at.saturating_sub(self.held_at)).unwrap_or(usize::MAX);
        let held = from.checked_add(header.size).and_then(|to| self.held.get(from..to));
        if let Some(held) = held.filter(|_| at >= self.held_at) {
            return Ok(Bytes::copy_from_slice(held));
        }
        self.bytes(at, header.size)
    }

    /// Bytes of the file; fewer at its end. Only for sizes that the caller has seen to be there.
    pub fn bytes(&self, at: u64, size: usize) -> io::Result<Bytes> {
        let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size.min(left)];
        let got = self.file.read_at(&mut bytes, at)?;
        bytes.truncate(got);
        Ok(bytes.into())
    }

    /// Offset and epoch stand outside of the checksum. Where they leap ahead, and the batch behind goes on from before
    /// the leap, it is this one whose bytes are wrong; to believe it would condemn all that follow.
    fn outdone(&mut self, at: u64, header: &BatchHeader) -> io::Result<Option<String>> {
        let leaps = header.base_offset > self.least || header.leader_epoch > self.epoch;
        let next = at + header.size as u64;
        if !leaps || self.end.saturating_sub(next) < BatchHeader::SIZE as u64 {
            return Ok(None);
        }
        let Ok(behind) = self.header(next)? else { return Ok(None) };
        let offset = behind.base_offset < header.next_offset();
        let epoch = behind.leader_epoch < header.leader_epoch;
        let sound = (offset || epoch) && self.try_batch(next)?.is_ok();
        Ok(sound.then(|| match offset {
            true => format!("offset {}, and the batch behind has {}", header.base_offset, behind.base_offset),
            false => {
                format!("epoch {}, and the batch behind has {}", header.leader_epoch, behind.leader_epoch)
            }
        }))
    }

    fn take(&mut self, at: u64, header: &BatchHeader) {
        self.at = at + header.size as u64;
        self.least = header.next_offset();
        self.epoch = self.epoch.max(header.leader_epoch);
    }

    fn header(&mut self, at: u64) -> io::Result<Result<BatchHeader, BadBatch>> {
        let want = (self.end - at).min(BatchHeader::SIZE as u64) as usize;
        Ok(BatchHeader::parse(self.hold(at, want)?))
    }

    /// The batch at a byte if it is sound, or what is wrong with it.
    fn try_batch(&mut self, at: u64) -> io::Result<Result<BatchHeader, String>> {
        let header = match self.header(at)? {
            Ok(header) => header,
            Err(bad) => return Ok(Err(bad.to_string())),
        };
        let left = self.end - at;
        if header.size as u64 > left {
            let have = usize::try_from(left).unwrap_or(usize::MAX);
            return Ok(Err(BadBatch::Cut { have, need: header.size }.to_string()));
        }
        let computed = self.crc(at, header.size)?;
        if computed != header.crc {
            return Ok(Err(BadBatch::Crc { stored: header.crc, computed }.to_string()));
        }
        Ok(self.in_place(&header).map(|()| header))
    }

    /// Whether offsets and epoch, which no checksum covers, can be true.
    fn in_place(&self, header: &BatchHeader) -> Result<(), String> {
        let last = header.base_offset.0.checked_add(i64::from(header.last_offset_delta));
        match last {
            Some(last) if header.last_offset_delta >= 0 && last < self.below.0 => {}
            _ => {
                return Err(format!(
                    "offsets {} + {} end above {}, where the segment ends",
                    header.base_offset, header.last_offset_delta, self.below
                ));
            }
        }
        if header.base_offset < self.least {
            return Err(format!("offset {} where at least {} belongs", header.base_offset, self.least));
        }
        if header.leader_epoch < self.epoch {
            return Err(format!("epoch {} after {}", header.leader_epoch, self.epoch));
        }
        Ok(())
    }

    /// The CRC-32C of a batch, a chunk at a time.
    fn crc(&mut self, at: u64, size: usize) -> io::Result<u32> {
        let (mut from, mut crc) = (CRC_FROM, 0);
        while from < size {
            let want = (size - from).min(CHUNK);
            let part = self.hold(at + from as u64, want)?;
            if part.is_empty() {
                break;
            }
            crc = crc32c::crc32c_append(crc, part);
            from += part.len();
        }
        Ok(crc)
    }

    fn try_old(&mut self, at: u64) -> io::Result<Option<Found>> {
        if self.end - at < OLD_MIN {
            return Ok(None);
        }
        let head = self.hold(at, 17)?;
        let field =
            |from: usize| head.get(from..from + 4)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let (Some(size), Some(stored), Some(magic)) = (field(8), field(12), head.get(16).copied()) else {
            return Ok(None);
        };
        let offset = head.first_chunk().map_or(-1, |bytes| i64::from_be_bytes(*bytes));
        let size = u64::from(size) + 12;
        if magic > 1 || size < OLD_MIN || size > self.end - at || offset < self.least.0 {
            return Ok(None);
        }
        let (mut from, mut crc) = (at + 16, crc32fast::Hasher::new());
        while from < at + size {
            let want = usize::try_from(at + size - from).unwrap_or(CHUNK).min(CHUNK);
            let part = self.hold(from, want)?;
            if part.is_empty() {
                return Ok(None);
            }
            crc.update(part);
            from += part.len() as u64;
        }
        if crc.finalize() != stored {
            return Ok(None);
        }
        self.at = at + size;
        self.least = Offset(offset).next();
        Ok(Some(Found::Old { at, size, magic: magic as i8, offset: Offset(offset) }))
    }

    fn only_zeros(&mut self, at: u64) -> io::Result<bool> {
        let mut from = at;
        while from < self.end {
            let want = usize::try_from(self.end - from).unwrap_or(CHUNK).min(CHUNK);
            let part = self.hold(from, want)?;
            if part.is_empty() || part.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            from += part.len() as u64;
        }
        Ok(true)
    }

    /// The first byte above `bad` at which a sound batch starts; the end if there is none.
    fn next_sound(&mut self, bad: u64, header: Option<&BatchHeader>) -> io::Result<u64> {
        if let Some(header) = header {
            let next = bad + header.size as u64;
            if next == self.end || (next < self.end && self.try_batch(next)?.is_ok()) {
                return Ok(next);
            }
        }
        let mut budget = (self.end - bad).saturating_mul(4).saturating_add(SEARCH_SPARE);
        let mut at = bad + 1;
        while self.end.saturating_sub(at) >= BatchHeader::SIZE as u64 {
            let want = usize::try_from(self.end - at).unwrap_or(CHUNK).min(CHUNK);
            let held = self.hold(at, want)?;
            // A batch has a 2 where its magic is.
            let Some(ahead) = held.iter().skip(16).position(|byte| *byte == 2) else {
                at += held.len().saturating_sub(16).max(1) as u64;
                continue;
            };
            at += ahead as u64;
            if self.end.saturating_sub(at) < BatchHeader::SIZE as u64 {
                break;
            }
            if let Ok(candidate) = self.header(at)?
                && self.plausible(at, &candidate)
                && candidate.size as u64 <= budget
            {
                budget -= candidate.size as u64;
                if self.crc(at, candidate.size)? == candidate.crc {
                    return Ok(at);
                }
            }
            at += 1;
        }
        Ok(self.end)
    }

    fn plausible(&self, at: u64, header: &BatchHeader) -> bool {
        let counted = (0..=i64::from(header.last_offset_delta) + 1).contains(&i64::from(header.count));
        let known = header.attributes.0 & !0x7f == 0 && header.codec().is_ok();
        counted && known && header.size as u64 <= self.end - at && self.in_place(header).is_ok()
    }

    /// Makes sure that `len` bytes from `at` on are held, as far as the file has them.
    fn hold(&mut self, at: u64, len: usize) -> io::Result<&[u8]> {
        let ends = self.held_at + self.held.len() as u64;
        if at < self.held_at || at + len as u64 > ends {
            let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
            self.held.resize(CHUNK.max(len).min(left), 0);
            self.held_at = at;
            let got = self.file.read_at(&mut self.held, at);
            self.held.truncate(*got.as_ref().unwrap_or(&0));
            got?;
        }
        let from = usize::try_from(at - self.held_at).unwrap_or(usize::MAX);
        let to = from.saturating_add(len).min(self.held.len());
        Ok(self.held.get(from..to).unwrap_or_default())
    }
}
