//! The local log alone: append (the write, not the sync), where a read begins, and commit rounds of one log and of
//! many. Real files in the system's temporary directory; `TMPDIR` chooses the disk.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use logboom::log::local::{Commit, LocalLog, LogDir, LogDirOptions};
use logboom::log::{LogSettings, PartitionLog, ReadLimit};
use logboom::record::{BatchBuilder, CheckedBatches};
use logboom::sys::{Fs, RealClock, RealFs, SeededRng};
use logboom::types::{Epoch, Offset, TimestampMs, TopicPartition, Uuid};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;

struct Ground {
    root: PathBuf,
    dir: Arc<LogDir>,
    log: Arc<LocalLog>,
}

impl Ground {
    fn new(name: &str, segment_bytes: u64) -> Ground {
        let root = std::env::temp_dir().join(format!("logboom-bench-{}-{name}", std::process::id()));
        let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
        let (clock, rng) = (Arc::new(RealClock::new()), Arc::new(SeededRng::new(1)));
        let dir = LogDir::open(Arc::new(RealFs), clock, rng, &root, options).unwrap();
        let log = open(&dir, 0, segment_bytes);
        Ground { root, dir, log }
    }

    /// Drops what was appended, so that a long run does not fill the disk.
    fn drop_data(&self) {
        self.dir.commit_round();
        self.log.cut_front(self.log.marks().end).unwrap();
        self.dir.commit_round();
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = RealFs.remove_dir_all(&self.root);
    }
}

fn open(dir: &Arc<LogDir>, partition: i32, segment_bytes: u64) -> Arc<LocalLog> {
    let settings = LogSettings { segment_bytes, ..LogSettings::default() };
    let name = TopicPartition::new("bench", partition);
    dir.open_partition(&name, Uuid::from_random(1), settings).unwrap().0
}

fn batch(records: i64, bytes: usize) -> CheckedBatches {
    let mut builder = BatchBuilder::new();
    for record in 0..records {
        builder.push(TimestampMs(record), None, Some(&vec![7; bytes]), &[]);
    }
    CheckedBatches::trusted(builder.build()).unwrap()
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    for (name, records, bytes) in [("64 KiB batch", 64, 1010), ("100 B batch", 1, 30)] {
        let ground = Ground::new("append", 64 << 20);
        let batches = batch(records, bytes);
        group.throughput(Throughput::Bytes(batches.len() as u64));
        let appended = Cell::new(0);
        let setup = || {
            appended.set(appended.get() + batches.len());
            if appended.get() > 256 << 20 {
                appended.set(0);
                ground.drop_data();
            }
            batches.clone()
        };
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                setup,
                |batches| ground.log.append(batches, Epoch(0)).unwrap().last,
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let ground = Ground::new("read", 32 << 20);
    let batches = batch(1, 900);
    for _ in 0..200_000 {
        ground.log.append(batches.clone(), Epoch(0)).unwrap();
    }
    ground.dir.commit_round();
    let end = ground.log.marks().end;
    let rng = SeededRng::new(3);
    let plan = |from: Offset, bytes: usize| {
        let limit = ReadLimit { bytes, at_least_one: true, below: Offset(i64::MAX) };
        ground.log.plan_read(from, limit).unwrap().len()
    };
    let mut group = criterion.benchmark_group("plan_read");
    let anywhere = || Offset(rng.below(end.0 as u64) as i64);
    group.bench_function("anywhere, 1 MiB", |bencher| bencher.iter(|| plan(anywhere(), 1 << 20)));
    group.bench_function("index look-up and first header", |bencher| bencher.iter(|| plan(anywhere(), 1)));
    group.bench_function("at the end", |bencher| bencher.iter(|| plan(end, 1 << 20)));
    group.bench_function("a reader that keeps up", |bencher| {
        bencher.iter_batched(
            || {
                let from = ground.log.append(batches.clone(), Epoch(0)).unwrap().first;
                ground.dir.commit_round();
                from
            },
            |from| plan(from, 1 << 20),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// A log of many segments: which of them, where in it, and what is checked once after a start.
fn read_old(criterion: &mut Criterion) {
    const SEGMENT: u64 = 1 << 20;
    const SEGMENTS: usize = 200;
    let ground = Ground::new("old", SEGMENT);
    // In a place from which it can be taken: a log has to be gone before it is opened again.
    let mut place = Some(open(&ground.dir, 1, SEGMENT));
    let batches = batch(1, 900);
    let log = place.as_ref().unwrap();
    for _ in 0..SEGMENTS * SEGMENT as usize / batches.len() {
        log.append(batches.clone(), Epoch(0)).unwrap();
    }
    ground.dir.commit_round();
    let middle = Offset(log.marks().end.0 / 2);
    let plan = |log: &LocalLog, from: Offset, bytes: usize| {
        let limit = ReadLimit { bytes, at_least_one: true, below: Offset(i64::MAX) };
        log.plan_read(from, limit).unwrap().len()
    };
    let mut group = criterion.benchmark_group(format!("plan_read in {SEGMENTS} segments"));
    group.bench_function("the middle, one batch", |bencher| bencher.iter(|| plan(log, middle, 1)));
    group.bench_function("the middle, 4 MiB", |bencher| bencher.iter(|| plan(log, middle, 4 << 20)));
    group.bench_function("the middle, 1 MiB for the first time", |bencher| {
        bencher.iter_batched(
            || {
                if let Some(log) = place.take() {
                    log.close().unwrap();
                }
                place.insert(open(&ground.dir, 1, SEGMENT)).clone()
            },
            |log| plan(&log, middle, 1 << 20),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn commit(criterion: &mut Criterion) {
    let ground = Ground::new("commit", 64 << 20);
    let batches = batch(64, 1010);
    criterion.bench_function("commit round of one 64 KiB batch", |bencher| {
        bencher.iter_batched(
            || ground.log.append(batches.clone(), Epoch(0)).unwrap().last,
            |_| ground.dir.commit_round(),
            BatchSize::PerIteration,
        );
    });
}

/// How what a round costs is shared by those who wait for it.
fn commit_many(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("group commit, 1 KiB to each log");
    group.sample_size(10);
    let batches = batch(1, 950);
    for count in [1, 10, 100, 1000] {
        let ground = Ground::new("many", 64 << 20);
        let logs: Vec<_> = (1..=count).map(|partition| open(&ground.dir, partition, 64 << 20)).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count} logs, one round"), |bencher| {
            bencher.iter(|| {
                for log in &logs {
                    log.append(batches.clone(), Epoch(0)).unwrap();
                }
                ground.dir.commit_round();
            });
        });
    }
    group.finish();
}

criterion_group!(benches, append, read, read_old, commit, commit_many);
criterion_main!(benches);
