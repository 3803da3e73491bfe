//! The messages of the protocol, a file per API.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

pub mod alter_configs;
pub mod api_versions;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_topic_partitions;
pub mod fetch;
pub mod find_coordinator;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod keys;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod request_header;
pub mod response_header;
pub mod sync_group;

use super::field::Versions;
use super::kind::{Kind, boxed};

/// Every kind of message here.
pub static KINDS: &[Kind] = &[
    Kind { name: "RequestHeader", versions: Versions(1, 2), decode: boxed::<request_header::RequestHeader> },
    Kind {
        name: "ResponseHeader",
        versions: Versions(0, 1),
        decode: boxed::<response_header::ResponseHeader>,
    },
    Kind { name: "ProduceRequest", versions: Versions(3, 13), decode: boxed::<produce::ProduceRequest> },
    Kind { name: "ProduceResponse", versions: Versions(3, 13), decode: boxed::<produce::ProduceResponse> },
    Kind { name: "FetchRequest", versions: Versions(4, 18), decode: boxed::<fetch::FetchRequest> },
    Kind { name: "FetchResponse", versions: Versions(4, 18), decode: boxed::<fetch::FetchResponse> },
    Kind {
        name: "ListOffsetsRequest",
        versions: Versions(1, 11),
        decode: boxed::<list_offsets::ListOffsetsRequest>,
    },
    Kind {
        name: "ListOffsetsResponse",
        versions: Versions(1, 11),
        decode: boxed::<list_offsets::ListOffsetsResponse>,
    },
    Kind { name: "MetadataRequest", versions: Versions(0, 13), decode: boxed::<metadata::MetadataRequest> },
    Kind { name: "MetadataResponse", versions: Versions(0, 13), decode: boxed::<metadata::MetadataResponse> },
    Kind {
        name: "OffsetCommitRequest",
        versions: Versions(2, 10),
        decode: boxed::<offset_commit::OffsetCommitRequest>,
    },
    Kind {
        name: "OffsetCommitResponse",
        versions: Versions(2, 10),
        decode: boxed::<offset_commit::OffsetCommitResponse>,
    },
    Kind {
        name: "OffsetFetchRequest",
        versions: Versions(1, 10),
        decode: boxed::<offset_fetch::OffsetFetchRequest>,
    },
    Kind {
        name: "OffsetFetchResponse",
        versions: Versions(1, 10),
        decode: boxed::<offset_fetch::OffsetFetchResponse>,
    },
    Kind {
        name: "FindCoordinatorRequest",
        versions: Versions(0, 6),
        decode: boxed::<find_coordinator::FindCoordinatorRequest>,
    },
    Kind {
        name: "FindCoordinatorResponse",
        versions: Versions(0, 6),
        decode: boxed::<find_coordinator::FindCoordinatorResponse>,
    },
    Kind {
        name: "JoinGroupRequest",
        versions: Versions(0, 9),
        decode: boxed::<join_group::JoinGroupRequest>,
    },
    Kind {
        name: "JoinGroupResponse",
        versions: Versions(0, 9),
        decode: boxed::<join_group::JoinGroupResponse>,
    },
    Kind { name: "HeartbeatRequest", versions: Versions(0, 4), decode: boxed::<heartbeat::HeartbeatRequest> },
    Kind {
        name: "HeartbeatResponse",
        versions: Versions(0, 4),
        decode: boxed::<heartbeat::HeartbeatResponse>,
    },
    Kind {
        name: "LeaveGroupRequest",
        versions: Versions(0, 5),
        decode: boxed::<leave_group::LeaveGroupRequest>,
    },
    Kind {
        name: "LeaveGroupResponse",
        versions: Versions(0, 5),
        decode: boxed::<leave_group::LeaveGroupResponse>,
    },
    Kind {
        name: "SyncGroupRequest",
        versions: Versions(0, 5),
        decode: boxed::<sync_group::SyncGroupRequest>,
    },
    Kind {
        name: "SyncGroupResponse",
        versions: Versions(0, 5),
        decode: boxed::<sync_group::SyncGroupResponse>,
    },
    Kind {
        name: "DescribeGroupsRequest",
        versions: Versions(0, 6),
        decode: boxed::<describe_groups::DescribeGroupsRequest>,
    },
    Kind {
        name: "DescribeGroupsResponse",
        versions: Versions(0, 6),
        decode: boxed::<describe_groups::DescribeGroupsResponse>,
    },
    Kind {
        name: "ListGroupsRequest",
        versions: Versions(0, 5),
        decode: boxed::<list_groups::ListGroupsRequest>,
    },
    Kind {
        name: "ListGroupsResponse",
        versions: Versions(0, 5),
        decode: boxed::<list_groups::ListGroupsResponse>,
    },
    Kind {
        name: "ApiVersionsRequest",
        versions: Versions(0, 5),
        decode: boxed::<api_versions::ApiVersionsRequest>,
    },
    Kind {
        name: "ApiVersionsResponse",
        versions: Versions(0, 5),
        decode: boxed::<api_versions::ApiVersionsResponse>,
    },
    Kind {
        name: "CreateTopicsRequest",
        versions: Versions(2, 7),
        decode: boxed::<create_topics::CreateTopicsRequest>,
    },
    Kind {
        name: "CreateTopicsResponse",
        versions: Versions(2, 7),
        decode: boxed::<create_topics::CreateTopicsResponse>,
    },
    Kind {
        name: "DeleteTopicsRequest",
        versions: Versions(1, 6),
        decode: boxed::<delete_topics::DeleteTopicsRequest>,
    },
    Kind {
        name: "DeleteTopicsResponse",
        versions: Versions(1, 6),
        decode: boxed::<delete_topics::DeleteTopicsResponse>,
    },
    Kind {
        name: "DeleteRecordsRequest",
        versions: Versions(0, 2),
        decode: boxed::<delete_records::DeleteRecordsRequest>,
    },
    Kind {
        name: "DeleteRecordsResponse",
        versions: Versions(0, 2),
        decode: boxed::<delete_records::DeleteRecordsResponse>,
    },
    Kind {
        name: "InitProducerIdRequest",
        versions: Versions(0, 5),
        decode: boxed::<init_producer_id::InitProducerIdRequest>,
    },
    Kind {
        name: "InitProducerIdResponse",
        versions: Versions(0, 5),
        decode: boxed::<init_producer_id::InitProducerIdResponse>,
    },
    Kind {
        name: "OffsetForLeaderEpochRequest",
        versions: Versions(2, 4),
        decode: boxed::<offset_for_leader_epoch::OffsetForLeaderEpochRequest>,
    },
    Kind {
        name: "OffsetForLeaderEpochResponse",
        versions: Versions(2, 4),
        decode: boxed::<offset_for_leader_epoch::OffsetForLeaderEpochResponse>,
    },
    Kind {
        name: "DescribeConfigsRequest",
        versions: Versions(1, 4),
        decode: boxed::<describe_configs::DescribeConfigsRequest>,
    },
    Kind {
        name: "DescribeConfigsResponse",
        versions: Versions(1, 4),
        decode: boxed::<describe_configs::DescribeConfigsResponse>,
    },
    Kind {
        name: "AlterConfigsRequest",
        versions: Versions(0, 2),
        decode: boxed::<alter_configs::AlterConfigsRequest>,
    },
    Kind {
        name: "AlterConfigsResponse",
        versions: Versions(0, 2),
        decode: boxed::<alter_configs::AlterConfigsResponse>,
    },
    Kind {
        name: "DescribeLogDirsRequest",
        versions: Versions(1, 5),
        decode: boxed::<describe_log_dirs::DescribeLogDirsRequest>,
    },
    Kind {
        name: "DescribeLogDirsResponse",
        versions: Versions(1, 5),
        decode: boxed::<describe_log_dirs::DescribeLogDirsResponse>,
    },
    Kind {
        name: "CreatePartitionsRequest",
        versions: Versions(0, 3),
        decode: boxed::<create_partitions::CreatePartitionsRequest>,
    },
    Kind {
        name: "CreatePartitionsResponse",
        versions: Versions(0, 3),
        decode: boxed::<create_partitions::CreatePartitionsResponse>,
    },
    Kind {
        name: "DeleteGroupsRequest",
        versions: Versions(0, 3),
        decode: boxed::<delete_groups::DeleteGroupsRequest>,
    },
    Kind {
        name: "DeleteGroupsResponse",
        versions: Versions(0, 3),
        decode: boxed::<delete_groups::DeleteGroupsResponse>,
    },
    Kind {
        name: "OffsetDeleteRequest",
        versions: Versions(0, 0),
        decode: boxed::<offset_delete::OffsetDeleteRequest>,
    },
    Kind {
        name: "OffsetDeleteResponse",
        versions: Versions(0, 0),
        decode: boxed::<offset_delete::OffsetDeleteResponse>,
    },
    Kind {
        name: "IncrementalAlterConfigsRequest",
        versions: Versions(0, 1),
        decode: boxed::<incremental_alter_configs::IncrementalAlterConfigsRequest>,
    },
    Kind {
        name: "IncrementalAlterConfigsResponse",
        versions: Versions(0, 1),
        decode: boxed::<incremental_alter_configs::IncrementalAlterConfigsResponse>,
    },
    Kind {
        name: "DescribeClusterRequest",
        versions: Versions(0, 2),
        decode: boxed::<describe_cluster::DescribeClusterRequest>,
    },
    Kind {
        name: "DescribeClusterResponse",
        versions: Versions(0, 2),
        decode: boxed::<describe_cluster::DescribeClusterResponse>,
    },
    Kind {
        name: "ConsumerGroupHeartbeatRequest",
        versions: Versions(0, 1),
        decode: boxed::<consumer_group_heartbeat::ConsumerGroupHeartbeatRequest>,
    },
    Kind {
        name: "ConsumerGroupHeartbeatResponse",
        versions: Versions(0, 1),
        decode: boxed::<consumer_group_heartbeat::ConsumerGroupHeartbeatResponse>,
    },
    Kind {
        name: "ConsumerGroupDescribeRequest",
        versions: Versions(0, 1),
        decode: boxed::<consumer_group_describe::ConsumerGroupDescribeRequest>,
    },
    Kind {
        name: "ConsumerGroupDescribeResponse",
        versions: Versions(0, 1),
        decode: boxed::<consumer_group_describe::ConsumerGroupDescribeResponse>,
    },
    Kind {
        name: "ListConfigResourcesRequest",
        versions: Versions(0, 1),
        decode: boxed::<list_config_resources::ListConfigResourcesRequest>,
    },
    Kind {
        name: "ListConfigResourcesResponse",
        versions: Versions(0, 1),
        decode: boxed::<list_config_resources::ListConfigResourcesResponse>,
    },
    Kind {
        name: "DescribeTopicPartitionsRequest",
        versions: Versions(0, 0),
        decode: boxed::<describe_topic_partitions::DescribeTopicPartitionsRequest>,
    },
    Kind {
        name: "DescribeTopicPartitionsResponse",
        versions: Versions(0, 0),
        decode: boxed::<describe_topic_partitions::DescribeTopicPartitionsResponse>,
    },
];
