//! A plan puts right what can be, keeps aside what is cut, and leaves a directory that a broker opens.

use super::*;
use crate::inspect::place::PartitionPlace;
use crate::inspect::testing::{PARTITION, append, flip, logs, partition};
use crate::inspect::verify::{Grade, PartitionReport, Work, judge_partition, known_around};
use crate::log::local::damage::Damages;
use crate::sys::{Fs, SimFs};
use crate::types::{Offset, TimestampMs};
use std::ops::ControlFlow;
use std::path::Path;

fn place(fs: &SimFs) -> PartitionPlace {
    PartitionPlace::read(fs, Path::new(PARTITION)).unwrap()
}

fn check(fs: &SimFs) -> PartitionReport {
    let place = place(fs);
    let known = known_around(fs, &place).unwrap();
    let mut work = Work {
        fs,
        deep: true,
        pace: &mut |_| ControlFlow::Continue(()),
        done: &|_, _| None,
        keep: &mut |_| {},
    };
    judge_partition(&mut work, &place, &known).unwrap().unwrap()
}

fn repair(fs: &SimFs, asked: Asked) -> Vec<Step> {
    let steps = plan(fs, &place(fs), &check(fs), asked, TimestampMs(1)).unwrap();
    steps.iter().for_each(|step| apply(fs, &place(fs), step).unwrap());
    steps
}

fn wrong(report: &PartitionReport) -> Vec<String> {
    let wrong = report.all_findings().filter(|finding| finding.grade != Grade::Note);
    wrong.map(|finding| format!("{finding:?}")).collect()
}

#[test]
fn a_sound_partition_needs_nothing() {
    let fs = partition();
    assert_eq!(repair(&fs, Asked { quarantine: true, truncate_at: None }), []);
}

#[test]
fn indexes_and_epochs_are_made_anew_from_the_batches() {
    let fs = partition();
    let log = logs(&fs)[1].clone();
    flip(&fs, &log.with_extension("index"), 7);
    fs.remove(&logs(&fs)[2].with_extension("timeindex")).unwrap();
    let epochs = Path::new(PARTITION).join("leader-epoch-checkpoint");
    let text = fs.read_raw(&epochs).unwrap();
    fs.plant(&epochs, b"0\n1\n7 3\n").unwrap();
    assert_eq!(repair(&fs, Asked::default()).len(), 3);
    assert_eq!(wrong(&check(&fs)), [] as [String; 0]);
    assert_eq!(fs.read_raw(&epochs).unwrap(), text);
}

#[test]
fn damage_is_refused_only_as_told_and_nothing_of_it_is_touched() {
    let fs = partition();
    let log = logs(&fs)[1].clone();
    flip(&fs, &log, 900);
    let bytes = fs.read_raw(&log).unwrap();
    assert_eq!(repair(&fs, Asked::default()), []);
    let steps = repair(&fs, Asked { quarantine: true, truncate_at: None });
    let [Step::Quarantine(refused)] = steps.as_slice() else { panic!("{steps:?}") };
    let stored = fs.read_raw(&Path::new(PARTITION).join("logboom.damage")).unwrap();
    assert_eq!(Damages::decode(&stored).unwrap().all(), refused);
    assert_eq!(fs.read_raw(&log).unwrap(), bytes);
    repair(&fs, Asked { quarantine: true, truncate_at: None });
    assert_eq!(fs.read_raw(&Path::new(PARTITION).join("logboom.damage")).unwrap(), stored);
}

#[test]
fn a_log_is_cut_at_a_batch_and_goes_on_from_there() {
    let fs = partition();
    let sound = check(&fs);
    let at = sound.segments[1].first.unwrap() + 1;
    let inside = plan(
        &fs,
        &place(&fs),
        &sound,
        Asked { truncate_at: Some(Offset(at)), ..Asked::default() },
        TimestampMs(1),
    );
    let at = match inside {
        Err(RepairError::Cut(CutError::Inside { behind, .. })) => behind,
        Ok(_) => at,
        Err(other) => panic!("{other}"),
    };
    let gone: u64 = logs(&fs).iter().skip(2).map(|path| fs.read_raw(path).unwrap().len() as u64).sum();
    repair(&fs, Asked { truncate_at: Some(Offset(at)), ..Asked::default() });
    let report = check(&fs);
    assert_eq!((report.end, wrong(&report)), (at, Vec::new()));
    let aside: u64 = fs
        .list(Path::new(PARTITION))
        .unwrap()
        .iter()
        .filter(|path| path.to_string_lossy().ends_with("log.damaged"))
        .map(|path| fs.read_raw(path).unwrap().len() as u64)
        .sum();
    assert!(aside > gone, "{aside} bytes are kept aside of more than {gone}");
    let end = append(&fs, 100..103);
    assert!(end.0 > at);
    assert_eq!(wrong(&check(&fs)), [] as [String; 0]);
}

#[test]
fn a_log_is_not_cut_while_a_journal_could_put_back_what_was_cut() {
    let fs = partition();
    let sound = check(&fs);
    let journal = Path::new(PARTITION).parent().unwrap().join("logboom.journal.3");
    fs.plant(&journal, b"").unwrap();
    let asked = Asked { truncate_at: Some(Offset(sound.segments[1].base)), ..Asked::default() };
    let refused = plan(&fs, &place(&fs), &sound, asked, TimestampMs(1));
    assert!(matches!(refused, Err(RepairError::Cut(CutError::Journal))), "{refused:?}");
    fs.remove(&journal).unwrap();
    assert!(plan(&fs, &place(&fs), &sound, asked, TimestampMs(1)).is_ok());
}

#[test]
fn a_cut_that_a_crash_interrupts_anywhere_leaves_a_log_that_opens() {
    let whole = partition();
    let sound = check(&whole);
    let at = Offset(sound.segments[2].base);
    let asked = Asked { truncate_at: Some(at), ..Asked::default() };
    let steps = plan(&whole, &place(&whole), &sound, asked, TimestampMs(1)).unwrap();
    let run = |fs: &SimFs| steps.iter().all(|step| apply(fs, &place(fs), step).is_ok());
    let counted = whole.kill();
    assert!(run(&counted));
    for calls in 0..=counted.calls() {
        let fs = whole.kill();
        fs.stop_after(calls);
        run(&fs);
        for seed in 0..3 {
            let fs = fs.crash(seed);
            let end = append(&fs, 0..0);
            assert!(end >= at && end.0 <= sound.end, "call {calls} seed {seed}: {end}");
            assert_eq!(wrong(&check(&fs)), [] as [String; 0], "call {calls} seed {seed}");
        }
    }
}

#[test]
fn offsets_outside_of_the_log_cannot_be_cut_at() {
    let fs = partition();
    let report = check(&fs);
    for at in [report.end, report.end + 5] {
        let asked = Asked { truncate_at: Some(Offset(at)), ..Asked::default() };
        let planned = plan(&fs, &place(&fs), &report, asked, TimestampMs(1));
        assert!(matches!(planned, Err(RepairError::Cut(CutError::OutOfRange { .. }))), "{at}: {planned:?}");
    }
}
