//! A compressed stream read piece by piece onto the end of a buffer, so that the caller decides how much of the
//! output is ever in memory. Must not know what the output means.

use super::{Codec, DecompressError, lz4, snappy, zstd};
use std::io::Read;

/// Most output added per call by the codecs that stream; large enough to make the call cheap.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// What records shrink to at best, usually. A small batch should not pay for clearing a large piece.
const PIECE_RATIO: usize = 8;

/// One compressed stream.
pub(in crate::record) struct Decoder<'a> {
    stream: Stream<'a>,
    piece_bytes: usize,
    produced: usize,
    cap_bytes: usize,
}

enum Stream<'a> {
    Plain(&'a [u8]),
    Gzip(Box<flate2::bufread::MultiGzDecoder<&'a [u8]>>),
    Snappy(snappy::Blocks<'a>),
    Lz4(lz4::Frame<'a>),
    Zstd(zstd::Frames<'a>),
}

impl<'a> Decoder<'a> {
    /// Starts on a stream of which at most `cap_bytes` may come out.
    pub(in crate::record) fn new(
        codec: Codec,
        input: &'a [u8],
        cap_bytes: usize,
    ) -> Result<Decoder<'a>, DecompressError> {
        let stream = match codec {
            Codec::None => Stream::Plain(input),
            Codec::Gzip => Stream::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(input))),
            Codec::Snappy => Stream::Snappy(snappy::Blocks::new(input)),
            Codec::Lz4 => Stream::Lz4(lz4::Frame::open(input)?),
            Codec::Zstd => Stream::Zstd(zstd::Frames::open(input)?),
        };
        let piece_bytes = input.len().saturating_mul(PIECE_RATIO).clamp(1024, PIECE_BYTES_MAX);
        Ok(Decoder { stream, piece_bytes, produced: 0, cap_bytes })
    }

    /// Appends the next piece of output; false at the end of the stream.
    pub(in crate::record) fn read_more(&mut self, output: &mut Vec<u8>) -> Result<bool, DecompressError> {
        let before = output.len();
        let left = self.cap_bytes - self.produced;
        let too_large = DecompressError::TooLarge(self.cap_bytes);
        let more = match &mut self.stream {
            Stream::Plain(rest) => {
                output.extend_from_slice(std::mem::take(rest));
                output.len() > before
            }
            Stream::Gzip(decoder) => read_piece(decoder, output, self.piece_bytes)
                .map_err(|_| DecompressError::Damaged(Codec::Gzip))?,
            Stream::Zstd(frames) => frames.read_piece(output, self.piece_bytes)?,
            Stream::Snappy(blocks) => blocks.read_block(output, left).map_err(|error| match error {
                DecompressError::TooLarge(_) => too_large,
                error => error,
            })?,
            Stream::Lz4(frame) => frame.read_block(output)?,
        };
        let produced = output.len() - before;
        if produced > left {
            return Err(too_large);
        }
        self.produced += produced;
        Ok(more)
    }
}

/// Fills one piece; false if the stream had ended.
fn read_piece(source: &mut impl Read, output: &mut Vec<u8>, piece_bytes: usize) -> std::io::Result<bool> {
    let start = output.len();
    output.resize(start + piece_bytes, 0);
    let mut end = start;
    let result = loop {
        match output.get_mut(end..) {
            Some(room) if !room.is_empty() => match source.read(room) {
                Ok(0) => break Ok(end > start),
                Ok(count) => end += count,
                Err(error) => break Err(error),
            },
            _ => break Ok(true),
        }
    };
    output.truncate(end);
    result
}
