//! A client of the classic protocol, with an eager assignor (gives all up before it joins again) or a cooperative one
//! (goes on reading, and joins once more after it gave something up).

use super::client::{assignment, group, read_assignment, read_owned, subscription, who};
use crate::group::consumer::assign::{self, MemberSpec, Spec};
use crate::group::state::ClassicProtocol;
use crate::group::topics::TopicTable;
use crate::group::{Assignment, Command, Heartbeat, Join, Joined, Leave, Leaving, Reply, Sync};
use crate::types::{ErrorCode, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// `heartbeat.interval.ms`
pub const INTERVAL_MS: u64 = 3_000;

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Has no assignment yet, or joins again.
    Joining,
    /// Has joined a generation and waits for its assignment.
    Syncing(i32),
    /// Has its assignment in a generation.
    In(i32),
}

pub struct ClassicClient {
    pub id: Arc<str>,
    pub stage: Stage,
    pub owned: Assignment,
    cooperative: bool,
    topics: Arc<dyn TopicTable>,
}

impl ClassicClient {
    pub fn new(cooperative: bool, topics: Arc<dyn TopicTable>) -> ClassicClient {
        ClassicClient { id: "".into(), stage: Stage::Joining, owned: Assignment::new(), cooperative, topics }
    }

    pub fn act(&mut self) -> Command {
        match self.stage {
            Stage::In(generation) => Command::Heartbeat(Heartbeat {
                group: group(),
                member: Arc::clone(&self.id),
                instance: None,
                generation,
            }),
            Stage::Joining | Stage::Syncing(_) => self.join(),
        }
    }

    fn join(&mut self) -> Command {
        self.stage = Stage::Joining;
        if !self.cooperative {
            self.owned.clear();
        }
        let name = if self.cooperative { "cooperative-sticky" } else { "range" };
        Command::Join(Join {
            group: group(),
            member: Arc::clone(&self.id),
            instance: None,
            client: who(),
            protocol_type: "consumer".into(),
            protocols: vec![ClassicProtocol {
                name: name.into(),
                metadata: subscription(self.topics.as_ref(), &self.owned),
            }],
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 60_000,
            must_know_its_id: true,
            can_skip_assignment: true,
            reason: None,
        })
    }

    fn start_anew(&mut self) -> Command {
        self.id = "".into();
        self.owned.clear();
        self.join()
    }

    pub fn hear(&mut self, reply: Reply) -> Option<Command> {
        match reply {
            Reply::Joined(Ok(joined)) => Some(self.sync(joined)),
            Reply::Joined(Err(not)) if not.refused.code == ErrorCode::MEMBER_ID_REQUIRED => {
                self.id = not.member;
                Some(self.join())
            }
            Reply::Joined(Err(not)) => Some(self.refused(not.refused.code)),
            Reply::Synced(Ok(synced)) => self.take(read_assignment(self.topics.as_ref(), &synced.assignment)),
            Reply::Synced(Err(refused)) => Some(self.refused(refused.code)),
            Reply::Heartbeat(Ok(())) => None,
            Reply::Heartbeat(Err(refused)) => Some(self.refused(refused.code)),
            _ => panic!("another reply"),
        }
    }

    fn refused(&mut self, code: ErrorCode) -> Command {
        match code {
            ErrorCode::REBALANCE_IN_PROGRESS => self.join(),
            ErrorCode::ILLEGAL_GENERATION => {
                self.owned.clear();
                self.join()
            }
            ErrorCode::UNKNOWN_MEMBER_ID => self.start_anew(),
            other => panic!("{} is told {other:?}", self.id),
        }
    }

    fn sync(&mut self, joined: Joined) -> Command {
        self.stage = Stage::Syncing(joined.generation);
        self.id = Arc::clone(&joined.member);
        let leads = joined.leader == joined.member && !joined.skip_assignment;
        let assignments = if leads { self.assign(&joined) } else { BTreeMap::new() };
        Command::Sync(Sync {
            group: group(),
            member: Arc::clone(&self.id),
            instance: None,
            generation: joined.generation,
            protocol_type: joined.protocol_type,
            protocol: joined.protocol,
            assignments: assignments
                .iter()
                .map(|(id, given)| (Arc::clone(id), assignment(self.topics.as_ref(), given)))
                .collect(),
        })
    }

    /// The leader's work: what is still read by another is given to nobody until that one has given it up.
    fn assign(&self, joined: &Joined) -> BTreeMap<Arc<str>, Assignment> {
        let mut topics = BTreeSet::new();
        self.topics.for_each(&mut |topic| {
            topics.insert(topic.id);
        });
        let spec = |member: &crate::group::JoinedMember| {
            let assigned = read_owned(self.topics.as_ref(), &member.metadata);
            (
                Arc::clone(&member.member),
                MemberSpec { topics: topics.clone(), assigned, ..MemberSpec::default() },
            )
        };
        let spec = Spec { members: joined.members.iter().map(spec).collect(), topics: self.topics.as_ref() };
        let mut given = assign::assign(if self.cooperative { "uniform" } else { "range" }, &spec);
        let readers: BTreeMap<(TopicId, i32), &Arc<str>> = spec
            .members
            .iter()
            .flat_map(|(id, member)| flat(&member.assigned).map(move |one| (one, id)))
            .collect();
        for (id, given) in &mut given {
            for (topic, partitions) in given.iter_mut() {
                partitions
                    .retain(|number| readers.get(&(*topic, *number)).is_none_or(|reader| *reader == id));
            }
            given.retain(|_, partitions| !partitions.is_empty());
        }
        given
    }

    fn take(&mut self, given: Assignment) -> Option<Command> {
        let Stage::Syncing(generation) = self.stage else { panic!("{} was not waiting", self.id) };
        self.stage = Stage::In(generation);
        let gives_up = flat(&self.owned)
            .any(|(topic, number)| !given.get(&topic).is_some_and(|numbers| numbers.contains(&number)));
        self.owned = given;
        gives_up.then(|| self.join())
    }

    pub fn leave(&self) -> Command {
        let leaving = Leaving { member: Arc::clone(&self.id), instance: None, reason: None };
        Command::Leave(Leave { group: group(), members: vec![leaving] })
    }
}

/// One by one.
pub fn flat(assignment: &Assignment) -> impl Iterator<Item = (TopicId, i32)> {
    assignment.iter().flat_map(|(topic, numbers)| numbers.iter().map(|number| (*topic, *number)))
}
