//! OffsetCommit. Must not know how old offsets go.

use crate::coordinator::Cx;
use crate::group::command::{Commit, CommitPartition};
use crate::group::machine::Groups;
use crate::group::records::GroupRecord;
use crate::group::refused::Refused;
use crate::group::state::Committed;
use crate::group::{classic, consumer};
use crate::types::{Epoch, ErrorCode, TimestampMs, TopicId};
use std::sync::Arc;

/// Bytes of metadata that a record has room for, whatever `offset.metadata.max.bytes` says.
const METADATA_BYTES_MAX: usize = 0x7fff;

/// "Not said" in requests that have a retention time.
const NO_RETENTION: i64 = -1;

/// Commits what may be committed; the codes are those of the partitions in order.
pub fn commit(cx: &mut Cx<'_, Groups>, mut commit: Commit) -> Result<Vec<ErrorCode>, Refused> {
    let chars_max = cx.soft().settings().metadata_bytes_max;
    let code = |partition: &CommitPartition| match &partition.metadata {
        Some(metadata) if is_too_large(metadata, chars_max) => ErrorCode::OFFSET_METADATA_TOO_LARGE,
        _ => ErrorCode::NONE,
    };
    let codes: Vec<ErrorCode> = commit.partitions.iter().map(code).collect();
    // Kafka does not ask whether a partition belongs to the member if its metadata is too large.
    let mut left = codes.iter();
    commit.partitions.retain(|_| left.next().is_some_and(|code| code.is_none()));
    match cx.hard().consumer(&commit.group) {
        Some(_) => consumer::check_commit(cx, &commit)?,
        None => classic::check_commit(cx, &commit)?,
    }
    let at = cx.wall();
    let expires = expires(commit.retention_ms, at);
    for partition in commit.partitions {
        cx.soft().offsets.topics.note(&partition.topic, partition.topic_id);
        cx.emit(GroupRecord::Offset {
            group: Arc::clone(&commit.group),
            topic: Arc::clone(&partition.topic),
            partition: partition.partition,
            committed: Some(committed(partition, at, expires)),
        });
    }
    Ok(codes)
}

/// Kafka compares the setting, in bytes, with the number of UTF-16 units.
fn is_too_large(metadata: &str, chars_max: usize) -> bool {
    let units = || metadata.encode_utf16().count();
    metadata.len() > METADATA_BYTES_MAX || (metadata.len() > chars_max && units() > chars_max)
}

fn expires(retention_ms: Option<i64>, at: TimestampMs) -> Option<TimestampMs> {
    let retention = retention_ms.filter(|ms| *ms != NO_RETENTION)?;
    // Never negative: -1 would be read back as "never".
    Some(TimestampMs(at.0.saturating_add(retention).max(0)))
}

/// One that expires by itself has neither leader epoch nor topic id: its record has no room for them. Kafka forgets
/// them at the next load.
fn committed(partition: CommitPartition, at: TimestampMs, expires: Option<TimestampMs>) -> Committed {
    Committed {
        offset: partition.offset,
        leader_epoch: if expires.is_some() { Epoch::NONE } else { partition.leader_epoch },
        metadata: partition.metadata.unwrap_or_default(),
        at,
        expires,
        topic_id: if expires.is_some() { TopicId::ZERO } else { partition.topic_id },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_measured_in_utf16_units_as_kafka_does() {
        assert!(!is_too_large(&"\u{e9}".repeat(4096), 4096));
        assert!(is_too_large(&"\u{e9}".repeat(4097), 4096));
        assert!(is_too_large(&"\u{1f600}".repeat(2049), 4096));
        assert!(!is_too_large("", 0));
        assert!(is_too_large(&"a".repeat(0x8000), usize::MAX));
    }

    #[test]
    fn a_retention_time_becomes_a_time_of_expiry() {
        let at = TimestampMs(1000);
        assert_eq!(expires(None, at), None);
        assert_eq!(expires(Some(-1), at), None);
        assert_eq!(expires(Some(5), at), Some(TimestampMs(1005)));
        assert_eq!(expires(Some(-1001), at), Some(TimestampMs(0)));
        assert_eq!(expires(Some(i64::MAX), at), Some(TimestampMs(i64::MAX)));
    }
}
