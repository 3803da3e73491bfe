//! Making a seal out of a `.log` file: one pass that checks every batch and takes the checksums of the same bytes, so
//! that nothing is sealed that was not seen to be sound.

use super::chain::{BadChain, Chain};
use super::{BLOCK, Seal, Side};
use crate::record::BatchHeader;
use crate::sys::File;
use crate::types::{Epoch, Offset, TimestampMs};
use std::io;
use std::ops::ControlFlow;

/// Bytes read at a time: whole blocks, large enough that the system call is noise.
const CHUNK: usize = 16 * BLOCK as usize;

/// What the batches of a segment say, and the checksums of its blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// Bytes of the `.log` file.
    pub size: u64,
    /// Largest timestamp; -1 for none.
    pub max_time: TimestampMs,
    /// Last offset of the first batch that holds it; the segment's base if there is none.
    pub max_time_offset: Offset,
    /// Leader epochs and the first offset of each in this segment, ascending.
    pub epochs: Vec<(Epoch, Offset)>,
    /// CRC-32 of each 16 KiB.
    pub blocks: Vec<u32>,
}

/// What is asked of a pass over a segment.
pub struct BuildOptions<'a> {
    /// The offsets the segment stands for.
    pub base: Offset,
    /// Where the next segment begins.
    pub end: Offset,
    /// Bytes of the file that belong to it.
    pub size: u64,
    /// Gets every sound batch and its first byte: for the indexes.
    pub note: &'a mut dyn FnMut(u64, &BatchHeader),
    /// Called with the bytes just read; may wait, or end the pass.
    pub pace: &'a mut dyn FnMut(usize) -> ControlFlow<()>,
}

/// Why there is no seal.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Reading failed.
    #[error("cannot read the segment: {0}")]
    Storage(#[from] io::Error),
    /// A batch is not sound.
    #[error(transparent)]
    Bad(#[from] BadChain),
    /// The caller ended the pass.
    #[error("stopped")]
    Stopped,
}

/// Reads and checks the segment in `file`.
pub fn build_body(file: &dyn File, options: BuildOptions<'_>) -> Result<Body, BuildError> {
    let BuildOptions { base, end, size, note, pace } = options;
    let mut body = Body {
        size,
        max_time: TimestampMs::NONE,
        max_time_offset: base,
        epochs: Vec::new(),
        blocks: Vec::new(),
    };
    let mut chain = Chain::new(0, base, end);
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    while at < size {
        let want = usize::try_from(size - at).unwrap_or(usize::MAX).min(CHUNK);
        let part = chunk.get_mut(..want).unwrap_or_default();
        let got = file.read_at(part, at)?;
        if got < want {
            let why = format!("the file ends at byte {}, expected {size}", at + got as u64);
            return Err(BadChain { at: at + got as u64, why }.into());
        }
        chain.feed(part, &mut |at, header| {
            body.note(header);
            note(at, header);
        })?;
        body.blocks.extend(part.chunks(BLOCK as usize).map(crc32fast::hash));
        at += want as u64;
        if pace(want).is_break() {
            return Err(BuildError::Stopped);
        }
    }
    chain.finish()?;
    Ok(body)
}

impl Body {
    fn note(&mut self, header: &BatchHeader) {
        if header.max_timestamp > self.max_time {
            (self.max_time, self.max_time_offset) = (header.max_timestamp, header.last_offset());
        }
        if self.epochs.last().is_none_or(|(epoch, _)| *epoch < header.leader_epoch) {
            self.epochs.push((header.leader_epoch, header.base_offset));
        }
    }

    /// The seal of the segment with these batches that stands for `base..end`, beside these index files.
    pub fn sealed(self, base: Offset, end: Offset, index: Side, times: Side) -> Seal {
        Seal { base, end, body: self, index, times }
    }
}
