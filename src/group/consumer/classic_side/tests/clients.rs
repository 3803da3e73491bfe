//! Requests of classic members in few words.

use crate::coordinator::CallId;
use crate::group::consumer::tests::world::{self, GROUP, World};
use crate::group::settings::MigrationPolicy;
use crate::group::state::ClassicProtocol;
use crate::group::{
    Assignment, Client, Command, Heartbeat, Join, Joined, Leave, Leaving, Left, NotJoined, Reply, Sync,
    Synced, TopicTable,
};
use crate::types::ErrorCode;
use crate::wire::records::consumer_protocol_assignment::{self, ConsumerProtocolAssignment};
use crate::wire::records::consumer_protocol_subscription::{ConsumerProtocolSubscription, TopicPartition};
use crate::wire::{Message, Reader, Str, Writer};
use bytes::Bytes;
use std::sync::Arc;

/// The subscription of a consumer, in version 1.
pub fn subscription(topics: &[&str], owned: &[(&str, &[i32])]) -> Bytes {
    let owned = owned.iter().map(|(topic, partitions)| TopicPartition {
        topic: Str::from(*topic),
        partitions: partitions.to_vec(),
    });
    let message = ConsumerProtocolSubscription {
        topics: topics.iter().map(|topic| Str::from(*topic)).collect(),
        user_data: None,
        owned_partitions: owned.collect(),
        generation_id: -1,
        rack_id: None,
    };
    written(&message, 1)
}

/// What a leader assigns, in version 1.
pub fn assignment(partitions: &[(&str, &[i32])], user_data: Option<&'static str>) -> Bytes {
    let given = partitions.iter().map(|(topic, partitions)| consumer_protocol_assignment::TopicPartition {
        topic: Str::from(*topic),
        partitions: partitions.to_vec(),
    });
    let message = ConsumerProtocolAssignment {
        assigned_partitions: given.collect(),
        user_data: user_data.map(|data| Bytes::from_static(data.as_bytes())),
    };
    written(&message, 1)
}

fn written(message: &impl Message, version: i16) -> Bytes {
    let mut w = Writer::new();
    w.put(&version.to_be_bytes());
    message.encode(&mut w, version).unwrap();
    w.finish().to_bytes().unwrap()
}

/// The version of an assignment, and its partitions by name.
pub fn read(bytes: Bytes) -> (i16, Vec<(String, Vec<i32>)>) {
    let mut r = Reader::new(bytes);
    let version = i16::from_be_bytes(r.array().unwrap());
    let read = ConsumerProtocolAssignment::decode(&mut r, version).unwrap();
    r.end().unwrap();
    (
        version,
        read.assigned_partitions.into_iter().map(|one| (one.topic.to_string(), one.partitions)).collect(),
    )
}

/// How many partitions these are.
pub fn count(bytes: &Bytes) -> usize {
    read(bytes.clone()).1.iter().map(|(_, partitions)| partitions.len()).sum()
}

/// JoinGroup of a member that reads these topics with the assignor `range`.
pub fn join(member: &str, topics: &[&str], owned: &[(&str, &[i32])]) -> Join {
    Join {
        group: GROUP.into(),
        member: member.into(),
        instance: None,
        client: Client { id: "client".into(), host: "/127.0.0.1".into() },
        protocol_type: "consumer".into(),
        protocols: vec![ClassicProtocol { name: "range".into(), metadata: subscription(topics, owned) }],
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 20_000,
        must_know_its_id: false,
        can_skip_assignment: true,
        reason: None,
    }
}

/// With an instance.
pub fn of_instance(join: Join, instance: &str) -> Join {
    Join { instance: Some(instance.into()), ..join }
}

impl World {
    /// Sends a JoinGroup.
    pub fn call_join(&mut self, join: Join) -> CallId {
        self.rig.call(Command::Join(join))
    }

    /// A JoinGroup that is answered at once.
    pub fn try_join(&mut self, join: Join) -> Result<Joined, NotJoined> {
        let Reply::Joined(answer) = self.rig.ask(Command::Join(join)) else { panic!("another reply") };
        answer
    }

    /// A JoinGroup that is taken.
    pub fn classic_join(&mut self, join: Join) -> Joined {
        self.try_join(join).unwrap()
    }

    /// The code with which a JoinGroup is refused.
    pub fn join_refused(&mut self, join: Join) -> ErrorCode {
        self.try_join(join).unwrap_err().refused.code
    }

    /// A SyncGroup that is answered at once.
    pub fn try_sync(&mut self, sync: Sync) -> Result<Synced, ErrorCode> {
        let Reply::Synced(answer) = self.rig.ask(Command::Sync(sync)) else { panic!("another reply") };
        answer.map_err(|refused| refused.code)
    }

    /// What a member may own.
    pub fn classic_sync(&mut self, member: &str, generation: i32) -> Bytes {
        self.try_sync(sync(member, generation)).unwrap().assignment
    }

    /// Heartbeat.
    pub fn classic_beat(&mut self, member: &str, generation: i32) -> ErrorCode {
        let beat = Heartbeat { group: GROUP.into(), member: member.into(), instance: None, generation };
        let Reply::Heartbeat(answer) = self.rig.ask(Command::Heartbeat(beat)) else {
            panic!("another reply")
        };
        answer.err().map_or(ErrorCode::NONE, |refused| refused.code)
    }

    /// LeaveGroup.
    pub fn classic_leave(&mut self, leaving: &[(&str, Option<&str>)]) -> Vec<Left> {
        let members = leaving.iter().map(|(member, instance)| Leaving {
            member: (*member).into(),
            instance: instance.map(Arc::from),
            reason: None,
        });
        let leave = Leave { group: GROUP.into(), members: members.collect() };
        let Reply::Left(answer) = self.rig.ask(Command::Leave(leave)) else { panic!("another reply") };
        answer.unwrap()
    }

    /// The answers to parked calls.
    pub fn joined_later(&mut self) -> Vec<Result<Joined, ErrorCode>> {
        let replies = self.rig.replies().into_iter();
        let joined = replies.filter_map(|(_, reply)| match reply {
            Reply::Joined(answer) => Some(answer.map_err(|not| not.refused.code)),
            _ => None,
        });
        joined.collect()
    }

    /// A stable classic group of two members, each with an equal share of the four partitions of `t`.
    pub fn classic_group(&mut self) -> [Arc<str>; 2] {
        self.classic_group_with(assignment(&[("t", &[0, 1])], None))
    }

    /// As `classic_group`; `first` is what the first member is assigned.
    pub fn classic_group_with(&mut self, first: Bytes) -> [Arc<str>; 2] {
        self.call_join(join("", &["t"], &[]));
        let joined = self.joined_later().remove(0).unwrap();
        let (leader, generation) = (joined.member, joined.generation + 1);
        self.try_sync(sync(&leader, joined.generation)).unwrap();
        self.call_join(join("", &["t"], &[]));
        self.call_join(join(&leader, &["t"], &[]));
        let joined = self.joined_later();
        let follower = joined.iter().flatten().find(|joined| joined.member != leader).unwrap().member.clone();
        let second = assignment(&[("t", &[2, 3])], None);
        let assignments = vec![(Arc::clone(&leader), first), (Arc::clone(&follower), second)];
        self.try_sync(Sync { assignments, ..sync(&leader, generation) }).unwrap();
        self.classic_sync(&follower, generation);
        [leader, follower]
    }

    /// A classic member that owns all of `t` in a consumer group that `other` made and left.
    pub fn classic_join_first(&mut self, other: &str) -> Arc<str> {
        self.settings.migration = MigrationPolicy::Upgrade;
        self.tell();
        self.joins(other, &["t"]);
        let id = self.classic_join(join("", &["t"], &[])).member;
        self.beat(world::keep(other, -1));
        self.settings.migration = MigrationPolicy::Bidirectional;
        self.tell();
        self.classic_join(join(&id, &["t"], &[]));
        assert_eq!(self.assigned(&id).values().map(|numbers| numbers.len()).sum::<usize>(), 4);
        id
    }

    /// What a member of the consumer group is assigned, by number of partitions.
    pub fn assigned(&self, member: &str) -> Assignment {
        let current = self.rig.hard().consumer(GROUP).unwrap().current(member).unwrap();
        let numbers =
            |partitions: &std::collections::BTreeMap<i32, i32>| partitions.keys().copied().collect();
        current.assigned.iter().map(|(topic, partitions)| (*topic, numbers(partitions))).collect()
    }

    /// An assignment with names, for comparison.
    pub fn named(&self, assignment: &Assignment) -> Vec<(String, Vec<i32>)> {
        let name = |id| self.table.by_id(id).unwrap().name.to_string();
        assignment.iter().map(|(id, numbers)| (name(*id), numbers.iter().copied().collect())).collect()
    }
}

/// SyncGroup without assignments.
pub fn sync(member: &str, generation: i32) -> Sync {
    Sync {
        group: GROUP.into(),
        member: member.into(),
        instance: None,
        generation,
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        assignments: Vec::new(),
    }
}
