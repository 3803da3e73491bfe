//! The power is cut at every write and every sync of each operation of the local log, and the disk keeps any part of
//! what was not synced: nothing acknowledged is lost, nothing is reordered, the log always opens and goes on.

use crate::kit::at_every_crash_point;
use crate::log_kit::{Account, check_after_crash, id, name, open_dir, open_log, small};
use logboom::log::{LogSettings, LogState, PartitionLog, Retention};
use logboom::sys::{Call, Fault, Fs, SimFs};
use logboom::types::{Epoch, Offset, TimestampMs, Uuid};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Runs `work` with the power cut everywhere; at least `cuts` cuts, so that a change cannot empty the test unseen.
fn check(prepared: &SimFs, seeds: u64, cuts: u64, work: impl Fn(&SimFs, &mut Account) -> Option<()>) {
    let account = Account::new();
    check_from(prepared, &account, seeds, cuts, work);
}

fn check_from(
    prepared: &SimFs,
    account: &Account,
    seeds: u64,
    cuts: u64,
    work: impl Fn(&SimFs, &mut Account) -> Option<()>,
) {
    let done = AtomicU64::new(0);
    at_every_crash_point(
        prepared,
        seeds,
        |fs| {
            let mut account = account.clone();
            let ended = work(fs, &mut account);
            assert!(ended.is_some() || fs.power_is_off(), "the work ends early");
            account
        },
        |fs, account, point| {
            done.fetch_add(1, Ordering::Relaxed);
            check_after_crash(fs, account, &point);
        },
    );
    let done = done.into_inner();
    assert!(done >= cuts, "{done} cuts");
}

/// Appends a few batches a round; an epoch for every four rounds.
fn rounds(fs: &SimFs, account: &mut Account, settings: LogSettings, rounds: i32) -> Option<()> {
    let dir = open_dir(fs)?;
    let (log, _) = open_log(&dir, settings)?;
    for round in 0..rounds {
        for _ in 0..=round % 3 {
            account.append(&*log, Epoch(round / 4))?;
        }
        dir.commit_round();
        account.note(&*log);
        (log.marks().state == LogState::Online && !fs.power_is_off()).then_some(())?;
    }
    Some(())
}

/// A directory with a log of several segments in it, all durable.
fn filled() -> (SimFs, Account) {
    let (fs, mut account) = (SimFs::new(1), Account::new());
    rounds(&fs, &mut account, small(), 9).unwrap();
    fs.settle();
    (fs, account)
}

#[test]
fn append_roll_index_and_marks() {
    check(&SimFs::new(1), 5, 700, |fs, account| rounds(fs, account, small(), 8));
}

#[test]
fn appends_between_rare_marks() {
    let settings = LogSettings { segment_bytes: 2000, ..small() };
    check(&SimFs::new(2), 4, 350, |fs, account| rounds(fs, account, settings, 6));
}

#[test]
fn appends_left_to_the_page_cache() {
    let settings = LogSettings { flush_messages: 6, ..small() };
    check(&SimFs::new(3), 4, 500, |fs, account| rounds(fs, account, settings, 8));
}

#[test]
fn recovery_itself() {
    // The first crash leaves a torn tail; the second one strikes while it is being cut.
    for seed in 0..8 {
        let (fs, mut account) = filled();
        let dir = open_dir(&fs).unwrap();
        let log = open_log(&dir, small()).unwrap().0;
        for _ in 0..6 {
            account.append(&*log, Epoch(3)).unwrap();
        }
        let torn = fs.crash(seed);
        check_from(&torn, &account, 4, 20, |fs, _| {
            let dir = open_dir(fs)?;
            open_log(&dir, small())?;
            dir.commit_round();
            (!fs.power_is_off()).then_some(())
        });
    }
}

#[test]
fn cut_front() {
    let (fs, account) = filled();
    check_from(&fs, &account, 6, 450, |fs, account| {
        let dir = open_dir(fs)?;
        let (log, _) = open_log(&dir, small())?;
        for start in [3, 11, 16] {
            account.cut_front(&*log, Offset(start))?;
            account.append(&*log, Epoch(3))?;
            dir.commit_round();
            account.note(&*log);
        }
        (!fs.power_is_off()).then_some(())
    });
}

#[test]
fn close_and_open_again() {
    check(&SimFs::new(4), 5, 500, |fs, account| {
        for turn in 0..3 {
            let dir = open_dir(fs)?;
            let (log, _) = open_log(&dir, small())?;
            for _ in 0..4 {
                account.append(&*log, Epoch(turn))?;
            }
            log.close().ok()?;
            account.note(&*log);
            dir.close().ok()?;
        }
        Some(())
    });
}

#[test]
fn a_failed_sync_and_the_next_life() {
    let (fs, account) = filled();
    check_from(&fs, &account, 6, 300, |fs, account| {
        let dir = open_dir(fs)?;
        let (log, _) = open_log(&dir, small())?;
        for epoch in [5, 6] {
            for _ in 0..4 {
                account.append(&*log, Epoch(epoch))?;
            }
            if epoch == 5 {
                fs.fail(Fault::eio(Call::Sync).named("topic-0"));
            }
            dir.commit_round();
            account.note(&*log);
            if log.marks().state == LogState::Failed {
                log.reopen().ok()?;
                account.note_reopened(log.marks().end);
            }
        }
        (!fs.power_is_off()).then_some(())
    });
}

#[test]
fn a_failed_first_sync_of_names_and_the_next_life() {
    // A later sync of the directories would succeed without the names that the failed one lost.
    // The first is the partition's, the second the log directory's.
    for nth in [1, 2] {
        check(&SimFs::new(6), 4, 80, |fs, account| {
            let dir = open_dir(fs)?;
            let (log, _) = open_log(&dir, small())?;
            account.append(&*log, Epoch(0))?;
            fs.fail(Fault::eio(Call::SyncDir).nth(nth));
            dir.commit_round();
            fs.heal();
            account.note(&*log);
            if log.marks().state == LogState::Failed {
                log.reopen().ok()?;
                account.note_reopened(log.marks().end);
            }
            account.append(&*log, Epoch(1))?;
            dir.commit_round();
            account.note(&*log);
            (!fs.power_is_off()).then_some(())
        });
    }
}

#[test]
fn partitions_made_and_deleted() {
    let (fs, account) = filled();
    check_from(&fs, &account, 4, 500, |fs, account| {
        let dir = open_dir(fs)?;
        let (log, _) = open_log(&dir, small())?;
        for partition in 1..4 {
            let (other, _) = dir.open_partition(&name(partition), id(), small()).ok()?;
            Account::new().append(&*other, Epoch(0))?;
            account.append(&*log, Epoch(4))?;
            dir.commit_round();
            account.note(&*log);
            other.close().ok()?;
            dir.delete_partition(&name(partition), Duration::ZERO).ok()?;
            dir.commit_round();
        }
        (!fs.power_is_off()).then_some(())
    });
}

#[test]
fn a_partition_made_again_under_its_name_holds_nothing_of_the_old_one() {
    let fs = SimFs::new(1);
    let dir = open_dir(&fs).unwrap();
    let old = dir.open_partition(&name(0), Uuid::from_random(8), small()).unwrap().0;
    Account::new().append(&*old, Epoch(0)).unwrap();
    old.close().unwrap();
    dir.close().unwrap();
    drop((old, dir));
    // The account is about the new one, which has another topic id.
    check(&fs, 6, 180, |fs, account| {
        let dir = open_dir(fs)?;
        dir.delete_partition(&name(0), Duration::ZERO).ok()?;
        let (log, _) = open_log(&dir, small())?;
        account.append(&*log, Epoch(0))?;
        dir.commit_round();
        account.note(&*log);
        (!fs.power_is_off()).then_some(())
    });
}

#[test]
fn a_new_log_of_which_only_a_later_segment_is_left_starts_anew() {
    // It went on at the later segment, so that a reader saw the second half of what a producer had sent, and the
    // producer could not send the first half again.
    let fs = SimFs::new(1);
    let dir = open_dir(&fs).unwrap();
    let log = open_log(&dir, small()).unwrap().0;
    let mut account = Account::new();
    for _ in 0..6 {
        account.append(&*log, Epoch(0)).unwrap();
    }
    drop((log, dir));
    let first = Path::new("/data/topic-0/00000000000000000000.log");
    fs.remove(first).unwrap();
    fs.settle();
    let fs = fs.kill();
    let dir = open_dir(&fs).unwrap();
    let log = open_log(&dir, small()).unwrap().0;
    assert_eq!((log.marks().start, log.marks().end), (Offset(0), Offset(0)));
    assert!(fs.exists(first));
    let left = fs.list(Path::new("/data/topic-0")).unwrap();
    assert_eq!(left.iter().filter(|path| path.extension().is_some_and(|suffix| suffix == "log")).count(), 1);
}

#[test]
fn a_log_that_was_killed_before_its_first_record_keeps_what_comes_later() {
    // It was marked before its names were synced. Recovery took them for durable, and the next power cut took them
    // with all that was acknowledged since.
    for seed in 0..30 {
        let fs = SimFs::new(1);
        let dir = open_dir(&fs).unwrap();
        let log = open_log(&dir, small()).unwrap().0;
        let other = dir.open_partition(&name(1), id(), small()).unwrap().0;
        Account::new().append(&*other, Epoch(0)).unwrap();
        dir.commit_round();
        drop((log, other, dir));
        let fs = fs.kill();
        let dir = open_dir(&fs).unwrap();
        let log = open_log(&dir, small()).unwrap().0;
        let mut account = Account::new();
        account.append(&*log, Epoch(1)).unwrap();
        dir.commit_round();
        account.note(&*log);
        check_after_crash(&fs.crash(seed), &account, &seed);
    }
}

#[test]
fn retention_by_size_and_of_an_active_segment() {
    let (fs, account) = filled();
    for rule in
        [Retention { bytes: Some(900), ..Retention::ALL }, Retention { ms: Some(0), ..Retention::ALL }]
    {
        check_from(&fs, &account, 4, 60, |fs, account| {
            let dir = open_dir(fs)?;
            let (log, _) = open_log(&dir, small())?;
            account.append(&*log, Epoch(9))?;
            dir.commit_round();
            account.note(&*log);
            account.start.1 = log.marks().end;
            log.retain(&rule, TimestampMs(i64::MAX)).ok()?;
            dir.commit_round();
            account.start.0 = log.marks().start;
            assert!(fs.power_is_off() || account.start.0 > Offset(0), "nothing went");
            account.append(&*log, Epoch(9))?;
            dir.commit_round();
            account.note(&*log);
            (!fs.power_is_off()).then_some(())
        });
    }
}

#[test]
fn a_segment_whose_name_was_lost_by_a_failed_sync_is_named_again() {
    // A sync of the directory failed and the process was killed. The next one found the segment by a name that was not
    // on the disk, synced the directory, which wrote nothing, and acknowledged records in it until the power went.
    let mut lost = 0;
    for seed in 0..40 {
        let (fs, mut account) = (SimFs::new(seed), Account::new());
        let dir = open_dir(&fs).unwrap();
        let log = open_log(&dir, small()).unwrap().0;
        account.append(&*log, Epoch(0)).unwrap();
        dir.commit_round();
        for _ in 0..6 {
            account.append(&*log, Epoch(0)).unwrap();
        }
        fs.fail(Fault::eio(Call::SyncDir).named("topic-0"));
        dir.commit_round();
        lost += u64::from(log.marks().state == LogState::Failed);
        drop((log, dir));
        let fs = fs.kill();
        let dir = open_dir(&fs).unwrap();
        let log = open_log(&dir, small()).unwrap().0;
        account.append(&*log, Epoch(1)).unwrap();
        dir.commit_round();
        account.note(&*log);
        check_after_crash(&fs.crash(seed), &account, &seed);
    }
    assert_eq!(lost, 40);
}
