//! Behaviours of offsets, lists and deletion, on a whole machine. The rig compares state and replay after each step.

mod admin;
mod committing;
mod expiring;
mod forgetting;

use crate::coordinator::Load;
use crate::coordinator::testkit::Rig;
use crate::group::*;
use crate::types::{Epoch, ErrorCode, Offset, TopicId, Uuid};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// `offsets.retention.minutes` and `offsets.retention.check.interval.ms` are Kafka's own.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
const CHECK: Duration = Duration::from_secs(600);

fn id(byte: u8) -> TopicId {
    Uuid([byte; 16])
}

/// Topics by name.
#[derive(Clone, Default)]
struct Table {
    version: u64,
    topics: BTreeMap<Arc<str>, TopicId>,
}

impl Table {
    fn topic(&self, name: &str) -> Option<Topic> {
        let (name, id) = self.topics.get_key_value(name)?;
        Some(Topic { name: Arc::clone(name), id: *id, partitions: 10, internal: false })
    }
}

impl TopicTable for Table {
    fn by_name(&self, name: &str) -> Option<Topic> {
        self.topic(name)
    }

    fn by_id(&self, id: TopicId) -> Option<Topic> {
        let (name, _) = self.topics.iter().find(|(_, of)| **of == id)?;
        self.topic(name)
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        self.topics.keys().filter_map(|name| self.topic(name)).for_each(|topic| each(&topic));
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// A machine with what rules it.
struct World {
    rig: Rig<Groups>,
    table: Table,
    settings: GroupSettings,
}

impl World {
    /// Topics `a` and `b`, whose ids are made of 1 and 2.
    fn new() -> World {
        let topics = [("a".into(), id(1)), ("b".into(), id(2))].into();
        let table = Table { version: 1, topics };
        let mut world = World { rig: Rig::new(1), table, settings: GroupSettings::default() };
        world.tell();
        world
    }

    /// Tells the machine of topics and settings.
    fn tell(&mut self) {
        let topics = Arc::new(self.table.clone());
        let context = Context { topics, settings: Arc::new(self.settings.clone()) };
        assert!(matches!(self.rig.ask(Command::Context(context)), Reply::Done));
    }

    fn restart(&mut self) {
        self.rig.restart(Load::Start);
        self.tell();
    }

    /// A topic is made, made anew under another id, or (`None`) deleted.
    fn set_topic(&mut self, name: &str, id: Option<TopicId>) {
        match id {
            Some(id) => self.table.topics.insert(name.into(), id),
            None => self.table.topics.remove(name),
        };
        self.table.version += 1;
    }

    fn try_commit(&mut self, commit: Commit) -> Result<Vec<ErrorCode>, ErrorCode> {
        match self.rig.ask(Command::Commit(commit)) {
            Reply::Committed(outcome) => outcome.map_err(|refused| refused.code),
            _ => panic!("not the answer to a commit"),
        }
    }

    /// Commits as somebody who is no member.
    fn commit(&mut self, group: &str, topic: &str, partition: i32, offset: i64) {
        let commit = self.a_commit(group, topic, partition, offset);
        assert_eq!(self.try_commit(commit), Ok(vec![ErrorCode::NONE]));
    }

    fn a_commit(&self, group: &str, topic: &str, partition: i32, offset: i64) -> Commit {
        let partition = CommitPartition {
            topic: topic.into(),
            topic_id: self.table.topics.get(topic).copied().unwrap_or_default(),
            partition,
            offset: Offset(offset),
            leader_epoch: Epoch(3),
            metadata: Some("note".into()),
        };
        Commit {
            group: group.into(),
            member: "".into(),
            instance: None,
            generation: -1,
            knows_epochs: true,
            retention_ms: None,
            partitions: vec![partition],
        }
    }

    fn fetch(&mut self, group: &str, topics: Option<Vec<(Arc<str>, Vec<i32>)>>) -> Vec<TopicOffsets> {
        let fetch = FetchOffsets { group: group.into(), member: None, epoch: -1, topics };
        match self.rig.ask(Command::FetchOffsets(fetch)) {
            Reply::Offsets(outcome) => outcome.unwrap(),
            _ => panic!("not the answer to a fetch"),
        }
    }

    /// All that is committed: topic, partition, offset.
    fn committed(&mut self, group: &str) -> Vec<(String, i32, i64)> {
        let mut all = Vec::new();
        for topic in self.fetch(group, None) {
            for (partition, committed) in topic.partitions {
                all.push((topic.topic.to_string(), partition, committed.unwrap().offset.0));
            }
        }
        all
    }

    fn delete(&mut self, group: &str, partitions: &[(&str, i32)]) -> Result<Vec<ErrorCode>, ErrorCode> {
        let partitions = partitions.iter().map(|(topic, partition)| ((*topic).into(), *partition)).collect();
        match self.rig.ask(Command::DeleteOffsets(DeleteOffsets { group: group.into(), partitions })) {
            Reply::OffsetsDeleted(outcome) => outcome.map_err(|refused| refused.code),
            _ => panic!("not the answer to a deletion of offsets"),
        }
    }

    fn delete_group(&mut self, group: &str) -> Result<(), ErrorCode> {
        match self.rig.ask(Command::Delete(group.into())) {
            Reply::Deleted(outcome) => outcome.map_err(|refused| refused.code),
            _ => panic!("not the answer to a deletion"),
        }
    }

    /// Groups with their states.
    fn list(&mut self, list: List) -> Vec<(String, &'static str)> {
        match self.rig.ask(Command::List(list)) {
            Reply::Listed(all) => all.iter().map(|each| (each.group.to_string(), each.state)).collect(),
            _ => panic!("not the answer to a list"),
        }
    }

    fn groups(&mut self) -> Vec<(String, &'static str)> {
        self.list(List::default())
    }

    /// A member of the classic protocol, alone in its group and with the first assignment.
    fn join(&mut self, group: &str, protocol_type: &str, topics: &[&str]) -> Arc<str> {
        let protocol = ClassicProtocol { name: "range".into(), metadata: subscription(topics) };
        let join = Join {
            group: group.into(),
            member: "".into(),
            instance: None,
            client: client(),
            protocol_type: protocol_type.into(),
            protocols: vec![protocol],
            session_timeout_ms: 45_000,
            rebalance_timeout_ms: 300_000,
            must_know_its_id: false,
            can_skip_assignment: true,
            reason: None,
        };
        let call = self.rig.call(Command::Join(join));
        self.rig.advance(Duration::ZERO);
        let replies = self.rig.replies();
        let reply = replies.into_iter().find(|(to, _)| *to == call).expect("joined at once").1;
        let Reply::Joined(Ok(joined)) = reply else { panic!("not joined") };
        let sync = Sync {
            group: group.into(),
            member: Arc::clone(&joined.member),
            instance: None,
            generation: joined.generation,
            protocol_type: None,
            protocol: None,
            assignments: vec![(Arc::clone(&joined.member), Bytes::new())],
        };
        assert!(matches!(self.rig.ask(Command::Sync(sync)), Reply::Synced(Ok(_))));
        joined.member
    }

    fn leave(&mut self, group: &str, member: &Arc<str>) {
        let members = vec![Leaving { member: Arc::clone(member), instance: None, reason: None }];
        let leave = Leave { group: group.into(), members };
        assert!(matches!(self.rig.ask(Command::Leave(leave)), Reply::Left(Ok(_))));
    }

    /// A member of the consumer protocol joins (epoch 0), goes on, or leaves (epoch -1); its epoch.
    fn beat(&mut self, group: &str, member: &str, epoch: i32, topics: &[&str]) -> i32 {
        let beat = ConsumerHeartbeat {
            group: group.into(),
            member: member.into(),
            makes_its_id: true,
            epoch,
            instance: None,
            rack: None,
            client: client(),
            rebalance_timeout_ms: 300_000,
            topics: (epoch == 0).then(|| topics.iter().map(|topic| (*topic).into()).collect()),
            regex: None,
            assignor: None,
            owned: (epoch == 0).then(Assignment::new),
        };
        match self.rig.ask(Command::ConsumerHeartbeat(beat)) {
            Reply::ConsumerHeartbeat(outcome) => outcome.unwrap().epoch,
            _ => panic!("not the answer to a heartbeat"),
        }
    }
}

fn client() -> Client {
    Client { id: "app".into(), host: "/127.0.0.1".into() }
}

/// A subscription of a consumer, version 0.
fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 0];
    bytes.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        bytes.extend((topic.len() as i16).to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1i32).to_be_bytes());
    bytes.into()
}

fn named(topic: &str, partition: i32, offset: i64) -> (String, i32, i64) {
    (topic.to_owned(), partition, offset)
}

fn states(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
