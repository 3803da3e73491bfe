//! LZ4 frames as Kafka reads and writes them. Must not know records.
//!
//! ```text
//! magic 04 22 4D 18 | FLG | BD | [content size, 8 bytes] | HC = byte 1 of xxh32 over FLG to content size
//! then blocks: uint32 length (top bit: stored, not compressed) | bytes | [xxh32 of the bytes]
//! a length of 0 ends the frame | [xxh32 of the content]
//! FLG: bits 7-6 version 1, 5 blocks are independent, 4 block checksums, 3 content size, 2 content checksum
//! BD: bits 6-4 the largest block: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB      all little-endian
//! ```
//!
//! The framing is ours, not that of `lz4_flex`, for three reasons: blocks go straight to the caller's buffer, a
//! claimed block size reserves nothing, and frames that Java clients refuse (dependent blocks) are refused.

use super::{Codec, DecompressError};
use bytes::Bytes;
use std::io::Write;

const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
const STORED: u32 = 1 << 31;
const DAMAGED: DecompressError = DecompressError::Damaged(Codec::Lz4);

/// A block cannot grow by more: each byte that lengthens a match stands for 255 bytes at most.
const RATIO_MAX: usize = 255;

/// One frame being read.
pub(super) struct Frame<'a> {
    rest: &'a [u8],
    block_bytes_max: usize,
    block_checksums: bool,
    content_checksum: bool,
    finished: bool,
}

impl<'a> Frame<'a> {
    pub(super) fn open(input: &'a [u8]) -> Result<Frame<'a>, DecompressError> {
        let descriptor = input.strip_prefix(&MAGIC).ok_or(DAMAGED)?;
        let &[flags, block, ..] = descriptor else { return Err(DAMAGED) };
        if flags >> 6 != 1 || flags & 0x03 != 0 || block & 0x8f != 0 {
            return Err(DAMAGED);
        }
        if flags & 0x20 == 0 {
            return Err(DecompressError::Lz4Dependent);
        }
        let size_bits = match block >> 4 {
            class @ 4..=7 => 8 + 2 * u32::from(class),
            _ => return Err(DAMAGED),
        };
        let described = if flags & 0x08 == 0 { 2 } else { 10 };
        let (described, rest) = descriptor.split_at_checked(described).ok_or(DAMAGED)?;
        let (&check, rest) = rest.split_first().ok_or(DAMAGED)?;
        if (xxh32(described) >> 8) as u8 != check {
            return Err(DAMAGED);
        }
        Ok(Frame {
            rest,
            block_bytes_max: 1 << size_bits,
            block_checksums: flags & 0x10 != 0,
            content_checksum: flags & 0x04 != 0,
            finished: false,
        })
    }

    /// Appends the content of the next block; false at the end of the frame.
    pub(super) fn read_block(&mut self, output: &mut Vec<u8>) -> Result<bool, DecompressError> {
        if self.finished {
            return Ok(false);
        }
        let length = self.take_u32()?;
        if length == 0 {
            self.finished = true;
            // The CRC of the batch covers the same bytes, and Kafka does not check this one either.
            if self.content_checksum {
                self.take_u32()?;
            }
            return if self.rest.is_empty() { Ok(false) } else { Err(DecompressError::Trailing(Codec::Lz4)) };
        }
        let size = (length & !STORED) as usize;
        if size > self.block_bytes_max {
            return Err(DAMAGED);
        }
        let (block, rest) = self.rest.split_at_checked(size).ok_or(DAMAGED)?;
        self.rest = rest;
        if self.block_checksums && self.take_u32()? != xxh32(block) {
            return Err(DAMAGED);
        }
        if length & STORED != 0 {
            output.extend_from_slice(block);
            return Ok(true);
        }
        let start = output.len();
        output.resize(start + self.block_bytes_max.min(size.saturating_mul(RATIO_MAX)), 0);
        let room = output.get_mut(start..).unwrap_or_default();
        let count = lz4_flex::block::decompress_into(block, room).map_err(|_| DAMAGED)?;
        output.truncate(start + count);
        Ok(true)
    }

    fn take_u32(&mut self) -> Result<u32, DecompressError> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or(DAMAGED)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }
}

/// Blocks of 64 KiB, independent, without checksums: what Kafka's Java producer writes.
#[expect(clippy::expect_used, reason = "a Vec takes every write")]
pub(super) fn compress(input: &[u8]) -> Bytes {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(input).expect("a Vec takes every write");
    encoder.finish().expect("a Vec takes every write").into()
}

/// XXH32 with seed 0 (the xxHash specification, section "XXH32 algorithm description").
fn xxh32(input: &[u8]) -> u32 {
    const P1: u32 = 0x9e37_79b1;
    const P2: u32 = 0x85eb_ca77;
    const P3: u32 = 0xc2b2_ae3d;
    const P4: u32 = 0x27d4_eb2f;
    const P5: u32 = 0x1656_67b1;
    let (stripes, tail) = input.as_chunks::<16>();
    let mut hash = P5;
    if !stripes.is_empty() {
        let mut lanes = [P1.wrapping_add(P2), P2, 0, 0u32.wrapping_sub(P1)];
        for stripe in stripes {
            let (words, _) = stripe.as_chunks::<4>();
            for (lane, word) in lanes.iter_mut().zip(words) {
                let mixed = lane.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(P2));
                *lane = mixed.rotate_left(13).wrapping_mul(P1);
            }
        }
        let [a, b, c, d] = lanes;
        hash = a.rotate_left(1).wrapping_add(b.rotate_left(7));
        hash = hash.wrapping_add(c.rotate_left(12)).wrapping_add(d.rotate_left(18));
    }
    hash = hash.wrapping_add(input.len() as u32);
    let (words, bytes) = tail.as_chunks::<4>();
    for word in words {
        hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(P3)).rotate_left(17).wrapping_mul(P4);
    }
    for &byte in bytes {
        hash = hash.wrapping_add(u32::from(byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
    }
    hash = (hash ^ hash >> 15).wrapping_mul(P2);
    hash = (hash ^ hash >> 13).wrapping_mul(P3);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xxh32_gives_the_published_values() {
        assert_eq!(xxh32(b""), 0x02cc_5d05);
        assert_eq!(xxh32(b"a"), 0x550d_7456);
        assert_eq!(xxh32(b"abc"), 0x32d1_53ff);
        assert_eq!(xxh32(b"Nobody inspects the spammish repetition"), 0xe229_3b2f);
    }
}
