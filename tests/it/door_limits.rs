//! What a stranger can do to the broker, and what not.

use crate::door_kit::{Client, batch, broker, broker_with, fetch, produce, within};
use logboom::sys::{Clock, RealClock, SimClock};
use logboom::types::{ErrorCode, TimestampMs};
use logboom::wire::messages::metadata::MetadataRequest;
use logboom::wire::messages::produce::ProduceRequest;
use std::sync::Arc;
use std::time::Duration;

/// Lets the tasks of the broker take notice of what was sent and of the time.
async fn settle() {
    RealClock::new().sleep(Duration::from_millis(2)).await;
}

/// Moves the clock in steps until the connection is closed.
async fn closed_after(client: &mut Client, clock: &SimClock, at_most: Duration) -> bool {
    let steps = async {
        let mut passed = Duration::ZERO;
        while passed <= at_most {
            settle().await;
            clock.advance(Duration::from_secs(1));
            passed += Duration::from_secs(1);
        }
        // The closing has to come through the socket.
        settle().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        frame = client.receive_raw() => frame.is_none(),
        () = steps => false,
    }
}

#[tokio::test]
async fn a_frame_longer_than_allowed_is_refused_by_its_length() {
    let broker = broker(&[("socket.request.max.bytes", "1000")]).await;
    let mut client = broker.client().await;
    client.send_raw(&1001i32.to_be_bytes()).await;
    assert!(client.receive_raw().await.is_none());
}

#[tokio::test]
async fn a_frame_that_does_not_go_on_closes_its_connection() {
    let clock = SimClock::new(TimestampMs(0));
    let broker = broker_with(Arc::new(clock.clone()), &[]).await;
    let mut client = broker.client().await;
    client.send_raw(&[0, 0, 3, 0, 1, 2, 3]).await;
    assert!(closed_after(&mut client, &clock, Duration::from_secs(60)).await);
    let mut client = broker.client().await;
    client.send_raw(&[0, 0]).await;
    assert!(closed_after(&mut client, &clock, Duration::from_secs(60)).await);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let clock = SimClock::new(TimestampMs(0));
    let broker = broker_with(Arc::new(clock.clone()), &[("connections.max.idle.ms", "10000")]).await;
    let mut client = broker.client().await;
    client.call(&MetadataRequest::default(), 12).await;
    assert!(closed_after(&mut client, &clock, Duration::from_secs(20)).await);
}

#[tokio::test]
async fn connections_are_counted_in_all_and_by_address() {
    for key in ["max.connections", "max.connections.per.ip"] {
        let broker = broker(&[(key, "2")]).await;
        let mut first = broker.client().await;
        let mut second = broker.client().await;
        first.call(&MetadataRequest::default(), 12).await;
        second.call(&MetadataRequest::default(), 12).await;
        let mut third = broker.client().await;
        assert!(third.receive_raw().await.is_none(), "{key}");
        drop(first);
        // The broker has to notice that the first one is gone.
        within(async {
            loop {
                let mut again = broker.client().await;
                again.send(&MetadataRequest::default(), 12).await;
                if again.receive_raw().await.is_some() {
                    return;
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn more_requests_than_are_taken_at_once_wait_in_the_socket() {
    let broker = broker(&[("connection.max.inflight.requests", "2")]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    let asked: Vec<i32> = {
        let mut asked = Vec::new();
        for n in 0..50 {
            asked.push(client.send(&produce("orders", batch(&[&n.to_string()]), -1), 9).await);
        }
        asked
    };
    for expect in asked {
        assert_eq!(client.receive::<ProduceRequest>(9).await.0, expect);
    }
}

#[tokio::test]
async fn requests_larger_than_the_budget_take_turns() {
    let broker = broker(&[("queued.max.request.bytes", "1048576")]).await;
    let mut creator = broker.client().await;
    creator.create("orders", 1, &[("max.message.bytes", "2000000")]).await;
    let large = "x".repeat(1_200_000);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = broker.client().await;
        let records = batch(&[&large]);
        clients.push(tokio::spawn(async move { client.produce("orders", records).await.error_code }));
    }
    for client in clients {
        assert_eq!(within(client).await.unwrap(), ErrorCode::NONE);
    }
}

#[tokio::test]
async fn a_stranger_who_claims_much_and_sends_little_does_not_block_the_others_for_ever() {
    let clock = SimClock::new(TimestampMs(0));
    let broker = broker_with(Arc::new(clock.clone()), &[("queued.max.request.bytes", "1048576")]).await;
    let mut stranger = broker.client().await;
    stranger.send_raw(&(100i32 << 20).to_be_bytes()).await;
    settle().await;
    let mut honest = broker.client().await;
    let asked = honest.send(&MetadataRequest::default(), 12).await;
    assert!(closed_after(&mut stranger, &clock, Duration::from_secs(60)).await);
    let (answered, _) = honest.receive::<MetadataRequest>(12).await;
    assert_eq!(asked, answered);
}

#[tokio::test]
async fn beginnings_of_large_requests_hold_up_no_usual_ones() {
    // They took all memory by what they claimed, and everybody else waited for half a minute each.
    let clock = SimClock::new(TimestampMs(1_700_000_000_000));
    let broker = broker_with(Arc::new(clock), &[("queued.max.request.bytes", "8388608")]).await;
    let mut honest = broker.client().await;
    honest.create("orders", 1, &[]).await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        let mut stranger = broker.client().await;
        stranger.send_raw(&(100i32 << 20).to_be_bytes()).await;
        stranger.send_raw(&[0; 1000]).await;
        strangers.push(stranger);
    }
    settle().await;
    for value in ["small".to_owned(), "x".repeat(900_000)] {
        assert_eq!(honest.produce("orders", batch(&[&value])).await.error_code, ErrorCode::NONE);
    }
}

#[tokio::test]
async fn a_frame_that_does_not_go_on_is_given_up_soon_if_others_wait_for_its_memory() {
    let clock = SimClock::new(TimestampMs(0));
    let broker = broker_with(Arc::new(clock.clone()), &[]).await;
    let mut alone = broker.client().await;
    alone.send_raw(&(90i32 << 20).to_be_bytes()).await;
    let passes = async {
        for _ in 0..10 {
            settle().await;
            clock.advance(Duration::from_secs(1));
        }
    };
    tokio::select! {
        biased;
        _ = alone.receive_raw() => panic!("closed while nobody waited"),
        () = passes => {}
    }
    let mut other = broker.client().await;
    other.send_raw(&(90i32 << 20).to_be_bytes()).await;
    settle().await;
    assert!(closed_after(&mut alone, &clock, Duration::from_secs(5)).await);
}

#[tokio::test]
async fn an_answer_that_nobody_takes_closes_its_connection() {
    let clock = SimClock::new(TimestampMs(1_700_000_000_000));
    let broker = broker_with(Arc::new(clock.clone()), &[("connections.max.idle.ms", "10000")]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    let large = "x".repeat(1_000_000);
    // More than the socket buffers of the kernel hold.
    for _ in 0..50 {
        assert_eq!(client.produce("orders", batch(&[&large])).await.error_code, ErrorCode::NONE);
    }
    let mut request = fetch("orders", 0, 0);
    request.topics[0].partitions[0].partition_max_bytes = 64 << 20;
    request.max_bytes = 64 << 20;
    client.send(&request, 12).await;
    for _ in 0..30 {
        settle().await;
        clock.advance(Duration::from_secs(1));
    }
    assert!(client.receive_raw().await.is_none(), "the answer ends where the reader stopped");
}

#[tokio::test]
async fn waiting_fetches_of_many_connections_are_all_answered() {
    let broker = broker(&[]).await;
    let mut writer = broker.client().await;
    writer.create("orders", 1, &[]).await;
    let mut readers = Vec::new();
    for _ in 0..50 {
        let mut reader = broker.client().await;
        reader.send(&fetch("orders", 0, 15_000), 12).await;
        readers.push(reader);
    }
    writer.produce("orders", batch(&["news"])).await;
    for reader in &mut readers {
        assert!(reader.receive_raw().await.is_some());
    }
}
