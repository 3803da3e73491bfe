//! Batches that passed the checks and wait for their offsets. Must not know what the checks were.

use super::bad::BadBatch;
use super::batch::{BatchHeader, stamp};
use crate::types::{Epoch, Offset, TimestampMs};
use bytes::{Bytes, BytesMut};
use std::ops::{Deref, DerefMut};

/// Where one batch lies in a [`CheckedBatches`], and what its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchMeta {
    /// First byte of the batch within the bytes.
    pub start: usize,
    /// Bytes of the batch, header included.
    pub size: usize,
    /// The header; base offset and leader epoch are right once [`CheckedBatches::assign`] ran.
    pub header: BatchHeader,
    /// Largest timestamp of the batch (the append's time under LogAppendTime); -1 if no record has one.
    pub max_timestamp: TimestampMs,
    /// Offset, less the base offset, of the first record that has `max_timestamp`: 0 under LogAppendTime. Where
    /// records were not walked ([`CheckedBatches::trusted`]), that of the last record.
    pub max_timestamp_offset_delta: i32,
}

/// Back-to-back batches, each whole and sound, still without their final offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedBatches {
    bytes: BytesMut,
    batches: BatchMetas,
}

/// The batches of a [`CheckedBatches`], in order. That of a produce request is one, and takes no memory of its own.
#[derive(Debug, Clone)]
pub enum BatchMetas {
    /// One.
    One(BatchMeta),
    /// None, or several.
    Many(Vec<BatchMeta>),
}

impl Deref for BatchMetas {
    type Target = [BatchMeta];

    fn deref(&self) -> &[BatchMeta] {
        match self {
            BatchMetas::One(only) => std::slice::from_ref(only),
            BatchMetas::Many(all) => all,
        }
    }
}

impl DerefMut for BatchMetas {
    fn deref_mut(&mut self) -> &mut [BatchMeta] {
        match self {
            BatchMetas::One(only) => std::slice::from_mut(only),
            BatchMetas::Many(all) => all,
        }
    }
}

impl PartialEq for BatchMetas {
    fn eq(&self, other: &BatchMetas) -> bool {
        **self == **other
    }
}

impl Eq for BatchMetas {}

impl CheckedBatches {
    /// Batches that this process built itself: headers and sizes are checked, records and CRC are not.
    pub fn trusted(bytes: BytesMut) -> Result<CheckedBatches, BadBatch> {
        let mut batches = Vec::new();
        let mut start = 0;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let header = BatchHeader::parse(rest)?;
            if rest.len() < header.size {
                return Err(BadBatch::Cut { have: rest.len(), need: header.size });
            }
            batches.push(BatchMeta {
                start,
                size: header.size,
                header,
                max_timestamp: header.max_timestamp,
                max_timestamp_offset_delta: header.last_offset_delta,
            });
            start += header.size;
        }
        Ok(CheckedBatches { bytes, batches: BatchMetas::Many(batches) })
    }

    /// One batch that `check_produced` found sound.
    pub(super) fn one(bytes: BytesMut, meta: BatchMeta) -> CheckedBatches {
        CheckedBatches { bytes, batches: BatchMetas::One(meta) }
    }

    /// Gives the batches consecutive offsets from `first` on and the epoch of the appending leader, in place.
    /// Returns the offset after the last record.
    pub fn assign(&mut self, first: Offset, epoch: Epoch) -> Offset {
        let mut next = first;
        for meta in self.batches.iter_mut() {
            meta.header.base_offset = next;
            meta.header.leader_epoch = epoch;
            next = meta.header.next_offset();
            if let Some(batch) = self.bytes.get_mut(meta.start..meta.start + meta.size) {
                stamp(batch, meta.header.base_offset, epoch);
            }
        }
        next
    }

    /// The batches, in order.
    pub fn batches(&self) -> &BatchMetas {
        &self.batches
    }

    /// All bytes, back to back.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True if there is no batch.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The bytes as they go to the log.
    pub fn freeze(self) -> Bytes {
        self.bytes.freeze()
    }
}
