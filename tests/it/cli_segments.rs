//! `logboom segment` as an operator uses it: on files of a running, a stopped and a damaged broker.

use super::kit::{Broker, Ran, Scratch, logboom};
use logboom::sys::{Fs, OpenHow, RealFs};
use serde_json::Value;
use std::io::IoSlice;
use std::path::{Path, PathBuf};

/// A directory that a broker left with 200 records of topic `t` in several batches.
fn left_behind() -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let lines: String = (0..40).map(|n| format!("key{}:{codec} {n}\n", n % 10)).collect();
        broker.fed(&["produce", "t", "-K", ":", "-z", codec], &lines).ok();
    }
    assert_eq!(broker.terminate(), Some(0));
    let partition = scratch.path().join("t-0");
    (scratch, partition)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn segment(arguments: &[&str]) -> Ran {
    logboom(&[&["segment"], arguments].concat())
}

fn json(ran: Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn flip(path: &Path, at: u64) {
    let file = RealFs.open(path, OpenHow::Write).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, at).unwrap();
    file.write_all_at(&[IoSlice::new(&[byte[0] ^ 0x20])], at).unwrap();
}

fn log_of(partition: &Path) -> PathBuf {
    partition.join("00000000000000000000.log")
}

#[test]
fn every_record_is_dumped_with_its_fields_and_filters_narrow_it() {
    let (_scratch, partition) = left_behind();
    let lines = json(segment(&["dump", text(&log_of(&partition)), "--records", "--json"]));
    assert_eq!(lines.len(), 200);
    let last = &lines[199];
    assert_eq!(
        (&last["offset"], &last["key"], &last["value"]),
        (&199.into(), &"key9".into(), &"zstd 39".into())
    );
    assert_eq!((&last["kind"], &last["value_size"]), (&"record".into(), &7.into()));
    let count = |more: &[&str]| {
        let all = [&["dump", text(&partition), "--records", "--json"], more].concat();
        json(segment(&all)).iter().filter(|line| line["kind"] == "record").count()
    };
    assert_eq!(count(&["--key", "key3"]), 20);
    assert_eq!(count(&["--key-prefix", "key"]), 200);
    assert_eq!(count(&["--key-prefix-hex", "6b657933"]), 20);
    assert_eq!(count(&["--codec", "gzip"]), 40);
    assert_eq!(count(&["--from-offset", "10", "--to-offset", "15"]), 5);
    assert_eq!(count(&["--since", "-1h"]), 200);
    assert_eq!(count(&["--until", "-1h"]), 0);
    assert_eq!(count(&["--transactional"]), 0);
    let batches = segment(&["dump", text(&log_of(&partition)), "--batches"]).ok();
    assert!(batches.contains(" zstd ") && batches.contains(" ok\n"), "{batches}");
    let limited = segment(&["dump", text(&log_of(&partition)), "--records", "-n", "3", "--json"]).ok();
    assert_eq!(limited.lines().count(), 3);
}

#[test]
fn files_of_a_running_broker_are_read_and_never_changed() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["produce", "t", "tea"]).ok();
    let partition = scratch.path().join("t-0");
    assert!(segment(&["dump", text(&partition)]).ok().contains("\"tea\""));
    segment(&["verify", text(scratch.path())]).ok();
    segment(&["stats", text(scratch.path())]).ok();
    for arguments in [&["compact", text(&partition)][..], &["repair", text(&partition), "--apply"]] {
        let refused = segment(arguments);
        assert_eq!(refused.code, 1);
        assert!(refused.err.starts_with("error[LB0704]"), "{}", refused.err);
    }
}

#[test]
fn internal_topics_are_decoded() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["produce", "t", "tea"]).ok();
    broker.run(&["consume", "t", "--group", "readers", "-n", "1"]).ok();
    assert_eq!(broker.terminate(), Some(0));
    let lines = json(segment(&["dump", text(scratch.path()), "--records", "--json"]));
    let decoded = |kind: &str| lines.iter().any(|line| line["decoded"]["type"] == kind);
    assert!(decoded("OffsetCommit") && decoded("TopicRecord") && decoded("ConsumerGroupMetadata"));
    assert!(
        lines.iter().any(|line| line["kind"] == "mark")
            && lines.iter().any(|line| line["kind"] == "property")
    );
    assert!(lines.iter().all(|line| line["decoded"]["unreadable"].is_null()));
}

#[test]
fn a_flipped_byte_is_named_by_dump_and_verify_and_the_rest_is_called_safe() {
    let (scratch, partition) = left_behind();
    let sound = segment(&["verify", text(scratch.path())]);
    assert_eq!(sound.code, 0, "{sound:?}");
    // A busy machine cuts the input into more batches: this byte is a record's of the first whatever their number.
    let byte = 70;
    flip(&log_of(&partition), byte);
    let ran = segment(&["verify", text(&partition), "--json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("LB0701"), "{}", ran.err);
    let report = json(ran);
    let finding = &report[0]["findings"][0];
    let (from, until) = (finding["bytes"][0].as_u64().unwrap(), finding["bytes"][1].as_u64().unwrap());
    assert!((from..until).contains(&byte), "{finding}");
    assert_eq!(report[0]["safe_offsets"][0][1].as_i64().unwrap(), 200, "{}", report[0]);
    let stopped = segment(&["dump", text(&log_of(&partition)), "--records"]);
    assert_eq!((stopped.code, stopped.out.lines().count()), (1, 2), "{stopped:?}");
    let went_on = segment(&["dump", text(&log_of(&partition)), "--records", "--skip-damage"]);
    assert_eq!(went_on.code, 1);
    assert!(went_on.out.contains("DAMAGED") && went_on.out.contains("zstd 39"));
}

#[test]
fn a_work_that_is_taken_up_again_says_what_it_said_before() {
    let (scratch, _) = left_behind();
    let state = scratch.path().join("verify.state");
    for verb in ["verify", "stats"] {
        let run = || segment(&[verb, text(&scratch.path().join("t-0")), "--json", "--resume", text(&state)]);
        let first = run().ok();
        assert!(RealFs.exists(&state));
        assert_eq!(run().ok(), first);
        RealFs.remove(&state).unwrap();
    }
    let file = RealFs.open(&state, OpenHow::CreateNew).unwrap();
    file.write_all_at(&[IoSlice::new(b"nonsense")], 0).unwrap();
    let refused = segment(&["verify", text(scratch.path()), "--resume", text(&state)]);
    assert!(refused.code == 1 && refused.err.contains("LB0705"), "{refused:?}");
}

#[test]
fn weights_name_codecs_keys_and_what_compaction_would_bring() {
    let (_scratch, partition) = left_behind();
    let all: Value = serde_json::from_str(&segment(&["stats", text(&partition), "--json"]).ok()).unwrap();
    let total = &all["total"];
    assert_eq!((&total["records"], &total["keyed_records"]), (&200.into(), &200.into()));
    // Ten keys, of which two may share a register.
    assert!(total["distinct_keys_estimate"].as_u64().is_some_and(|keys| (9..=10).contains(&keys)));
    assert_eq!(total["codecs"].as_object().map(serde_json::Map::len), Some(5));
    assert!(total["compaction_gain_estimate"].as_u64().is_some_and(|gain| gain > 0));
    assert!(segment(&["stats", text(&partition), "--segments"]).ok().contains("total"));
}

#[test]
fn repair_plans_first_and_then_leaves_a_log_that_a_broker_serves() {
    let (scratch, partition) = left_behind();
    let plan = segment(&["repair", text(&partition), "--truncate-at", "120"]);
    assert!(plan.out.contains("cut the log at offset 120") && plan.err.contains("--apply"), "{plan:?}");
    assert_eq!(segment(&["repair", text(&partition), "--truncate-at", "125"]).code, 2);
    segment(&["repair", text(&partition), "--truncate-at", "120", "--apply"]).ok();
    assert!(RealFs.exists(&partition.join("00000000000000000000.log.damaged")));
    segment(&["verify", text(scratch.path())]).ok();
    let broker = Broker::start(scratch.path());
    assert_eq!(broker.run(&["consume", "t", "-o", "-1", "-f", "%o %s"]).ok(), "119 snappy 39");
    broker.run(&["produce", "t", "more", "--key", "k"]).ok();
    assert_eq!(broker.run(&["consume", "t", "-o", "-1", "-f", "%o %s"]).ok(), "120 more");
}

#[test]
fn a_path_that_cannot_be_used_is_named() {
    let scratch = Scratch::new();
    let absent = segment(&["dump", text(&scratch.path().join("absent"))]);
    assert!(absent.code == 1 && absent.err.starts_with("error[LB0702]: cannot read"), "{absent:?}");
    assert_eq!(segment(&["repair", text(&scratch.path().join("absent"))]).code, 1);
    assert_eq!(segment(&["compact", text(scratch.path()), "--memory", "2B"]).code, 2);
    assert_eq!(segment(&["dump"]).code, 2);
}
