//! A classic group's beginning and end as seen from the other protocol, and from deletion. Must not know what the
//! other side makes of it.

use super::group::LiveGroup;
use super::member::{self, Member};
use super::stage::State;
use super::timer::{self, Timer};
use super::{Live, answer, rebalance, subscription};
use crate::coordinator::Cx;
use crate::group::command::Client;
use crate::group::machine::Groups;
use crate::group::records::GroupRecord;
use crate::group::state::{ClassicProtocol, GroupsHard};
use crate::types::ErrorCode;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A group with all that its members said: what moves from one protocol to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// `consumer`, `connect`, ...; `None` if it is not known yet.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol chosen; `None` before the first generation and without members.
    pub protocol: Option<Arc<str>>,
    /// Number of the rebalance.
    pub generation: i32,
    /// Members by id. Ids that were given out and not used are none.
    pub members: BTreeMap<Arc<str>, RosterMember>,
}

/// A member in a [`Roster`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMember {
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Who it is.
    pub client: Client,
    /// Time it has to rejoin, ms.
    pub rebalance_timeout_ms: i32,
    /// Silence after which it is gone, ms.
    pub session_timeout_ms: i32,
    /// What it can, in its order; only what was chosen if the group was not heard of since a load.
    pub protocols: Vec<ClassicProtocol>,
    /// What it was assigned; empty for nothing.
    pub assignment: Bytes,
}

impl RosterMember {
    /// Its metadata for a protocol; empty for one it cannot.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        member::metadata(&self.protocols, protocol)
    }
}

impl Roster {
    /// Members of the type `consumer`, with the protocol they choose by vote. Their assignments may be set after
    /// this, since how one is written depends on the protocol.
    pub fn elect(generation: i32, members: BTreeMap<Arc<str>, RosterMember>) -> Roster {
        let mut support = super::vote::Support::default();
        members.values().for_each(|member| support.add(&member.protocols));
        let lists = members.values().map(|member| member.protocols.as_slice());
        let protocol = support.vote(lists);
        Roster { protocol_type: Some(Arc::from("consumer")), protocol, generation, members }
    }
}

/// For migration: a group with all protocols of each member. `None` if there is no such classic group.
pub fn roster(hard: &GroupsHard, live: &Live, group: &str) -> Option<Roster> {
    super::look(hard, live, group, |group| Roster {
        protocol_type: group.protocol_type.clone(),
        protocol: group.protocol.clone(),
        generation: group.generation,
        members: group.members().iter().map(|(id, member)| (Arc::clone(id), show(member))).collect(),
    })
}

fn show(member: &Member) -> RosterMember {
    RosterMember {
        instance: member.instance.clone(),
        client: member.client.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        session_timeout_ms: member.session_timeout_ms,
        protocols: member.protocols.clone(),
        assignment: member.assignment.clone(),
    }
}

/// For deletion: removes an empty group; disarms timers, writes a tombstone if it was written. Ids that were given
/// out are worth nothing after this.
pub fn delete(cx: &mut Cx<'_, Groups>, group: &Arc<str>) {
    dissolve(cx, group, ErrorCode::UNKNOWN_MEMBER_ID);
}

/// For offsets: the last offset of a group that had nothing else is gone. The group is shown until the next look for
/// expired offsets, as Kafka shows it.
pub fn keep(cx: &mut Cx<'_, Groups>, id: &Arc<str>) {
    let now = cx.wall();
    let (hard, soft) = cx.state();
    if hard.group(id).is_none() && !soft.classic.groups.contains_key(id) {
        let mut group = LiveGroup::simple(id, now);
        group.kept = true;
        soft.classic.groups.insert(Arc::clone(id), group);
    }
}

/// For migration to the consumer protocol: ends the classic life. Writes a tombstone if it was written, answers
/// parked calls with `code`, disarms timers.
pub fn dissolve(cx: &mut Cx<'_, Groups>, group: &Arc<str>, code: ErrorCode) {
    let Some(mut live) = super::take(cx, group) else { return };
    if cx.hard().group(group).is_some_and(|written| written.classic.is_some()) {
        cx.emit(GroupRecord::Classic { group: Arc::clone(group), state: None });
    }
    timer::disarm(cx, group, Timer::Join);
    timer::disarm(cx, group, Timer::Sync);
    for id in &live.pending {
        timer::disarm_session(cx, group, id);
    }
    for id in live.ids() {
        timer::disarm_session(cx, group, &id);
        if let Some(member) = live.remove(&id) {
            answer::turn_away(cx, member, code, &id);
        }
    }
}

/// For migration from the consumer protocol: writes the group and goes on with it as a stable classic group, whose
/// members' sessions begin now. `rebalance`, if given, is why its members are to join again at once. All that the
/// consumer protocol wrote of the group must have been removed before.
pub fn adopt(cx: &mut Cx<'_, Groups>, group: &Arc<str>, roster: Roster, rebalance: Option<&str>) {
    let protocol_type = roster.protocol_type.unwrap_or_default();
    let mut live = LiveGroup::simple(group, cx.wall());
    live.generation = roster.generation;
    live.protocol = roster.protocol;
    for (id, member) in roster.members {
        live.add(&id, Member::of(member), &protocol_type);
    }
    live.subscribed = subscription::subscribed(&live);
    if !live.members().is_empty() {
        live.enter(State::Stable, cx.wall());
    }
    rebalance::write(cx, &live);
    for id in live.ids() {
        timer::arm_session(cx, &live, &id);
    }
    if let (Some(why), State::Stable) = (rebalance, live.state) {
        rebalance::prepare(cx, &mut live, why);
    }
    super::put(cx, live);
}
