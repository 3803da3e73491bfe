//! What the durable state of a consumer group means: epochs that are not written yet, members as they stand, what they
//! read. Must not change anything.

use crate::group::state::{
    Assignment, ConsumerGroup, ConsumerMember, Current, GroupsHard, MemberMetadata, MemberState,
    ResolvedRegex,
};
use crate::group::topics::TopicTable;
use crate::types::{TimestampMs, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A static member that left and may come back, in place of its epoch.
pub(super) const LEFT_FOR_A_WHILE: i32 = -2;
/// A member that goes, in place of its epoch.
pub(super) const LEAVES: i32 = -1;
/// Group and target start here before the first record says otherwise (Kafka 4.4.0).
const FIRST_EPOCH: i32 = 1;

impl ConsumerGroup {
    /// Epoch of the group.
    pub(super) fn group_epoch(&self) -> i32 {
        self.epoch.map_or(FIRST_EPOCH, |written| written.epoch)
    }

    /// Hash over the subscribed topics as they were when the epoch was bumped.
    pub(super) fn metadata_hash(&self) -> i64 {
        self.epoch.map_or(0, |written| written.metadata_hash)
    }

    /// Epoch of the target assignment.
    pub(super) fn target_epoch(&self) -> i32 {
        self.target.map_or(FIRST_EPOCH, |written| written.epoch)
    }

    /// When the target assignment was worked out; zero if that does not matter any more.
    pub(super) fn target_at(&self) -> TimestampMs {
        self.target.map_or(TimestampMs(0), |written| written.at)
    }

    /// What is known of a member.
    pub(super) fn metadata(&self, member: &str) -> Option<&MemberMetadata> {
        self.members.get(member)?.metadata.as_ref()
    }

    /// Where a member stands; `None` for one that has not been told anything yet.
    pub(super) fn current(&self, member: &str) -> Option<&Current> {
        self.members.get(member)?.current.as_ref()
    }

    /// All that a member reads: by name, and by what its regular expression matched when it was last looked up.
    pub(super) fn reads<'a>(&'a self, metadata: &'a MemberMetadata) -> Reads<'a> {
        let matched = metadata.pattern().and_then(|pattern| self.regexes.get(pattern));
        Reads { names: &metadata.topics, matched }
    }
}

impl ConsumerMember {
    /// Its epoch.
    pub(super) fn epoch(&self) -> i32 {
        self.current.as_ref().map_or(0, |current| current.epoch)
    }

    /// Has all of its target of this epoch.
    pub(super) fn is_reconciled_to(&self, target_epoch: i32) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.state == MemberState::Stable && current.epoch == target_epoch)
    }
}

impl Current {
    /// A member that nothing was written of.
    pub(super) fn of_newcomer() -> Current {
        Current {
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            assigned: BTreeMap::new(),
            revoking: BTreeMap::new(),
        }
    }

    /// Everything that nobody else may own as long as this member is there.
    pub(super) fn held(&self) -> impl Iterator<Item = (TopicId, i32)> {
        self.assigned
            .iter()
            .chain(&self.revoking)
            .flat_map(|(topic, partitions)| partitions.keys().map(|partition| (*topic, *partition)))
    }
}

impl MemberMetadata {
    /// A member before it said anything.
    pub(super) fn of_newcomer() -> MemberMetadata {
        MemberMetadata {
            instance: None,
            rack: None,
            client_id: "".into(),
            client_host: "".into(),
            topics: BTreeSet::new(),
            regex: Some("".into()),
            rebalance_timeout_ms: -1,
            assignor: None,
            classic: None,
        }
    }

    /// Its regular expression; the empty one is none.
    pub(super) fn pattern(&self) -> Option<&Arc<str>> {
        self.regex.as_ref().filter(|pattern| !pattern.is_empty())
    }
}

/// Topics that one member reads.
#[derive(Clone, Copy)]
pub(super) struct Reads<'a> {
    names: &'a BTreeSet<Arc<str>>,
    matched: Option<&'a ResolvedRegex>,
}

impl<'a> Reads<'a> {
    /// Names, some perhaps twice.
    pub(super) fn names(self) -> impl Iterator<Item = &'a Arc<str>> {
        self.names.iter().chain(self.matched.into_iter().flat_map(|matched| &matched.topics))
    }

    /// Whether the topic of this id exists and is read.
    pub(super) fn contains(self, topic: TopicId, topics: &dyn TopicTable) -> bool {
        topics.by_id(topic).is_some_and(|topic| {
            self.names.contains(&topic.name)
                || self.matched.is_some_and(|matched| matched.topics.contains(&topic.name))
        })
    }
}

/// How long ago, in wall-clock milliseconds; a clock that went back counts as "long ago", so that nothing waits for it
/// to come round again.
pub(super) fn is_due(last: TimestampMs, now: TimestampMs, after_ms: i64) -> bool {
    now < last || now.0.saturating_sub(last.0) >= after_ms
}

/// Kafka's name of the group's state.
pub(super) fn group_state(group: &ConsumerGroup, reconciled: usize) -> &'static str {
    if group.members.is_empty() {
        "Empty"
    } else if group.group_epoch() > group.target_epoch() {
        "Assigning"
    } else if reconciled < group.members.len() {
        "Reconciling"
    } else {
        "Stable"
    }
}

/// Whether a member owns nothing but what it was given.
pub(super) fn is_subset(owned: &Assignment, given: &BTreeMap<TopicId, BTreeMap<i32, i32>>) -> bool {
    owned.iter().all(|(topic, partitions)| {
        given.get(topic).is_some_and(|given| partitions.iter().all(|partition| given.contains_key(partition)))
    })
}

/// A member of a group.
pub(super) fn member<'a>(hard: &'a GroupsHard, group: &str, member: &str) -> Option<&'a ConsumerMember> {
    hard.consumer(group)?.members.get(member)
}
