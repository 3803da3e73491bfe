//! The classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. Must not know the consumer protocol or offsets.
//!
//! A group with members, or with ids given out, is kept in `Live` as it is now; what is written is how it was when its
//! last rebalance ended. A group that is empty is kept nowhere else than in `GroupsHard`, and is made alive from there
//! for the time of a request. A member that is lost with `Live` joins again.

mod answer;
mod describe;
mod expire;
mod group;
mod heartbeat;
mod id;
mod join;
mod leave;
mod member;
mod migrate;
mod rebalance;
mod rejoin;
mod stage;
mod subscription;
mod sync;
mod timer;
mod vote;

#[cfg(test)]
mod tests;

pub use describe::{Overview, describe, overview, unwritten};
pub use expire::expire;
pub use heartbeat::{check_commit, heartbeat};
pub use join::{check as check_join, join};
pub use leave::leave;
pub use migrate::{Roster, RosterMember, adopt, delete, dissolve, keep, roster};
pub use sync::sync;
pub use timer::Timer;

use super::machine::Groups;
use super::state::GroupsHard;
use crate::coordinator::Cx;
use crate::types::TimestampMs;
use group::LiveGroup;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Groups as they are now; those without members that are not in a rebalance are in `GroupsHard` only, or nowhere.
#[derive(Default)]
pub struct Live {
    groups: BTreeMap<Arc<str>, LiveGroup>,
}

/// Wakes what is durable, at the first context of a life: groups with members are stable, and each member has a
/// session before it to report again.
pub fn start(cx: &mut Cx<'_, Groups>) {
    let with_members = |group: &super::state::Group| {
        group.classic.as_ref().is_some_and(|classic| !classic.members.is_empty())
    };
    let groups = cx.hard().groups.iter().filter(|(_, group)| with_members(group));
    let ids: Vec<Arc<str>> = groups.map(|(id, _)| Arc::clone(id)).collect();
    let size_max = cx.soft().settings().classic_size_max;
    for id in ids {
        with(cx, &id, |cx, group| {
            for member in group.ids() {
                timer::arm_session(cx, group, &member);
            }
            if group.members().len() > size_max {
                // Its members may commit before they join again, and some will not get in.
                rebalance::prepare(cx, group, "it was loaded with more members than group.max.size");
            }
        });
    }
}

/// Whether there is such a classic group.
fn is_known(cx: &mut Cx<'_, Groups>, id: &str) -> bool {
    let (hard, soft) = cx.state();
    look(hard, &soft.classic, id, |_| ()).is_some()
}

/// Shows a group as it is now. `None` if there is no such classic group.
fn look<R>(hard: &GroupsHard, live: &Live, id: &str, show: impl FnOnce(&LiveGroup) -> R) -> Option<R> {
    match live.groups.get(id) {
        Some(group) => Some(show(group)),
        None => written(hard, id, TimestampMs::NONE).map(|group| show(&group)),
    }
}

/// Changes a group. `None` if there is no such classic group.
fn with<R>(
    cx: &mut Cx<'_, Groups>,
    id: &str,
    act: impl FnOnce(&mut Cx<'_, Groups>, &mut LiveGroup) -> R,
) -> Option<R> {
    let mut group = take(cx, id)?;
    let done = act(cx, &mut group);
    put(cx, group);
    Some(done)
}

/// Takes a group out, to be changed together with the rest of the state.
fn take(cx: &mut Cx<'_, Groups>, id: &str) -> Option<LiveGroup> {
    let now = cx.wall();
    let (hard, soft) = cx.state();
    soft.classic.groups.remove(id).or_else(|| written(hard, id, now))
}

fn put(cx: &mut Cx<'_, Groups>, group: LiveGroup) {
    if !group.is_at_rest() {
        cx.soft().classic.groups.insert(Arc::clone(&group.id), group);
    }
}

/// A group as it was written. One of offsets alone is an empty group since `now`.
fn written(hard: &GroupsHard, id: &str, now: TimestampMs) -> Option<LiveGroup> {
    let (id, group) = hard.groups.get_key_value(id)?;
    match (&group.consumer, &group.classic) {
        (Some(_), _) => None,
        (None, Some(classic)) => Some(LiveGroup::written(id, classic)),
        (None, None) => Some(LiveGroup::simple(id, now)),
    }
}
