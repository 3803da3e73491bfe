//! Zstandard frames, one behind the other. Must not know records.
//!
//! A decoder's context takes longer to make than a small batch takes to decode, so each thread keeps its last one.

use super::{Codec, DecompressError};
use bytes::Bytes;
use std::cell::RefCell;
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

/// log2 of the largest window: 128 MiB, what level 22 writes and what Kafka's own decoder allows. The decoder
/// reserves the window as address space and touches only as much of it as output comes out.
const WINDOW_LOG_MAX: u32 = 27;

/// A context is kept if it is no larger: enough for the window of level 3, on as many threads as there are cores.
const KEPT_BYTES_MAX: usize = 4 << 20;

const DAMAGED: DecompressError = DecompressError::Damaged(Codec::Zstd);

thread_local! {
    static KEPT: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) };
}

/// Frames being read.
pub(super) struct Frames<'a> {
    /// There until it is dropped.
    context: Option<DCtx<'static>>,
    rest: &'a [u8],
    /// The last frame is not at its end.
    inside: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn open(input: &'a [u8]) -> Result<Frames<'a>, DecompressError> {
        let context = match KEPT.take() {
            Some(context) => context,
            None => {
                let mut context = DCtx::try_create().ok_or(DAMAGED)?;
                context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(|_| DAMAGED)?;
                context
            }
        };
        Ok(Frames { context: Some(context), rest: input, inside: false })
    }

    /// Appends at most `piece_bytes` of content; false at the end of the last frame.
    pub(super) fn read_piece(
        &mut self,
        output: &mut Vec<u8>,
        piece_bytes: usize,
    ) -> Result<bool, DecompressError> {
        let start = output.len();
        output.resize(start + piece_bytes, 0);
        let result = self.fill(output.get_mut(start..).unwrap_or_default());
        output.truncate(start + *result.as_ref().unwrap_or(&0));
        Ok(result? > 0)
    }

    /// Fills `room` as far as there is content; the number of bytes.
    fn fill(&mut self, room: &mut [u8]) -> Result<usize, DecompressError> {
        let context = self.context.as_mut().ok_or(DAMAGED)?;
        let mut out = OutBuffer::around(room);
        while out.pos() < out.capacity() {
            if self.rest.is_empty() && !self.inside {
                break;
            }
            let before = out.pos();
            let mut input = InBuffer::around(self.rest);
            let hint = context.decompress_stream(&mut out, &mut input).map_err(|_| DAMAGED)?;
            let read = input.pos();
            self.rest = self.rest.get(read..).unwrap_or_default();
            self.inside = hint != 0;
            // No progress with all input given: the frame is cut.
            if read == 0 && out.pos() == before && self.inside {
                return Err(DAMAGED);
            }
        }
        Ok(out.pos())
    }
}

impl Drop for Frames<'_> {
    fn drop(&mut self) {
        let Some(mut context) = self.context.take() else { return };
        if context.reset(ResetDirective::SessionOnly).is_ok() && context.sizeof() <= KEPT_BYTES_MAX {
            // A thread that is ending has no place to keep it.
            let _ = KEPT.try_with(|kept| kept.replace(Some(context)));
        }
    }
}

#[expect(clippy::expect_used, reason = "the output has room for the worst case, so only memory can run out")]
pub(super) fn compress(level: i32, input: &[u8]) -> Bytes {
    let level = if level == Codec::DEFAULT_LEVEL { 3 } else { level.clamp(-131_072, 22) };
    zstd::bulk::compress(input, level).expect("the output has room for the worst case").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::decompress;

    #[test]
    fn a_kept_context_reads_the_next_stream_whatever_the_last_one_was() {
        let good = compress(3, &[7; 5000]);
        for end in 0..good.len() {
            let cut = decompress(Codec::Zstd, good.get(..end).unwrap(), 1 << 20);
            assert!(end == 0 || cut.is_err(), "cut at {end}");
            assert_eq!(decompress(Codec::Zstd, &good, 10), Err(DecompressError::TooLarge(10)));
            assert_eq!(decompress(Codec::Zstd, &good, 5000).unwrap(), vec![7; 5000]);
        }
    }

    #[test]
    fn empty_frames_and_skippable_ones_between_others_are_passed_over() {
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2];
        let joined = [&compress(3, b"one")[..], &compress(3, b""), &skippable, &compress(3, b"two")].concat();
        assert_eq!(&decompress(Codec::Zstd, &joined, 100).unwrap()[..], b"onetwo");
    }
}
