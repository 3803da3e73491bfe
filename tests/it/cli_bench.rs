//! `logboom bench` as its user sees it: what it counts, what it leaves behind, and how it fails.

use super::kit::{Broker, Ran, Scratch};
use serde_json::Value;

fn broker() -> (Scratch, Broker) {
    let scratch = Scratch::new();
    let broker = Broker::start(scratch.path());
    (scratch, broker)
}

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok()).unwrap()
}

fn topics(broker: &Broker) -> String {
    broker.run(&["topic", "list"]).ok()
}

/// Runs `bench` with arguments in one line.
fn bench(broker: &Broker, line: &str) -> Ran {
    let arguments: Vec<&str> = std::iter::once("bench").chain(line.split(' ')).collect();
    broker.run(&arguments)
}

#[test]
fn produce_sends_as_many_records_as_it_was_asked_for_and_leaves_no_topic_behind() {
    let (_scratch, broker) = broker();
    for acks in ["all", "1", "0"] {
        // The last batch holds what is left: 1000 is no multiple of 64.
        let ran = json(bench(&broker, &format!("produce --records 1000 --size 100 --acks {acks} --json")));
        let seconds = ran["seconds"].as_f64().unwrap();
        assert_eq!((&ran["records"], &ran["requests"]), (&1000.into(), &16.into()), "{ran}");
        assert!(seconds > 0.0 && ran["records_per_second"].as_f64().unwrap() > 0.0);
        match acks {
            "0" => assert_eq!(ran["latency_ms"], Value::Null),
            _ => assert_eq!(ran["latency_ms"]["count"], 16),
        }
        assert!(ran["machine"]["cpus"].as_u64().unwrap() > 0);
        assert_eq!((&ran["loop"], &ran["settings"]["batch"]), (&"closed".into(), &64.into()));
    }
    assert_eq!(topics(&broker), "");
}

#[test]
fn records_of_every_codec_and_of_numbered_batches_are_records_that_a_consumer_reads() {
    let (_scratch, broker) = broker();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let line = format!(
            "produce --topic {codec} --keep --records 100 --size 50 --batch 7 -z {codec} -p 3 --idempotent"
        );
        let ran = bench(&broker, &line);
        assert!(ran.out.contains("100 records") && ran.out.contains("p99.9"), "{ran:?}");
        let values = broker.run(&["consume", codec, "-f", "%S %v\\n"]).ok();
        assert_eq!(values.lines().filter(|line| line.starts_with("50 ")).count(), 100, "{codec}");
    }
}

#[test]
fn an_open_loop_counts_latency_from_when_a_record_was_due() {
    let (_scratch, broker) = broker();
    let ran = json(bench(&broker, "produce --rate 1000 --seconds 0.3 --batch 10 --clients 1 --json"));
    assert_eq!((&ran["records"], &ran["loop"]), (&300.into(), &"open".into()), "{ran}");
    assert!(ran["seconds"].as_f64().unwrap() > 0.28, "{ran}");
    // Nobody can do a thousand million records a second: the last are late by nearly the whole run.
    let ran = json(bench(&broker, "produce --rate 1e9 --records 50000 --size 10 --batch 50 --json"));
    let took = ran["seconds"].as_f64().unwrap() * 1000.0;
    let longest = ran["latency_ms"]["max"].as_f64().unwrap();
    assert!(longest > took * 0.9 && longest < took * 1.1, "{ran}");
}

#[test]
fn consume_fills_a_topic_that_it_makes_and_reads_it_once_for_each_group() {
    let (_scratch, broker) = broker();
    let ran = json(bench(&broker, "consume --records 2000 --size 100 --groups 3 --fetch 4KiB --json"));
    assert_eq!(ran["records"], 6000, "{ran}");
    assert!(ran["latency_ms"]["count"].as_u64().unwrap() > 10, "{ran}");
    assert_eq!(topics(&broker), "");
}

#[test]
fn consume_reads_a_topic_that_is_there_over_and_over_until_time_is_up() {
    let (_scratch, broker) = broker();
    bench(&broker, "produce --topic t --keep --records 500 --size 10 -p 2").ok();
    let once = json(bench(&broker, "consume --topic t --json"));
    assert_eq!((&once["records"], &once["settings"]["partitions"]), (&500.into(), &2.into()));
    let often = json(bench(&broker, "consume --topic t --seconds 0.2 --json"));
    assert!(often["records"].as_u64().unwrap() > 500, "{often}");
    let paced = json(bench(&broker, "consume --topic t --rate 1000 --seconds 0.2 --fetch 300 --json"));
    assert!(paced["records"].as_u64().unwrap() < 500, "{paced}");
    assert!(topics(&broker).contains('t'));
}

#[test]
fn end_to_end_tells_when_records_were_acknowledged_and_when_they_were_fetched() {
    let (_scratch, broker) = broker();
    for line in
        ["e2e --records 100 --json", "e2e --rate 2000 --seconds 0.2 --in-flight 50 --clients 3 --json"]
    {
        let ran = json(bench(&broker, line));
        let records = ran["records"].as_u64().unwrap();
        assert!(records == 100 || records == 400, "{ran}");
        for times in ["latency_ms", "end_to_end_ms"] {
            assert_eq!(ran[times]["count"], records, "{ran}");
            assert!(ran[times]["p50"].as_f64().unwrap() > 0.0, "{ran}");
        }
    }
    let unanswered = json(bench(&broker, "e2e --records 50 --acks 0 --batch 5 --size 10 --json"));
    assert_eq!(
        (&unanswered["latency_ms"], &unanswered["end_to_end_ms"]["count"]),
        (&Value::Null, &10.into())
    );
    assert_eq!(topics(&broker), "");
}

#[test]
fn a_run_that_fails_says_why_and_removes_its_topic() {
    let (_scratch, broker) = broker();
    let large = bench(&broker, "produce --records 10 --size 2MiB --batch 1");
    assert_eq!(large.code, 1);
    assert!(large.err.contains("error[MESSAGE_TOO_LARGE]"), "{large:?}");
    assert_eq!(topics(&broker), "");
    broker.run(&["topic", "create", "empty"]).ok();
    let empty = bench(&broker, "consume --topic empty");
    assert_eq!(empty.code, 1);
    assert!(empty.err.contains("error[LB0404]") && empty.err.contains("bench produce"), "{empty:?}");
    let other = bench(&broker, "produce --topic empty --partitions 9");
    assert_eq!(other.code, 2, "{other:?}");
    let nobody = super::kit::logboom(&["bench", "produce", "-b", "127.0.0.1:1"]);
    assert_eq!((nobody.code, nobody.err.contains("error[LB0301]")), (1, true));
}

#[test]
fn a_run_that_is_interrupted_tells_what_it_has_measured_and_removes_its_topic() {
    let (_scratch, broker) = broker();
    let begun =
        broker.begin(&["bench", "produce", "--rate", "100", "--seconds", "60", "--json", "--batch", "1"]);
    assert!((0..500).any(|_| topics(&broker).contains("bench")), "it never began");
    let (code, err) = begun.end("-INT");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(topics(&broker), "");
}
