//! A machine alone: no log, no runtime, and the time its caller says. What it writes counts as durable at once and is
//! forgotten. For benchmarks and large simulations; tests of behaviours use `testkit`, which reads everything back.

use super::core::{Core, Now};
use super::{CallId, Load, Machine};
use crate::types::{MonoNs, Offset, TimestampMs};
use std::time::Duration;

/// A machine in its first life.
pub struct Solo<M: Machine> {
    core: Core<M>,
    now: Now,
    next_call: u64,
    records: u64,
    replies: Vec<(CallId, M::Reply)>,
}

impl<M: Machine> Solo<M> {
    /// A machine with an empty log, at its start.
    pub fn new(seed: u64) -> Solo<M> {
        let now = Now { mono: MonoNs(0), wall: TimestampMs(1_700_000_000_000) };
        let core = Core::new(Offset::ZERO, seed);
        let mut solo = Solo { core, now, next_call: 0, records: 0, replies: Vec::new() };
        solo.core.loaded(now, Load::Start);
        solo.collect();
        solo
    }

    /// Handles a command. Its reply is among `replies`, now or later.
    pub fn call(&mut self, command: M::Command) -> CallId {
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.core.handle(self.now, call, command);
        self.collect();
        call
    }

    /// Replies that nobody took yet, in order.
    pub fn replies(&mut self) -> Vec<(CallId, M::Reply)> {
        std::mem::take(&mut self.replies)
    }

    /// How long until the next timer is due.
    pub fn next_timer(&self) -> Option<Duration> {
        self.core.next_timer().map(|at| at.since(self.now.mono))
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

    /// The durable truth.
    pub fn hard(&self) -> &M::Hard {
        self.core.hard()
    }

    /// Number of records written so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    fn pass_until(&mut self, at: MonoNs) {
        let wall = self.now.wall.0.saturating_add(at.since(self.now.mono).as_millis() as i64);
        self.now = Now { mono: at, wall: TimestampMs(wall) };
    }

    fn collect(&mut self) {
        let output = self.core.take();
        self.records += output.records.len() as u64;
        self.replies.extend(output.replies);
    }
}
