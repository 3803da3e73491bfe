//! An idempotent producer against a partition on a simulated disk that loses power at every change in turn: when it has
//! sent again what was not acknowledged, each record is in the log once, in order.

use super::*;
use crate::log::LogSettings;
use crate::log::local::{Commit, LogDir, LogDirOptions};
use crate::record::{BatchBuilder, CheckedBatches, split_batches};
use crate::sys::{Fs, SeededRng, SimClock, SimFs};
use crate::types::{Epoch, ErrorCode};
use std::path::Path;

const BATCHES: i32 = 12;

struct Broker {
    dir: Arc<LogDir>,
    partition: Partition,
}

fn start(fs: &SimFs, epoch: i32) -> Option<Broker> {
    let (clock, rng) = (Arc::new(SimClock::new(TimestampMs(1_000_000))), Arc::new(SeededRng::new(3)));
    let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
    let dir = LogDir::open(Arc::new(fs.clone()), clock.clone(), rng, Path::new("/data"), options).ok()?;
    let (id, topic_id) = (TopicPartition::new("orders", 0), TopicId::from_random(1));
    // Two batches a segment, so that snapshots are taken.
    let settings = LogSettings { segment_bytes: 180, ..LogSettings::default() };
    let (log, _) = dir.open_partition(&id, topic_id, settings).ok()?;
    let epoch = LeaderEpoch::new(Epoch(epoch));
    let partition = Partition::open(id, topic_id, log, clock, epoch, PartitionOptions::default()).ok()?;
    Some(Broker { dir, partition })
}

/// Sends what is left until the power goes; returns the number of batches acknowledged.
fn send(broker: &Broker, mut acknowledged: i32) -> i32 {
    while acknowledged < BATCHES {
        // Up to three in flight, as clients do; all are sent again if they are not acknowledged.
        let mut tickets = Vec::new();
        for sequence in acknowledged..BATCHES.min(acknowledged + 3) {
            let mut batch = BatchBuilder::new().producer(ProducerId(1), 0, sequence);
            batch.push(TimestampMs(1_000_000), None, Some(&sequence.to_be_bytes()), &[]);
            match broker.partition.append(CheckedBatches::trusted(batch.build()).unwrap()) {
                Ok(accepted) => tickets.push(accepted.ticket),
                Err(refused) => {
                    assert_eq!(refused.error, ErrorCode::KAFKA_STORAGE_ERROR, "{refused}");
                    return acknowledged;
                }
            }
        }
        broker.dir.commit_round();
        for ticket in tickets {
            if !ticket.is_done() {
                return acknowledged;
            }
            acknowledged += 1;
        }
    }
    acknowledged
}

fn sequences(partition: &Partition) -> Vec<i32> {
    let fetched = partition
        .fetch(Offset(0), 1 << 20, true, Isolation::ReadUncommitted, Epoch::NONE, Epoch::NONE)
        .unwrap();
    let bytes = fetched.plan.read().unwrap();
    split_batches(&bytes).map(|batch| batch.unwrap().0.base_sequence).collect()
}

fn check(stop_after: u64, seed: u64) -> bool {
    let mut fs = SimFs::new(seed);
    fs.stop_after(stop_after);
    let mut acknowledged = start(&fs, 0).map_or(0, |broker| send(&broker, 0));
    let cut = fs.power_is_off();
    for crash in 0..3 {
        fs = fs.crash(seed + crash);
        // The power goes again a little later, except the last time.
        if crash < 2 {
            fs.stop_after(stop_after % 37 + 20 * crash);
        }
        let Some(broker) = start(&fs, 1 + crash as i32) else {
            assert!(crash < 2, "the last start meets no failure");
            continue;
        };
        let there = broker.partition.marks().high_watermark;
        assert!(there.0 >= i64::from(acknowledged), "acknowledged {acknowledged}, kept {there}");
        acknowledged = send(&broker, acknowledged);
        if crash == 2 {
            assert_eq!(acknowledged, BATCHES);
            assert_eq!(sequences(&broker.partition), (0..BATCHES).collect::<Vec<_>>());
        }
    }
    cut
}

#[test]
fn each_record_is_kept_once_wherever_the_power_goes() {
    for seed in 0..4 {
        let mut stop_after = 0;
        while check(stop_after, seed * 1000) {
            stop_after += 1;
        }
        assert!(stop_after > 40, "the script makes {stop_after} changes");
    }
}

/// The log lost a batch with the power, and the snapshot that knew of it was removed; but the removal was not synced,
/// so that after the next cut the snapshot was back, and a producer that sent its lost batch again was told that it
/// was there.
#[test]
fn a_snapshot_of_lost_records_does_not_come_back() {
    let send = |broker: &Broker, id: i64, records: i32| {
        let mut batch = BatchBuilder::new().producer(ProducerId(id), 0, 0);
        (0..records).for_each(|_| batch.push(TimestampMs(1_000_000), None, Some(b"value"), &[]));
        broker.partition.append(CheckedBatches::trusted(batch.build()).unwrap()).unwrap()
    };
    let mut tried = 0;
    for seed in 0..400 {
        let fs = SimFs::new(seed);
        let broker = start(&fs, 0).unwrap();
        send(&broker, 1, 1);
        broker.dir.commit_round();
        send(&broker, 2, 1);
        broker.partition.snapshot(1).unwrap();
        let fs = fs.crash(seed);
        let names = |fs: &SimFs| fs.list(Path::new("/data/orders-0")).unwrap();
        let snapshot = Path::new("/data/orders-0/00000000000000000002.snapshot").to_owned();
        let survived = names(&fs).contains(&snapshot);
        let broker = start(&fs, 1).unwrap();
        if !survived || broker.partition.marks().end != Offset(1) {
            continue;
        }
        tried += 1;
        send(&broker, 3, 2);
        broker.dir.commit_round();
        let broker = start(&fs.crash(seed + 1), 2).unwrap();
        assert!(!send(&broker, 2, 1).duplicate, "seed {seed}: the batch of producer 2 was lost");
    }
    assert!(tried > 0, "no seed lost the batch and kept the snapshot");
}
