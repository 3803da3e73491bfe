//! Kafka's own tool reads every file of a log: closed in good order, in use, and recovered after a kill.

use logboom::log::local::clean::{
    CleanSettings, CleanerLimits, FullSpeed, OfflineOptions, OfflineReport, clean_offline,
};
use logboom::log::local::{Commit, LogDir, LogDirOptions};
use logboom::log::{LogSettings, PartitionLog};
use logboom::record::{BatchBuilder, CheckedBatches, Codec};
use logboom::sys::{Fs, RealClock, RealFs, Rng, SeededRng};
use logboom::types::{Epoch, TimestampMs, TopicPartition, Uuid};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Runs `DumpLogSegments` with `flags` over `files`; what it printed.
fn dump(jars: &Path, files: &[PathBuf], flags: &[&str]) -> String {
    let list = files.iter().map(|file| file.to_str().unwrap()).collect::<Vec<_>>().join(",");
    let output = Command::new("java")
        .arg("-cp")
        .arg(format!("{}/*", jars.display()))
        .arg("org.apache.kafka.tools.DumpLogSegments")
        .args(flags)
        .args(["--files", &list])
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    for word in [
        "Mismatch",
        "Exception",
        "isvalid: false",
        "not monotonically",
        "out of order",
        "Found timestamp mismatch",
    ] {
        assert!(!text.contains(word), "{word} in:\n{text}");
    }
    text
}

fn files(dir: &Path, suffixes: &[&str]) -> Vec<PathBuf> {
    let names = RealFs.list(dir).unwrap();
    let wanted = |path: &PathBuf| {
        let suffix = path.extension().and_then(|suffix| suffix.to_str());
        suffix.is_some_and(|suffix| suffixes.contains(&suffix))
    };
    names.into_iter().filter(wanted).collect()
}

fn open(root: &Path) -> Arc<LogDir> {
    let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
    let (clock, rng) = (Arc::new(RealClock::new()), Arc::new(SeededRng::new(1)));
    LogDir::open(Arc::new(RealFs), clock, rng, root, options).unwrap()
}

fn fill(log: &dyn PartitionLog, from: i64, to: i64) {
    let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    for nth in from..to {
        let codec = codecs[usize::try_from(nth % 5).unwrap()];
        let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
        for record in 0..=nth % 4 {
            let time = TimestampMs(1_700_000_000_000 + nth * 1000 + (record * 700) % 1300);
            let value = format!("value {nth} {record}").repeat(5);
            builder.push(time, Some(b"key"), Some(value.as_bytes()), &[("header", Some(b"x"))]);
        }
        let batches = CheckedBatches::trusted(builder.build()).unwrap();
        log.append(batches, Epoch(i32::try_from(nth / 50).unwrap())).unwrap();
    }
}

#[test]
#[ignore = "needs java and the jars of Kafka's tools: KAFKA_TOOLS is their folder"]
fn kafkas_dump_tool_reads_every_file() {
    let jars = PathBuf::from(std::env::var_os("KAFKA_TOOLS").unwrap());
    let root = std::env::temp_dir().join(format!("logboom-dump-{}", std::process::id()));
    let name = TopicPartition::new("topic", 0);
    let settings =
        LogSettings { segment_bytes: 4 << 10, index_interval_bytes: 500, ..LogSettings::default() };
    let partition = root.join("topic-0");
    let check = |batches: usize| {
        let all = files(&partition, &["log", "index", "timeindex"]);
        let text = dump(&jars, &all, &["--deep-iteration", "--print-data-log", "--index-sanity-check"]);
        assert_eq!(text.matches("baseOffset: ").count(), batches, "{text}");
        let indexes = files(&partition, &["index", "timeindex"]);
        assert!(indexes.len() > 4);
        dump(&jars, &indexes, &["--verify-index-only"]);
    };
    let dir = open(&root);
    let log = dir.open_partition(&name, Uuid::from_random(1), settings).unwrap().0;
    fill(&*log, 0, 150);
    dir.commit_round();
    check(150);
    drop((log, dir));
    let dir = open(&root);
    let (log, recovery) = dir.open_partition(&name, Uuid::from_random(1), settings).unwrap();
    assert!(recovery.scanned_bytes > 0);
    fill(&*log, 150, 200);
    log.close().unwrap();
    dir.close().unwrap();
    check(200);
    RealFs.remove_dir_all(&root).unwrap();
}

/// Compacts a partition that no broker uses, in more than one pass.
fn compact(partition: &Path, now: i64) -> OfflineReport {
    let (fs, rng): (Arc<dyn Fs>, Arc<dyn Rng>) = (Arc::new(RealFs), Arc::new(SeededRng::new(1)));
    let settings =
        CleanSettings { segment_bytes: 16 << 10, index_interval_bytes: 500, ..CleanSettings::default() };
    let options = OfflineOptions {
        settings,
        limits: CleanerLimits { map_bytes: 16 * 20, ..CleanerLimits::default() },
        now: TimestampMs(now),
        producer_expiration_ms: 0,
        is_dry_run: false,
    };
    clean_offline(&fs, &rng, partition, &options, &FullSpeed).unwrap()
}

#[test]
#[ignore = "needs java and the jars of Kafka's tools: KAFKA_TOOLS is their folder"]
fn kafkas_dump_tool_reads_what_compaction_left() {
    let jars = PathBuf::from(std::env::var_os("KAFKA_TOOLS").unwrap());
    let root = std::env::temp_dir().join(format!("logboom-dump-compacted-{}", std::process::id()));
    let partition = root.join("topic-0");
    let dir = open(&root);
    let settings =
        LogSettings { segment_bytes: 4 << 10, index_interval_bytes: 500, ..LogSettings::default() };
    let log = dir.open_partition(&TopicPartition::new("topic", 0), Uuid::from_random(1), settings).unwrap().0;
    for nth in 0..400i64 {
        let codec = Codec::ALL[usize::try_from(nth % 5).unwrap()];
        let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
        for record in 0..3 {
            let key = format!("key {}", (nth * 7 + record * 13) % 50);
            let value = format!("value {nth} {record}").repeat(5);
            let value = (nth % 10 != 0).then_some(value.as_bytes());
            builder.push(TimestampMs(1_700_000_000_000 + nth), Some(key.as_bytes()), value, &[]);
        }
        log.append(CheckedBatches::trusted(builder.build()).unwrap(), Epoch(0)).unwrap();
    }
    log.close().unwrap();
    dir.close().unwrap();
    for now in [1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000] {
        let report = compact(&partition, now);
        assert!(report.passes > 1 && report.bytes_after < report.bytes_before || now > 1_700_000_000_000);
        let all = files(&partition, &["log", "index", "timeindex"]);
        let text = dump(&jars, &all, &["--deep-iteration", "--print-data-log", "--index-sanity-check"]);
        assert!(text.matches("| offset: ").count() < 200, "{text}");
        dump(&jars, &files(&partition, &["index", "timeindex"]), &["--verify-index-only"]);
    }
    RealFs.remove_dir_all(&root).unwrap();
}
