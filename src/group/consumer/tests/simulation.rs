//! Twenty clients that come, go, crash, lose answers and change their minds, topics that come and go, and a machine
//! that starts again now and then. By seed.

use super::clients::Client;
use super::world::*;
use crate::group::TopicTable;
use crate::sys::SeededRng;
use crate::types::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const CLIENTS_MAX: usize = 20;
const EVENTS: usize = 250;

struct Simulation {
    world: World,
    chance: SeededRng,
    clients: Vec<Client>,
    /// Static clients that left for a while.
    away: Vec<Client>,
    now: u64,
    made: usize,
    /// The greatest epoch of the group so far, and those of its members.
    epoch: i32,
    epochs: BTreeMap<String, i32>,
}

impl Simulation {
    fn new(seed: u64) -> Simulation {
        let mut world = World::new(&[("a1", 4), ("a2", 7), ("b1", 3)]);
        world.settings.consumer.assignment_interval = Duration::from_millis(1_000 * (seed % 2));
        world.tell();
        Simulation {
            world,
            chance: SeededRng::new(seed),
            clients: Vec::new(),
            away: Vec::new(),
            now: 0,
            made: 0,
            epoch: 0,
            epochs: BTreeMap::new(),
        }
    }

    fn below(&self, end: usize) -> usize {
        self.chance.below(end as u64) as usize
    }

    fn pick(&self) -> Option<usize> {
        (!self.clients.is_empty()).then(|| self.below(self.clients.len()))
    }

    fn subscription(&self) -> (Vec<Arc<str>>, Option<Arc<str>>) {
        match self.below(4) {
            0 => (vec![], Some("a.*".into())),
            1 => (vec!["b1".into()], Some("a.*".into())),
            2 => (vec!["a1".into(), "b1".into()], None),
            _ => (vec!["a1".into(), "a2".into(), "c1".into()], None),
        }
    }

    fn event(&mut self) {
        let chosen = self.pick();
        match (self.below(20), chosen) {
            (0..=5, _) if self.clients.len() + self.away.len() < CLIENTS_MAX => {
                let (topics, regex) = self.subscription();
                self.made += 1;
                let instance = (self.below(4) == 0).then(|| format!("i{}", self.made).into());
                let mut client = Client::new(format!("m{:03}", self.made), instance, topics, regex);
                client.due = self.now + self.chance.below(1_000);
                self.clients.push(client);
            }
            (6, Some(at)) => {
                let client = self.clients.swap_remove(at);
                client.leave(&mut self.world, -1);
            }
            (7, Some(at)) => {
                self.clients.swap_remove(at);
            }
            (8 | 9, Some(at)) if self.clients[at].instance.is_some() && self.clients[at].epoch > 0 => {
                let client = self.clients.swap_remove(at);
                client.leave(&mut self.world, -2);
                self.away.push(client);
            }
            (8..=11, _) if !self.away.is_empty() => {
                let at = self.below(self.away.len());
                let gone = self.away.swap_remove(at);
                self.made += 1;
                let id = format!("m{:03}", self.made);
                self.clients.push(Client::new(id, gone.instance, gone.topics, gone.regex));
            }
            (12 | 13, Some(at)) => {
                let (topics, regex) = self.subscription();
                self.clients[at].resubscribe(topics, regex);
            }
            (14, _) => {
                let partitions = 1 + self.below(9) as i32;
                let name = ["a1", "a2", "a3", "b1", "c1"][self.below(5)];
                let known = self.world.table.by_name(name).map_or(0, |topic| topic.partitions);
                self.world.set_topic(name, partitions.max(known));
            }
            (15, _) => {
                self.world.table.delete(["a1", "a3", "b1", "c1"][self.below(4)]);
                self.world.tell();
            }
            (16, _) => self.world.restart(),
            _ => {}
        }
    }

    /// Lets time pass and all clients do what is due.
    fn pass(&mut self, ms: u64, losses: bool) {
        self.world.wait(ms);
        self.now += ms;
        for at in 0..self.clients.len() {
            let loses = losses && self.below(10) == 0;
            let delay = self.chance.below(3_000);
            let mut client = self.clients[at].clone();
            let acted = client.act(&mut self.world, self.now, loses, delay);
            self.clients[at] = client;
            if acted {
                self.check();
            }
        }
    }

    /// No partition has two owners, by the machine's word or by the clients'; no epoch goes back.
    fn check(&mut self) {
        let mut seen: BTreeMap<(TopicId, i32), String> = BTreeMap::new();
        let mut hold = |who: &str, topic: TopicId, partition: i32| {
            let before = seen.insert((topic, partition), who.to_owned());
            assert_eq!(before, None, "{who} and another have {topic}-{partition}");
        };
        for client in &self.clients {
            for (topic, partitions) in &client.owned {
                partitions.iter().for_each(|partition| hold(&client.id, *topic, *partition));
            }
        }
        seen.clear();
        let Some(group) = self.world.rig.hard().consumer(GROUP) else { return };
        for (id, member) in &group.members {
            let Some(current) = &member.current else { panic!("{id} stands nowhere") };
            for (topic, partition) in current.held() {
                let before = seen.insert((topic, partition), id.to_string());
                assert_eq!(before, None, "{id} and another have {topic}-{partition}");
            }
            let epoch = self.epochs.entry(id.to_string()).or_insert(0);
            assert!(current.epoch < 0 || current.epoch >= *epoch, "{id}: from {epoch} to {}", current.epoch);
            *epoch = (*epoch).max(current.epoch);
        }
        self.epochs.retain(|id, _| group.members.contains_key(id.as_str()));
        let (epoch, target) = (group.group_epoch(), group.target_epoch());
        assert!(epoch >= self.epoch && target <= epoch);
        self.epoch = epoch;
    }

    /// After a while without events everything that somebody reads is read by one of those.
    fn settle(&mut self) {
        for _ in 0..40 {
            self.pass(2_500, false);
        }
        let mut owned = BTreeMap::new();
        for client in &self.clients {
            for (topic, partitions) in &client.owned {
                for partition in partitions {
                    owned.insert((*topic, *partition), client.id.clone());
                }
            }
        }
        let mut wanted: BTreeSet<(TopicId, i32)> = BTreeSet::new();
        self.world.table.for_each(&mut |topic| {
            let is_read = |client: &Client| {
                let by_regex = client.regex.as_ref().is_some_and(|regex| !regex.is_empty());
                client.topics.contains(&topic.name) || (by_regex && topic.name.starts_with('a'))
            };
            if self.clients.iter().any(is_read) {
                wanted.extend((0..topic.partitions).map(|partition| (topic.id, partition)));
            }
        });
        assert_eq!(owned.keys().copied().collect::<BTreeSet<_>>(), wanted);
        if self.clients.is_empty() {
            return;
        }
        assert_eq!(self.world.state(), "Stable");
        let group = self.world.rig.hard().consumer(GROUP).unwrap();
        for client in &self.clients {
            let member = &group.members[client.id.as_str()];
            assert_eq!(member.target.as_ref(), Some(&client.owned), "{}", client.id);
            assert_eq!(member.epoch(), client.epoch);
        }
        assert_eq!(group.members.len(), self.clients.len());
    }
}

#[test]
fn whatever_happens_no_partition_has_two_owners_and_all_are_read_in_the_end() {
    for seed in 1..=4 {
        let mut simulation = Simulation::new(seed);
        for at in 1..=EVENTS {
            simulation.event();
            let ms = simulation.chance.below(1_500);
            simulation.pass(ms, true);
            if at % 125 == 0 {
                simulation.away.clear();
                simulation.settle();
            }
        }
    }
}
