//! A change of a group, and its bytes: the keys and values of Kafka's `__consumer_offsets`, so that Kafka's tools read
//! the log. Must not know what the records do.
//!
//! A key is a type (`int16`) and the key's message, version 0. A value is the version of the value's message (`int16`)
//! and the message; no value removes what the key names. The versions written are those that Kafka 4.4.0 writes.

mod consumer;
mod shared;
#[cfg(test)]
pub(super) mod tests;
mod values;

use super::state::{
    Assignment, ClassicGroup, Committed, Current, GroupEpoch, MemberMetadata, ResolvedRegex, TargetEpoch,
};
use crate::coordinator::{BadRecord, KeyValue, LogRecord};
use crate::wire::records::group_metadata_key::GroupMetadataKey;
use crate::wire::records::legacy_offset_commit_key::LegacyOffsetCommitKey;
use crate::wire::records::offset_commit_key::OffsetCommitKey;
use bytes::Bytes;
use shared::{key, key_bytes, split, text, value};
use std::sync::Arc;

/// A change of a group. `None` as a value removes what the key names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRecord {
    /// A committed offset (key 1; key 0 is read too).
    Offset {
        /// Id of the group.
        group: Arc<str>,
        /// Name of the topic.
        topic: Arc<str>,
        /// Number of the partition.
        partition: i32,
        /// What was committed.
        committed: Option<Committed>,
    },
    /// A classic group (key 2).
    Classic {
        /// Id of the group.
        group: Arc<str>,
        /// Its state.
        state: Option<Box<ClassicGroup>>,
    },
    /// Something of a consumer group.
    Consumer {
        /// Id of the group.
        group: Arc<str>,
        /// What.
        record: ConsumerRecord,
    },
}

/// A change of a consumer group (KIP-848).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerRecord {
    /// The group's epoch (key 3).
    Epoch(Option<GroupEpoch>),
    /// A member's metadata (key 5).
    Member(Arc<str>, Option<Box<MemberMetadata>>),
    /// The epoch of the target assignment (key 6).
    TargetEpoch(Option<TargetEpoch>),
    /// A member's target assignment (key 7).
    Target(Arc<str>, Option<Assignment>),
    /// A member's current assignment (key 8).
    Current(Arc<str>, Option<Box<Current>>),
    /// What a regular expression matched (key 16).
    Regex(Arc<str>, Option<ResolvedRegex>),
}

impl GroupRecord {
    /// Id of the group.
    pub fn group(&self) -> &Arc<str> {
        match self {
            GroupRecord::Offset { group, .. }
            | GroupRecord::Classic { group, .. }
            | GroupRecord::Consumer { group, .. } => group,
        }
    }
}

/// Types of keys (`CoordinatorRecordType` of Kafka 4.4.0); these numbers are on disk.
mod kind {
    pub const LEGACY_OFFSET: i16 = 0;
    pub const OFFSET: i16 = 1;
    pub const CLASSIC: i16 = 2;
    pub const EPOCH: i16 = 3;
    pub const MEMBER: i16 = 5;
    pub const TARGET_EPOCH: i16 = 6;
    pub const TARGET: i16 = 7;
    pub const CURRENT: i16 = 8;
    pub const REGEX: i16 = 16;
}

impl LogRecord for GroupRecord {
    fn encode(&self) -> Result<KeyValue, BadRecord> {
        match self {
            GroupRecord::Offset { group, topic, partition, committed } => {
                let named = OffsetCommitKey { group: text(group), topic: text(topic), partition: *partition };
                let value = committed.as_ref().map(values::of_offset).transpose()?;
                Ok((Some(key_bytes(kind::OFFSET, &named)?), value))
            }
            GroupRecord::Classic { group, state } => {
                let named = GroupMetadataKey { group: text(group) };
                let value = state.as_deref().map(values::of_classic).transpose()?;
                Ok((Some(key_bytes(kind::CLASSIC, &named)?), value))
            }
            GroupRecord::Consumer { group, record } => {
                let (key, value) = record.encode(group)?;
                Ok((Some(key), value))
            }
        }
    }

    /// Records of share and streams groups, of the partition metadata that Kafka 4.0 kept, and of types that later
    /// releases may bring are skipped, as Kafka skips what it does not know. A version that is not known is an error.
    fn decode(
        key_bytes: Option<Bytes>,
        value_bytes: Option<Bytes>,
    ) -> Result<Option<GroupRecord>, BadRecord> {
        let key_bytes = key_bytes.ok_or_else(|| BadRecord::new("a group record has a key"))?;
        let (kind, named) = split(key_bytes)?;
        let record = match kind {
            kind::LEGACY_OFFSET => {
                let named: LegacyOffsetCommitKey = key(named)?;
                offset(&named.group, &named.topic, named.partition, value_bytes)?
            }
            kind::OFFSET => {
                let named: OffsetCommitKey = key(named)?;
                offset(&named.group, &named.topic, named.partition, value_bytes)?
            }
            kind::CLASSIC => {
                let named: GroupMetadataKey = key(named)?;
                let state = value(value_bytes)?.map(values::to_classic).map(Box::new);
                GroupRecord::Classic { group: named.group.as_str().into(), state }
            }
            other => match ConsumerRecord::decode(other, named, value_bytes)? {
                Some((group, record)) => GroupRecord::Consumer { group, record },
                None => return Ok(None),
            },
        };
        Ok(Some(record))
    }
}

fn offset(
    group: &str,
    topic: &str,
    partition: i32,
    value_bytes: Option<Bytes>,
) -> Result<GroupRecord, BadRecord> {
    let committed = value(value_bytes)?.map(values::to_offset);
    Ok(GroupRecord::Offset { group: group.into(), topic: topic.into(), partition, committed })
}
