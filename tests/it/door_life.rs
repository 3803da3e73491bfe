//! Start, stop and failure of the broker as its clients see them.

use crate::door_kit::{Broker, Client, batch, broker, fetch, start_on, values, within};
use logboom::sys::{Call, Clock, Fault, RealClock, SimFs};
use logboom::types::{ErrorCode, Uuid};
use logboom::wire::Str;
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logboom::wire::messages::fetch::FetchRequest;
use std::sync::Arc;
use std::time::Duration;

async fn start(fs: &SimFs) -> Broker {
    let server = start_on(fs, Arc::new(RealClock::new()), &[]).await.unwrap();
    Broker { server, fs: fs.clone() }
}

#[tokio::test]
async fn a_restart_keeps_topics_records_settings_and_ids() {
    let first = broker(&[]).await;
    let mut client = first.client().await;
    let id = client.create("orders", 2, &[("retention.ms", "5000")]).await;
    client.produce("orders", batch(&["a", "b"])).await;
    let before = client.metadata("orders").await;
    first.server.stop().await;
    let second = start(&first.fs).await;
    let mut client = second.client().await;
    let after = client.metadata("orders").await;
    assert_eq!((after.cluster_id, after.topics), (before.cluster_id, before.topics));
    assert_eq!(client.fetch("orders", 0).await, (vec!["a".to_owned(), "b".to_owned()], 2));
    assert_eq!(client.produce("orders", batch(&["c"])).await.base_offset, 2);
    assert_eq!(client.metadata("orders").await.topics[0].topic_id, id);
}

#[tokio::test]
async fn a_crash_keeps_what_was_acknowledged_and_raises_the_leader_epoch() {
    let first = broker(&[]).await;
    let mut client = first.client().await;
    client.create("orders", 1, &[]).await;
    assert_eq!(client.produce("orders", batch(&["kept"])).await.error_code, ErrorCode::NONE);
    let after_crash = first.fs.crash(7);
    let second = start(&after_crash).await;
    let mut client = second.client().await;
    assert_eq!(client.fetch("orders", 0).await, (vec!["kept".to_owned()], 1));
    assert_eq!(client.metadata("orders").await.topics[0].partitions[0].leader_epoch, 1);
    // A client that knows the old epoch is sent back to the metadata.
    let mut old = fetch("orders", 0, 0);
    old.topics[0].partitions[0].current_leader_epoch = 0;
    let response = client.call(&old, 12).await;
    assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::FENCED_LEADER_EPOCH);
}

#[tokio::test]
async fn a_second_broker_on_the_same_directory_is_refused() {
    let first = broker(&[]).await;
    let error = start_on(&first.fs, Arc::new(RealClock::new()), &[]).await.err().unwrap();
    assert!(error.to_string().contains("in use by another process"), "{error}");
}

#[tokio::test]
async fn a_directory_of_another_node_is_refused() {
    let first = broker(&[]).await;
    first.server.stop().await;
    let error = start_on(&first.fs, Arc::new(RealClock::new()), &[("node.id", "2")]).await.err().unwrap();
    assert!(error.to_string().contains("node.id 1"), "{error}");
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    let mut waiting = broker.client().await;
    let asked = waiting.send(&fetch("orders", 0, 600_000), 12).await;
    // The broker must have read it: a request behind it on another connection is answered.
    client.produce("elsewhere", batch(&["x"])).await;
    tokio::task::yield_now().await;
    let stopping = tokio::spawn(async move { broker.server.stop().await });
    let (answered, response) = waiting.receive::<FetchRequest>(12).await;
    assert_eq!(asked, answered);
    assert!(values(response.responses[0].partitions[0].records.as_ref()).is_empty());
    within(stopping).await.unwrap();
    assert!(client.receive_raw().await.is_none());
}

#[tokio::test]
async fn a_full_disk_stops_writers_and_not_readers_and_heals_by_itself() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["before"])).await;
    broker.fs.fail(Fault::enospc(Call::Write).named("orders-0").lasting());
    for _ in 0..3 {
        let refused = client.produce("orders", batch(&["lost"])).await;
        assert_eq!(refused.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
        assert_eq!(client.fetch("orders", 0).await.0, ["before"]);
    }
    broker.fs.heal();
    // Room is looked for twice a second.
    within(async {
        while client.produce("orders", batch(&["after"])).await.error_code != ErrorCode::NONE {
            RealClock::new().sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(client.fetch("orders", 0).await.0, ["before", "after"]);
}

#[tokio::test]
async fn a_failed_sync_is_told_and_the_log_comes_back_under_a_new_epoch() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["before"])).await;
    broker.fs.fail(Fault::eio(Call::Sync).named("orders-0"));
    let failed = client.produce("orders", batch(&["perhaps"])).await;
    assert_eq!(failed.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    within(async {
        while client.produce("orders", batch(&["after"])).await.error_code != ErrorCode::NONE {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (records, _) = client.fetch("orders", 0).await;
    assert_eq!(
        (records.first().map(String::as_str), records.last().map(String::as_str)),
        (Some("before"), Some("after"))
    );
    assert!(client.metadata("orders").await.topics[0].partitions[0].leader_epoch >= 1);
}

#[tokio::test]
async fn directories_of_topics_deleted_before_a_crash_go_after_the_start() {
    let first = broker(&[]).await;
    let mut client = first.client().await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", batch(&["x"])).await;
    // The deletion gets into the catalog, and the files stay.
    first.fs.fail(Fault::eio(Call::Rename).named("orders-0").lasting());
    delete(&mut client, "orders").await;
    first.server.stop().await;
    first.fs.heal();
    let second = start(&first.fs).await;
    let gone = async {
        while second.fs.files().iter().any(|(path, _)| path.starts_with("/data/orders-0")) {
            tokio::task::yield_now().await;
        }
    };
    within(gone).await;
}

async fn delete(client: &mut Client, name: &str) {
    let topic = DeleteTopicState { name: Some(Str::from(name)), topic_id: Uuid::ZERO };
    let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    assert_eq!(client.call(&request, 6).await.responses[0].error_code, ErrorCode::NONE);
}
