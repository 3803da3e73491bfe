//! Every call of each kind fails, once or from then on, at each place in turn: an error is reported or mended, and
//! nothing that was acknowledged is lost, not even when the power goes off afterwards.

use crate::log_kit::{Account, check_after_crash, id, name, open_dir, open_log, small};
use logboom::log::local::{LocalLog, LogDir};
use logboom::log::{LogSettings, LogState, PartitionLog, ReadError, ReadLimit};
use logboom::sys::{Call, Fault, SimFs};
use logboom::types::{Epoch, Offset};
use std::sync::Arc;
use std::time::Duration;

/// Goes through all operations and carries on after errors, as a broker does.
fn work(fs: &mut SimFs) -> Account {
    let mut account = Account::new();
    for turn in 0..3 {
        // A start that fails is tried again; an error strikes once.
        let Some(dir) = (0..3).find_map(|_| open_dir(fs)) else { continue };
        let Some((log, _)) = (0..3).find_map(|_| open_log(&dir, small())) else {
            // A sync that failed at the start leaves a page cache that nobody can trust: the machine is started anew.
            *fs = fs.crash(11);
            continue;
        };
        // What was not acknowledged before may be gone.
        account.note_reopened(log.marks().end);
        for round in 0..5 {
            append_and_commit(&dir, &*log, &mut account, Epoch(turn * 10 + round));
        }
        let _ = account.cut_front(&*log, Offset(i64::from(turn) * 4));
        if log.close().is_ok() {
            account.note(&*log);
        }
        let _ = dir.close();
    }
    account
}

fn append_and_commit(dir: &Arc<LogDir>, log: &dyn PartitionLog, account: &mut Account, epoch: Epoch) {
    let tickets: Vec<_> = (0..3).filter_map(|_| account.append(log, epoch)).collect();
    dir.commit_round();
    account.note(log);
    let all_done = tickets.iter().all(logboom::log::Ticket::is_done);
    if log.marks().state == LogState::Failed {
        if (0..3).any(|_| log.reopen().is_ok()) {
            account.note_reopened(log.marks().end);
        }
    } else {
        assert!(all_done, "the log is online and its records are not durable");
    }
}

/// Each kind of call with the ways in which it fails.
fn faults() -> Vec<(Call, Vec<Fault>)> {
    let writes =
        vec![Fault::eio(Call::Write), Fault::enospc(Call::Write), Fault::enospc(Call::Write).after_bytes(70)];
    vec![
        (Call::Write, writes),
        (Call::Sync, vec![Fault::eio(Call::Sync)]),
        (Call::SyncDir, vec![Fault::eio(Call::SyncDir)]),
        (Call::SetLen, vec![Fault::eio(Call::SetLen)]),
        (Call::Rename, vec![Fault::eio(Call::Rename)]),
        (Call::Create, vec![Fault::enospc(Call::Create)]),
        (Call::MakeDir, vec![Fault::enospc(Call::MakeDir)]),
        (Call::Remove, vec![Fault::eio(Call::Remove)]),
        (Call::Open, vec![Fault::eio(Call::Open)]),
        (Call::List, vec![Fault::eio(Call::List)]),
        (Call::Read, vec![Fault::eio(Call::Read)]),
    ]
}

#[test]
fn every_call_fails_once_and_nothing_acknowledged_is_lost() {
    let mut counted = SimFs::new(1);
    work(&mut counted);
    let mut runs = 0;
    for (call, faults) in faults() {
        for nth in 1..=counted.count(call) {
            for fault in &faults {
                let mut fs = SimFs::new(nth);
                fs.fail(fault.clone().nth(nth));
                let account = work(&mut fs);
                fs.heal();
                for seed in 0..2 {
                    check_after_crash(&fs.crash(seed), &account, &(call, nth, seed));
                    runs += 1;
                }
            }
        }
    }
    assert!(runs >= 500, "{runs} runs");
}

#[test]
fn every_call_fails_from_then_on_and_nothing_acknowledged_is_lost() {
    let counted = SimFs::new(1);
    one_life(&counted, &mut Account::new());
    let mut runs = 0;
    for (call, faults) in faults() {
        // A tidy number of places: neighbours differ little.
        for nth in (1..=counted.count(call)).step_by(3) {
            for fault in &faults {
                let (fs, mut account) = (SimFs::new(nth), Account::new());
                fs.fail(fault.clone().nth(nth).lasting());
                one_life(&fs, &mut account);
                fs.heal();
                check_after_crash(&fs.crash(nth), &account, &(call, nth, "a power cut"));
                // Names that the failed sync of a directory lost are the one thing that a start without a power cut
                // cannot mend; file systems with a journal end then, instead of going on without.
                if call != Call::SyncDir {
                    check_after_crash(&fs.kill(), &account, &(call, nth, "the process alone"));
                }
                runs += 1;
            }
        }
    }
    assert!(runs >= 100, "{runs} runs");
}

/// Opens, appends, rolls, cuts the front, makes and deletes a partition, closes, as far as it goes.
fn one_life(fs: &SimFs, account: &mut Account) {
    let Some(dir) = open_dir(fs) else { return };
    if let Some((log, _)) = open_log(&dir, small()) {
        for round in 0..6 {
            append_and_commit(&dir, &*log, account, Epoch(round));
            let _ = account.cut_front(&*log, Offset(i64::from(round) * 2));
            if let Ok((other, _)) = dir.open_partition(&name(1), id(), small()) {
                let _ = other.close();
            }
            let _ = dir.delete_partition(&name(1), Duration::ZERO);
        }
        if log.close().is_ok() {
            account.note(&*log);
        }
    }
    let _ = dir.close();
}

#[test]
fn a_write_that_fails_and_cannot_be_cut_back_takes_the_log_offline() {
    let fs = SimFs::new(1);
    let dir = open_dir(&fs).unwrap();
    let log = open_log(&dir, small()).unwrap().0;
    let mut account = Account::new();
    account.append(&*log, Epoch(0)).unwrap();
    dir.commit_round();
    account.note(&*log);
    fs.fail(Fault::eio(Call::Write).after_bytes(20));
    fs.fail(Fault::eio(Call::SetLen));
    assert!(account.append(&*log, Epoch(0)).is_none());
    assert_eq!(log.marks().state, LogState::Failed);
    log.reopen().unwrap();
    account.note_reopened(log.marks().end);
    account.append(&*log, Epoch(1)).unwrap();
    dir.commit_round();
    account.note(&*log);
    check_after_crash(&fs.crash(3), &account, &"after the cut");
}

#[test]
fn a_full_disk_serves_reads_and_resumes_when_there_is_room() {
    let fs = SimFs::new(1);
    let dir = open_dir(&fs).unwrap();
    let log = open_log(&dir, small()).unwrap().0;
    let mut account = Account::new();
    fs.set_capacity(20 * 4096);
    while account.append(&*log, Epoch(0)).is_some() {
        dir.commit_round();
        account.note(&*log);
        assert_eq!(log.marks().state, LogState::Online);
    }
    account.check(&*log, &"full");
    fs.set_capacity(1 << 30);
    account.append(&*log, Epoch(0)).unwrap();
    dir.commit_round();
    account.note(&*log);
    check_after_crash(&fs.crash(1), &account, &"resumed");
}

#[test]
fn records_that_the_disk_did_not_give_are_served_once_it_reads_again() {
    // Damage of a segment without a seal stayed on the list for good: it was added to there and never taken off.
    for settings in [small(), LogSettings { segment_bytes: 1 << 20, ..small() }] {
        let fs = SimFs::default();
        let (dir, log) = open_both(&fs, settings);
        let mut account = Account::new();
        // More than a block, so that the damage is in several.
        for _ in 0..400 {
            account.append(&*log, Epoch(1)).unwrap();
        }
        dir.commit_round();
        account.note(&*log);
        log.close().unwrap();
        dir.close().unwrap();
        drop((log, dir));
        let (dir, log) = open_both(&fs, settings);
        fs.fail(Fault::eio(Call::Read).named(".log").lasting());
        let limit = ReadLimit { bytes: 100_000, at_least_one: true, below: Offset(i64::MAX) };
        let refused = log.plan_read(Offset(2), limit).err();
        assert!(matches!(refused, Some(ReadError::Damaged { .. })), "{refused:?}");
        assert!(!log.damage().is_empty());
        fs.heal();
        log.close().unwrap();
        dir.close().unwrap();
        drop((log, dir));
        let (_dir, log) = open_both(&fs, settings);
        account.check(&*log, &settings);
        assert_eq!(log.damage(), []);
    }
}

fn open_both(fs: &SimFs, settings: LogSettings) -> (Arc<LogDir>, Arc<LocalLog>) {
    let dir = open_dir(fs).unwrap();
    let log = open_log(&dir, settings).unwrap().0;
    (dir, log)
}
