//! Logs that are written anew: on a simulated disk that loses power at every change in turn, or refuses to sync or to
//! rename, what was answered holds, and the log stays short.

use super::testkit::Rig;
use super::*;
use crate::log::local::{Commit, LocalLog, LogDir, LogDirOptions};
use crate::log::{LogSettings, PartitionLog};
use crate::partition::LeaderEpoch;
use crate::sys::{Call, Fault, Rng, SeededRng, SimClock, SimFs};
use crate::types::{TimestampMs, TopicPartition, Uuid};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound::{Excluded, Unbounded};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Keys with numbers.
#[derive(Debug)]
enum Table {}

type Rows = BTreeMap<u8, u64>;

/// A key's number from now on; `None` removes it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row(u8, Option<u64>);

/// Bytes of a value, so that few records make a long log.
const PADDED: usize = 100;

impl LogRecord for Row {
    fn encode(&self) -> Result<KeyValue, BadRecord> {
        let value = self.1.map(|number| {
            let mut value = number.to_be_bytes().to_vec();
            value.resize(PADDED, 0);
            value.into()
        });
        Ok((Some(Bytes::copy_from_slice(&[self.0])), value))
    }

    fn decode(key: Option<Bytes>, value: Option<Bytes>) -> Result<Option<Row>, BadRecord> {
        let key = key.and_then(|key| key.first().copied()).ok_or_else(|| BadRecord::new("no key"))?;
        Ok(Some(Row(key, value.map(|value| u64::from_be_bytes(value[..8].try_into().unwrap())))))
    }
}

impl Machine for Table {
    type Hard = Rows;
    type Soft = ();
    type View = Rows;
    type Record = Row;
    type Command = Row;
    type Reply = ();
    type Effect = ();
    type Timer = ();
    type Cursor = u8;

    fn apply(hard: &mut Rows, _at: Offset, record: &Row) {
        put(hard, *record);
    }

    fn handle(cx: &mut Cx<'_, Table>, call: CallId, row: Row) {
        cx.emit(row);
        cx.reply(call, ());
    }

    fn expire(_cx: &mut Cx<'_, Table>, _timer: ()) {}

    fn loaded(_cx: &mut Cx<'_, Table>, _why: Load) {}

    fn rewrite(hard: &Rows, after: Option<&u8>, budget: usize) -> (Vec<Row>, Option<u8>) {
        let from = after.map_or(Unbounded, |after| Excluded(*after));
        // Fewer than asked for, so that even a small state takes several chunks.
        let rows = hard.range((from, Unbounded)).take(budget.min(3));
        let rows: Vec<Row> = rows.map(|(key, number)| Row(*key, Some(*number))).collect();
        let last = rows.last().map(|row| row.0);
        (rows, last)
    }

    fn view(hard: &Rows) -> Rows {
        hard.clone()
    }
}

fn put(rows: &mut Rows, Row(key, number): Row) {
    match number {
        Some(number) => rows.insert(key, number),
        None => rows.remove(&key),
    };
}

/// The rows last published.
#[derive(Clone, Default)]
struct Published(Arc<Mutex<Rows>>);

impl Outlet<Table> for Published {
    fn publish(&mut self, view: Rows) {
        *self.0.lock() = view;
    }

    fn effect(&mut self, (): ()) {}

    fn run_blocking(&mut self, job: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        job();
        Ok(())
    }
}

struct Process {
    dir: Arc<LogDir>,
    log: Arc<LocalLog>,
    clock: SimClock,
    shard: ShardHandle<Table>,
    published: Published,
    task: tokio::task::JoinHandle<()>,
    rng: SeededRng,
}

async fn start(fs: &SimFs, seed: u64) -> Option<Process> {
    let (clock, rng) = (SimClock::new(TimestampMs(1_000_000)), Arc::new(SeededRng::new(seed)));
    let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
    let path = Path::new("/data");
    let dir = LogDir::open(Arc::new(fs.clone()), Arc::new(clock.clone()), rng, path, options).ok()?;
    let settings = LogSettings { segment_bytes: 1000, ..LogSettings::default() };
    let (log, _) = dir.open_partition(&TopicPartition::new("table", 0), Uuid([1; 16]), settings).ok()?;
    let epoch = LeaderEpoch::new(Epoch(0));
    let options = ShardOptions { name: "table".into(), seed, epoch, rewrite_bytes_min: 2500 };
    let published = Published::default();
    let opened = Shard::open(log.clone(), Arc::new(clock.clone()), options, published.clone()).await;
    let (shard, runner) = opened.ok()?;
    let task = tokio::spawn(runner.run());
    Some(Process { dir, log, clock, shard, published, task, rng: SeededRng::new(seed) })
}

impl Process {
    /// Runs commit rounds and time until the call is answered.
    async fn call(&self, row: Row) -> Result<(), CallError> {
        let shard = self.shard.clone();
        let call = tokio::spawn(async move { shard.call(row).await });
        while !call.is_finished() {
            self.round().await;
        }
        call.await.unwrap()
    }

    async fn round(&self) {
        tokio::task::yield_now().await;
        self.dir.commit_round();
        self.clock.advance(Duration::from_millis(20));
    }

    /// Changes rows until a call fails; that one is returned, for nobody knows what became of it.
    async fn work(&self, rows: &mut Rows, calls: usize) -> Option<Row> {
        for _ in 0..calls {
            let chance = self.rng.next_u64();
            let row = Row((chance % 10) as u8, (!chance.is_multiple_of(4)).then_some(chance));
            if self.call(row).await.is_err() {
                return Some(row);
            }
            put(rows, row);
        }
        None
    }

    fn rows(&self) -> Rows {
        self.published.0.lock().clone()
    }
}

/// After a failure the rows are as told, with or without the change that was not answered.
fn settle(told: &mut Rows, unsure: Option<Row>, found: &Rows) {
    if told != found
        && let Some(row) = unsure
    {
        put(told, row);
    }
    assert_eq!(told, found);
}

async fn check_power_cut(stop_after: u64) -> bool {
    let mut fs = SimFs::new(stop_after);
    let (mut told, mut unsure) = (Rows::new(), None);
    fs.stop_after(stop_after);
    if let Some(process) = start(&fs, stop_after).await {
        unsure = process.work(&mut told, 60).await;
        assert!(unsure.is_some() || process.log.marks().start > Offset::ZERO, "60 calls make one rewrite");
        process.task.abort();
    }
    let cut = fs.power_is_off();
    for round in 1..4 {
        fs = fs.crash(stop_after + round);
        if round < 3 {
            fs.stop_after(stop_after % 37 + 40 * round);
        }
        let Some(process) = start(&fs, stop_after + 100 * round).await else {
            assert!(round < 3, "the last start meets no failure");
            continue;
        };
        settle(&mut told, unsure.take(), &process.rows());
        unsure = process.work(&mut told, 40).await;
        process.task.abort();
    }
    cut
}

#[tokio::test]
async fn what_was_answered_holds_wherever_the_power_goes_in_a_rewrite() {
    let mut stop_after = 0;
    while check_power_cut(stop_after).await {
        stop_after += 1;
    }
    assert!(stop_after > 100, "the script makes {stop_after} changes");
}

#[tokio::test]
async fn a_log_stays_short_and_a_start_finds_what_it_gives() {
    let fs = SimFs::new(1);
    let mut told = Rows::new();
    for seed in 0..5 {
        let process = start(&fs, seed).await.unwrap();
        assert_eq!(process.rows(), told);
        for _ in 0..10 {
            assert_eq!(process.work(&mut told, 30).await, None);
            let bytes = process.log.size_bytes();
            assert!(bytes < 8000, "{bytes} bytes; 30 calls write {}", 30 * (PADDED + 70));
        }
        process.shard.stop().await;
        process.task.await.unwrap();
        process.log.close().unwrap();
        process.dir.close().unwrap();
    }
}

#[tokio::test]
async fn a_rewrite_outlives_failed_syncs() {
    for nth in 1..60 {
        let fs = SimFs::new(nth);
        let (mut told, mut unsure) = (Rows::new(), None);
        fs.fail(Fault::eio(Call::Sync).nth(nth));
        let first = start(&fs, nth).await;
        let process = match first {
            Some(process) => process,
            None => start(&fs, nth).await.unwrap(),
        };
        for _ in 0..4 {
            if let Some(row) = process.work(&mut told, 30).await {
                unsure = Some(row);
            }
            while process.log.marks().state != crate::log::LogState::Online {
                process.round().await;
            }
            settle(&mut told, unsure.take(), &process.rows());
        }
        // If it was a cut that failed.
        process.clock.advance(Duration::from_secs(61));
        assert_eq!(process.work(&mut told, 30).await, None);
        assert!(process.log.size_bytes() < 8000, "sync {nth} failed");
        process.task.abort();
    }
}

#[tokio::test]
async fn a_front_that_cannot_be_cut_is_cut_later() {
    let fs = SimFs::new(1);
    let mut told = Rows::new();
    let process = start(&fs, 1).await.unwrap();
    fs.fail(Fault::eio(Call::Rename).named("logboom.marks").lasting());
    assert_eq!(process.work(&mut told, 60).await, None);
    assert_eq!(process.log.marks().start, Offset::ZERO);
    let end = process.log.marks().end;
    assert!(end.0 < 60 + 30, "one rewrite, not one after the other: {end}");
    fs.heal();
    process.clock.advance(Duration::from_secs(61));
    assert_eq!(process.work(&mut told, 2).await, None);
    assert!(process.log.marks().start > Offset::ZERO);
    assert_eq!(process.rows(), told);
}

#[tokio::test]
async fn a_start_counts_before_it_writes() {
    let fs = SimFs::new(1);
    let mut told = Rows::new();
    let process = start(&fs, 1).await.unwrap();
    for key in 0..20 {
        process.call(Row(key, Some(1))).await.unwrap();
        put(&mut told, Row(key, Some(1)));
    }
    let end = process.log.marks().end;
    assert!(process.log.size_bytes() > 2500, "more than the least");
    process.task.abort();
    process.log.close().unwrap();
    process.dir.close().unwrap();
    let process = start(&fs, 2).await.unwrap();
    for _ in 0..50 {
        process.round().await;
    }
    assert_eq!(process.log.marks().end, end, "less than four times the state");
    assert_eq!(process.rows(), told);
}

#[test]
fn a_machine_of_rows_stands_the_kit() {
    let mut rig = Rig::<Table>::new(1);
    for step in 0..200u64 {
        rig.ask(Row((step * 7 % 23) as u8, (!step.is_multiple_of(5)).then_some(step)));
    }
}

/// Forgets a row in a rewrite.
#[test]
#[should_panic(expected = "a rewrite gives another state")]
fn the_kit_finds_a_rewrite_that_forgets() {
    let mut rig = Rig::<Forgetful>::new(1);
    (0..20).for_each(|key| rig.ask(Row(key, Some(1))));
}

enum Forgetful {}

impl Machine for Forgetful {
    type Hard = Rows;
    type Soft = ();
    type View = ();
    type Record = Row;
    type Command = Row;
    type Reply = ();
    type Effect = ();
    type Timer = ();
    type Cursor = u8;

    fn apply(hard: &mut Rows, _at: Offset, record: &Row) {
        put(hard, *record);
    }

    fn handle(cx: &mut Cx<'_, Forgetful>, call: CallId, row: Row) {
        cx.emit(row);
        cx.reply(call, ());
    }

    fn expire(_cx: &mut Cx<'_, Forgetful>, _timer: ()) {}

    fn loaded(_cx: &mut Cx<'_, Forgetful>, _why: Load) {}

    fn rewrite(hard: &Rows, after: Option<&u8>, budget: usize) -> (Vec<Row>, Option<u8>) {
        let (rows, after) = Table::rewrite(hard, after, budget);
        (rows.into_iter().filter(|row| row.0 != 7).collect(), after.filter(|key| *key < 19))
    }

    fn view(_hard: &Rows) {}
}
