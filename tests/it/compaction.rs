//! Compacted topics shrink by themselves while everybody goes on: those that are written to and those that nobody
//! touched since the start. A log that cannot be compacted stands in nobody's way, and neither deleting a topic nor
//! stopping the broker waits for the cleaner.

use crate::door_kit::{Client, start_on, values, within};
use bytes::Bytes;
use logboom::record::BatchBuilder;
use logboom::server::Server;
use logboom::sys::{Call, Clock, Fault, Fs, RealClock, SimFs};
use logboom::types::{ErrorCode, TimestampMs};
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logboom::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use logboom::wire::{Records, Str};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A broker that looks for dirty logs all the time.
const KEEN: &[(&str, &str)] =
    &[("log.cleaner.backoff.ms", "5"), ("log.cleaner.dedupe.buffer.size", "2097152")];

/// Small segments, compacted as soon as there is anything.
const COMPACTED: &[(&str, &str)] = &[
    ("cleanup.policy", "compact"),
    ("internal.segment.bytes", "4000"),
    ("min.cleanable.dirty.ratio", "0.01"),
    ("file.delete.delay.ms", "0"),
];

const KEYS: u64 = 10;

async fn keen(fs: &SimFs, extra: &[(&str, &str)]) -> Server {
    start_on(fs, Arc::new(RealClock::new()), &[KEEN, extra].concat()).await.unwrap()
}

/// Ten records from number `from` on, a key for each last digit; the value is the number.
fn ten(from: u64) -> Bytes {
    let mut builder = BatchBuilder::new();
    for number in from..from + 10 {
        let (key, value) = (format!("key {}", number % KEYS), format!("{number:060}"));
        builder.push(TimestampMs(1_700_000_000_000), Some(key.as_bytes()), Some(value.as_bytes()), &[]);
    }
    builder.build().freeze()
}

async fn fill(client: &mut Client, topic: &str, numbers: std::ops::Range<u64>) {
    for from in numbers.step_by(10) {
        assert_eq!(client.produce(topic, ten(from)).await.error_code, ErrorCode::NONE);
    }
}

/// Bytes of the `.log` files of partition 0.
fn size(fs: &SimFs, topic: &str) -> u64 {
    let dir = format!("/data/{topic}-0/");
    let files = fs.files().into_iter();
    let logs = files.filter(|(path, _)| {
        let path = path.to_string_lossy();
        path.starts_with(&dir) && path.ends_with(".log")
    });
    logs.map(|(_, size)| size).sum()
}

async fn until(holds: impl Fn() -> bool) {
    within(async {
        while !holds() {
            RealClock::new().sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Reads all from offset 0 on: the last value of each key, and how many records there were.
async fn read_all(client: &mut Client, topic: &str) -> (BTreeMap<u64, u64>, usize) {
    let (mut last, mut count, mut at) = (BTreeMap::new(), 0, 0);
    loop {
        let response = client.call(&crate::door_kit::fetch(topic, at, 0), 12).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::NONE);
        let Some(next) = next_offset(partition.records.as_ref()) else { return (last, count) };
        for value in values(partition.records.as_ref()) {
            let number: u64 = value.parse().unwrap();
            last.insert(number % KEYS, number);
            count += 1;
        }
        assert!(next > at);
        at = next;
    }
}

/// The offset behind the last whole batch.
fn next_offset(records: Option<&Records>) -> Option<i64> {
    let Some(Records::Bytes(bytes)) = records else { panic!("records are never null") };
    let headers = logboom::record::split_batches(bytes).filter_map(Result::ok);
    headers.last().map(|(header, _)| header.next_offset().0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compacted_topic_shrinks_while_producer_and_consumer_go_on() {
    let fs = SimFs::new(1);
    let server = keen(&fs, &[]).await;
    let mut producer = Client::connect(&server).await;
    producer.create("kept", 1, COMPACTED).await;
    let mut consumer = Client::connect(&server).await;
    let done = Arc::new(AtomicBool::new(false));
    let stop = done.clone();
    // Every number comes once and in order, for the consumer keeps up or finds what is left.
    let reading = tokio::spawn(async move {
        let mut rounds = 0;
        while !stop.load(Ordering::Relaxed) {
            let (last, _) = read_all(&mut consumer, "kept").await;
            assert!(last.iter().all(|(key, number)| number % KEYS == *key));
            rounds += 1;
        }
        rounds
    });
    let mut numbers = 0;
    let cleaned = || server.engine().cleaner_stats();
    within(async {
        while cleaned().runs < 5 || numbers < 3000 {
            fill(&mut producer, "kept", numbers..numbers + 100).await;
            numbers += 100;
        }
    })
    .await;
    done.store(true, Ordering::Relaxed);
    assert!(reading.await.unwrap() > 0);
    until(|| size(&fs, "kept") < 16_000).await;
    let (last, count) = read_all(&mut producer, "kept").await;
    assert_eq!(last, (numbers - KEYS..numbers).map(|number| (number % KEYS, number)).collect());
    // What is not cleaned yet, of that size, and what is.
    assert!(count < 300, "{count} of {numbers} records are left");
    let stats = cleaned();
    assert!(stats.bytes_freed > 0 && stats.records_removed > 0 && stats.failures == 0, "{stats:?}");
    within(server.stop()).await;
    let checkpoint = fs.read_raw("/data/cleaner-offset-checkpoint".as_ref()).unwrap();
    assert!(String::from_utf8(checkpoint).unwrap().starts_with("0\n1\nkept 0 "));
    // A restart finds all of it.
    let server = keen(&fs, &[]).await;
    let (again, _) = read_all(&mut Client::connect(&server).await, "kept").await;
    assert_eq!(again, last);
    within(server.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_nobody_touches_after_a_restart_is_compacted_all_the_same() {
    let fs = SimFs::new(2);
    let server = keen(&fs, &[("log.cleaner.enable", "false")]).await;
    let mut client = Client::connect(&server).await;
    client.create("kept", 1, COMPACTED).await;
    client.create("plain", 1, &[("internal.segment.bytes", "4000")]).await;
    for topic in ["kept", "plain"] {
        fill(&mut client, topic, 0..1000).await;
    }
    let before = size(&fs, "plain");
    assert_eq!(size(&fs, "kept"), before);
    assert_eq!(server.engine().cleaner_stats().runs, 0);
    within(server.stop()).await;
    let server = keen(&fs, &[]).await;
    until(|| size(&fs, "kept") * 4 < before).await;
    assert_eq!(size(&fs, "plain"), before);
    let (last, _) = read_all(&mut Client::connect(&server).await, "kept").await;
    assert_eq!(last.into_values().collect::<Vec<_>>(), (990..1000).collect::<Vec<_>>());
    within(server.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_compacted_stands_in_nobodys_way() {
    let fs = SimFs::new(3);
    let server = keen(&fs, &[]).await;
    fs.fail(Fault::eio(Call::Write).named("bad-0/00000000000000000000.log.cleaned").lasting());
    let mut client = Client::connect(&server).await;
    for topic in ["bad", "good"] {
        client.create(topic, 1, COMPACTED).await;
        fill(&mut client, topic, 0..1000).await;
    }
    until(|| server.engine().cleaner_stats().uncleanable == 1 && size(&fs, "good") < 16_000).await;
    assert_eq!(server.engine().cleaner_stats().failures, 1);
    let (last, count) = read_all(&mut client, "bad").await;
    assert_eq!((last.len() as u64, count), (KEYS, 1000));
    fill(&mut client, "bad", 1000..1100).await;
    within(server.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_topic_and_stopping_do_not_wait_for_a_slow_cleaner() {
    let fs = SimFs::new(4);
    // At this rate a cleaning would take an hour.
    let server = keen(&fs, &[("log.cleaner.io.max.bytes.per.second", "20")]).await;
    let mut client = Client::connect(&server).await;
    for topic in ["gone", "kept"] {
        client.create(topic, 1, COMPACTED).await;
        fill(&mut client, topic, 0..1000).await;
        until(|| server.engine().cleaner_stats().under_way == 1).await;
        if topic == "gone" {
            let named = DeleteTopicState { name: Some(Str::from(topic)), ..Default::default() };
            let request =
                DeleteTopicsRequest { topics: vec![named], timeout_ms: 10_000, ..Default::default() };
            let response = within(client.call(&request, 6)).await;
            assert_eq!(response.responses[0].error_code, ErrorCode::NONE);
            until(|| server.engine().cleaner_stats().under_way == 0 && size(&fs, "gone") == 0).await;
        }
    }
    within(server.stop()).await;
    assert!(fs.files().iter().all(|(path, _)| !path.to_string_lossy().ends_with(".log.cleaned")));
    let server = keen(&fs, &[]).await;
    until(|| size(&fs, "kept") < 16_000).await;
    within(server.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_room_on_a_disk_is_the_producers_until_there_is_more() {
    let fs = SimFs::new(5);
    let server = keen(&fs, &[("log.dir.reserve.bytes", "262144")]).await;
    let mut client = Client::connect(&server).await;
    client.create("kept", 1, COMPACTED).await;
    until(|| fs.exists("/data/logboom.reserve".as_ref())).await;
    let used: u64 = fs.files().iter().map(|(_, size)| size.next_multiple_of(4096)).sum();
    fs.set_capacity(used + 250_000);
    fill(&mut client, "kept", 0..1000).await;
    until(|| server.engine().cleaner_stats().uncleanable == 1).await;
    let before = size(&fs, "kept");
    assert!(before > 60_000 && server.engine().cleaner_stats().runs == 0);
    assert!(fs.files().iter().all(|(path, _)| !path.to_string_lossy().ends_with(".cleaned")));
    assert_eq!(read_all(&mut client, "kept").await.1, 1000);
    // It does not take the time of a retry.
    fs.set_capacity(used + 10_000_000);
    until(|| size(&fs, "kept") * 4 < before).await;
    until(|| server.engine().cleaner_stats().uncleanable == 0).await;
    let (last, _) = read_all(&mut client, "kept").await;
    assert_eq!(last.into_values().collect::<Vec<_>>(), (990..1000).collect::<Vec<_>>());
    within(server.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_rest_between_looks_holds_at_once() {
    let fs = SimFs::new(6);
    let hour = [("log.cleaner.backoff.ms", "3600000")];
    let server = keen(&fs, &hour).await;
    let mut client = Client::connect(&server).await;
    until(|| server.engine().cleaner_stats().last_look.is_some()).await;
    client.create("kept", 1, COMPACTED).await;
    fill(&mut client, "kept", 0..1000).await;
    assert_eq!(server.engine().cleaner_stats().runs, 0);
    set_of_broker(&mut client, "log.cleaner.backoff.ms", "5").await;
    until(|| size(&fs, "kept") < 16_000).await;
    // So does another rate, in the middle of a cleaning: this one would take hours.
    set_of_broker(&mut client, "log.cleaner.io.max.bytes.per.second", "20").await;
    fill(&mut client, "kept", 1000..2000).await;
    until(|| server.engine().cleaner_stats().under_way == 1).await;
    set_of_broker(&mut client, "log.cleaner.io.max.bytes.per.second", "1e9").await;
    until(|| size(&fs, "kept") < 16_000).await;
    within(server.stop()).await;
}

/// Changes a setting of all brokers.
async fn set_of_broker(client: &mut Client, name: &str, value: &str) {
    let config =
        AlterableConfig { name: Str::from(name), config_operation: 0, value: Some(Str::from(value)) };
    let brokers =
        AlterConfigsResource { resource_type: 4, resource_name: Str::from(""), configs: vec![config] };
    let request = IncrementalAlterConfigsRequest { resources: vec![brokers], validate_only: false };
    let response = client.call(&request, 1).await;
    assert_eq!(response.responses[0].error_code, ErrorCode::NONE);
}
