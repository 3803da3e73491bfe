//! The `uniform` assignor where all members subscribe to the same topics: each gets the same number of partitions, or
//! one more, and keeps what it has up to that number.

use super::{MemberSpec, Subscribed, hash_order};
use crate::group::state::Assignment;
use crate::group::topics::Topic;
use crate::types::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) fn assign(
    members: &BTreeMap<Arc<str>, MemberSpec>,
    topics: &Subscribed,
) -> BTreeMap<Arc<str>, Assignment> {
    let mut targets: BTreeMap<Arc<str>, Assignment> =
        members.keys().map(|id| (Arc::clone(id), Assignment::new())).collect();
    let subscribed = hash_order::subscribed(topics);
    let mut free = unassigned(members, topics, &subscribed);
    let mut quotas = Quotas::of(topics, members.len());
    let in_order = hash_order::members(members.iter().map(|(id, member)| (&**id, member)));
    let mut hungry: Vec<(&str, usize)> = Vec::new();
    for (id, member) in in_order {
        let kept = quotas.keep(member, &subscribed, &mut free);
        if kept.missing > 0 {
            hungry.push((id, kept.missing));
        }
        if let Some(target) = targets.get_mut(id) {
            *target = kept.target;
        }
    }
    let mut free = free.into_iter();
    for (id, missing) in hungry {
        let Some(target) = targets.get_mut(id) else { continue };
        for (topic, partition) in free.by_ref().take(missing) {
            target.entry(topic).or_default().insert(partition);
        }
    }
    targets
}

/// Partitions that are in nobody's target.
fn unassigned(
    members: &BTreeMap<Arc<str>, MemberSpec>,
    topics: &Subscribed,
    subscribed: &[TopicId],
) -> Vec<(TopicId, i32)> {
    let mut taken: BTreeMap<TopicId, BTreeSet<i32>> = BTreeMap::new();
    for (topic, partitions) in members.values().flat_map(|member| &member.assigned) {
        taken.entry(*topic).or_default().extend(partitions);
    }
    let mut free = Vec::new();
    for topic in subscribed {
        let partitions = topics.get(topic).map_or(0, |topic| topic.partitions);
        let taken = taken.get(topic);
        let is_free = |partition: &i32| taken.is_none_or(|taken| !taken.contains(partition));
        free.extend((0..partitions).filter(is_free).map(|partition| (*topic, partition)));
    }
    free
}

/// How many partitions the members that are still to come may have.
struct Quotas {
    each: usize,
    /// How many of them may have one more.
    one_more: usize,
    /// How many are still to come.
    members: usize,
}

/// What a member keeps, and how many partitions it is to get.
struct Kept {
    target: Assignment,
    missing: usize,
}

impl Quotas {
    fn of(topics: &Subscribed, members: usize) -> Quotas {
        let partitions = |topic: &Topic| usize::try_from(topic.partitions).unwrap_or(0);
        let total: usize = topics.values().map(partitions).sum();
        let divisor = members.max(1);
        Quotas { each: total / divisor, one_more: total % divisor, members }
    }

    /// Takes from the next member what is more than it may have.
    fn keep(&mut self, member: &MemberSpec, subscribed: &[TopicId], free: &mut Vec<(TopicId, i32)>) -> Kept {
        let may_have_one_more = self.one_more > 0;
        let mut left = self.each + usize::from(may_have_one_more);
        let mut target = Assignment::new();
        for topic in hash_order::assigned(&member.assigned, subscribed) {
            let Some(partitions) = member.assigned.get(&topic) else { continue };
            let kept = keep_some(topic, partitions, &mut left, free);
            if !kept.is_empty() {
                target.insert(topic, kept);
            }
        }
        // A member that does not fill its place leaves the one more to those after it, as long as there are enough.
        let has_one_more = may_have_one_more && !(left > 0 && self.members > self.one_more);
        if may_have_one_more && !has_one_more {
            left -= 1;
        }
        self.one_more -= usize::from(has_one_more);
        self.members = self.members.saturating_sub(1);
        Kept { target, missing: left }
    }
}

/// Keeps up to `left` partitions of a topic; the others become free.
fn keep_some(
    topic: TopicId,
    partitions: &BTreeSet<i32>,
    left: &mut usize,
    free: &mut Vec<(TopicId, i32)>,
) -> BTreeSet<i32> {
    if partitions.len() <= *left {
        *left -= partitions.len();
        return partitions.clone();
    }
    let mut walked = hash_order::partitions(partitions.iter().copied()).into_iter();
    let kept = walked.by_ref().take(*left).collect();
    free.extend(walked.map(|partition| (topic, partition)));
    *left = 0;
    kept
}
