//! The shard against a log in memory: what leaves it when, and what failures do. The machine under test adds up
//! numbers.

use super::testkit::Rig;
use super::*;
use crate::partition::LeaderEpoch;
use crate::partition::memory_log::MemoryLog;
use crate::sys::{RealClock, SimClock};
use crate::types::TimestampMs;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Sums; `Wait` is answered by a timer, `Read` writes nothing.
#[derive(Debug)]
pub(super) enum Adder {}

#[derive(Debug, Default)]
pub(super) struct Sum {
    total: i64,
    last: Option<Offset>,
}

impl PartialEq for Sum {
    fn eq(&self, other: &Sum) -> bool {
        self.total == other.total
    }
}

/// The sum from now on.
#[derive(Debug, PartialEq)]
pub(super) struct Total(i64);

impl LogRecord for Total {
    fn encode(&self) -> Result<KeyValue, BadRecord> {
        if self.0 < 0 {
            return Err(BadRecord::new("negative"));
        }
        Ok((None, Some(Bytes::copy_from_slice(&self.0.to_be_bytes()))))
    }

    fn decode(_key: Option<Bytes>, value: Option<Bytes>) -> Result<Option<Total>, BadRecord> {
        let bytes = value.as_deref().and_then(|value| value.try_into().ok());
        Ok(Some(Total(i64::from_be_bytes(bytes.ok_or_else(|| BadRecord::new("not 8 bytes"))?))))
    }
}

pub(super) enum Ask {
    Add(i64),
    AddMany(i64),
    Read,
    Wait(Duration),
    /// Puts off the end of a `Wait`, which is a member's that is heard of.
    Beat(CallId, Duration),
}

impl Machine for Adder {
    type Hard = Sum;
    type Soft = std::collections::BTreeMap<u64, CallId>;
    type View = i64;
    type Record = Total;
    type Command = Ask;
    type Reply = i64;
    type Effect = String;
    type Timer = u64;
    type Cursor = ();

    fn apply(hard: &mut Sum, at: Offset, record: &Total) {
        assert!(hard.last.is_none_or(|last| at >= last), "offsets ascend");
        *hard = Sum { total: record.0, last: Some(at) };
    }

    fn handle(cx: &mut Cx<'_, Adder>, call: CallId, command: Ask) {
        match command {
            Ask::Add(by) => {
                add(cx, by);
                cx.effect(format!("added {by}"));
            }
            Ask::AddMany(count) => (0..count).for_each(|_| add(cx, 1)),
            Ask::Read => {}
            Ask::Beat(call, span) => {
                let at = cx.now().after(span);
                cx.arm(call.0, at);
            }
            Ask::Wait(span) => {
                let at = cx.now().after(span);
                cx.soft().insert(call.0, call);
                cx.arm(call.0, at);
                return;
            }
        }
        let sum = cx.hard().total;
        cx.reply(call, sum);
    }

    fn expire(cx: &mut Cx<'_, Adder>, timer: u64) {
        if let Some(call) = cx.soft().remove(&timer) {
            add(cx, 1000);
            let sum = cx.hard().total;
            cx.reply(call, sum);
        }
    }

    fn loaded(cx: &mut Cx<'_, Adder>, why: Load) {
        cx.effect(format!("{why:?}"));
    }

    fn rewrite(hard: &Sum, _after: Option<&()>, _budget: usize) -> (Vec<Total>, Option<()>) {
        (vec![Total(hard.total)], None)
    }

    fn view(hard: &Sum) -> i64 {
        hard.total
    }
}

fn add(cx: &mut Cx<'_, Adder>, by: i64) {
    let total = cx.hard().total + by;
    cx.emit(Total(total));
}

#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<String>>>);

impl Outlet<Adder> for Seen {
    fn publish(&mut self, view: i64) {
        self.0.lock().push(format!("view {view}"));
    }

    fn effect(&mut self, effect: String) {
        self.0.lock().push(effect);
    }

    fn run_blocking(&mut self, job: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        job();
        Ok(())
    }
}

impl Seen {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock())
    }
}

pub(super) struct Bench {
    pub(super) log: Arc<MemoryLog>,
    pub(super) clock: SimClock,
    pub(super) seen: Seen,
    pub(super) shard: ShardHandle<Adder>,
    pub(super) task: tokio::task::JoinHandle<()>,
}

pub(super) fn options() -> ShardOptions {
    ShardOptions {
        name: "adder".into(),
        seed: 7,
        epoch: LeaderEpoch::new(Epoch(3)),
        rewrite_bytes_min: REWRITE_BYTES_MIN,
    }
}

pub(super) async fn start(log: Arc<MemoryLog>) -> Bench {
    let clock = SimClock::new(TimestampMs(0));
    let seen = Seen::default();
    let (shard, runner) =
        Shard::open(log.clone(), Arc::new(clock.clone()), options(), seen.clone()).await.unwrap();
    Bench { log, clock, seen, shard, task: tokio::spawn(runner.run()) }
}

impl Bench {
    pub(super) fn call(&self, command: Ask) -> tokio::task::JoinHandle<Result<i64, CallError>> {
        let shard = self.shard.clone();
        tokio::spawn(async move { shard.call(command).await })
    }
}

/// Lets all other tasks go as far as they can.
pub(super) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nothing_leaves_before_it_is_durable_and_then_in_order() {
    let bench = start(MemoryLog::new(false)).await;
    assert_eq!(bench.seen.take(), ["view 0", "Start"]);
    let add = bench.call(Ask::Add(5));
    settle().await;
    let read = bench.call(Ask::Read);
    settle().await;
    assert!(!add.is_finished() && !read.is_finished(), "a read must not tell what is not durable");
    assert_eq!(bench.seen.take(), [""; 0]);
    bench.log.sync();
    assert_eq!((add.await.unwrap(), read.await.unwrap()), (Ok(5), Ok(5)));
    assert_eq!(bench.seen.take(), ["view 5", "added 5"]);
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(5));
}

#[tokio::test]
async fn commands_that_wait_together_become_one_batch() {
    let bench = start(MemoryLog::new(true)).await;
    let calls: Vec<_> = (1..=10).map(|by| bench.call(Ask::Add(by))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(bench.log.epochs(), [Epoch(3)], "one append, under the shared epoch");
}

#[tokio::test]
async fn a_restart_finds_what_was_acknowledged() {
    let log = MemoryLog::new(true);
    let bench = start(log.clone()).await;
    assert_eq!(bench.call(Ask::Add(2)).await.unwrap(), Ok(2));
    assert_eq!(bench.call(Ask::AddMany(40)).await.unwrap(), Ok(42));
    bench.shard.stop().await;
    bench.task.await.unwrap();
    let bench = start(log).await;
    assert_eq!(bench.seen.take(), ["view 42", "Start"]);
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(42));
}

#[tokio::test]
async fn a_failed_sync_fails_the_held_calls_and_drops_what_they_did() {
    let bench = start(MemoryLog::new(true)).await;
    assert_eq!(bench.call(Ask::Add(1)).await.unwrap(), Ok(1));
    bench.log.auto_sync(false);
    let lost = bench.call(Ask::Add(10));
    settle().await;
    let also = bench.call(Ask::Add(100));
    let parked = bench.call(Ask::Wait(Duration::from_secs(1)));
    settle().await;
    bench.seen.take();
    bench.log.fail();
    assert_eq!(lost.await.unwrap(), Err(CallError::MayHaveHappened));
    assert_eq!(also.await.unwrap(), Err(CallError::MayHaveHappened));
    assert_eq!(parked.await.unwrap(), Err(CallError::MayHaveHappened));
    bench.log.auto_sync(true);
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(1));
    assert_eq!(bench.seen.take(), ["view 1", "Reopened"]);
    bench.clock.advance(Duration::from_secs(2));
    settle().await;
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(1), "timers of the earlier life are gone");
}

#[tokio::test]
async fn a_refused_append_keeps_what_is_durable_and_says_that_nothing_happened() {
    let bench = start(MemoryLog::new(true)).await;
    assert_eq!(bench.call(Ask::Add(1)).await.unwrap(), Ok(1));
    bench.log.refuse_appends(true);
    assert_eq!(bench.call(Ask::Add(10)).await.unwrap(), Err(CallError::DidNotHappen));
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(1));
    bench.log.refuse_appends(false);
    assert_eq!(bench.call(Ask::Add(10)).await.unwrap(), Ok(11));
    assert_eq!(bench.call(Ask::Add(-100)).await.unwrap(), Err(CallError::DidNotHappen), "cannot be written");
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(11));
}

#[tokio::test]
async fn earlier_turns_are_still_acknowledged_when_a_later_append_is_refused() {
    let bench = start(MemoryLog::new(false)).await;
    let first = bench.call(Ask::Add(1));
    settle().await;
    bench.log.refuse_appends(true);
    let second = bench.call(Ask::Add(10));
    assert_eq!(second.await.unwrap(), Err(CallError::DidNotHappen));
    assert!(!first.is_finished());
    bench.log.sync();
    assert_eq!(first.await.unwrap(), Ok(1));
}

#[tokio::test]
async fn while_the_log_does_not_come_back_calls_are_refused_at_once() {
    let bench = start(MemoryLog::new(true)).await;
    bench.log.refuse_reopen(true);
    bench.log.auto_sync(false);
    let lost = bench.call(Ask::Add(1));
    settle().await;
    bench.log.fail();
    assert_eq!(lost.await.unwrap(), Err(CallError::MayHaveHappened));
    settle().await;
    for _ in 0..3 {
        assert_eq!(bench.call(Ask::Read).await.unwrap(), Err(CallError::Loading));
        bench.clock.advance(Duration::from_secs(5));
        settle().await;
    }
    bench.log.refuse_reopen(false);
    bench.clock.advance(Duration::from_secs(5));
    settle().await;
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(0));
}

#[tokio::test]
async fn a_timer_answers_a_parked_call_and_an_idle_shard_sleeps() {
    let bench = start(MemoryLog::new(true)).await;
    let waiting = bench.call(Ask::Wait(Duration::from_secs(3)));
    settle().await;
    bench.clock.advance(Duration::from_secs(2));
    settle().await;
    assert!(!waiting.is_finished());
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(waiting.await.unwrap(), Ok(1000));
}

#[tokio::test]
async fn a_stopped_shard_answers_what_came_before_and_nothing_after() {
    let bench = start(MemoryLog::new(false)).await;
    let add = bench.call(Ask::Add(1));
    settle().await;
    let shard = bench.shard.clone();
    let stop = tokio::spawn(async move { shard.stop().await });
    settle().await;
    assert!(!stop.is_finished());
    bench.log.sync();
    assert_eq!(add.await.unwrap(), Ok(1));
    stop.await.unwrap();
    bench.task.await.unwrap();
    assert_eq!(bench.shard.call(Ask::Read).await, Err(CallError::Stopped));
}

fn unreadable_log() -> Arc<MemoryLog> {
    let log = MemoryLog::new(true);
    let mut batch = crate::record::BatchBuilder::new();
    batch.push(TimestampMs(0), None, Some(b"odd"), &[]);
    let batches = crate::record::CheckedBatches::trusted(batch.build()).unwrap();
    crate::log::PartitionLog::append(log.as_ref(), batches, Epoch(0)).unwrap();
    log
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stops_the_start() {
    let clock = Arc::new(SimClock::new(TimestampMs(0)));
    let opened = Shard::<Adder, Seen>::open(unreadable_log(), clock, options(), Seen::default()).await;
    assert!(matches!(opened, Err(LoadError::Record { at: Offset(0), .. })));
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_not_read_all_the_time() {
    let bench = start_unloaded(unreadable_log()).await;
    for _ in 0..600 {
        settle().await;
        bench.clock.advance(Duration::from_secs(1));
    }
    assert!((5..25).contains(&bench.log.replayed()), "{} times in ten minutes", bench.log.replayed());
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Err(CallError::Loading));
    bench.shard.stop().await;
}

#[test]
fn the_test_kit_moves_time_from_timer_to_timer() {
    let mut rig = Rig::<Adder>::new(1);
    let late = rig.call(Ask::Wait(Duration::from_secs(9)));
    let early = rig.call(Ask::Wait(Duration::from_secs(1)));
    rig.advance(Duration::from_secs(5));
    assert_eq!(rig.replies(), [(early, 1000)]);
    rig.advance(Duration::from_secs(5));
    assert_eq!(rig.replies(), [(late, 2000)]);
    rig.call(Ask::Wait(Duration::from_secs(1)));
    rig.restart(Load::Reopened);
    rig.advance(Duration::from_secs(5));
    assert_eq!(rig.replies(), []);
    assert_eq!((rig.hard().total, rig.records().len()), (2000, 2));
    assert_eq!(rig.effects(), ["Start", "Reopened"]);
    assert_eq!(rig.ask(Ask::Add(1)), 2001);
}

#[tokio::test]
async fn a_hundred_thousand_records_are_replayed_quickly() {
    let log = MemoryLog::new(true);
    let bench = start(log.clone()).await;
    for _ in 0..100 {
        bench.call(Ask::AddMany(1000)).await.unwrap().unwrap();
    }
    let clock = RealClock::new();
    let begin = crate::sys::Clock::mono(&clock);
    let again = start(log).await;
    assert_eq!(again.call(Ask::Read).await.unwrap(), Ok(100_000));
    let spent = crate::sys::Clock::mono(&clock).since(begin);
    println!("100,000 records replayed in {spent:?}");
    assert!(spent < Duration::from_secs(10), "far more than even a debug build on a busy machine needs");
}

async fn start_unloaded(log: Arc<MemoryLog>) -> Bench {
    let (clock, seen) = (SimClock::new(TimestampMs(0)), Seen::default());
    let (shard, serve) = Shard::start(log.clone(), Arc::new(clock.clone()), options(), seen.clone());
    Bench { log, clock, seen, shard, task: tokio::spawn(serve) }
}

#[tokio::test]
async fn a_shard_that_is_started_refuses_calls_until_it_is_loaded() {
    let log = MemoryLog::new(true);
    let bench = start(log.clone()).await;
    assert_eq!(bench.call(Ask::Add(7)).await.unwrap(), Ok(7));
    // It must be reopened first, and cannot be.
    log.fail();
    log.refuse_reopen(true);
    let bench = start_unloaded(log).await;
    settle().await;
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Err(CallError::Loading));
    bench.log.refuse_reopen(false);
    bench.clock.advance(Duration::from_secs(5));
    settle().await;
    assert_eq!(bench.call(Ask::Read).await.unwrap(), Ok(7));
    assert_eq!(bench.seen.take(), ["view 7", "Reopened"]);
}

#[tokio::test]
async fn a_shard_may_be_stopped_before_it_is_loaded() {
    let log = MemoryLog::new(true);
    log.fail();
    log.refuse_reopen(true);
    let bench = start_unloaded(log).await;
    settle().await;
    bench.shard.stop().await;
    bench.task.await.unwrap();
    assert_eq!(bench.shard.call(Ask::Read).await, Err(CallError::Stopped));
}

#[tokio::test]
async fn a_closed_log_ends_its_shard() {
    for parked in [false, true] {
        let bench = start(MemoryLog::new(true)).await;
        if parked {
            bench.log.auto_sync(false);
        }
        let call = bench.call(Ask::Add(1));
        settle().await;
        let wait = bench.call(Ask::Wait(Duration::from_secs(1)));
        settle().await;
        crate::log::PartitionLog::close(bench.log.as_ref()).unwrap();
        bench.task.await.unwrap();
        assert_eq!(call.await.unwrap(), Ok(1), "closing makes durable");
        assert_eq!(wait.await.unwrap(), Err(CallError::Stopped));
    }
    let log = MemoryLog::new(true);
    crate::log::PartitionLog::close(log.as_ref()).unwrap();
    start_unloaded(log).await.task.await.unwrap();
}

#[tokio::test]
async fn a_log_closed_under_an_append_ends_its_shard() {
    let bench = start(MemoryLog::new(true)).await;
    settle().await;
    let call = bench.call(Ask::Add(1));
    crate::log::PartitionLog::close(bench.log.as_ref()).unwrap();
    bench.task.await.unwrap();
    assert_eq!(call.await.unwrap(), Err(CallError::DidNotHappen));
}
