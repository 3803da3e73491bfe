//! The machine, its clients, and time.

use super::classic_client::{ClassicClient, Stage, flat};
use super::client::Client;
use super::modern_client::ModernClient;
use crate::coordinator::{CallId, Solo};
use crate::group::machine::Groups;
use crate::group::state::MemberState;
use crate::group::{Assignment, Command, Context, GroupSettings, Reply, Topic, TopicTable};
use crate::sys::SeededRng;
use crate::types::{TopicId, Uuid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub const GROUP: &str = "group";
const TOPICS: u8 = 8;
const PARTITIONS: i32 = 100;

/// The protocol of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The consumer protocol.
    Modern,
    /// The classic one, with an eager assignor.
    Eager,
    /// The classic one, with a cooperative assignor.
    Cooperative,
}

struct Table(BTreeMap<TopicId, Topic>);

impl TopicTable for Table {
    fn by_name(&self, name: &str) -> Option<Topic> {
        self.0.values().find(|topic| &*topic.name == name).cloned()
    }

    fn by_id(&self, id: TopicId) -> Option<Topic> {
        self.0.get(&id).cloned()
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        self.0.values().for_each(each);
    }

    fn version(&self) -> u64 {
        1
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        Vec::new()
    }
}

pub struct World {
    solo: Solo<Groups>,
    kinds: Vec<Kind>,
    table: Arc<Table>,
    chance: SeededRng,
    now: u64,
    clients: BTreeMap<usize, Client>,
    made: usize,
    /// When each client acts next.
    due: BTreeSet<(u64, usize)>,
    calls: BTreeMap<CallId, usize>,
    /// Who reads each partition.
    readers: BTreeMap<(TopicId, i32), usize>,
    /// What each client reads.
    noted: BTreeMap<usize, Assignment>,
    /// Ids of crashed members that the group still has.
    dead: BTreeSet<Arc<str>>,
    last_change: u64,
    /// Clients may crash; else they leave.
    pub crashes: bool,
    was_consumer: bool,
    /// How often the group changed its protocol.
    pub turns: usize,
}

impl World {
    pub fn new(kinds: &[Kind], seed: u64) -> World {
        let topic = |number: u8| {
            let id = Uuid::from_random(u128::from(number) << 64);
            let name = format!("topic-{number}").into();
            (id, Topic { name, id, partitions: PARTITIONS, internal: false })
        };
        let table = Arc::new(Table((1..=TOPICS).map(topic).collect()));
        let mut solo = Solo::new(seed);
        let settings = Arc::new(GroupSettings::default());
        solo.call(Command::Context(Context { topics: Arc::<Table>::clone(&table), settings }));
        solo.replies();
        World {
            solo,
            kinds: kinds.to_vec(),
            table,
            chance: SeededRng::new(seed),
            now: 0,
            clients: BTreeMap::new(),
            made: 0,
            due: BTreeSet::new(),
            calls: BTreeMap::new(),
            readers: BTreeMap::new(),
            noted: BTreeMap::new(),
            dead: BTreeSet::new(),
            last_change: 0,
            crashes: true,
            was_consumer: false,
            turns: 0,
        }
    }

    fn below(&self, end: usize) -> usize {
        self.chance.below(end as u64) as usize
    }

    /// So many clients, within the first seconds.
    pub fn start(&mut self, clients: usize) {
        for _ in 0..clients {
            self.join();
        }
    }

    /// A client comes, goes or crashes, a little later than the event before.
    pub fn event(&mut self, clients: usize) {
        let until = self.now + self.chance.below(200);
        self.run(until);
        let grows =
            self.clients.len() < clients && (self.below(2) == 0 || self.clients.len() * 10 < clients * 9);
        if grows {
            return self.join();
        }
        let at = self.below(self.clients.len());
        let Some(chosen) = self.clients.keys().nth(at).copied() else { return self.join() };
        self.remove(chosen);
    }

    fn join(&mut self) {
        self.made += 1;
        let topics: Vec<Arc<str>> = self.table.0.values().map(|topic| Arc::clone(&topic.name)).collect();
        let client = match self.kinds[self.below(self.kinds.len())] {
            Kind::Modern => Client::Modern(ModernClient::new(self.made, topics)),
            kind => {
                let table: Arc<Table> = Arc::clone(&self.table);
                Client::Classic(ClassicClient::new(kind == Kind::Cooperative, table))
            }
        };
        self.clients.insert(self.made, client);
        let due = self.now + self.chance.below(1_000);
        self.due.insert((due, self.made));
        self.last_change = self.last_change.max(due);
    }

    fn remove(&mut self, number: usize) {
        let Some(client) = self.clients.remove(&number) else { return };
        for one in flat(&self.noted.remove(&number).unwrap_or_default()) {
            self.readers.remove(&one);
        }
        self.due.retain(|(_, due)| *due != number);
        if self.crashes && self.below(2) == 0 {
            self.dead.insert(Arc::clone(client.id()));
        } else if !client.id().is_empty() {
            self.solo.call(client.leave());
            self.settle_replies();
        }
        self.last_change = self.last_change.max(self.now);
    }

    /// Lets time pass up to `until`, each client and each timer at its own instant.
    fn run(&mut self, until: u64) {
        while self.step(until) {}
    }

    /// The next instant at which something is due, if it comes before `until`.
    fn step(&mut self, until: u64) -> bool {
        if self.solo.hard().consumer(GROUP).is_some() != self.was_consumer {
            self.was_consumer = !self.was_consumer;
            self.turns += 1;
        }
        let timer = self.solo.next_timer().map(|left| self.now + left.as_millis() as u64);
        let client = self.due.first().map(|(at, _)| *at);
        let next = timer.into_iter().chain(client).min().filter(|next| *next <= until);
        let Some(next) = next else {
            self.pass(until);
            return false;
        };
        self.pass(next);
        if timer == Some(next) {
            self.bury();
        }
        if client == Some(next)
            && let Some((_, number)) = self.due.pop_first()
        {
            let command = self.clients.get_mut(&number).map(Client::act);
            if let Some(command) = command {
                self.ask(number, command);
                self.settle_replies();
            }
        }
        true
    }

    fn pass(&mut self, to: u64) {
        self.solo.advance(Duration::from_millis(to - self.now));
        self.now = to;
        self.settle_replies();
    }

    fn ask(&mut self, number: usize, command: Command) {
        self.look(number);
        let call = self.solo.call(command);
        self.calls.insert(call, number);
    }

    /// Hands replies to clients, and asks what they ask next, until all wait.
    fn settle_replies(&mut self) {
        loop {
            let replies = self.solo.replies();
            if replies.is_empty() {
                return;
            }
            for (call, reply) in replies {
                let Some(number) = self.calls.remove(&call) else { continue };
                let Some(client) = self.clients.get_mut(&number) else { continue };
                let next = client.hear(reply);
                let interval = client.interval_ms();
                self.look(number);
                match next {
                    Some(command) => self.ask(number, command),
                    None => drop(self.due.insert((self.now + interval, number))),
                }
            }
        }
    }

    /// Notes what a client reads now: nobody else does.
    fn look(&mut self, number: usize) {
        let Some(client) = self.clients.get(&number) else { return };
        let before = self.noted.entry(number).or_default();
        if before == client.owned() {
            return;
        }
        for one in flat(before) {
            self.readers.remove(&one);
        }
        before.clone_from(client.owned());
        for one in flat(before) {
            let reader = self.readers.insert(one, number);
            assert_eq!(reader, None, "{one:?} is read by {number} and another at {} ms", self.now);
        }
    }

    /// Looks which of the crashed are out of the group.
    fn bury(&mut self) {
        if self.dead.is_empty() {
            return;
        }
        let members = self.members();
        let before = self.dead.len();
        self.dead.retain(|id| members.contains(id));
        if self.dead.len() < before {
            self.last_change = self.last_change.max(self.now);
        }
    }

    fn members(&mut self) -> BTreeSet<Arc<str>> {
        if let Some(group) = self.solo.hard().consumer(GROUP) {
            return group.members.keys().cloned().collect();
        }
        let call = self.solo.call(Command::DescribeClassic(GROUP.into()));
        let replies = self.solo.replies();
        let (_, reply) = replies.into_iter().find(|(to, _)| *to == call).unwrap();
        let Reply::ClassicDescribed(described) = reply else { panic!("another reply") };
        described.map_or_else(
            |_| BTreeSet::new(),
            |described| described.members.into_iter().map(|m| m.member).collect(),
        )
    }

    /// How long a group may take after the last change, ms.
    fn patience(&self) -> u64 {
        match self.kinds.contains(&Kind::Modern) {
            true => 2 * super::modern_client::INTERVAL_MS + 1_000,
            false => 2 * super::classic_client::INTERVAL_MS,
        }
    }

    /// Nothing more happens: all must be as it should be soon after the last change, and stay so.
    pub fn settle(&mut self, when: &str) {
        // The longest that a crashed member may be thought to be alive: parked through a rebalance, then its session.
        let limit = self.now + 200_000;
        while !(self.dead.is_empty() && self.now >= self.last_change && self.is_converged()) {
            let overdue = self.dead.is_empty() && self.now > self.last_change + self.patience();
            assert!(!overdue, "{when}: not settled {} ms after the last change", self.now - self.last_change);
            assert!(self.step(limit), "{when}: {} crashed clients are still members", self.dead.len());
        }
        self.check_machine();
        let records = self.solo.records();
        self.run(self.now + self.patience());
        assert!(self.is_converged(), "{when}: did not stay settled");
        assert_eq!(self.solo.records(), records, "{when}: written though nothing changed");
    }

    fn is_converged(&mut self) -> bool {
        let all = usize::from(TOPICS) * PARTITIONS as usize;
        if self.clients.is_empty() || self.readers.len() != all {
            return false;
        }
        match self.solo.hard().consumer(GROUP) {
            Some(_) => self.is_consumer_converged(),
            None => self.is_classic_converged(),
        }
    }

    fn is_consumer_converged(&self) -> bool {
        let Some(group) = self.solo.hard().consumer(GROUP) else { return false };
        let epoch = group.epoch.map(|epoch| epoch.epoch);
        if epoch != group.target.map(|target| target.epoch) || group.members.len() != self.clients.len() {
            return false;
        }
        self.clients.values().all(|client| {
            let known = match client {
                Client::Modern(client) => Some(client.epoch),
                Client::Classic(ClassicClient { stage: Stage::In(generation), .. }) => Some(*generation),
                Client::Classic(_) => None,
            };
            let Some(member) = group.members.get(client.id()) else { return false };
            let Some(current) = &member.current else { return false };
            known == epoch
                && Some(current.epoch) == epoch
                && current.state == MemberState::Stable
                && member.target.as_ref() == Some(client.owned())
        })
    }

    fn is_classic_converged(&mut self) -> bool {
        let group = self.solo.hard().group(GROUP).and_then(|group| group.classic.as_ref());
        let Some(group) = group else { return false };
        let generation = group.generation;
        let stage = Stage::In(generation);
        let in_it = |client: &Client| matches!(client, Client::Classic(client) if client.stage == stage);
        group.members.len() == self.clients.len()
            && self.clients.values().all(in_it)
            && self.members().len() == self.clients.len()
    }

    /// By the machine's own word nobody may own what another does.
    fn check_machine(&self) {
        let Some(group) = self.solo.hard().consumer(GROUP) else { return };
        let mut held = BTreeSet::new();
        for member in group.members.values() {
            let Some(current) = &member.current else { continue };
            for (topic, partitions) in current.assigned.iter().chain(&current.revoking) {
                for number in partitions.keys() {
                    assert!(held.insert((*topic, *number)), "{topic}-{number} is with two members");
                }
            }
        }
    }
}
