//! Drives a machine without a log and without a runtime: commands and times in, replies, records and effects out.
//! After every step the state must equal what its records, written and read back, give in an empty one: a machine
//! that keeps durable truth anywhere else fails here.

use super::core::{Core, Now};
use super::{CallId, KeyValue, Load, LogRecord, Machine};
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
    }
}
