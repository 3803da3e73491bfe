//! JoinGroup into a consumer group that has members.

use super::embedded::{self, Subscription};
use super::{CONSUMER, downgrade};
use crate::coordinator::{CallId, Cx};
use crate::group::command::{Join, Joined, NotJoined, Reply};
use crate::group::consumer::find::{self, Caller, Found};
use crate::group::consumer::members::{self, context};
use crate::group::consumer::regexes::{self, Change};
use crate::group::consumer::timers::{self, Timer};
use crate::group::consumer::{epochs, heartbeat, reconcile, target, view};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::settings::MigrationPolicy;
use crate::group::state::{ClassicProtocol, ClassicSide, GroupsHard, MemberMetadata};
use crate::types::ErrorCode;
use std::sync::Arc;

/// JoinGroup of a classic member, sound in itself (`classic::check_join`). It is answered at once: the group has an
/// epoch at any time, and nobody waits for the others.
pub fn join(cx: &mut Cx<'_, Groups>, call: CallId, join: Join) {
    let result = check_and_join(cx, join);
    cx.reply(call, Reply::Joined(result));
}

fn check_and_join(cx: &mut Cx<'_, Groups>, mut join: Join) -> Result<Joined, NotJoined> {
    let is_newcomer = join.member.is_empty();
    if is_newcomer {
        join.member = members::new_id(cx);
    }
    let nameless = |refused| NotJoined { refused, member: "".into() };
    let protocol = check(cx, &join).map_err(nameless)?;
    if is_newcomer && join.instance.is_none() && join.must_know_its_id {
        return Err(NotJoined { refused: ErrorCode::MEMBER_ID_REQUIRED.into(), member: join.member });
    }
    let caller = Caller {
        group: &join.group,
        member: &join.member,
        instance: join.instance.as_ref(),
        // A static member that says its id must be the one that is known.
        joins: is_newcomer || join.instance.is_none(),
        standing: None,
    };
    let found = find::find(cx, caller).map_err(nameless)?;
    let topics = context(cx).topics;
    let subscription = embedded::subscription(&protocol.metadata, topics.as_ref()).map_err(|malformed| {
        nameless(Refused::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, malformed.to_string()))
    })?;
    let generation = take_in(cx, &join, found, &subscription);
    Ok(Joined {
        generation,
        protocol_type: Some(CONSUMER.into()),
        protocol: Some(protocol.name),
        leader: "".into(),
        skip_assignment: false,
        member: join.member,
        members: Vec::new(),
    })
}

/// Whether the group takes classic members, one more, and these protocols; the one that counts.
fn check(cx: &mut Cx<'_, Groups>, join: &Join) -> Result<ClassicProtocol, Refused> {
    if context(cx).settings.migration == MigrationPolicy::Disabled {
        let why = format!("consumer group {} takes no classic members: migration is disabled", join.group);
        return Err(Refused::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, why));
    }
    find::check_room(cx, &join.group, &join.member, join.instance.as_ref())?;
    let index = cx.soft().consumer.groups.get(&join.group);
    let by_all = |name: &Arc<str>| {
        index.is_none_or(|index| index.classic_protocols.get(name).copied().unwrap_or(0) == index.classic)
    };
    let is_supported =
        *join.protocol_type == *CONSUMER && join.protocols.iter().any(|protocol| by_all(&protocol.name));
    join.protocols.first().filter(|_| is_supported).cloned().ok_or_else(|| {
        let why = format!("member {} and the group have no protocol in common", join.member);
        Refused::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, why)
    })
}

/// Writes the member and takes it a step on, or the whole group to the classic protocol if the member was the last that
/// held it back. Returns the member's epoch.
fn take_in(cx: &mut Cx<'_, Groups>, join: &Join, found: Found, subscription: &Subscription) -> i32 {
    let (group, member) = (&join.group, &join.member);
    let becomes_classic = downgrade::is_last_of_its_protocol(cx, group, join.instance.as_ref());
    let looked_up = regexes::looked_up(cx, group);
    let metadata = updated(&found.metadata, join, subscription);
    let changes = heartbeat::subscribe(cx, group, member, found, metadata);
    let bump = changes.topics || changes.regex != Change::Unchanged;
    epochs::refresh(cx, group, bump);
    let is_stale = cx.hard().consumer(group).is_some_and(|known| known.target_epoch() < known.group_epoch());
    if !becomes_classic {
        target::update(cx, group);
    }
    if !(becomes_classic && is_stale) {
        reconcile::reconcile(cx, group, member, bump, Some(&subscription.owned));
    }
    let epoch = view::member(cx.hard(), group, member).map_or(0, |state| state.epoch());
    let is_under_way = is_stale || !is_reconciled(cx.hard(), group);
    let why = is_under_way.then_some("the consumer group became a classic one on its way to an assignment");
    if becomes_classic && downgrade::downgrade(cx, group, why) {
        return epoch;
    }
    timers::disarm(cx, group, Timer::Join(Arc::clone(member)));
    timers::arm(cx, group, Timer::Session(Arc::clone(member)), timers::millis(join.session_timeout_ms));
    timers::arm(cx, group, Timer::Sync(Arc::clone(member)), timers::millis(join.rebalance_timeout_ms));
    regexes::refresh(cx, group, looked_up);
    epoch
}

/// Whether all members have what they are to own.
fn is_reconciled(hard: &GroupsHard, group: &str) -> bool {
    hard.consumer(group).is_some_and(|known| {
        let target_epoch = known.target_epoch();
        known.members.values().all(|member| member.is_reconciled_to(target_epoch))
    })
}

fn updated(before: &MemberMetadata, join: &Join, subscription: &Subscription) -> MemberMetadata {
    let timeout = join.rebalance_timeout_ms;
    MemberMetadata {
        instance: join.instance.clone().or_else(|| before.instance.clone()),
        rack: subscription.rack.clone().or_else(|| before.rack.clone()),
        client_id: Arc::clone(&join.client.id),
        client_host: Arc::clone(&join.client.host),
        topics: subscription.topics.clone(),
        regex: Some("".into()),
        rebalance_timeout_ms: if timeout == -1 { before.rebalance_timeout_ms } else { timeout },
        assignor: before.assignor.clone(),
        classic: Some(ClassicSide {
            session_timeout_ms: join.session_timeout_ms,
            protocols: join.protocols.clone(),
        }),
    }
}
