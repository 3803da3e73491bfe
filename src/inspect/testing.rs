//! What the tests of this folder share: a partition of several segments on a simulated disk, as a broker left it.

use crate::log::local::{Commit, LogDir, LogDirOptions};
use crate::log::{LogSettings, PartitionLog};
use crate::record::{BatchBuilder, CheckedBatches, Codec};
use crate::sys::{Fs, SeededRng, SimClock, SimFs};
use crate::types::{Epoch, Offset, ProducerId, TimestampMs, TopicPartition, Uuid};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The log directory.
pub const ROOT: &str = "/data";
/// The partition in it.
pub const PARTITION: &str = "/data/orders-0";
/// Batches in it.
pub const BATCHES: u32 = 60;

/// Opens what is there and appends `turns` to it; closed in good order.
pub fn append(fs: &SimFs, turns: std::ops::Range<u32>) -> Offset {
    let options =
        LogDirOptions { commit: Commit::Manual, mark_interval: Duration::ZERO, ..LogDirOptions::default() };
    let clock = Arc::new(SimClock::new(TimestampMs(1_700_000_000_000)));
    let dir =
        LogDir::open(Arc::new(fs.clone()), clock, Arc::new(SeededRng::new(1)), Path::new(ROOT), options)
            .unwrap();
    let settings = LogSettings { segment_bytes: 2500, index_interval_bytes: 200, ..LogSettings::default() };
    let name = TopicPartition::new("orders", 0);
    let (log, _) = dir.open_partition(&name, Uuid::from_random(7), settings).unwrap();
    for turn in turns {
        log.append(batch(turn), Epoch(i32::try_from(turn / 25).unwrap())).unwrap();
    }
    dir.commit_round();
    let end = log.marks().end;
    log.close().unwrap();
    drop(log);
    dir.close().unwrap();
    end
}

/// A partition of several segments with every codec, idempotent producers, headers, nulls.
pub fn partition() -> SimFs {
    let fs = SimFs::new(0);
    append(&fs, 0..BATCHES);
    fs.settle();
    fs
}

fn batch(turn: u32) -> CheckedBatches {
    let codec = Codec::ALL[turn as usize % Codec::ALL.len()];
    let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
    if turn.is_multiple_of(3) {
        builder = builder.producer(ProducerId(40), 1, i32::try_from(turn).unwrap());
    }
    for at in 0..=turn % 4 {
        let time = TimestampMs(1_700_000_000_000 + i64::from(turn * 10 + at));
        let key = format!("key{}", turn % 7);
        let value = format!("value {turn} {at} ").repeat(6);
        let value = (turn % 9 != 8).then_some(value.as_bytes());
        builder.push(
            time,
            Some(key.as_bytes()),
            value,
            &[("turn", Some(&turn.to_be_bytes())), ("none", None)],
        );
    }
    CheckedBatches::trusted(builder.build()).unwrap()
}

/// The `.log` files of the partition, ascending.
pub fn logs(fs: &SimFs) -> Vec<PathBuf> {
    let mut found = fs.list(Path::new(PARTITION)).unwrap();
    found.retain(|path| path.extension().is_some_and(|suffix| suffix == "log"));
    found
}

/// Flips one bit.
pub fn flip(fs: &SimFs, path: &Path, bit: usize) {
    let mut bytes = fs.read_raw(path).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    fs.plant(path, &bytes).unwrap();
}
