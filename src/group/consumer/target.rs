//! The target assignment: worked out once for each epoch of a group, at most once in an interval, by the assignor that
//! most members ask for. Must not know how assignors work.

use super::assign::{self, MemberSpec, Spec};
use super::epochs;
use super::index::emit;
use super::members::{context, preferred_assignor};
use super::view::is_due;
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::state::{Assignment, ConsumerGroup};
use crate::group::topics::TopicTable;
use crate::types::{TimestampMs, TopicId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Works the target out if it is of an earlier epoch than the group's and the interval since the last time is over.
/// Else members go on towards the last one, and a later heartbeat comes here again.
pub(super) fn update(cx: &mut Cx<'_, Groups>, group: &Arc<str>) {
    let context = context(cx);
    let now = cx.wall();
    let Some(known) = cx.hard().consumer(group) else { return };
    if known.target_epoch() >= known.group_epoch() {
        return;
    }
    let interval = i64::try_from(context.settings.times(group).assignment_interval.as_millis());
    let last = known.target_at();
    if last != TimestampMs(0) && !is_due(last, now, interval.unwrap_or(i64::MAX)) {
        return;
    }
    let assignor = preferred_assignor(cx, group);
    let Some(known) = cx.hard().consumer(group) else { return };
    let spec = Spec { members: specs(known, context.topics.as_ref()), topics: context.topics.as_ref() };
    let mut assigned = assign::assign(&assignor, &spec);
    tracing::debug!(group = %group, epoch = known.group_epoch(), assignor = %assignor, "a new target assignment");
    let changed: Vec<(Arc<str>, Assignment)> = spec
        .members
        .keys()
        .filter_map(|member| {
            let mut next = assigned.remove(member).unwrap_or_default();
            next.retain(|_, partitions| !partitions.is_empty());
            let before = known.members.get(member).and_then(|state| state.target.as_ref());
            (before != Some(&next)).then(|| (Arc::clone(member), next))
        })
        .collect();
    for (member, next) in changed {
        emit(cx, group, ConsumerRecord::Target(member, Some(next)));
    }
    epochs::set_target_epoch(cx, group, now);
}

/// What an assignor has to know of each member.
fn specs(group: &ConsumerGroup, topics: &dyn TopicTable) -> BTreeMap<Arc<str>, MemberSpec> {
    let mut ids: BTreeMap<&Arc<str>, Option<TopicId>> = BTreeMap::new();
    let mut specs = BTreeMap::new();
    for (id, member) in &group.members {
        let Some(metadata) = &member.metadata else { continue };
        let reads = group
            .reads(metadata)
            .names()
            .filter_map(|name| *ids.entry(name).or_insert_with(|| Some(topics.by_name(name)?.id)))
            .collect();
        let spec = MemberSpec {
            topics: reads,
            rack: metadata.rack.clone(),
            instance: metadata.instance.clone(),
            assigned: member.target.clone().unwrap_or_default(),
        };
        specs.insert(Arc::clone(id), spec);
    }
    specs
}
