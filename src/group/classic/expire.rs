//! What is done when a timer of a group is due.

use super::group::LiveGroup;
use super::stage::State;
use super::timer::{self, Timer};
use super::{answer, rebalance};
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::types::ErrorCode;
use std::sync::Arc;

/// A timer is due.
pub fn expire(cx: &mut Cx<'_, Groups>, group: &Arc<str>, timer: Timer) {
    super::with(cx, group, |cx, group| match timer {
        Timer::Session(member) => session_is_over(cx, group, &member),
        Timer::Join => rebalance::join_time_is_over(cx, group),
        Timer::Sync => sync_time_is_over(cx, group),
    });
}

/// A member was silent for its session, or an id that was given out was not used.
fn session_is_over(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, member: &Arc<str>) {
    if group.pending.remove(member) {
        return rebalance::go_on_without(cx, group);
    }
    if group.member(member).is_none_or(|member| member.is_excused()) {
        return;
    }
    if let Some(removed) = group.remove(member) {
        answer::turn_away(cx, removed, ErrorCode::UNKNOWN_MEMBER_ID, &Arc::from(""));
    }
    match group.state {
        State::Empty => {}
        State::PreparingRebalance(_) => rebalance::go_on_without(cx, group),
        State::CompletingRebalance | State::Stable => {
            rebalance::prepare(cx, group, &format!("{member} was silent for its session"));
        }
    }
}

/// Members that joined a generation and did not ask for their assignment are out.
fn sync_time_is_over(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup) {
    if !matches!(group.state, State::CompletingRebalance | State::Stable) || group.owe_sync.is_empty() {
        return;
    }
    let late: Vec<Arc<str>> = group.owe_sync.iter().cloned().collect();
    for id in &late {
        timer::disarm_session(cx, &group.id, id);
        if let Some(removed) = group.remove(id) {
            answer::turn_away(cx, removed, ErrorCode::UNKNOWN_MEMBER_ID, &Arc::from(""));
        }
    }
    rebalance::prepare(cx, group, &format!("no SyncGroup from {}", late.join(", ")));
}
