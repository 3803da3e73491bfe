//! What can be worked out from the durable state of a group and would be too slow to work out each time: who owns which
//! partition, who subscribes to what. Built when a life begins, and moved along with each record by `emit`, the only
//! way in which this part of the machine writes.

use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::records::{ConsumerRecord, GroupRecord};
use crate::group::state::{ConsumerGroup, Current, MemberMetadata, MemberState, ResolvedRegex};
use crate::types::TopicId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many there are of each.
type Counts = BTreeMap<Arc<str>, usize>;

/// One group's index. A function of its `ConsumerGroup`, but for `checked`.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Index {
    /// Partitions that nobody else may be given: owned, or not given up yet; with their owners.
    pub(super) owners: BTreeMap<TopicId, BTreeMap<i32, Arc<str>>>,
    /// Static members: instance to member.
    pub(super) instances: BTreeMap<Arc<str>, Arc<str>>,
    /// Subscribers by name of the topic.
    pub(super) names: Counts,
    /// Subscribers by pattern.
    pub(super) patterns: Counts,
    /// Patterns that matched a topic, by its name.
    pub(super) matched: Counts,
    /// Members that ask for an assignor.
    pub(super) assignors: Counts,
    /// Members of the classic protocol.
    pub(super) classic: usize,
    /// Those of them that can a protocol.
    pub(super) classic_protocols: Counts,
    /// Stable members by their epoch.
    pub(super) stable: BTreeMap<i32, usize>,
    /// Version of the topics for which the metadata hash was last compared in this life.
    pub(super) checked: Option<u64>,
}

impl Index {
    /// The index of a group as it is.
    pub(super) fn of(group: &ConsumerGroup) -> Index {
        let mut index = Index::default();
        for (id, member) in &group.members {
            if let Some(metadata) = &member.metadata {
                index.count_metadata(id, metadata, true);
            }
            if let Some(current) = &member.current {
                index.count_current(id, current, true);
            }
        }
        for resolved in group.regexes.values() {
            index.count_regex(resolved, true);
        }
        index
    }

    /// Names of all subscribed topics, some perhaps twice.
    pub(super) fn topics(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.keys().chain(self.matched.keys())
    }

    /// Whether a member other than this one has the partition.
    pub(super) fn is_with_another(&self, topic: TopicId, partition: i32, member: &str) -> bool {
        self.owners
            .get(&topic)
            .and_then(|partitions| partitions.get(&partition))
            .is_some_and(|owner| **owner != *member)
    }

    /// Takes a part out of the counts, or puts it in, as `group` has it.
    fn count(&mut self, group: &ConsumerGroup, part: &Part, add: bool) {
        match part {
            Part::Uncounted => {}
            Part::Member(id) => {
                if let Some(metadata) = group.metadata(id) {
                    self.count_metadata(id, metadata, add);
                }
            }
            Part::Current(id) => {
                if let Some(current) = group.current(id) {
                    self.count_current(id, current, add);
                }
            }
            Part::Regex(pattern) => {
                if let Some(resolved) = group.regexes.get(pattern) {
                    self.count_regex(resolved, add);
                }
            }
        }
    }

    fn count_metadata(&mut self, id: &Arc<str>, metadata: &MemberMetadata, add: bool) {
        for name in &metadata.topics {
            step(&mut self.names, name, add);
        }
        if let Some(pattern) = metadata.pattern() {
            step(&mut self.patterns, pattern, add);
        }
        if let Some(assignor) = &metadata.assignor {
            step(&mut self.assignors, assignor, add);
        }
        if let Some(instance) = &metadata.instance {
            if add {
                self.instances.insert(Arc::clone(instance), Arc::clone(id));
            } else if self.instances.get(instance) == Some(id) {
                self.instances.remove(instance);
            }
        }
        if let Some(classic) = &metadata.classic {
            self.classic = if add { self.classic + 1 } else { self.classic.saturating_sub(1) };
            for protocol in &classic.protocols {
                step(&mut self.classic_protocols, &protocol.name, add);
            }
        }
    }

    fn count_current(&mut self, id: &Arc<str>, current: &Current, add: bool) {
        for (topic, partition) in current.held() {
            if add {
                self.owners.entry(topic).or_default().insert(partition, Arc::clone(id));
            } else if let Some(partitions) = self.owners.get_mut(&topic) {
                if partitions.get(&partition) == Some(id) {
                    partitions.remove(&partition);
                }
                if partitions.is_empty() {
                    self.owners.remove(&topic);
                }
            }
        }
        if current.state == MemberState::Stable {
            step(&mut self.stable, &current.epoch, add);
        }
    }

    fn count_regex(&mut self, resolved: &ResolvedRegex, add: bool) {
        for name in &resolved.topics {
            step(&mut self.matched, name, add);
        }
    }
}

fn step<K: Ord + Clone>(counts: &mut BTreeMap<K, usize>, key: &K, add: bool) {
    if add {
        *counts.entry(key.clone()).or_default() += 1;
    } else if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// What a record changes.
enum Part {
    Uncounted,
    Member(Arc<str>),
    Current(Arc<str>),
    Regex(Arc<str>),
}

fn part(record: &ConsumerRecord) -> Part {
    match record {
        ConsumerRecord::Epoch(_) | ConsumerRecord::TargetEpoch(_) | ConsumerRecord::Target(..) => {
            Part::Uncounted
        }
        ConsumerRecord::Member(id, _) => Part::Member(Arc::clone(id)),
        ConsumerRecord::Current(id, _) => Part::Current(Arc::clone(id)),
        ConsumerRecord::Regex(pattern, _) => Part::Regex(Arc::clone(pattern)),
    }
}

/// Writes a record of a consumer group and keeps the index in step.
pub(super) fn emit(cx: &mut Cx<'_, Groups>, group: &Arc<str>, record: ConsumerRecord) {
    let part = part(&record);
    let (hard, soft) = cx.state();
    if let Some(before) = hard.consumer(group) {
        soft.consumer.groups.entry(Arc::clone(group)).or_default().count(before, &part, false);
    }
    cx.emit(GroupRecord::Consumer { group: Arc::clone(group), record });
    let (hard, soft) = cx.state();
    match hard.consumer(group) {
        Some(after) => {
            soft.consumer.groups.entry(Arc::clone(group)).or_default().count(after, &part, true);
        }
        None => {
            soft.consumer.groups.remove(group);
        }
    }
}
