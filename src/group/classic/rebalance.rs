//! The way from one generation to the next: everybody is to join again, then the leader is to assign. Must not know
//! which request set it off.

use super::group::LiveGroup;
use super::stage::{Delay, State};
use super::timer::{self, Timer};
use super::{answer, subscription};
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::records::GroupRecord;
use crate::types::ErrorCode;
use bytes::Bytes;
use std::sync::Arc;

/// Bytes of a group's record at most, about: eight times what Kafka's defaults take. It is written and read back in
/// one piece, in a batch with those of other groups.
const RECORD_BYTES_MAX: usize = 8 << 20;

/// Whether the group as it is now can be written.
pub(super) fn is_writable(group: &LiveGroup) -> bool {
    let bytes = group.members().iter().map(|(id, member)| {
        let protocol = group.protocol.as_deref().unwrap_or("");
        // Each member has a few lengths and numbers beside its texts.
        64 + id.len()
            + member.client.id.len()
            + member.client.host.len()
            + member.instance.as_ref().map_or(0, |instance| instance.len())
            + member.metadata(protocol).len()
            + member.assignment.len()
    });
    bytes.sum::<usize>() <= RECORD_BYTES_MAX
}

/// Writes the group as it is now.
pub(super) fn write(cx: &mut Cx<'_, Groups>, group: &LiveGroup) {
    let state = Some(Box::new(group.to_write()));
    cx.emit(GroupRecord::Classic { group: Arc::clone(&group.id), state });
}

/// After a change of the members: begins a rebalance, or goes on with the one under way if nobody is missed.
pub(super) fn prepare_or_go_on(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, why: &str) {
    match group.state {
        State::PreparingRebalance(_) => go_on(cx, group),
        _ => prepare(cx, group, why),
    }
}

/// Ends the time to join if nobody is missed. The first rebalance of an empty group keeps to its delay.
pub(super) fn go_on(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup) {
    if group.state == State::PreparingRebalance(None) && group.has_all_joined() {
        complete_join(cx, group);
    }
}

/// The same, for members that were lost: nobody is left to wait for.
pub(super) fn go_on_without(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup) {
    if matches!(group.state, State::PreparingRebalance(_)) && group.has_all_joined() {
        complete_join(cx, group);
    }
}

/// Begins a rebalance.
pub(super) fn prepare(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, why: &str) {
    if group.state == State::CompletingRebalance {
        forget_assignments(group);
        answer::sync_all(cx, group, ErrorCode::REBALANCE_IN_PROGRESS);
    }
    group.owe_sync.clear();
    timer::disarm(cx, &group.id, Timer::Sync);
    let (state, generation) = (group.state.name(), group.generation);
    tracing::info!(group = %group.id, state, generation, why, "rebalance begins");
    let now = cx.wall();
    if group.state == State::Empty {
        let wait = cx.soft().settings().initial_rebalance_delay;
        let left = group.rebalance_timeout().saturating_sub(wait);
        group.enter(State::PreparingRebalance(Some(Delay { member_added: false, now: wait, left })), now);
        if wait.is_zero() {
            complete_join(cx, group);
        } else {
            timer::arm(cx, &group.id, Timer::Join, wait);
        }
        return;
    }
    group.enter(State::PreparingRebalance(None), now);
    if group.has_all_joined() {
        complete_join(cx, group);
    } else {
        timer::arm(cx, &group.id, Timer::Join, group.rebalance_timeout());
    }
}

/// The time to join is over, or a wait of the first rebalance: that one waits again as long as members keep coming.
pub(super) fn join_time_is_over(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup) {
    match group.state {
        State::PreparingRebalance(Some(delay)) if delay.member_added && !delay.left.is_zero() => {
            let now = cx.soft().settings().initial_rebalance_delay.min(delay.left);
            let left = delay.left.saturating_sub(delay.now);
            group.state = State::PreparingRebalance(Some(Delay { member_added: false, now, left }));
            timer::arm(cx, &group.id, Timer::Join, now);
        }
        State::PreparingRebalance(_) => complete_join(cx, group),
        _ => {}
    }
}

/// Begins the next generation with those who joined. Static members that did not are kept, since they may come back
/// under their instance; others are out.
fn complete_join(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup) {
    timer::disarm(cx, &group.id, Timer::Join);
    for id in group.ids() {
        if group.member(&id).is_some_and(|member| !member.awaits_join() && member.instance.is_none()) {
            group.remove(&id);
            timer::disarm_session(cx, &group.id, &id);
        }
    }
    if !elect(group) && !group.members().is_empty() {
        timer::arm(cx, &group.id, Timer::Join, group.rebalance_timeout());
        return;
    }
    group.generation = group.generation.wrapping_add(1);
    let now = cx.wall();
    group.owe_sync.clear();
    if group.members().is_empty() {
        group.protocol = None;
        group.subscribed = subscription::subscribed(group);
        group.enter(State::Empty, now);
        tracing::info!(group = %group.id, generation = group.generation, "group is empty");
        write(cx, group);
        return;
    }
    group.protocol = group.select_protocol();
    group.subscribed = subscription::subscribed(group);
    group.enter(State::CompletingRebalance, now);
    let (generation, members) = (group.generation, group.members().len());
    tracing::info!(group = %group.id, generation, members, "all have joined");
    tell_generation(cx, group);
    timer::arm(cx, &group.id, Timer::Sync, group.rebalance_timeout());
}

/// A leader that did not join makes way for a member that did; false if none did.
fn elect(group: &mut LiveGroup) -> bool {
    let Some(leader) = &group.leader else { return false };
    if group.member(leader).is_some_and(|leader| leader.awaits_join()) {
        return true;
    }
    let joined = group.members().iter().find(|(_, member)| member.awaits_join());
    let Some(joined) = joined.map(|(id, _)| Arc::clone(id)) else { return false };
    group.leader = Some(joined);
    true
}

/// Answers all who joined. Everyone is to ask for an assignment now.
fn tell_generation(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup) {
    for id in group.ids() {
        if let Some(call) = group.take_join(&id) {
            let mut told = answer::generation(group, &id);
            if group.is_leader(&id) {
                told.members = group.for_leader();
            }
            answer::joined(cx, call, told);
        }
        timer::arm_session(cx, group, &id);
        if let Some(member) = group.member_mut(&id) {
            member.is_new = false;
        }
        group.owe_sync.insert(id);
    }
}

/// What was assigned in a generation that does not come about is void.
fn forget_assignments(group: &mut LiveGroup) {
    for id in group.ids() {
        if let Some(member) = group.member_mut(&id) {
            member.assignment = Bytes::new();
        }
    }
}
