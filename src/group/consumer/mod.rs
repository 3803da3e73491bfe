//! The consumer protocol (KIP-848), and classic members in its groups. Must not know offsets.
//!
//! `heartbeat` is the way through it: `request` and `find` say no, `members`, `regexes` and `epochs` write what
//! changed, `target` works out who is to have what, and `reconcile` takes one member one step towards that. All of it
//! reads the state as it is at that moment and writes through `index::emit`.

pub(super) mod assign;
mod checks;
mod classic_side;
mod describe;
mod epochs;
mod find;
mod heartbeat;
mod index;
mod members;
mod reconcile;
mod regex;
mod regexes;
mod request;
mod target;
#[cfg(test)]
mod tests;
mod timers;
mod view;

pub use classic_side::{heartbeat as classic_heartbeat, join, leave as classic_leave, sync};
pub use timers::Timer;

use super::command::{
    Commit, ConsumerDescribed, ConsumerHeartbeat, ConsumerHeartbeatAnswer, Context, FetchOffsets,
};
use super::machine::Groups;
use super::refused::Refused;
use super::state::GroupsHard;
use super::topics::TopicTable;
use crate::coordinator::Cx;
use crate::types::TopicId;
use index::Index;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What can be worked out from the durable state, and what is known of topics.
#[derive(Default)]
pub struct Live {
    /// By id of the group; one for each consumer group.
    groups: BTreeMap<Arc<str>, Index>,
    /// Hashes of topics in the present table that some group asked for: at most one for each topic.
    topic_hashes: BTreeMap<Arc<str>, u64>,
    /// The present topics.
    topics: Option<Arc<dyn TopicTable>>,
    /// Version of the table of topics with which the latest new topic came.
    created: u64,
}

/// Wakes what is durable, at the first context of a life.
pub fn start(cx: &mut Cx<'_, Groups>) {
    let Context { topics, .. } = members::context(cx);
    let (hard, soft) = cx.state();
    soft.consumer = Live {
        groups: hard
            .groups
            .iter()
            .filter_map(|(id, group)| Some((Arc::clone(id), Index::of(group.consumer.as_deref()?))))
            .collect(),
        topic_hashes: BTreeMap::new(),
        created: topics.version(),
        topics: Some(topics),
    };
    timers::arm_all(cx);
}

/// Topics or settings changed: each group compares them with what it knows at its next heartbeat.
pub fn context_changed(cx: &mut Cx<'_, Groups>) {
    let Context { topics, .. } = members::context(cx);
    let live = &mut cx.soft().consumer;
    let Some(before) = live.topics.replace(Arc::clone(&topics)) else { return };
    if before.version() == topics.version() {
        return;
    }
    live.topic_hashes.clear();
    // Only regular expressions care; without one there is no need to look for what is new.
    let is_matched = live.groups.values().any(|group| !group.patterns.is_empty());
    if !is_matched || has_new(before.as_ref(), topics.as_ref()) {
        live.created = topics.version();
    }
}

fn has_new(before: &dyn TopicTable, after: &dyn TopicTable) -> bool {
    let mut known: BTreeSet<TopicId> = BTreeSet::new();
    before.for_each(&mut |topic| {
        known.insert(topic.id);
    });
    let mut found = false;
    after.for_each(&mut |topic| found |= !known.contains(&topic.id));
    found
}

/// ConsumerGroupHeartbeat.
pub fn heartbeat(
    cx: &mut Cx<'_, Groups>,
    beat: ConsumerHeartbeat,
) -> Result<ConsumerHeartbeatAnswer, Refused> {
    heartbeat::heartbeat(cx, beat)
}

/// A timer is due.
pub fn expire(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer) {
    timers::expire(cx, group, timer);
}

/// ConsumerGroupDescribe; `GROUP_ID_NOT_FOUND` for one that is not there or is classic.
pub fn describe(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> Result<ConsumerDescribed, Refused> {
    describe::describe(cx, group)
}

/// For lists and offsets: Kafka's name of the group's state; `None` if it is not a consumer group.
pub fn state(hard: &GroupsHard, live: &Live, group: &str) -> Option<&'static str> {
    describe::state(hard, live, group)
}

/// For offsets: whether a member of the group reads this topic.
pub fn is_subscribed(_hard: &GroupsHard, live: &Live, group: &str, topic: &str) -> bool {
    let index = live.groups.get(group);
    index.is_some_and(|index| index.names.contains_key(topic) || index.matched.contains_key(topic))
}

/// For offsets: whether this commit may be.
pub fn check_commit(cx: &mut Cx<'_, Groups>, commit: &Commit) -> Result<(), Refused> {
    checks::commit(cx, commit)
}

/// For offsets: whether this fetch may be.
pub fn check_fetch(cx: &mut Cx<'_, Groups>, fetch: &FetchOffsets) -> Result<(), Refused> {
    checks::fetch(cx, fetch)
}

/// Writes tombstones for all of a group without members and disarms its timers; false if it has members.
pub fn delete_if_empty(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> bool {
    let is_empty = cx.hard().consumer(group).is_none_or(|known| known.members.is_empty());
    if is_empty {
        members::remove_group(cx, group);
    }
    is_empty
}
