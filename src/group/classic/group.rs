//! A classic group as it is now: its members and the rules that hold between them. Must not know calls' answers,
//! timers or records: `rebalance` and the files of the requests carry those out.

use super::member::Member;
use super::stage::State;
use super::vote::Support;
use crate::coordinator::CallId;
use crate::group::command::{Join, JoinedMember};
use crate::group::refused::Refused;
use crate::group::state::{ClassicGroup, ClassicProtocol};
use crate::types::{ErrorCode, TimestampMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A group.
#[derive(Debug)]
pub(super) struct LiveGroup {
    pub id: Arc<str>,
    pub state: State,
    /// When it came into its state; none if it was written by a broker that did not say.
    pub state_at: Option<TimestampMs>,
    pub protocol_type: Option<Arc<str>>,
    pub protocol: Option<Arc<str>>,
    pub generation: i32,
    pub leader: Option<Arc<str>>,
    /// Members by id; changed by the functions below alone, which keep what is counted over them.
    members: BTreeMap<Arc<str>, Member>,
    /// Ids of static members by instance.
    instances: BTreeMap<Arc<str>, Arc<str>>,
    /// Ids that were given out and have not joined yet.
    pub pending: BTreeSet<Arc<str>>,
    /// Members of this generation that have not asked for their assignment.
    pub owe_sync: BTreeSet<Arc<str>>,
    /// Number of members with a parked JoinGroup.
    awaiting_join: usize,
    support: Support,
    /// Topics of the members when this generation began; none if it cannot be told.
    pub subscribed: Option<BTreeSet<Arc<str>>>,
    /// It is shown although nothing is written of it.
    pub kept: bool,
}

impl LiveGroup {
    /// A group of which nothing but offsets, or nothing at all, is known.
    pub fn simple(id: &Arc<str>, now: TimestampMs) -> LiveGroup {
        LiveGroup {
            id: Arc::clone(id),
            state: State::Empty,
            state_at: Some(now),
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            pending: BTreeSet::new(),
            owe_sync: BTreeSet::new(),
            awaiting_join: 0,
            support: Support::default(),
            subscribed: None,
            kept: false,
        }
    }

    /// A group as it was written: with members it is stable, without it is empty.
    pub fn written(id: &Arc<str>, written: &ClassicGroup) -> LiveGroup {
        let mut group = LiveGroup::simple(id, written.state_at);
        group.state_at = Some(written.state_at).filter(|at| *at != TimestampMs::NONE);
        group.protocol_type = Some(Arc::clone(&written.protocol_type)).filter(|name| !name.is_empty());
        group.protocol = written.protocol.clone();
        group.generation = written.generation;
        group.leader = written.leader.clone();
        let protocol = written.protocol.clone().unwrap_or_default();
        for (id, member) in &written.members {
            group.put_member(Arc::clone(id), Member::written(member, &protocol));
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
        }
        group.subscribed = super::subscription::subscribed(&group);
        group
    }

    /// The group as it is to be written.
    pub fn to_write(&self) -> ClassicGroup {
        let protocol = self.protocol.clone().unwrap_or_default();
        let members = self.members.iter();
        ClassicGroup {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_at: self.state_at.unwrap_or(TimestampMs::NONE),
            members: members.map(|(id, member)| (Arc::clone(id), member.to_write(&protocol))).collect(),
        }
    }

    /// Comes into a state.
    pub fn enter(&mut self, state: State, now: TimestampMs) {
        self.state = state;
        self.state_at = Some(now);
    }

    /// Nobody is in it or on the way.
    pub fn is_quiet(&self) -> bool {
        self.state == State::Empty && self.pending.is_empty()
    }

    /// What is written says all of it.
    pub fn is_at_rest(&self) -> bool {
        self.is_quiet() && !self.kept
    }

    pub fn members(&self) -> &BTreeMap<Arc<str>, Member> {
        &self.members
    }

    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    pub fn member_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    /// Ids of all members, to go through them while they change.
    pub fn ids(&self) -> Vec<Arc<str>> {
        self.members.keys().cloned().collect()
    }

    pub fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    /// Id of the static member of an instance.
    pub fn of_instance(&self, instance: &str) -> Option<&Arc<str>> {
        self.instances.get(instance)
    }

    pub fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some("consumer")
    }

    /// A time to rejoin that is enough for every member.
    pub fn rebalance_timeout(&self) -> Duration {
        self.members.values().map(Member::rebalance_timeout).max().unwrap_or_default()
    }

    /// Number of members with a parked JoinGroup.
    pub fn awaiting_join(&self) -> usize {
        self.awaiting_join
    }

    /// Nobody is missed any more.
    pub fn has_all_joined(&self) -> bool {
        self.members.len() == self.awaiting_join && self.pending.is_empty()
    }

    /// Whether someone with these protocols can be in the group. Who is in it already counts with what it can now.
    pub fn supports(&self, protocol_type: &str, protocols: &[ClassicProtocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|can| self.support.by_all(&can.name, self.members.len()))
    }

    /// The protocol of the next generation.
    pub fn select_protocol(&self) -> Option<Arc<str>> {
        self.support.vote(self.members.values().map(|member| member.protocols.as_slice()))
    }

    /// Whether this member is in the group, and is the one its instance belongs to.
    pub fn check_member(&self, member: &str, instance: Option<&str>) -> Result<(), Refused> {
        if let Some(instance) = instance {
            match self.of_instance(instance) {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID.into()),
                Some(owner) if **owner != *member => return Err(ErrorCode::FENCED_INSTANCE_ID.into()),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member) { Ok(()) } else { Err(ErrorCode::UNKNOWN_MEMBER_ID.into()) }
    }

    /// All members as the leader is shown them.
    pub fn for_leader(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.as_deref().unwrap_or("");
        let show = |(id, member): (&Arc<str>, &Member)| JoinedMember {
            member: Arc::clone(id),
            instance: member.instance.clone(),
            metadata: member.metadata(protocol),
        };
        self.members.iter().map(show).collect()
    }

    /// Takes in a member; the first gives the group its type, and leads it.
    pub fn add(&mut self, id: &Arc<str>, member: Member, protocol_type: &Arc<str>) {
        if self.members.is_empty() {
            self.protocol_type = Some(Arc::clone(protocol_type));
        }
        if self.leader.is_none() {
            self.leader = Some(Arc::clone(id));
        }
        self.pending.remove(id);
        self.put_member(Arc::clone(id), member);
    }

    /// Takes out a member, or an id that was given out. Another member leads if it was the leader.
    pub fn remove(&mut self, id: &str) -> Option<Member> {
        let removed = self.take_member(id);
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending.remove(id);
        self.owe_sync.remove(id);
        removed
    }

    /// Gives a static member another id. What it was assigned and what it can stays; its parked calls go with the
    /// old member that is returned.
    pub fn rename(&mut self, old: &str, new: &Arc<str>) -> Option<Member> {
        let removed = self.take_member(old)?;
        let mut renamed = removed.clone();
        renamed.take_join();
        renamed.take_sync();
        renamed.is_new = false;
        self.put_member(Arc::clone(new), renamed);
        if self.is_leader(old) {
            self.leader = Some(Arc::clone(new));
        }
        if self.owe_sync.remove(old) {
            self.owe_sync.insert(Arc::clone(new));
        }
        Some(removed)
    }

    /// Takes over what a member says when it joins again.
    pub fn update(&mut self, id: &str, join: &Join) {
        let Some(member) = self.members.get_mut(id) else { return };
        self.support.remove(&member.protocols);
        member.protocols.clone_from(&join.protocols);
        member.rebalance_timeout_ms = join.rebalance_timeout_ms;
        member.session_timeout_ms = join.session_timeout_ms;
        self.support.add(&member.protocols);
    }

    /// Parks a JoinGroup; the one that was parked before.
    pub fn park_join(&mut self, id: &str, call: CallId) -> Option<CallId> {
        let member = self.members.get_mut(id)?;
        let before = member.park_join(call);
        if before.is_none() {
            self.awaiting_join += 1;
        }
        before
    }

    pub fn take_join(&mut self, id: &str) -> Option<CallId> {
        let call = self.members.get_mut(id)?.take_join()?;
        self.awaiting_join -= 1;
        Some(call)
    }

    fn put_member(&mut self, id: Arc<str>, member: Member) {
        if let Some(instance) = &member.instance {
            self.instances.insert(Arc::clone(instance), Arc::clone(&id));
        }
        self.support.add(&member.protocols);
        self.awaiting_join += usize::from(member.awaits_join());
        self.members.insert(id, member);
    }

    fn take_member(&mut self, id: &str) -> Option<Member> {
        let member = self.members.remove(id)?;
        if let Some(instance) = &member.instance {
            self.instances.remove(instance);
        }
        self.support.remove(&member.protocols);
        self.awaiting_join -= usize::from(member.awaits_join());
        Some(member)
    }
}
