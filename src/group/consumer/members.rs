//! Who is in a group: putting a member in the place of another, changing what it says of itself, taking it out. What
//! is asked for here is known to be right; nothing fails.

use super::assign::UNIFORM;
use super::index::emit;
use super::{classic_side, epochs, regexes, timers};
use crate::coordinator::Cx;
use crate::group::command::Context;
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::state::{ConsumerMember, Current, MemberMetadata};
use crate::group::topics::NoTopics;
use crate::types::{TimestampMs, Uuid};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Topics and settings. Before the first context there is nothing and no setting was changed.
pub(super) fn context(cx: &mut Cx<'_, Groups>) -> Context {
    cx.soft()
        .context
        .clone()
        .unwrap_or_else(|| Context { topics: Arc::new(NoTopics), settings: Arc::default() })
}

/// An id for a member that brings none, as Kafka makes them.
pub(super) fn new_id(cx: &Cx<'_, Groups>) -> Arc<str> {
    loop {
        let id = Uuid::from_random(cx.random()).to_string();
        // An id that looks like an option is a nuisance in shells.
        if !id.starts_with('-') {
            return id.into();
        }
    }
}

/// What a member said of itself.
pub(super) fn metadata_of(member: &ConsumerMember) -> MemberMetadata {
    member.metadata.clone().unwrap_or_else(MemberMetadata::of_newcomer)
}

/// Puts the caller in the place of the static member that `find` named: what that one owned and was to own is its.
pub(super) fn take_place(cx: &mut Cx<'_, Groups>, group: &Arc<str>, old: &Arc<str>, new: &Arc<str>) {
    let state = cx.hard().consumer(group).and_then(|known| known.members.get(old)).cloned();
    let Some(state) = state else { return };
    remove(cx, group, old);
    let metadata = metadata_of(&state);
    let mut current = state.current.unwrap_or_else(Current::of_newcomer);
    current.epoch = 0;
    current.previous_epoch = 0;
    emit(cx, group, ConsumerRecord::Member(Arc::clone(new), Some(Box::new(metadata))));
    let target = state.target.unwrap_or_default();
    emit(cx, group, ConsumerRecord::Target(Arc::clone(new), Some(target)));
    emit(cx, group, ConsumerRecord::Current(Arc::clone(new), Some(Box::new(current))));
    timers::disarm_all(cx, group, old);
}

/// Writes what a member says of itself, if it differs from before. True if it reads other topics by name.
pub(super) fn update(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &Arc<str>,
    metadata: MemberMetadata,
) -> bool {
    let before = cx.hard().consumer(group).and_then(|known| known.metadata(member));
    if before == Some(&metadata) {
        return false;
    }
    let topics_changed = match before {
        Some(before) => before.topics != metadata.topics,
        None => !metadata.topics.is_empty(),
    };
    emit(cx, group, ConsumerRecord::Member(Arc::clone(member), Some(Box::new(metadata))));
    topics_changed
}

/// The assignor that most members ask for; the one that comes first in the settings where as many ask for each.
pub(super) fn preferred_assignor(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> Arc<str> {
    let settings = context(cx).settings;
    let mut best: Option<(usize, &Arc<str>)> = None;
    let (_, soft) = cx.state();
    for name in &settings.assignors {
        let count = soft.consumer.groups.get(group).and_then(|index| index.assignors.get(name));
        let count = count.copied().unwrap_or(0);
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, name));
        }
    }
    best.map_or_else(|| UNIFORM.into(), |(_, name)| Arc::clone(name))
}

/// Takes members out: they went, were silent for too long, or hold on to what they have to give up. The group's epoch
/// moves on, or the group becomes a classic one if only members of that protocol are left.
pub(super) fn fence(cx: &mut Cx<'_, Groups>, group: &Arc<str>, members: &BTreeSet<Arc<str>>) {
    let Some(known) = cx.hard().consumer(group) else { return };
    let members: BTreeSet<Arc<str>> =
        members.iter().filter(|id| known.members.contains_key(*id)).map(Arc::clone).collect();
    if members.is_empty() || classic_side::downgrade_without(cx, group, &members) {
        return;
    }
    let Some(known) = cx.hard().consumer(group) else { return };
    let patterns: BTreeSet<Arc<str>> =
        members.iter().filter_map(|id| known.metadata(id)?.pattern().map(Arc::clone)).collect();
    for member in &members {
        remove(cx, group, member);
    }
    for pattern in patterns {
        regexes::drop_unused(cx, group, &pattern);
    }
    epochs::bump(cx, group);
    if cx.hard().consumer(group).is_some_and(|left| left.members.is_empty()) {
        epochs::set_target_epoch(cx, group, TimestampMs(0));
    }
    for member in &members {
        timers::disarm_all(cx, group, member);
    }
}

/// The tombstones of a member, in the order in which Kafka's loader wants them.
fn remove(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>) {
    emit(cx, group, ConsumerRecord::Current(Arc::clone(member), None));
    emit(cx, group, ConsumerRecord::Target(Arc::clone(member), None));
    emit(cx, group, ConsumerRecord::Member(Arc::clone(member), None));
}

/// Tombstones for everything of a group, and its timers. The group need not be empty.
pub(super) fn remove_group(cx: &mut Cx<'_, Groups>, group: &Arc<str>) {
    let Some(known) = cx.hard().consumer(group) else { return };
    let members: Vec<Arc<str>> = known.members.keys().map(Arc::clone).collect();
    let patterns: Vec<Arc<str>> = known.regexes.keys().map(Arc::clone).collect();
    for member in &members {
        emit(cx, group, ConsumerRecord::Current(Arc::clone(member), None));
    }
    for member in &members {
        emit(cx, group, ConsumerRecord::Target(Arc::clone(member), None));
    }
    emit(cx, group, ConsumerRecord::TargetEpoch(None));
    for member in &members {
        emit(cx, group, ConsumerRecord::Member(Arc::clone(member), None));
        timers::disarm_all(cx, group, member);
    }
    for pattern in patterns {
        emit(cx, group, ConsumerRecord::Regex(pattern, None));
    }
    emit(cx, group, ConsumerRecord::Epoch(None));
}
