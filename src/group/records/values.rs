//! Values of committed offsets and of classic groups. Must not know their keys.

use super::shared::{detached, name, text, value_bytes};
use crate::coordinator::BadRecord;
use crate::group::state::{ClassicGroup, ClassicMember, Committed};
use crate::types::{Epoch, Offset, TimestampMs};
use crate::wire::Str;
use crate::wire::records::group_metadata_value::{GroupMetadataValue, MemberMetadata};
use crate::wire::records::offset_commit_value::OffsetCommitValue;
use bytes::Bytes;
use std::sync::Arc;

/// With the topic's id, without a time of expiry.
const OFFSET_VERSION: i16 = 4;
/// The only version with a time of expiry; it has neither leader epoch nor topic id.
const EXPIRING_OFFSET_VERSION: i16 = 1;
/// The last version before tags, as Kafka 4.4.0 writes it.
const CLASSIC_VERSION: i16 = 3;

/// The bytes of a committed offset. One that expires by itself must not have a leader epoch or a topic id: no version
/// has room for all of them, and what is not written would be gone after a restart.
pub(super) fn of_offset(committed: &Committed) -> Result<Bytes, BadRecord> {
    let expires = committed.expires.is_some();
    if expires && (committed.leader_epoch != Epoch::NONE || !committed.topic_id.is_zero()) {
        return Err(BadRecord::new("an offset that expires by itself with a leader epoch or a topic id"));
    }
    let value = OffsetCommitValue {
        offset: committed.offset.0,
        leader_epoch: committed.leader_epoch.0,
        metadata: text(&committed.metadata),
        commit_timestamp: committed.at.0,
        expire_timestamp: committed.expires.unwrap_or(TimestampMs::NONE).0,
        topic_id: committed.topic_id,
    };
    value_bytes(&value, if expires { EXPIRING_OFFSET_VERSION } else { OFFSET_VERSION })
}

pub(super) fn to_offset(value: OffsetCommitValue) -> Committed {
    let expires = TimestampMs(value.expire_timestamp);
    Committed {
        offset: Offset(value.offset),
        leader_epoch: Epoch(value.leader_epoch),
        metadata: name(&value.metadata),
        at: TimestampMs(value.commit_timestamp),
        expires: (expires != TimestampMs::NONE).then_some(expires),
        topic_id: value.topic_id,
    }
}

/// The bytes of a classic group.
pub(super) fn of_classic(group: &ClassicGroup) -> Result<Bytes, BadRecord> {
    let value = GroupMetadataValue {
        protocol_type: text(&group.protocol_type),
        generation: group.generation,
        protocol: group.protocol.as_ref().map(text),
        leader: group.leader.as_ref().map(text),
        current_state_timestamp: group.state_at.0,
        members: group.members.iter().map(|(id, member)| of_member(id, member)).collect(),
    };
    value_bytes(&value, CLASSIC_VERSION)
}

fn of_member(id: &Arc<str>, member: &ClassicMember) -> MemberMetadata {
    MemberMetadata {
        member_id: text(id),
        group_instance_id: member.instance.as_ref().map(text),
        client_id: text(&member.client_id),
        client_host: text(&member.client_host),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: member.subscription.clone(),
        assignment: member.assignment.clone(),
    }
}

pub(super) fn to_classic(value: GroupMetadataValue) -> ClassicGroup {
    let option = |text: &Option<Str>| text.as_ref().map(name);
    ClassicGroup {
        protocol_type: name(&value.protocol_type),
        generation: value.generation,
        protocol: option(&value.protocol),
        leader: option(&value.leader),
        state_at: TimestampMs(value.current_state_timestamp),
        members: value.members.iter().map(|member| (name(&member.member_id), to_member(member))).collect(),
    }
}

fn to_member(member: &MemberMetadata) -> ClassicMember {
    // Members of version 0 had one time for both.
    let rebalance_timeout_ms = match member.rebalance_timeout {
        -1 => member.session_timeout,
        timeout => timeout,
    };
    ClassicMember {
        instance: member.group_instance_id.as_ref().map(name),
        client_id: name(&member.client_id),
        client_host: name(&member.client_host),
        rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout,
        subscription: detached(&member.subscription),
        assignment: detached(&member.assignment),
    }
}
