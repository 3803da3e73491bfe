//! The contract, over the machine's disk and the simulated one, and what is particular to local files.

use super::LocalLog;
use super::testing::{LocalPlace, ROOT};
use crate::log::contract::{batch, contents, contract_tests, limit, small};
use crate::log::{AppendFailed, LogSettings, LogState, PartitionLog, ReadError, ReadLimit};
use crate::record::{BatchBuilder, CheckedBatches};
use crate::sys::{Call, Fault, Fs, SimFs};
use crate::types::{Epoch, Offset, TimestampMs};
use futures_util::FutureExt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

mod on_disk {
    use super::*;
    contract_tests!(LocalPlace::on_disk());
}

mod simulated {
    use super::*;
    contract_tests!(LocalPlace::simulated(&SimFs::default()));
}

fn partition() -> PathBuf {
    Path::new(ROOT).join("topic-0")
}

#[test]
fn a_full_disk_refuses_an_append_and_takes_it_once_there_is_room() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(LogSettings::default()).unwrap().0;
    log.append(batch(&[1]), Epoch(0)).unwrap();
    let before = contents(&*log);
    fs.fail(Fault::enospc(Call::Write).named(".log").after_bytes(30));
    assert!(log.append(batch(&[2]), Epoch(0)).is_err());
    assert_eq!(contents(&*log), before);
    assert_eq!(log.marks().state, LogState::Online);
    assert_eq!(log.append(batch(&[2]), Epoch(0)).unwrap().first, Offset(1));
    place.dir.commit_round();
    assert_eq!(log.marks().high_watermark, Offset(2));
}

#[test]
fn a_failed_sync_ends_the_life_of_the_log_and_its_tickets() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(small()).unwrap().0;
    for _ in 0..6 {
        log.append(batch(&[1, 2, 3]), Epoch(0)).unwrap();
    }
    place.dir.commit_round();
    let durable = contents(&*log);
    let lost: Vec<_> = (0..6).map(|_| log.append(batch(&[1, 2, 3]), Epoch(0)).unwrap().ticket).collect();
    fs.fail(Fault::eio(Call::Sync));
    place.dir.commit_round();
    assert_eq!(log.marks().state, LogState::Failed);
    assert!(log.append(batch(&[1]), Epoch(0)).is_err());
    let syncs = fs.count(Call::Sync);
    place.dir.commit_round();
    assert_eq!(fs.count(Call::Sync), syncs, "a failed sync is never tried again");
    log.reopen().unwrap();
    for ticket in lost {
        assert_eq!(ticket.done().now_or_never(), Some(Err(AppendFailed::MayHaveHappened)));
    }
    assert_eq!(contents(&*log), durable);
    assert_eq!(log.append(batch(&[1]), Epoch(1)).unwrap().first, Offset(18));
    place.dir.commit_round();
    assert_eq!(log.marks().high_watermark, Offset(19));
}

#[test]
fn records_left_to_the_page_cache_are_synced_when_their_time_has_come() {
    let place = LocalPlace::simulated(&SimFs::default());
    let settings = LogSettings { flush_messages: 100, flush_ms: 50, ..LogSettings::default() };
    let log = place.log(settings).unwrap().0;
    log.append(batch(&[1]), Epoch(0)).unwrap();
    place.dir.commit_round();
    assert_eq!(log.marks().durable, Offset(0));
    place.clock.advance(Duration::from_millis(50));
    place.dir.commit_round();
    assert_eq!(log.marks().durable, Offset(1));
}

#[test]
fn a_log_that_leaves_syncs_to_the_system_is_marked_after_many_bytes() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let settings = LogSettings { flush_messages: i64::MAX, ..LogSettings::default() };
    let log = place.log(settings).unwrap().0;
    let large = CheckedBatches::trusted({
        let mut builder = BatchBuilder::new();
        builder.push(TimestampMs(1), None, Some(&vec![1; 33 << 20]), &[]);
        builder.build()
    });
    for _ in 0..2 {
        log.append(large.clone().unwrap(), Epoch(0)).unwrap();
        place.dir.commit_round();
    }
    assert_eq!(log.marks().durable, Offset(2));
    let (_, recovery) = LocalPlace::simulated(&fs.crash(1)).log(settings).unwrap();
    assert_eq!((recovery.scanned_bytes, recovery.end), (0, Offset(2)));
}

/// The start was moved up to the high watermark, which was ahead of the durable end; the power cut took the records,
/// and those that were appended and acknowledged next lay below the log start offset.
#[test]
fn the_start_is_never_beyond_what_a_power_cut_leaves() {
    let settings = LogSettings { flush_messages: i64::MAX, ..LogSettings::default() };
    for seed in 0..20 {
        let fs = SimFs::default();
        let place = LocalPlace::simulated(&fs);
        let log = place.log(settings).unwrap().0;
        (0..4).for_each(|at| drop(log.append(batch(&[at, at + 1]), Epoch(0)).unwrap()));
        assert_eq!(log.cut_front(Offset(8)).unwrap(), Offset(8));
        let (log, _) = LocalPlace::simulated(&fs.crash(seed)).log(settings).unwrap();
        let marks = log.marks();
        assert_eq!((marks.start, marks.high_watermark, marks.end), (Offset(8), Offset(8), Offset(8)));
        assert_eq!(log.append(batch(&[9]), Epoch(1)).unwrap().first, Offset(8));
    }
}

/// A round that the keeper had under way took the wish along, and the caller was told that the marks were not written.
#[test]
fn a_start_that_another_round_takes_along_has_come_when_the_call_returns() {
    let place = LocalPlace::simulated(&SimFs::default());
    let log = place.log(LogSettings::default()).unwrap().0;
    (0..300).for_each(|at| drop(log.append(batch(&[at]), Epoch(0)).unwrap()));
    place.dir.commit_round();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                place.dir.settle_starts().unwrap();
            }
        });
        let moved: Result<Vec<Offset>, _> = (1..=300).map(|at| log.cut_front(Offset(at))).collect();
        done.store(true, Ordering::Release);
        assert_eq!(moved.unwrap().len(), 300);
    });
}

/// The log held what the move of its start waits for while it waited for the move.
#[test]
fn a_log_closes_though_its_start_was_about_to_move() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(small()).unwrap().0;
    (0..30).for_each(|at| drop(log.append(batch(&[at]), Epoch(0)).unwrap()));
    place.dir.commit_round();
    log.want_start(Offset(20));
    log.close().unwrap();
    place.dir.close().unwrap();
    let log = LocalPlace::simulated(&fs.crash(1)).log(small()).unwrap().0;
    assert_eq!(log.marks().start, Offset(20));
}

#[test]
fn a_kill_leaves_what_was_written_and_only_the_tail_is_read() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(LogSettings::default()).unwrap().0;
    for at in 0..100 {
        log.append(batch(&[at]), Epoch(0)).unwrap();
    }
    place.dir.commit_round();
    place.clock.advance(Duration::from_secs(60));
    place.dir.commit_round();
    let marked = log.size_bytes();
    for at in 0..10 {
        log.append(batch(&[at]), Epoch(0)).unwrap();
    }
    let (all, bytes) = (contents(&*log), log.size_bytes());
    let place = LocalPlace::simulated(&fs.kill());
    assert!(!place.dir.was_clean());
    let (log, recovery) = place.log(LogSettings::default()).unwrap();
    assert_eq!(contents(&*log), all);
    assert_eq!((recovery.scanned_bytes, recovery.cut_bytes), (bytes - marked, 0));
    assert_eq!(log.marks().high_watermark, Offset(110));
}

#[test]
fn after_a_shutdown_in_good_order_nothing_is_read() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(small()).unwrap().0;
    (0..30).for_each(|at| drop(log.append(batch(&[at]), Epoch(0)).unwrap()));
    log.close().unwrap();
    place.dir.close().unwrap();
    let place = LocalPlace::simulated(&fs.crash(1));
    assert!(place.dir.was_clean());
    let (log, recovery) = place.log(small()).unwrap();
    assert_eq!((recovery.scanned_bytes, recovery.rebuilt_indexes), (0, 0));
    assert_eq!(log.marks().end, Offset(30));
}

#[test]
fn a_torn_tail_is_cut_to_the_last_whole_batch() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(LogSettings::default()).unwrap().0;
    (0..3).for_each(|at| drop(log.append(batch(&[at]), Epoch(0)).unwrap()));
    let whole = contents(&*log);
    let path = partition().join("00000000000000000000.log");
    let bytes = fs.read(&path).unwrap();
    for cut in 1..whole[2].len() {
        let torn = fs.kill();
        torn.plant(&path, &bytes[..bytes.len() - cut]).unwrap();
        let place = LocalPlace::simulated(&torn);
        let (log, recovery) = place.log(LogSettings::default()).unwrap();
        assert_eq!(contents(&*log), whole[..2]);
        assert_eq!(recovery.cut_from, Some(Offset(2)));
        assert_eq!(recovery.cut_bytes, (whole[2].len() - cut) as u64);
    }
}

/// A closed log of several segments on a simulated disk, and its batches.
fn at_rest() -> (SimFs, Vec<bytes::Bytes>) {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(small()).unwrap().0;
    (0..40).for_each(|at| drop(log.append(batch(&[at, at + 1]), Epoch(at as i32 / 20)).unwrap()));
    place.dir.commit_round();
    let all = contents(&*log);
    log.close().unwrap();
    place.dir.close().unwrap();
    (fs, all)
}

/// Every offset of a log of two records a batch: served with the right bytes, or refused.
fn served(log: &LocalLog, all: &[bytes::Bytes]) -> Vec<bool> {
    let whole = all.concat();
    let limit = ReadLimit { below: Offset(all.len() as i64 * 2), ..limit(usize::MAX) };
    let read = |at: usize| match log.plan_read(Offset(at as i64), limit) {
        Ok(plan) => {
            let bytes = plan.read().unwrap();
            assert!(bytes.starts_with(&all[at / 2]), "at {at}: {} bytes, {:?}", bytes.len(), log.damage());
            let from = all[..at / 2].iter().map(|batch| batch.len()).sum::<usize>();
            assert!(whole[from..].starts_with(&bytes), "at {at}");
            true
        }
        Err(ReadError::Damaged { at: from, until, .. }) => {
            assert!((from.0..until.0).contains(&(at as i64)), "{from}..{until} at {at}");
            false
        }
        Err(error) => panic!("at {at}: {error}"),
    };
    (0..all.len() * 2).map(read).collect()
}

#[test]
fn what_is_missing_before_the_mark_is_refused_and_all_else_served() {
    let (fs, all) = at_rest();
    let segments: Vec<_> = fs
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|suffix| suffix == "log"))
        .collect();
    let ends =
        segments.iter().skip(1).map(|(path, _)| super::files::base_of(path, "log").unwrap().0 as usize);
    let ends: Vec<usize> = ends.chain([80]).collect();
    for (nth, (path, len)) in segments.iter().enumerate() {
        let base = if nth == 0 { 0 } else { ends[nth - 1] };
        for keep in [None, Some(0), Some(1), Some(*len as usize / 2), Some(*len as usize - 1)] {
            let fs = fs.kill();
            let bytes = fs.read(path).unwrap();
            match keep {
                Some(keep) => fs.plant(path, &bytes[..keep]).unwrap(),
                None => fs.remove(path).unwrap(),
            }
            let files =
                || fs.files().into_iter().filter(|(path, _)| path.extension().is_some_and(|s| s == "log"));
            let before: Vec<_> = files().collect();
            for again in 0..2 {
                let place = LocalPlace::simulated(&fs);
                let log = place.log(small()).unwrap().0;
                let marks = log.marks();
                assert_eq!((marks.start, marks.end), (Offset(0), Offset(80 + again)));
                let whole: Vec<bool> = served(&log, &all);
                let lost: Vec<usize> = (0..80).filter(|at| !whole[*at]).collect();
                assert_eq!(*lost.last().unwrap() + 1, ends[nth], "{nth} {keep:?} {again}: {lost:?}");
                assert!(lost[0] >= base && lost.len() == ends[nth] - lost[0], "{nth} {keep:?}: {lost:?}");
                assert_eq!(lost[0] == base, keep.is_none_or(|keep| keep < 2), "{nth} {keep:?}");
                let listed = log.damage();
                assert!(!listed.is_empty());
                assert!(
                    listed
                        .iter()
                        .all(|one| one.at.0 as usize >= lost[0] && one.until.0 as usize <= ends[nth])
                );
                assert_eq!(log.append(batch(&[1]), Epoch(2)).unwrap().first, Offset(80 + again));
                place.dir.commit_round();
                assert!(
                    before.iter().all(|(path, len)| files().any(|(now, size)| now == *path && size >= *len))
                );
                log.close().unwrap();
                place.dir.close().unwrap();
            }
        }
    }
}

#[test]
fn the_scrub_finds_rot_before_a_reader_does() {
    let (fs, all) = at_rest();
    let fs = fs.kill();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(small()).unwrap().0;
    assert_eq!(contents(&*log), all, "all of it was read and found sound");
    place.dir.scrub_round().unwrap();
    assert_eq!(log.damage(), []);
    fs.corrupt(&partition().join("00000000000000000000.log"), 3, 1).unwrap();
    place.dir.scrub_round().unwrap();
    let listed = log.damage();
    assert_eq!(listed.iter().map(|one| (one.at.0, one.until.0)).collect::<Vec<_>>(), [(0, 2)]);
    assert!(matches!(log.plan_read(Offset(1), limit(10)), Err(ReadError::Damaged { .. })));
    assert!(log.plan_read(Offset(2), limit(10)).is_ok());
    // Put back from a copy: the next round, or reader, sees it.
    fs.corrupt(&partition().join("00000000000000000000.log"), 3, 1).unwrap();
    log.close().unwrap();
    place.dir.close().unwrap();
    let place = LocalPlace::simulated(&fs.kill());
    let log = place.log(small()).unwrap().0;
    assert_eq!(log.damage(), listed, "the list outlives a restart");
    assert_eq!(contents(&*log), all);
    assert_eq!(log.damage(), []);
}

#[test]
fn what_the_disk_does_not_give_is_refused_and_all_else_served() {
    let (fs, all) = at_rest();
    for name in ["00000000000000000000.log", "00000000000000000000.index", "leader-epoch-checkpoint", ".seal"]
    {
        let fs = fs.kill();
        fs.fail(Fault::eio(Call::Read).named(name).lasting());
        let place = LocalPlace::simulated(&fs);
        let log = place.log(small()).unwrap().0;
        let whole = served(&log, &all);
        let lost = whole.iter().filter(|whole| !**whole).count();
        assert_eq!(lost > 0, name.ends_with(".log"), "{name}: {lost}");
        assert!(whole[40..].iter().all(|whole| *whole), "{name}");
        assert_eq!(log.append(batch(&[1]), Epoch(2)).unwrap().first, Offset(80));
    }
}

/// Recovery took the epochs of the segment in which it began to read out of that segment's seal, found the first
/// batches to be of an older epoch, and cut off all of a log that the marks did not know yet.
#[test]
fn a_log_of_several_epochs_that_no_mark_knows_is_kept() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(small()).unwrap().0;
    for at in 0..20 {
        log.append(batch(&[at, at]), Epoch(at as i32)).unwrap();
        place.dir.commit_round();
    }
    let all = contents(&*log);
    for marks in [true, false] {
        let fs = fs.crash(1);
        if !marks {
            fs.remove(&Path::new(ROOT).join(super::marks::FILE)).unwrap();
        }
        let (log, recovery) = LocalPlace::simulated(&fs).log(small()).unwrap();
        assert_eq!((contents(&*log), recovery.cut_bytes), (all.clone(), 0));
        assert_eq!(log.epoch_end(Epoch(3)), (Epoch(3), Offset(8)));
    }
}

/// One flipped bit in a base offset, which no CRC covers, made a replay hand out offsets that went back, or beyond the
/// end of the log, and say nothing.
#[test]
fn a_base_offset_that_does_not_follow_is_damage() {
    let (fs, _) = at_rest();
    let logs = fs.files().into_iter().map(|(path, _)| path);
    for path in logs.filter(|path| path.extension().is_some_and(|suffix| suffix == "log")) {
        for bit in 0..16 {
            let fs = fs.kill();
            fs.corrupt(&path, 7 - bit / 8, 1 << (bit % 8)).unwrap();
            let place = LocalPlace::simulated(&fs);
            let Ok((log, _)) = place.log(small()) else { continue };
            let mut next = Offset::ZERO;
            let replayed = log.replay(Offset::ZERO, &mut |header, _| {
                assert!(header.base_offset >= next);
                next = header.next_offset();
                ControlFlow::Continue(())
            });
            assert!(matches!(replayed, Err(ReadError::Damaged { .. })), "bit {bit} of {}", path.display());
        }
    }
}

#[test]
fn side_files_may_be_lost_or_wrong_and_the_data_stay() {
    let (fs, all) = at_rest();
    let side: Vec<PathBuf> = fs
        .files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            !path.ends_with("meta.properties") && path.extension().is_none_or(|suffix| suffix != "log")
        })
        .collect();
    for path in &side {
        let bytes = fs.read(path).unwrap();
        let zeros = vec![0; bytes.len()];
        let flipped: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
        let half = bytes[..bytes.len() / 2].to_vec();
        for replaced in [None, Some(zeros), Some(flipped), Some(half), Some(Vec::new())] {
            let fs = fs.kill();
            match &replaced {
                Some(bytes) => fs.plant(path, bytes).unwrap(),
                None => fs.remove(path).unwrap(),
            }
            let place = LocalPlace::simulated(&fs);
            let log = place.log(small()).unwrap().0;
            assert_eq!(contents(&*log), all, "{path:?}");
            assert_eq!(log.epoch_end(Epoch(0)), (Epoch(0), Offset(40)), "{path:?}");
            for from in 0..80 {
                let read = log.plan_read(Offset(from), limit(usize::MAX)).unwrap().read().unwrap();
                assert!(all.concat().ends_with(&read), "{path:?} from {from}");
            }
            assert_eq!(log.append(batch(&[1]), Epoch(2)).unwrap().first, Offset(80));
        }
    }
}

#[test]
fn a_partition_of_another_topic_id_is_put_aside() {
    let (fs, _) = at_rest();
    let place = LocalPlace::simulated(&fs);
    let name = crate::types::TopicPartition::new("topic", 0);
    let other = crate::types::Uuid::from_random(2);
    let (log, _) = place.dir.open_partition(&name, other, small()).unwrap();
    assert_eq!(log.marks().end, Offset(0));
    assert_eq!(place.dir.partitions_on_disk().unwrap(), [(name, Some(other))]);
    place.dir.commit_round();
    assert!(fs.files().iter().all(|(path, _)| !path.to_string_lossy().contains("-delete")));
}

#[test]
fn a_deleted_partition_begins_anew() {
    let (fs, _) = at_rest();
    let place = LocalPlace::simulated(&fs);
    let name = crate::types::TopicPartition::new("topic", 0);
    let log = place.log(small()).unwrap().0;
    assert!(place.dir.delete_partition(&name, Duration::ZERO).is_err(), "it is open");
    log.close().unwrap();
    place.dir.delete_partition(&name, Duration::ZERO).unwrap();
    assert_eq!(place.dir.partitions_on_disk().unwrap(), []);
    assert_eq!(place.log(small()).unwrap().0.marks().end, Offset(0));
}

#[test]
fn a_sealed_segment_has_both_index_files() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(LogSettings { segment_bytes: 1, ..LogSettings::default() }).unwrap().0;
    for _ in 0..3 {
        log.append(batch(&[-1]), Epoch(0)).unwrap();
    }
    for (base, suffix) in
        [0, 1].into_iter().flat_map(|base| ["index", "timeindex"].map(|suffix| (base, suffix)))
    {
        assert!(fs.exists(&partition().join(format!("{base:020}.{suffix}"))), "{base} {suffix}");
    }
}

#[test]
fn few_files_are_open_whatever_the_number_of_segments() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(LogSettings { segment_bytes: 1, ..small() }).unwrap().0;
    for at in 0..1200 {
        log.append(batch(&[at]), Epoch(0)).unwrap();
        place.dir.commit_round();
    }
    assert!(place.dir.open_files() <= 1000);
    assert_eq!(log.plan_read(Offset(0), limit(usize::MAX)).unwrap().pieces.len(), 1200);
    assert!(log.find_time(TimestampMs(600)).unwrap().is_some_and(|found| found.offset == Offset(600)));
}

#[test]
fn the_committer_thread_makes_tickets_done() {
    let temporary = super::testing::TempDir::new();
    let dir = super::LogDir::open(
        Arc::new(crate::sys::RealFs),
        Arc::new(crate::sys::RealClock::new()),
        Arc::new(crate::sys::RealRng),
        &temporary.path().join("data"),
        super::LogDirOptions::default(),
    )
    .unwrap();
    let name = crate::types::TopicPartition::new("topic", 0);
    let log = dir.open_partition(&name, crate::types::Uuid::from_random(1), small()).unwrap().0;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for at in 0..50 {
        let ticket = log.append(batch(&[at]), Epoch(0)).unwrap().ticket;
        runtime.block_on(ticket.done()).unwrap();
    }
    log.close().unwrap();
    dir.close().unwrap();
}

/// Logs of one topic, each with a record.
fn several(dir: &Arc<super::LogDir>, partitions: i32) -> Vec<Arc<LocalLog>> {
    let open = |partition| {
        let name = crate::types::TopicPartition::new("topic", partition);
        let log = dir.open_partition(&name, crate::types::Uuid::from_random(1), small()).unwrap().0;
        log.append(batch(&[5]), Epoch(0)).unwrap();
        log
    };
    (0..partitions).map(open).collect()
}

/// A stop closed ten thousand logs one after another, each with four syncs, in half a minute, during which the marks
/// were written every few seconds with a complaint about each log that was closed meanwhile.
#[test]
fn logs_that_are_closed_together_leave_their_marks_to_the_end() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let logs = several(&place.dir, 5);
    place.dir.commit_round();
    let written = || fs.read_raw(&Path::new(ROOT).join("logboom.marks")).unwrap_or_default();
    let before = written();
    place.dir.close_logs(&logs, |log| {
        log.close().unwrap();
        place.clock.advance(Duration::from_secs(60));
        place.dir.keep(true);
        assert_eq!(written(), before);
    });
    place.dir.close().unwrap();
    let place = LocalPlace::simulated(&fs.crash(1));
    assert!(place.dir.was_clean());
    for partition in 0..5 {
        let name = crate::types::TopicPartition::new("topic", partition);
        let opened = place.dir.open_partition(&name, crate::types::Uuid::from_random(1), small()).unwrap();
        assert_eq!((opened.1.end, opened.1.scanned_bytes), (Offset(1), 0));
    }
}

#[test]
fn several_logs_are_closed_at_once() {
    let temporary = super::testing::TempDir::new();
    let (clock, rng) = (Arc::new(crate::sys::RealClock::new()), Arc::new(crate::sys::RealRng));
    let path = temporary.path().join("data");
    let options = super::LogDirOptions::default();
    let dir = super::LogDir::open(Arc::new(crate::sys::RealFs), clock, rng, &path, options).unwrap();
    let logs = several(&dir, 9);
    let met = std::sync::Barrier::new(2);
    let first = AtomicBool::new(true);
    dir.close_logs(&logs[..8], |log| {
        log.close().unwrap();
        // Two that wait for each other are two threads.
        if Arc::ptr_eq(log, &logs[0]) || first.swap(false, Ordering::SeqCst) {
            met.wait();
        }
    });
    logs[8].close().unwrap();
    dir.close().unwrap();
}

/// Changes a file in a way that depends on `rng`: bytes overwritten, cut, doubled or drawn.
fn damage(bytes: &mut Vec<u8>, rng: &crate::sys::SeededRng) {
    let at = rng.below(bytes.len() as u64 + 1) as usize;
    match rng.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.extend_from_within(at..),
        2 => (0..rng.below(200)).for_each(|_| bytes.push(rng.below(256) as u8)),
        3 => bytes[at..].iter_mut().take(20).for_each(|byte| *byte = rng.below(256) as u8),
        _ => bytes[at..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << rng.below(8)),
    }
}

#[test]
fn no_bytes_on_disk_make_the_loader_panic() {
    let (fs, _) = at_rest();
    let paths: Vec<PathBuf> = fs.files().into_iter().map(|(path, _)| path).collect();
    for seed in 0..400 {
        let (fs, rng) = (fs.kill(), crate::sys::SeededRng::new(seed));
        for _ in 0..=rng.below(3) {
            let path = &paths[rng.below(paths.len() as u64) as usize];
            let mut bytes = fs.read(path).unwrap();
            damage(&mut bytes, &rng);
            fs.plant(path, &bytes).unwrap();
        }
        use_all(&fs);
    }
}

#[test]
fn no_mark_makes_the_loader_panic() {
    let (fs, _) = at_rest();
    let path = Path::new(ROOT).join(super::marks::FILE);
    let bytes = fs.read(&path).unwrap();
    for seed in 0..300 {
        let (fs, rng) = (fs.kill(), crate::sys::SeededRng::new(seed));
        // The checksum is right, the facts are not.
        let mut changed = bytes[..bytes.len() - 4].to_vec();
        for _ in 0..=rng.below(4) {
            let at = 32 + rng.below(changed.len() as u64 - 32) as usize;
            changed[at] = if rng.below(2) == 0 { 0xff } else { rng.below(256) as u8 };
        }
        let crc = crc32fast::hash(&changed);
        changed.extend_from_slice(&crc.to_be_bytes());
        fs.plant(&path, &changed).unwrap();
        use_all(&fs);
    }
}

#[test]
fn a_mark_that_no_log_can_have_takes_nothing_and_leaves_nothing() {
    // With a negative end the log went on at it, in a segment of a negative name, which the next start did not find:
    // what was acknowledged meanwhile was gone. A start above the end was kept, and once the log had grown past it
    // the next start took records below it for deleted.
    let (fs, all) = at_rest();
    let path = Path::new(ROOT).join(super::marks::FILE);
    let marks = super::marks::Marks::decode(&fs.read(&path).unwrap()).unwrap();
    let end = all.len() as i64 * 2;
    for (start, base, marked) in [(0, -70, -63), (end + 3, 0, end), (0, end + 3, end), (-5, 0, end)] {
        let (fs, mut marks) = (fs.kill(), marks.clone());
        let mark = marks.by_partition.values_mut().next().unwrap();
        mark.start = Offset(start);
        (mark.point.base, mark.point.end) = (Offset(base), Offset(marked));
        fs.plant(&path, &marks.encode()).unwrap();
        let mut held = all.clone();
        for life in 0..3 {
            let place = LocalPlace::simulated(&fs);
            let log = place.log(small()).unwrap().0;
            assert_eq!((log.marks().start, log.marks().end), (Offset(0), Offset(held.len() as i64 * 2)));
            assert_eq!(contents(&*log), held, "life {life} with {start} {base} {marked}");
            log.append(batch(&[7, 8]), Epoch(3)).unwrap();
            place.dir.commit_round();
            held = contents(&*log);
            assert_eq!(held.len(), all.len() + life + 1);
            log.close().unwrap();
            place.dir.close().unwrap();
        }
    }
}

/// Opens what there is and calls everything; any answer will do.
fn use_all(fs: &SimFs) {
    let clock = crate::sys::SimClock::new(TimestampMs(1));
    let options = super::LogDirOptions { commit: super::Commit::Manual, ..Default::default() };
    let (shared, rng) = (Arc::new(fs.clone()), Arc::new(crate::sys::SeededRng::new(1)));
    let Ok(dir) = super::LogDir::open(shared, Arc::new(clock), rng, Path::new(ROOT), options) else { return };
    let name = crate::types::TopicPartition::new("topic", 0);
    let Ok((log, _)) = dir.open_partition(&name, crate::types::Uuid::from_random(1), small()) else { return };
    let marks = log.marks();
    for from in marks.start.0..marks.end.0.min(marks.start.0.saturating_add(100)) {
        let _ = log.plan_read(Offset(from), limit(500)).map(|plan| plan.read());
        let _ = log.find_time(TimestampMs(from));
        let _ = log.epoch_at(Offset(from));
    }
    let _ = log.find_max_time();
    let _ = log.replay(marks.start, &mut |_, _| std::ops::ControlFlow::Continue(()));
    let _ = log.snapshots();
    let _ = log.append(batch(&[5, 6]), Epoch(50));
    dir.commit_round();
    let _ = log.cut_front(Offset(marks.end.0 / 2));
    let _ = log.close();
    let _ = dir.close();
}

#[test]
fn a_segment_without_timestamps_goes_by_when_it_was_written_last() {
    let fs = SimFs::default();
    let place = LocalPlace::simulated(&fs);
    let log = place.log(LogSettings { segment_bytes: 1, ..LogSettings::default() }).unwrap().0;
    for _ in 0..3 {
        log.append(batch(&[-1]), Epoch(0)).unwrap();
    }
    place.dir.commit_round();
    let rule = crate::log::Retention { ms: Some(100), ..crate::log::Retention::ALL };
    let start_at = |now| {
        log.retain(&rule, TimestampMs(now)).unwrap();
        place.dir.commit_round();
        log.marks().start
    };
    assert_eq!(start_at(i64::MAX / 2), Offset(0), "nobody knows how old it is");
    for (base, at) in [(0, 50), (1, 90)] {
        fs.set_modified(&partition().join(format!("{base:020}.log")), TimestampMs(at)).unwrap();
    }
    assert_eq!(start_at(151), Offset(1));
    assert_eq!(start_at(191), Offset(2));
}

#[test]
fn a_partition_at_rest_costs_little_memory() {
    let state = std::mem::size_of::<super::log::State>();
    let log = std::mem::size_of::<LocalLog>();
    assert!(log < 1500, "LocalLog {log}, of it State {state}");
}
