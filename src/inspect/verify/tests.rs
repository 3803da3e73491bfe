//! Sound directories are sound, and what is flipped, cut or missing is reported with its place.

use super::*;
use crate::inspect::place::PartitionPlace;
use crate::inspect::testing::{BATCHES, PARTITION, append, flip, logs, partition};
use crate::inspect::walk::LogWalk;
use crate::sys::{Fs, SimFs};
use std::ops::ControlFlow;
use std::path::Path;

fn check(fs: &SimFs) -> PartitionReport {
    let place = PartitionPlace::read(fs, Path::new(PARTITION)).unwrap();
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

fn worst(report: &PartitionReport) -> Option<Grade> {
    report.all_findings().map(|finding| finding.grade).max()
}

fn damage(report: &PartitionReport) -> Vec<Finding> {
    report.all_findings().filter(|finding| finding.grade == Grade::Damage).cloned().collect()
}

#[test]
fn what_a_broker_left_is_sound() {
    let fs = partition();
    let report = check(&fs);
    assert_eq!(worst(&report), None, "{:?}", report.all_findings().collect::<Vec<_>>());
    assert!(report.segments.len() > 3);
    assert_eq!(report.segments.iter().map(|segment| segment.batches).sum::<u64>(), u64::from(BATCHES));
    assert_eq!(report.safe(), [(0, report.end)]);
}

#[test]
fn a_flipped_bit_of_a_batch_is_reported_with_its_bytes_and_offsets() {
    let fs = partition();
    let sound = check(&fs);
    let path = logs(&fs)[1].clone();
    let size = fs.read_raw(&path).unwrap().len();
    let segment = &sound.segments[1];
    let mut walk = LogWalk::open(&fs, &path).unwrap();
    let mut starts = Vec::new();
    while let Some(found) = walk.find_next().unwrap() {
        starts.push(found.at() as usize);
    }
    for bit in (0..size * 8).step_by(13) {
        let start = starts.iter().rev().find(|start| **start <= bit / 8).unwrap();
        let in_batch = bit / 8 - start;
        let fs = fs.kill();
        flip(&fs, &path, bit);
        let report = check(&fs);
        if (12..16).contains(&in_batch) || in_batch < 8 {
            // Without a seal a lie about offset or epoch shows as a contradiction, wherever that is.
            assert!(worst(&report) > Some(Grade::Note), "bit {bit}");
            continue;
        }
        let found = damage(&report);
        let [one] = found.as_slice() else { panic!("bit {bit}: {found:?}") };
        let (from, until) = one.bytes.unwrap();
        assert!((from..until).contains(&(bit as u64 / 8)), "bit {bit}: {one:?}");
        let (first, behind) = one.offsets.unwrap();
        assert!(segment.base <= first && first < behind && behind <= segment.next, "bit {bit}: {one:?}");
        assert!(behind - first <= 4, "one batch is condemned, bit {bit}: {one:?}");
        assert_eq!(one.file, path);
    }
}

#[test]
fn what_is_not_damaged_is_called_safe() {
    let fs = partition();
    let path = logs(&fs)[2].clone();
    flip(&fs, &path, 100 * 8);
    let report = check(&fs);
    let found = damage(&report);
    let (first, behind) = found[0].offsets.unwrap();
    assert_eq!(report.safe(), [(0, first), (behind, report.end)]);
}

#[test]
fn a_false_entry_of_an_index_can_be_made_anew() {
    let fs = partition();
    for suffix in ["index", "timeindex"] {
        let path = logs(&fs)[1].with_extension(suffix);
        let size = fs.read_raw(&path).unwrap().len();
        assert!(size > 0, "{suffix} is empty");
        for bit in 0..size * 8 {
            let fs = fs.kill();
            flip(&fs, &path, bit);
            let report = check(&fs);
            // An entry of time may name any record of the batch: brokers before 4.0 named the one with the timestamp.
            let within_batch = suffix == "timeindex" && bit / 8 % 12 == 11 && worst(&report).is_none();
            assert!(within_batch || worst(&report) == Some(Grade::Rebuildable), "{suffix} bit {bit}");
            assert!(report.all_findings().all(|finding| finding.file == path), "{suffix} bit {bit}");
        }
    }
}

#[test]
fn a_missing_segment_and_a_missing_tail_are_damage() {
    let fs = partition();
    let all = logs(&fs);
    fs.remove(&all[2]).unwrap();
    let found = damage(&check(&fs));
    assert_eq!(found.len(), 1, "{found:?}");
    let fs = partition();
    let last = all.last().unwrap();
    let bytes = fs.read_raw(last).unwrap();
    fs.plant(last, &bytes[..bytes.len() - 10]).unwrap();
    let report = check(&fs);
    let end = damage(&report).iter().filter_map(|finding| finding.offsets).map(|(_, behind)| behind).max();
    assert!(end.is_some_and(|end| end > report.end), "{:?}", damage(&report));
}

#[test]
fn a_tail_behind_the_mark_may_be_torn() {
    let fs = partition();
    let marks = fs.read_raw(Path::new("/data/logboom.marks")).unwrap();
    append(&fs, BATCHES..BATCHES + 3);
    fs.plant(Path::new("/data/logboom.marks"), &marks).unwrap();
    let last = logs(&fs).pop().unwrap();
    let bytes = fs.read_raw(&last).unwrap();
    fs.plant(&last, &bytes[..bytes.len() - 3]).unwrap();
    let report = check(&fs);
    assert_eq!(damage(&report), [], "{:?}", report.all_findings().collect::<Vec<_>>());
    assert!(report.all_findings().any(|finding| finding.why.contains("not promised")));
}

#[test]
fn epochs_and_snapshots_that_contradict_the_batches_are_found() {
    let fs = partition();
    let epochs = Path::new(PARTITION).join("leader-epoch-checkpoint");
    let text = String::from_utf8(fs.read_raw(&epochs).unwrap()).unwrap();
    fs.plant(&epochs, text.replace("\n1 ", "\n1 9").as_bytes()).unwrap();
    let report = check(&fs);
    assert_eq!(worst(&report), Some(Grade::Rebuildable));
    assert!(report.all_findings().any(|finding| finding.file == epochs));
    let snapshot = Path::new(PARTITION).join(format!("{:020}.snapshot", 50));
    fs.plant(&snapshot, b"\0\x01 not a snapshot").unwrap();
    assert!(check(&fs).all_findings().any(|finding| finding.file == snapshot));
}

#[test]
fn a_report_of_an_earlier_run_saves_reading_the_segment_again() {
    let fs = partition();
    let before = check(&fs);
    let place = PartitionPlace::read(&fs, Path::new(PARTITION)).unwrap();
    let known = known_around(&fs, &place).unwrap();
    let mut judged = 0;
    let mut work = Work {
        fs: &fs,
        deep: true,
        pace: &mut |_| ControlFlow::Continue(()),
        done: &|path, size| {
            let found = before.segments.iter().find(|segment| segment.path == path && segment.size == size);
            found.filter(|segment| segment.base > 0).cloned()
        },
        keep: &mut |_| judged += 1,
    };
    let report = judge_partition(&mut work, &place, &known).unwrap().unwrap();
    assert_eq!(judged, 1);
    assert_eq!(report, before);
}
