//! ConsumerGroupHeartbeat: a member joins, says that it is alive and what it owns and wants, or goes; and is told its
//! epoch and what it may own.

use super::find::{self, Caller, Found};
use super::index::emit;
use super::members::{self, context};
use super::regexes::{self, Change};
use super::timers::{self, Timer};
use super::view::{self, LEAVES, LEFT_FOR_A_WHILE};
use super::{classic_side, epochs, reconcile, regex, request, target};
use crate::coordinator::Cx;
use crate::group::classic;
use crate::group::command::{ConsumerHeartbeat, ConsumerHeartbeatAnswer};
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::refused::Refused;
use crate::group::state::{Assignment, Current, MemberMetadata};
use crate::types::{ErrorCode, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a request changed of its member; by either protocol.
pub(super) struct Changes {
    /// It reads other topics by name.
    pub(super) topics: bool,
    /// Its regular expression.
    pub(super) regex: Change,
    /// Another assignor is preferred now.
    pub(super) assignor: bool,
}

/// Carries a heartbeat out.
pub(super) fn heartbeat(
    cx: &mut Cx<'_, Groups>,
    mut beat: ConsumerHeartbeat,
) -> Result<ConsumerHeartbeatAnswer, Refused> {
    request::check(&beat, &context(cx).settings)?;
    if beat.epoch == LEAVES || beat.epoch == LEFT_FOR_A_WHILE {
        return leave(cx, &beat);
    }
    let joins = beat.epoch == 0;
    let is_consumer = cx.hard().consumer(&beat.group).is_some();
    if !is_consumer {
        check_kind(cx, &beat)?;
    }
    find::check_room(cx, &beat.group, &beat.member, beat.instance.as_ref())?;
    if beat.member.is_empty() {
        beat.member = members::new_id(cx);
    }
    let standing = Some((beat.epoch, beat.owned.as_ref()));
    let instance = beat.instance.as_ref();
    let caller = Caller { group: &beat.group, member: &beat.member, instance, joins, standing };
    let mut found = find::find(cx, caller)?;
    check_regex(cx, &beat, &found)?;
    if !is_consumer && become_consumer(cx, &beat.group) {
        found = find::find(cx, caller)?;
    }
    let before = looked_at(cx, &beat, &found);
    let looked_up = regexes::looked_up(cx, &beat.group);
    let metadata = updated(&found.metadata, &beat);
    let changes = subscribe(cx, &beat.group, &beat.member, found, metadata);
    step(cx, &beat, &changes);
    let answer = answer(cx, &beat, &before);
    regexes::refresh(cx, &beat.group, looked_up);
    Ok(answer)
}

/// For a group that is not a consumer group yet: whether it may become one by this request. Changes nothing.
fn check_kind(cx: &mut Cx<'_, Groups>, beat: &ConsumerHeartbeat) -> Result<(), Refused> {
    let (hard, soft) = cx.state();
    let classic = classic::overview(hard, &soft.classic, &beat.group);
    match (classic, beat.epoch == 0) {
        (None, true) => Ok(()),
        (Some(classic), true) if classic.empty => Ok(()),
        (Some(_), true) => classic_side::check_upgrade(cx, &beat.group, &beat.member, beat.instance.as_ref()),
        (None, false) => {
            Err(Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("there is no group {}", beat.group)))
        }
        (Some(_), false) => Err(not_consumer(&beat.group)),
    }
}

/// `GROUP_ID_NOT_FOUND` for a group of another kind.
pub(super) fn not_consumer(group: &str) -> Refused {
    Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("group {group} is not a consumer group"))
}

/// Ends the classic life of a group that `check_kind` let pass. True if it brings members along.
fn become_consumer(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> bool {
    let (hard, soft) = cx.state();
    match classic::overview(hard, &soft.classic, group) {
        None => false,
        Some(classic) if classic.empty => {
            classic::delete(cx, group);
            false
        }
        Some(_) => {
            classic_side::upgrade(cx, group);
            true
        }
    }
}

/// An expression that nobody in the group has yet must be one.
fn check_regex(cx: &mut Cx<'_, Groups>, beat: &ConsumerHeartbeat, found: &Found) -> Result<(), Refused> {
    let Some(new) = beat.regex.as_ref().filter(|new| !new.is_empty()) else { return Ok(()) };
    let (_, soft) = cx.state();
    let group = soft.consumer.groups.get(&beat.group);
    if found.metadata.regex.as_ref() == Some(new) || group.is_some_and(|g| g.patterns.contains_key(new)) {
        return Ok(());
    }
    regex::check(new)
}

fn updated(before: &MemberMetadata, beat: &ConsumerHeartbeat) -> MemberMetadata {
    let timeout = beat.rebalance_timeout_ms;
    MemberMetadata {
        instance: beat.instance.clone().or_else(|| before.instance.clone()),
        rack: beat.rack.clone().or_else(|| before.rack.clone()),
        client_id: Arc::clone(&beat.client.id),
        client_host: Arc::clone(&beat.client.host),
        topics: match &beat.topics {
            Some(topics) => topics.iter().map(Arc::clone).collect(),
            None => before.topics.clone(),
        },
        regex: beat.regex.clone().or_else(|| before.regex.clone()),
        rebalance_timeout_ms: if timeout == -1 { before.rebalance_timeout_ms } else { timeout },
        assignor: beat.assignor.clone().or_else(|| before.assignor.clone()),
        classic: None,
    }
}

/// Writes a member that `find` found and all that it says of itself.
pub(super) fn subscribe(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &Arc<str>,
    found: Found,
    metadata: MemberMetadata,
) -> Changes {
    let preferred = members::preferred_assignor(cx, group);
    if let Some(old) = &found.replaces {
        members::take_place(cx, group, old, member);
    }
    let pattern = metadata.regex.clone();
    let topics = members::update(cx, group, member, metadata);
    let regex = regexes::changed(cx, group, found.metadata.regex.as_ref(), pattern.as_ref());
    let assignor = preferred != members::preferred_assignor(cx, group);
    Changes { topics, regex, assignor }
}

/// Epoch, target and the member's own step, and its clock.
fn step(cx: &mut Cx<'_, Groups>, beat: &ConsumerHeartbeat, changes: &Changes) {
    let (group, member) = (&beat.group, &beat.member);
    let bump = changes.topics || changes.regex == Change::Resolved || changes.assignor;
    epochs::refresh(cx, group, bump);
    target::update(cx, group);
    let changed = changes.topics || changes.regex != Change::Unchanged;
    reconcile::reconcile(cx, group, member, changed, beat.owned.as_ref());
    timers::arm_session(cx, group, member);
    // It may have been a classic member before, with clocks of its own.
    timers::disarm(cx, group, Timer::Join(Arc::clone(member)));
    timers::disarm(cx, group, Timer::Sync(Arc::clone(member)));
}

type Epochs = BTreeMap<TopicId, BTreeMap<i32, i32>>;

/// What the member had before this request, to be compared with.
fn looked_at(cx: &Cx<'_, Groups>, beat: &ConsumerHeartbeat, found: &Found) -> Epochs {
    let id = found.replaces.as_ref().unwrap_or(&beat.member);
    let current = cx.hard().consumer(&beat.group).and_then(|known| known.current(id));
    current.map(|current| current.assigned.clone()).unwrap_or_default()
}

fn answer(cx: &mut Cx<'_, Groups>, beat: &ConsumerHeartbeat, before: &Epochs) -> ConsumerHeartbeatAnswer {
    let heartbeat = context(cx).settings.times(&beat.group).heartbeat;
    let newcomer = Current::of_newcomer();
    let known = cx.hard().consumer(&beat.group);
    let current = known.and_then(|known| known.current(&beat.member)).unwrap_or(&newcomer);
    let says_all = beat.rebalance_timeout_ms != -1
        && (beat.topics.is_some() || beat.regex.is_some())
        && beat.owned.is_some();
    let is_told = beat.epoch == 0 || says_all || current.assigned != *before;
    ConsumerHeartbeatAnswer {
        member: Arc::clone(&beat.member),
        epoch: current.epoch,
        heartbeat_interval_ms: i32::try_from(heartbeat.as_millis()).unwrap_or(i32::MAX),
        assignment: is_told.then(|| without_epochs(&current.assigned)),
    }
}

/// Partitions alone.
pub(super) fn without_epochs(assigned: &Epochs) -> Assignment {
    assigned.iter().map(|(topic, partitions)| (*topic, partitions.keys().copied().collect())).collect()
}

/// A member goes for good, or for a while if it is a static one.
fn leave(cx: &mut Cx<'_, Groups>, beat: &ConsumerHeartbeat) -> Result<ConsumerHeartbeatAnswer, Refused> {
    let (hard, soft) = cx.state();
    let Some(known) = hard.consumer(&beat.group) else {
        return Err(match classic::overview(hard, &soft.classic, &beat.group) {
            Some(_) => not_consumer(&beat.group),
            None => Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("there is no group {}", beat.group)),
        });
    };
    match &beat.instance {
        None if known.members.contains_key(&beat.member) => {}
        None => return Err(find::unknown_member(&beat.group, &beat.member)),
        Some(instance) => {
            let index = soft.consumer.groups.get(&beat.group);
            let Some(holder) = index.and_then(|index| index.instances.get(instance)) else {
                return Err(find::unknown_instance(instance));
            };
            find::check_instance(holder, &beat.member, instance)?;
        }
    }
    if beat.epoch == LEFT_FOR_A_WHILE {
        leave_for_a_while(cx, &beat.group, &beat.member);
    } else {
        members::fence(cx, &beat.group, &BTreeSet::from([Arc::clone(&beat.member)]));
    }
    Ok(ConsumerHeartbeatAnswer {
        member: Arc::clone(&beat.member),
        epoch: beat.epoch,
        heartbeat_interval_ms: 0,
        assignment: None,
    })
}

/// The member keeps what it was assigned until it comes back under another id, or its session is over.
fn leave_for_a_while(cx: &mut Cx<'_, Groups>, group: &Arc<str>, member: &Arc<str>) {
    let state = view::member(cx.hard(), group, member);
    let mut current = state.and_then(|state| state.current.clone()).unwrap_or_else(Current::of_newcomer);
    current.epoch = LEFT_FOR_A_WHILE;
    current.revoking.clear();
    for partitions in current.assigned.values_mut() {
        partitions.values_mut().for_each(|since| *since = 0);
    }
    emit(cx, group, ConsumerRecord::Current(Arc::clone(member), Some(Box::new(current))));
    timers::disarm(cx, group, Timer::Rebalance(Arc::clone(member)));
}
