//! JoinGroup of members that the group knows: by their id, or by their instance. Must not know newcomers.

use super::group::LiveGroup;
use super::join::{add, said};
use super::stage::State;
use super::{answer, rebalance, timer};
use crate::coordinator::{CallId, Cx};
use crate::group::command::Join;
use crate::group::machine::Groups;
use crate::types::ErrorCode;
use std::sync::Arc;

/// Someone who says an id.
pub(super) fn rejoin(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, call: CallId, join: &Join) {
    let id = &join.member;
    if !group.supports(&join.protocol_type, &join.protocols) {
        return answer::not_joined(cx, call, ErrorCode::INCONSISTENT_GROUP_PROTOCOL, id);
    }
    if group.pending.contains(id) {
        // Ids are given out to members without an instance only; Kafka fails on this, too.
        if join.instance.is_some() {
            return answer::not_joined(cx, call, ErrorCode::UNKNOWN_SERVER_ERROR, &Arc::from(""));
        }
        return add(cx, group, call, join, id);
    }
    if let Err(refused) = group.check_member(id, join.instance.as_deref()) {
        return answer::not_joined(cx, call, refused, id);
    }
    let is_leader = group.is_leader(id);
    let as_before = group.member(id).is_some_and(|member| member.protocols == join.protocols);
    match group.state {
        State::PreparingRebalance(_) => again(cx, group, call, join, "joins again"),
        // The answer to its first JoinGroup may have been lost.
        State::CompletingRebalance if as_before => tell(cx, group, call, id, is_leader),
        // The leader joins again when it saw topics change; another member only to learn the generation.
        State::Stable if as_before && !is_leader => tell(cx, group, call, id, false),
        State::Stable if is_leader => again(cx, group, call, join, "leads and joins again"),
        State::CompletingRebalance | State::Stable => again(cx, group, call, join, "has other metadata"),
        State::Empty => answer::not_joined(cx, call, ErrorCode::UNKNOWN_MEMBER_ID, id),
    }
}

/// Answers with the present generation.
fn tell(cx: &mut Cx<'_, Groups>, group: &LiveGroup, call: CallId, id: &Arc<str>, with_members: bool) {
    let mut told = answer::generation(group, id);
    if with_members {
        told.members = group.for_leader();
    }
    answer::joined(cx, call, told);
}

/// The member takes part in a rebalance, which it may set off.
fn again(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, call: CallId, join: &Join, why: &str) {
    group.update(&join.member, join);
    answer::park_join(cx, group, &join.member, call);
    rebalance::prepare_or_go_on(cx, group, &format!("{} {why}: {}", join.member, said(join)));
}

/// A static member came back without its id, so the one that had its instance is fenced (KIP-345). `ids` are the old
/// and the new one. A stable group goes on as it is if it would choose the same protocol, and can write that down.
pub(super) fn replace(
    cx: &mut Cx<'_, Groups>,
    group: &mut LiveGroup,
    call: CallId,
    join: &Join,
    ids: (&Arc<str>, &Arc<str>),
) {
    let (old, new) = ids;
    let leader_before = group.leader.clone();
    if let Some(fenced) = group.rename(old, new) {
        answer::turn_away(cx, fenced, ErrorCode::FENCED_INSTANCE_ID, old);
    }
    timer::disarm_session(cx, &group.id, old);
    timer::arm_session(cx, group, new);
    group.update(new, join);
    let goes_on = group.state == State::Stable && group.select_protocol() == group.protocol;
    if goes_on && rebalance::is_writable(group) {
        rebalance::write(cx, group);
        return tell_replaced(cx, group, call, join, new, leader_before);
    }
    answer::park_join(cx, group, new, call);
    rebalance::prepare_or_go_on(cx, group, &format!("static member {new} is back: {}", said(join)));
}

/// The answer where nothing changes but the id. A leader that would take this for the start of a rebalance is told
/// that it does not lead, by its old id; a newer one is told to leave the assignment alone (KIP-814).
fn tell_replaced(
    cx: &mut Cx<'_, Groups>,
    group: &LiveGroup,
    call: CallId,
    join: &Join,
    new: &Arc<str>,
    leader_before: Option<Arc<str>>,
) {
    let mut told = answer::generation(group, new);
    if !join.can_skip_assignment {
        told.leader = leader_before.unwrap_or_default();
    } else if group.is_leader(new) {
        told.skip_assignment = true;
        told.members = group.for_leader();
    }
    answer::joined(cx, call, told);
}
