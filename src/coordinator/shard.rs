//! The task of one machine: inputs in, one batch of records a turn, everything that leaves held behind its ticket.
//! Must not know what the machine does.
//!
//! A turn: take what waits in the queue, handle it and the timers that are due, append the emitted records as one
//! batch, hold replies, effects and the view behind the ticket. A turn that emitted nothing waits behind the last open
//! ticket, so that no answer is ever ahead of the log. Idle, the task sleeps until a call or a timer comes, or the log
//! is closed under it.

use super::core::{Core, Now, Output};
use super::handle::Input;
use super::outlet::{Outlet, ShardOptions};
use super::rewrite::Rewriter;
use super::running::RunningClock;
use super::{BadRecord, CallError, CallId, Load, LoadError, LogRecord, Machine, ShardHandle};
use crate::log::{AppendError, AppendFailed, LogMarks, LogState, PartitionLog, Ticket};
use crate::record::{BadBatch, BatchBuilder, CheckedBatches};
use crate::sys::Clock;
use crate::types::{MonoNs, Offset};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Inputs that wait at most; more callers wait for room. A turn empties it, so it is as many as one batch serves.
const INBOX_MAX: usize = 1024;

/// Inputs of one turn: bounds how long timers and finished tickets wait.
const TURN_MAX: usize = 256;

/// Records after which a turn appends what it has: keeps a batch near a megabyte, whatever was asked. One command's
/// records are never divided.
const BATCH_RECORDS_MAX: usize = 8192;

/// Turns that wait for durability at most. One commit round serves them all; more would only hide a slow disk.
const HELD_MAX: usize = 64;

/// Inputs for which timers that are due wait: twice what the queue holds, so that all who waited when the timer became
/// due are heard before it says that they were not, and no timer waits for ever.
const PUT_OFF_MAX: usize = 2 * INBOX_MAX;

/// What one turn gave, behind its ticket.
pub(super) struct Held<M: Machine> {
    /// Since when it is held.
    since: MonoNs,
    /// It wrote records; the first after a load did not.
    appended: bool,
    /// It is a chunk of a rewrite.
    chunk: bool,
    ticket: Pin<Box<dyn Future<Output = Result<(), AppendFailed>> + Send>>,
    view: Option<M::View>,
    replies: Vec<(CallId, M::Reply)>,
    effects: Vec<M::Effect>,
}

type Caller<M> = oneshot::Sender<Result<<M as Machine>::Reply, CallError>>;

/// Why a turn's records did not get into the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAppended {
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
    pub(super) log: Arc<dyn PartitionLog>,
    pub(super) options: ShardOptions,
    pub(super) outlet: O,
    pub(super) inbox: mpsc::Receiver<Input<M>>,
    pub(super) core: Core<M>,
    pub(super) time: RunningClock,
    pub(super) rewriter: Rewriter<M>,
    /// Inputs for which timers that are due have waited.
    pub(super) put_off: usize,
    calls: BTreeMap<CallId, Caller<M>>,
    next_call: u64,
    pub(super) held: VecDeque<Held<M>>,
    /// Tells that the log was closed.
    marks: watch::Receiver<LogMarks>,
    /// Replays so far; each draws other ids.
    pub(super) life: u64,
    /// Failures since the last durable append: the next wait grows with them.
    pub(super) failures: u32,
    /// What the next replay is for.
    pub(super) reason: Load,
    /// Who asked for the end; told so by being dropped with the shard.
    pub(super) stop: Option<oneshot::Sender<()>>,
}

/// How a turn ended.
#[derive(PartialEq, Eq)]
pub(super) enum Turn {
    GoOn,
    /// The state is not what the log holds.
    Broken,
    Stop,
}

/// What a turn waited for.
enum Woken<M: Machine> {
    Durable(Result<(), AppendFailed>),
    FrontCut(Result<Result<Offset, crate::log::CutError>, oneshot::error::RecvError>),
    Inputs(Vec<Input<M>>),
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
        let (handle, mut shard) = Shard::new(log, clock, options, outlet);
        shard.load().await?;
        shard.reason = Load::Again;
        if !shard.drain().await {
            return Err(LoadError::NotDurable);
        }
        Ok((handle, shard))
    }

    /// A shard that may be called at once. The future, which must be spawned, loads it and then serves calls as `run`
    /// does; until then they are refused with `Loading`. A log that cannot be loaded is tried again for ever.
    pub fn start(
        log: Arc<dyn PartitionLog>,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        outlet: O,
    ) -> (ShardHandle<M>, impl Future<Output = ()> + Send + 'static) {
        let (handle, mut shard) = Shard::new(log, clock, options, outlet);
        let serve = async move {
            if shard.come_back().await == Turn::GoOn {
                shard.run().await;
            }
        };
        (handle, serve)
    }

    fn new(
        log: Arc<dyn PartitionLog>,
        clock: Arc<dyn Clock>,
        options: ShardOptions,
        outlet: O,
    ) -> (ShardHandle<M>, Shard<M, O>) {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        let shard = Shard {
            marks: log.watch(),
            core: Core::new(log.marks().start, options.seed),
            time: RunningClock::new(clock),
            rewriter: Rewriter::new(options.rewrite_bytes_min),
            log,
            options,
            outlet,
            inbox,
            put_off: 0,
            calls: BTreeMap::new(),
            next_call: 0,
            held: VecDeque::new(),
            life: 0,
            failures: 0,
            reason: Load::Start,
            stop: None,
        };
        (ShardHandle { inbox: sender }, shard)
    }

    /// Serves calls until all handles are gone, `stop` is called or the log is closed. Comes back from failures by
    /// itself.
    pub async fn run(mut self) {
        loop {
            let ended = match self.turn().await {
                Turn::GoOn => false,
                Turn::Broken => self.come_back().await == Turn::Stop,
                Turn::Stop => true,
            };
            if ended {
                if !self.drain().await {
                    self.fail_calls();
                }
                return;
            }
        }
    }

    /// Waits for a ticket, inputs or a timer, and deals with it.
    async fn turn(&mut self) -> Turn {
        self.time.look_after_work(self.deaf());
        self.time.arm(self.core.next_timer());
        let full = self.held.len() >= HELD_MAX;
        // While full, nobody is heard at all.
        let deaf = if full { Some(self.time.seen()) } else { self.deaf() };
        let woken = self.wait(full).await;
        let now = self.time.look_after_wait(deaf);
        match woken {
            Woken::Durable(done) => self.finish(done),
            Woken::FrontCut(done) => {
                self.front_cut(done);
                Turn::GoOn
            }
            Woken::Inputs(inputs) => self.step(inputs, now).await,
            Woken::Stop => Turn::Stop,
        }
    }

    async fn wait(&mut self, full: bool) -> Woken<M> {
        let idle = self.held.is_empty();
        let spare = !full && self.rewriter.has_work(self.time.seen());
        let mut inputs = Vec::new();
        tokio::select! {
            biased;
            done = first_ticket(&mut self.held) => return Woken::Durable(done),
            done = self.rewriter.cut_done() => return Woken::FrontCut(done),
            count = self.inbox.recv_many(&mut inputs, TURN_MAX), if !full => {
                if count == 0 {
                    return Woken::Stop;
                }
            }
            () = self.time.wake(), if !full => {}
            // With nothing held, no ticket would tell.
            () = closed(&mut self.marks), if idle => return Woken::Stop,
            // A rewrite goes on when nothing else is there to be done, and gives other tasks their turn.
            () = tokio::task::yield_now(), if spare => {}
        }
        Woken::Inputs(inputs)
    }

    /// Since when nobody can be heard because the disk keeps all answers.
    fn deaf(&self) -> Option<MonoNs> {
        self.held.front().map(|first| RunningClock::stalled(first.since))
    }

    /// Handles inputs, the timers that are due, and a piece of a rewrite.
    async fn step(&mut self, mut inputs: Vec<Input<M>>, now: Now) -> Turn {
        if self.core.is_due(now) {
            // Who waits to be heard comes before a timer that says he was not; also if he waits in a socket.
            if self.inbox.is_empty() {
                tokio::task::yield_now().await;
            }
            while inputs.len() < TURN_MAX
                && let Ok(input) = self.inbox.try_recv()
            {
                inputs.push(input);
            }
        }
        let heard = inputs.len();
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
            if self.core.pending_records() >= BATCH_RECORDS_MAX && self.flush() == Turn::Broken {
                inputs.for_each(refuse);
                return Turn::Broken;
            }
        }
        if self.expire(now, heard) == Turn::Broken || self.flush() == Turn::Broken {
            return Turn::Broken;
        }
        if self.stop.is_some() { Turn::Stop } else { self.rewrite() }
    }

    /// Expires the timers that are due, unless there are still callers who wait to be heard.
    fn expire(&mut self, now: Now, heard: usize) -> Turn {
        if !self.core.is_due(now) {
            return Turn::GoOn;
        }
        if !self.inbox.is_empty() && self.put_off < PUT_OFF_MAX {
            self.put_off += heard;
            return Turn::GoOn;
        }
        self.put_off = 0;
        for _ in 0..TURN_MAX {
            if !self.core.expire_one(now) {
                break;
            }
            if self.core.pending_records() >= BATCH_RECORDS_MAX && self.flush() == Turn::Broken {
                return Turn::Broken;
            }
        }
        Turn::GoOn
    }

    /// Appends what was emitted and holds the rest behind its ticket.
    pub(super) fn flush(&mut self) -> Turn {
        let output = self.core.take();
        if output.records.is_empty() {
            self.hold_or_release(output);
            return Turn::GoOn;
        }
        match self.append(&output.records, self.core.next()) {
            Ok((ticket, _)) => {
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

    /// Appends records as one batch that must end before `end`; its ticket and its bytes.
    pub(super) fn append(
        &mut self,
        records: &[M::Record],
        end: Offset,
    ) -> Result<(Ticket, usize), NotAppended> {
        let wall = self.time.clock().wall();
        let mut batch = BatchBuilder::new();
        for record in records {
            let (key, value) = record.encode()?;
            batch.push(wall, key.as_deref(), value.as_deref(), &[]);
        }
        let epoch = M::leader_epoch(self.core.hard()).unwrap_or_else(|| self.options.epoch.get());
        let batch = batch.build();
        let bytes = batch.len();
        let appended = self.log.append(CheckedBatches::trusted(batch)?, epoch)?;
        // Records are applied under the offsets that they get if nobody else writes here.
        if appended.last.next() != end {
            return Err(NotAppended::Intruder);
        }
        self.rewriter.appended(bytes);
        Ok((appended.ticket, bytes))
    }

    pub(super) fn hold(&mut self, ticket: Ticket, output: Output<M>) {
        self.held.push_back(Held {
            since: self.time.seen(),
            appended: !output.records.is_empty(),
            chunk: false,
            ticket: Box::pin(ticket.done()),
            view: Some(M::view(self.core.hard())),
            replies: output.replies,
            effects: output.effects,
        });
    }

    /// Holds a chunk of a rewrite, which changes nothing that anybody sees.
    pub(super) fn hold_chunk(&mut self, ticket: Ticket) {
        self.held.push_back(Held {
            since: self.time.seen(),
            appended: true,
            chunk: true,
            ticket: Box::pin(ticket.done()),
            view: None,
            replies: Vec::new(),
            effects: Vec::new(),
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
            if held.chunk {
                self.rewriter.chunk_is_durable();
            }
            self.release(held.view, held.replies, held.effects);
        }
        Turn::GoOn
    }

    /// Waits for all that is held; false if the log failed.
    pub(super) async fn drain(&mut self) -> bool {
        while !self.held.is_empty() {
            let done = first_ticket(&mut self.held).await;
            if self.finish(done) == Turn::Broken {
                return false;
            }
        }
        true
    }

    /// Tells all who still wait that nobody knows what became of their calls.
    pub(super) fn fail_calls(&mut self) {
        for (_, caller) in std::mem::take(&mut self.calls) {
            let _ = caller.send(Err(CallError::MayHaveHappened));
        }
    }
}

/// Done when the first held turn is; never, if none is held.
async fn first_ticket<M: Machine>(held: &mut VecDeque<Held<M>>) -> Result<(), AppendFailed> {
    match held.front_mut() {
        Some(first) => first.ticket.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Done when the log is closed.
async fn closed(marks: &mut watch::Receiver<LogMarks>) {
    // An error means that the log is gone.
    let _ = marks.wait_for(|marks| marks.state == LogState::Closed).await;
}

fn refuse<M: Machine>(input: Input<M>) {
    if let Input::Call(_, caller) = input {
        let _ = caller.send(Err(CallError::DidNotHappen));
    }
}
