//! Kafka's rules, one by one.

use super::*;
use crate::record::{BatchBuilder, Codec, EndTxnMarker, stamp};
use crate::types::Epoch;

/// A batch at `base`: (key, value) for each record, times from 10 * base on.
fn batch(base: i64, records: &[(&str, Option<&str>)]) -> Vec<u8> {
    batch_of(base, records, |builder| builder)
}

fn batch_of(
    base: i64,
    records: &[(&str, Option<&str>)],
    change: impl Fn(BatchBuilder) -> BatchBuilder,
) -> Vec<u8> {
    let mut builder = change(BatchBuilder::new().base_offset(Offset(base)).leader_epoch(Epoch(1)));
    for (nth, (key, value)) in (0..).zip(records) {
        let key = Some(key.as_bytes()).filter(|key| !key.is_empty());
        builder.push(TimestampMs(10 * (base + nth)), key, value.map(str::as_bytes), &[]);
    }
    builder.build().to_vec()
}

fn in_txn(base: i64, producer: i64, records: &[(&str, Option<&str>)]) -> Vec<u8> {
    batch_of(base, records, |builder| builder.producer(ProducerId(producer), 0, 0).transactional())
}

fn marker(at: i64, producer: i64, committed: bool) -> Vec<u8> {
    let marker = EndTxnMarker { coordinator_epoch: 0 };
    let mut batch = marker.to_batch(committed, ProducerId(producer), 0, TimestampMs(10 * at));
    stamp(&mut batch, Offset(at), Epoch(1));
    batch.to_vec()
}

/// A log of these batches in one sealed segment, and an active one without any behind it.
fn ground(batches: &[Vec<u8>]) -> Ground {
    let mut ground = Ground::new();
    batches.iter().for_each(|batch| ground.append(batch));
    ground.roll(ground.end());
    ground
}

/// Cleans all at the time `now`; what is left, as (offset, key, value).
fn clean(ground: &mut Ground, now: i64) -> Vec<(i64, String, Option<String>)> {
    let task = ground.task(Offset(0), now);
    ground.clean(&task, 100).unwrap();
    contents(ground)
}

fn contents(ground: &Ground) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let row = |record: &Record| {
        (record.offset.0, record.key.as_ref().map(text).unwrap_or_default(), record.value.as_ref().map(text))
    };
    ground.records().iter().map(row).collect()
}

fn rows(expect: &[(i64, &str, Option<&str>)]) -> Vec<(i64, String, Option<String>)> {
    expect.iter().map(|(at, key, value)| (*at, (*key).to_owned(), value.map(str::to_owned))).collect()
}

/// (base offset, last offset, records) of every batch.
fn shapes(ground: &Ground) -> Vec<(i64, i64, i32)> {
    let shape =
        |(header, _): &(BatchHeader, Bytes)| (header.base_offset.0, header.last_offset().0, header.count);
    ground.batches().iter().map(shape).collect()
}

#[test]
fn the_newest_record_of_each_key_stays_where_it_was() {
    for codec in Codec::ALL {
        let packed = |builder: BatchBuilder| builder.codec(codec, Codec::DEFAULT_LEVEL);
        let mut ground = ground(&[
            batch_of(0, &[("a", Some("1")), ("b", Some("1")), ("c", Some("1"))], packed),
            batch_of(3, &[("a", Some("2"))], packed),
            batch_of(4, &[("c", Some("2")), ("a", Some("3"))], packed),
        ]);
        let expect = [(1, "b", Some("1")), (4, "c", Some("2")), (5, "a", Some("3"))];
        assert_eq!(clean(&mut ground, 0), rows(&expect));
        assert_eq!(shapes(&ground), [(0, 2, 1), (4, 5, 2)]);
        let header = ground.batches()[0].0;
        assert_eq!((header.base_timestamp, header.max_timestamp), (TimestampMs(10), TimestampMs(10)));
        assert_eq!(header.codec(), Ok(codec));
    }
}

#[test]
fn batches_of_which_nothing_goes_are_copied_byte_for_byte() {
    let kept = batch(0, &[("a", Some("1")), ("b", Some("1"))]);
    let mut ground = ground(&[kept.clone(), batch(2, &[("c", Some("1"))]), batch(3, &[("c", Some("2"))])]);
    clean(&mut ground, 0);
    assert_eq!(ground.batches()[0].1, kept);
}

#[test]
fn records_without_a_key_go() {
    let mut ground = ground(&[batch(0, &[("", Some("1")), ("a", Some("1")), ("", None)])]);
    let task = ground.task(Offset(0), 0);
    let (report, _) = ground.clean(&task, 100).unwrap();
    assert_eq!(contents(&ground), rows(&[(1, "a", Some("1"))]));
    assert_eq!(report.stats.records_without_key, 2);
}

/// KAFKA-4529: tombstones were removed by the age of their segment, before slow readers had seen them. The time counts
/// from the first cleaning that meets them, and is in the batch (KIP-534).
#[test]
fn a_tombstone_stays_for_the_retention_behind_its_first_cleaning() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("1")), ("b", Some("1"))]),
        batch(2, &[("a", None), ("c", Some("1"))]),
        batch(4, &[("d", Some("1"))]),
    ]);
    let kept = [(1, "b", Some("1")), (2, "a", None), (3, "c", Some("1")), (4, "d", Some("1"))];
    assert_eq!(clean(&mut ground, 1_000_000), rows(&kept));
    let header = ground.batches()[1].0;
    assert!(header.has_delete_horizon());
    assert_eq!(header.base_timestamp, TimestampMs(1_001_000));
    // Time and again: the horizon does not move.
    assert_eq!(clean(&mut ground, 1_000_999), rows(&kept));
    assert_eq!(ground.batches()[1].0, header);
    let times: Vec<_> = ground.records().iter().map(|record| record.timestamp.0).collect();
    assert_eq!(times, [10, 20, 30, 40]);
    assert_eq!(clean(&mut ground, 1_001_000), rows(&[kept[0], kept[2], kept[3]]));
    let header = ground.batches()[1].0;
    assert_eq!((header.has_delete_horizon(), header.max_timestamp), (true, TimestampMs(30)));
}

/// A tombstone behind the end of a pass would begin to age while the record that it deletes is still there: a reader
/// who saw that record late would never see the tombstone. (Kafka 4.4.0 sets the horizon in this case.)
#[test]
fn a_tombstone_that_the_map_had_no_room_for_does_not_age() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("1"))]),
        batch(1, &[("b", Some("1"))]),
        batch(2, &[("c", Some("1"))]),
        batch(3, &[("a", None)]),
    ]);
    let task = ground.task(Offset(0), 5000);
    let (report, _) = ground.clean(&task, 2).unwrap();
    assert_eq!((report.cleaned_until, report.stats.map_was_full), (Offset(1), true));
    assert!(ground.batches().iter().all(|(header, _)| !header.has_delete_horizon()));
}

#[test]
fn data_of_aborted_transactions_goes_and_its_marker_later() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("0"))]),
        in_txn(1, 7, &[("a", Some("aborted")), ("b", Some("aborted"))]),
        marker(3, 7, false),
        batch(4, &[("z", Some("1"))]),
    ]);
    let left = rows(&[(0, "a", Some("0")), (4, "z", Some("1"))]);
    assert_eq!(clean(&mut ground, 5000), left);
    assert_eq!(shapes(&ground), [(0, 0, 1), (3, 3, 1), (4, 4, 1)]);
    assert!(!ground.batches()[1].0.has_delete_horizon(), "its data was there when this cleaning read it");
    clean(&mut ground, 6000);
    assert_eq!(ground.batches()[1].0.base_timestamp, TimestampMs(7000));
    clean(&mut ground, 6999);
    assert_eq!(shapes(&ground).len(), 3);
    assert_eq!(clean(&mut ground, 7000), left);
    assert_eq!(shapes(&ground), [(0, 0, 1), (4, 4, 1)]);
}

/// KAFKA-14055: the key of a marker was looked up like any other, so a record with the key bytes of a COMMIT removed
/// the markers before it, and its transaction stayed open for ever.
#[test]
fn a_record_with_the_key_of_a_marker_removes_no_marker() {
    let same_key = |at: i64| {
        let mut builder = BatchBuilder::new().base_offset(Offset(at)).leader_epoch(Epoch(1));
        builder.push(TimestampMs(at), Some(&[0, 0, 0, 1]), Some(b"v"), &[]);
        builder.build().to_vec()
    };
    let mut ground = ground(&[
        in_txn(0, 7, &[("a", Some("1"))]),
        marker(1, 7, true),
        same_key(2),
        batch(3, &[("z", None)]),
    ]);
    clean(&mut ground, 0);
    assert_eq!(shapes(&ground), [(0, 0, 1), (1, 1, 1), (2, 2, 1), (3, 3, 1)]);
}

/// KAFKA-8351: what was known of transactions ended with each group of segments, so a marker in the next group was
/// taken for one without data, and aborted data before it for committed.
#[test]
fn transactions_across_groups_of_segments_are_kept_together() {
    let mut ground = Ground::new();
    ground.append(&in_txn(0, 7, &[("a", Some("committed"))]));
    ground.append(&in_txn(1, 8, &[("b", Some("aborted"))]));
    ground.roll(Offset(2));
    ground.append(&in_txn(2, 7, &[("c", Some("committed"))]));
    ground.append(&in_txn(3, 8, &[("a", Some("aborted"))]));
    ground.roll(Offset(4));
    ground.append(&marker(4, 8, false));
    ground.append(&batch(5, &[("z", Some("1"))]));
    ground.roll(Offset(6));
    // The marker of the other is in the active segment.
    ground.append(&marker(6, 7, true));
    let mut task = ground.task(Offset(0), 0);
    task.settings.segment_bytes = 1;
    let (report, groups) = ground.clean(&task, 100).unwrap();
    assert_eq!((report.cleaned_until, groups), (Offset(6), 2));
    let expect = [(0, "a", Some("committed")), (2, "c", Some("committed")), (5, "z", Some("1"))];
    assert_eq!(contents(&ground), rows(&expect));
    assert!(shapes(&ground).contains(&(4, 4, 1)));
}

#[test]
fn an_open_transaction_ends_what_is_cleaned() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("1"))]),
        batch(1, &[("a", Some("2"))]),
        in_txn(2, 7, &[("a", Some("3"))]),
        batch(3, &[("a", Some("4"))]),
    ]);
    let task = ground.task(Offset(0), 0);
    let (report, _) = ground.clean(&task, 100).unwrap();
    assert_eq!(report.cleaned_until, Offset(2));
    assert_eq!(contents(&ground).iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn the_last_batch_of_a_producer_stays_as_a_header() {
    let idempotent = |at: i64, sequence: i32| {
        batch_of(at, &[("a", Some("1"))], |builder| {
            builder.codec(Codec::Lz4, Codec::DEFAULT_LEVEL).producer(ProducerId(9), 2, sequence)
        })
    };
    let mut ground = ground(&[idempotent(0, 0), idempotent(1, 1), batch(2, &[("a", Some("2"))])]);
    let mut task = ground.task(Offset(0), 0);
    task.producers.insert(ProducerId(9), LastRecord { data: Some(Offset(1)), epoch: 2 });
    ground.clean(&task, 100).unwrap();
    assert_eq!(shapes(&ground), [(1, 1, 0), (2, 2, 1)]);
    let header = ground.batches()[0].0;
    assert_eq!((header.producer_id, header.producer_epoch, header.last_sequence()), (ProducerId(9), 2, 1));
    assert_eq!((header.max_timestamp, header.attributes.0), (TimestampMs(10), 0));
    // It goes when the producer is forgotten.
    clean(&mut ground, 0);
    assert_eq!(shapes(&ground), [(2, 2, 1)]);
}

#[test]
fn the_last_offset_survives_though_its_record_goes() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("1"))]),
        in_txn(1, 7, &[("b", Some("aborted"))]),
        marker(2, 7, false),
    ]);
    for now in [0, 5000, 6000, 7000] {
        clean(&mut ground, now);
        assert_eq!(ground.batches().last().unwrap().0.last_offset(), Offset(2), "at {now}");
    }
    assert_eq!(shapes(&ground), [(0, 0, 1), (2, 2, 0)]);
}

#[test]
fn a_map_of_one_key_makes_progress_within_a_batch() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("b", Some("2"))]),
        batch(4, &[("c", Some("1"))]),
    ]);
    let (mut dirty, mut ends) = (Offset(0), Vec::new());
    while dirty < Offset(5) {
        let task = ground.task(dirty, 0);
        dirty = ground.clean(&task, 2).unwrap().0.cleaned_until;
        ends.push(dirty.0);
    }
    assert_eq!(ends, [1, 2, 3, 4, 5]);
    assert_eq!(contents(&ground), rows(&[(2, "a", Some("2")), (3, "b", Some("2")), (4, "c", Some("1"))]));
}

#[test]
fn nothing_at_or_above_the_end_is_touched() {
    let batches: Vec<_> = (0..6).map(|at| batch(at, &[("a", Some("1"))])).collect();
    let mut ground = ground(&batches);
    let mut task = ground.task(Offset(0), 0);
    task.end = Offset(3);
    let (report, _) = ground.clean(&task, 100).unwrap();
    assert_eq!(report.cleaned_until, Offset(3));
    let left: Vec<_> = ground.batches().into_iter().map(|(_, bytes)| bytes.to_vec()).collect();
    assert_eq!(left, batches[2..]);
}

#[test]
fn small_neighbours_become_one_and_a_clean_segment_is_left_alone() {
    let mut ground = Ground::new();
    for at in 0..9 {
        ground.append(&batch(at, &[(&format!("k{at}"), Some("1"))]));
        ground.roll(Offset(at + 1));
    }
    let size = ground.segments[0].size;
    let mut task = ground.task(Offset(0), 0);
    task.settings.segment_bytes = 4 * size;
    assert_eq!(ground.clean(&task, 100).unwrap().1, 2);
    let bases: Vec<_> = ground.segments.iter().map(|segment| (segment.base.0, segment.end.0)).collect();
    assert_eq!(bases, [(0, 4), (4, 8), (8, 9), (9, 9)]);
    let mut task = ground.task(Offset(9), 0);
    task.first_dirty = Offset(0);
    task.settings.segment_bytes = 4 * size;
    assert_eq!(ground.clean(&task, 100).unwrap().1, 0);
}

#[test]
fn a_kept_aborted_transaction_is_listed_as_kafka_does() {
    let mut ground = ground(&[
        batch(0, &[("a", Some("1"))]),
        batch(1, &[("a", Some("2"))]),
        in_txn(2, 7, &[("b", Some("1"))]),
        in_txn(3, 8, &[("c", Some("1"))]),
        marker(4, 7, false),
        marker(5, 8, true),
    ]);
    let mut task = ground.task(Offset(0), 0);
    task.end = Offset(2);
    ground.clean(&task, 100).unwrap();
    let path = ground.dir().join("00000000000000000000.txnindex");
    let fields = [7i64, 2, 4, 3].iter().flat_map(|field| field.to_be_bytes());
    assert_eq!(ground.fs.read(&path).unwrap(), [0u8, 0].into_iter().chain(fields).collect::<Vec<_>>());
    // Once the records are gone so is the entry, and it must not come back with a later transaction.
    clean(&mut ground, 0);
    assert_eq!(ground.fs.read(&path).unwrap(), b"");
}

#[test]
fn every_flipped_bit_of_a_batch_stops_the_cleaning_and_changes_nothing() {
    let good =
        ground(&[batch(0, &[("a", Some("1"))]), batch(1, &[("a", Some("2"))]), batch(2, &[("b", None)])]);
    let path = segment_path(Path::new(DIR), Offset(0), Kind::Log);
    let bytes = good.fs.read(&path).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut ground = Ground { fs: good.fs.crash(1), segments: good.segments.clone() };
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        ground.fs.plant(&path, &bad).unwrap();
        let task = ground.task(Offset(0), 0);
        // The leader epoch and some offsets are covered by the seal alone, which the caller looks at.
        match ground.clean(&task, 100) {
            Err(CleanError::Damaged { .. } | CleanError::OldMagic { .. }) => {
                assert_eq!(ground.fs.read(&path).unwrap(), bad);
            }
            Err(error) => panic!("bit {bit}: {error}"),
            Ok(_) => assert!(bit / 8 % 70 < 17, "bit {bit}"),
        }
    }
}

#[test]
fn a_sealed_segment_is_copied_only_if_it_is_what_was_sealed() {
    let mut sealed =
        ground(&[batch(0, &[("a", Some("1"))]), batch(1, &[("b", Some("2"))]), batch(2, &[("b", None)])]);
    clean(&mut sealed, 0);
    let path = segment_path(Path::new(DIR), Offset(0), Kind::Log);
    let good = sealed.fs.read(&path).unwrap();
    sealed.fs.settle();
    for bit in 0..good.len() * 8 {
        let mut ground = Ground { fs: sealed.fs.crash(1), segments: sealed.segments.clone() };
        ground.fs.corrupt(&path, bit as u64 / 8, 1 << (bit % 8)).unwrap();
        let task = ground.task(Offset(0), 0);
        let stopped = ground.clean(&task, 100);
        assert!(
            matches!(stopped, Err(CleanError::Damaged { .. } | CleanError::OldMagic { .. })),
            "bit {bit}"
        );
    }
}

#[test]
fn an_old_magic_is_refused_by_name() {
    let mut old = batch(0, &[("a", Some("1"))]);
    old[16] = 1;
    let mut ground = Ground::new();
    ground.segments[0].size = old.len() as u64;
    ground.segments[0].end = Offset(1);
    ground.fs.plant(&segment_path(Path::new(DIR), Offset(0), Kind::Log), &old).unwrap();
    ground.roll(Offset(1));
    let task = ground.task(Offset(0), 0);
    assert!(matches!(ground.clean(&task, 9), Err(CleanError::OldMagic { magic: 1, .. })));
}

#[test]
fn a_batch_larger_than_the_buffer_is_cleaned_and_its_memory_given_back() {
    let large = "x".repeat(200_000);
    let mut ground = ground(&[
        batch(0, &[("a", Some(&large)), ("b", Some(&large))]),
        batch(2, &[("a", Some("1"))]),
        batch(3, &[("c", Some(&large))]),
    ]);
    let left = clean(&mut ground, 0);
    assert_eq!(left.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_stopped_cleaning_leaves_no_files() {
    struct Stop;
    impl Pace for Stop {
        fn moved(&self, _: u64, written: u64) -> ControlFlow<()> {
            if written > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let ground = ground(&[batch(0, &[("a", Some("1"))]), batch(1, &[("a", Some("2"))])]);
    let before = ground.fs.files();
    let task = ground.task(Offset(0), 0);
    let fs: Arc<dyn Fs> = Arc::new(ground.fs.clone());
    let mut cleaner = Cleaner::new(fs, Arc::new(SeededRng::new(1)), CleanerLimits::default());
    let mut cleaning = cleaner.begin(&task, &Stop).unwrap();
    assert!(matches!(cleaning.next_group(), Err(CleanError::Stopped)));
    assert_eq!(ground.fs.files(), before);
}
