//! Behaviour of the classic protocol. `Kit` plays the clients; it fails if a call is answered twice, and the rig below
//! it if anything durable is kept elsewhere than in records.

mod commits;
mod joining;
mod leaving;
mod migrating;
mod rejoining;
mod restarts;
mod showing;
mod sizes;
mod statics;
mod syncing;
mod timeouts;
mod walk;

use super::{Overview, overview};
use crate::coordinator::testkit::Rig;
use crate::coordinator::{CallId, Load};
use crate::group::command::*;
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::settings::GroupSettings;
use crate::group::state::{ClassicGroup, ClassicProtocol};
use crate::group::topics::NoTopics;
use crate::types::{ErrorCode, TopicId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

type Id = Arc<str>;

/// Clients of one machine.
struct Kit {
    rig: Rig<Groups>,
    settings: GroupSettings,
    answers: BTreeMap<CallId, Reply>,
    answered: BTreeSet<CallId>,
    /// What members were told when they joined, in order.
    told: Vec<Joined>,
}

impl Kit {
    fn new() -> Kit {
        Kit::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut GroupSettings)) -> Kit {
        let mut settings = GroupSettings::default();
        change(&mut settings);
        let rig = Rig::new(7);
        let mut kit =
            Kit { rig, settings, answers: BTreeMap::new(), answered: BTreeSet::new(), told: Vec::new() };
        kit.context();
        kit
    }

    fn context(&mut self) {
        let settings = Arc::new(self.settings.clone());
        let context = Context { topics: Arc::new(NoTopics), settings };
        assert!(matches!(self.rig.ask(Command::Context(context)), Reply::Done));
        self.gather();
    }

    /// The process comes again; parked calls are gone.
    fn restart(&mut self) {
        self.rig.restart(Load::Start);
        self.context();
    }

    fn gather(&mut self) {
        for (call, reply) in self.rig.replies() {
            assert!(self.answered.insert(call), "{call:?} is answered twice");
            if let Reply::Joined(Ok(joined)) = &reply {
                self.told.push(joined.clone());
            }
            self.answers.insert(call, reply);
        }
    }

    fn call(&mut self, command: Command) -> CallId {
        let call = self.rig.call(command);
        self.gather();
        call
    }

    fn ask(&mut self, command: Command) -> Reply {
        let call = self.call(command);
        self.answers.remove(&call).expect("answered at once")
    }

    fn wait(&mut self, ms: u64) {
        self.rig.advance(Duration::from_millis(ms));
        self.gather();
    }

    /// Not answered yet.
    fn is_parked(&self, call: CallId) -> bool {
        !self.answered.contains(&call)
    }

    fn join(&mut self, join: Join) -> CallId {
        self.call(Command::Join(join))
    }

    fn joined(&mut self, call: CallId) -> Result<Joined, (ErrorCode, String)> {
        match self.answers.remove(&call) {
            Some(Reply::Joined(joined)) => joined.map_err(|not| (not.refused.code, not.member.to_string())),
            _ => panic!("{call:?} has no answer to a JoinGroup"),
        }
    }

    fn joins(&mut self, join: Join) -> Result<Joined, (ErrorCode, String)> {
        let call = self.join(join);
        self.joined(call)
    }

    fn synced(&mut self, call: CallId) -> Result<Synced, ErrorCode> {
        match self.answers.remove(&call) {
            Some(Reply::Synced(synced)) => synced.map_err(|refused| refused.code),
            _ => panic!("{call:?} has no answer to a SyncGroup"),
        }
    }

    fn sync(&mut self, sync: Sync) -> CallId {
        self.call(Command::Sync(sync))
    }

    fn syncs(&mut self, sync: Sync) -> Result<Synced, ErrorCode> {
        let call = self.sync(sync);
        self.synced(call)
    }

    fn beat(&mut self, member: &str, generation: i32) -> ErrorCode {
        self.beat_as(member, None, generation)
    }

    fn beat_as(&mut self, member: &str, instance: Option<&str>, generation: i32) -> ErrorCode {
        let instance = instance.map(Arc::from);
        let beat = Heartbeat { group: "g".into(), member: member.into(), instance, generation };
        match self.ask(Command::Heartbeat(beat)) {
            Reply::Heartbeat(result) => code(result),
            _ => panic!("not an answer to a Heartbeat"),
        }
    }

    fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<ErrorCode> {
        let leaving = |(member, instance): &(&str, Option<&str>)| Leaving {
            member: Arc::from(*member),
            instance: instance.map(Arc::from),
            reason: None,
        };
        let leave = Leave { group: "g".into(), members: members.iter().map(leaving).collect() };
        match self.ask(Command::Leave(leave)) {
            Reply::Left(Ok(left)) => left.iter().map(|left| left.code).collect(),
            _ => panic!("not an answer to a LeaveGroup"),
        }
    }

    fn describe(&mut self) -> Result<ClassicDescribed, Refused> {
        match self.ask(Command::DescribeClassic("g".into())) {
            Reply::ClassicDescribed(described) => described,
            _ => panic!("not an answer to DescribeGroups"),
        }
    }

    fn state(&mut self) -> &'static str {
        self.describe().map_or("Dead", |described| described.state)
    }

    /// The group as it is written.
    fn written(&self) -> Option<&ClassicGroup> {
        self.rig.hard().group("g")?.classic.as_deref()
    }

    /// An id for a member that is not in the group yet.
    fn new_id(&mut self) -> Id {
        let (code, id) = self.joins(newcomer()).unwrap_err();
        assert_eq!(code, ErrorCode::MEMBER_ID_REQUIRED);
        id.into()
    }

    /// Brings in members, the first of which leads, and lets the leader assign. The group is in generation 1 if there
    /// is one, else in 2.
    fn stable(&mut self, count: usize) -> Vec<Id> {
        let ids: Vec<Id> = (0..count).map(|_| self.new_id()).collect();
        let mut calls: Vec<CallId> = ids.iter().map(|id| self.join(known(id))).collect();
        if count > 1 {
            calls[0] = self.join(known(&ids[0]));
        }
        let generation = calls.iter().map(|call| self.joined(*call).unwrap().generation).max().unwrap();
        for id in ids.iter().rev() {
            self.sync(if *id == ids[0] { assigning(id, generation, &ids) } else { asking(id, generation) });
        }
        assert_eq!(self.state(), "Stable");
        self.answers.clear();
        ids
    }
}

fn code<T>(result: Result<T, Refused>) -> ErrorCode {
    result.err().map_or(ErrorCode::NONE, |refused| refused.code)
}

fn protocol(name: &str, metadata: &str) -> ClassicProtocol {
    ClassicProtocol { name: name.into(), metadata: Bytes::copy_from_slice(metadata.as_bytes()) }
}

/// Someone without an id.
fn newcomer() -> Join {
    known("")
}

/// Someone with an id.
fn known(member: &str) -> Join {
    Join {
        group: "g".into(),
        member: member.into(),
        instance: None,
        client: Client { id: "me".into(), host: "/127.0.0.1".into() },
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", "topics")],
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        must_know_its_id: true,
        can_skip_assignment: true,
        reason: None,
    }
}

/// A static member.
fn instance(name: &str, member: &str) -> Join {
    Join { instance: Some(name.into()), ..known(member) }
}

/// A member that asks for its assignment.
fn asking(member: &str, generation: i32) -> Sync {
    Sync {
        group: "g".into(),
        member: member.into(),
        instance: None,
        generation,
        protocol_type: None,
        protocol: None,
        assignments: Vec::new(),
    }
}

/// A leader that assigns `to-` and the member's id to each.
fn assigning(leader: &str, generation: i32, ids: &[Id]) -> Sync {
    let assignments = ids.iter().map(|id| (Arc::clone(id), Bytes::from(format!("to-{id}"))));
    Sync { assignments: assignments.collect(), ..asking(leader, generation) }
}
