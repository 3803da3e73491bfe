//! LeaveGroup: members go, or an operator takes them out.

use super::group::LiveGroup;
use super::stage::State;
use super::{answer, rebalance, timer};
use crate::coordinator::Cx;
use crate::group::command::{Leave, Leaving, Left};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::types::ErrorCode;
use std::sync::Arc;

/// LeaveGroup.
pub fn leave(cx: &mut Cx<'_, Groups>, leave: &Leave) -> Result<Vec<Left>, Refused> {
    if leave.group.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID.into());
    }
    let left = super::with(cx, &leave.group, |cx, group| leave_in(cx, group, leave));
    Ok(left.unwrap_or_else(|| {
        leave.members.iter().map(|leaving| told(leaving, ErrorCode::UNKNOWN_MEMBER_ID)).collect()
    }))
}

fn leave_in(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, leave: &Leave) -> Vec<Left> {
    let take_out = |leaving: &Leaving| told(leaving, take_out(cx, group, leaving));
    let left: Vec<Left> = leave.members.iter().map(take_out).collect();
    if left.iter().any(|left| left.code == ErrorCode::NONE) {
        match group.state {
            State::Empty => {}
            State::PreparingRebalance(_) => rebalance::go_on(cx, group),
            State::CompletingRebalance | State::Stable => {
                rebalance::prepare(cx, group, &reasons(leave));
            }
        }
    }
    left
}

/// Takes out one member, or one id that was given out.
fn take_out(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, leaving: &Leaving) -> ErrorCode {
    let id = if !leaving.member.is_empty() {
        Arc::clone(&leaving.member)
    } else {
        match leaving.instance.as_ref().and_then(|instance| group.of_instance(instance)) {
            Some(id) => Arc::clone(id),
            None => return ErrorCode::UNKNOWN_MEMBER_ID,
        }
    };
    let is_found = leaving.member.is_empty() || group.pending.contains(&id);
    if !is_found && let Err(refused) = group.check_member(&id, leaving.instance.as_deref()) {
        return refused.code;
    }
    timer::disarm_session(cx, &group.id, &id);
    if let Some(removed) = group.remove(&id) {
        answer::turn_away(cx, removed, ErrorCode::UNKNOWN_MEMBER_ID, &Arc::from(""));
    }
    ErrorCode::NONE
}

fn told(leaving: &Leaving, code: ErrorCode) -> Left {
    Left { member: Arc::clone(&leaving.member), instance: leaving.instance.clone(), code }
}

/// Who wants to go and why, for the log.
fn reasons(leave: &Leave) -> String {
    let each = leave.members.iter().map(|leaving| {
        let who = leaving.instance.as_deref().unwrap_or(&leaving.member);
        format!("{who} leaves: {}", leaving.reason.as_deref().unwrap_or("not provided"))
    });
    each.collect::<Vec<_>>().join(", ")
}
