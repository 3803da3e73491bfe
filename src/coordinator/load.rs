//! Rebuilding a machine from its log. Must not append.

use super::core::Core;
use super::{BadRecord, LogRecord, Machine};
use crate::log::{PartitionLog, ReadError};
use crate::record::{BadBatch, BatchHeader, check_crc, read_records};
use crate::types::Offset;
use bytes::Bytes;
use std::ops::ControlFlow;

/// Bytes replayed before other tasks get their turn: about a millisecond of work.
const SLICE_BYTES: usize = 1 << 20;

/// Bytes that a compressed batch of a machine's log may become. We write none; a log taken over from Kafka may hold
/// some, and Kafka's own limit for them is 5 MiB by default.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// Why a machine could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A batch is damaged.
    #[error("the batch at offset {at} is damaged: {why}")]
    Batch {
        /// Its first offset.
        at: Offset,
        /// What is wrong.
        why: BadBatch,
    },
    /// A record means nothing to this release, and the state without it would be wrong.
    #[error("the record at offset {at} cannot be read: {why}")]
    Record {
        /// Its offset.
        at: Offset,
        /// What is wrong.
        why: BadRecord,
    },
    /// The log failed before what was replayed became durable.
    #[error("the log failed while it was loaded")]
    NotDurable,
}

/// Replays the whole log into `core`. Lets other tasks run now and then.
pub(super) async fn replay<M: Machine>(core: &mut Core<M>, log: &dyn PartitionLog) -> Result<(), LoadError> {
    let marks = log.marks();
    let mut next = marks.start;
    while next < marks.end {
        let mut bytes_left = SLICE_BYTES;
        let from = next;
        let mut fault = None;
        log.replay(from, &mut |header, bytes| {
            bytes_left = bytes_left.saturating_sub(bytes.len());
            match replay_batch(core, from, header, &bytes) {
                Ok(()) => next = header.next_offset(),
                Err(error) => fault = Some(error),
            }
            if fault.is_some() || bytes_left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if let Some(error) = fault {
            return Err(error);
        }
        if next <= from {
            // Nothing at or above `from`: compaction may leave the end of a log empty.
            break;
        }
        tokio::task::yield_now().await;
    }
    core.set_next(marks.end);
    Ok(())
}

fn replay_batch<M: Machine>(
    core: &mut Core<M>,
    from: Offset,
    header: &BatchHeader,
    bytes: &Bytes,
) -> Result<(), LoadError> {
    if header.is_control() {
        return Ok(());
    }
    let damaged = |why| LoadError::Batch { at: header.base_offset, why };
    check_crc(bytes).map_err(damaged)?;
    for record in read_records(bytes, DECOMPRESSED_BYTES_MAX).map_err(damaged)? {
        let record = record.map_err(damaged)?;
        if record.offset < from {
            continue;
        }
        let at = record.offset;
        match M::Record::decode(record.key, record.value) {
            Ok(Some(record)) => core.replay(at, &record),
            Ok(None) => {}
            Err(why) => return Err(LoadError::Record { at, why }),
        }
    }
    Ok(())
}
