//! Data directories of every version of the storage format, checked in as files (`tests/golden/data`): this program
//! opens a copy, finds what its maker wrote, goes on with it, and finds that again. They are made by `script`, which
//! must not depend on anything but the version of the program.

use crate::crash_engine::broker::{Broker, Setup};
use crate::crash_engine::verify::{Found, find, read};
use crate::kit::{Scratch, logboom};
use bytes::BytesMut;
use logboom::engine::{At, Cut, DeleteRecords, NewTopic, Produce, Produced, TopicRef};
use logboom::group::{Commit, CommitPartition, FetchOffsets};
use logboom::record::{BatchBuilder, Codec, read_records, stamp};
use logboom::sys::{Fs, OpenHow, RealFs, SimFs};
use logboom::types::{Epoch, ErrorCode, Offset, ProducerId, TimestampMs, TopicId};
use serde_json::{Value, json};
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// When the directories were made, as their records say: 2026-01-01.
const MADE: i64 = 1_767_225_600_000;
/// The ways in which their last process ended.
const ENDS: [&str; 2] = ["clean", "unclean"];
const GROUP: &str = "readers";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data")
}

/// A broker; compacted topics are left as they are unless the cleaner looks at them every so many milliseconds.
fn start(fs: Arc<dyn Fs>, data: &str, wall: i64, cleaner_ms: Option<u64>) -> Broker {
    let setup = Setup {
        mark_ms: 50,
        mark_bytes: 1 << 20,
        reserve_bytes: 0,
        journal: (0, 0),
        cleaner_ms,
        scrub_ms: 0,
    };
    Broker::start(fs, data, wall, 42, setup).unwrap()
}

fn create(broker: &Broker, name: &str, partitions: i32, configs: &[(&str, &str)]) -> TopicId {
    let engine = broker.engine();
    let configs = configs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect();
    let new = NewTopic { name: name.to_owned(), partitions, replicas: -1, configs, ..NewTopic::default() };
    broker.drive(async move { engine.create_topic(new, false).await }).unwrap().id
}

fn produce(broker: &Broker, topic: &str, partition: i32, batch: BytesMut) -> Produced {
    let topic = TopicRef::Name(topic.into());
    let engine = broker.engine();
    if let Some(opening) = broker.within(|| engine.open_all([(&topic, partition)].into_iter())) {
        broker.drive(opening);
    }
    let appended = engine.append(Produce { topic, partition, records: batch }).unwrap();
    let (clock, deadline) = (broker.clock().clone(), broker.deadline());
    broker.drive(async move { appended.durable(&clock, deadline).await }).unwrap()
}

/// Some records, the `nth` batch of its kind.
fn batch(builder: BatchBuilder, at: i64, nth: i64) -> BytesMut {
    let mut builder = builder;
    for record in 0..=nth % 3 {
        let (key, value) = (format!("key-{}", (nth + record) % 4), format!("value {nth} of record {record}"));
        // Every fifth is a tombstone.
        let value = ((nth + record) % 5 != 4).then_some(value.as_bytes());
        let key = Some(key.as_bytes());
        builder.push(TimestampMs(at + nth * 10 - record), key, value, &[("batch", Some(&nth.to_be_bytes()))]);
    }
    builder.build()
}

fn commit(broker: &Broker, topic: &str, id: TopicId, offset: i64) {
    let engine = broker.engine();
    let commit = Commit {
        group: GROUP.into(),
        member: "".into(),
        instance: None,
        generation: -1,
        knows_epochs: true,
        retention_ms: None,
        partitions: vec![CommitPartition {
            topic: topic.into(),
            topic_id: id,
            partition: 0,
            offset: Offset(offset),
            leader_epoch: Epoch(0),
            metadata: Some("checked".into()),
        }],
    };
    for _ in 0..100 {
        let (engine, commit) = (Arc::clone(&engine), commit.clone());
        match broker.drive(async move { engine.commit_offsets(commit).await }).as_deref() {
            Ok([ErrorCode::NONE]) => return,
            _ => broker.pass(Duration::from_millis(100), 10),
        }
    }
    panic!("the offset is not committed");
}

/// What the makers of all versions did; a later version may do more behind it.
fn script(broker: &Broker, at: i64) {
    let plain = BatchBuilder::new;
    let small = [("internal.segment.bytes", "600"), ("index.interval.bytes", "100")];
    let rolled = create(broker, "rolled", 2, &small);
    create(broker, "codecs", 1, &[]);
    create(broker, "numbered", 1, &small);
    create(broker, "keyed", 1, &[("cleanup.policy", "compact"), small[0], small[1]]);
    create(broker, "stamped", 1, &[("message.timestamp.type", "LogAppendTime")]);
    create(broker, "empty", 1, &[]);
    let gone = create(broker, "gone", 1, &[]);
    for nth in 0..12 {
        produce(broker, "rolled", 0, batch(plain(), at, nth));
        produce(broker, "keyed", 0, batch(plain(), at, nth));
        let sequence = (0..nth).map(|earlier| earlier as i32 % 3 + 1).sum();
        produce(broker, "numbered", 0, batch(plain().producer(ProducerId(7), 0, sequence), at, nth));
    }
    produce(broker, "rolled", 1, batch(plain(), at, 1));
    for (codec, nth) in
        [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd].into_iter().zip(2..)
    {
        produce(broker, "codecs", 0, batch(plain().codec(codec, Codec::DEFAULT_LEVEL), at, nth));
    }
    produce(broker, "stamped", 0, batch(plain(), at, 2));
    produce(broker, "gone", 0, batch(plain(), at, 1));
    commit(broker, "rolled", rolled, 3);
    commit(broker, "rolled", rolled, 9);
    let engine = broker.engine();
    let cut = DeleteRecords { topic: TopicRef::Id(rolled), partition: 0, cut: Cut::Below(Offset(9)) };
    broker.drive(async move { engine.delete_records(&cut).await }).unwrap();
    let engine = broker.engine();
    broker.drive(async move { engine.delete_topic(&TopicRef::Id(gone)).await }).unwrap();
    broker.pass(Duration::from_secs(61), 200);
}

/// What the makers from version 2 on did as well: a topic whose tombstones went, beside `keyed`, whose stay.
fn script_2(broker: &Broker, at: i64) {
    let configs = [
        ("cleanup.policy", "compact"),
        ("internal.segment.bytes", "600"),
        ("delete.retention.ms", "1000"),
        ("min.cleanable.dirty.ratio", "0.1"),
    ];
    create(broker, "settled", 1, &configs);
    for part in [0..8, 8..12, 12..16] {
        for nth in part {
            produce(broker, "settled", 0, batch(BatchBuilder::new(), at, nth));
        }
        broker.pass(Duration::from_secs(10), 100);
    }
}

fn text(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| String::from_utf8_lossy(bytes).into())
}

/// What a reader finds in a partition.
fn shown(found: &Found) -> Value {
    let mut records = Vec::new();
    for (header, bytes) in &found.batches {
        for record in read_records(bytes, 1 << 20).unwrap() {
            let record = record.unwrap();
            records.push(json!({
                "offset": record.offset.0,
                "timestamp": record.timestamp.0,
                "epoch": header.leader_epoch.0,
                "codec": format!("{:?}", header.codec().unwrap()),
                "producer": [header.producer_id.0, i64::from(header.base_sequence)],
                "key": text(record.key.as_deref()),
                "value": text(record.value.as_deref()),
                "headers": record.headers.len(),
            }));
        }
    }
    json!({ "start": found.start.0, "end": found.end.0, "records": records })
}

/// Everything that clients can see, but what differs from start to start.
fn everything(broker: &Broker) -> Value {
    let engine = broker.engine();
    let mut topics = serde_json::Map::new();
    for topic in engine.image().topics().filter(|topic| !topic.internal) {
        let partitions: Vec<Value> =
            (0..topic.partitions).map(|index| shown(&read(broker, topic.id, index).unwrap())).collect();
        let configs: serde_json::Map<String, Value> =
            topic.configs.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let topic_shown = json!({ "id": topic.id.to_string(), "configs": configs, "partitions": partitions });
        topics.insert(topic.name.to_string(), topic_shown);
    }
    json!({ "cluster": engine.cluster_id().to_string(), "topics": topics, "committed": committed(broker) })
}

fn committed(broker: &Broker) -> Value {
    for _ in 0..100 {
        let engine = broker.engine();
        let fetch = FetchOffsets { group: GROUP.into(), member: None, epoch: -1, topics: None };
        if let Ok(all) = broker.drive(async move { engine.committed_offsets(fetch).await }) {
            let partitions = all.iter().flat_map(|topic| {
                topic.partitions.iter().filter_map(|(index, committed)| {
                    let committed = committed.as_ref()?;
                    Some(json!([*topic.topic, index, committed.offset.0, *committed.metadata]))
                })
            });
            return partitions.collect();
        }
        broker.pass(Duration::from_millis(100), 10);
    }
    panic!("the committed offsets are not told");
}

fn copy(source: &Path, target: &Path) {
    RealFs.create_dir_all(target).unwrap();
    for path in RealFs.list(source).unwrap() {
        let to = target.join(path.file_name().unwrap());
        if RealFs.is_dir(&path) { copy(&path, &to) } else { write(&to, &RealFs.read(&path).unwrap()) }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    RealFs.create_dir_all(path.parent().unwrap()).unwrap();
    let file = RealFs.open(path, OpenHow::Create).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(&[IoSlice::new(bytes)], 0).unwrap();
}

/// Opens a copy, compares, goes on, and opens it again.
fn check(version: &Path, end: &str) {
    let scratch = Scratch::new();
    copy(&version.join(end), scratch.path());
    let expected: Value =
        serde_json::from_slice(&RealFs.read(&version.join("expected.json")).unwrap()).unwrap();
    let data = scratch.path().to_str().unwrap();
    let broker = start(Arc::new(RealFs), data, MADE + 3_600_000, None);
    let at = format!("{} {end}", version.display());
    let found = everything(&broker);
    assert_eq!(found["cluster"], expected["cluster"], "{at}");
    assert_eq!(found["committed"], expected["committed"], "{at}");
    for (name, topic) in expected["topics"].as_object().unwrap() {
        assert_eq!(found["topics"][name], *topic, "{at}: {name}");
    }
    assert_eq!(found, expected, "{at}");
    // The last batch of the idempotent producer is known and not taken twice; the next one is taken.
    let numbered = broker.engine().image().topic("numbered").unwrap().id;
    let last = read(&broker, numbered, 0).unwrap().batches.pop().unwrap();
    let mut sent = BytesMut::from(&last.1[..]);
    stamp(&mut sent, Offset(0), Epoch(-1));
    let again = produce(&broker, "numbered", 0, sent);
    assert_eq!(again.first, last.0.base_offset, "{at}: a batch sent again");
    let ends: Vec<(String, Offset)> = go_on(&broker, last.0.last_sequence() + 1);
    let before = everything(&broker);
    broker.close();
    let broker = start(Arc::new(RealFs), data, MADE + 7_200_000, None);
    assert_eq!(everything(&broker), before, "{at}: the second start");
    for (name, end) in ends {
        let id = broker.engine().image().topic(&name).unwrap().id;
        assert_eq!(find(&broker, id, 0, At::Latest).unwrap().offset, end, "{at}: {name}");
    }
    broker.close();
}

/// Opens a copy whose compacted topics are compacted, and looks at what is left.
fn check_compaction(version: &Path, end: &str) {
    let scratch = Scratch::new();
    copy(&version.join(end), scratch.path());
    let expected: Value =
        serde_json::from_slice(&RealFs.read(&version.join("expected.json")).unwrap()).unwrap();
    let data = scratch.path().to_str().unwrap();
    let broker = start(Arc::new(RealFs), data, MADE + 3_600_000, Some(100));
    broker.pass(Duration::from_secs(20), 200);
    let found = everything(&broker);
    broker.close();
    let at = format!("{} {end}", version.display());
    logboom(&["segment", "verify", data]).ok();
    let topics = expected["topics"].as_object().unwrap();
    assert_eq!(found["topics"].as_object().unwrap().len(), topics.len(), "{at}");
    for (name, topic) in topics {
        if topic["configs"]["cleanup.policy"] == "compact" {
            let left = &found["topics"][name]["partitions"][0];
            compacted(&topic["partitions"][0], left).unwrap_or_else(|why| panic!("{at}: {name}: {why}"));
        } else {
            assert_eq!(found["topics"][name], *topic, "{at}: {name}");
        }
    }
}

/// Whether one view of a partition is what compaction may make of another: each record as it was, the last of each
/// key among them, unless it is a tombstone.
fn compacted(before: &Value, after: &Value) -> Result<(), String> {
    if before["end"] != after["end"] || before["start"] != after["start"] {
        return Err("it begins or ends elsewhere".to_owned());
    }
    let (before, after) = (before["records"].as_array().unwrap(), after["records"].as_array().unwrap());
    if let Some(new) = after.iter().find(|record| !before.contains(record)) {
        return Err(format!("{new} was never there"));
    }
    for (nth, record) in before.iter().enumerate().filter(|(_, record)| !after.contains(record)) {
        let newer = before[nth + 1..].iter().find(|newer| newer["key"] == record["key"]);
        if newer.is_none() && !record["value"].is_null() {
            return Err(format!("{record} is gone"));
        }
    }
    Ok(())
}

/// One more batch for every topic; the ends after it.
fn go_on(broker: &Broker, sequence: i32) -> Vec<(String, Offset)> {
    let names: Vec<String> = broker
        .engine()
        .image()
        .topics()
        .filter(|topic| !topic.internal)
        .map(|topic| topic.name.to_string())
        .collect();
    let more = |name: String| {
        let builder = match name.as_str() {
            "numbered" => BatchBuilder::new().producer(ProducerId(7), 0, sequence),
            _ => BatchBuilder::new(),
        };
        let produced = produce(broker, &name, 0, batch(builder, MADE + 1_000_000, 2));
        (name, produced.first.plus(3))
    };
    names.into_iter().map(more).collect()
}

#[test]
fn directories_of_every_version_are_read_and_go_on() {
    let versions = RealFs.list(&golden()).unwrap();
    let versions: Vec<_> = versions.iter().filter(|path| RealFs.is_dir(path)).collect();
    assert!(!versions.is_empty());
    for version in versions {
        ENDS.iter().for_each(|end| check(version, end));
    }
}

#[test]
fn compacted_topics_of_every_version_are_compacted() {
    for version in RealFs.list(&golden()).unwrap().iter().filter(|path| RealFs.is_dir(path)) {
        ENDS.iter().for_each(|end| check_compaction(version, end));
    }
    let size = |path: &Path| RealFs.open(path, OpenHow::Read).unwrap().size().unwrap();
    let scratch = Scratch::new();
    copy(&golden().join("v1/clean"), scratch.path());
    let first = scratch.path().join("keyed-0/00000000000000000000.log");
    let before = size(&first);
    let broker = start(Arc::new(RealFs), scratch.path().to_str().unwrap(), MADE + 3_600_000, Some(100));
    broker.pass(Duration::from_secs(20), 200);
    broker.close();
    assert!(size(&first) < before, "nothing was compacted");
}

/// Makes the directories of the present version: see `tests/golden/data/README.md`.
#[test]
#[ignore = "writes into the repository"]
fn make_directories() {
    let version = std::env::var("GOLDEN_VERSION").expect("GOLDEN_VERSION says which, as v1");
    let root = golden().join(version);
    let mut expected = Vec::new();
    for end in ENDS {
        let (fs, cleaner) = (SimFs::new(1), Some(100));
        let broker = start(Arc::new(fs.clone()), "/data", MADE, cleaner);
        script(&broker, MADE);
        script_2(&broker, MADE);
        // A second life, so that there is more than one leader epoch, and records behind the last mark.
        drop(broker);
        let broker = start(Arc::new(fs.clone()), "/data", MADE + 100_000, cleaner);
        for nth in 12..15 {
            produce(&broker, "rolled", 0, batch(BatchBuilder::new(), MADE, nth));
            produce(&broker, "keyed", 0, batch(BatchBuilder::new(), MADE, nth));
        }
        expected.push(everything(&broker));
        let left = match end {
            "clean" => {
                broker.close();
                fs
            }
            _ => fs.kill(),
        };
        for (path, _) in left.files().into_iter().filter(|(path, _)| !path.ends_with(".lock")) {
            let name = path.strip_prefix("/data").unwrap();
            write(&root.join(end).join(name), &left.read_raw(&path).unwrap());
        }
    }
    assert_eq!(expected[0], expected[1], "both ends say the same");
    write(&root.join("expected.json"), serde_json::to_string_pretty(&expected[0]).unwrap().as_bytes());
}
