//! The durable truth of groups. Each field is what the latest record of one key says, and nothing else, so that a log
//! whose older records are gone gives the same state. What can be worked out from it is kept in `Soft`.

use super::records::{ConsumerRecord, GroupRecord};
use crate::types::{Epoch, Offset, TimestampMs, TopicId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All groups of one shard, by id.
#[derive(Debug, Default, PartialEq)]
pub struct GroupsHard {
    /// None is empty: a group of which nothing is written any more is gone.
    pub groups: BTreeMap<Arc<str>, Group>,
}

/// What is durable of one group. At rest at most one of `classic` and `consumer` is there.
#[derive(Debug, Default, PartialEq)]
pub struct Group {
    /// Committed offsets by topic and partition.
    pub offsets: BTreeMap<Arc<str>, BTreeMap<i32, Committed>>,
    /// A group of the classic protocol, as it was when its last rebalance ended.
    pub classic: Option<Box<ClassicGroup>>,
    /// A group of the consumer protocol (KIP-848).
    pub consumer: Option<Box<ConsumerGroup>>,
}

/// A committed offset (OffsetCommitValue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next record to be read.
    pub offset: Offset,
    /// Leader epoch of the last record read; -1 if not known.
    pub leader_epoch: Epoch,
    /// What the client wanted to remember.
    pub metadata: Arc<str>,
    /// When it was committed.
    pub at: TimestampMs,
    /// When it expires, if the client said so (old versions only).
    pub expires: Option<TimestampMs>,
    /// The topic that was meant; zero if not known.
    pub topic_id: TopicId,
}

impl Committed {
    /// Whether this may be an offset of the topic with this id: both ids are known and differ only if it is not.
    pub fn may_be_of(&self, topic: TopicId) -> bool {
        self.topic_id == topic || self.topic_id.is_zero() || topic.is_zero()
    }
}

/// A classic group as written (GroupMetadataValue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicGroup {
    /// `consumer`, `connect`, ...; empty if it never had members.
    pub protocol_type: Arc<str>,
    /// Number of the rebalance.
    pub generation: i32,
    /// The protocol chosen; none without members.
    pub protocol: Option<Arc<str>>,
    /// Id of the member that assigns; none without members.
    pub leader: Option<Arc<str>>,
    /// When the group came into its state: offsets of an empty group expire from here.
    pub state_at: TimestampMs,
    /// Its members, by id.
    pub members: BTreeMap<Arc<str>, ClassicMember>,
}

/// A member of a classic group as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicMember {
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// As the client calls itself.
    pub client_id: Arc<str>,
    /// Where it is.
    pub client_host: Arc<str>,
    /// Time it has to rejoin, ms.
    pub rebalance_timeout_ms: i32,
    /// Silence after which it is gone, ms.
    pub session_timeout_ms: i32,
    /// Its metadata for the chosen protocol.
    pub subscription: Bytes,
    /// What the leader assigned to it.
    pub assignment: Bytes,
}

/// Partitions by topic.
pub type Assignment = BTreeMap<TopicId, BTreeSet<i32>>;

/// A consumer group (KIP-848).
#[derive(Debug, Default, PartialEq)]
pub struct ConsumerGroup {
    /// ConsumerGroupMetadataValue
    pub epoch: Option<GroupEpoch>,
    /// ConsumerGroupTargetAssignmentMetadataValue
    pub target: Option<TargetEpoch>,
    /// Members by id. None is empty.
    pub members: BTreeMap<Arc<str>, ConsumerMember>,
    /// Regular expressions with the topics they matched, by pattern.
    pub regexes: BTreeMap<Arc<str>, ResolvedRegex>,
}

/// Epoch of a group: moves with each change of members, subscriptions or topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupEpoch {
    /// The epoch.
    pub epoch: i32,
    /// Hash over the subscribed topics as they were.
    pub metadata_hash: i64,
}

/// The epoch for which the target assignment was worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetEpoch {
    /// The epoch.
    pub epoch: i32,
    /// When.
    pub at: TimestampMs,
}

/// A member of a consumer group: what the latest record of each kind says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerMember {
    /// ConsumerGroupMemberMetadataValue
    pub metadata: Option<MemberMetadata>,
    /// ConsumerGroupTargetAssignmentMemberValue
    pub target: Option<Assignment>,
    /// ConsumerGroupCurrentMemberAssignmentValue
    pub current: Option<Current>,
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// `client.rack`
    pub rack: Option<Arc<str>>,
    /// As the client calls itself.
    pub client_id: Arc<str>,
    /// Where it is.
    pub client_host: Arc<str>,
    /// Topics by name.
    pub topics: BTreeSet<Arc<str>>,
    /// Topics by regular expression (RE2).
    pub regex: Option<Arc<str>>,
    /// Time it has to give up partitions, ms.
    pub rebalance_timeout_ms: i32,
    /// The assignor it asks for.
    pub assignor: Option<Arc<str>>,
    /// What it said in JoinGroup, for a member of the classic protocol.
    pub classic: Option<ClassicSide>,
}

/// The classic protocol's side of a member of a consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicSide {
    /// Silence after which it is gone, ms.
    pub session_timeout_ms: i32,
    /// Its protocols, in its order.
    pub protocols: Vec<ClassicProtocol>,
}

/// A protocol with the member's metadata for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicProtocol {
    /// Its name, such as `range`.
    pub name: Arc<str>,
    /// Opaque here but for consumers, whose subscription it is.
    pub metadata: Bytes,
}

/// Where a member is on its way to its target (`MemberState` of Kafka 4.4.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberState {
    /// Has all of its target.
    Stable,
    /// Has to give up partitions first.
    UnrevokedPartitions,
    /// Waits for partitions that others have not given up yet.
    UnreleasedPartitions,
    /// Written by a later release.
    Unknown,
}

/// What a member owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The member's epoch; -2 for a static member that left and may come back.
    pub epoch: i32,
    /// The one before.
    pub previous_epoch: i32,
    /// Where it stands.
    pub state: MemberState,
    /// Owned: partition to the epoch in which it was assigned.
    pub assigned: BTreeMap<TopicId, BTreeMap<i32, i32>>,
    /// To be given up: the same.
    pub revoking: BTreeMap<TopicId, BTreeMap<i32, i32>>,
}

/// The topics that a regular expression matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedRegex {
    /// Their names.
    pub topics: BTreeSet<Arc<str>>,
    /// Version of the table of topics.
    pub version: i64,
    /// When.
    pub at: TimestampMs,
}

impl GroupsHard {
    /// Takes over one record.
    pub(super) fn apply(&mut self, record: &GroupRecord) {
        let id = record.group();
        let group = match self.groups.get_mut(id) {
            Some(group) => group,
            None => self.groups.entry(Arc::clone(id)).or_default(),
        };
        group.apply(record);
        if group.is_gone() {
            self.groups.remove(id);
        }
    }

    /// A group, if anything is written of it.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// A consumer group.
    pub fn consumer(&self, id: &str) -> Option<&ConsumerGroup> {
        self.groups.get(id)?.consumer.as_deref()
    }
}

impl Group {
    fn is_gone(&self) -> bool {
        self.offsets.is_empty() && self.classic.is_none() && self.consumer.is_none()
    }

    fn apply(&mut self, record: &GroupRecord) {
        match record {
            GroupRecord::Offset { topic, partition, committed, .. } => {
                self.put_offset(topic, *partition, committed.as_ref());
            }
            GroupRecord::Classic { state, .. } => self.classic = state.clone(),
            GroupRecord::Consumer { record, .. } => {
                let consumer = self.consumer.get_or_insert_default();
                consumer.apply(record);
                if consumer.is_gone() {
                    self.consumer = None;
                }
            }
        }
    }

    fn put_offset(&mut self, topic: &Arc<str>, partition: i32, committed: Option<&Committed>) {
        match committed {
            Some(committed) => {
                let partitions = match self.offsets.get_mut(topic) {
                    Some(partitions) => partitions,
                    None => self.offsets.entry(Arc::clone(topic)).or_default(),
                };
                partitions.insert(partition, committed.clone());
            }
            None => {
                let Some(partitions) = self.offsets.get_mut(topic) else { return };
                partitions.remove(&partition);
                if partitions.is_empty() {
                    self.offsets.remove(topic);
                }
            }
        }
    }
}

impl ConsumerGroup {
    fn apply(&mut self, record: &ConsumerRecord) {
        match record {
            ConsumerRecord::Epoch(epoch) => self.epoch = *epoch,
            ConsumerRecord::TargetEpoch(target) => self.target = *target,
            ConsumerRecord::Member(id, metadata) => self.member(id, |member| {
                member.metadata = metadata.as_deref().cloned();
            }),
            ConsumerRecord::Target(id, target) => self.member(id, |member| member.target = target.clone()),
            ConsumerRecord::Current(id, current) => self.member(id, |member| {
                member.current = current.as_deref().cloned();
            }),
            ConsumerRecord::Regex(pattern, Some(resolved)) => {
                self.regexes.insert(Arc::clone(pattern), resolved.clone());
            }
            ConsumerRecord::Regex(pattern, None) => {
                self.regexes.remove(pattern);
            }
        }
    }

    fn member(&mut self, id: &Arc<str>, change: impl FnOnce(&mut ConsumerMember)) {
        let member = match self.members.get_mut(id) {
            Some(member) => member,
            None => self.members.entry(Arc::clone(id)).or_default(),
        };
        change(member);
        if member.is_gone() {
            self.members.remove(id);
        }
    }

    fn is_gone(&self) -> bool {
        self.epoch.is_none() && self.target.is_none() && self.members.is_empty() && self.regexes.is_empty()
    }
}

impl ConsumerMember {
    fn is_gone(&self) -> bool {
        self.metadata.is_none() && self.target.is_none() && self.current.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::{KeyValue, LogRecord};
    use crate::group::records::tests::a_record;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn replay<'a>(log: impl IntoIterator<Item = &'a KeyValue>) -> GroupsHard {
        let mut hard = GroupsHard::default();
        for (key, value) in log {
            let record = GroupRecord::decode(key.clone(), value.clone()).unwrap().unwrap();
            hard.apply(&record);
        }
        hard
    }

    proptest! {
        #[test]
        fn a_compacted_log_gives_the_same_state(records in vec(a_record(), 0..60)) {
            let log: Vec<KeyValue> = records.iter().map(|record| record.encode().unwrap()).collect();
            let newest: BTreeMap<_, _> = log.iter().enumerate().map(|(at, (key, _))| (key, at)).collect();
            let compacted = log.iter().enumerate().filter(|(at, (key, _))| newest[key] == *at);
            let without_tombstones = compacted.clone().filter(|(_, (_, value))| value.is_some());
            let hard = replay(&log);
            prop_assert_eq!(&replay(compacted.map(|(_, pair)| pair)), &hard);
            prop_assert_eq!(&replay(without_tombstones.map(|(_, pair)| pair)), &hard);
        }

        #[test]
        fn nothing_is_left_of_what_was_removed(records in vec(a_record(), 0..60)) {
            let log: Vec<KeyValue> = records.iter().map(|record| record.encode().unwrap()).collect();
            let tombstones: Vec<KeyValue> = log.iter().map(|(key, _)| (key.clone(), None)).collect();
            prop_assert_eq!(replay(log.iter().chain(&tombstones)), GroupsHard::default());
        }
    }
}
