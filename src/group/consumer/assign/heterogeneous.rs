//! The `uniform` assignor where members subscribe to different topics: partitions without an owner go to the subscriber
//! with the least, and then, topic by topic, from those with the most to those with the least, until nothing moves.

use super::load_order::LoadOrder;
use super::{MemberSpec, Subscribed, hash_order};
use crate::group::state::Assignment;
use crate::group::topics::Topic;
use crate::types::TopicId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rounds over all topics; Kafka 4.4.0 stops here too. Each round brings the members nearer to each other, and few are
/// needed.
const ROUNDS_MAX: usize = 16;

/// A member's place in the order in which members are walked.
type MemberIndex = usize;

pub(super) fn assign(
    members: &BTreeMap<Arc<str>, MemberSpec>,
    topics: &Subscribed,
) -> BTreeMap<Arc<str>, Assignment> {
    let in_order = hash_order::members(members.iter().map(|(id, member)| (&**id, (id, member))));
    let in_order: Vec<(&Arc<str>, &MemberSpec)> = in_order.into_iter().map(|(_, member)| member).collect();
    let mut builder = Builder::of(&in_order, topics);
    builder.keep(&in_order);
    builder.give_free();
    builder.balance();
    builder.targets(&in_order)
}

/// A subscribed topic.
struct TopicState {
    id: TopicId,
    /// Who subscribes, ascending.
    subscribers: Vec<MemberIndex>,
    /// Owner of each partition.
    owners: Vec<Option<MemberIndex>>,
}

struct Builder {
    /// Topics with the most partitions for each subscriber first.
    topics: Vec<TopicState>,
    /// Number of partitions of each member.
    loads: Vec<usize>,
}

impl Builder {
    fn of(members: &[(&Arc<str>, &MemberSpec)], topics: &Subscribed) -> Builder {
        let topic = |(id, topic): (&TopicId, &Topic)| {
            let partitions = usize::try_from(topic.partitions).unwrap_or(0);
            (*id, TopicState { id: *id, subscribers: Vec::new(), owners: vec![None; partitions] })
        };
        let mut topics: BTreeMap<TopicId, TopicState> = topics.iter().map(topic).collect();
        for (index, (_, member)) in members.iter().enumerate() {
            for id in &member.topics {
                if let Some(topic) = topics.get_mut(id) {
                    topic.subscribers.push(index);
                }
            }
        }
        let mut topics: Vec<TopicState> = topics.into_values().collect();
        topics.sort_by(TopicState::compare);
        Builder { topics, loads: vec![0; members.len()] }
    }

    /// Each member keeps its target, as far as it still subscribes.
    fn keep(&mut self, members: &[(&Arc<str>, &MemberSpec)]) {
        for topic in &mut self.topics {
            for index in topic.subscribers.clone() {
                let Some(kept) = members.get(index).and_then(|(_, member)| member.assigned.get(&topic.id))
                else {
                    continue;
                };
                for partition in kept {
                    topic.give(&mut self.loads, *partition, index);
                }
            }
        }
    }

    fn give_free(&mut self) {
        for topic in &mut self.topics {
            let free: Vec<i32> = topic.owned_by(None).collect();
            if free.is_empty() {
                continue;
            }
            let Some(mut order) = LoadOrder::of(&topic.subscribers, &self.loads) else { continue };
            for partition in free {
                let least = order.next_least(&self.loads);
                topic.give(&mut self.loads, partition, least);
            }
        }
    }

    /// Goes over the topics until nothing moved in as many of them as there are.
    fn balance(&mut self) {
        let Builder { topics, loads } = self;
        let mut shared: Vec<&mut TopicState> =
            topics.iter_mut().filter(|topic| topic.subscribers.len() >= 2).collect();
        let mut quiet = 0;
        for round in 0..ROUNDS_MAX {
            let topics_of_round = shared.len();
            for (at, topic) in shared.iter_mut().enumerate() {
                if quiet == topics_of_round {
                    return;
                }
                let moved = topic.balance(loads);
                let is_first = round == 0 && at == 0;
                quiet = if moved || is_first { 1 } else { quiet + 1 };
            }
        }
    }

    fn targets(&self, members: &[(&Arc<str>, &MemberSpec)]) -> BTreeMap<Arc<str>, Assignment> {
        let mut targets = vec![Assignment::new(); members.len()];
        for topic in &self.topics {
            for (partition, owner) in (0..).zip(&topic.owners) {
                if let Some(target) = owner.and_then(|owner| targets.get_mut(owner)) {
                    target.entry(topic.id).or_default().insert(partition);
                }
            }
        }
        members.iter().map(|(id, _)| Arc::clone(id)).zip(targets).collect()
    }
}

impl TopicState {
    /// The order in which topics are given out: those first that weigh most on a subscriber.
    fn compare(a: &TopicState, b: &TopicState) -> std::cmp::Ordering {
        let weight = |topic: &TopicState| topic.owners.len() as f64 / topic.subscribers.len() as f64;
        let id = |topic: &TopicState| hash_order::as_signed(topic.id);
        let by_weight = weight(b).total_cmp(&weight(a));
        by_weight.then(a.subscribers.len().cmp(&b.subscribers.len())).then(id(a).cmp(&id(b)))
    }

    fn owned_by(&self, owner: Option<MemberIndex>) -> impl Iterator<Item = i32> {
        (0..).zip(&self.owners).filter(move |(_, now)| **now == owner).map(|(partition, _)| partition)
    }

    fn give(&mut self, loads: &mut [usize], partition: i32, to: MemberIndex) {
        let owner = usize::try_from(partition).ok().and_then(|at| self.owners.get_mut(at));
        let Some(owner) = owner else { return };
        if let Some(load) = owner.and_then(|from| loads.get_mut(from)) {
            *load -= 1;
        }
        *owner = Some(to);
        if let Some(load) = loads.get_mut(to) {
            *load += 1;
        }
    }

    /// Moves partitions from those with the most to those with the least; true if any moved.
    fn balance(&mut self, loads: &mut [usize]) -> bool {
        let Some(mut order) = LoadOrder::of(&self.subscribers, loads) else { return false };
        if order.spread(loads) <= 1 {
            return false;
        }
        // What each had at first, the highest numbers last: these go first. What moved once does not move again.
        let mut movable: BTreeMap<MemberIndex, Vec<i32>> = BTreeMap::new();
        for (partition, owner) in (0..).zip(&self.owners) {
            if let Some(owner) = owner {
                movable.entry(*owner).or_default().push(partition);
            }
        }
        let mut moved = false;
        while !order.is_balanced() {
            let Some(most) = order.next_most(loads) else { break };
            let Some(partition) = movable.get_mut(&most).and_then(Vec::pop) else {
                order.exclude_last_most();
                continue;
            };
            let least = order.next_least(loads);
            if order.is_balanced() {
                break;
            }
            self.give(loads, partition, least);
            moved = true;
        }
        moved
    }
}
