//! A consumer group becomes a classic group once only classic members are left: the last one of the consumer protocol
//! went, or came back as a classic member. Members keep what they were to own as their assignments, as with Kafka
//! 4.4.0.
//!
//! Where Kafka would let two members read one partition this does not follow it. If a rebalance comes next, nobody
//! will be given these assignments, but the group may become a consumer group again before it ends: so they say what
//! members hold, not what they were to own. And members that are still on their way to their targets do rebalance.

use super::embedded;
use crate::coordinator::Cx;
use crate::group::classic::{self, Roster, RosterMember};
use crate::group::command::Client;
use crate::group::consumer::members::{self, context};
use crate::group::machine::Groups;
use crate::group::settings::MigrationPolicy;
use crate::group::state::{Assignment, ConsumerGroup, ConsumerMember, Current};
use crate::group::topics::TopicTable;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Called before `leaving` are taken out of a group (all of them are in it). True if it turned the group into a classic
/// one without them, in which case all is done: their records, timers, everything.
pub(in crate::group::consumer) fn downgrade_without(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    leaving: &BTreeSet<Arc<str>>,
) -> bool {
    let (hard, soft) = cx.state();
    let (Some(known), Some(index)) = (hard.consumer(group), soft.consumer.groups.get(group)) else {
        return false;
    };
    let classic_leaving = leaving.iter().filter(|id| is_classic(known, id)).count();
    let left = known.members.len().saturating_sub(leaving.len());
    let classic_left = index.classic.saturating_sub(classic_leaving);
    if left == 0 || classic_left != left || !may_downgrade(cx, group, left) {
        return false;
    }
    let why = Some("the last members of the consumer protocol left, and the group became a classic one");
    convert(cx, group, leaving, why)
}

/// Whether the member with this instance is the only one that does not use the classic protocol, and the group may
/// become a classic one once it does.
pub(super) fn is_last_of_its_protocol(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    instance: Option<&Arc<str>>,
) -> bool {
    let Some(instance) = instance else { return false };
    let (hard, soft) = cx.state();
    let (Some(known), Some(index)) = (hard.consumer(group), soft.consumer.groups.get(group)) else {
        return false;
    };
    let Some(holder) = index.instances.get(instance) else { return false };
    let members = known.members.len();
    let is_last = !is_classic(known, holder) && index.classic + 1 == members;
    is_last && may_downgrade(cx, group, members)
}

/// Turns the group into a classic one; `rebalance` is why its members are to join again at once. False if their
/// metadata do not allow it.
pub(super) fn downgrade(cx: &mut Cx<'_, Groups>, group: &Arc<str>, rebalance: Option<&str>) -> bool {
    convert(cx, group, &BTreeSet::new(), rebalance)
}

fn is_classic(group: &ConsumerGroup, member: &str) -> bool {
    group.metadata(member).is_some_and(|metadata| metadata.classic.is_some())
}

fn may_downgrade(cx: &mut Cx<'_, Groups>, group: &Arc<str>, members: usize) -> bool {
    let settings = context(cx).settings;
    let is_enabled =
        matches!(settings.migration, MigrationPolicy::Bidirectional | MigrationPolicy::Downgrade);
    let has_room = members <= settings.classic_size_max;
    if !is_enabled || !has_room {
        tracing::info!(group = %group, is_enabled, has_room, "a consumer group of classic members stays one");
    }
    is_enabled && has_room
}

fn convert(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    leaving: &BTreeSet<Arc<str>>,
    rebalance: Option<&str>,
) -> bool {
    let topics = context(cx).topics;
    let Some(known) = cx.hard().consumer(group) else { return false };
    let keeps = if rebalance.is_some() { Keeps::Held } else { Keeps::Target };
    let Some(roster) = roster(known, leaving, keeps, topics.as_ref()) else {
        tracing::warn!(group = %group, "a consumer group of classic members that cannot be read stays one");
        return false;
    };
    members::remove_group(cx, group);
    classic::adopt(cx, group, roster, rebalance);
    tracing::info!(group = %group, "a consumer group becomes a classic group");
    true
}

/// The members that stay, with the protocol that most of them put first. `None` if there is none that all can, or its
/// metadata cannot be read.
fn roster(
    group: &ConsumerGroup,
    leaving: &BTreeSet<Arc<str>>,
    keeps: Keeps,
    topics: &dyn TopicTable,
) -> Option<Roster> {
    let mut members: BTreeMap<Arc<str>, RosterMember> = BTreeMap::new();
    for (id, state) in &group.members {
        let Some(metadata) = state.metadata.as_ref().filter(|_| !leaving.contains(id)) else { continue };
        let side = metadata.classic.as_ref()?;
        let client = Client { id: Arc::clone(&metadata.client_id), host: Arc::clone(&metadata.client_host) };
        let member = RosterMember {
            instance: metadata.instance.clone(),
            client,
            rebalance_timeout_ms: metadata.rebalance_timeout_ms,
            session_timeout_ms: side.session_timeout_ms,
            protocols: side.protocols.clone(),
            assignment: Bytes::new(),
        };
        members.insert(Arc::clone(id), member);
    }
    let mut roster = Roster::elect(group.group_epoch(), members);
    let protocol = roster.protocol.clone()?;
    for (id, member) in &mut roster.members {
        let keeps = group.members.get(id).map(|state| kept(state, keeps)).unwrap_or_default();
        let keeps = keeps.into_iter().map(|(topic, numbers)| (topic, numbers.into_iter().collect()));
        member.assignment = embedded::write(keeps, &member.metadata(&protocol), topics).ok()?;
    }
    Some(roster)
}

/// What a member's assignment in the classic group is.
#[derive(Clone, Copy)]
enum Keeps {
    /// What it was to own.
    Target,
    /// All that it may read at this moment.
    Held,
}

fn kept(state: &ConsumerMember, keeps: Keeps) -> Assignment {
    match keeps {
        Keeps::Target => state.target.clone().unwrap_or_default(),
        Keeps::Held => {
            let mut held = Assignment::new();
            for (topic, number) in state.current.iter().flat_map(Current::held) {
                held.entry(topic).or_default().insert(number);
            }
            held
        }
    }
}
