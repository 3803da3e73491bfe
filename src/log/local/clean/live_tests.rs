//! Cleaning a log in use: what is dirty, what may be cleaned, and what the checkpoint is good for.

use super::checkpoint::{FILE, KAFKA_FILE};
use super::{CleanInput, CleanLogError, CleanRules, CleanSettings, CleanerLimits, Dirt, FullSpeed, Pace};
use crate::log::local::LocalLog;
use crate::log::local::testing::{LocalPlace, ROOT};
use crate::log::{LogSettings, PartitionLog, ReadLimit};
use crate::record::{BatchBuilder, CheckedBatches, Record, read_records};
use crate::sys::{Fs, SeededRng, SimFs};
use crate::types::{Epoch, Offset, TimestampMs, TopicPartition, Uuid};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Four batches or so a segment.
fn tiny() -> LogSettings {
    LogSettings { segment_bytes: 500, index_interval_bytes: 100, ..LogSettings::default() }
}

pub(super) fn rules() -> CleanRules {
    let settings = CleanSettings { segment_bytes: 500, delete_retention_ms: 0, ..CleanSettings::default() };
    CleanRules { min_ratio: 0.5, min_lag_ms: 0, max_lag_ms: i64::MAX, settings }
}

const NOW: TimestampMs = TimestampMs(1_000_000);

/// Appends one record; its time is its value.
fn put(log: &LocalLog, key: u8, value: i64) {
    let mut builder = BatchBuilder::new();
    builder.push(TimestampMs(value), Some(&[key]), Some(format!("{value:040}").as_bytes()), &[]);
    log.append(CheckedBatches::trusted(builder.build()).unwrap(), Epoch(0)).unwrap();
}

pub(super) fn fill(place: &LocalPlace, log: &LocalLog, values: std::ops::Range<i64>) {
    values.for_each(|value| put(log, (value % 3) as u8, value));
    place.dir.commit_round();
}

fn records(log: &LocalLog) -> Vec<Record> {
    let mut all = Vec::new();
    log.replay(log.marks().start, &mut |_, bytes| {
        all.extend(read_records(&bytes, 1 << 20).unwrap().map(Result::unwrap));
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

pub(super) fn view(log: &LocalLog) -> BTreeMap<bytes::Bytes, bytes::Bytes> {
    records(log).into_iter().map(|record| (record.key.unwrap(), record.value.unwrap())).collect()
}

pub(super) fn prepared(values: i64) -> (SimFs, LocalPlace, Arc<LocalLog>) {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(tiny()).unwrap().0;
    fill(&place, &log, 1..values + 1);
    (fs, place, log)
}

pub(super) fn dirt(log: &LocalLog, rules: &CleanRules) -> Dirt {
    log.dirt(log.marks().high_watermark, rules, NOW).unwrap()
}

pub(super) fn clean_with(
    log: &LocalLog,
    rules: &CleanRules,
    pace: &dyn Pace,
) -> Result<Offset, CleanLogError> {
    let limits = CleanerLimits { map_bytes: 4096, load_factor: 0.9, io_buffer_bytes: 4096 };
    let mut cleaner = log.cleaner(Arc::new(SeededRng::new(3)), limits);
    let input = CleanInput { dirt: dirt(log, rules), rules, producers: BTreeMap::new(), now: NOW };
    log.clean(&mut cleaner, input, pace).map(|report| report.cleaned_until)
}

pub(super) fn clean(log: &LocalLog, rules: &CleanRules) -> Offset {
    clean_with(log, rules, &FullSpeed).unwrap()
}

pub(super) fn active_base(log: &LocalLog) -> Offset {
    log.state.lock().active.base
}

#[test]
fn a_cleaned_log_has_each_key_once_below_its_active_segment() {
    let (fs, place, log) = prepared(60);
    let before = view(&log);
    let dirty = dirt(&log, &rules());
    assert_eq!((dirty.first_dirty, dirty.end, dirty.clean_bytes), (Offset(0), active_base(&log), 0));
    assert!(dirty.is_due(&rules()));
    let size = log.size_bytes();
    assert_eq!(clean(&log, &rules()), active_base(&log));
    assert!(log.size_bytes() * 4 < size, "{} of {size}", log.size_bytes());
    assert_eq!(view(&log), before);
    let left = records(&log).iter().filter(|record| record.offset < active_base(&log)).count();
    assert_eq!(left, 3);
    // Clean now; dirty again after more records, and only behind what was cleaned.
    let clean_now = dirt(&log, &rules());
    assert_eq!((clean_now.first_dirty, clean_now.cleanable_bytes), (active_base(&log), 0));
    assert!(!clean_now.is_due(&rules()) && clean_now.clean_bytes > 0);
    fill(&place, &log, 61..121);
    let dirty = dirt(&log, &rules());
    assert!(dirty.is_due(&rules()) && dirty.ratio() > 0.8 && dirty.first_dirty == clean_now.first_dirty);
    let said = view(&log);
    clean(&log, &rules());
    assert_eq!(view(&log), said);
    // A restart finds it, and how far it was cleaned.
    let until = active_base(&log);
    let place = LocalPlace::simulated(&fs.crash(4));
    let log = place.log(tiny()).unwrap().0;
    assert_eq!((view(&log), dirt(&log, &rules()).first_dirty), (said, until));
}

#[test]
fn what_is_not_durable_or_not_stable_is_not_cleaned() {
    let (_fs, _place, log) = prepared(60);
    let durable = active_base(&log);
    for value in 61..91 {
        put(&log, 1, value);
    }
    assert!(active_base(&log) > durable);
    assert_eq!(dirt(&log, &rules()).end, durable);
    let bases: Vec<Offset> = log.state.lock().sealed.iter().map(|sealed| sealed.base).collect();
    // A transaction is open in the middle of the third segment.
    let unstable = log.dirt(bases[2].plus(1), &rules(), NOW).unwrap();
    assert_eq!(unstable.end, bases[2]);
    assert_eq!(log.dirt(bases[2], &rules(), NOW).unwrap().end, bases[2]);
}

#[test]
fn young_records_wait_for_the_least_lag() {
    let (_fs, _place, log) = prepared(60);
    let bases: Vec<Offset> = log.state.lock().sealed.iter().map(|sealed| sealed.base).collect();
    // The value of a record is its time, and its offset is one less: the fourth segment has one that is too young.
    let lag = NOW.0 - bases[3].0 - 1;
    let lagging = CleanRules { min_lag_ms: lag, ..rules() };
    assert_eq!(dirt(&log, &lagging).end, bases[3]);
    assert_eq!(clean(&log, &lagging), bases[3]);
    assert_eq!(dirt(&log, &lagging).cleanable_bytes, 0);
    assert!(dirt(&log, &rules()).is_due(&rules()));
}

#[test]
fn records_that_waited_too_long_are_cleaned_though_few_are_dirty() {
    let (_fs, place, log) = prepared(60);
    clean(&log, &rules());
    let strict = CleanRules { min_ratio: 0.99, ..rules() };
    fill(&place, &log, 61..71);
    assert!(!dirt(&log, &strict).is_due(&strict));
    let late = CleanRules { max_lag_ms: NOW.0 - 70, ..strict };
    let overdue = dirt(&log, &late);
    assert!(overdue.overdue_ms > 0 && overdue.is_due(&late), "{overdue:?}");
    // The active segment is closed for it, even if nobody appends, and once only.
    let before = active_base(&log);
    assert!(log.close_overdue(late.max_lag_ms, NOW).unwrap());
    assert!(active_base(&log) > before);
    assert!(!log.close_overdue(late.max_lag_ms, NOW).unwrap());
    assert_eq!(clean(&log, &late), Offset(70));
    assert_eq!(records(&log).len(), 3);
    put(&log, 1, NOW.0);
    assert!(!log.close_overdue(late.max_lag_ms, NOW).unwrap());
}

#[test]
fn a_cleaning_ends_when_it_is_told_to_or_the_log_is_closed() {
    struct After(std::cell::Cell<u32>, Option<Arc<LocalLog>>);
    impl Pace for After {
        fn moved(&self, _: u64, _: u64) -> ControlFlow<()> {
            self.0.set(self.0.get() - 1);
            match (self.0.get(), &self.1) {
                (0, Some(log)) => {
                    log.close().unwrap();
                    ControlFlow::Continue(())
                }
                (0, None) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    for after in 1..20 {
        for closes in [false, true] {
            let (fs, place, log) = prepared(30);
            let before = view(&log);
            let pace = After(std::cell::Cell::new(after), closes.then(|| log.clone()));
            let cleaned = clean_with(&log, &rules(), &pace);
            assert!(matches!(cleaned, Err(CleanLogError::Stopped)), "{after} {closes} {cleaned:?}");
            drop(pace);
            let log = match closes {
                true => {
                    drop(log);
                    place.log(tiny()).unwrap().0
                }
                false => log,
            };
            assert_eq!(view(&log), before);
            let names =
                fs.files().into_iter().filter(|(path, _)| path.to_string_lossy().contains(".cleaned"));
            assert_eq!(names.filter(|(path, _)| !path.ends_with(FILE)).count(), 0, "{after} {closes}");
            clean(&log, &rules());
            assert_eq!(view(&log), before);
        }
    }
}

/// Whatever the checkpoint says, a key is never lost and none comes back.
#[test]
fn a_checkpoint_that_is_lost_stale_or_wrong_costs_time_only() {
    let (fs, place, log) = prepared(60);
    clean(&log, &rules());
    let (said, until) = (view(&log), active_base(&log));
    log.close().unwrap();
    place.dir.close().unwrap();
    let at = |name: &str| -> PathBuf { Path::new(ROOT).join(name) };
    let kafkas = String::from_utf8(fs.read(&at(KAFKA_FILE)).unwrap()).unwrap();
    assert_eq!(kafkas, format!("0\n1\ntopic 0 {until}\n"));
    let ours = fs.read(&at(FILE)).unwrap();
    type Change<'a> = &'a dyn Fn(&SimFs);
    let changes: [(Change<'_>, Offset); 7] = [
        (&|_| {}, until),
        (&|fs| fs.remove(&at(KAFKA_FILE)).unwrap(), Offset(0)),
        (&|fs| fs.remove(&at(FILE)).unwrap(), Offset(0)),
        (&|fs| fs.plant(&at(FILE), &ours[..ours.len() / 2]).unwrap(), Offset(0)),
        // Somebody wants a part to be cleaned again.
        (&|fs| fs.plant(&at(KAFKA_FILE), b"0\n1\ntopic 0 17\n").unwrap(), Offset(17)),
        (&|fs| fs.plant(&at(KAFKA_FILE), b"0\n1\ntopic 0 99999\n").unwrap(), until),
        (&|fs| fs.plant(&at(KAFKA_FILE), b"0\n0\n").unwrap(), Offset(0)),
    ];
    for (nth, (change, expect)) in changes.into_iter().enumerate() {
        let fs = fs.kill();
        change(&fs);
        let place = LocalPlace::simulated(&fs);
        let log = place.log(tiny()).unwrap().0;
        assert_eq!(dirt(&log, &rules()).first_dirty, expect, "change {nth}");
        fill(&place, &log, 61..91);
        let said: BTreeMap<_, _> = said.clone().into_iter().chain(view(&log)).collect();
        clean(&log, &rules());
        assert_eq!(view(&log), said, "change {nth}");
    }
}

#[test]
fn a_checkpoint_says_nothing_of_a_topic_made_anew_or_a_log_that_was_cut() {
    let (_fs, place, log) = prepared(60);
    clean(&log, &rules());
    log.close().unwrap();
    drop(log);
    let name = TopicPartition::new("topic", 0);
    let (other, _) = place.dir.open_partition(&name, Uuid::from_random(77), tiny()).unwrap();
    fill(&place, &other, 1..91);
    assert_eq!(dirt(&other, &rules()).first_dirty, Offset(0));
    // Offsets that were given out again have a newer leader epoch.
    let (_fs, place, log) = prepared(60);
    clean(&log, &rules());
    let until = active_base(&log);
    {
        let mut state = log.state.lock();
        state.epochs.note(Epoch(1), until.plus(-5));
    }
    assert_eq!(dirt(&log, &rules()).first_dirty, Offset(0));
    drop(place);
}

#[test]
fn segments_cut_from_the_front_are_not_missed() {
    let (_fs, place, log) = prepared(60);
    clean(&log, &rules());
    fill(&place, &log, 61..121);
    let front = log.state.lock().sealed[4].base;
    log.cut_front(front).unwrap();
    place.dir.commit_round();
    let dirty = dirt(&log, &rules());
    assert!(dirty.first_dirty >= front, "{dirty:?}");
    let said = view(&log);
    clean(&log, &rules());
    assert_eq!(view(&log), said);
}

#[test]
fn a_partition_at_rest_tells_how_dirty_it_is_by_its_files() {
    let (_fs, place, log) = prepared(60);
    let (name, id) = (TopicPartition::new("topic", 0), Uuid::from_random(1));
    let sealed = dirt(&log, &rules()).cleanable_bytes;
    assert_eq!(place.dir.dirt_at_rest(&name, id).unwrap(), (0, sealed));
    clean(&log, &rules());
    let clean_bytes = dirt(&log, &rules()).clean_bytes;
    assert_eq!(place.dir.dirt_at_rest(&name, id).unwrap(), (clean_bytes, 0));
}

/// The end of what is shown was a position in the segment that was closed for its age, as nothing was appended since;
/// once that segment was replaced by a shorter one, readers ran beyond its end.
#[test]
fn a_log_that_was_closed_for_its_age_and_cleaned_is_read_to_its_end() {
    let (_fs, place, log) = prepared(4);
    let before = view(&log);
    let end = log.marks().high_watermark;
    assert!(log.close_overdue(1000, NOW).unwrap());
    place.dir.commit_round();
    let rules = CleanRules { max_lag_ms: 1000, ..rules() };
    assert_eq!(clean(&log, &rules), end);
    assert_eq!((view(&log), records(&log).len()), (before, 3));
    let limit = ReadLimit { bytes: 1 << 20, at_least_one: true, below: Offset(i64::MAX) };
    let read = log.plan_read(Offset(0), limit).unwrap().read().unwrap();
    assert_eq!(read.len() as u64, log.size_bytes());
    fill(&place, &log, 5..6);
    assert_eq!(records(&log).len(), 4);
}
