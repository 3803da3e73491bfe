//! Whole directories, without a broker.

use super::*;
use crate::log::contract::{contents, small};
use crate::log::local::marks::{self, Mark, Marks, Point};
use crate::log::local::testing::{LocalPlace, ROOT};
use crate::log::{LogSettings, PartitionLog};
use crate::record::{BatchBuilder, CheckedBatches};
use crate::types::{Epoch, Uuid};

fn options(slots: usize, is_dry_run: bool) -> OfflineOptions {
    OfflineOptions {
        settings: CleanSettings { segment_bytes: 2000, ..CleanSettings::default() },
        limits: CleanerLimits { map_bytes: slots * 16, load_factor: 0.9, io_buffer_bytes: 0 },
        now: TimestampMs(1_000_000),
        producer_expiration_ms: 100_000,
        is_dry_run,
    }
}

fn compact(fs: &SimFs, dir: &Path, options: &OfflineOptions) -> Result<OfflineReport, OfflineError> {
    let fs: Arc<dyn Fs> = Arc::new(fs.clone());
    let rng: Arc<dyn crate::sys::Rng> = Arc::new(SeededRng::new(3));
    clean_offline(&fs, &rng, dir, options, &FullSpeed)
}

fn put(at: i64, key: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new().base_offset(Offset(at)).leader_epoch(Epoch(0));
    builder.push(TimestampMs(at), Some(&key.to_be_bytes()), Some(format!("value {at}").as_bytes()), &[]);
    builder.build().to_vec()
}

/// 60 records of 7 keys in segments of 10, the last of them active.
fn log() -> Ground {
    let mut ground = Ground::new();
    for at in 0..65 {
        if at > 0 && at % 10 == 0 {
            ground.roll(Offset(at));
        }
        ground.append(&put(at, at * 3 % 7));
    }
    ground
}

fn reread(ground: &mut Ground) -> Vec<i64> {
    ground.segments = offline_segments(&ground.fs, Path::new(DIR)).unwrap();
    ground.records().iter().map(|record| record.offset.0).collect()
}

#[test]
fn a_directory_is_compacted_in_one_pass_or_in_many() {
    for slots in [100, 6, 2] {
        let mut ground = log();
        let report = compact(&ground.fs, Path::new(DIR), &options(slots, false)).unwrap();
        assert_eq!(reread(&mut ground), (53..65).collect::<Vec<_>>(), "{slots} slots");
        assert_eq!((report.cleaned_until, report.active), (Offset(60), Offset(60)));
        assert_eq!((report.segments_before, report.segments_after), (7, ground.segments.len()));
        assert_eq!(report.bytes_after, ground.segments.iter().map(|segment| segment.size).sum::<u64>());
        assert_eq!(report.passes > 1, slots < 100);
        assert!(ground.fs.list(Path::new(DIR)).unwrap().iter().all(|path| {
            ["log", "index", "timeindex", "seal"]
                .iter()
                .any(|suffix| path.extension() == Some(suffix.as_ref()))
        }));
    }
}

#[test]
fn a_dry_run_says_the_gain_and_writes_nothing() {
    let ground = log();
    let before = (ground.fs.files(), ground.batches());
    let dry = compact(&ground.fs, Path::new(DIR), &options(100, true)).unwrap();
    assert_eq!((ground.fs.files(), ground.batches()), before);
    let wet = compact(&ground.fs, Path::new(DIR), &options(100, false)).unwrap();
    assert_eq!(dry.bytes_after, wet.bytes_after);
    assert_eq!(dry.stats, wet.stats);
}

#[test]
fn what_is_behind_the_durable_mark_is_left_alone() {
    let mut ground = log();
    let marks = |base| {
        let mark = Mark { start: Offset(0), point: Point::start_of(Offset(base)), sums: None };
        Marks { by_partition: [((Uuid::from_random(1), 0), mark)].into(), ..Marks::default() }.encode()
    };
    let path = Path::new(DIR).parent().unwrap().join(marks::FILE);
    ground.fs.plant(&path, &marks(20)).unwrap();
    assert!(matches!(compact(&ground.fs, Path::new(DIR), &options(9, false)), Err(OfflineError::NoMark)));
    let id = crate::log::local::meta::partition_text(Uuid::from_random(1));
    ground.fs.plant(&Path::new(DIR).join("partition.metadata"), id.as_bytes()).unwrap();
    let report = compact(&ground.fs, Path::new(DIR), &options(100, false)).unwrap();
    assert_eq!((report.cleaned_until, report.active), (Offset(20), Offset(60)));
    assert_eq!(reread(&mut ground), (13..65).collect::<Vec<_>>());
    ground.fs.plant(&path, b"torn").unwrap();
    assert!(matches!(compact(&ground.fs, Path::new(DIR), &options(9, false)), Err(OfflineError::NoMark)));
}

#[test]
fn a_directory_without_a_log_or_in_the_middle_of_a_swap_of_kafkas_is_refused() {
    let ground = log();
    let swap = Path::new(DIR).join("00000000000000000005.log.swap");
    ground.fs.plant(&swap, b"whose is it").unwrap();
    assert!(matches!(compact(&ground.fs, Path::new(DIR), &options(9, false)), Err(OfflineError::Unsettled)));
    let empty = SimFs::default();
    empty.create_dir_all(Path::new(DIR)).unwrap();
    assert!(matches!(compact(&empty, Path::new(DIR), &options(9, false)), Err(OfflineError::NoLog)));
}

#[test]
fn the_last_batches_of_producers_survive_if_they_are_young() {
    let mut ground = Ground::new();
    for (at, (producer, time)) in (0..).zip([(1, 950_000), (2, 800_000), (3, 950_000)]) {
        let mut builder = BatchBuilder::new().base_offset(Offset(at)).producer(ProducerId(producer), 0, 5);
        builder.push(TimestampMs(time), Some(b"key"), Some(b"value"), &[]);
        ground.append(&builder.build());
    }
    ground.roll(Offset(3));
    ground.append(&put(3, 1));
    compact(&ground.fs, Path::new(DIR), &options(9, false)).unwrap();
    reread(&mut ground);
    let left: Vec<_> =
        ground.batches().iter().map(|(header, _)| (header.producer_id.0, header.count)).collect();
    assert_eq!(left, [(1, 0), (3, 1), (-1, 1)]);
}

#[test]
fn a_crash_at_any_change_leaves_a_directory_that_the_next_run_completes() {
    let expect = {
        let mut ground = log();
        compact(&ground.fs, Path::new(DIR), &options(6, false)).unwrap();
        reread(&mut ground)
    };
    for cut in 0.. {
        let mut ground = log();
        ground.fs.settle();
        ground.fs.stop_after(cut);
        let done = compact(&ground.fs, Path::new(DIR), &options(6, false)).is_ok();
        if !ground.fs.power_is_off() {
            assert!(done && cut > 20, "{cut}");
            break;
        }
        for seed in 0..4 {
            let mut after = Ground { fs: ground.fs.crash(cut * 4 + seed), segments: Vec::new() };
            compact(&after.fs, Path::new(DIR), &options(6, false)).unwrap();
            assert_eq!(reread(&mut after), expect, "cut {cut} seed {seed}");
        }
        ground.segments.clear();
    }
}

#[test]
fn a_log_of_ours_is_compacted_opened_and_goes_on() {
    let fs = SimFs::default();
    let settings = LogSettings { segment_bytes: 900, ..small() };
    let value = |value: i64| {
        let mut builder = BatchBuilder::new();
        let key = (value % 5).to_be_bytes();
        builder.push(TimestampMs(value), Some(&key), Some(&value.to_be_bytes()), &[]);
        CheckedBatches::trusted(builder.build()).unwrap()
    };
    let place = LocalPlace::simulated(&fs);
    let (log, _) = place.log(settings).unwrap();
    for at in 0..100 {
        log.append(value(at), Epoch(0)).unwrap();
    }
    place.dir.commit_round();
    place.dir.close().unwrap();
    drop((log, place));
    let report = compact(&fs, &Path::new(ROOT).join("topic-0"), &options(100, false)).unwrap();
    assert!(report.bytes_after * 2 < report.bytes_before, "{report:?}");
    for _ in 0..2 {
        let place = LocalPlace::simulated(&fs);
        let (log, _) = place.log(settings).unwrap();
        assert_eq!((log.marks().start, log.marks().end.0 >= 100), (Offset(0), true));
        let newest = contents(&*log)
            .iter()
            .flat_map(|batch| read_records(batch, 100).unwrap())
            .flatten()
            .fold(BTreeMap::new(), |mut newest, record| {
                newest.insert(record.key, record.offset.0);
                newest
            });
        let end = log.marks().end.0;
        assert_eq!(
            newest.into_values().collect::<Vec<_>>(),
            (0..5).map(|key| end - 5 + (key - end).rem_euclid(5)).collect::<Vec<_>>()
        );
        log.append(value(end), Epoch(0)).unwrap();
        place.dir.commit_round();
        place.dir.close().unwrap();
    }
}
