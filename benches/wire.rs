//! The codec: what it costs to understand a produce and a fetch request and to write their answers. Records are neither
//! read nor copied: they stay in the frame of a request, and an answer has holes for them.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use logboom::types::Uuid;
use logboom::wire::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, FetchableTopicResponse, PartitionData,
};
use logboom::wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
    TopicProduceResponse,
};
use logboom::wire::{ApiKey, Reader, Records, Request, frame};
use std::hint::black_box;

/// Topics by name, and by id.
const PRODUCE_VERSIONS: [i16; 2] = [9, 13];
const FETCH_VERSIONS: [i16; 2] = [12, 18];
const PARTITIONS: [i32; 2] = [1, 100];
const TOPIC: &str = "orders-of-europe";

/// The header and the message of a request in a frame that is its own, as the connection does.
fn decode<R: Request>(criterion: &mut Criterion, name: &str, versions: [i16; 2], request: impl Fn(i32) -> R) {
    let mut group = criterion.benchmark_group(format!("decode a {name} request"));
    for version in versions {
        for partitions in PARTITIONS {
            let whole = frame::encode_request(&request(partitions), version, 1, Some("producer-1")).unwrap();
            let whole: Bytes = whole.to_bytes().unwrap().slice(4..);
            let id = BenchmarkId::new(format!("version {version}, partitions"), partitions);
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let mut reader = Reader::new(black_box(&whole).clone());
                    let header = frame::decode_request_header(&mut reader).unwrap();
                    (header, R::decode(&mut reader, version).unwrap())
                });
            });
        }
    }
    group.finish();
}

fn encode<R: Request>(
    criterion: &mut Criterion,
    name: &str,
    versions: [i16; 2],
    answer: impl Fn(i32) -> R::Response,
) {
    let mut group = criterion.benchmark_group(format!("encode a {name} answer"));
    for version in versions {
        for partitions in PARTITIONS {
            let answer = answer(partitions);
            let key: ApiKey = R::KEY;
            let id = BenchmarkId::new(format!("version {version}, partitions"), partitions);
            group.bench_function(id, |bencher| {
                bencher.iter(|| frame::encode_response(key, version, 1, black_box(&answer)).unwrap());
            });
        }
    }
    group.finish();
}

fn produce(criterion: &mut Criterion) {
    let records = Bytes::from(vec![7; 16 << 10]);
    decode(criterion, "produce", PRODUCE_VERSIONS, |partitions| {
        let data = (0..partitions)
            .map(|index| PartitionProduceData { index, records: Some(Records::Bytes(records.clone())) });
        let topic = TopicProduceData {
            name: TOPIC.into(),
            topic_id: Uuid::from_random(1),
            partition_data: data.collect(),
        };
        ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data: vec![topic], ..ProduceRequest::default() }
    });
    encode::<ProduceRequest>(criterion, "produce", PRODUCE_VERSIONS, |partitions| {
        let one = |index| PartitionProduceResponse { index, base_offset: 123_456, ..Default::default() };
        let topic = TopicProduceResponse {
            name: TOPIC.into(),
            topic_id: Uuid::from_random(1),
            partition_responses: (0..partitions).map(one).collect(),
        };
        ProduceResponse { responses: vec![topic], ..ProduceResponse::default() }
    });
}

fn fetch(criterion: &mut Criterion) {
    decode(criterion, "fetch", FETCH_VERSIONS, |partitions| {
        let one = |partition| FetchPartition {
            partition,
            fetch_offset: 123_456,
            partition_max_bytes: 1 << 20,
            ..FetchPartition::default()
        };
        let topic = FetchTopic {
            topic: TOPIC.into(),
            topic_id: Uuid::from_random(1),
            partitions: (0..partitions).map(one).collect(),
        };
        FetchRequest { max_wait_ms: 500, min_bytes: 1, topics: vec![topic], ..FetchRequest::default() }
    });
    encode::<FetchRequest>(criterion, "fetch", FETCH_VERSIONS, |partitions| {
        let one = |partition_index| PartitionData {
            partition_index,
            high_watermark: 123_456,
            records: Some(Records::Hole(16 << 10)),
            ..PartitionData::default()
        };
        let topic = FetchableTopicResponse {
            topic: TOPIC.into(),
            topic_id: Uuid::from_random(1),
            partitions: (0..partitions).map(one).collect(),
        };
        FetchResponse { responses: vec![topic], ..FetchResponse::default() }
    });
}

criterion_group!(wire, produce, fetch);
criterion_main!(wire);
