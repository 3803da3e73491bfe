//! Replacing segments: under readers and appends, and with the power cut at every call. What is compacted here is
//! simple on purpose: a batch has one record, and goes if a newer batch of its key is in the log.

use super::leftovers::{Files, Left, segments_as_settled};
use super::replace::{ReplaceError, Replacement};
use super::swap::{CLEANED, DATA, SWAP, staged};
use crate::log::contract::limit;
use crate::log::local::log::LocalLog;
use crate::log::local::marks::Mark;
use crate::log::local::seal::{self, BuildOptions, Side, build_body};
use crate::log::local::segment::Sealed;
use crate::log::local::testing::{LocalPlace, ROOT, TempDir};
use crate::log::local::{Commit, LogDir, LogDirOptions};
use crate::log::{LogSettings, LogState, PartitionLog, ReadError};
use crate::record::{BatchBuilder, BatchHeader, CheckedBatches, read_records};
use crate::sys::{Call, Fault, File, Fs, OpenHow, RealClock, RealFs, RealRng, SimFs};
use crate::types::{Epoch, Offset, TimestampMs, TopicPartition, Uuid};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::IoSlice;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Three or four batches a segment, and an index entry for every second one.
fn tiny() -> LogSettings {
    LogSettings {
        segment_bytes: 400,
        index_interval_bytes: 100,
        file_delete_delay_ms: 0,
        ..LogSettings::default()
    }
}

/// A batch with one record: `value` is its number, none deletes the key.
fn put(key: u8, value: Option<i64>) -> CheckedBatches {
    let mut builder = BatchBuilder::new();
    let time = TimestampMs(1000 + value.unwrap_or(0));
    let value = value.map(|value| format!("{value:030}"));
    builder.push(time, Some(&[key]), value.as_ref().map(String::as_bytes), &[]);
    CheckedBatches::trusted(builder.build()).unwrap()
}

/// Key and value of the one record of a batch.
fn record(batch: &Bytes) -> (u8, Option<i64>) {
    let records: Vec<_> = read_records(batch, 1 << 20).unwrap().collect();
    let [Ok(record)] = &records[..] else { panic!("{records:?}") };
    let value = record.value.as_ref().map(|value| std::str::from_utf8(value).unwrap().parse().unwrap());
    (record.key.as_ref().unwrap()[0], value)
}

fn batches(log: &LocalLog) -> Vec<(BatchHeader, Bytes)> {
    let mut all = Vec::new();
    log.replay(log.marks().start, &mut |header, bytes| {
        all.push((*header, bytes));
        ControlFlow::Continue(())
    })
    .unwrap();
    all
}

/// What a reader of the whole log believes in the end.
fn view(log: &LocalLog) -> BTreeMap<u8, i64> {
    let mut view = BTreeMap::new();
    for (_, bytes) in batches(log) {
        match record(&bytes) {
            (key, Some(value)) => view.insert(key, value),
            (key, None) => view.remove(&key),
        };
    }
    view
}

/// Writes a cleaned file, whole and synced.
fn write(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> Option<Arc<dyn File>> {
    let file = fs.open(path, OpenHow::Create).ok()?;
    file.set_len(0).ok()?;
    file.write_all_at(&[IoSlice::new(bytes)], 0).ok()?;
    file.sync_data().ok()?;
    Some(file)
}

/// Compacts the sealed segments from number `from` to `to` into one: `.cleaned` files and what is to be replaced.
/// Deleted keys go with their tombstones, which is right only if `from` is the first segment.
fn compact(log: &LocalLog, fs: &dyn Fs, from: usize, to: usize) -> Option<Replacement> {
    let (old, end) = {
        let state = log.state.lock();
        let old: Vec<Sealed> = state.sealed.get(from..to)?.to_vec();
        (old, state.sealed.get(to).map_or(state.active.base, |next| next.base))
    };
    let base = old.first()?.base;
    let mut newest = BTreeMap::new();
    let mut all = Vec::new();
    log.replay(log.marks().start, &mut |header, bytes| {
        let (key, value) = record(&bytes);
        newest.insert(key, (header.base_offset, value));
        all.push((*header, key, bytes));
        ControlFlow::Continue(())
    })
    .ok()?;
    let kept = all.iter().filter(|(header, key, _)| {
        let (last, value) = newest[key];
        let tombstone_may_go = from == 0 && value.is_none();
        (base..end).contains(&header.base_offset) && header.base_offset == last && !tombstone_may_go
    });
    let cleaned: Vec<u8> = kept.flat_map(|(_, _, bytes)| bytes.to_vec()).collect();
    let path = |suffix| staged(log.path(), base, suffix, CLEANED);
    let file = write(fs, &path("log"), &cleaned)?;
    write(fs, &path("index"), &[])?;
    write(fs, &path("timeindex"), &[])?;
    let size = cleaned.len() as u64;
    let pace = &mut |_| ControlFlow::Continue(());
    let body = build_body(&*file, BuildOptions { base, end, size, note: &mut |_, _| {}, pace }).ok()?;
    let max_time = body.max_time;
    write(fs, &path("seal"), &body.sealed(base, end, Side::of(&[]), Side::of(&[])).encode())?;
    Some(Replacement { base, old, end, size, max_time })
}

/// Appends puts and deletes of a few keys, a segment's worth every few, and commits them.
fn fill(place: &LocalPlace, log: &LocalLog, from: i64, count: i64) -> Option<()> {
    for value in from..from + count {
        let key = (value * 7 % 5) as u8;
        log.append(put(key, (value % 4 != 3).then_some(value)), Epoch(0)).ok()?;
        place.dir.commit_round();
    }
    Some(())
}

fn partition() -> PathBuf {
    Path::new(ROOT).join("topic-0")
}

fn prepared() -> (SimFs, LocalPlace, Arc<LocalLog>) {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(tiny()).unwrap().0;
    fill(&place, &log, 0, 40).unwrap();
    (fs, place, log)
}

fn sealed(log: &LocalLog) -> usize {
    log.state.lock().sealed.len()
}

#[test]
fn what_was_replaced_is_smaller_and_says_the_same() {
    let (fs, place, log) = prepared();
    let (before, size, count) = (view(&log), log.size_bytes(), sealed(&log));
    let made = compact(&log, &fs, 0, 6).unwrap();
    log.replace(&made).unwrap();
    assert_eq!(sealed(&log), count - 5);
    assert!(log.size_bytes() < size);
    assert_eq!(view(&log), before);
    let kept: Vec<Offset> = batches(&log).iter().map(|(header, _)| header.base_offset).collect();
    for from in 0..log.marks().end.0 {
        let next = kept.iter().find(|at| at.0 >= from).copied();
        let read = log.plan_read(Offset(from), limit(1 << 20)).unwrap().read().unwrap();
        assert_eq!(BatchHeader::parse(&read).ok().map(|header| header.base_offset), next, "from {from}");
    }
    // Again, together with what is behind, and after a restart.
    let made = compact(&log, &fs, 0, 3).unwrap();
    log.replace(&made).unwrap();
    assert_eq!(view(&log), before);
    place.dir.commit_round();
    let names: Vec<PathBuf> = fs.files().into_iter().map(|(path, _)| path).collect();
    for stage in [CLEANED, SWAP, "deleted"] {
        assert!(!names.iter().any(|path| path.extension().is_some_and(|end| end == stage)), "{names:?}");
    }
    let log = LocalPlace::simulated(&fs.crash(3)).log(tiny()).unwrap().0;
    assert_eq!(view(&log), before);
    assert_eq!(log.marks().end, Offset(40));
}

#[test]
fn a_look_up_by_time_finds_what_was_left() {
    let (fs, _place, log) = prepared();
    log.replace(&compact(&log, &fs, 0, 6).unwrap()).unwrap();
    for (header, _) in batches(&log) {
        let found = log.find_time(header.max_timestamp).unwrap().unwrap();
        assert!(found.timestamp >= header.max_timestamp && found.offset <= header.base_offset, "{found:?}");
    }
    let latest = log.find_max_time().unwrap().unwrap();
    assert_eq!(latest.timestamp, TimestampMs(1038));
}

#[test]
fn a_group_that_lost_a_segment_meanwhile_is_left_alone() {
    let (fs, _place, log) = prepared();
    let made = compact(&log, &fs, 0, 4).unwrap();
    let second = log.state.lock().sealed[1].base;
    log.cut_front(second).unwrap();
    let before = view(&log);
    assert!(matches!(log.replace(&made), Err(ReplaceError::Changed)));
    assert_eq!(view(&log), before);
    assert!(fs.files().iter().all(|(path, _)| path.extension().is_none_or(|end| end != CLEANED)));
}

#[test]
fn segments_are_replaced_only_below_the_mark_on_disk() {
    let (fs, place, log) = prepared();
    let count = sealed(&log);
    // Nothing has written marks so far: the call does.
    log.replace(&compact(&log, &fs, 0, count).unwrap()).unwrap();
    let key = (log.topic_id(), 0);
    let Mark { point, .. } = place.dir.marks.lock().marks.by_partition[&key];
    assert_eq!(point.base, log.state.lock().active.base);
    // What is not durable cannot be below it.
    for _ in 0..20 {
        log.append(put(1, Some(7)), Epoch(0)).unwrap();
    }
    let made = compact(&log, &fs, 0, sealed(&log)).unwrap();
    assert!(matches!(log.replace(&made), Err(ReplaceError::NotMarked)));
    fill(&place, &log, 100, 3).unwrap();
    assert_eq!(view(&log)[&1], 7);
}

#[test]
fn a_log_that_is_closed_replaces_nothing() {
    let (fs, _place, log) = prepared();
    let made = compact(&log, &fs, 0, 4).unwrap();
    log.close().unwrap();
    assert!(log.replace(&made).is_err());
    assert!(fs.files().iter().all(|(path, _)| path.extension().is_none_or(|end| end != CLEANED)));
}

#[test]
fn names_that_were_not_begun_by_a_committed_swap_go() {
    let (fs, _place, log) = prepared();
    let before = view(&log);
    let base = log.state.lock().sealed[2].base;
    compact(&log, &fs, 0, 2).unwrap();
    for suffix in DATA {
        fs.plant(&staged(&partition(), base, suffix, SWAP), b"other").unwrap();
    }
    // A seal that is not sound, and one whose log is not of its size, commit nothing.
    fs.plant(&staged(&partition(), base, seal::SUFFIX, SWAP), b"other").unwrap();
    let cleaned = fs.read(&staged(&partition(), Offset(0), seal::SUFFIX, CLEANED)).unwrap();
    fs.plant(&staged(&partition(), Offset(0), seal::SUFFIX, SWAP), &cleaned).unwrap();
    let fs = fs.kill();
    let log = LocalPlace::simulated(&fs).log(tiny()).unwrap().0;
    assert_eq!(view(&log), before);
    let left = fs
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == CLEANED || end == SWAP));
    assert_eq!(left.count(), 0);
}

/// Every way in which a step of the swap can fail leaves a log that serves what it served.
#[test]
fn whatever_call_of_a_swap_fails_the_log_says_the_same() {
    let mut seen = 0;
    for call in [Call::Rename, Call::SyncDir] {
        for nth in 1.. {
            let (fs, place, log) = prepared();
            let before = view(&log);
            let made = compact(&log, &fs, 0, 6).unwrap();
            place.dir.mark_on_disk(&log, made.end).unwrap();
            fs.fail(Fault::eio(call).named("topic-0").nth(nth));
            let replaced = log.replace(&made);
            fs.heal();
            assert_eq!(view(&log), before, "{call:?} {nth}: {replaced:?}");
            if log.marks().state == LogState::Failed {
                log.reopen().unwrap();
            }
            assert_eq!(view(&log), before, "{call:?} {nth}: {replaced:?}");
            fill(&place, &log, 40, 8).unwrap();
            let after = view(&log);
            for seed in 0..6 {
                let log = LocalPlace::simulated(&fs.crash(seed)).log(tiny()).unwrap().0;
                assert_eq!(view(&log), after, "{call:?} {nth} {seed}: {replaced:?}");
            }
            if replaced.is_ok() {
                break;
            }
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}

/// One log's life with compaction in it; `None` as soon as something fails.
fn life(fs: &SimFs, acked: &AtomicU64) -> Option<()> {
    let place = LocalPlace::try_simulated(fs)?;
    let log = place.log(tiny()).ok()?.0;
    for round in 0..2 {
        for value in 100 + round * 14..114 + round * 14 {
            log.append(put((value * 7 % 5) as u8, (value % 4 != 3).then_some(value)), Epoch(0)).ok()?;
            if value % 4 == 0 {
                place.dir.commit_round();
                acked.store(log.marks().durable.0 as u64, Ordering::Relaxed);
            }
        }
        place.dir.commit_round();
        acked.store(log.marks().durable.0 as u64, Ordering::Relaxed);
        // The first ones grow into one; then one in the middle is replaced alone.
        for (from, to) in [(0, 3), (1, 2), (0, 2)] {
            let Some(made) = compact(&log, fs, from, to) else { continue };
            log.replace(&made).ok()?;
        }
        if round == 1 {
            log.cut_front(Offset(9)).ok()?;
        }
    }
    (!fs.power_is_off()).then_some(())
}

/// What a log says that had the first `count` puts and deletes of `life`.
fn promised(count: u64) -> BTreeMap<u8, i64> {
    let mut view = BTreeMap::new();
    for value in 100..100 + count as i64 {
        let key = (value * 7 % 5) as u8;
        if value % 4 != 3 {
            view.insert(key, value)
        } else {
            view.remove(&key)
        };
    }
    view
}

#[test]
fn no_cut_of_the_power_loses_a_newest_record_or_brings_a_deleted_key_back() {
    let whole = SimFs::new(1);
    life(&whole, &AtomicU64::new(0)).unwrap();
    let calls = whole.calls();
    let mut cuts = 0;
    for at in 0..calls {
        let fs = SimFs::new(1);
        fs.stop_after(at);
        let acked = AtomicU64::new(0);
        let _ = life(&fs, &acked);
        let acked = acked.into_inner();
        for seed in 0..4 {
            let crashed = fs.crash(at * 7 + seed);
            let place = LocalPlace::simulated(&crashed);
            let log = match place.log(tiny()) {
                Ok((log, _)) => log,
                Err(error) => panic!("call {at} seed {seed}: {error}"),
            };
            let end = log.marks().end.0 as u64;
            assert!(end >= acked, "call {at} seed {seed}: {acked} acknowledged, the log ends at {end}");
            assert_eq!(view(&log), promised(end), "call {at} seed {seed}");
            fill(&place, &log, 500, 6).unwrap();
            let replaced = compact(&log, &crashed, 0, 2).map(|made| log.replace(&made));
            assert!(!matches!(replaced, Some(Err(_))), "call {at} seed {seed}: {replaced:?}");
            let after = view(&log);
            let log = LocalPlace::simulated(&crashed.crash(seed)).log(tiny()).unwrap().0;
            assert_eq!(view(&log), after, "call {at} seed {seed}, second crash");
            cuts += 1;
        }
    }
    assert!(cuts > 1000, "{cuts} cuts");
}

/// A swap that was committed and not finished, as a power cut leaves it; the cut strikes again while it is finished.
#[test]
fn a_recovery_that_finishes_a_swap_may_be_cut_itself() {
    let mut cuts = 0;
    for stop in 0..9 {
        let (fs, place, log) = prepared();
        let before = view(&log);
        let made = compact(&log, &fs, 0, 6).unwrap();
        place.dir.mark_on_disk(&log, made.end).unwrap();
        // Four renames, two syncs and then some of what follows.
        fs.stop_after(6 + stop);
        assert!(log.replace(&made).is_err());
        for seed in 0..4 {
            let crashed = fs.crash(seed);
            for at in 0.. {
                let again = crashed.crash(100 + seed);
                again.stop_after(at);
                let opened = LocalPlace::try_simulated(&again).and_then(|place| place.log(tiny()).ok());
                let log = LocalPlace::simulated(&again.crash(seed)).log(tiny()).unwrap().0;
                assert_eq!(view(&log), before, "{stop} {seed} {at}");
                cuts += 1;
                if opened.is_some() {
                    break;
                }
            }
        }
    }
    assert!(cuts > 300, "{cuts} cuts");
}

/// What Kafka leaves when it is killed in the middle of `LocalLog.replaceSegments`, and what our own looks like there.
#[test]
fn tools_see_the_segments_that_a_recovery_would_make() {
    let (fs, _place, log) = prepared();
    let bases: Vec<Offset> = log.state.lock().sealed.iter().map(|sealed| sealed.base).collect();
    compact(&log, &fs, 0, 3).unwrap();
    let dir = partition();
    let seen = |fs: &SimFs, left| segments_as_settled(fs, &dir, left).unwrap();
    let logs = |fs: &SimFs, left| {
        let name = |files: &Files| files.by_suffix["log"].file_name().unwrap().to_str().unwrap().to_owned();
        let segments = seen(fs, left).into_iter().map(|(base, files)| (base, name(&files)));
        segments.take(3).collect::<Vec<_>>()
    };
    let live = |base: Offset| (base, format!("{:020}.log", base.0));
    let waiting = |base: Offset| (base, format!("{:020}.log.swap", base.0));
    let all = vec![live(bases[0]), live(bases[1]), live(bases[2])];
    // Cleaned files alone mean nothing to either.
    assert_eq!((logs(&fs, Left::ByLogboom), logs(&fs, Left::ByKafka)), (all.clone(), all.clone()));
    let stage = |fs: &SimFs, suffix: &str| {
        fs.rename(&staged(&dir, bases[0], suffix, CLEANED), &staged(&dir, bases[0], suffix, SWAP)).unwrap();
    };
    DATA.iter().for_each(|suffix| stage(&fs, suffix));
    assert_eq!(logs(&fs, Left::ByLogboom), all, "the seal is not there yet");
    // Kafka has none, and needs none; a cleaned file at or below would mean a split.
    assert_eq!(logs(&fs, Left::ByKafka), all);
    let kafka = fs.kill();
    kafka.remove(&staged(&dir, bases[0], "seal", CLEANED)).unwrap();
    assert_eq!(logs(&kafka, Left::ByKafka)[0], waiting(bases[0]));
    stage(&fs, "seal");
    let after = vec![waiting(bases[0]), live(bases[3]), live(bases[4])];
    assert_eq!(logs(&fs, Left::ByLogboom), after);
    // Half done.
    fs.rename(&staged(&dir, bases[0], "log", SWAP), &dir.join(live(bases[0]).1)).unwrap();
    fs.remove(&dir.join(live(bases[1]).1)).unwrap();
    assert_eq!(logs(&fs, Left::ByLogboom), vec![live(bases[0]), live(bases[3]), live(bases[4])]);
    let index = &seen(&fs, Left::ByLogboom)[&bases[0]].by_suffix["index"];
    assert!(index.ends_with(format!("{:020}.index.swap", 0)));
}

/// Files of a disk, mapped indexes and all: readers at every offset, look-ups by time, a replay, appends, cuts of the
/// front and swaps at once. Positions of an old file in a new one would show as bytes that are no batch, or as another
/// offset than the one asked for.
#[test]
fn readers_never_see_two_sides_of_a_swap() {
    let temporary = TempDir::new();
    let (fs, clock, rng) = (Arc::new(RealFs), Arc::new(RealClock::new()), Arc::new(RealRng));
    let mark_interval = std::time::Duration::from_millis(50);
    let options =
        LogDirOptions { commit: Commit::Thread, open_files_max: 12, mark_interval, ..Default::default() };
    let dir = LogDir::open(fs, clock, rng, &temporary.path().join("data"), options).unwrap();
    let name = TopicPartition::new("topic", 0);
    let log = dir.open_partition(&name, Uuid::from_random(1), tiny()).unwrap().0;
    let (stop, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let allowed = AtomicI64::new(100);
    let drawn = |seed: u64| crate::sys::SeededRng::new(seed);
    std::thread::scope(|scope| {
        for seed in 0..3 {
            let (log, stop, reads) = (&log, &stop, &reads);
            scope.spawn(move || {
                let _stop = StopAtEnd(stop);
                let rng = drawn(seed);
                while !stop.load(Ordering::Relaxed) {
                    read_somewhere(log, &rng);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (writer, stopped, allowed) = (&log, &stop, &allowed);
        scope.spawn(move || append_as_allowed(writer, stopped, allowed));
        let _stop = StopAtEnd(&stop);
        let rng = drawn(9);
        let (mut swaps, mut cuts) = (0, 0);
        while !stop.load(Ordering::Relaxed)
            && (swaps < 40 || cuts < 2 || reads.load(Ordering::Relaxed) < 1000)
        {
            let count = sealed(&log) as u64;
            let from = rng.below(count.max(1)) as usize;
            let to = (from + 1 + rng.below(5) as usize).min(count as usize);
            if from >= to {
                continue;
            }
            let Some(made) = compact(&log, &RealFs, from, to) else { continue };
            allowed.fetch_add(8, Ordering::Relaxed);
            match log.replace(&made) {
                Ok(()) => swaps += 1,
                Err(ReplaceError::Changed | ReplaceError::NotMarked) => {}
                Err(error) => panic!("{error}"),
            }
            if count > 12 {
                let front = log.state.lock().sealed[3].base;
                // On a busy machine the commit thread may not have come so far.
                if front <= log.marks().high_watermark {
                    log.cut_front(front).unwrap();
                    cuts += 1;
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let said = view(&log);
    log.close().unwrap();
    dir.close().unwrap();
    drop(log);
    let log = dir.open_partition(&name, Uuid::from_random(1), tiny()).unwrap().0;
    assert_eq!(view(&log), said);
}

fn append_as_allowed(log: &LocalLog, stopped: &AtomicBool, allowed: &AtomicI64) {
    let mut value = 0;
    while !stopped.load(Ordering::Relaxed) {
        if value < allowed.load(Ordering::Relaxed) {
            log.append(put((value * 7 % 11) as u8, Some(value)), Epoch(0)).unwrap();
            value += 1;
        } else {
            std::thread::yield_now();
        }
    }
}

fn read_somewhere(log: &LocalLog, rng: &crate::sys::SeededRng) {
    let marks = log.marks();
    let span = (marks.high_watermark.0 - marks.start.0).max(1) as u64;
    let from = Offset(marks.start.0 + rng.below(span) as i64);
    match rng.below(20) {
        0 => check_replay(log, from),
        1 => check_time(log, TimestampMs(1000 + from.0)),
        _ => check_read(log, from),
    }
}

/// Ends the others if one fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A record says which offset it had when it was written: here the number of an append is its offset.
fn check_batch(bytes: &Bytes) -> BatchHeader {
    let header = BatchHeader::parse(bytes).unwrap();
    let whole = bytes.slice(..header.size);
    crate::record::check_crc(&whole).unwrap();
    assert_eq!(record(&whole).1, Some(header.base_offset.0));
    header
}

fn check_read(log: &LocalLog, from: Offset) {
    let read = match log.plan_read(from, limit(900)) {
        Ok(plan) => plan.read().unwrap(),
        Err(ReadError::OutOfRange { .. }) => return,
        Err(error) => panic!("read at {from}: {error}"),
    };
    let (mut at, mut next) = (0, from);
    while read.len() >= at + BatchHeader::SIZE {
        let rest = read.slice(at..);
        if BatchHeader::parse(&rest).is_ok_and(|header| header.size > rest.len()) {
            break;
        }
        let header = check_batch(&rest);
        assert!(header.last_offset() >= next, "read at {from}: {header:?}");
        (at, next) = (at + header.size, header.next_offset());
    }
}

fn check_replay(log: &LocalLog, from: Offset) {
    let mut next = from;
    let replayed = log.replay(from, &mut |header, bytes| {
        check_batch(&bytes);
        assert!(header.base_offset >= next, "replay from {from}");
        next = header.next_offset();
        ControlFlow::Continue(())
    });
    assert!(
        matches!(replayed, Ok(()) | Err(ReadError::OutOfRange { .. })),
        "replay from {from}: {replayed:?}"
    );
}

fn check_time(log: &LocalLog, at: TimestampMs) {
    match log.find_time(at) {
        Ok(found) => {
            assert!(found.is_none_or(|found| found.timestamp >= at && found.offset.0 >= at.0 - 1000))
        }
        Err(ReadError::OutOfRange { .. }) => {}
        Err(error) => panic!("by time {at}: {error}"),
    }
}
