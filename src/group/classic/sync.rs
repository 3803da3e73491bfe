//! SyncGroup: the leader gives the assignments of a generation, everyone asks for its own.

use super::group::LiveGroup;
use super::stage::State;
use super::timer::{self, Timer};
use super::{answer, rebalance};
use crate::coordinator::{CallId, Cx};
use crate::group::command::Sync;
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::types::ErrorCode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// SyncGroup.
pub fn sync(cx: &mut Cx<'_, Groups>, call: CallId, sync: Sync) {
    if sync.group.is_empty() {
        return answer::synced(cx, call, Err(ErrorCode::INVALID_GROUP_ID.into()));
    }
    let known = super::with(cx, &sync.group, |cx, group| sync_in(cx, group, call, &sync));
    if known.is_none() {
        answer::synced(cx, call, Err(ErrorCode::UNKNOWN_MEMBER_ID.into()));
    }
}

fn sync_in(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, call: CallId, sync: &Sync) {
    if let Err(refused) = check(group, sync) {
        return answer::synced(cx, call, Err(refused));
    }
    match group.state {
        State::Empty => answer::synced(cx, call, Err(ErrorCode::UNKNOWN_MEMBER_ID.into())),
        State::PreparingRebalance(_) => {
            answer::synced(cx, call, Err(ErrorCode::REBALANCE_IN_PROGRESS.into()));
        }
        State::CompletingRebalance => {
            answer::park_sync(cx, group, &sync.member, call);
            has_synced(cx, group, &sync.member);
            if group.is_leader(&sync.member) {
                assign(cx, group, sync);
            }
        }
        State::Stable => {
            has_synced(cx, group, &sync.member);
            let own = group.member(&sync.member).map(|member| member.assignment.clone());
            let told = answer::assignment(group, own.unwrap_or_default());
            answer::synced(cx, call, Ok(told));
        }
    }
}

fn check(group: &LiveGroup, sync: &Sync) -> Result<(), Refused> {
    group.check_member(&sync.member, sync.instance.as_deref())?;
    if sync.generation != group.generation {
        return Err(ErrorCode::ILLEGAL_GENERATION.into());
    }
    let differ = |said: &Option<Arc<str>>, have: &Option<Arc<str>>| match (said, have) {
        (Some(said), Some(have)) => said != have,
        _ => false,
    };
    if differ(&sync.protocol_type, &group.protocol_type) || differ(&sync.protocol, &group.protocol) {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL.into());
    }
    Ok(())
}

fn has_synced(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, member: &str) {
    group.owe_sync.remove(member);
    if group.owe_sync.is_empty() {
        timer::disarm(cx, &group.id, Timer::Sync);
    }
}

/// The leader has decided. Members it did not think of get nothing.
fn assign(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, sync: &Sync) {
    let given: BTreeMap<_, _> = sync.assignments.iter().map(|(member, given)| (&**member, given)).collect();
    for id in group.ids() {
        if let Some(member) = group.member_mut(&id) {
            member.assignment = given.get(&*id).map(|given| (*given).clone()).unwrap_or_default();
        }
    }
    if !rebalance::is_writable(group) {
        answer::sync_all(cx, group, ErrorCode::UNKNOWN_SERVER_ERROR);
        return rebalance::prepare(cx, group, "it is too large to be written");
    }
    group.enter(State::Stable, cx.wall());
    rebalance::write(cx, group);
    answer::sync_all(cx, group, ErrorCode::NONE);
}
