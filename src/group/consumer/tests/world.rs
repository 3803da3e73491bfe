//! A machine with topics that tests can change, and requests in few words.

use crate::coordinator::Load;
use crate::coordinator::testkit::Rig;
use crate::group::consumer::index::Index;
use crate::group::machine::Groups;
use crate::group::{
    Assignment, Client, Command, ConsumerDescribed, ConsumerHeartbeat, ConsumerHeartbeatAnswer,
    ConsumerRecord, Context, GroupRecord, GroupSettings, Refused, Reply, Topic, TopicTable,
};
use crate::types::{ErrorCode, TopicId, Uuid};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The group of most tests.
pub const GROUP: &str = "group";

/// Topics at one moment.
#[derive(Clone, Default)]
pub struct Table {
    topics: BTreeMap<Arc<str>, Topic>,
    version: u64,
    made: u32,
}

impl Table {
    /// Makes a topic, or one again under a new id, or adds partitions.
    pub fn set(&mut self, name: &str, partitions: i32) -> TopicId {
        self.version += 1;
        let known = self.topics.get(name).map(|topic| topic.id);
        let id = known.unwrap_or_else(|| {
            self.made += 1;
            Uuid::from_random(u128::from(self.made) << 64)
        });
        let topic = Topic { name: name.into(), id, partitions, internal: name.starts_with("__") };
        self.topics.insert(name.into(), topic);
        id
    }

    /// Deletes a topic.
    pub fn delete(&mut self, name: &str) {
        self.version += 1;
        self.topics.remove(name);
    }

    /// Id of a topic.
    pub fn id(&self, name: &str) -> TopicId {
        self.topics[name].id
    }
}

impl TopicTable for Table {
    fn by_name(&self, name: &str) -> Option<Topic> {
        self.topics.get(name).cloned()
    }

    fn by_id(&self, id: TopicId) -> Option<Topic> {
        self.topics.values().find(|topic| topic.id == id).cloned()
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        self.topics.values().for_each(each);
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        vec!["rack".into()]
    }
}

/// A machine, its topics and its settings.
pub struct World {
    pub rig: Rig<Groups>,
    pub table: Table,
    pub settings: GroupSettings,
}

impl World {
    /// A machine that knows these topics.
    pub fn new(topics: &[(&str, i32)]) -> World {
        let mut table = Table::default();
        for (name, partitions) in topics {
            table.set(name, *partitions);
        }
        let mut world = World { rig: Rig::new(1), table, settings: GroupSettings::default() };
        // Most tests want to see the target at once.
        world.settings.consumer.assignment_interval = Duration::ZERO;
        world.tell();
        world
    }

    /// Tells the machine of topics and settings as they are now.
    pub fn tell(&mut self) {
        let topics = Arc::new(self.table.clone());
        let context = Context { topics, settings: Arc::new(self.settings.clone()) };
        assert!(matches!(self.rig.ask(Command::Context(context)), Reply::Done));
    }

    /// Makes or grows a topic.
    pub fn set_topic(&mut self, name: &str, partitions: i32) {
        self.table.set(name, partitions);
        self.tell();
    }

    /// The machine starts again from its log.
    pub fn restart(&mut self) {
        self.rig.restart(Load::Start);
        self.tell();
        self.check();
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        self.rig.advance(Duration::from_millis(ms));
        self.check();
    }

    /// Sends a heartbeat.
    pub fn try_beat(&mut self, beat: ConsumerHeartbeat) -> Result<ConsumerHeartbeatAnswer, Refused> {
        let reply = self.rig.ask(Command::ConsumerHeartbeat(beat));
        self.check();
        let Reply::ConsumerHeartbeat(answer) = reply else { panic!("another reply") };
        answer
    }

    /// Sends a heartbeat that is right.
    pub fn beat(&mut self, beat: ConsumerHeartbeat) -> ConsumerHeartbeatAnswer {
        self.try_beat(beat).unwrap()
    }

    /// Sends a heartbeat that is refused.
    pub fn refused(&mut self, beat: ConsumerHeartbeat) -> ErrorCode {
        self.try_beat(beat).unwrap_err().code
    }

    /// Joins and returns the epoch.
    pub fn joins(&mut self, member: &str, topics: &[&str]) -> i32 {
        self.beat(join(member, topics)).epoch
    }

    /// Partitions of topics by name.
    pub fn partitions(&self, of: &[(&str, &[i32])]) -> Assignment {
        of.iter()
            .map(|(name, partitions)| (self.table.id(name), partitions.iter().copied().collect()))
            .collect()
    }

    /// Describes the group.
    pub fn describe(&mut self) -> ConsumerDescribed {
        let reply = self.rig.ask(Command::DescribeConsumer(GROUP.into()));
        let Reply::ConsumerDescribed(described) = reply else { panic!("another reply") };
        described.unwrap()
    }

    /// Kafka's name of the group's state.
    pub fn state(&mut self) -> &'static str {
        self.describe().state
    }

    /// The group's epoch and its target's.
    pub fn epochs(&mut self) -> (i32, i32) {
        let described = self.describe();
        (described.epoch, described.target_epoch)
    }

    /// Ids of the members.
    pub fn members(&mut self) -> Vec<String> {
        self.describe().members.iter().map(|member| member.member.to_string()).collect()
    }

    /// Kinds of the records since `from`, in order.
    pub fn kinds(&self, from: usize) -> Vec<&'static str> {
        self.rig.records().iter().skip(from).map(kind).collect()
    }

    /// What is kept beside the durable state is a function of it.
    pub fn check(&mut self) {
        self.rig.step(|cx| {
            let (hard, soft) = cx.state();
            let live = &soft.consumer.groups;
            let all = hard.groups.iter().filter(|(_, group)| group.consumer.is_some());
            assert_eq!(all.count(), live.len());
            for (id, index) in live {
                let mut anew = Index::of(hard.consumer(id).unwrap());
                anew.checked = index.checked;
                assert_eq!(&anew, index, "the index of {id}");
            }
        });
    }
}

fn kind(record: &GroupRecord) -> &'static str {
    let GroupRecord::Consumer { record, .. } = record else { return "other" };
    match record {
        ConsumerRecord::Epoch(Some(_)) => "epoch",
        ConsumerRecord::Epoch(None) => "-epoch",
        ConsumerRecord::Member(_, Some(_)) => "member",
        ConsumerRecord::Member(_, None) => "-member",
        ConsumerRecord::TargetEpoch(Some(_)) => "target epoch",
        ConsumerRecord::TargetEpoch(None) => "-target epoch",
        ConsumerRecord::Target(_, Some(_)) => "target",
        ConsumerRecord::Target(_, None) => "-target",
        ConsumerRecord::Current(_, Some(_)) => "current",
        ConsumerRecord::Current(_, None) => "-current",
        ConsumerRecord::Regex(_, Some(_)) => "regex",
        ConsumerRecord::Regex(_, None) => "-regex",
    }
}

/// A heartbeat that says nothing new.
pub fn keep(member: &str, epoch: i32) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        group: GROUP.into(),
        member: member.into(),
        makes_its_id: true,
        epoch,
        instance: None,
        rack: None,
        client: Client { id: "client".into(), host: "/127.0.0.1".into() },
        rebalance_timeout_ms: -1,
        topics: None,
        regex: None,
        assignor: None,
        owned: None,
    }
}

/// One that says what the member owns.
pub fn keep_with(member: &str, epoch: i32, owned: Assignment) -> ConsumerHeartbeat {
    ConsumerHeartbeat { owned: Some(owned), ..keep(member, epoch) }
}

/// One that joins.
pub fn join(member: &str, topics: &[&str]) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        rebalance_timeout_ms: 30_000,
        topics: Some(topics.iter().map(|name| (*name).into()).collect()),
        owned: Some(Assignment::new()),
        ..keep(member, 0)
    }
}

/// One that joins as a static member.
pub fn join_static(member: &str, instance: &str, topics: &[&str]) -> ConsumerHeartbeat {
    ConsumerHeartbeat { instance: Some(instance.into()), ..join(member, topics) }
}

/// One that joins with a regular expression.
pub fn join_regex(member: &str, regex: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat { topics: None, regex: Some(regex.into()), ..join(member, &[]) }
}
