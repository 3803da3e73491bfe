//! SyncGroup and Heartbeat of a classic member in a consumer group: what it may own, and whether it has to join again.

use super::{CONSUMER, embedded};
use crate::coordinator::{CallId, Cx};
use crate::group::command::{Heartbeat, Reply, Sync, Synced};
use crate::group::consumer::find::{self, Caller};
use crate::group::consumer::index::Index;
use crate::group::consumer::members::context;
use crate::group::consumer::timers::{self, Timer};
use crate::group::consumer::view;
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::{
    ClassicSide, ConsumerGroup, ConsumerMember, GroupsHard, MemberMetadata, MemberState,
};
use crate::types::{ErrorCode, TopicId};
use bytes::Bytes;
use std::sync::Arc;

/// SyncGroup of a classic member.
pub fn sync(cx: &mut Cx<'_, Groups>, call: CallId, sync: Sync) {
    let result = check_and_sync(cx, &sync).map(|assignment| Synced {
        protocol_type: sync.protocol_type,
        protocol: sync.protocol,
        assignment,
    });
    cx.reply(call, Reply::Synced(result));
}

fn check_and_sync(cx: &mut Cx<'_, Groups>, sync: &Sync) -> Result<Bytes, Refused> {
    let (group, member) = (&sync.group, &sync.member);
    let classic = find_classic(cx, group, member, sync.instance.as_ref(), sync.generation)?;
    check_protocol(sync, &classic.side)?;
    if is_behind(cx.hard(), group, member) {
        arm_join(cx, group, member, &classic);
        let why = format!("group {group} rebalances: member {member} is to join again");
        return Err(Refused::new(ErrorCode::REBALANCE_IN_PROGRESS, why));
    }
    let assignment = assignment(cx, group, member, &classic.side)?;
    timers::disarm(cx, group, Timer::Sync(Arc::clone(member)));
    arm_session(cx, group, member, &classic);
    Ok(assignment)
}

/// Heartbeat of a classic member.
pub fn heartbeat(cx: &mut Cx<'_, Groups>, beat: &Heartbeat) -> Result<(), Refused> {
    let (group, member) = (&beat.group, &beat.member);
    let classic = find_classic(cx, group, member, beat.instance.as_ref(), beat.generation)?;
    arm_session(cx, group, member, &classic);
    if has_to_join(cx, group, member) {
        arm_join(cx, group, member, &classic);
        return Err(ErrorCode::REBALANCE_IN_PROGRESS.into());
    }
    Ok(())
}

/// A classic member with its times, ms.
struct Classic {
    side: ClassicSide,
    rebalance_timeout_ms: i32,
}

/// Finds a member, which must use the classic protocol and be in the generation that it thinks of.
fn find_classic(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &Arc<str>,
    instance: Option<&Arc<str>>,
    generation: i32,
) -> Result<Classic, Refused> {
    let found = find::find(cx, Caller { group, member, instance, joins: false, standing: None })?;
    let MemberMetadata { classic: Some(side), rebalance_timeout_ms, .. } = found.metadata else {
        let why = format!("member {member} does not use the classic protocol");
        return Err(Refused::new(ErrorCode::UNKNOWN_MEMBER_ID, why));
    };
    let epoch = view::member(cx.hard(), group, member).map_or(0, ConsumerMember::epoch);
    if generation != epoch {
        let why = format!("member {member} is in epoch {epoch}, not in generation {generation}");
        return Err(Refused::new(ErrorCode::ILLEGAL_GENERATION, why));
    }
    Ok(Classic { side, rebalance_timeout_ms })
}

/// What the member thinks it agreed on must be what its JoinGroup was told.
fn check_protocol(sync: &Sync, side: &ClassicSide) -> Result<(), Refused> {
    let agreed = side.protocols.first().map(|protocol| &*protocol.name);
    let differs =
        |said: Option<&Arc<str>>, agreed: Option<&str>| said.is_some_and(|said| Some(&**said) != agreed);
    if differs(sync.protocol_type.as_ref(), Some(CONSUMER)) || differs(sync.protocol.as_ref(), agreed) {
        let why = format!("member {} did not agree on this protocol when it joined", sync.member);
        return Err(Refused::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, why));
    }
    Ok(())
}

/// There is a later target, and the member has nothing to give up first.
fn is_behind(hard: &GroupsHard, group: &str, member: &str) -> bool {
    let current = hard.consumer(group).and_then(|known| known.current(member));
    let gives_up = current.is_some_and(|current| current.state == MemberState::UnrevokedPartitions);
    !gives_up && is_in_earlier_epoch(hard, group, member)
}

fn is_in_earlier_epoch(hard: &GroupsHard, group: &str, member: &str) -> bool {
    let Some(known) = hard.consumer(group) else { return false };
    let epoch = known.members.get(member).map_or(0, ConsumerMember::epoch);
    epoch < known.target_epoch()
}

/// There is a later target, something to be given up, or something to be had that others have given up.
fn has_to_join(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>) -> bool {
    if is_in_earlier_epoch(cx.hard(), group, member) {
        return true;
    }
    let (hard, soft) = cx.state();
    let Some(known) = hard.consumer(group) else { return false };
    match known.current(member).map(|current| current.state) {
        Some(MemberState::UnrevokedPartitions) => true,
        Some(MemberState::UnreleasedPartitions) => {
            let index = soft.consumer.groups.get(group);
            !index.is_some_and(|index| waits(known, index, member))
        }
        _ => false,
    }
}

/// Whether a partition of the member's target is still with somebody else.
fn waits(group: &ConsumerGroup, index: &Index, member: &str) -> bool {
    let Some(state) = group.members.get(member) else { return false };
    let target = state.target.iter().flatten();
    let wanted = target.flat_map(|(topic, partitions)| partitions.iter().map(|number| (*topic, *number)));
    let assigned = state.current.as_ref().map(|current| &current.assigned);
    let is_owned = |topic: TopicId, number: i32| {
        let of_topic = assigned.and_then(|assigned| assigned.get(&topic));
        of_topic.is_some_and(|numbers| numbers.contains_key(&number))
    };
    let is_held = |topic: TopicId, number: i32| {
        index.owners.get(&topic).is_some_and(|owners| owners.contains_key(&number))
    };
    wanted.into_iter().any(|(topic, number)| !is_owned(topic, number) && is_held(topic, number))
}

/// The bytes that say what a member may own, in the version that it speaks.
fn assignment(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &Arc<str>,
    side: &ClassicSide,
) -> Result<Bytes, Refused> {
    let topics = context(cx).topics;
    let current = cx.hard().consumer(group).and_then(|known| known.current(member));
    let assigned = current.map(|current| &current.assigned).into_iter().flatten();
    let assigned = assigned.map(|(topic, partitions)| (*topic, partitions.keys().copied().collect()));
    let subscription = side.protocols.first().map(|protocol| protocol.metadata.clone()).unwrap_or_default();
    embedded::write(assigned, &subscription, topics.as_ref())
        .map_err(|malformed| Refused::new(ErrorCode::UNKNOWN_SERVER_ERROR, malformed.to_string()))
}

fn arm_session(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>, classic: &Classic) {
    let session = timers::millis(classic.side.session_timeout_ms);
    timers::arm(cx, group, Timer::Session(Arc::clone(member)), session);
}

/// The member has this long to join again, from when it was told first.
fn arm_join(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>, classic: &Classic) {
    let after = timers::millis(classic.rebalance_timeout_ms);
    timers::arm_unless_armed(cx, group, Timer::Join(Arc::clone(member)), after);
}
