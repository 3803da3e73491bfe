//! The clocks of members: silence, partitions not given up, joins and assignments that classic members do not fetch.
//! All are lost with the life of the machine and armed afresh in the next one, so that a restart fences nobody who is
//! alive.

use super::members;
use super::view::{self, LEFT_FOR_A_WHILE};
use crate::coordinator::Cx;
use crate::group::machine::{self, Groups};
use crate::group::settings::GroupSettings;
use crate::group::state::{ConsumerMember, MemberState};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A timer of one group; each names its member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// It was silent for its session.
    Session(Arc<str>),
    /// It did not give up partitions in time.
    Rebalance(Arc<str>),
    /// A classic member was told to join again and did not.
    Join(Arc<str>),
    /// A classic member joined and did not fetch its assignment.
    Sync(Arc<str>),
}

/// Arms a timer of a member, again if it was armed.
pub(super) fn arm(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer, after: Duration) {
    let at = cx.now().after(after);
    cx.arm(machine::Timer::Consumer(Arc::clone(group), timer), at);
}

/// Arms a timer of a member; if it was armed it stays as it was.
pub(super) fn arm_unless_armed(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer, after: Duration) {
    if !cx.is_armed(&machine::Timer::Consumer(Arc::clone(group), timer.clone())) {
        arm(cx, group, timer, after);
    }
}

/// Takes a timer back.
pub(super) fn disarm(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer) {
    cx.disarm(&machine::Timer::Consumer(Arc::clone(group), timer));
}

/// Takes all timers of a member back.
pub(super) fn disarm_all(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>) {
    for timer in [Timer::Session, Timer::Rebalance, Timer::Join, Timer::Sync] {
        disarm(cx, group, timer(Arc::clone(member)));
    }
}

/// A member of the consumer protocol is alive.
pub(super) fn arm_session(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>) {
    let session = members::context(cx).settings.times(group).session;
    arm(cx, group, Timer::Session(Arc::clone(member)), session);
}

/// A timeout as a member gave it; it may be anything.
pub(super) fn millis(timeout_ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
}

/// A timer is due.
pub(super) fn expire(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer) {
    let (member, why) = match timer {
        Timer::Session(member) => (member, "its session expired"),
        Timer::Rebalance(member) => {
            if !view::member(cx.hard(), group, &member).is_some_and(has_to_give_up) {
                return;
            }
            (member, "it did not give up partitions in time")
        }
        Timer::Join(member) => (member, "it did not join again in time"),
        Timer::Sync(member) => (member, "it did not fetch its assignment in time"),
    };
    tracing::info!(group = %group, member = %member, why, "fences a member");
    members::fence(cx, group, &BTreeSet::from([member]));
}

/// Arms what every member of a loaded log needs.
pub(super) fn arm_all(cx: &mut Cx<'_, Groups>) {
    let settings = members::context(cx).settings;
    let mut armed = Vec::new();
    for (id, group) in &cx.hard().groups {
        let Some(consumer) = &group.consumer else { continue };
        for (member, state) in &consumer.members {
            let session = session(&settings, id, state);
            armed.push((Arc::clone(id), Timer::Session(Arc::clone(member)), session));
            if has_to_give_up(state) {
                let timeout = state.metadata.as_ref().map_or(0, |metadata| metadata.rebalance_timeout_ms);
                armed.push((Arc::clone(id), Timer::Rebalance(Arc::clone(member)), millis(timeout)));
            }
        }
    }
    for (group, timer, after) in armed {
        arm(cx, &group, timer, after);
    }
}

/// A classic member has a session of its own.
fn session(settings: &GroupSettings, group: &str, member: &ConsumerMember) -> Duration {
    let classic = member.metadata.as_ref().and_then(|metadata| metadata.classic.as_ref());
    match classic {
        Some(classic) => millis(classic.session_timeout_ms),
        None => settings.times(group).session,
    }
}

fn has_to_give_up(member: &ConsumerMember) -> bool {
    member.current.as_ref().is_some_and(|current| {
        current.state == MemberState::UnrevokedPartitions && current.epoch != LEFT_FOR_A_WHILE
    })
}
