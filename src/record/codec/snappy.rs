//! Snappy in the framing of snappy-java (xerial), which is what Kafka means by snappy. Must not know records.
//!
//! ```text
//! 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | int32 version | int32 oldest reader that understands it
//! then blocks: int32 length | that many bytes of one raw snappy block
//! ```
//!
//! A stream without that head is one raw block: old clients write it, and Kafka's reader takes it. Where a block's
//! length should stand, another head may follow: streams can be joined.

use super::{Codec, DecompressError};
use bytes::{BufMut, Bytes, BytesMut};

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];

/// Input bytes of a block that we write, snappy-java's own choice: its readers have buffers of this size.
const BLOCK_BYTES: usize = 32 * 1024;

/// A block cannot grow by more: a copy of 64 bytes takes 3 bytes at least. A larger claim is a lie.
const RATIO_MAX: usize = 22;

const DAMAGED: DecompressError = DecompressError::Damaged(Codec::Snappy);

/// The blocks of one stream.
pub(super) enum Blocks<'a> {
    Framed(&'a [u8]),
    Raw(Option<&'a [u8]>),
}

impl<'a> Blocks<'a> {
    pub(super) fn new(input: &'a [u8]) -> Blocks<'a> {
        match strip_head(input) {
            Some(rest) => Blocks::Framed(rest),
            None => Blocks::Raw(Some(input)),
        }
    }

    /// Appends the content of the next block, of at most `bytes_max`; false if there is none. A block says how much
    /// is in it, so that one too large costs nothing.
    pub(super) fn read_block(
        &mut self,
        output: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<bool, DecompressError> {
        let block = match self {
            Blocks::Raw(block) => block.take(),
            Blocks::Framed(rest) => take_block(rest)?,
        };
        let Some(block) = block else { return Ok(false) };
        let size = snap::raw::decompress_len(block).map_err(|_| DAMAGED)?;
        if size > block.len().saturating_mul(RATIO_MAX) {
            return Err(DAMAGED);
        }
        if size > bytes_max {
            return Err(DecompressError::TooLarge(bytes_max));
        }
        let start = output.len();
        output.resize(start + size, 0);
        let room = output.get_mut(start..).unwrap_or_default();
        snap::raw::Decoder::new().decompress(block, room).map_err(|_| DAMAGED)?;
        Ok(true)
    }
}

fn strip_head(input: &[u8]) -> Option<&[u8]> {
    input.strip_prefix(&MAGIC)?.get(8..)
}

/// Cuts the next block off; `None` at the end.
fn take_block<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, DecompressError> {
    while let Some(joined) = strip_head(rest) {
        *rest = joined;
    }
    if rest.is_empty() {
        return Ok(None);
    }
    let (length, body) = rest.split_first_chunk::<4>().ok_or(DAMAGED)?;
    let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| DAMAGED)?;
    let (block, after) = body.split_at_checked(length).ok_or(DAMAGED)?;
    *rest = after;
    Ok(Some(block))
}

#[expect(clippy::expect_used, reason = "snappy fails only on inputs of 4 GiB")]
pub(super) fn compress(input: &[u8]) -> Bytes {
    let mut output = BytesMut::with_capacity(16 + input.len() / 2);
    output.put_slice(&MAGIC);
    output.put_i32(1);
    output.put_i32(1);
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(BLOCK_BYTES) {
        let block = encoder.compress_vec(block).expect("a block is 32 KiB");
        output.put_u32(block.len() as u32);
        output.put_slice(&block);
    }
    output.freeze()
}
