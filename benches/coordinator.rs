//! The runtime of machines: how fast the groups of one shard come back from their log, how much memory they take, how
//! many commits go through one shard, and what timers cost. Reloads read real files in the system's temporary
//! directory, in the page cache; `TMPDIR` chooses the disk.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(unsafe_code, reason = "an allocator that counts is unsafe by its trait")]

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use logboom::coordinator::{
    CallId, Cx, Load, LogRecord, Machine, Outlet, REWRITE_BYTES_MIN, Shard, ShardHandle, ShardOptions, Solo,
};
use logboom::group::{ClassicGroup, ClassicMember, Committed, GroupRecord, Groups, GroupsHard};
use logboom::log::local::{Commit, LocalLog, LogDir, LogDirOptions};
use logboom::log::{
    AppendError, Appended, CutError, Found, LogMarks, LogSettings, LogState, PartitionLog, ReadError,
    ReadLimit, ReadPlan, Retained, Retention, Ticket,
};
use logboom::partition::LeaderEpoch;
use logboom::record::{BatchBuilder, BatchHeader, CheckedBatches};
use logboom::sys::{Fs, RealClock, RealFs, SeededRng};
use logboom::types::{Epoch, Offset, TimestampMs, TopicPartition, Uuid};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// The system's allocator, with a count of what is in use.
struct Counting;

static IN_USE: AtomicI64 = AtomicI64::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const GROUPS: i32 = 10_000;
const PARTITIONS: i32 = 10;
const MEMBERS: i32 = 2;

/// A group with two members, as a rebalance writes it.
fn classic(group: &Arc<str>) -> GroupRecord {
    let member = |number: i32| {
        let id: Arc<str> = format!("consumer-{group}-{number}-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9").into();
        let member = ClassicMember {
            instance: None,
            client_id: format!("consumer-{group}-{number}").into(),
            client_host: "/10.20.30.40".into(),
            rebalance_timeout_ms: 300_000,
            session_timeout_ms: 45_000,
            subscription: Bytes::from(vec![1; 40]),
            assignment: Bytes::from(vec![2; 60]),
        };
        (id, member)
    };
    let members: std::collections::BTreeMap<_, _> = (0..MEMBERS).map(member).collect();
    let state = ClassicGroup {
        protocol_type: "consumer".into(),
        generation: 7,
        protocol: Some("range".into()),
        leader: members.keys().next().cloned(),
        state_at: TimestampMs(1_700_000_000_000),
        members,
    };
    GroupRecord::Classic { group: Arc::clone(group), state: Some(Box::new(state)) }
}

fn offset(group: &Arc<str>, partition: i32, offset: i64) -> GroupRecord {
    let committed = Committed {
        offset: Offset(offset),
        leader_epoch: Epoch(3),
        metadata: "".into(),
        at: TimestampMs(1_700_000_000_000 + offset),
        expires: None,
        topic_id: Uuid([5; 16]),
    };
    GroupRecord::Offset {
        group: Arc::clone(group),
        topic: "orders".into(),
        partition,
        committed: Some(committed),
    }
}

fn name(group: i32) -> Arc<str> {
    format!("group-of-service-{group}").into()
}

/// A log of groups in a directory of its own.
struct Ground {
    root: PathBuf,
    dir: Arc<LogDir>,
    log: Arc<LocalLog>,
}

impl Ground {
    fn new(name: &str) -> Ground {
        let root = std::env::temp_dir().join(format!("logboom-bench-{}-{name}", std::process::id()));
        let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
        let (clock, rng) = (Arc::new(RealClock::new()), Arc::new(SeededRng::new(1)));
        let dir = LogDir::open(Arc::new(RealFs), clock, rng, &root, options).unwrap();
        let settings = LogSettings { segment_bytes: 16 << 20, ..LogSettings::default() };
        let id = TopicPartition::new("__consumer_offsets", 0);
        let (log, _) = dir.open_partition(&id, Uuid::from_random(1), settings).unwrap();
        Ground { root, dir, log }
    }

    fn append(&self, records: &[GroupRecord]) {
        let mut batch = BatchBuilder::new();
        for record in records {
            let (key, value) = record.encode().unwrap();
            batch.push(TimestampMs(1_700_000_000_000), key.as_deref(), value.as_deref(), &[]);
        }
        self.log.append(CheckedBatches::trusted(batch.build()).unwrap(), Epoch(0)).unwrap();
    }

    /// Groups whose members commit all partitions `times` times, each time in a batch of its own.
    fn as_committed(times: i64) -> Ground {
        let ground = Ground::new("committed");
        (0..GROUPS).for_each(|group| ground.append(&[classic(&name(group))]));
        for time in 0..times {
            for group in (0..GROUPS).map(name) {
                let offsets = (0..PARTITIONS).map(|partition| offset(&group, partition, time * 1000));
                ground.append(&offsets.collect::<Vec<_>>());
            }
        }
        ground.dir.commit_round();
        ground
    }

    /// The same as a rewrite leaves them.
    fn as_rewritten() -> Ground {
        let ground = Ground::new("rewritten");
        let mut hard = GroupsHard::default();
        for group in (0..GROUPS).map(name) {
            Groups::apply(&mut hard, Offset(0), &classic(&group));
            for partition in 0..PARTITIONS {
                Groups::apply(&mut hard, Offset(0), &offset(&group, partition, 3000));
            }
        }
        let mut after = None;
        loop {
            let (records, next) = Groups::rewrite(&hard, after.as_ref(), 512);
            ground.append(&records);
            after = next;
            if after.is_none() {
                break;
            }
        }
        ground.dir.commit_round();
        ground
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = RealFs.remove_dir_all(&self.root);
    }
}

/// Where nothing is done with what comes out.
struct Nowhere;

impl<M: Machine> Outlet<M> for Nowhere {
    fn publish(&mut self, _view: M::View) {}

    fn effect(&mut self, _effect: M::Effect) {}
}

async fn open<M: Machine>(log: Arc<dyn PartitionLog>) -> (ShardHandle<M>, Shard<M, Nowhere>) {
    let epoch = LeaderEpoch::new(Epoch(0));
    let options = ShardOptions { name: "bench".into(), seed: 1, epoch, rewrite_bytes_min: REWRITE_BYTES_MIN };
    Shard::open(log, Arc::new(RealClock::new()), options, Nowhere).await.unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn reload(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reload 10,000 groups");
    group.sample_size(10);
    for (name, ground) in
        [("as rewritten", Ground::as_rewritten()), ("of four commits each", Ground::as_committed(4))]
    {
        let runtime = runtime();
        let log: Arc<dyn PartitionLog> = ground.log.clone();
        let before = IN_USE.load(Ordering::Relaxed);
        let loaded = runtime.block_on(open::<Groups>(Arc::clone(&log)));
        let bytes = IN_USE.load(Ordering::Relaxed) - before;
        let (marks, size) = (log.marks(), log.size_bytes());
        let each = bytes / i64::from(GROUPS);
        println!("{name}: {} records in {size} bytes", marks.end.0 - marks.start.0);
        println!("{name}: {each} bytes of memory a group of {PARTITIONS} offsets and {MEMBERS} members");
        drop(loaded);
        group.throughput(Throughput::Bytes(size));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || Arc::clone(&log),
                |log| runtime.block_on(open::<Groups>(log)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Commits one offset a call, with the records of groups: what the runtime takes and no checks.
enum Commits {}

impl Machine for Commits {
    type Hard = GroupsHard;
    type Soft = ();
    type View = ();
    type Record = GroupRecord;
    type Command = GroupRecord;
    type Reply = ();
    type Effect = ();
    type Timer = ();
    type Cursor = <Groups as Machine>::Cursor;

    fn apply(hard: &mut GroupsHard, at: Offset, record: &GroupRecord) {
        Groups::apply(hard, at, record);
    }

    fn handle(cx: &mut Cx<'_, Commits>, call: CallId, record: GroupRecord) {
        cx.emit(record);
        cx.reply(call, ());
    }

    fn expire(_cx: &mut Cx<'_, Commits>, (): ()) {}

    fn loaded(_cx: &mut Cx<'_, Commits>, _why: Load) {}

    fn rewrite(
        hard: &GroupsHard,
        after: Option<&Self::Cursor>,
        budget: usize,
    ) -> (Vec<GroupRecord>, Option<Self::Cursor>) {
        Groups::rewrite(hard, after, budget)
    }

    fn view(_hard: &GroupsHard) {}
}

/// A log that is durable at once and keeps nothing.
struct Sink {
    marks: watch::Sender<LogMarks>,
    lives: Arc<AtomicU64>,
}

impl Sink {
    fn new() -> Arc<Sink> {
        let zero = Offset::ZERO;
        let marks =
            LogMarks { start: zero, durable: zero, high_watermark: zero, end: zero, state: LogState::Online };
        Arc::new(Sink { marks: watch::channel(marks).0, lives: Arc::default() })
    }
}

impl PartitionLog for Sink {
    fn append(&self, mut batches: CheckedBatches, epoch: Epoch) -> Result<Appended, AppendError> {
        let marks = self.marks();
        let end = batches.assign(marks.end, epoch);
        self.marks.send_modify(|marks| {
            (marks.durable, marks.high_watermark, marks.end) = (end, end, end);
        });
        let last = end.plus(-1);
        Ok(Appended {
            first: marks.end,
            last,
            start: marks.start,
            rolled_at: None,
            ticket: self.ticket(last),
        })
    }

    fn ticket(&self, last: Offset) -> Ticket {
        Ticket::new(last, self.marks.subscribe(), Arc::clone(&self.lives))
    }

    fn plan_read(&self, _from: Offset, _limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        Ok(ReadPlan::default())
    }

    fn find_time(&self, _at: TimestampMs) -> Result<Option<Found>, ReadError> {
        Ok(None)
    }

    fn find_max_time(&self) -> Result<Option<Found>, ReadError> {
        Ok(None)
    }

    fn epoch_end(&self, _epoch: Epoch) -> (Epoch, Offset) {
        (Epoch::NONE, Offset(-1))
    }

    fn epoch_at(&self, _at: Offset) -> Epoch {
        Epoch::NONE
    }

    fn marks(&self) -> LogMarks {
        *self.marks.borrow()
    }

    fn watch(&self) -> watch::Receiver<LogMarks> {
        self.marks.subscribe()
    }

    fn replay(
        &self,
        _from: Offset,
        _visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        Ok(())
    }

    fn cut_front(&self, start: Offset) -> Result<Offset, CutError> {
        self.marks.send_modify(|marks| marks.start = start);
        Ok(start)
    }

    fn retain(&self, _rule: &Retention, _now: TimestampMs) -> io::Result<Retained> {
        Ok(Retained::default())
    }

    fn put_snapshot(&self, _at: Offset, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn snapshots(&self) -> Vec<(Offset, Bytes)> {
        Vec::new()
    }

    fn configure(&self, _settings: LogSettings) {}

    fn size_bytes(&self) -> u64 {
        0
    }

    fn reopen(&self) -> io::Result<()> {
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Commits of an iteration.
const CALLS: i32 = 10_000;

fn commit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit one offset");
    group.throughput(Throughput::Elements(CALLS as u64));
    for callers in [1, 16, 256] {
        let runtime = runtime();
        let shard = runtime.block_on(async {
            let (shard, runner) = open::<Commits>(Sink::new()).await;
            tokio::spawn(runner.run());
            shard
        });
        group.bench_function(format!("{callers} callers"), |bencher| {
            bencher.iter(|| runtime.block_on(call_all(&shard, callers)));
        });
    }
    group.finish();
}

/// Each caller commits for groups of its own, one after the other.
async fn call_all(shard: &ShardHandle<Commits>, callers: i32) {
    let tasks = (0..callers).map(|caller| {
        let shard = shard.clone();
        tokio::spawn(async move {
            let groups: Vec<_> = (0..10).map(|number| name(caller * 10 + number)).collect();
            for (at, group) in (0..CALLS / callers).zip(groups.iter().cycle()) {
                shard.call(offset(group, at % PARTITIONS, i64::from(at))).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// Sessions of members: each heartbeat arms its timer again, and each that expires begins anew.
enum Sessions {}

const SESSION: Duration = Duration::from_secs(45);

impl Machine for Sessions {
    type Hard = ();
    type Soft = ();
    type View = ();
    type Record = GroupRecord;
    type Command = u32;
    type Reply = ();
    type Effect = ();
    type Timer = u32;
    type Cursor = ();

    fn apply(_hard: &mut (), _at: Offset, _record: &GroupRecord) {}

    fn handle(cx: &mut Cx<'_, Sessions>, _call: CallId, member: u32) {
        cx.arm(member, cx.now().after(SESSION));
    }

    fn expire(cx: &mut Cx<'_, Sessions>, member: u32) {
        cx.arm(member, cx.now().after(SESSION));
    }

    fn loaded(_cx: &mut Cx<'_, Sessions>, _why: Load) {}

    fn rewrite(_hard: &(), _after: Option<&()>, _budget: usize) -> (Vec<GroupRecord>, Option<()>) {
        (Vec::new(), None)
    }

    fn view(_hard: &()) {}
}

fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timers");
    for armed in [100, 10_000, 100_000] {
        let mut solo = Solo::<Sessions>::new(1);
        for member in 0..armed {
            solo.call(member);
            solo.advance(Duration::from_micros(1));
        }
        let mut member = 0;
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("arm one of {armed} again"), |bencher| {
            bencher.iter(|| {
                // A stride that meets all of them, in no order of time.
                member = (member + 7_919) % armed;
                solo.advance(Duration::from_nanos(1));
                solo.call(member)
            });
        });
        group.throughput(Throughput::Elements(u64::from(armed)));
        group.bench_function(format!("expire all of {armed}"), |bencher| {
            bencher.iter(|| solo.advance(SESSION));
        });
    }
    group.finish();
}

criterion_group!(benches, reload, commit, timers);
criterion_main!(benches);
