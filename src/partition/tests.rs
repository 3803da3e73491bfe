//! A partition over a log in memory: Kafka's rules for idempotent producers, leader epochs, and reads.

use super::memory_log::MemoryLog;
use super::*;
use crate::record::{BatchBuilder, CheckedBatches};
use crate::sys::SimClock;
use crate::types::{Epoch, ErrorCode};

struct Bench {
    log: Arc<MemoryLog>,
    clock: SimClock,
    epoch: LeaderEpoch,
    options: PartitionOptions,
    partition: Partition,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(PartitionOptions::default())
    }

    fn with(options: PartitionOptions) -> Bench {
        let (log, clock) = (MemoryLog::new(true), SimClock::new(TimestampMs(0)));
        let epoch = LeaderEpoch::new(Epoch(5));
        let partition = open(&log, &clock, &epoch, options);
        Bench { log, clock, epoch, options, partition }
    }

    fn open_again(&mut self) {
        self.partition = open(&self.log, &self.clock, &self.epoch, self.options);
    }

    /// Appends `count` records of a producer and shows what came of it: the first offset, or the error.
    fn send(&self, id: i64, epoch: i16, sequence: i32, count: i32) -> Result<i64, ErrorCode> {
        self.send_all(id, epoch, sequence, count).map(|accepted| accepted.first.0)
    }

    fn send_all(&self, id: i64, epoch: i16, sequence: i32, count: i32) -> Result<Accepted, ErrorCode> {
        let builder = BatchBuilder::new().producer(ProducerId(id), epoch, sequence);
        self.partition.append(batch(builder, count)).map_err(|refused| refused.error)
    }
}

fn open(log: &Arc<MemoryLog>, clock: &SimClock, epoch: &LeaderEpoch, options: PartitionOptions) -> Partition {
    let id = TopicPartition::new("orders", 0);
    let (log, clock) = (Arc::clone(log), Arc::new(clock.clone()));
    Partition::open(id, TopicId::from_random(1), log, clock, epoch.clone(), options).unwrap()
}

fn batch(mut builder: BatchBuilder, count: i32) -> CheckedBatches {
    for at in 0..count {
        builder.push(TimestampMs(100 + i64::from(at)), None, Some(b"value"), &[]);
    }
    CheckedBatches::trusted(builder.build()).unwrap()
}

const OUT_OF_ORDER: Result<i64, ErrorCode> = Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
const OLD_EPOCH: Result<i64, ErrorCode> = Err(ErrorCode::INVALID_PRODUCER_EPOCH);

#[test]
fn sequence_numbers_follow_without_a_gap() {
    let bench = Bench::new();
    assert_eq!(bench.send(1, 0, 0, 3), Ok(0));
    assert_eq!(bench.send(1, 0, 3, 2), Ok(3));
    assert_eq!(bench.send(1, 0, 6, 1), OUT_OF_ORDER);
    assert_eq!(bench.send(1, 0, 4, 1), OUT_OF_ORDER, "part of a batch is no duplicate");
    assert_eq!(bench.send(2, 0, 0, 1), Ok(5), "producers do not mind each other");
    assert_eq!(bench.send(1, 0, 5, 1), Ok(6));
}

#[test]
fn a_batch_sent_again_gets_its_first_answer() {
    let bench = Bench::new();
    for at in 0..6 {
        assert_eq!(bench.send(1, 0, at * 2, 2), Ok(i64::from(at) * 2));
    }
    for at in 1..6 {
        let again = bench.send_all(1, 0, at * 2, 2).unwrap();
        assert!(again.duplicate && again.ticket.is_done());
        assert_eq!((again.first, again.last), (Offset(i64::from(at) * 2), Offset(i64::from(at) * 2 + 1)));
    }
    assert_eq!(bench.send(1, 0, 0, 2), OUT_OF_ORDER, "only five batches are remembered");
    assert_eq!(bench.partition.marks().end, Offset(12));
}

#[tokio::test]
async fn a_duplicate_of_a_batch_that_is_not_durable_waits_with_it() {
    let bench = Bench::new();
    bench.log.auto_sync(false);
    let first = bench.send_all(1, 0, 0, 1).unwrap();
    let again = bench.send_all(1, 0, 0, 1).unwrap();
    assert!(!first.ticket.is_done() && !again.ticket.is_done());
    bench.log.sync();
    assert_eq!((first.ticket.done().await, again.ticket.done().await), (Ok(()), Ok(())));
}

#[test]
fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
    let bench = Bench::new();
    assert_eq!(bench.send(1, 3, 0, 1), Ok(0));
    assert_eq!(bench.send(1, 4, 1, 1), OUT_OF_ORDER);
    assert_eq!(bench.send(1, 4, 0, 1), Ok(1));
    assert_eq!(bench.send(1, 3, 1, 1), OLD_EPOCH);
    assert_eq!(bench.send(1, 3, 0, 1), OLD_EPOCH, "not taken for a duplicate");
    assert_eq!(bench.send(1, 4, 1, 1), Ok(2));
}

#[test]
fn a_producer_that_is_not_known_may_start_anywhere() {
    let bench = Bench::new();
    assert_eq!(bench.send(1, 7, 41, 1), Ok(0));
    assert_eq!(bench.send(1, 7, 42, 1), Ok(1));
}

#[test]
fn after_the_largest_sequence_number_comes_zero() {
    let bench = Bench::new();
    assert_eq!(bench.send(1, 0, i32::MAX - 1, 3), Ok(0), "{}, {}, 0", i32::MAX - 1, i32::MAX);
    assert_eq!(bench.send(1, 0, i32::MAX - 1, 3), Ok(0), "and again");
    assert_eq!(bench.send(1, 0, 1, 1), Ok(3));
    assert_eq!(bench.send(2, 0, i32::MAX, 1), Ok(4));
    assert_eq!(bench.send(2, 0, 0, 1), Ok(5));
}

/// 1,500 batches drawn at random around what is next, each with what Kafka 4.3.1's `ProducerStateManager` made of it: a
/// line is producer, epoch, first sequence number, number of records, verdict, first offset.
const KAFKA_VERDICTS: &str = include_str!("kafka_4_3_1_idempotence.txt");

#[test]
fn every_verdict_is_the_one_that_kafka_gives() {
    let bench = Bench::new();
    for line in KAFKA_VERDICTS.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| fields[at].parse::<i64>().unwrap();
        let sent = bench.send_all(number(0), number(1) as i16, number(2) as i32, number(3) as i32);
        let ours = match sent {
            Ok(accepted) if accepted.duplicate => format!("duplicate {}", accepted.first),
            Ok(accepted) => format!("appended {}", accepted.first),
            Err(error) => format!("{error} -"),
        };
        assert_eq!(ours, fields[4..].join(" "), "{line}");
    }
}

#[test]
fn what_only_brokers_or_transactions_write_is_refused() {
    let refused = |builder: BatchBuilder| {
        let bench = Bench::new();
        let refused = bench.partition.append(batch(builder, 1)).unwrap_err();
        assert_eq!(bench.partition.marks().end, Offset(0));
        refused.error
    };
    let producer = || BatchBuilder::new().producer(ProducerId(1), 0, 0);
    assert_eq!(refused(producer().transactional()), ErrorCode::INVALID_TXN_STATE);
    assert_eq!(refused(producer().control()), ErrorCode::INVALID_RECORD);
    assert_eq!(refused(BatchBuilder::new().producer(ProducerId(1), 0, -1)), ErrorCode::INVALID_RECORD);
    let mut two = batch(producer(), 1).bytes().to_vec();
    two.extend_from_slice(batch(producer(), 1).bytes());
    let bench = Bench::new();
    let two = CheckedBatches::trusted(two.as_slice().into()).unwrap();
    assert_eq!(bench.partition.append(two).unwrap_err().error, ErrorCode::INVALID_RECORD);
    let none = CheckedBatches::trusted(bytes::BytesMut::new()).unwrap();
    assert_eq!(bench.partition.append(none).unwrap_err().error, ErrorCode::INVALID_RECORD);
}

#[test]
fn a_producer_that_did_not_write_for_long_is_forgotten() {
    let options = PartitionOptions { producer_id_expiration_ms: 1000, ..Default::default() };
    let bench = Bench::with(options);
    assert_eq!(bench.send(1, 4, 0, 1), Ok(0));
    bench.clock.advance(Duration::from_millis(999));
    assert_eq!(bench.send(2, 0, 0, 1), Ok(1));
    assert_eq!(bench.send(1, 4, 5, 1), OUT_OF_ORDER);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.send(1, 3, 5, 1), Ok(2), "of an older epoch even, as nothing is known");
    bench.partition.expire_producers();
    assert_eq!(bench.partition.producers().len(), 2);
    bench.clock.advance(Duration::from_millis(1000));
    bench.partition.expire_producers();
    assert_eq!(bench.partition.producers(), []);
}

#[test]
fn strangers_cannot_make_the_state_grow_without_bound() {
    let options = PartitionOptions { producers_max: 16, ..Default::default() };
    let bench = Bench::with(options);
    for id in 0..100 {
        bench.clock.advance(Duration::from_millis(1));
        assert_eq!(bench.send(id, 0, 0, 1), Ok(id));
        assert!(bench.partition.producers().len() <= 16);
    }
    assert_eq!(bench.send(99, 0, 0, 1), Ok(99), "those that wrote last are still known");
    assert_eq!(bench.send(90, 0, 0, 1), Ok(90));
}

#[test]
fn producers_are_known_again_after_a_restart_with_and_without_a_snapshot() {
    for close in [true, false] {
        let mut bench = Bench::new();
        for at in 0..4 {
            bench.send(1, 2, at, 1).unwrap();
        }
        bench.send(9, 0, 10, 5).unwrap();
        let before = bench.partition.producers();
        if close {
            bench.partition.snapshot(1).unwrap();
        }
        bench.open_again();
        assert_eq!(bench.partition.producers(), before);
        assert_eq!(bench.log.replayed(), if close { 0 } else { 5 });
        assert_eq!(bench.send(1, 2, 3, 1), Ok(3), "the last batch is recognised");
        assert_eq!(bench.send(9, 0, 10, 5), Ok(4));
        assert_eq!(bench.send(1, 2, 5, 1), OUT_OF_ORDER);
        assert_eq!(bench.send(1, 2, 4, 1), Ok(9));
    }
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_an_older_one() {
    let mut bench = Bench::new();
    bench.send(1, 0, 0, 1).unwrap();
    bench.partition.snapshot(1).unwrap();
    bench.send(1, 0, 1, 1).unwrap();
    bench.partition.snapshot(1).unwrap();
    bench.log.damage_newest_snapshot();
    bench.open_again();
    assert_eq!(bench.log.replayed(), 1);
    assert_eq!(bench.send(1, 0, 1, 1), Ok(1));
    assert_eq!(bench.send(1, 0, 2, 1), Ok(2));
}

#[test]
fn a_new_segment_begins_with_the_state_of_the_producers_before_it() {
    let mut bench = Bench::new();
    bench.send(1, 0, 0, 1).unwrap();
    bench.log.roll_next();
    bench.send(1, 0, 1, 1).unwrap();
    let snapshots = bench.log.snapshots();
    assert_eq!(snapshots.len(), 1);
    assert_eq!(snapshots[0].0, Offset(1));
    bench.open_again();
    assert_eq!(bench.log.replayed(), 1);
    assert_eq!(bench.partition.producers()[0].last_sequence, 1);
}

/// Bytes written by Kafka 4.3.1's `ProducerStateManager.writeSnapshot` for producer 4711, epoch 3, last sequence 41,
/// last offset 1041, delta 4, timestamp 1700000000000, no coordinator, no transaction.
const KAFKA_SNAPSHOT: &str = include_str!("kafka_4_3_1_snapshot.hex");

#[test]
fn snapshots_are_kafkas_byte_for_byte() {
    let bytes: Vec<u8> = KAFKA_SNAPSHOT
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|hex| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap())
        .collect();
    let mut producers = Producers::new(10, Duration::from_secs(1));
    snapshot::restore(&bytes, &mut producers, crate::types::MonoNs(0)).unwrap();
    let (id, producer) = producers.iter().next().unwrap();
    let last = producer.last().unwrap();
    assert_eq!((id, producer.epoch, last.last_sequence), (ProducerId(4711), 3, 41));
    assert_eq!((last.first_offset(), last.last_offset), (Offset(1037), Offset(1041)));
    assert_eq!(snapshot::encode(&producers), bytes);
}

/// A crash left both of two batches in flight in the log and neither acknowledged; the snapshot behind them knew only
/// the second, so that the first, sent again, was refused as out of order.
#[test]
fn all_batches_in_flight_are_recognised_after_a_start_from_a_snapshot() {
    let mut bench = Bench::new();
    for at in 0..7 {
        bench.send(1, 0, at * 2, 2).unwrap();
    }
    bench.partition.snapshot(1).unwrap();
    bench.open_again();
    for at in 2..7 {
        assert_eq!(bench.send(1, 0, at * 2, 2), Ok(i64::from(at) * 2));
    }
    assert_eq!(bench.send(1, 0, 14, 1), Ok(14));
}

#[test]
fn no_bytes_that_are_not_a_snapshot_are_taken_for_one() {
    let mut one = Producers::new(10, Duration::from_secs(1));
    one.restore(ProducerId(1), producers::Producer::new(0, crate::types::MonoNs(0)));
    let sound = snapshot::encode(&one);
    for cut in 0..sound.len() {
        let mut into = one.emptied();
        assert!(snapshot::restore(&sound[..cut], &mut into, crate::types::MonoNs(0)).is_err());
        let mut damaged = sound.to_vec();
        damaged[cut] ^= 0x40;
        assert!(snapshot::restore(&damaged, &mut into, crate::types::MonoNs(0)).is_err());
        assert_eq!(into.len(), 0);
    }
}

#[test]
fn after_a_failed_sync_and_reopen_only_what_is_durable_is_known() {
    let bench = Bench::new();
    assert_eq!(bench.send(1, 0, 0, 1), Ok(0));
    bench.log.auto_sync(false);
    let lost = bench.send_all(1, 0, 1, 1).unwrap();
    bench.log.fail();
    assert_eq!(bench.send(1, 0, 2, 1), Err(ErrorCode::KAFKA_STORAGE_ERROR));
    let again = bench.send_all(1, 0, 1, 1).unwrap();
    assert!(again.duplicate && !again.ticket.is_done(), "its ticket tells that it may be lost");
    bench.epoch.raise(Epoch(6));
    bench.partition.reopen().unwrap();
    assert!(!lost.ticket.is_done());
    assert_eq!(bench.send(1, 0, 1, 1), Ok(1), "no duplicate: it is gone");
    assert_eq!(bench.log.epochs().last(), Some(&Epoch(6)));
}

#[test]
fn an_append_that_fails_leaves_no_trace() {
    let bench = Bench::new();
    bench.log.refuse_appends(true);
    assert_eq!(bench.send(1, 0, 0, 1), Err(ErrorCode::KAFKA_STORAGE_ERROR));
    bench.log.refuse_appends(false);
    assert_eq!(bench.send(1, 0, 0, 1), Ok(0));
}

#[test]
fn log_append_time_is_told_and_told_again_to_a_duplicate() {
    let bench = Bench::new();
    let stamped =
        || batch(BatchBuilder::new().producer(ProducerId(1), 0, 0).log_append_time(TimestampMs(77)), 2);
    assert_eq!(bench.partition.append(stamped()).unwrap().log_append_time, TimestampMs(77));
    let again = bench.partition.append(stamped()).unwrap();
    assert_eq!((again.duplicate, again.log_append_time), (true, TimestampMs(77)));
    assert_eq!(bench.send_all(2, 0, 0, 1).unwrap().log_append_time, TimestampMs::NONE);
}

#[test]
fn a_reader_sees_what_is_durable_and_no_more() {
    let bench = Bench::new();
    bench.send(1, 0, 0, 2).unwrap();
    bench.log.auto_sync(false);
    bench.send(1, 0, 2, 2).unwrap();
    let fetch = |from| {
        let isolation = Isolation::ReadUncommitted;
        bench.partition.fetch(Offset(from), 1 << 20, true, isolation, Epoch::NONE, Epoch::NONE)
    };
    let all = fetch(0).unwrap();
    assert_eq!((all.high_watermark, all.last_stable, all.start), (Offset(2), Offset(2), Offset(0)));
    assert_eq!(all.plan.pieces.len(), 1);
    assert!(fetch(2).unwrap().plan.is_empty());
    assert_eq!(fetch(3).map(|_| ()).unwrap_err().error, ErrorCode::OFFSET_OUT_OF_RANGE);
    bench.log.sync();
    assert_eq!(fetch(2).unwrap().plan.pieces.len(), 1);
}

#[test]
fn an_older_and_a_newer_leader_epoch_are_told_apart() {
    let bench = Bench::new();
    bench.send(1, 0, 0, 2).unwrap();
    let find = |epoch| bench.partition.find(At::Latest, Isolation::ReadCommitted, Epoch(epoch));
    assert_eq!(find(4).unwrap_err().error, ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(find(6).unwrap_err().error, ErrorCode::UNKNOWN_LEADER_EPOCH);
    assert_eq!(find(5).unwrap().offset, Offset(2));
    assert_eq!(find(-1).unwrap().offset, Offset(2));
}

#[test]
fn epochs_end_where_the_next_begins_and_the_present_one_at_the_end() {
    let bench = Bench::new();
    bench.send(1, 0, 0, 2).unwrap();
    bench.epoch.raise(Epoch(8));
    let end = |asked| bench.partition.epoch_end(Epoch::NONE, Epoch(asked)).unwrap();
    assert_eq!(end(8), (Epoch(8), Offset(2)), "before its first record even");
    bench.send(1, 0, 2, 1).unwrap();
    assert_eq!(end(5), (Epoch(5), Offset(2)));
    assert_eq!(end(7), (Epoch(5), Offset(2)));
    assert_eq!(end(8), (Epoch(8), Offset(3)));
    assert_eq!(end(4), (Epoch::NONE, Offset(-1)));
    let fetch = |from, last| {
        let isolation = Isolation::ReadUncommitted;
        bench.partition.fetch(Offset(from), 100, true, isolation, Epoch::NONE, Epoch(last))
    };
    assert_eq!(fetch(3, 5).unwrap().diverging, Some((Epoch(5), Offset(2))));
    assert_eq!(fetch(2, 5).unwrap().diverging, None);
    assert_eq!(fetch(2, 4).map(|_| ()).unwrap_err().error, ErrorCode::OFFSET_OUT_OF_RANGE);
}

#[test]
fn offsets_are_found_by_name_and_by_time() {
    let bench = Bench::new();
    bench.send(1, 0, 0, 3).unwrap();
    bench.log.auto_sync(false);
    bench.send(1, 0, 3, 9).unwrap();
    let find = |at| bench.partition.find(at, Isolation::ReadUncommitted, Epoch::NONE).unwrap();
    assert_eq!(find(At::Earliest).offset, Offset(0));
    assert_eq!(find(At::Latest).offset, Offset(3));
    let record = |offset, timestamp| Position {
        offset: Offset(offset),
        timestamp: TimestampMs(timestamp),
        epoch: Epoch(5),
    };
    assert_eq!(find(At::Time(TimestampMs(101))), record(1, 101));
    assert_eq!(find(At::MaxTimestamp), record(2, 102));
    assert_eq!(find(At::Time(TimestampMs(103))), Position::NONE, "it is not durable yet");
}

#[test]
fn the_front_is_cut_up_to_the_high_watermark() {
    let bench = Bench::new();
    bench.send(1, 0, 0, 5).unwrap();
    assert_eq!(bench.partition.cut_front(Cut::Below(Offset(2))), Ok(Offset(2)));
    assert_eq!(bench.partition.cut_front(Cut::Below(Offset(1))), Ok(Offset(2)));
    let error = |cut| bench.partition.cut_front(cut).unwrap_err().error;
    assert_eq!(error(Cut::Below(Offset(6))), ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(error(Cut::Below(Offset(-2))), ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(bench.partition.cut_front(Cut::AtHighWatermark), Ok(Offset(5)));
    assert_eq!(bench.send_all(1, 0, 5, 1).unwrap().start, Offset(5));
}

#[tokio::test]
async fn a_waiting_reader_wakes_for_enough_bytes_a_failure_or_a_cut() {
    let bench = Arc::new(Bench::new());
    let wait = |from, bytes| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            bench.partition.wait_visible(Offset(from), bytes, Isolation::ReadUncommitted).await;
        })
    };
    let (one, many) = (wait(0, 1), wait(0, 200));
    tokio::task::yield_now().await;
    assert!(!one.is_finished());
    bench.send(1, 0, 0, 1).unwrap();
    one.await.unwrap();
    tokio::task::yield_now().await;
    assert!(!many.is_finished(), "one small batch is not enough");
    bench.send(1, 0, 1, 12).unwrap();
    many.await.unwrap();
    let end = wait(13, 1);
    tokio::task::yield_now().await;
    assert!(!end.is_finished());
    bench.log.fail();
    end.await.unwrap();
}

#[test]
fn an_idle_partition_is_small() {
    let size = std::mem::size_of::<Partition>();
    assert!(size <= 256, "a partition takes {size} bytes beside its log");
    let producer = std::mem::size_of::<producers::Producer>();
    assert!(producer <= 200, "a producer takes {producer} bytes");
    println!("partition {size}, producer {producer} bytes");
}
