//! A machine with its state, timers and ids, without a log and without a runtime: one step in, what it emitted out.
//! The shard and the test kit drive the same core.

use super::{CallId, Load, Machine};
use crate::sys::{Rng, SeededRng};
use crate::types::{MonoNs, Offset, TimestampMs};
use std::collections::{BTreeMap, BTreeSet};

/// The time of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) mono: MonoNs,
    pub(super) wall: TimestampMs,
}

/// What steps have emitted since the last `take`.
pub(super) struct Output<M: Machine> {
    pub(super) records: Vec<M::Record>,
    pub(super) replies: Vec<(CallId, M::Reply)>,
    pub(super) effects: Vec<M::Effect>,
}

impl<M: Machine> Default for Output<M> {
    fn default() -> Output<M> {
        Output { records: Vec::new(), replies: Vec::new(), effects: Vec::new() }
    }
}

/// Instants by name, and the earliest first.
struct Timers<T> {
    by_name: BTreeMap<T, MonoNs>,
    by_time: BTreeSet<(MonoNs, T)>,
}

impl<T: Ord + Clone> Timers<T> {
    fn arm(&mut self, timer: T, at: MonoNs) {
        self.disarm(&timer);
        self.by_time.insert((at, timer.clone()));
        self.by_name.insert(timer, at);
    }

    fn disarm(&mut self, timer: &T) {
        if let Some(at) = self.by_name.remove(timer) {
            self.by_time.remove(&(at, timer.clone()));
        }
    }

    fn pop_due(&mut self, now: MonoNs) -> Option<T> {
        if self.by_time.first()?.0 > now {
            return None;
        }
        let (_, timer) = self.by_time.pop_first()?;
        self.by_name.remove(&timer);
        Some(timer)
    }
}

/// One life of a machine: from a replay to the next failure.
pub(super) struct Core<M: Machine> {
    hard: M::Hard,
    soft: M::Soft,
    timers: Timers<M::Timer>,
    rng: SeededRng,
    /// Offset of the next record.
    next: Offset,
    output: Output<M>,
}

impl<M: Machine> Core<M> {
    /// An empty machine whose first record will have the offset `next`.
    pub(super) fn new(next: Offset, seed: u64) -> Core<M> {
        Core {
            hard: M::Hard::default(),
            soft: M::Soft::default(),
            timers: Timers { by_name: BTreeMap::new(), by_time: BTreeSet::new() },
            rng: SeededRng::new(seed),
            next,
            output: Output::default(),
        }
    }

    /// Applies a record that is in the log.
    pub(super) fn replay(&mut self, at: Offset, record: &M::Record) {
        M::apply(&mut self.hard, at, record);
    }

    /// Takes over records that `rewrite` gave and that are in the log from `next` on.
    pub(super) fn written_again(&mut self, records: &[M::Record]) {
        for record in records {
            self.replay(self.next, record);
            self.next = self.next.next();
        }
    }

    /// Says that records go on from `next`.
    pub(super) fn set_next(&mut self, next: Offset) {
        self.next = next;
    }

    pub(super) fn next(&self) -> Offset {
        self.next
    }

    pub(super) fn hard(&self) -> &M::Hard {
        &self.hard
    }

    pub(super) fn loaded(&mut self, now: Now, why: Load) {
        M::loaded(&mut self.cx(now), why);
    }

    pub(super) fn handle(&mut self, now: Now, call: CallId, command: M::Command) {
        M::handle(&mut self.cx(now), call, command);
    }

    /// Expires one timer that is due; false if none is.
    pub(super) fn expire_one(&mut self, now: Now) -> bool {
        let Some(timer) = self.timers.pop_due(now.mono) else { return false };
        M::expire(&mut self.cx(now), timer);
        true
    }

    /// Whether a timer is due.
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.next_timer().is_some_and(|at| at <= now.mono)
    }

    /// When the next timer is due.
    pub(super) fn next_timer(&self) -> Option<MonoNs> {
        self.timers.by_time.first().map(|(at, _)| *at)
    }

    /// Number of records emitted since the last `take`.
    pub(super) fn pending_records(&self) -> usize {
        self.output.records.len()
    }

    /// What was emitted since the last time.
    pub(super) fn take(&mut self) -> Output<M> {
        std::mem::take(&mut self.output)
    }

    pub(super) fn cx(&mut self, now: Now) -> Cx<'_, M> {
        Cx { core: self, now }
    }
}

/// What a machine sees and does in one step.
pub struct Cx<'a, M: Machine> {
    core: &'a mut Core<M>,
    now: Now,
}

impl<M: Machine> Cx<'_, M> {
    /// The durable truth, with what this step has emitted so far.
    pub fn hard(&self) -> &M::Hard {
        &self.core.hard
    }

    /// What may be lost.
    pub fn soft(&mut self) -> &mut M::Soft {
        &mut self.core.soft
    }

    /// Both at once.
    pub fn state(&mut self) -> (&M::Hard, &mut M::Soft) {
        (&self.core.hard, &mut self.core.soft)
    }

    /// For timers.
    pub fn now(&self) -> MonoNs {
        self.now.mono
    }

    /// For timestamps in records.
    pub fn wall(&self) -> TimestampMs {
        self.now.wall
    }

    /// 128 random bits for an id.
    pub fn random(&self) -> u128 {
        self.core.rng.next_u128()
    }

    /// Writes a record and applies it at once. All records of one command become durable together or not at all.
    pub fn emit(&mut self, record: M::Record) {
        M::apply(&mut self.core.hard, self.core.next, &record);
        self.core.next = self.core.next.next();
        self.core.output.records.push(record);
    }

    /// Answers a call, of this step or an earlier one, once all that was emitted so far is durable. A second reply
    /// to a call, or one to a call of an earlier life, goes nowhere.
    pub fn reply(&mut self, call: CallId, reply: M::Reply) {
        self.core.output.replies.push((call, reply));
    }

    /// Asks for work outside once all that was emitted so far is durable.
    pub fn effect(&mut self, effect: M::Effect) {
        self.core.output.effects.push(effect);
    }

    /// Calls `expire` at `at`, instead of at the time this timer was armed for before.
    pub fn arm(&mut self, timer: M::Timer, at: MonoNs) {
        self.core.timers.arm(timer, at);
    }

    /// Whether a timer is armed.
    pub fn is_armed(&self, timer: &M::Timer) -> bool {
        self.core.timers.by_name.contains_key(timer)
    }

    /// Takes a timer back.
    pub fn disarm(&mut self, timer: &M::Timer) {
        self.core.timers.disarm(timer);
    }
}
