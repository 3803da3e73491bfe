//! Parked calls and their answers. Each parked call is answered exactly once: when its member goes on, goes away, or
//! parks another one. Must not know why.

use super::group::LiveGroup;
use super::member::Member;
use super::timer;
use crate::coordinator::{CallId, Cx};
use crate::group::command::{Joined, NotJoined, Reply, Synced};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::types::ErrorCode;
use bytes::Bytes;
use std::sync::Arc;

/// Refuses a JoinGroup.
pub(super) fn not_joined(
    cx: &mut Cx<'_, Groups>,
    call: CallId,
    refused: impl Into<Refused>,
    member: &Arc<str>,
) {
    let not = NotJoined { refused: refused.into(), member: Arc::clone(member) };
    cx.reply(call, Reply::Joined(Err(not)));
}

/// Answers a JoinGroup with the present generation.
pub(super) fn joined(cx: &mut Cx<'_, Groups>, call: CallId, joined: Joined) {
    cx.reply(call, Reply::Joined(Ok(joined)));
}

/// The present generation as a member is told of it, without the other members.
pub(super) fn generation(group: &LiveGroup, member: &Arc<str>) -> Joined {
    Joined {
        generation: group.generation,
        protocol_type: group.protocol_type.clone(),
        protocol: group.protocol.clone(),
        leader: group.leader.clone().unwrap_or_default(),
        skip_assignment: false,
        member: Arc::clone(member),
        members: Vec::new(),
    }
}

/// Answers a SyncGroup.
pub(super) fn synced(cx: &mut Cx<'_, Groups>, call: CallId, result: Result<Synced, Refused>) {
    cx.reply(call, Reply::Synced(result));
}

/// What a member was assigned.
pub(super) fn assignment(group: &LiveGroup, assignment: Bytes) -> Synced {
    Synced { protocol_type: group.protocol_type.clone(), protocol: group.protocol.clone(), assignment }
}

/// Parks a JoinGroup. A client that asks again has given up the call before, which is told to do the same.
pub(super) fn park_join(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, member: &Arc<str>, call: CallId) {
    if let Some(before) = group.park_join(member, call) {
        not_joined(cx, before, ErrorCode::REBALANCE_IN_PROGRESS, member);
    }
}

/// Parks a SyncGroup, as `park_join`.
pub(super) fn park_sync(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, member: &str, call: CallId) {
    if let Some(before) = group.member_mut(member).and_then(|member| member.park_sync(call)) {
        synced(cx, before, Err(ErrorCode::REBALANCE_IN_PROGRESS.into()));
    }
}

/// Answers what is parked of a member that is out; `id` is what its JoinGroup is told of its id.
pub(super) fn turn_away(cx: &mut Cx<'_, Groups>, mut member: Member, code: ErrorCode, id: &Arc<str>) {
    if let Some(call) = member.take_join() {
        not_joined(cx, call, code, id);
    }
    if let Some(call) = member.take_sync() {
        synced(cx, call, Err(code.into()));
    }
}

/// Answers all parked SyncGroups, with the members' assignments or with an error. Who is answered has its session
/// before it to report again.
pub(super) fn sync_all(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, code: ErrorCode) {
    for id in group.ids() {
        let Some(member) = group.member_mut(&id) else { continue };
        let Some(call) = member.take_sync() else { continue };
        let own = member.assignment.clone();
        let result = if code == ErrorCode::NONE { Ok(assignment(group, own)) } else { Err(code.into()) };
        synced(cx, call, result);
        timer::arm_session(cx, group, &id);
    }
}
