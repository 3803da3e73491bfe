//! The journal as a whole: rounds of several logs, what a power cut takes, files that take turns, and disks that fail.

use crate::log::contract::{batch, contents};
use crate::log::local::testing::ROOT;
use crate::log::local::{Commit, LocalLog, LogDir, LogDirOptions};
use crate::log::{AppendFailed, LogSettings, LogState, PartitionLog};
use crate::sys::{Call, Fault, Fs, SeededRng, SimClock, SimFs};
use crate::types::{Epoch, Offset, TimestampMs, TopicPartition, Uuid};
use bytes::Bytes;
use futures_util::FutureExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Power cuts tried at each point.
const CUTS: u64 = 20;

/// A log directory in which every small round goes into the journal, and three logs.
struct Place {
    fs: SimFs,
    dir: Arc<LogDir>,
    logs: Vec<Arc<LocalLog>>,
}

impl Place {
    fn open(fs: &SimFs, journal_bytes: u64) -> Place {
        let options = LogDirOptions {
            commit: Commit::Manual,
            journal_logs_min: 1,
            journal_bytes,
            ..LogDirOptions::default()
        };
        let (clock, rng) = (Arc::new(SimClock::new(TimestampMs(1))), Arc::new(SeededRng::new(1)));
        let dir = LogDir::open(Arc::new(fs.clone()), clock, rng, Path::new(ROOT), options).unwrap();
        let open = |nth| {
            let name = TopicPartition::new("topic", nth);
            dir.open_partition(&name, Uuid::from_random(1), LogSettings::default()).unwrap().0
        };
        let logs = (0..3).map(open).collect();
        Place { fs: fs.clone(), dir, logs }
    }

    /// The names of all logs are durable, and a batch in each.
    fn begun(fs: &SimFs, journal_bytes: u64) -> Place {
        let place = Place::open(fs, journal_bytes);
        place.append(0);
        place.dir.commit_round();
        place
    }

    /// A batch for each log.
    fn append(&self, epoch: i32) {
        for log in &self.logs {
            log.append(batch(&[1, 2]), Epoch(epoch)).unwrap();
        }
    }

    fn contents(&self) -> Vec<Vec<Bytes>> {
        self.logs.iter().map(|log| contents(&**log)).collect()
    }

    /// After a power cut at this moment.
    fn cut(&self, seed: u64) -> Place {
        Place::open(&self.fs.crash(seed), 1 << 20)
    }

    fn close(&self) {
        self.logs.iter().for_each(|log| log.close().unwrap());
        self.dir.close().unwrap();
    }
}

fn journal_files(fs: &SimFs) -> Vec<PathBuf> {
    let names = fs.list(Path::new(ROOT)).unwrap();
    names.into_iter().filter(|name| name.to_string_lossy().contains("journal")).collect()
}

#[test]
fn a_round_of_small_appends_is_one_sync() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    for _ in 0..3 {
        place.append(0);
        place.dir.commit_round();
        let syncs = fs.count(Call::Sync);
        place.append(0);
        place.dir.commit_round();
        assert_eq!(fs.count(Call::Sync), syncs + 1);
    }
    assert!(place.logs.iter().all(|log| log.marks().durable == log.marks().end));
}

#[test]
fn what_the_journal_made_durable_outlasts_a_power_cut_and_the_next() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    let mut lost = 0;
    for round in 0..6 {
        place.append(0);
        place.dir.commit_round();
        let expect = place.contents();
        place.append(0);
        for seed in 0..CUTS {
            let after = place.cut(seed + 100 * round);
            let found = after.contents();
            for (expect, found) in expect.iter().zip(&found) {
                assert!(found.starts_with(expect), "round {round}, seed {seed}");
            }
            lost += u64::from(
                fs.crash(seed)
                    .read_raw(&Path::new(ROOT).join("topic-0/00000000000000000000.log"))
                    .unwrap()
                    .len()
                    < expect[0].concat().len(),
            );
            // Recovery synced all that it showed, so the next cut takes none of it.
            assert_eq!(after.cut(seed).contents(), found);
        }
    }
    assert!(lost > 0, "no cut took anything from a segment");
}

#[test]
fn journal_files_take_turns_and_lose_nothing() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 16 << 10);
    for round in 0..40 {
        place.append(0);
        place.dir.commit_round();
        let expect = place.contents();
        for seed in 0..3 {
            assert_eq!(place.cut(seed + round).contents(), expect, "round {round}");
        }
    }
    assert_eq!(journal_files(&fs).len(), 2);
    for path in journal_files(&fs) {
        assert!(fs.read_raw(&path).unwrap().len() <= 20 << 10, "{}", path.display());
    }
}

#[test]
fn a_shutdown_in_good_order_leaves_no_journal() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    place.append(0);
    place.dir.commit_round();
    let expect = place.contents();
    assert!(!journal_files(&fs).is_empty());
    place.close();
    assert!(journal_files(&fs).is_empty());
    assert_eq!(place.cut(1).contents(), expect);
}

#[test]
fn the_journal_of_a_killed_broker_goes_once_every_log_has_what_it_holds() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    place.append(0);
    place.dir.commit_round();
    let expect = place.contents();
    let after = place.cut(3);
    assert_eq!(after.contents(), expect);
    assert!(journal_files(&after.fs).is_empty());
}

#[test]
fn entries_of_a_partition_that_is_gone_go_too() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    place.append(0);
    place.dir.commit_round();
    let crashed = fs.crash(5);
    crashed.remove_dir_all(&Path::new(ROOT).join("topic-2")).unwrap();
    let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
    let (clock, rng) = (Arc::new(SimClock::new(TimestampMs(1))), Arc::new(SeededRng::new(1)));
    let dir = LogDir::open(Arc::new(crashed.clone()), clock, rng, Path::new(ROOT), options).unwrap();
    let open = |nth| {
        let name = TopicPartition::new("topic", nth);
        dir.open_partition(&name, Uuid::from_random(1), LogSettings::default()).unwrap().0
    };
    let _logs: Vec<_> = (0..2).map(open).collect();
    assert_eq!(journal_files(&crashed).len(), 1, "nobody has looked for the third");
    dir.commit_round();
    assert!(journal_files(&crashed).is_empty());
}

#[test]
fn a_failed_sync_of_the_journal_ends_the_life_of_its_logs_and_keeps_what_was_durable() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    place.append(0);
    place.dir.commit_round();
    let durable = place.contents();
    let tickets: Vec<_> =
        place.logs.iter().map(|log| log.append(batch(&[3, 4]), Epoch(0)).unwrap().ticket).collect();
    fs.fail(Fault::eio(Call::Sync).named("journal"));
    place.dir.commit_round();
    assert!(place.logs.iter().all(|log| log.marks().state == LogState::Failed));
    place.logs.iter().for_each(|log| log.reopen().unwrap());
    for ticket in tickets {
        assert_eq!(ticket.done().now_or_never(), Some(Err(AppendFailed::MayHaveHappened)));
    }
    assert_eq!(place.contents(), durable);
    for round in 0..4 {
        place.append(1);
        place.dir.commit_round();
        let expect = place.contents();
        for seed in 0..CUTS {
            assert_eq!(place.cut(seed).contents(), expect, "round {round}, seed {seed}");
        }
    }
}

#[test]
fn a_failed_sync_of_a_file_costs_nothing_that_the_journal_has() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    for _ in 0..3 {
        place.append(0);
        place.dir.commit_round();
    }
    let durable = place.contents();
    // Too much for the journal, so the file is synced.
    let large: Vec<i64> = (0..2000).collect();
    place.logs[0].append(batch(&large), Epoch(0)).unwrap();
    fs.fail(Fault::eio(Call::Sync).named("topic-0"));
    place.dir.commit_round();
    assert_eq!(place.logs[0].marks().state, LogState::Failed);
    place.logs[0].reopen().unwrap();
    assert_eq!(place.contents(), durable);
    for seed in 0..CUTS {
        assert_eq!(place.cut(seed).contents(), durable, "seed {seed}");
    }
}

#[test]
fn a_journal_that_cannot_be_written_is_done_without() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    fs.fail(Fault::eio(Call::Write).named("journal").lasting());
    for _ in 0..3 {
        place.append(0);
        place.dir.commit_round();
        assert!(place.logs.iter().all(|log| log.marks().durable == log.marks().end));
        let expect = place.contents();
        assert!((0..CUTS).all(|seed| place.cut(seed).contents() == expect));
    }
}

#[test]
fn records_can_be_deleted_up_to_an_end_that_is_in_the_journal() {
    let fs = SimFs::default();
    let place = Place::begun(&fs, 1 << 20);
    place.append(0);
    place.dir.commit_round();
    assert_eq!(place.logs[1].cut_front(Offset(4)).unwrap(), Offset(4));
    for seed in 0..CUTS {
        let marks = place.cut(seed).logs[1].marks();
        assert_eq!((marks.start, marks.end), (Offset(4), Offset(4)), "seed {seed}");
    }
}
