//! Drives a machine without a log and without a runtime: commands and times in, replies, records and effects out.
//! After every step the state must equal what its records, written and read back, give in an empty one: a machine
//! that keeps durable truth anywhere else fails here. So does one whose rewrite, in chunks between other steps, gives
//! another state.

use super::core::{Core, Cx, Now};
use super::{CallId, KeyValue, Load, LogRecord, Machine};
use crate::sys::{Rng, SeededRng};
use crate::types::{MonoNs, Offset, TimestampMs};
use std::time::Duration;

/// A machine under test.
pub struct Rig<M: Machine> {
    core: Core<M>,
    now: Now,
    seed: u64,
    next_call: u64,
    log: Vec<KeyValue>,
    /// What replaying the log gives.
    shadow: M::Hard,
    replies: Vec<(CallId, M::Reply)>,
    effects: Vec<M::Effect>,
    /// A rewrite that goes on now and then while the machine works.
    rewriting: Rewriting<M>,
    chance: SeededRng,
    /// Steps without a rewrite of the whole state, which costs more the larger it is.
    rest: usize,
}

/// A rewrite under way.
struct Rewriting<M: Machine> {
    /// What the records since it began give, its own among them.
    hard: M::Hard,
    after: Option<M::Cursor>,
}

impl<M: Machine> Rewriting<M> {
    fn new() -> Rewriting<M> {
        Rewriting { hard: M::Hard::default(), after: None }
    }
}

impl<M: Machine> Rig<M> {
    /// A machine with an empty log, at its start.
    pub fn new(seed: u64) -> Rig<M> {
        let mut rig = Rig {
            core: Core::new(Offset::ZERO, seed),
            now: Now { mono: MonoNs(0), wall: TimestampMs(1_700_000_000_000) },
            seed,
            next_call: 0,
            log: Vec::new(),
            shadow: M::Hard::default(),
            replies: Vec::new(),
            effects: Vec::new(),
            rewriting: Rewriting::new(),
            chance: SeededRng::new(seed),
            rest: 0,
        };
        rig.core.loaded(rig.now, Load::Start);
        rig.collect();
        rig
    }

    /// Handles a command; its reply, if it came already, is the last of `replies`.
    pub fn call(&mut self, command: M::Command) -> CallId {
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.core.handle(self.now, call, command);
        self.collect();
        call
    }

    /// Handles a command that is answered in the same step.
    pub fn ask(&mut self, command: M::Command) -> M::Reply {
        let call = self.call(command);
        let at =
            self.replies.iter().position(|(to, _)| *to == call).expect("the command is answered at once");
        self.replies.remove(at).1
    }

    /// Does something inside the machine, as one step.
    pub fn step<R>(&mut self, inside: impl FnOnce(&mut Cx<'_, M>) -> R) -> R {
        let result = inside(&mut self.core.cx(self.now));
        self.collect();
        result
    }

    /// Moves time on, expiring each timer at its own instant.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.mono.after(by);
        while let Some(at) = self.core.next_timer().filter(|at| *at <= end) {
            self.pass_until(at.max(self.now.mono));
            self.core.expire_one(self.now);
            self.collect();
        }
        self.pass_until(end);
    }

    /// Sets the wall clock forward, or back. Monotonic time goes on as before.
    pub fn set_wall(&mut self, by_ms: i64) {
        self.now.wall = TimestampMs(self.now.wall.0 + by_ms);
    }

    /// The process or the log fails: soft state, timers and parked calls are gone; the records stay.
    pub fn restart(&mut self, why: Load) {
        self.seed += 1;
        let mut core = Core::new(Offset::ZERO, self.seed);
        for (at, (key, value)) in self.log.iter().enumerate() {
            let record = M::Record::decode(key.clone(), value.clone()).unwrap().unwrap();
            core.replay(Offset(at as i64), &record);
        }
        core.set_next(Offset(self.log.len() as i64));
        assert_eq!(core.hard(), self.core.hard(), "the state after a restart");
        self.core = core;
        self.core.loaded(self.now, why);
        self.collect();
    }

    /// The durable truth.
    pub fn hard(&self) -> &M::Hard {
        self.core.hard()
    }

    /// Replies that nobody took yet, in order.
    pub fn replies(&mut self) -> Vec<(CallId, M::Reply)> {
        std::mem::take(&mut self.replies)
    }

    /// Effects that nobody took yet, in order.
    pub fn effects(&mut self) -> Vec<M::Effect> {
        std::mem::take(&mut self.effects)
    }

    /// All records so far.
    pub fn records(&self) -> Vec<M::Record> {
        let decode =
            |(key, value): &KeyValue| M::Record::decode(key.clone(), value.clone()).unwrap().unwrap();
        self.log.iter().map(decode).collect()
    }

    fn pass_until(&mut self, at: MonoNs) {
        let passed = at.since(self.now.mono);
        self.now = Now { mono: at, wall: TimestampMs(self.now.wall.0 + passed.as_millis() as i64) };
    }

    fn collect(&mut self) {
        let output = self.core.take();
        for record in output.records {
            let (key, value) = record.encode().unwrap();
            let again = M::Record::decode(key.clone(), value.clone()).unwrap().unwrap();
            M::apply(&mut self.shadow, Offset(self.log.len() as i64), &again);
            M::apply(&mut self.rewriting.hard, Offset(self.log.len() as i64), &again);
            self.log.push((key, value));
        }
        assert_eq!(self.core.next(), Offset(self.log.len() as i64));
        assert_eq!(
            self.core.hard(),
            &self.shadow,
            "live state and replay differ after {} records",
            self.log.len()
        );
        self.replies.extend(output.replies);
        self.effects.extend(output.effects);
        self.rewrite_all();
        self.rewrite_some();
    }

    /// The state written anew is the state.
    fn rewrite_all(&mut self) {
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        let budget = 1 + self.chance.next_u64() as usize % 4;
        let (mut all, mut after) = (M::Hard::default(), None);
        loop {
            let (records, next) = self.chunk(after.as_ref(), budget);
            self.rest += records.len();
            records.iter().for_each(|record| M::apply(&mut all, self.core.next(), record));
            after = next;
            if after.is_none() {
                break;
            }
        }
        self.rest /= 32;
        assert_eq!(&all, self.core.hard(), "a rewrite gives another state");
    }

    /// Chunks written between other steps, then the log cut before the first of them, give the state; and where the
    /// log is not cut they change nothing.
    fn rewrite_some(&mut self) {
        let chance = self.chance.next_u64() as usize;
        if chance.is_multiple_of(3) {
            return;
        }
        let (records, after) = self.chunk(self.rewriting.after.as_ref(), 1 + chance % 5);
        for record in &records {
            M::apply(&mut self.shadow, self.core.next(), record);
            M::apply(&mut self.rewriting.hard, self.core.next(), record);
        }
        assert_eq!(self.core.hard(), &self.shadow, "a rewritten record changes the state");
        self.rewriting.after = after;
        if self.rewriting.after.is_none() {
            assert_eq!(
                &self.rewriting.hard,
                self.core.hard(),
                "a rewrite among other steps gives another state"
            );
            self.rewriting = Rewriting::new();
        }
    }

    /// The next records of a rewrite, written and read back.
    fn chunk(&self, after: Option<&M::Cursor>, budget: usize) -> (Vec<M::Record>, Option<M::Cursor>) {
        let (records, next) = M::rewrite(self.core.hard(), after, budget);
        assert!(next.is_none() || !records.is_empty(), "a rewrite goes on for ever without a record");
        let again = records.iter().map(|record| {
            let (key, value) = record.encode().unwrap();
            M::Record::decode(key, value).unwrap().unwrap()
        });
        (again.collect(), next)
    }
}
