//! Compaction: bytes of input a second on one core, both passes, what is written synced; and the map of keys alone.
//! Real files in the system's temporary directory; `TMPDIR` chooses the disk (`/dev/shm` leaves it out).
//!
//! `LOGBOOM_CLEAN_GIB=4 cargo bench --bench clean` cleans a topic of that many GiB with 10 million keys once, and
//! prints throughput and the peak of memory instead.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use logboom::log::local::clean::{
    CleanSettings, CleanStats, CleanTask, Cleaner, CleanerLimits, FullSpeed, OfflineOptions, SourceSegment,
    clean_offline, offline_segments,
};
use logboom::record::{BatchBuilder, Codec};
use logboom::sys::{Clock, Fs, OpenHow, RealClock, RealFs, Rng, SeededRng};
use logboom::types::{Epoch, Offset, TimestampMs};
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

const MIB: u64 = 1 << 20;

/// What is in a log.
#[derive(Clone, Copy)]
struct Shape {
    codec: Codec,
    /// Bytes of all batches before compression.
    bytes: u64,
    /// Of a value; keys have 20.
    value_bytes: usize,
    keys: u64,
    /// One after another, so that all of them are there; else any.
    in_turn: bool,
    segment_bytes: u64,
}

const SHAPE: Shape = Shape {
    codec: Codec::None,
    bytes: 128 * MIB,
    value_bytes: 1000,
    keys: 60_000,
    in_turn: false,
    segment_bytes: 64 * MIB,
};

/// A partition's directory, removed at the end.
struct Ground {
    root: PathBuf,
    segments: Vec<SourceSegment>,
}

impl Ground {
    fn new(name: &str, shape: Shape) -> Ground {
        let root = std::env::temp_dir().join(format!("logboom-clean-{}-{name}", std::process::id()));
        RealFs.create_dir_all(&root).unwrap();
        let (rng, mut offset, mut made) = (SeededRng::new(1), 0i64, 0);
        let mut value = vec![b'v'; shape.value_bytes];
        while made < shape.bytes {
            let file = RealFs.open(&root.join(format!("{offset:020}.log")), OpenHow::Create).unwrap();
            let mut at = 0;
            while at < shape.segment_bytes && made < shape.bytes {
                let mut out = BytesMut::new();
                while out.len() < 1 << 20 && made < shape.bytes {
                    let mut builder = BatchBuilder::new()
                        .base_offset(Offset(offset))
                        .leader_epoch(Epoch(0))
                        .codec(shape.codec, Codec::DEFAULT_LEVEL);
                    while builder.size() < 16 * 1024 {
                        let key =
                            if shape.in_turn { offset as u64 % shape.keys } else { rng.below(shape.keys) };
                        let key = format!("key-{:016}", key);
                        value.iter_mut().step_by(16).for_each(|byte| *byte = b'a' + (rng.below(26) as u8));
                        builder.push(TimestampMs(offset), Some(key.as_bytes()), Some(&value), &[]);
                        offset += 1;
                    }
                    made += builder.size() as u64;
                    out.extend_from_slice(&builder.build());
                }
                file.write_all_at(&[IoSlice::new(&out)], at).unwrap();
                at += out.len() as u64;
            }
        }
        RealFs.open(&root.join(format!("{offset:020}.log")), OpenHow::Create).unwrap();
        let segments = offline_segments(&RealFs, &root).unwrap();
        Ground { root, segments }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// Cleans all, and leaves the directory as it was: nothing is put in place.
    fn clean(&self, cleaner: &mut Cleaner) -> CleanStats {
        let (active, sealed) = self.segments.split_last().unwrap();
        let task = CleanTask {
            dir: self.root.clone(),
            segments: sealed.to_vec(),
            beyond: vec![*active],
            first_dirty: Offset(0),
            end: active.base,
            high_watermark: active.base,
            producers: BTreeMap::new(),
            settings: CleanSettings::default(),
            now: TimestampMs(0),
        };
        let mut cleaning = cleaner.begin(&task, &FullSpeed).unwrap();
        while cleaning.next_group().unwrap().is_some() {}
        cleaning.finish().stats
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = RealFs.remove_dir_all(&self.root);
    }
}

fn clean(criterion: &mut Criterion) {
    if let Some(gib) = std::env::var("LOGBOOM_CLEAN_GIB").ok().and_then(|gib| gib.parse().ok()) {
        return example(gib);
    }
    let mut cleaner = Cleaner::new(Arc::new(RealFs), Arc::new(SeededRng::new(2)), CleanerLimits::default());
    let mut group = criterion.benchmark_group("clean");
    group.sample_size(10);
    let cases = [
        ("1 KiB records, half of them old", SHAPE),
        ("1 KiB records, 1 in 100 stays", Shape { keys: 1300, ..SHAPE }),
        ("1 KiB records, none old", Shape { keys: u64::MAX, ..SHAPE }),
        ("100 B records, half of them old", Shape { value_bytes: 100, keys: 500_000, ..SHAPE }),
        ("1 KiB records, lz4, half of them old", Shape { codec: Codec::Lz4, ..SHAPE }),
        ("1 KiB records, zstd, half of them old", Shape { codec: Codec::Zstd, ..SHAPE }),
    ];
    for (name, shape) in cases {
        let ground = Ground::new("case", shape);
        group.throughput(Throughput::Bytes(ground.bytes()));
        group.bench_function(name, |bencher| bencher.iter(|| ground.clean(&mut cleaner)));
    }
    group.finish();
}

fn read_text(path: &str) -> String {
    let file = RealFs.open(std::path::Path::new(path), OpenHow::Read).unwrap();
    let mut text = vec![0; 8192];
    let got = file.read_at(&mut text, 0).unwrap();
    String::from_utf8_lossy(text.get(..got).unwrap()).into_owned()
}

/// Time that a processor spent on this thread, in seconds (Linux).
fn cpu_seconds() -> f64 {
    let text = read_text("/proc/thread-self/schedstat");
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Peak of resident memory of this process in bytes (Linux).
fn peak_bytes() -> u64 {
    let text = read_text("/proc/self/status");
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// A topic of so many GiB and 10 million keys, cleaned to the end with the memory that is the default.
fn example(gib: u64) {
    let shape = Shape {
        bytes: gib << 30,
        // 10 million of them fill 4 GiB.
        value_bytes: 390,
        keys: 10_000_000,
        in_turn: true,
        segment_bytes: 1 << 30,
        ..SHAPE
    };
    let ground = Ground::new("example", shape);
    let before = peak_bytes();
    let options = OfflineOptions {
        settings: CleanSettings::default(),
        limits: CleanerLimits::default(),
        now: TimestampMs(0),
        producer_expiration_ms: 86_400_000,
        is_dry_run: false,
    };
    let clock = RealClock::new();
    let (fs, rng): (Arc<dyn Fs>, Arc<dyn Rng>) = (Arc::new(RealFs), Arc::new(SeededRng::new(2)));
    let (begun, cpu_before) = (clock.mono(), cpu_seconds());
    let report = clean_offline(&fs, &rng, &ground.root, &options, &FullSpeed).unwrap();
    let seconds = clock.mono().since(begun).as_secs_f64();
    println!("{} MiB in {seconds:.1} s, {} passes", report.bytes_before / MIB, report.passes);
    let cpu = cpu_seconds() - cpu_before;
    println!("{:.0} MiB/s of the topic", report.bytes_before as f64 / MIB as f64 / seconds);
    println!("{:.0} MiB of the topic in a second of a core", report.bytes_before as f64 / MIB as f64 / cpu);
    println!("{:.0} MiB/s of segments rewritten", report.stats.bytes_read as f64 / MIB as f64 / seconds);
    println!("{} MiB left, {} records", report.bytes_after / MIB, report.stats.records_written);
    println!("peak memory {} MiB, before cleaning {} MiB", peak_bytes() / MIB, before / MIB);
}

criterion_group!(benches, clean);
criterion_main!(benches);
