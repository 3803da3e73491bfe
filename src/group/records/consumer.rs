//! Keys and values of consumer groups (KIP-848). Must not know what the records do.

use super::shared::{detached, key, key_bytes, name, text, value, value_bytes};
use super::{ConsumerRecord, kind};
use crate::coordinator::BadRecord;
use crate::group::state::{
    Assignment, ClassicProtocol, ClassicSide, Current, GroupEpoch, MemberMetadata, MemberState,
    ResolvedRegex, TargetEpoch,
};
use crate::types::{TimestampMs, TopicId};
use crate::wire::records::consumer_group_current_member_assignment_value::{
    ConsumerGroupCurrentMemberAssignmentValue as CurrentValue, TopicPartitions,
};
use crate::wire::records::consumer_group_member_metadata_value::{
    self as member_value, ConsumerGroupMemberMetadataValue as MemberValue,
};
use crate::wire::records::consumer_group_target_assignment_member_value::{
    ConsumerGroupTargetAssignmentMemberValue as TargetValue, TopicPartition,
};
use crate::wire::{Str, records};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type CurrentKey =
    records::consumer_group_current_member_assignment_key::ConsumerGroupCurrentMemberAssignmentKey;
type MemberKey = records::consumer_group_member_metadata_key::ConsumerGroupMemberMetadataKey;
type EpochKey = records::consumer_group_metadata_key::ConsumerGroupMetadataKey;
type EpochValue = records::consumer_group_metadata_value::ConsumerGroupMetadataValue;
type RegexKey = records::consumer_group_regular_expression_key::ConsumerGroupRegularExpressionKey;
type RegexValue = records::consumer_group_regular_expression_value::ConsumerGroupRegularExpressionValue;
type TargetKey = records::consumer_group_target_assignment_member_key::ConsumerGroupTargetAssignmentMemberKey;
type TargetEpochKey =
    records::consumer_group_target_assignment_metadata_key::ConsumerGroupTargetAssignmentMetadataKey;
type TargetEpochValue =
    records::consumer_group_target_assignment_metadata_value::ConsumerGroupTargetAssignmentMetadataValue;

/// The only version of every value here.
const VERSION: i16 = 0;

/// Numbers of [`MemberState`] on disk.
const STABLE: i8 = 0;
const UNREVOKED: i8 = 1;
const UNRELEASED: i8 = 2;
const UNKNOWN: i8 = 127;

impl ConsumerRecord {
    /// Key, and value unless it is a tombstone.
    pub(super) fn encode(&self, group: &Arc<str>) -> Result<(Bytes, Option<Bytes>), BadRecord> {
        let group_id = text(group);
        Ok(match self {
            ConsumerRecord::Epoch(epoch) => (
                key_bytes(kind::EPOCH, &EpochKey { group_id })?,
                epoch.as_ref().map(|epoch| value_bytes(&of_epoch(epoch), VERSION)).transpose()?,
            ),
            ConsumerRecord::Member(member, metadata) => (
                key_bytes(kind::MEMBER, &MemberKey { group_id, member_id: text(member) })?,
                metadata.as_ref().map(|metadata| value_bytes(&of_metadata(metadata), VERSION)).transpose()?,
            ),
            ConsumerRecord::TargetEpoch(target) => (
                key_bytes(kind::TARGET_EPOCH, &TargetEpochKey { group_id })?,
                target.as_ref().map(|target| value_bytes(&of_target_epoch(target), VERSION)).transpose()?,
            ),
            ConsumerRecord::Target(member, target) => (
                key_bytes(kind::TARGET, &TargetKey { group_id, member_id: text(member) })?,
                target.as_ref().map(|target| value_bytes(&of_target(target), VERSION)).transpose()?,
            ),
            ConsumerRecord::Current(member, current) => (
                key_bytes(kind::CURRENT, &CurrentKey { group_id, member_id: text(member) })?,
                current.as_ref().map(|current| value_bytes(&of_current(current), VERSION)).transpose()?,
            ),
            ConsumerRecord::Regex(pattern, resolved) => (
                key_bytes(kind::REGEX, &RegexKey { group_id, regular_expression: text(pattern) })?,
                resolved.as_ref().map(|resolved| value_bytes(&of_regex(resolved), VERSION)).transpose()?,
            ),
        })
    }

    /// The group and the record behind a key of this type; `None` for one that is not a consumer group's.
    pub(super) fn decode(
        kind: i16,
        named: Bytes,
        bytes: Option<Bytes>,
    ) -> Result<Option<(Arc<str>, ConsumerRecord)>, BadRecord> {
        Ok(Some(match kind {
            kind::EPOCH => {
                let named: EpochKey = key(named)?;
                (name(&named.group_id), ConsumerRecord::Epoch(value(bytes)?.map(to_epoch)))
            }
            kind::MEMBER => {
                let named: MemberKey = key(named)?;
                let metadata = value(bytes)?.map(|value| Box::new(to_metadata(&value)));
                (name(&named.group_id), ConsumerRecord::Member(name(&named.member_id), metadata))
            }
            kind::TARGET_EPOCH => {
                let named: TargetEpochKey = key(named)?;
                (name(&named.group_id), ConsumerRecord::TargetEpoch(value(bytes)?.map(to_target_epoch)))
            }
            kind::TARGET => {
                let named: TargetKey = key(named)?;
                let target = value(bytes)?.map(to_target);
                (name(&named.group_id), ConsumerRecord::Target(name(&named.member_id), target))
            }
            kind::CURRENT => {
                let named: CurrentKey = key(named)?;
                let current = value(bytes)?.map(|value| Box::new(to_current(&value)));
                (name(&named.group_id), ConsumerRecord::Current(name(&named.member_id), current))
            }
            kind::REGEX => {
                let named: RegexKey = key(named)?;
                let resolved = value(bytes)?.map(|value| to_regex(&value));
                (name(&named.group_id), ConsumerRecord::Regex(name(&named.regular_expression), resolved))
            }
            _ => return Ok(None),
        }))
    }
}

fn of_epoch(epoch: &GroupEpoch) -> EpochValue {
    EpochValue { epoch: epoch.epoch, metadata_hash: epoch.metadata_hash }
}

fn to_epoch(value: EpochValue) -> GroupEpoch {
    GroupEpoch { epoch: value.epoch, metadata_hash: value.metadata_hash }
}

fn of_target_epoch(target: &TargetEpoch) -> TargetEpochValue {
    TargetEpochValue { assignment_epoch: target.epoch, assignment_timestamp: target.at.0 }
}

fn to_target_epoch(value: TargetEpochValue) -> TargetEpoch {
    TargetEpoch { epoch: value.assignment_epoch, at: TimestampMs(value.assignment_timestamp) }
}

fn of_metadata(metadata: &MemberMetadata) -> MemberValue {
    let option = |name: &Option<Arc<str>>| name.as_ref().map(text);
    MemberValue {
        instance_id: option(&metadata.instance),
        rack_id: option(&metadata.rack),
        client_id: text(&metadata.client_id),
        client_host: text(&metadata.client_host),
        subscribed_topic_names: metadata.topics.iter().map(text).collect(),
        subscribed_topic_regex: option(&metadata.regex),
        rebalance_timeout_ms: metadata.rebalance_timeout_ms,
        server_assignor: option(&metadata.assignor),
        classic_member_metadata: metadata.classic.as_ref().map(of_classic_side),
    }
}

fn to_metadata(value: &MemberValue) -> MemberMetadata {
    let option = |text: &Option<Str>| text.as_ref().map(name);
    MemberMetadata {
        instance: option(&value.instance_id),
        rack: option(&value.rack_id),
        client_id: name(&value.client_id),
        client_host: name(&value.client_host),
        topics: value.subscribed_topic_names.iter().map(name).collect(),
        regex: option(&value.subscribed_topic_regex),
        rebalance_timeout_ms: value.rebalance_timeout_ms,
        assignor: option(&value.server_assignor),
        classic: value.classic_member_metadata.as_ref().map(to_classic_side),
    }
}

fn of_classic_side(side: &ClassicSide) -> member_value::ClassicMemberMetadata {
    let protocol = |protocol: &ClassicProtocol| member_value::ClassicProtocol {
        name: text(&protocol.name),
        metadata: protocol.metadata.clone(),
    };
    member_value::ClassicMemberMetadata {
        session_timeout_ms: side.session_timeout_ms,
        supported_protocols: side.protocols.iter().map(protocol).collect(),
    }
}

fn to_classic_side(value: &member_value::ClassicMemberMetadata) -> ClassicSide {
    let protocol = |protocol: &member_value::ClassicProtocol| ClassicProtocol {
        name: name(&protocol.name),
        metadata: detached(&protocol.metadata),
    };
    ClassicSide {
        session_timeout_ms: value.session_timeout_ms,
        protocols: value.supported_protocols.iter().map(protocol).collect(),
    }
}

fn of_target(target: &Assignment) -> TargetValue {
    let topic = |(id, partitions): (&TopicId, &BTreeSet<i32>)| TopicPartition {
        topic_id: *id,
        partitions: partitions.iter().copied().collect(),
    };
    TargetValue { topic_partitions: target.iter().map(topic).collect() }
}

fn to_target(value: TargetValue) -> Assignment {
    let topic = |topic: TopicPartition| (topic.topic_id, topic.partitions.into_iter().collect());
    value.topic_partitions.into_iter().map(topic).collect()
}

fn of_current(current: &Current) -> CurrentValue {
    CurrentValue {
        member_epoch: current.epoch,
        previous_member_epoch: current.previous_epoch,
        state: match current.state {
            MemberState::Stable => STABLE,
            MemberState::UnrevokedPartitions => UNREVOKED,
            MemberState::UnreleasedPartitions => UNRELEASED,
            MemberState::Unknown => UNKNOWN,
        },
        assigned_partitions: of_epochs(&current.assigned),
        partitions_pending_revocation: of_epochs(&current.revoking),
    }
}

fn to_current(value: &CurrentValue) -> Current {
    // Before Kafka 4.4 partitions had no epochs of their own. A member that left for a while has a negative epoch.
    let epoch = value.member_epoch.max(0);
    Current {
        epoch: value.member_epoch,
        previous_epoch: value.previous_member_epoch,
        state: match value.state {
            STABLE => MemberState::Stable,
            UNREVOKED => MemberState::UnrevokedPartitions,
            UNRELEASED => MemberState::UnreleasedPartitions,
            _ => MemberState::Unknown,
        },
        assigned: to_epochs(&value.assigned_partitions, epoch),
        revoking: to_epochs(&value.partitions_pending_revocation, epoch),
    }
}

fn of_epochs(topics: &BTreeMap<TopicId, BTreeMap<i32, i32>>) -> Vec<TopicPartitions> {
    let topic = |(id, epochs): (&TopicId, &BTreeMap<i32, i32>)| TopicPartitions {
        topic_id: *id,
        partitions: epochs.keys().copied().collect(),
        assignment_epochs: Some(epochs.values().copied().collect()),
    };
    topics.iter().map(topic).collect()
}

fn to_epochs(topics: &[TopicPartitions], otherwise: i32) -> BTreeMap<TopicId, BTreeMap<i32, i32>> {
    let topic = |topic: &TopicPartitions| {
        let epochs = topic.assignment_epochs.as_ref().filter(|epochs| epochs.len() == topic.partitions.len());
        let partitions = topic.partitions.iter().copied();
        let epochs = match epochs {
            Some(epochs) => partitions.zip(epochs.iter().copied()).collect(),
            None => partitions.map(|partition| (partition, otherwise)).collect(),
        };
        (topic.topic_id, epochs)
    };
    topics.iter().map(topic).collect()
}

fn of_regex(resolved: &ResolvedRegex) -> RegexValue {
    RegexValue {
        topics: resolved.topics.iter().map(text).collect(),
        version: resolved.version,
        timestamp: resolved.at.0,
    }
}

fn to_regex(value: &RegexValue) -> ResolvedRegex {
    ResolvedRegex {
        topics: value.topics.iter().map(name).collect(),
        version: value.version,
        at: TimestampMs(value.timestamp),
    }
}
