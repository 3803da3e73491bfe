//! Rebuilding a machine from its log. Must not append.

use super::core::Core;
use super::{BadRecord, LogRecord, Machine};
use crate::log::{PartitionLog, ReadError};
use crate::record::{BadBatch, BatchHeader, check_crc, read_records};
use crate::types::Offset;
use bytes::Bytes;
use std::ops::ControlFlow;

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
    /// Loading was given up half-way, or its thread failed.
    #[error("loading did not come to its end")]
    Gone,
}

/// Replays the whole log into an empty core; also the bytes that were read. Blocks, and ends early, with `Gone`, once
/// `unwanted` says that nobody waits any more.
pub(super) fn replay<M: Machine>(
    mut core: Core<M>,
    log: &dyn PartitionLog,
    unwanted: &dyn Fn() -> bool,
) -> Result<(Core<M>, u64), LoadError> {
    let marks = log.marks();
    let mut replayed = 0;
    let mut fault = None;
    if marks.start < marks.end {
        log.replay(marks.start, &mut |header, bytes| {
            replayed += bytes.len() as u64;
            fault = replay_batch(&mut core, marks.start, header, &bytes).err();
            if fault.is_none() && unwanted() {
                fault = Some(LoadError::Gone);
            }
            if fault.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    match fault {
        Some(error) => Err(error),
        None => {
            core.set_next(marks.end);
            Ok((core, replayed))
        }
    }
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
