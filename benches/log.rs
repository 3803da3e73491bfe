//! The local log alone: append (the write, not the sync), where a read begins, and a commit round. Real files in the
//! system's temporary directory; `TMPDIR` chooses the disk.

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
        let settings = LogSettings { segment_bytes, ..LogSettings::default() };
        let (log, _) =
            dir.open_partition(&TopicPartition::new("bench", 0), Uuid::from_random(1), settings).unwrap();
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

criterion_group!(benches, append, read, commit);
criterion_main!(benches);
