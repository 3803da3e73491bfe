//! JoinGroup: who may join, and newcomers. Must not know what becomes of members that come back.

use super::group::LiveGroup;
use super::member::Member;
use super::stage::State;
use super::timer::{self, Timer};
use super::{answer, id, rebalance, rejoin};
use crate::coordinator::{CallId, Cx};
use crate::group::command::Join;
use crate::group::machine::Groups;
use crate::group::settings::GroupSettings;
use crate::types::ErrorCode;
use std::sync::Arc;
use std::time::Duration;

/// Ids of one group that are given out and not used yet, at most. They cost nothing to ask for, live up to the longest
/// session, and this is more than the largest groups known have members.
const PENDING_MAX: usize = 10_000;

/// JoinGroup.
pub fn join(cx: &mut Cx<'_, Groups>, call: CallId, join: Join) {
    let settings = cx.soft().settings();
    if let Err(code) = check(&settings, &join) {
        return answer::not_joined(cx, call, code, &join.member);
    }
    let is_newcomer = join.member.is_empty();
    if !super::is_known(cx, &join.group) {
        if !is_newcomer {
            return answer::not_joined(cx, call, ErrorCode::UNKNOWN_MEMBER_ID, &join.member);
        }
        // Whether or not the newcomer gets in, the group is there from now on, and must be after a restart.
        rebalance::write(cx, &LiveGroup::simple(&join.group, cx.wall()));
    }
    super::with(cx, &join.group, |cx, group| {
        if !has_room(group, &join.member, settings.classic_size_max) {
            refuse_for_size(cx, group, call, &join.member);
        } else if is_newcomer {
            join_new(cx, group, call, &join);
        } else {
            rejoin::rejoin(cx, group, call, &join);
        }
    });
}

/// Refuses what makes no sense whatever the group is.
pub fn check(settings: &GroupSettings, join: &Join) -> Result<(), ErrorCode> {
    if join.group.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    let session = u64::try_from(join.session_timeout_ms).map(Duration::from_millis);
    let bounds = settings.classic_session_min..=settings.classic_session_max;
    match session {
        Ok(session) if bounds.contains(&session) => Ok(()),
        _ => Err(ErrorCode::INVALID_SESSION_TIMEOUT),
    }
}

/// Whether `group.max.size` lets this one in. While members join again, those who come first have the places.
fn has_room(group: &LiveGroup, member: &str, size_max: usize) -> bool {
    match group.state {
        State::Empty => true,
        State::PreparingRebalance(_) => {
            group.member(member).is_some_and(Member::awaits_join) || group.awaiting_join() < size_max
        }
        State::CompletingRebalance | State::Stable => {
            group.member(member).is_some() || group.members().len() < size_max
        }
    }
}

fn refuse_for_size(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, call: CallId, member: &Arc<str>) {
    let none = Arc::from("");
    timer::disarm_session(cx, &group.id, member);
    if let Some(removed) = group.remove(member) {
        answer::turn_away(cx, removed, ErrorCode::GROUP_MAX_SIZE_REACHED, &none);
    }
    answer::not_joined(cx, call, ErrorCode::GROUP_MAX_SIZE_REACHED, &none);
}

fn join_new(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, call: CallId, join: &Join) {
    let none = Arc::from("");
    if !group.supports(&join.protocol_type, &join.protocols) {
        return answer::not_joined(cx, call, ErrorCode::INCONSISTENT_GROUP_PROTOCOL, &none);
    }
    let owner = join.instance.as_ref().unwrap_or(&join.client.id);
    let id = id::member_id(owner, cx.random());
    if let Some(instance) = &join.instance {
        return match group.of_instance(instance).cloned() {
            Some(old) => rejoin::replace(cx, group, call, join, (&old, &id)),
            None => add(cx, group, call, join, &id),
        };
    }
    if !join.must_know_its_id {
        return add(cx, group, call, join, &id);
    }
    if group.pending.len() >= PENDING_MAX {
        return answer::not_joined(cx, call, ErrorCode::GROUP_MAX_SIZE_REACHED, &none);
    }
    let session = Duration::from_millis(u64::try_from(join.session_timeout_ms).unwrap_or(0));
    group.pending.insert(Arc::clone(&id));
    timer::arm(cx, &group.id, Timer::Session(Arc::clone(&id)), session);
    answer::not_joined(cx, call, ErrorCode::MEMBER_ID_REQUIRED, &id);
}

/// Takes in a member that is not in the group.
pub(super) fn add(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, call: CallId, join: &Join, id: &Arc<str>) {
    if let State::PreparingRebalance(Some(delay)) = &mut group.state {
        delay.member_added = true;
    }
    group.add(id, Member::new(join), &join.protocol_type);
    answer::park_join(cx, group, id, call);
    timer::arm(cx, &group.id, Timer::Session(Arc::clone(id)), timer::NEW_MEMBER_JOIN);
    rebalance::prepare_or_go_on(cx, group, &format!("{id} joins: {}", said(join)));
}

/// The client's reason, for the log.
pub(super) fn said(join: &Join) -> &str {
    join.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or("not provided")
}
