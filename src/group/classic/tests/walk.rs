//! Twenty clients that join, crash, stall and leave by chance, while the process fails now and then. Whatever happens,
//! each parked call is answered once, a generation has one leader, generations do not go back, and once the clients
//! behave they all end up in one stable generation.

use super::*;
use crate::sys::{Rng as _, SeededRng};

const CLIENTS: usize = 20;

#[derive(Clone, Debug)]
enum Phase {
    /// Not in the group, as far as it knows.
    Out,
    Joining(CallId),
    /// In a generation; with what the leader was told.
    Joined(Joined),
    Syncing(CallId, Joined),
    Stable(i32),
}

struct Client {
    id: Id,
    instance: Option<String>,
    phase: Phase,
    beat_at: u64,
}

struct Walk {
    kit: Kit,
    chance: SeededRng,
    clients: Vec<Client>,
    clock: u64,
    /// All calls of this life that may park.
    calls: Vec<CallId>,
    /// Leaders by generation of this life.
    leaders: BTreeMap<i32, Id>,
    generation: i32,
}

impl Walk {
    fn new(seed: u64, delay_ms: u64) -> Walk {
        let kit = Kit::with(|settings| settings.initial_rebalance_delay = Duration::from_millis(delay_ms));
        let client = |at: usize| Client {
            id: "".into(),
            instance: at.is_multiple_of(3).then(|| format!("i{at}")),
            phase: Phase::Out,
            beat_at: 0,
        };
        Walk {
            kit,
            chance: SeededRng::new(seed),
            clients: (0..CLIENTS).map(client).collect(),
            clock: 0,
            calls: Vec::new(),
            leaders: BTreeMap::new(),
            generation: 0,
        }
    }

    fn below(&mut self, count: u64) -> u64 {
        self.chance.next_u64() % count
    }

    fn wait(&mut self, ms: u64) {
        self.clock += ms;
        self.kit.wait(ms);
        self.check();
    }

    /// What must hold at any time.
    fn check(&mut self) {
        for joined in std::mem::take(&mut self.kit.told) {
            assert!(joined.generation >= self.generation, "generations do not go back");
            self.generation = joined.generation;
            if joined.leader == joined.member && !joined.skip_assignment {
                let leader = self.leaders.entry(joined.generation).or_insert(joined.leader);
                assert_eq!(*leader, joined.member, "generation {} has two leaders", joined.generation);
            }
        }
        let Some(group) = self.kit.written() else { return };
        assert_eq!(group.leader.is_some(), !group.members.is_empty());
        assert!(
            group.leader.iter().all(|leader| group.members.contains_key(leader)),
            "the leader is a member"
        );
    }

    fn join(&mut self, at: usize) {
        let metadata = format!("topics-{}", self.below(2));
        let client = &self.clients[at];
        let join = Join {
            instance: client.instance.as_deref().map(Arc::from),
            protocols: vec![protocol("range", &metadata), protocol("sticky", "")],
            rebalance_timeout_ms: 20_000,
            ..known(&client.id)
        };
        let call = self.kit.join(join);
        self.calls.push(call);
        self.clients[at].phase = Phase::Joining(call);
    }

    fn sync(&mut self, at: usize, joined: Joined) {
        let ids: Vec<Id> = joined.members.iter().map(|member| Arc::clone(&member.member)).collect();
        let leads = joined.leader == joined.member && !joined.skip_assignment;
        let id = &self.clients[at].id;
        let sync = if leads { assigning(id, joined.generation, &ids) } else { asking(id, joined.generation) };
        let call = self.kit.sync(sync);
        self.calls.push(call);
        self.clients[at].phase = Phase::Syncing(call, joined);
    }

    /// Takes what came for a client.
    fn receive(&mut self, at: usize) {
        match self.clients[at].phase.clone() {
            Phase::Joining(call) if !self.kit.is_parked(call) => {
                let told = self.kit.joined(call);
                self.clients[at].beat_at = self.clock + 3_000;
                self.clients[at].phase = match told {
                    Ok(joined) => {
                        self.clients[at].id = Arc::clone(&joined.member);
                        Phase::Joined(joined)
                    }
                    Err((code, id)) => {
                        match code {
                            ErrorCode::MEMBER_ID_REQUIRED => self.clients[at].id = id.into(),
                            ErrorCode::REBALANCE_IN_PROGRESS => {}
                            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_INSTANCE_ID => {
                                self.clients[at].id = "".into();
                            }
                            other => panic!("{other:?}"),
                        }
                        Phase::Out
                    }
                };
            }
            Phase::Syncing(call, joined) if !self.kit.is_parked(call) => {
                let told = self.kit.synced(call);
                self.clients[at].phase = match told {
                    Ok(_) => Phase::Stable(joined.generation),
                    Err(code) => self.lost(at, code),
                };
            }
            _ => {}
        }
    }

    fn lost(&mut self, at: usize, code: ErrorCode) -> Phase {
        match code {
            ErrorCode::REBALANCE_IN_PROGRESS => {}
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION | ErrorCode::FENCED_INSTANCE_ID => {
                self.clients[at].id = "".into();
            }
            other => panic!("{other:?}"),
        }
        Phase::Out
    }

    fn beat(&mut self, at: usize, generation: i32) {
        let (id, instance) = (Arc::clone(&self.clients[at].id), self.clients[at].instance.clone());
        self.clients[at].beat_at = self.clock + 3_000;
        let code = self.kit.beat_as(&id, instance.as_deref(), generation);
        if code != ErrorCode::NONE {
            self.clients[at].phase = self.lost(at, code);
        }
    }

    /// A client does what a good client does.
    fn behave(&mut self, at: usize) {
        self.receive(at);
        let beat_is_due = self.clock >= self.clients[at].beat_at;
        match self.clients[at].phase.clone() {
            Phase::Out => self.join(at),
            Phase::Joined(joined) => self.sync(at, joined),
            Phase::Stable(generation) if beat_is_due => self.beat(at, generation),
            _ => {}
        }
        self.receive(at);
    }

    /// A client does something else.
    fn misbehave(&mut self, at: usize) {
        match self.below(8) {
            // It crashes, and what it waited for is for nobody; a static one comes back under its instance.
            0 | 1 => {
                self.clients[at].phase = Phase::Out;
                self.clients[at].id = "".into();
            }
            2 => {
                let (id, instance) = (Arc::clone(&self.clients[at].id), self.clients[at].instance.clone());
                self.kit.leave(&[(&id, instance.as_deref())]);
                self.clients[at].phase = Phase::Out;
                self.clients[at].id = "".into();
            }
            // It asks again without waiting.
            3 => self.join(at),
            4 => {
                if let Phase::Syncing(_, joined) = self.clients[at].phase.clone() {
                    self.sync(at, joined);
                }
            }
            5 => {
                if let Phase::Stable(generation) = self.clients[at].phase {
                    self.beat(at, generation);
                }
            }
            // It stalls.
            _ => self.clients[at].beat_at = self.clock + 15_000,
        }
        self.receive(at);
    }

    fn restart(&mut self) {
        self.kit.restart();
        // A new life: its calls are new, and what was not written is forgotten.
        self.calls.clear();
        self.leaders.clear();
        self.generation = 0;
        for client in &mut self.clients {
            if matches!(client.phase, Phase::Joining(_) | Phase::Syncing(..)) {
                client.phase = Phase::Out;
            }
        }
    }

    fn run(mut self, steps: usize, with_restarts: bool) {
        for _ in 0..steps {
            let at = self.below(CLIENTS as u64) as usize;
            match self.below(100) {
                0..50 => self.behave(at),
                50..60 => self.misbehave(at),
                60 if with_restarts && self.below(3) == 0 => self.restart(),
                _ => {
                    let ms = self.below(600);
                    self.wait(ms);
                }
            }
            self.check();
        }
        // All behave now. Old members that nobody plays any more run out of their sessions.
        for _ in 0..200 {
            for at in 0..CLIENTS {
                self.behave(at);
            }
            self.wait(500);
        }
        let generations: BTreeSet<i32> = self
            .clients
            .iter()
            .map(|client| match client.phase {
                Phase::Stable(generation) => generation,
                ref other => panic!("{:?} is in {other:?}", client.id),
            })
            .collect();
        assert_eq!(generations.len(), 1, "all are in one generation");
        let described = self.kit.describe().unwrap();
        assert_eq!((described.state, described.members.len()), ("Stable", CLIENTS));
        for call in &self.calls {
            assert!(!self.kit.is_parked(*call), "{call:?} was never answered");
        }
    }
}

#[test]
fn a_group_converges_whatever_its_members_do() {
    for seed in 0..8 {
        Walk::new(seed, 0).run(1_000, false);
    }
}

#[test]
fn a_group_converges_with_a_delay_of_the_first_rebalance() {
    for seed in 8..12 {
        Walk::new(seed, 3_000).run(1_000, false);
    }
}

#[test]
fn a_group_converges_though_the_process_fails() {
    for seed in 12..20 {
        Walk::new(seed, 0).run(1_000, true);
    }
}
