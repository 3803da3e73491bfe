//! How much one request may say, whoever sends it: what it writes goes into one batch with what others write, which is
//! kept in memory and written whole. Must not know groups.

use super::command::{Command, Commit, ConsumerHeartbeat, Join, NotJoined, Reply};
use super::refused::Refused;
use crate::types::ErrorCode;
use std::sync::Arc;

/// Bytes that a member says of itself, or that one commit writes: as much as Kafka's default takes in a batch
/// (`message.max.bytes`).
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Bytes of a record beside its texts, about.
const RECORD_BYTES: usize = 64;

/// The refusal of a command that says too much. Single texts have at most 32,767 bytes on the wire, as records want.
pub(super) fn check(command: &Command) -> Result<(), Reply> {
    match command {
        Command::Join(join) if said_to_join(join) > REQUEST_BYTES_MAX => {
            let refused = ErrorCode::INVALID_REQUEST.into();
            Err(Reply::Joined(Err(NotJoined { refused, member: Arc::clone(&join.member) })))
        }
        Command::ConsumerHeartbeat(beat) if subscribed(beat) > REQUEST_BYTES_MAX => {
            let why = format!("the subscription is longer than {REQUEST_BYTES_MAX} bytes");
            Err(Reply::ConsumerHeartbeat(Err(Refused::new(ErrorCode::INVALID_REQUEST, why))))
        }
        Command::Commit(commit) if written(commit) > REQUEST_BYTES_MAX => {
            Err(Reply::Committed(Err(ErrorCode::INVALID_COMMIT_OFFSET_SIZE.into())))
        }
        // What the others write is no larger than what was written before.
        _ => Ok(()),
    }
}

fn said_to_join(join: &Join) -> usize {
    join.protocols.iter().map(|protocol| protocol.name.len() + protocol.metadata.len()).sum()
}

fn subscribed(beat: &ConsumerHeartbeat) -> usize {
    beat.topics.iter().flatten().map(|name| name.len() + 1).sum()
}

fn written(commit: &Commit) -> usize {
    let records = commit.partitions.iter().map(|partition| {
        let metadata = partition.metadata.as_ref().map_or(0, |metadata| metadata.len());
        RECORD_BYTES + commit.group.len() + partition.topic.len() + metadata
    });
    records.sum()
}
