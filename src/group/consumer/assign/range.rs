//! The `range` assignor: the partitions of each topic in as many neighbouring ranges as it has subscribers. Not sticky;
//! members with an instance id come first, so that a static member that restarts under a new id keeps its range.

use super::hash_order::compare_as_java;
use super::{MemberSpec, Subscribed};
use crate::group::state::Assignment;
use crate::group::topics::Topic;
use crate::types::TopicId;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far the partitions of one topic are given out.
struct Ranges {
    partitions: i32,
    /// Size of a range.
    quota: i32,
    /// How many more ranges are longer by one.
    longer: i32,
    /// First partition that is not given out.
    next: i32,
}

impl Ranges {
    fn of(partitions: i32, subscribers: i32) -> Ranges {
        let subscribers = subscribers.max(1);
        Ranges { partitions, quota: partitions / subscribers, longer: partitions % subscribers, next: 0 }
    }

    fn take(&mut self) -> std::ops::Range<i32> {
        let mut quota = self.quota;
        if self.longer > 0 {
            self.longer -= 1;
            quota += 1;
        }
        let start = self.next;
        self.next = (start + quota).min(self.partitions);
        start..self.next
    }
}

pub(super) fn assign(
    members: &BTreeMap<Arc<str>, MemberSpec>,
    topics: &Subscribed,
) -> BTreeMap<Arc<str>, Assignment> {
    let mut subscribers: BTreeMap<TopicId, i32> = BTreeMap::new();
    for topic in members.values().flat_map(|member| &member.topics) {
        *subscribers.entry(*topic).or_default() += 1;
    }
    let ranges_of = |(id, topic): (&TopicId, &Topic)| {
        (*id, Ranges::of(topic.partitions, subscribers.get(id).copied().unwrap_or(0)))
    };
    let mut ranges: BTreeMap<TopicId, Ranges> = topics.iter().map(ranges_of).collect();

    let mut in_order: Vec<_> = members.iter().collect();
    in_order.sort_by(|(a_id, a), (b_id, b)| compare(a_id, a, b_id, b));
    let mut targets = BTreeMap::new();
    for (id, member) in in_order {
        let mut target = Assignment::new();
        for topic in &member.topics {
            let range = ranges.get_mut(topic).map_or(0..0, Ranges::take);
            if !range.is_empty() {
                target.insert(*topic, range.collect());
            }
        }
        targets.insert(Arc::clone(id), target);
    }
    targets
}

fn compare(a_id: &str, a: &MemberSpec, b_id: &str, b: &MemberSpec) -> Ordering {
    match (&a.instance, &b.instance) {
        (Some(a), Some(b)) => compare_as_java(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => compare_as_java(a_id, b_id),
    }
}
