//! Topics and settings through the Kafka door.

use crate::door_kit::{Broker, Client, batch, broker, fetch, new_topic, within};
use logboom::sys::{Clock, RealClock};
use logboom::types::{ErrorCode, Uuid};
use logboom::wire::Str;
use logboom::wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use logboom::wire::messages::create_topics::{CreatableReplicaAssignment, CreateTopicsRequest};
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logboom::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use logboom::wire::messages::describe_log_dirs::DescribeLogDirsRequest;
use logboom::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, TopicRequest,
};
use logboom::wire::messages::fetch::FetchRequest;
use logboom::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use logboom::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use std::path::PathBuf;
use std::time::Duration;

async fn both(extra: &[(&str, &str)]) -> (Broker, Client) {
    let broker = broker(extra).await;
    let client = broker.client().await;
    (broker, client)
}

#[tokio::test]
async fn a_topic_is_made_as_asked_and_described_with_its_settings() {
    let (_broker, mut client) = both(&[("num.partitions", "4")]).await;
    let created = client.try_create("orders", 3, &[("retention.ms", "5000")]).await;
    let topic = &created.topics[0];
    assert_eq!((topic.error_code, topic.num_partitions, topic.replication_factor), (ErrorCode::NONE, 3, 1));
    let configs = topic.configs.as_ref().unwrap();
    let retention = configs.iter().find(|one| *one.name == *"retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("5000"), 1));
    let described = client.metadata("orders").await;
    assert_eq!(described.topics[0].topic_id, topic.topic_id);
    assert_eq!(described.topics[0].partitions.len(), 3);
    assert_eq!(client.try_create("more", -1, &[]).await.topics[0].num_partitions, 4);
}

#[tokio::test]
async fn a_wrong_topic_is_refused_with_kafkas_codes() {
    let (_broker, mut client) = both(&[]).await;
    client.create("a.b", 1, &[]).await;
    let with = |name: &str, partitions, replicas, assigned: &[(i32, &[i32])]| {
        let mut request = new_topic(name, partitions, &[]);
        request.topics[0].replication_factor = replicas;
        let assignment = |(partition_index, brokers): &(i32, &[i32])| CreatableReplicaAssignment {
            partition_index: *partition_index,
            broker_ids: brokers.to_vec(),
        };
        request.topics[0].assignments = assigned.iter().map(assignment).collect();
        request
    };
    for (request, expect) in [
        (with("a.b", 1, 1, &[]), ErrorCode::TOPIC_ALREADY_EXISTS),
        (with("a_b", 1, 1, &[]), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (with("a b", 1, 1, &[]), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (with("__consumer_offsets", 1, 1, &[]), ErrorCode::INVALID_REQUEST),
        (with("__cluster_metadata", 1, 1, &[]), ErrorCode::INVALID_REQUEST),
        (with("t", 0, 1, &[]), ErrorCode::INVALID_PARTITIONS),
        (with("t", 10_001, 1, &[]), ErrorCode::POLICY_VIOLATION),
        (with("t", 1, 0, &[]), ErrorCode::INVALID_REPLICATION_FACTOR),
        (with("t", 1, 3, &[]), ErrorCode::INVALID_REPLICATION_FACTOR),
        (with("t", 1, 1, &[(0, &[1])]), ErrorCode::INVALID_REQUEST),
        (with("t", -1, -1, &[(0, &[2])]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (with("t", -1, -1, &[(0, &[1]), (2, &[1])]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (with("t", -1, -1, &[(0, &[1]), (1, &[1])]), ErrorCode::NONE),
        (new_topic("c", 1, &[("no.such.key", "1")]), ErrorCode::INVALID_CONFIG),
        (new_topic("c", 1, &[("retention.ms", "soon")]), ErrorCode::INVALID_CONFIG),
    ] {
        let response = client.call(&request, 7).await;
        let topic = &response.topics[0];
        assert_eq!(topic.error_code, expect, "{:?}", topic.error_message);
        assert_eq!(topic.error_message.is_some(), expect != ErrorCode::NONE);
    }
    let twice = CreateTopicsRequest {
        topics: vec![
            new_topic("twice", 1, &[]).topics.remove(0),
            new_topic("twice", 1, &[]).topics.remove(0),
        ],
        ..Default::default()
    };
    let response = client.call(&twice, 7).await;
    assert_eq!(response.topics.len(), 1);
    assert_eq!(response.topics[0].error_code, ErrorCode::INVALID_REQUEST);
    let only_asked = CreateTopicsRequest { validate_only: true, ..new_topic("asked", 1, &[]) };
    assert_eq!(client.call(&only_asked, 7).await.topics[0].error_code, ErrorCode::NONE);
    assert_eq!(client.metadata("asked").await.topics[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn a_topic_that_is_asked_for_is_made_and_ready_at_once_unless_it_must_not_be() {
    let (_broker, mut client) = both(&[]).await;
    let ask = |name: &str| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: Some(Str::from(name)), ..Default::default() }]),
        ..Default::default()
    };
    let response = client.call(&ask("fresh"), 12).await;
    assert_eq!((response.topics[0].error_code, response.topics[0].partitions.len()), (ErrorCode::NONE, 1));
    assert_eq!(client.produce("fresh", batch(&["x"])).await.error_code, ErrorCode::NONE);
    assert_eq!(
        client.call(&ask("not a name"), 12).await.topics[0].error_code,
        ErrorCode::INVALID_TOPIC_EXCEPTION
    );
    for reserved in ["__consumer_offsets", "__cluster_metadata"] {
        let code = client.call(&ask(reserved), 12).await.topics[0].error_code;
        assert_eq!(code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "{reserved}");
    }
    let (_broker, mut client) = both(&[("auto.create.topics.enable", "false")]).await;
    let code = client.call(&ask("fresh"), 12).await.topics[0].error_code;
    assert_eq!(code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

fn delete(name: Option<&str>, topic_id: Uuid) -> DeleteTopicsRequest {
    let topic = DeleteTopicState { name: name.map(Str::from), topic_id };
    DeleteTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() }
}

#[tokio::test]
async fn a_topic_made_again_is_another_one_and_empty() {
    let (broker, mut client) = both(&[("log.segment.delete.delay.ms", "0")]).await;
    let first = client.create("orders", 2, &[]).await;
    client.produce("orders", batch(&["old"])).await;
    let response = client.call(&delete(Some("orders"), Uuid::ZERO), 6).await;
    assert_eq!((response.responses[0].error_code, response.responses[0].topic_id), (ErrorCode::NONE, first));
    let second = client.create("orders", 1, &[]).await;
    assert_ne!(first, second);
    assert_eq!(client.produce("orders", batch(&["new"])).await.base_offset, 0);
    assert_eq!(client.fetch("orders", 0).await.0, ["new"]);
    for (request, expect) in [
        (delete(None, first), ErrorCode::UNKNOWN_TOPIC_ID),
        (delete(Some("none"), Uuid::ZERO), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (delete(None, Uuid::ZERO), ErrorCode::INVALID_REQUEST),
        (delete(Some("orders"), second), ErrorCode::INVALID_REQUEST),
        (delete(None, second), ErrorCode::NONE),
    ] {
        assert_eq!(client.call(&request, 6).await.responses[0].error_code, expect);
    }
    let is_left = |(path, _): (PathBuf, u64)| path.to_string_lossy().contains("orders-");
    within(async {
        while broker.fs.files().into_iter().any(is_left) {
            RealClock::new().sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    broker.server.stop().await;
}

#[tokio::test]
async fn a_fetch_that_waits_on_a_topic_hears_of_its_deletion() {
    let (broker, mut client) = both(&[]).await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["x"])).await;
    let mut reader = broker.client().await;
    reader.send(&fetch("orders", 1, 600_000), 12).await;
    client.call(&delete(Some("orders"), Uuid::ZERO), 6).await;
    let (_, response) = reader.receive::<FetchRequest>(12).await;
    let code = response.responses[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn topics_are_not_deleted_where_that_is_switched_off() {
    let (_broker, mut client) = both(&[("delete.topic.enable", "false")]).await;
    client.create("orders", 1, &[]).await;
    let response = client.call(&delete(Some("orders"), Uuid::ZERO), 6).await;
    assert_eq!(response.responses[0].error_code, ErrorCode::TOPIC_DELETION_DISABLED);
}

#[tokio::test]
async fn partitions_are_added_and_never_taken_away() {
    let (_broker, mut client) = both(&[]).await;
    client.create("orders", 2, &[]).await;
    let mut grow = async |name: &str, count, validate_only| {
        let topic = CreatePartitionsTopic { name: Str::from(name), count, assignments: None };
        let request = CreatePartitionsRequest { topics: vec![topic], timeout_ms: 1_000, validate_only };
        client.call(&request, 3).await.results[0].error_code
    };
    assert_eq!(grow("orders", 5, true).await, ErrorCode::NONE);
    assert_eq!(grow("orders", 2, false).await, ErrorCode::INVALID_PARTITIONS);
    assert_eq!(grow("orders", 1, false).await, ErrorCode::INVALID_PARTITIONS);
    assert_eq!(grow("none", 5, false).await, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(grow("orders", 4, false).await, ErrorCode::NONE);
    assert_eq!(client.metadata("orders").await.topics[0].partitions.len(), 4);
}

async fn config(
    client: &mut Client,
    kind: i8,
    name: &str,
    key: &str,
) -> Option<DescribeConfigsResourceResult> {
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: Str::from(name),
        configuration_keys: Some(vec![Str::from(key)]),
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    client.call(&request, 4).await.results.remove(0).configs.pop()
}

async fn alter(client: &mut Client, kind: i8, name: &str, ops: &[(&str, i8, Option<&str>)]) -> ErrorCode {
    let change = |(key, op, value): &(&str, i8, Option<&str>)| AlterableConfig {
        name: Str::from(*key),
        config_operation: *op,
        value: value.map(Str::from),
    };
    let resource = AlterConfigsResource {
        resource_type: kind,
        resource_name: Str::from(name),
        configs: ops.iter().map(change).collect(),
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    client.call(&request, 1).await.responses[0].error_code
}

#[tokio::test]
async fn changed_settings_of_a_topic_hold_at_once() {
    let (_broker, mut client) = both(&[]).await;
    client.create("orders", 1, &[]).await;
    let large = "x".repeat(2000);
    assert_eq!(client.produce("orders", batch(&[&large])).await.error_code, ErrorCode::NONE);
    let set = [("max.message.bytes", 0, Some("1000"))];
    assert_eq!(alter(&mut client, 2, "orders", &set).await, ErrorCode::NONE);
    assert_eq!(client.produce("orders", batch(&[&large])).await.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    let shown = config(&mut client, 2, "orders", "max.message.bytes").await.unwrap();
    assert_eq!((shown.value.as_deref(), shown.config_source), (Some("1000"), 1));
    assert_eq!(alter(&mut client, 2, "orders", &[("max.message.bytes", 1, None)]).await, ErrorCode::NONE);
    assert_eq!(client.produce("orders", batch(&[&large])).await.error_code, ErrorCode::NONE);
    for (ops, expect) in [
        (vec![("cleanup.policy", 2, Some("compact"))], ErrorCode::NONE),
        (vec![("cleanup.policy", 3, Some("delete"))], ErrorCode::NONE),
        (vec![("retention.ms", 2, Some("1"))], ErrorCode::INVALID_CONFIG),
        (vec![("retention.ms", 0, None)], ErrorCode::INVALID_REQUEST),
        (vec![("retention.ms", 0, Some("x"))], ErrorCode::INVALID_CONFIG),
        (vec![("no.such.key", 0, Some("1"))], ErrorCode::INVALID_CONFIG),
        (vec![("retention.ms", 0, Some("1")), ("retention.ms", 0, Some("2"))], ErrorCode::INVALID_REQUEST),
    ] {
        assert_eq!(alter(&mut client, 2, "orders", &ops).await, expect, "{ops:?}");
    }
    let shown = config(&mut client, 2, "orders", "cleanup.policy").await.unwrap();
    assert_eq!(shown.value.as_deref(), Some("compact"));
    assert_eq!(alter(&mut client, 2, "none", &set).await, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
}

#[tokio::test]
async fn changed_settings_of_the_broker_hold_for_its_topics() {
    let (_broker, mut client) = both(&[]).await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["open it"])).await;
    let set = [("message.max.bytes", 0, Some("1000"))];
    assert_eq!(alter(&mut client, 4, "", &set).await, ErrorCode::NONE);
    let large = "x".repeat(2000);
    assert_eq!(client.produce("orders", batch(&[&large])).await.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    let shown = config(&mut client, 4, "1", "message.max.bytes").await.unwrap();
    assert_eq!((shown.value.as_deref(), shown.config_source), (Some("1000"), 3));
    assert_eq!(config(&mut client, 4, "", "message.max.bytes").await.unwrap().value.as_deref(), Some("1000"));
    assert_eq!(alter(&mut client, 4, "99", &set).await, ErrorCode::INVALID_REQUEST);
    assert_eq!(alter(&mut client, 4, "", &[("node.id", 0, Some("7"))]).await, ErrorCode::INVALID_REQUEST);
}

#[tokio::test]
async fn topics_are_described_page_by_page() {
    let (_broker, mut client) = both(&[]).await;
    client.create("a", 3, &[]).await;
    client.create("b", 2, &[]).await;
    let mut cursor = None;
    let mut pages = Vec::new();
    for _ in 0..5 {
        let request = DescribeTopicPartitionsRequest {
            topics: ["a", "b"].map(|name| TopicRequest { name: Str::from(name) }).into(),
            response_partition_limit: 2,
            cursor: cursor.take(),
        };
        let response = client.call(&request, 0).await;
        let page = response.topics.iter().flat_map(|topic| {
            let name = topic.name.clone().unwrap();
            topic.partitions.iter().map(move |one| format!("{name}-{}", one.partition_index))
        });
        pages.push(page.collect::<Vec<_>>().join(" "));
        match response.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, ["a-0 a-1", "a-2 b-0", "b-1"]);
    let request = DescribeTopicPartitionsRequest {
        topics: vec![TopicRequest { name: Str::from("a") }],
        response_partition_limit: 2,
        cursor: Some(Cursor { topic_name: Str::from("b"), partition_index: 0 }),
    };
    assert_eq!(client.call(&request, 0).await.topics[0].error_code, ErrorCode::INVALID_REQUEST);
}

#[tokio::test]
async fn sizes_on_disk_are_told() {
    let (_broker, mut client) = both(&[]).await;
    client.create("orders", 2, &[]).await;
    let records = batch(&["x"]);
    let size = records.len() as i64;
    client.produce("orders", records).await;
    let response = client.call(&DescribeLogDirsRequest { topics: None }, 5).await;
    let dir = &response.results[0];
    assert_eq!((dir.error_code, dir.log_dir.as_str()), (ErrorCode::NONE, "/data"));
    let sizes: Vec<i64> = dir.topics[0].partitions.iter().map(|one| one.partition_size).collect();
    assert_eq!(sizes, [size, 0]);
}
