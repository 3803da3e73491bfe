//! The bytes that consumers of the classic protocol send each other through the group (`ConsumerProtocol` of the Java
//! client): a version, then a subscription or an assignment. Must not know members.

use crate::group::state::Assignment;
use crate::group::topics::TopicTable;
use crate::types::TopicId;
use crate::wire::records::consumer_protocol_assignment::{ConsumerProtocolAssignment, TopicPartition};
use crate::wire::records::consumer_protocol_subscription::ConsumerProtocolSubscription;
use crate::wire::{Message, Reader, Str, Writer};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Of both messages; what a later version adds stands behind what this one has.
const VERSION_MAX: i16 = 3;

/// The bytes are not what a consumer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the embedded consumer protocol is malformed")]
pub(super) struct Malformed;

/// What a member reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscription {
    /// Names of topics.
    pub(super) topics: BTreeSet<Arc<str>>,
    /// What it owns, topics that are gone left out.
    pub(super) owned: Assignment,
    /// `client.rack`
    pub(super) rack: Option<Arc<str>>,
}

/// What a leader assigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    /// Topics that are gone left out.
    pub(super) partitions: Assignment,
    /// The assignor has told its members more than that.
    pub(super) has_user_data: bool,
}

fn version(r: &mut Reader) -> Result<i16, Malformed> {
    let version = i16::from_be_bytes(r.array().map_err(|_| Malformed)?);
    if version < 0 { Err(Malformed) } else { Ok(version.min(VERSION_MAX)) }
}

fn read<M: Message>(bytes: &Bytes) -> Result<M, Malformed> {
    let mut r = Reader::new(bytes.clone());
    let version = version(&mut r)?;
    M::decode(&mut r, version).map_err(|_| Malformed)
}

/// Reads a subscription.
pub(super) fn subscription(bytes: &Bytes, topics: &dyn TopicTable) -> Result<Subscription, Malformed> {
    let read: ConsumerProtocolSubscription = read(bytes)?;
    let owned = read.owned_partitions.iter().map(|owned| (&owned.topic, &*owned.partitions));
    Ok(Subscription {
        topics: read.topics.iter().map(|topic| Arc::from(&**topic)).collect(),
        owned: by_id(owned, topics),
        rack: read.rack_id.as_ref().map(|rack| Arc::from(&**rack)),
    })
}

/// Reads an assignment; no bytes are an empty one.
pub(super) fn assigned(bytes: &Bytes, topics: &dyn TopicTable) -> Result<Assigned, Malformed> {
    if bytes.is_empty() {
        return Ok(Assigned { partitions: Assignment::new(), has_user_data: false });
    }
    let read: ConsumerProtocolAssignment = read(bytes)?;
    let partitions = read.assigned_partitions.iter().map(|given| (&given.topic, &*given.partitions));
    Ok(Assigned {
        partitions: by_id(partitions, topics),
        has_user_data: read.user_data.is_some_and(|data| !data.is_empty()),
    })
}

fn by_id<'a>(named: impl Iterator<Item = (&'a Str, &'a [i32])>, topics: &dyn TopicTable) -> Assignment {
    let known = named.filter_map(|(name, numbers)| {
        let numbers: BTreeSet<i32> = numbers.iter().copied().collect();
        Some((topics.by_name(name)?.id, numbers))
    });
    known.filter(|(_, numbers)| !numbers.is_empty()).collect()
}

/// An assignment in the version that a member speaks, as its subscription shows it.
pub(super) fn write(
    assignment: impl Iterator<Item = (TopicId, Vec<i32>)>,
    subscription: &Bytes,
    topics: &dyn TopicTable,
) -> Result<Bytes, Malformed> {
    let version = version(&mut Reader::new(subscription.clone()))?;
    let named = assignment.filter_map(|(id, partitions)| {
        Some(TopicPartition { topic: Str::from(&*topics.by_id(id)?.name), partitions })
    });
    let message = ConsumerProtocolAssignment { assigned_partitions: named.collect(), user_data: None };
    let mut w = Writer::new();
    w.put(&version.to_be_bytes());
    message.encode(&mut w, version).map_err(|_| Malformed)?;
    w.finish().to_bytes().map_err(|_| Malformed)
}
