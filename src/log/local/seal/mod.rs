//! The seal of a segment (`<base>.seal`): what its files were when it took its last batch. Ours alone. The CRC of a
//! batch leaves its first 17 bytes open, and no file says where a segment ends or which offsets it stands for; a seal
//! does. Written off the ack's path; a segment without one is checked by its batches. Knows files, not logs.
//!
//! ```text
//! at size field             all integers big-endian
//!  0   4  magic "LBSL"
//!  4   2  version = 1
//!  6   2  flags = 0
//!  8   8  base              first offset that the segment stands for, and its name
//! 16   8  end               the offset at which the next segment began: it stands for base..end
//! 24   8  size              bytes of the .log file
//! 32   8  max time          largest timestamp; -1 none
//! 40   8  max time offset   last offset of the first batch that holds it
//! 48   8  index size        bytes of the .index file
//! 56   4  index crc         crc32 of them
//! 60   8  time size         bytes of the .timeindex file
//! 68   4  time crc          crc32 of them
//! 72   4  epochs            number of
//! 76   4  blocks            number of: size / 16384, rounded up
//! 80  12  epoch, each       leader epoch 4, first offset 8; ascending in both
//!  .   4  block, each       crc32 of 16 KiB of the .log file; the last block may be shorter
//!  .   4  crc               crc32 of all before
//! ```
//!
//! Every crc is CRC-32 (ISO-HDLC): another polynomial than that of batches, so that one weakness is not both's.

mod build;
mod chain;

pub use build::{Body, BuildError, BuildOptions, build_body};
pub use chain::{BadChain, Chain};

use super::files::file_name;
use crate::sys::{Fs, OpenHow, replace};
use crate::types::{Epoch, Offset, TimestampMs};
use bytes::{Buf, BufMut};
use std::io;
use std::path::{Path, PathBuf};

/// Suffix of the file's name.
pub const SUFFIX: &str = "seal";
/// Bytes of a `.log` file that share a checksum: small enough that one look-up costs one read, large enough that the
/// checksums are 1/4096 of the data.
pub const BLOCK: u64 = 16 * 1024;

const MAGIC: &[u8; 4] = b"LBSL";
const VERSION: u16 = 1;
const HEAD: usize = 80;
const EPOCH: usize = 12;
/// A segment of 2^31 bytes has 512 KiB of checksums; room for as many epochs as anybody will see. What is larger is
/// not a seal, and is not read.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Size and checksum of a file that goes with a segment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Side {
    /// Bytes.
    pub size: u64,
    /// CRC-32 of them.
    pub crc: u32,
}

impl Side {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Side {
        Side { size: bytes.len() as u64, crc: crc32fast::hash(bytes) }
    }
}

/// What a segment's files were when it was sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    /// Base offset, its name.
    pub base: Offset,
    /// It stands for the offsets `base..end`; those it has no record of were removed by compaction.
    pub end: Offset,
    /// What its batches say, and their checksums.
    pub body: Body,
    /// The `.index` file.
    pub index: Side,
    /// The `.timeindex` file.
    pub times: Side,
}

impl Seal {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Seal { base, end, body, index, times } = self;
        let mut out = Vec::with_capacity(HEAD + body.epochs.len() * EPOCH + body.blocks.len() * 4 + 4);
        out.put_slice(MAGIC);
        out.put_u16(VERSION);
        out.put_u16(0);
        out.put_i64(base.0);
        out.put_i64(end.0);
        out.put_u64(body.size);
        out.put_i64(body.max_time.0);
        out.put_i64(body.max_time_offset.0);
        for side in [index, times] {
            out.put_u64(side.size);
            out.put_u32(side.crc);
        }
        out.put_u32(u32::try_from(body.epochs.len()).unwrap_or(u32::MAX));
        out.put_u32(u32::try_from(body.blocks.len()).unwrap_or(u32::MAX));
        for (epoch, first) in &body.epochs {
            out.put_i32(epoch.0);
            out.put_i64(first.0);
        }
        body.blocks.iter().for_each(|crc| out.put_u32(*crc));
        out.put_u32(crc32fast::hash(&out));
        out
    }

    /// Reads the file; `None` if it is damaged, of a later version, or contradicts itself.
    pub fn decode(bytes: &[u8]) -> Option<Seal> {
        let (all, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(all) != u32::from_be_bytes(*crc) || all.len() < HEAD {
            return None;
        }
        let mut rest = all.strip_prefix(MAGIC)?;
        if rest.get_u16() != VERSION {
            return None;
        }
        rest.advance(2);
        let (base, end) = (Offset(rest.get_i64()), Offset(rest.get_i64()));
        let size = rest.get_u64();
        let (max_time, max_time_offset) = (TimestampMs(rest.get_i64()), Offset(rest.get_i64()));
        let [index, times] = [(); 2].map(|()| Side { size: rest.get_u64(), crc: rest.get_u32() });
        let epochs = usize::try_from(rest.get_u32()).ok()?;
        let blocks = usize::try_from(rest.get_u32()).ok()?;
        let (epoch_bytes, block_bytes) = (epochs.checked_mul(EPOCH)?, blocks.checked_mul(4)?);
        let whole = rest.len() == epoch_bytes.checked_add(block_bytes)?
            && blocks as u64 == size.div_ceil(BLOCK)
            && (0..=end.0).contains(&base.0);
        let (epoch_bytes, block_bytes) = rest.split_at_checked(epoch_bytes).filter(|_| whole)?;
        let epochs = epoch_bytes.chunks_exact(EPOCH).map(|mut entry| {
            let epoch = Epoch(entry.get_i32());
            (epoch, Offset(entry.get_i64()))
        });
        let blocks = block_bytes.chunks_exact(4).map(|mut crc| crc.get_u32()).collect();
        let body = Body { size, max_time, max_time_offset, epochs: epochs.collect(), blocks };
        Some(Seal { base, end, body, index, times })
    }

    /// True if `bytes` are block number `nth` of the `.log` file as it was sealed.
    pub fn holds(&self, nth: u64, bytes: &[u8]) -> bool {
        let want = self.body.size.saturating_sub(nth.saturating_mul(BLOCK)).min(BLOCK);
        let crc = usize::try_from(nth).ok().and_then(|nth| self.body.blocks.get(nth));
        bytes.len() as u64 == want && crc.is_some_and(|crc| crc32fast::hash(bytes) == *crc)
    }

    /// Writes the file whole, synced and renamed; the name is safe once the caller has synced the directory.
    pub fn store(&self, fs: &dyn Fs, dir: &Path) -> io::Result<()> {
        replace(fs, &seal_path(dir, self.base), &self.encode())
    }
}

/// What was found under a seal's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stored {
    /// A seal of that segment.
    Sound(Seal),
    /// Something else: damaged, torn, of a later version, or of another segment.
    Bad,
    /// Nothing.
    Missing,
}

/// Path of the seal of the segment at `base`.
pub fn seal_path(dir: &Path, base: Offset) -> PathBuf {
    dir.join(file_name(base, SUFFIX))
}

/// Reads the seal of the segment at `base`. A file that cannot be read counts as bad: the batches can tell as well.
pub fn load(fs: &dyn Fs, dir: &Path, base: Offset) -> Stored {
    load_from(fs, &seal_path(dir, base), base)
}

/// Reads the seal of the segment at `base` out of the file at `path`, which may have another name meanwhile.
pub fn load_from(fs: &dyn Fs, path: &Path, base: Offset) -> Stored {
    let small = fs.open(path, OpenHow::Read).and_then(|file| file.size()).map(|size| size <= FILE_BYTES_MAX);
    let bytes = match small {
        Ok(true) => fs.read(path),
        Ok(false) => return Stored::Bad,
        Err(error) => Err(error),
    };
    match bytes {
        Ok(bytes) => match Seal::decode(&bytes).filter(|seal| seal.base == base) {
            Some(seal) => Stored::Sound(seal),
            None => Stored::Bad,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Stored::Missing,
        Err(_) => Stored::Bad,
    }
}

#[cfg(test)]
mod tests;
