//! Produce and fetch through the Kafka door.

use crate::door_kit::{batch, broker, build, fetch, new_topic, produce, values, within};
use bytes::Bytes;
use logboom::record::{BatchBuilder, Codec};
use logboom::types::{ErrorCode, ProducerId, TimestampMs, Uuid};
use logboom::wire::Str;
use logboom::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use logboom::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use logboom::wire::messages::init_producer_id::InitProducerIdRequest;
use logboom::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use logboom::wire::messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use logboom::wire::messages::produce::ProduceRequest;

const MANY: &[usize] = &[1, 2, 1000];

#[tokio::test]
async fn what_was_produced_is_fetched_in_every_version() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    let id = client.create("orders", 1, &[]).await;
    let mut expect = Vec::new();
    for version in 3..=13 {
        let value = format!("v{version}");
        for acks in [1, -1] {
            let mut request = produce("orders", batch(&[&value]), acks);
            request.topic_data[0].topic_id = id;
            if version >= 13 {
                request.topic_data[0].name = Str::EMPTY;
            }
            let response = client.call(&request, version).await;
            let partition = &response.responses[0].partition_responses[0];
            assert_eq!((partition.error_code, partition.base_offset), (ErrorCode::NONE, expect.len() as i64));
            expect.push(value.clone());
        }
    }
    for version in 4..=18 {
        let mut request = fetch("orders", 0, 10_000);
        request.topics[0].topic_id = id;
        if version >= 13 {
            request.topics[0].topic = Str::EMPTY;
        }
        let response = client.call(&request, version).await;
        let partition = &response.responses[0].partitions[0];
        // acks=1 answers before the sync, so the watermark may still be on its way.
        let got = values(partition.records.as_ref());
        assert_eq!(got, expect[..got.len()], "version {version}");
        assert!(got.len() >= expect.len() - 1);
    }
    broker.server.stop().await;
}

#[tokio::test]
async fn answers_come_in_the_order_of_many_requests_in_flight() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    for count in MANY {
        let start = client.fetch("orders", 0).await.0.len();
        let mut asked = Vec::new();
        for n in 0..*count {
            asked.push(client.send(&produce("orders", batch(&[&format!("{n}")]), -1), 9).await);
            if asked.len() % 40 == 0 {
                // Leave room: what the broker has not read stays in the socket.
                for expect in asked.drain(..) {
                    assert_eq!(client.receive::<ProduceRequest>(9).await.0, expect);
                }
            }
        }
        for expect in asked {
            assert_eq!(client.receive::<ProduceRequest>(9).await.0, expect);
        }
        let (values, _) = client.fetch("orders", start as i64).await;
        let expect: Vec<String> = (0..*count).map(|n| n.to_string()).collect();
        assert_eq!(values, expect);
    }
}

#[tokio::test]
async fn the_order_holds_while_the_partition_is_being_opened() {
    // The first produce waits for the partition; the second must not overtake it.
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    for n in 0..20 {
        client.send(&produce("orders", batch(&[&n.to_string()]), -1), 9).await;
    }
    for n in 0..20 {
        let (_, response) = client.receive::<ProduceRequest>(9).await;
        assert_eq!(response.responses[0].partition_responses[0].base_offset, n);
    }
}

#[tokio::test]
async fn acks_0_has_no_answer_and_a_failure_closes_the_connection() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    client.send(&produce("orders", batch(&["silent"]), 0), 9).await;
    assert_eq!(client.produce("orders", batch(&["loud"])).await.base_offset, 1);
    client.send(&produce("nowhere", batch(&["lost"]), 0), 9).await;
    assert!(client.receive_raw().await.is_none());
}

#[tokio::test]
async fn a_repeated_batch_of_an_idempotent_producer_gets_its_first_offsets() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    let ids = client
        .call(
            &InitProducerIdRequest {
                transactional_id: None,
                producer_id: -1,
                producer_epoch: -1,
                ..Default::default()
            },
            4,
        )
        .await;
    assert_eq!((ids.error_code, ids.producer_epoch), (ErrorCode::NONE, 0));
    let numbered = |sequence: i32| {
        build(BatchBuilder::new().producer(ProducerId(ids.producer_id), 0, sequence), &["a", "b"])
    };
    assert_eq!(client.produce("orders", numbered(0)).await.base_offset, 0);
    assert_eq!(client.produce("orders", numbered(2)).await.base_offset, 2);
    assert_eq!(client.produce("orders", numbered(0)).await.base_offset, 0);
    let gap = client.produce("orders", numbered(9)).await;
    assert_eq!(gap.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(client.fetch("orders", 0).await.1, 4);
}

#[tokio::test]
async fn bad_batches_are_refused_with_kafkas_codes() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[("max.message.bytes", "500")]).await;
    client.create("keyed", 1, &[("cleanup.policy", "compact")]).await;
    let mut broken = batch(&["x"]).to_vec();
    broken[65] ^= 1;
    let mut keyless = BatchBuilder::new();
    keyless.push(TimestampMs(0), None, Some(b"v"), &[]);
    let large = "x".repeat(600);
    for (topic, records, expect) in [
        ("orders", Bytes::from(broken), ErrorCode::CORRUPT_MESSAGE),
        ("orders", Bytes::new(), ErrorCode::INVALID_RECORD),
        ("orders", batch(&[&large]), ErrorCode::MESSAGE_TOO_LARGE),
        ("keyed", keyless.build().freeze(), ErrorCode::INVALID_RECORD),
        ("nowhere", batch(&["x"]), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    ] {
        let answer = client.produce(topic, records).await;
        assert_eq!((answer.error_code, answer.base_offset), (expect, -1), "{topic}");
        assert!(answer.error_message.is_some() || expect == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    let response = client.call(&produce("orders", batch(&["x"]), 2), 9).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, ErrorCode::INVALID_REQUIRED_ACKS);
    let mut by_id = produce("", batch(&["x"]), -1);
    by_id.topic_data[0].topic_id = Uuid([7; 16]);
    let response = client.call(&by_id, 13).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[tokio::test]
async fn zstd_is_for_clients_that_know_it() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    let zstd = || build(BatchBuilder::new().codec(Codec::Zstd, 3), &["packed"]);
    let response = client.call(&produce("orders", zstd(), -1), 6).await;
    let code = response.responses[0].partition_responses[0].error_code;
    assert_eq!(code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    assert_eq!(client.produce("orders", zstd()).await.error_code, ErrorCode::NONE);
    let response = client.call(&fetch("orders", 0, 0), 9).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    let response = client.call(&fetch("orders", 0, 0), 10).await;
    assert_eq!(values(response.responses[0].partitions[0].records.as_ref()), ["packed"]);
}

#[tokio::test]
async fn a_waiting_fetch_wakes_when_records_come() {
    let broker = broker(&[]).await;
    let (mut reader, mut writer) = (broker.client().await, broker.client().await);
    writer.create("orders", 1, &[]).await;
    let asked = reader.send(&fetch("orders", 0, 15_000), 12).await;
    writer.produce("orders", batch(&["news"])).await;
    let (answered, response) = reader.receive::<FetchRequest>(12).await;
    assert_eq!(asked, answered);
    assert_eq!(values(response.responses[0].partitions[0].records.as_ref()), ["news"]);
}

#[tokio::test]
async fn a_fetch_that_finds_nothing_has_empty_records_and_never_null() {
    // librdkafka takes null for a broken answer.
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    for version in 4..=12 {
        let response = client.call(&fetch("orders", 0, 1), version).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!((partition.error_code, values(partition.records.as_ref()).len()), (ErrorCode::NONE, 0));
        let response = client.call(&fetch("nowhere", 0, 1), version).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        assert!(partition.records.is_some());
    }
}

#[tokio::test]
async fn only_the_first_records_of_an_answer_may_exceed_its_bounds() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("big", 1, &[]).await;
    client.create("small", 1, &[]).await;
    client.produce("big", batch(&["x".repeat(5000).as_str()])).await;
    client.produce("small", batch(&["y"])).await;
    let mut request = fetch("big", 0, 0);
    let mut second = fetch("small", 0, 0);
    request.topics.append(&mut second.topics);
    request.max_bytes = 100;
    let response = client.call(&request, 12).await;
    let sizes: Vec<usize> =
        response.responses.iter().map(|topic| values(topic.partitions[0].records.as_ref()).len()).collect();
    assert_eq!(sizes, [1, 0]);
}

#[tokio::test]
async fn offsets_and_epochs_outside_of_the_log_are_told() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["a", "b"])).await;
    let mut ahead = fetch("orders", 0, 0);
    ahead.topics[0].partitions[0].current_leader_epoch = 5;
    let mut diverged = fetch("orders", 2, 0);
    diverged.topics[0].partitions[0].last_fetched_epoch = 3;
    for (request, expect) in [
        (fetch("orders", 3, 0), ErrorCode::OFFSET_OUT_OF_RANGE),
        (fetch("orders", -1, 0), ErrorCode::OFFSET_OUT_OF_RANGE),
        (ahead, ErrorCode::UNKNOWN_LEADER_EPOCH),
        (diverged, ErrorCode::OFFSET_OUT_OF_RANGE),
    ] {
        let response = client.call(&request, 12).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!((partition.error_code, partition.high_watermark), (expect, -1));
    }
    let asked = OffsetForLeaderPartition { partition: 0, current_leader_epoch: -1, leader_epoch: 0 };
    let topic = OffsetForLeaderTopic { topic: Str::from("orders"), partitions: vec![asked] };
    let response = client.call(&OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![topic] }, 4).await;
    assert_eq!(response.topics[0].partitions[0].end_offset, 2);
}

/// A fetch in a session. Partitions of topic `orders` with their offsets, and those forgotten.
fn in_session(session: i32, epoch: i32, wants: &[(i32, i64)], forgotten: &[i32]) -> FetchRequest {
    let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
        partition: *partition,
        fetch_offset: *fetch_offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let mut request = FetchRequest { session_id: session, session_epoch: epoch, ..fetch("orders", 0, 0) };
    request.topics = vec![FetchTopic {
        topic: Str::from("orders"),
        partitions: wants.iter().map(partition).collect(),
        ..Default::default()
    }];
    request.forgotten_topics_data = vec![ForgottenTopic {
        topic: Str::from("orders"),
        partitions: forgotten.to_vec(),
        ..Default::default()
    }];
    request
}

#[tokio::test]
async fn a_fetch_session_answers_with_what_changed() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 3, &[]).await;
    client.produce("orders", batch(&["a"])).await;
    let opened = client.call(&in_session(0, 0, &[(0, 1), (1, 0), (2, 0)], &[]), 12).await;
    let session = opened.session_id;
    assert!(session > 0);
    assert_eq!(opened.responses[0].partitions.len(), 3);
    let quiet = client.call(&in_session(session, 1, &[], &[]), 12).await;
    assert_eq!((quiet.session_id, quiet.responses.len()), (session, 0));
    client.produce("orders", batch(&["b"])).await;
    let news = client.call(&in_session(session, 2, &[], &[]), 12).await;
    let told: Vec<i32> = news.responses[0].partitions.iter().map(|one| one.partition_index).collect();
    assert_eq!(told, [0]);
    assert_eq!(values(news.responses[0].partitions[0].records.as_ref()), ["b"]);
    let wrong = client.call(&in_session(session, 9, &[], &[]), 12).await;
    assert_eq!(wrong.error_code, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
    let rest = client.call(&in_session(session, 3, &[(1, 7)], &[0, 2]), 12).await;
    assert_eq!(rest.responses[0].partitions[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    let closed = client.call(&in_session(session, -1, &[], &[]), 12).await;
    assert_eq!((closed.error_code, closed.session_id), (ErrorCode::NONE, 0));
    let gone = client.call(&in_session(session, 4, &[], &[]), 12).await;
    assert_eq!(gone.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[tokio::test]
async fn offsets_are_found_by_time_and_by_name() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    for n in 0..3 {
        let mut records = BatchBuilder::new();
        records.push(TimestampMs(1_000 * (n + 1)), None, Some(b"v"), &[]);
        client.produce("orders", records.build().freeze()).await;
    }
    for (timestamp, version, code, offset) in [
        (-1, 1, ErrorCode::NONE, 3),
        (-2, 11, ErrorCode::NONE, 0),
        (-3, 7, ErrorCode::NONE, 2),
        (-3, 6, ErrorCode::UNSUPPORTED_VERSION, -1),
        (-4, 8, ErrorCode::NONE, 0),
        (-5, 9, ErrorCode::NONE, -1),
        (-6, 11, ErrorCode::NONE, -1),
        (-7, 11, ErrorCode::UNSUPPORTED_VERSION, -1),
        (1_500, 11, ErrorCode::NONE, 1),
        (9_000, 11, ErrorCode::NONE, -1),
    ] {
        let partition = ListOffsetsPartition { timestamp, ..Default::default() };
        let topic = ListOffsetsTopic { name: Str::from("orders"), partitions: vec![partition] };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let response = client.call(&request, version).await;
        let found = &response.topics[0].partitions[0];
        assert_eq!((found.error_code, found.offset), (code, offset), "{timestamp} in version {version}");
    }
}

#[tokio::test]
async fn records_deleted_from_the_front_are_out_of_range() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["a", "b", "c"])).await;
    let delete = |topic: &str, offset| DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: Str::from(topic),
            partitions: vec![DeleteRecordsPartition { partition_index: 0, offset }],
        }],
        timeout_ms: 1_000,
    };
    let response = client.call(&delete("orders", 2), 2).await;
    assert_eq!(response.topics[0].partitions[0].low_watermark, 2);
    let response = client.call(&fetch("orders", 1, 0), 12).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    let response = client.call(&delete("orders", -1), 2).await;
    assert_eq!(response.topics[0].partitions[0].low_watermark, 3);
    let response = client.call(&delete("orders", 9), 2).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    client.create("keyed", 1, &[("cleanup.policy", "compact")]).await;
    let response = client.call(&delete("keyed", 0), 2).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::POLICY_VIOLATION);
}

#[tokio::test]
async fn a_large_answer_comes_whole_to_a_slow_reader() {
    let broker = broker(&[]).await;
    let (mut reader, mut writer) = (broker.client().await, broker.client().await);
    writer.call(&new_topic("orders", 1, &[("segment.bytes", "1048576")]), 7).await;
    let large = "x".repeat(900_000);
    for _ in 0..20 {
        writer.produce("orders", batch(&[&large])).await;
    }
    let mut request = fetch("orders", 0, 0);
    request.topics[0].partitions[0].partition_max_bytes = 50 << 20;
    reader.send(&request, 12).await;
    // Others are served while this one does not read.
    within(async { assert_eq!(writer.fetch("orders", 19).await.0.len(), 1) }).await;
    let (_, response) = reader.receive::<FetchRequest>(12).await;
    let got = values(response.responses[0].partitions[0].records.as_ref());
    assert_eq!(got.len(), 20);
    assert!(got.iter().all(|value| *value == large));
}
