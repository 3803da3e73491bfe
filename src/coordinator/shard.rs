//! The task of one machine: inputs in, one batch of records a turn, everything that leaves held behind its ticket.
//! Must not know what the machine does.
//!
//! A turn: take what waits in the queue, handle it and the timers that are due, append the emitted records as one
//! batch, hold replies, effects and the view behind the ticket. A turn that emitted nothing waits behind the last open
//! ticket, so that no answer is ever ahead of the log. Idle, the task sleeps until a call or a timer comes.

use super::core::{Core, Now, Output};
use super::handle::Input;
use super::load::{LoadError, replay};
use super::{BadRecord, CallError, CallId, Load, LogRecord, Machine, ShardHandle};
use crate::log::{AppendError, AppendFailed, LogState, PartitionLog, ReadError, Ticket};
use crate::partition::LeaderEpoch;
use crate::record::{BadBatch, BatchBuilder, CheckedBatches};
use crate::sys::{Clock, Sleep};
use crate::types::MonoNs;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Inputs that wait at most; more callers wait for room. A turn empties it, so it is as many as one batch serves.
const INBOX_MAX: usize = 1024;

/// Inputs of one turn: bounds how long timers and finished tickets wait.
const TURN_MAX: usize = 256;

/// Records after which a turn appends what it has: keeps a batch near a megabyte, whatever was asked. One command's
/// records are never divided.
const BATCH_RECORDS_MAX: usize = 8192;

/// Turns that wait for durability at most. One commit round serves them all; more would only hide a slow disk.
const HELD_MAX: usize = 64;

/// First and longest wait between attempts to come back after a failure.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Where a shard's output goes. Calls are made in order, when what they rest on is durable; they must not block.
pub trait Outlet<M: Machine>: Send + 'static {
    /// The state that is durable now. Comes before the effects and replies of the same turn.
    fn publish(&mut self, view: M::View);

    /// Work to be done.
    fn effect(&mut self, effect: M::Effect);

    /// The log is about to be cut back and reopened: see to it that the leader epoch rises first. A machine that
    /// keeps the epoch itself does it in `loaded`.
    fn before_reopen(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

/// What a shard needs beside its log.
#[derive(Clone)]
pub struct ShardOptions {
    /// For log lines: the machine and its number.
    pub name: Arc<str>,
    /// Seed of ids. Must differ from one start to the next, or ids come again.
    pub seed: u64,
    /// Epoch of appends, unless the machine keeps it.
    pub epoch: LeaderEpoch,
}

/// What one turn gave, behind its ticket.
struct Held<M: Machine> {
    /// It wrote records; the first after a load did not.
    appended: bool,
    ticket: Pin<Box<dyn Future<Output = Result<(), AppendFailed>> + Send>>,
    view: Option<M::View>,
    replies: Vec<(CallId, M::Reply)>,
    effects: Vec<M::Effect>,
}

type Caller<M> = oneshot::Sender<Result<<M as Machine>::Reply, CallError>>;

/// Why a turn's records did not get into the log.
#[derive(Debug, thiserror::Error)]
enum NotAppended {
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("a record cannot be written: {0}")]
    Record(#[from] BadRecord),
    #[error("the batch is malformed: {0}")]
    Batch(#[from] BadBatch),
    #[error("somebody else appended to the log")]
    Intruder,
}

/// A machine with its log, between two turns.
pub struct Shard<M: Machine, O: Outlet<M>> {
    log: Arc<dyn PartitionLog>,
    clock: Arc<dyn Clock>,
    options: ShardOptions,
    outlet: O,
    inbox: mpsc::Receiver<Input<M>>,
    core: Core<M>,
    calls: BTreeMap<CallId, Caller<M>>,
    next_call: u64,
    held: VecDeque<Held<M>>,
    /// The sleep until the next timer, kept from turn to turn.
    timer: Option<(MonoNs, Sleep)>,
    /// Replays before this one; each draws other ids.
    life: u64,
    /// Failures since the last durable append: the next wait grows with them.
    failures: u32,
    /// What the next replay is for.
    reason: Load,
    /// Who asked for the end; told so by being dropped with the shard.
    stop: Option<oneshot::Sender<()>>,
}

/// How a turn ended.
#[derive(PartialEq, Eq)]
enum Turn {
    GoOn,
    /// The state is not what the log holds.
    Broken,
    Stop,
}

impl<M: Machine, O: Outlet<M>> Shard<M, O> {
    /// Replays the log and publishes the state. Nothing is handled until `run`.
    pub async fn open(
        log: Arc<dyn PartitionLog>,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        outlet: O,
    ) -> Result<(ShardHandle<M>, Shard<M, O>), LoadError> {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        let core = Core::new(log.marks().start, options.seed);
        let mut shard = Shard {
            log,
            clock,
            options,
            outlet,
            inbox,
            core,
            calls: BTreeMap::new(),
            next_call: 0,
            held: VecDeque::new(),
            timer: None,
            life: 0,
            failures: 0,
            reason: Load::Start,
            stop: None,
        };
        shard.load().await?;
        shard.reason = Load::Again;
        if !shard.drain().await {
            return Err(LoadError::NotDurable);
        }
        Ok((ShardHandle { inbox: sender }, shard))
    }

    /// Serves calls until all handles are gone or `stop` is called. Comes back from failures by itself.
    pub async fn run(mut self) {
        loop {
            match self.turn().await {
                Turn::GoOn => {}
                Turn::Broken => {
                    if self.come_back().await == Turn::Stop {
                        return;
                    }
                }
                Turn::Stop => {
                    self.drain().await;
                    return;
                }
            }
        }
    }

    /// Waits for a ticket, inputs or a timer, and deals with it.
    async fn turn(&mut self) -> Turn {
        let room = self.held.len() < HELD_MAX;
        let due = self.core.next_timer();
        if self.timer.as_ref().map(|(at, _)| *at) != due {
            self.timer = due.map(|at| (at, self.clock.sleep_until(at)));
        }
        let mut inputs = Vec::new();
        tokio::select! {
            biased;
            done = first_ticket(&mut self.held) => return self.finish(done),
            count = self.inbox.recv_many(&mut inputs, TURN_MAX), if room => {
                if count == 0 {
                    return Turn::Stop;
                }
            }
            () = sleep(&mut self.timer), if room && due.is_some() => self.timer = None,
        }
        self.step(inputs)
    }

    /// Handles inputs and the timers that are due.
    fn step(&mut self, inputs: Vec<Input<M>>) -> Turn {
        let now = self.now();
        let mut inputs = inputs.into_iter();
        while let Some(input) = inputs.next() {
            match input {
                Input::Call(command, caller) => {
                    let call = CallId(self.next_call);
                    self.next_call += 1;
                    self.calls.insert(call, caller);
                    self.core.handle(now, call, command);
                }
                Input::Stop(done) => {
                    self.stop = Some(done);
                    break;
                }
            }
            if self.core.pending_records() >= BATCH_RECORDS_MAX && self.flush(now) == Turn::Broken {
                inputs.for_each(refuse);
                return Turn::Broken;
            }
        }
        for _ in 0..TURN_MAX {
            if !self.core.expire_one(now) {
                break;
            }
        }
        match self.flush(now) {
            Turn::GoOn if self.stop.is_some() => Turn::Stop,
            turn => turn,
        }
    }

    /// Appends what was emitted and holds the rest behind its ticket.
    fn flush(&mut self, now: Now) -> Turn {
        let output = self.core.take();
        if output.records.is_empty() {
            self.hold_or_release(output);
            return Turn::GoOn;
        }
        match self.append(&output.records, now) {
            Ok(ticket) => {
                self.hold(ticket, output);
                Turn::GoOn
            }
            Err(error) => {
                tracing::error!(shard = %self.options.name, %error, "cannot append to the log of the coordinator");
                for (call, _) in output.replies {
                    self.answer(call, Err(CallError::DidNotHappen));
                }
                Turn::Broken
            }
        }
    }

    fn append(&mut self, records: &[M::Record], now: Now) -> Result<Ticket, NotAppended> {
        let mut batch = BatchBuilder::new();
        for record in records {
            let (key, value) = record.encode()?;
            batch.push(now.wall, key.as_deref(), value.as_deref(), &[]);
        }
        let epoch = M::leader_epoch(self.core.hard()).unwrap_or_else(|| self.options.epoch.get());
        let appended = self.log.append(CheckedBatches::trusted(batch.build())?, epoch)?;
        // Records were applied under the offsets that they would get if nobody else writes here.
        if appended.last.next() != self.core.next() {
            return Err(NotAppended::Intruder);
        }
        Ok(appended.ticket)
    }

    fn hold(&mut self, ticket: Ticket, output: Output<M>) {
        self.held.push_back(Held {
            appended: !output.records.is_empty(),
            ticket: Box::pin(ticket.done()),
            view: Some(M::view(self.core.hard())),
            replies: output.replies,
            effects: output.effects,
        });
    }

    /// What rests on no new record goes with the last that is not durable yet, or at once.
    fn hold_or_release(&mut self, output: Output<M>) {
        match self.held.back_mut() {
            Some(last) => {
                last.replies.extend(output.replies);
                last.effects.extend(output.effects);
            }
            None => self.release(None, output.replies, output.effects),
        }
    }

    fn release(&mut self, view: Option<M::View>, replies: Vec<(CallId, M::Reply)>, effects: Vec<M::Effect>) {
        if let Some(view) = view {
            self.outlet.publish(view);
        }
        for effect in effects {
            self.outlet.effect(effect);
        }
        for (call, reply) in replies {
            self.answer(call, Ok(reply));
        }
    }

    fn answer(&mut self, call: CallId, answer: Result<M::Reply, CallError>) {
        if let Some(caller) = self.calls.remove(&call) {
            // A caller that went away needs no answer.
            let _ = caller.send(answer);
        }
    }

    /// The first held turn is durable, or never will be known to be.
    fn finish(&mut self, done: Result<(), AppendFailed>) -> Turn {
        if let Err(error) = done {
            tracing::error!(shard = %self.options.name, %error, "the log of the coordinator failed");
            // What was appended later is lost with it; the callers are told by `come_back`.
            self.held.clear();
            return Turn::Broken;
        }
        if let Some(held) = self.held.pop_front() {
            if held.appended {
                self.failures = 0;
            }
            self.release(held.view, held.replies, held.effects);
        }
        Turn::GoOn
    }

    /// Waits for all that is held; false if the log failed.
    async fn drain(&mut self) -> bool {
        while !self.held.is_empty() {
            let done = first_ticket(&mut self.held).await;
            if self.finish(done) == Turn::Broken {
                return false;
            }
        }
        true
    }

    /// After a failure: lets go what is durable, fails all other calls, drops the state, and replays. Tries until it
    /// works; meanwhile calls are refused.
    async fn come_back(&mut self) -> Turn {
        self.drain().await;
        for (_, caller) in std::mem::take(&mut self.calls) {
            let _ = caller.send(Err(CallError::MayHaveHappened));
        }
        loop {
            if self.stop.is_some() || self.back_off().await == Turn::Stop {
                return Turn::Stop;
            }
            self.life += 1;
            match self.reopen().await {
                Ok(turn) => return turn,
                Err(error) => {
                    tracing::error!(shard = %self.options.name, %error, "cannot load the coordinator again");
                }
            }
        }
    }

    async fn reopen(&mut self) -> Result<Turn, LoadError> {
        if self.log.marks().state == LogState::Failed {
            self.outlet.before_reopen().await;
            self.log.reopen().map_err(ReadError::Storage)?;
            self.reason = Load::Reopened;
        }
        self.load().await?;
        self.reason = Load::Again;
        Ok(Turn::GoOn)
    }

    /// Waits before another attempt, at once the first time, refusing calls.
    async fn back_off(&mut self) -> Turn {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        if failures == 0 {
            return Turn::GoOn;
        }
        let wait = BACKOFF.0.saturating_mul(1 << (failures - 1).min(16)).min(BACKOFF.1);
        let mut over = self.clock.sleep(wait);
        loop {
            tokio::select! {
                biased;
                () = &mut over => return Turn::GoOn,
                input = self.inbox.recv() => match input {
                    Some(Input::Stop(done)) => {
                        self.stop = Some(done);
                        return Turn::Stop;
                    }
                    Some(input) => refuse(input),
                    None => return Turn::Stop,
                }
            }
        }
    }

    /// Replays the log into an empty machine; what it says then waits until the log as it is now is durable.
    async fn load(&mut self) -> Result<(), LoadError> {
        let start = self.clock.mono();
        let seed = self.options.seed.wrapping_add(self.life);
        let mut core = Core::new(self.log.marks().start, seed);
        replay(&mut core, self.log.as_ref()).await?;
        self.core = core;
        self.timer = None;
        let replayed = self.log.ticket(self.core.next().plus(-1));
        self.hold(replayed, Output::default());
        let now = self.now();
        let spent = now.mono.since(start);
        tracing::info!(shard = %self.options.name, end = %self.core.next(), ms = spent.as_millis(), "loaded");
        self.core.loaded(now, self.reason);
        match self.flush(now) {
            Turn::Broken => Err(LoadError::NotDurable),
            _ => Ok(()),
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.clock.mono(), wall: self.clock.wall() }
    }
}

/// Done when the first held turn is; never, if none is held.
async fn first_ticket<M: Machine>(held: &mut VecDeque<Held<M>>) -> Result<(), AppendFailed> {
    match held.front_mut() {
        Some(first) => first.ticket.as_mut().await,
        None => std::future::pending().await,
    }
}

async fn sleep(timer: &mut Option<(MonoNs, Sleep)>) {
    match timer {
        Some((_, sleep)) => sleep.as_mut().await,
        None => std::future::pending().await,
    }
}

fn refuse<M: Machine>(input: Input<M>) {
    if let Input::Call(_, caller) = input {
        let _ = caller.send(Err(CallError::DidNotHappen));
    }
}
