//! The binary as its user sees it: verbs, their output, their exit codes, and what a broker keeps over its end.

use super::kit::{Broker, Scratch, logboom, logboom_fed};
use logboom::sys::{Fs, OpenHow, RealFs};
use std::io::IoSlice;

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("line {n}\n")).collect()
}

#[test]
fn a_record_that_was_produced_is_consumed_with_its_key_and_headers() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    let produced = broker.run(&["produce", "orders", "tea", "--key", "7", "-H", "from=shop"]);
    assert_eq!(produced.err, "created topic orders (1 partition)\n");
    assert_eq!(produced.ok(), "orders-0 offset 0\n");
    assert_eq!(broker.run(&["consume", "orders"]).ok(), "tea\n");
    let template = broker.run(&["consume", "orders", "-f", "%t-%p:%o %k=%v [%h] %S%%\\n"]).ok();
    assert_eq!(template, "orders-0:0 7=tea [from=shop] 3%\n");
    let json: serde_json::Value =
        serde_json::from_str(&broker.run(&["consume", "orders", "--json"]).ok()).unwrap();
    assert_eq!((&json["key"], &json["headers"][0]["value"]), (&"7".into(), &"shop".into()));
    assert_eq!(broker.terminate(), Some(0));
}

#[test]
fn lines_of_standard_input_come_back_in_order_under_every_codec() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    let sent = lines(5000);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let ran = broker.fed(&["produce", codec, "-z", codec, "--json"], &sent).ok();
        assert_eq!(ran, format!("{{\"records\":5000,\"topic\":\"{codec}\"}}\n"));
        assert_eq!(broker.run(&["consume", codec]).ok(), sent, "{codec}");
    }
}

#[test]
fn a_range_of_offsets_is_what_is_printed() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.fed(&["produce", "t"], &lines(10)).ok();
    let check = |range: &str, expect: &[&str]| {
        let out = broker.run(&["consume", "t", "-o", range, "-f", "%o "]).ok();
        assert_eq!(out.split_whitespace().collect::<Vec<_>>(), expect, "{range}");
    };
    check("-2", &["8", "9"]);
    check("+8", &["8", "9"]);
    check("2:4", &["2", "3"]);
    check(":2", &["0", "1"]);
    check("end", &[]);
    check("-1:end", &["9"]);
    check("-99", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    check("@-1h:1", &["0"]);
    check("@2999-01-01T00:00:00Z", &[]);
    assert_eq!(broker.run(&["consume", "t", "-n", "3", "-f", "%o"]).ok(), "012");
    assert_eq!(broker.run(&["consume", "t", "--follow", "-n", "1", "-o", "4", "-f", "%o"]).ok(), "4");
}

#[test]
fn keys_decide_the_partition_as_in_a_java_producer() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["topic", "create", "t", "-p", "3"]).ok();
    // murmur2 of these keys, without the sign, modulo 3.
    let expect = [("21", 1_173_551_340 % 3), ("foobar", 1_357_151_166 % 3), ("abc", 479_470_107 % 3)];
    for (key, _) in expect {
        broker.fed(&["produce", "t", "-K", ":"], &format!("{key}:v\n")).ok();
    }
    let out = broker.run(&["consume", "t", "-f", "%k %p\\n"]).ok();
    for (key, partition) in expect {
        assert!(out.contains(&format!("{key} {partition}\n")), "{key} is not in {partition}: {out}");
    }
    let one = broker.run(&["produce", "t", "v", "-p", "2", "--acks", "0"]).ok();
    assert_eq!(one, "t-2\n");
}

#[test]
fn a_topic_is_made_described_altered_and_deleted() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    let made = broker.run(&["topic", "create", "t", "-p", "2", "--set", "retention.ms=7d"]).ok();
    assert_eq!(made, "created topic t (2 partitions)\n");
    let describe = || -> serde_json::Value {
        serde_json::from_str(&broker.run(&["topic", "describe", "t", "--json"]).ok()).unwrap()
    };
    assert_eq!(describe()["configs"], serde_json::json!({ "retention.ms": "604800000" }));
    let altered = broker.run(&[
        "topic",
        "alter",
        "t",
        "--set",
        "segment.bytes=64MiB",
        "--reset",
        "retention.ms",
        "-p",
        "4",
    ]);
    assert_eq!(altered.ok(), "altered topic t\n");
    let described = describe();
    assert_eq!(described["configs"], serde_json::json!({ "segment.bytes": "67108864" }));
    assert_eq!(described["partitions"].as_array().map(Vec::len), Some(4));
    assert!(broker.run(&["topic", "list"]).ok().contains("t      4"));
    assert_eq!(broker.run(&["topic", "delete", "t"]).ok(), "deleted topic t\n");
    assert_eq!(broker.run(&["topic", "list", "--json"]).ok(), "");
}

#[test]
fn a_failure_has_a_name_a_next_step_and_an_exit_code() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["topic", "create", "orders"]).ok();
    let absent = broker.run(&["consume", "ordres"]);
    assert_eq!((absent.code, absent.out.as_str()), (1, ""));
    assert!(absent.err.starts_with("error[UNKNOWN_TOPIC_OR_PARTITION]: topic `ordres`"), "{}", absent.err);
    assert!(absent.err.contains("help: did you mean `orders`?"), "{}", absent.err);
    let twice = broker.run(&["topic", "create", "orders", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&twice.err).unwrap();
    assert_eq!((twice.code, &error["error"]["code"]), (1, &"TOPIC_ALREADY_EXISTS".into()));
    assert_eq!(broker.run(&["consume", "orders", "-o", "newest"]).code, 2);
    assert_eq!(broker.run(&["topic", "alter", "orders"]).code, 2);
    let nobody = logboom(&["-b", "127.0.0.1:1", "topic", "list"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.starts_with("error[LB0301]: cannot connect to 127.0.0.1:1"), "{}", nobody.err);
    assert!(logboom(&["explain", "LB0301"]).ok().starts_with("LB0301: Nothing answers"));
}

#[test]
fn what_was_acknowledged_is_there_after_the_process_was_killed() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    let sent = lines(1000);
    broker.fed(&["produce", "t"], &sent).ok();
    broker.kill();
    let broker = Broker::start(scratch.path());
    assert_eq!(broker.run(&["consume", "t"]).ok(), sent);
    broker.fed(&["produce", "t"], "more\n").ok();
    assert_eq!(broker.run(&["consume", "t", "-o", "-1", "-f", "%o %s"]).ok(), "1000 more");
    assert_eq!(broker.terminate(), Some(0));
}

#[test]
fn a_second_broker_gets_neither_the_address_nor_the_data() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    let data = scratch.path().to_str().unwrap();
    let same_data = logboom(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(same_data.code, 1);
    assert!(same_data.err.contains("error[LB0104]"), "{}", same_data.err);
    let other = Scratch::new();
    let same_address =
        logboom(&["serve", "--listen", &broker.address, "--data", other.path().to_str().unwrap()]);
    assert_eq!(same_address.code, 1);
    assert!(same_address.err.contains("error[LB0103]"), "{}", same_address.err);
}

#[test]
fn a_wrong_settings_file_is_shown_with_its_line() {
    let scratch = Scratch::new();
    let path = scratch.path().join("mine.toml");
    let file = RealFs.open(&path, OpenHow::CreateNew).unwrap();
    file.write_all_at(&[IoSlice::new(b"num.partitions = 3\nlog.retention.hour = 1\n")], 0).unwrap();
    let ran = logboom(&["config", "list", "--config", path.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("mine.toml:2:1]"), "{}", ran.err);
    assert!(ran.err.contains("did you mean `log.retention.hours`?"), "{}", ran.err);
    assert!(logboom(&["config", "list"]).ok().contains("num.partitions"));
    assert!(logboom(&["config", "diff"]).ok().contains("log.flush.interval.messages"));
    assert!(logboom(&["completions", "bash"]).ok().contains("logboom"));
}

#[test]
fn the_demo_starts_a_broker_streams_a_file_and_finds_every_byte_again() {
    let scratch = Scratch::new();
    let index = scratch.path().join("Packages");
    let text: String = (0..3000).map(|n| format!("Package: p{n}\nSize: {n}\n\n")).collect();
    let file = RealFs.open(&index, OpenHow::CreateNew).unwrap();
    file.write_all_at(&[IoSlice::new(text.as_bytes())], 0).unwrap();
    let data = scratch.path().join("data");
    // Port 0 is where nobody answers and any port does.
    let arguments = ["-b", "127.0.0.1:0", "demo", index.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let ran = logboom_fed(&[&arguments[..], &["--json", "--keep"]].concat(), "");
    let report: serde_json::Value = serde_json::from_str(&ran.ok()).unwrap();
    assert_eq!((&report["records"], &report["identical"]), (&3000.into(), &true.into()));
    let broker = Broker::start(&data);
    assert_eq!(
        broker.run(&["consume", "demo", "-o", "-1", "-f", "%k %o %s"]).ok(),
        "p2999 2999 Package: p2999\nSize: 2999"
    );
}

#[test]
fn one_topic_is_piped_into_another_as_json() {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    broker.run(&["produce", "a", "tea", "--key", "7", "-H", "from=shop"]).ok();
    broker.run(&["produce", "a", "na\u{ef}ve \"quotes\""]).ok();
    let json = broker.run(&["consume", "a", "--format", "json"]).ok();
    broker.fed(&["produce", "b", "--format", "json"], &json).ok();
    assert_eq!(
        broker.run(&["consume", "b", "--format", "json"]).ok(),
        json.replace("\"topic\":\"a\"", "\"topic\":\"b\"")
    );
    let wrong = broker.fed(&["produce", "b", "--format", "json"], "nonsense\n");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.starts_with("error[LB0502]: `nonsense` is no record"), "{}", wrong.err);
}
