//! The timers of classic groups: their names and when they are due. Must not know what is done then.

use super::group::LiveGroup;
use crate::coordinator::Cx;
use crate::group::machine::{self, Groups};
use std::sync::Arc;
use std::time::Duration;

/// A timer of one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A member was silent for its session; or an id that was given out did not come back.
    Session(Arc<str>),
    /// The time to join is over, or this wait of the first rebalance.
    Join,
    /// The time to ask for assignments is over.
    Sync,
}

/// Time in which the first generation of a new member must begin. A client that gave up waiting joins anew under
/// another id, and the one it left behind must not hold up the group for ever.
pub(super) const NEW_MEMBER_JOIN: Duration = Duration::from_secs(300);

/// Arms a timer to be due so much later, instead of when it was due before.
pub(super) fn arm(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer, later: Duration) {
    let at = cx.now().after(later);
    cx.arm(machine::Timer::Classic(Arc::clone(group), timer), at);
}

pub(super) fn disarm(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer) {
    cx.disarm(&machine::Timer::Classic(Arc::clone(group), timer));
}

/// A member has just been heard: its session begins anew.
pub(super) fn arm_session(cx: &mut Cx<'_, Groups>, group: &LiveGroup, member: &Arc<str>) {
    if let Some(timeout) = group.member(member).map(|member| member.session_timeout()) {
        arm(cx, &group.id, Timer::Session(Arc::clone(member)), timeout);
    }
}

pub(super) fn disarm_session(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>) {
    disarm(cx, group, Timer::Session(Arc::clone(member)));
}
