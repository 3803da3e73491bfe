//! Groups and members as a person sees them, of whichever protocol they are.

use super::coordinator::Coordinator;
use crate::wire::messages::consumer_group_describe::{
    Assignment, DescribedGroup as ConsumerGroup, Member as ConsumerMember,
};
use crate::wire::messages::describe_groups::{
    DescribedGroup as ClassicGroup, DescribedGroupMember as ClassicMember,
};
use crate::wire::records::consumer_protocol_assignment::ConsumerProtocolAssignment;
use crate::wire::records::consumer_protocol_subscription::ConsumerProtocolSubscription;
use crate::wire::{Message, Reader};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Newest version of what members of the classic protocol tell each other.
const CONSUMER_PROTOCOL: i16 = 3;
/// Protocol type of the classic groups whose members are consumers; Connect and others have their own.
const CONSUMERS: &str = "consumer";

/// By which protocol members and coordinator speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// The members assign partitions.
    Classic,
    /// The coordinator assigns partitions (KIP-848).
    Consumer,
}

/// A group with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// By which protocol it speaks.
    pub kind: GroupKind,
    /// Its state, in Kafka's word.
    pub state: String,
    /// What its members are; empty for a group that only holds offsets.
    pub protocol_type: String,
    /// Who assigns partitions, and how; empty where nobody does.
    pub assignor: String,
    /// Epoch of the group, where it has one.
    pub epoch: Option<i32>,
    /// Who keeps it.
    pub coordinator: Coordinator,
    /// Its members, by client id and member id.
    pub members: Vec<MemberView>,
}

/// A member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MemberView {
    /// Its id.
    pub member: String,
    /// Its name over restarts, if it has one (static membership).
    pub instance: Option<String>,
    /// What it calls itself.
    pub client: String,
    /// Where it is.
    pub host: String,
    /// Its epoch, where members have one.
    pub epoch: Option<i32>,
    /// Topics it subscribed to by name.
    pub subscribed: Vec<String>,
    /// The expression by which it subscribed.
    pub pattern: Option<String>,
    /// Partitions it has, by topic.
    pub assigned: BTreeMap<String, Vec<i32>>,
}

/// A group of the protocol of KIP-848.
pub(super) fn consumer_view(found: ConsumerGroup, coordinator: Coordinator) -> GroupView {
    let mut members: Vec<MemberView> = found.members.into_iter().map(consumer_member).collect();
    sort(&mut members);
    GroupView {
        kind: GroupKind::Consumer,
        state: found.group_state.to_string(),
        protocol_type: CONSUMERS.to_owned(),
        assignor: found.assignor_name.to_string(),
        epoch: Some(found.group_epoch),
        coordinator,
        members,
    }
}

fn consumer_member(member: ConsumerMember) -> MemberView {
    MemberView {
        member: member.member_id.to_string(),
        instance: member.instance_id.map(|id| id.to_string()),
        client: member.client_id.to_string(),
        host: plain_host(&member.client_host),
        epoch: Some(member.member_epoch),
        subscribed: member.subscribed_topic_names.iter().map(|topic| topic.to_string()).collect(),
        pattern: member
            .subscribed_topic_regex
            .map(|regex| regex.to_string())
            .filter(|regex| !regex.is_empty()),
        assigned: by_topic(member.assignment),
    }
}

fn by_topic(assignment: Assignment) -> BTreeMap<String, Vec<i32>> {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for topic in assignment.topic_partitions {
        topics.entry(topic.topic_name.to_string()).or_default().extend(topic.partitions);
    }
    topics.values_mut().for_each(|partitions| partitions.sort_unstable());
    topics
}

/// A group of the classic protocol.
pub(super) fn classic_view(found: ClassicGroup, coordinator: Coordinator) -> GroupView {
    let are_consumers = &*found.protocol_type == CONSUMERS;
    let view = |member: ClassicMember| classic_member(member, are_consumers);
    let mut members: Vec<MemberView> = found.members.into_iter().map(view).collect();
    sort(&mut members);
    GroupView {
        kind: GroupKind::Classic,
        state: found.group_state.to_string(),
        protocol_type: found.protocol_type.to_string(),
        assignor: found.protocol_data.to_string(),
        epoch: None,
        coordinator,
        members,
    }
}

/// What members told each other is theirs to shape: what cannot be read is left out.
fn classic_member(member: ClassicMember, is_consumer: bool) -> MemberView {
    let mut view = MemberView {
        member: member.member_id.to_string(),
        instance: member.group_instance_id.map(|id| id.to_string()),
        client: member.client_id.to_string(),
        host: plain_host(&member.client_host),
        ..MemberView::default()
    };
    if !is_consumer {
        return view;
    }
    if let Some(said) = told::<ConsumerProtocolSubscription>(member.member_metadata) {
        view.subscribed = said.topics.iter().map(|topic| topic.to_string()).collect();
    }
    if let Some(got) = told::<ConsumerProtocolAssignment>(member.member_assignment) {
        for topic in got.assigned_partitions {
            view.assigned.entry(topic.topic.to_string()).or_default().extend(topic.partitions);
        }
        view.assigned.values_mut().for_each(|partitions| partitions.sort_unstable());
    }
    view
}

/// A message of the consumer protocol behind its version. Later versions only add at the end.
fn told<M: Message>(bytes: Bytes) -> Option<M> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16().ok().filter(|version| *version >= 0)?;
    M::decode(&mut reader, version.min(CONSUMER_PROTOCOL)).ok()
}

/// Kafka shows an address as Java does: `/127.0.0.1`.
fn plain_host(host: &str) -> String {
    host.trim_start_matches('/').to_owned()
}

fn sort(members: &mut [MemberView]) {
    members.sort_by(|a, b| (&a.client, &a.member).cmp(&(&b.client, &b.member)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Writer;
    use crate::wire::records::consumer_protocol_assignment::TopicPartition;

    fn written<M: Message>(message: &M, version: i16) -> Bytes {
        let mut writer = Writer::new();
        writer.i16(version);
        message.encode(&mut writer, version.min(CONSUMER_PROTOCOL)).unwrap();
        writer.finish().to_bytes().unwrap()
    }

    #[test]
    fn what_classic_members_told_each_other_is_read_in_every_version() {
        let topic = TopicPartition { topic: "orders".into(), partitions: vec![2, 0] };
        let assignment =
            ConsumerProtocolAssignment { assigned_partitions: vec![topic], ..Default::default() };
        for version in [0, 1, 2, 3, 9] {
            let member =
                ClassicMember { member_assignment: written(&assignment, version), ..Default::default() };
            let view = classic_member(member, true);
            assert_eq!(view.assigned, BTreeMap::from([("orders".to_owned(), vec![0, 2])]), "{version}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let junk = Bytes::from_static(b"\x00\x01\xff\xff");
        for bytes in [Bytes::new(), junk, Bytes::from_static(b"\xff\xff")] {
            let member = ClassicMember {
                member_id: "m".into(),
                client_host: "/10.0.0.1".into(),
                member_metadata: bytes.clone(),
                member_assignment: bytes,
                ..Default::default()
            };
            let view = classic_member(member, true);
            let expect =
                MemberView { member: "m".to_owned(), host: "10.0.0.1".to_owned(), ..Default::default() };
            assert_eq!(view, expect);
        }
    }
}
