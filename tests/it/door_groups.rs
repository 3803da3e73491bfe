//! Groups through the door: every API over the wire, the topic that groups are kept in, and what a restart keeps. How
//! groups behave is tested beside their machine.

use crate::door_kit::{Broker, Client, batch, broker, start_on, within};
use bytes::Bytes;
use logboom::sys::{Clock, RealClock};
use logboom::types::{ErrorCode, Uuid};
use logboom::wire::Str;
use logboom::wire::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use logboom::wire::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use logboom::wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use logboom::wire::messages::delete_groups::DeleteGroupsRequest;
use logboom::wire::messages::delete_topics::DeleteTopicsRequest;
use logboom::wire::messages::describe_groups::DescribeGroupsRequest;
use logboom::wire::messages::find_coordinator::FindCoordinatorRequest;
use logboom::wire::messages::heartbeat::HeartbeatRequest;
use logboom::wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use logboom::wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use logboom::wire::messages::list_groups::ListGroupsRequest;
use logboom::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use logboom::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use logboom::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use logboom::wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use std::sync::Arc;
use std::time::Duration;

fn commit(group: &str, topic: (&str, Uuid), offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_leader_epoch: -1,
        committed_metadata: Some(Str::from("note")),
    };
    OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: -1,
        retention_time_ms: -1,
        topics: vec![OffsetCommitRequestTopic {
            name: topic.0.into(),
            topic_id: topic.1,
            partitions: vec![partition],
        }],
        ..Default::default()
    }
}

async fn committed(client: &mut Client, group: &str, topic: (&str, Uuid), version: i16) -> i64 {
    let request = if version >= 8 {
        let named = OffsetFetchRequestTopics {
            name: if version >= 10 { Str::EMPTY } else { topic.0.into() },
            topic_id: if version >= 10 { topic.1 } else { Uuid::ZERO },
            partition_indexes: vec![0],
        };
        of_group(group, Some(vec![named]))
    } else {
        let named = OffsetFetchRequestTopic { name: topic.0.into(), partition_indexes: vec![0] };
        OffsetFetchRequest { group_id: group.into(), topics: Some(vec![named]), ..Default::default() }
    };
    let response = client.call(&request, version).await;
    assert_eq!(response.error_code, ErrorCode::NONE);
    match version {
        8.. => {
            assert_eq!(response.groups[0].error_code, ErrorCode::NONE);
            response.groups[0].topics[0].partitions[0].committed_offset
        }
        _ => response.topics[0].partitions[0].committed_offset,
    }
}

fn of_group(group: &str, topics: Option<Vec<OffsetFetchRequestTopics>>) -> OffsetFetchRequest {
    let group =
        OffsetFetchRequestGroup { group_id: group.into(), member_epoch: -1, topics, ..Default::default() };
    OffsetFetchRequest { groups: vec![group], ..Default::default() }
}

fn join(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"m"),
        }],
        ..Default::default()
    }
}

/// Joins as modern clients do: once for an id, once with it.
async fn join_known(client: &mut Client, group: &str) -> JoinGroupResponse {
    let first = client.call(&join(group, ""), 9).await;
    assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    client.call(&join(group, &first.member_id), 9).await
}

async fn sync(client: &mut Client, group: &str, joined: &JoinGroupResponse, version: i16) -> Bytes {
    let assignment = SyncGroupRequestAssignment {
        member_id: joined.member_id.clone(),
        assignment: Bytes::from_static(b"all of it"),
    };
    let request = SyncGroupRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: vec![assignment],
        ..Default::default()
    };
    let response = client.call(&request, version).await;
    assert_eq!(response.error_code, ErrorCode::NONE);
    response.assignment
}

async fn prepared() -> (Broker, Client, Uuid) {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    let id = client.create("orders", 2, &[]).await;
    (broker, client, id)
}

#[tokio::test]
async fn the_topic_of_groups_is_made_when_the_first_group_is_looked_for() {
    let (_broker, mut client, _) = prepared().await;
    assert_eq!(
        client.metadata("__consumer_offsets").await.topics[0].error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    let find = FindCoordinatorRequest { coordinator_keys: vec!["billing".into()], ..Default::default() };
    let found = client.call(&find, 6).await;
    assert_eq!(found.coordinators[0].error_code, ErrorCode::NONE);
    let metadata = client.metadata("__consumer_offsets").await;
    let topic = &metadata.topics[0];
    assert_eq!((topic.error_code, topic.is_internal, topic.partitions.len()), (ErrorCode::NONE, true, 8));
}

#[tokio::test]
async fn clients_neither_write_to_the_topic_of_groups_nor_delete_nor_grow_it() {
    let (_broker, mut client, id) = prepared().await;
    client.call(&commit("billing", ("orders", id), 1), 9).await;
    let produced = client.produce("__consumer_offsets", batch(&["x"])).await;
    assert_eq!(produced.error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    let delete = DeleteTopicsRequest {
        topic_names: vec!["__consumer_offsets".into()],
        timeout_ms: 1000,
        ..Default::default()
    };
    let deleted = client.call(&delete, 5).await;
    assert_eq!(deleted.responses[0].error_code, ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    let grow = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: "__consumer_offsets".into(),
            count: 50,
            assignments: None,
        }],
        timeout_ms: 1000,
        ..Default::default()
    };
    let grown = client.call(&grow, 3).await;
    assert_eq!(grown.results[0].error_code, ErrorCode::INVALID_PARTITIONS);
}

#[tokio::test]
async fn every_version_commits_and_reads_offsets() {
    let (_broker, mut client, id) = prepared().await;
    for version in 2..=10 {
        let response = client.call(&commit("billing", ("orders", id), i64::from(version)), version).await;
        assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::NONE, "version {version}");
        for read in 1..=10 {
            let offset = committed(&mut client, "billing", ("orders", id), read).await;
            assert_eq!(offset, i64::from(version), "read by version {read}");
        }
    }
    assert_eq!(committed(&mut client, "another", ("orders", id), 9).await, -1);
}

#[tokio::test]
async fn commits_to_what_is_not_there_are_refused_one_by_one() {
    let (_broker, mut client, id) = prepared().await;
    let mut request = commit("billing", ("orders", id), 5);
    request.topics.push(commit("billing", ("nothing", Uuid::ZERO), 1).topics.remove(0));
    request.topics[0]
        .partitions
        .push(OffsetCommitRequestPartition { partition_index: 7, ..Default::default() });
    let response = client.call(&request, 9).await;
    let codes: Vec<_> = response
        .topics
        .iter()
        .flat_map(|topic| {
            topic.partitions.iter().map(|one| (topic.name.to_string(), one.partition_index, one.error_code))
        })
        .collect();
    assert_eq!(codes.len(), 3);
    assert!(codes.contains(&("orders".to_owned(), 0, ErrorCode::NONE)));
    assert!(codes.contains(&("orders".to_owned(), 7, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)));
    assert!(codes.contains(&("nothing".to_owned(), 0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)));
    let response = client.call(&commit("billing", ("", Uuid([9; 16])), 5), 10).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
}

#[tokio::test]
async fn committed_offsets_and_members_outlive_a_crash() {
    let (broker, mut client, id) = prepared().await;
    client.call(&commit("simple", ("orders", id), 42), 9).await;
    let joined = join_known(&mut client, "classic").await;
    sync(&mut client, "classic", &joined, 5).await;
    let modern = heartbeat(&mut client, "modern", "m1", 0, 1).await;
    let disk = broker.fs.crash(7);
    let server = start_on(&disk, Arc::new(RealClock::new()), &[]).await.unwrap();
    let mut client = Client::connect(&server).await;
    settle(&mut client, "simple").await;
    assert_eq!(committed(&mut client, "simple", ("orders", id), 9).await, 42);
    settle(&mut client, "classic").await;
    let beat = HeartbeatRequest {
        group_id: "classic".into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..Default::default()
    };
    assert_eq!(client.call(&beat, 4).await.error_code, ErrorCode::NONE);
    settle(&mut client, "modern").await;
    let again = heartbeat(&mut client, "modern", "m1", modern.member_epoch, 1).await;
    assert_eq!((again.error_code, again.member_epoch), (ErrorCode::NONE, modern.member_epoch));
    server.stop().await;
}

/// Waits until the group is loaded.
async fn settle(client: &mut Client, group: &str) {
    within(async {
        loop {
            let response = client.call(&of_group(group, None), 9).await;
            if response.groups[0].error_code == ErrorCode::NONE {
                return;
            }
            assert_eq!(response.groups[0].error_code, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        }
    })
    .await;
}

#[tokio::test]
async fn a_classic_member_joins_syncs_reports_and_leaves_in_every_version() {
    let (_broker, mut client, _) = prepared().await;
    for version in 0..=9i16 {
        let group = format!("classic-{version}");
        let joined = match version {
            0..=3 => client.call(&join(&group, ""), version).await,
            _ => {
                let first = client.call(&join(&group, ""), version).await;
                assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED);
                client.call(&join(&group, &first.member_id), version).await
            }
        };
        assert_eq!((joined.error_code, joined.generation_id), (ErrorCode::NONE, 1), "version {version}");
        assert_eq!(joined.leader, joined.member_id);
        assert_eq!(joined.members[0].metadata, &b"m"[..]);
        assert_eq!(sync(&mut client, &group, &joined, version.min(5)).await, &b"all of it"[..]);
        let beat = HeartbeatRequest {
            group_id: group.as_str().into(),
            generation_id: 1,
            member_id: joined.member_id.clone(),
            ..Default::default()
        };
        assert_eq!(client.call(&beat, version.min(4)).await.error_code, ErrorCode::NONE);
        let describe = DescribeGroupsRequest {
            groups: vec![group.as_str().into()],
            include_authorized_operations: version >= 3,
        };
        let described = client.call(&describe, version.min(6)).await.groups.remove(0);
        assert_eq!((&*described.group_state, &*described.protocol_data), ("Stable", "range"));
        assert_eq!(
            (&*described.members[0].client_id, &*described.members[0].client_host),
            ("test", "/127.0.0.1")
        );
        let leave = LeaveGroupRequest {
            group_id: group.as_str().into(),
            member_id: if version < 3 { joined.member_id.clone() } else { Str::EMPTY },
            members: if version < 3 {
                Vec::new()
            } else {
                vec![MemberIdentity { member_id: joined.member_id.clone(), ..Default::default() }]
            },
        };
        let left = client.call(&leave, version.min(5)).await;
        assert_eq!(left.error_code, ErrorCode::NONE);
        assert!(left.members.iter().all(|member| member.error_code == ErrorCode::NONE));
        assert_eq!(client.call(&beat, version.min(4)).await.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_members_who_wait_for_others() {
    let (broker, mut client, _) = prepared().await;
    let joined = join_known(&mut client, "billing").await;
    sync(&mut client, "billing", &joined, 5).await;
    let mut other = broker.client().await;
    let first = other.call(&join("billing", ""), 9).await;
    other.send(&join("billing", &first.member_id), 9).await;
    // The second member waits until the first has joined again, which it will not.
    let describe = DescribeGroupsRequest { groups: vec!["billing".into()], ..Default::default() };
    within(async {
        while &*client.call(&describe, 6).await.groups[0].group_state != "PreparingRebalance" {}
    })
    .await;
    tokio::select! {
        () = broker.server.stop() => {}
        () = RealClock::new().sleep(Duration::from_secs(5)) => panic!("the stop waits for members"),
    }
    let (_, answer) = other.receive::<JoinGroupRequest>(9).await;
    assert_eq!(answer.error_code, ErrorCode::NOT_COORDINATOR);
}

async fn heartbeat(
    client: &mut Client,
    group: &str,
    member: &str,
    epoch: i32,
    version: i16,
) -> ConsumerGroupHeartbeatResponse {
    let joins = epoch == 0;
    let request = ConsumerGroupHeartbeatRequest {
        group_id: group.into(),
        member_id: member.into(),
        member_epoch: epoch,
        rebalance_timeout_ms: if joins { 60_000 } else { -1 },
        subscribed_topic_names: joins.then(|| vec!["orders".into()]),
        topic_partitions: joins.then(Vec::new),
        ..Default::default()
    };
    client.call(&request, version).await
}

#[tokio::test]
async fn a_consumer_member_joins_is_described_and_leaves_in_every_version() {
    let (_broker, mut client, id) = prepared().await;
    for version in 0..=1i16 {
        let group = format!("modern-{version}");
        let member = if version == 0 { "" } else { "my-own-id" };
        let joined = heartbeat(&mut client, &group, member, 0, version).await;
        assert_eq!((joined.error_code, joined.member_epoch), (ErrorCode::NONE, 2), "version {version}");
        let assigned = joined.assignment.unwrap().topic_partitions;
        assert_eq!(assigned, [TopicPartitions { topic_id: id, partitions: vec![0, 1] }]);
        let member = joined.member_id.unwrap();
        let describe = ConsumerGroupDescribeRequest {
            group_ids: vec![group.as_str().into()],
            include_authorized_operations: false,
        };
        let described = client.call(&describe, version).await.groups.remove(0);
        assert_eq!((described.error_code, &*described.assignor_name), (ErrorCode::NONE, "uniform"));
        assert_eq!((described.group_epoch, described.assignment_epoch), (2, 2));
        assert_eq!(described.members[0].member_id, member);
        assert_eq!(&*described.members[0].assignment.topic_partitions[0].topic_name, "orders");
        let left = heartbeat(&mut client, &group, &member, -1, version).await;
        assert_eq!((left.error_code, left.member_epoch), (ErrorCode::NONE, -1));
    }
}

#[tokio::test]
async fn groups_are_listed_by_state_and_type_and_deleted_when_empty() {
    let (_broker, mut client, id) = prepared().await;
    client.call(&commit("simple", ("orders", id), 1), 9).await;
    let joined = join_known(&mut client, "classic").await;
    sync(&mut client, "classic", &joined, 5).await;
    heartbeat(&mut client, "modern", "m1", 0, 1).await;
    let mut list = async |states: &[&str], types: &[&str]| {
        let request = ListGroupsRequest {
            states_filter: states.iter().map(|state| Str::from(*state)).collect(),
            types_filter: types.iter().map(|kind| Str::from(*kind)).collect(),
        };
        let response = client.call(&request, 5).await;
        let mut all: Vec<_> = response
            .groups
            .iter()
            .map(|group| {
                format!(
                    "{} {} {}",
                    group.group_id.as_str(),
                    group.group_type.as_str(),
                    group.group_state.as_str()
                )
            })
            .collect();
        all.sort();
        all
    };
    assert_eq!(
        list(&[], &[]).await,
        ["classic classic Stable", "modern consumer Stable", "simple classic Empty"]
    );
    assert_eq!(list(&["empty"], &[]).await, ["simple classic Empty"]);
    assert_eq!(list(&["Stable"], &["Consumer"]).await, ["modern consumer Stable"]);
    assert!(list(&[], &["share"]).await.is_empty());
    let delete = DeleteGroupsRequest { groups_names: ["simple", "classic", "never"].map(Str::from).to_vec() };
    let deleted = client.call(&delete, 3).await;
    let codes: Vec<_> = deleted.results.iter().map(|one| one.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::NON_EMPTY_GROUP, ErrorCode::GROUP_ID_NOT_FOUND]);
    assert_eq!(committed(&mut client, "simple", ("orders", id), 9).await, -1);
}

#[tokio::test]
async fn single_offsets_are_forgotten_on_demand() {
    let (_broker, mut client, id) = prepared().await;
    client.call(&commit("simple", ("orders", id), 3), 9).await;
    let partition = |partition_index| OffsetDeleteRequestPartition { partition_index };
    let request = OffsetDeleteRequest {
        group_id: "simple".into(),
        topics: vec![OffsetDeleteRequestTopic {
            name: "orders".into(),
            partitions: vec![partition(0), partition(9)],
        }],
    };
    let response = client.call(&request, 0).await;
    assert_eq!(response.error_code, ErrorCode::NONE);
    let mut codes: Vec<_> =
        response.topics[0].partitions.iter().map(|one| (one.partition_index, one.error_code)).collect();
    codes.sort();
    assert_eq!(codes, [(0, ErrorCode::NONE), (9, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)]);
    assert_eq!(committed(&mut client, "simple", ("orders", id), 9).await, -1);
}

#[tokio::test]
async fn a_request_that_says_too_much_is_refused_and_writes_nothing() {
    let (_broker, mut client, id) = prepared().await;
    let mut large = join("billing", "");
    large.protocols[0].metadata = Bytes::from(vec![0; (1 << 20) + 1]);
    assert_eq!(client.call(&large, 9).await.error_code, ErrorCode::INVALID_REQUEST);
    let mut many = commit("billing", ("orders", id), 1);
    many.topics[0].partitions = vec![many.topics[0].partitions[0].clone(); 20_000];
    let refused = client.call(&many, 9).await;
    assert_eq!(refused.topics[0].partitions.len(), 20_000);
    assert_eq!(refused.topics[0].partitions[0].error_code, ErrorCode::INVALID_COMMIT_OFFSET_SIZE);
    let heartbeat = ConsumerGroupHeartbeatRequest {
        group_id: "billing".into(),
        member_id: "m".into(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["x".repeat(30_000).as_str().into(); 40]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    assert_eq!(client.call(&heartbeat, 1).await.error_code, ErrorCode::INVALID_REQUEST);
    assert!(client.call(&ListGroupsRequest::default(), 5).await.groups.is_empty());
    client.call(&commit("billing", ("orders", id), 7), 9).await;
    assert_eq!(committed(&mut client, "billing", ("orders", id), 9).await, 7);
}
