//! Fetch, API key 1, versions 4-18.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Records, Str};

/// Request of Fetch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 1, response = FetchResponse, versions = "4-18", flexible = "12+")]
pub struct FetchRequest {
    /// `string`, versions 12+, nullable 12+, tagged 12+, default null.
    #[field(versions = "12+", nullable = "12+", tagged = "12+", tag = 0, default = "null", ignorable)]
    pub cluster_id: Option<Str>,
    /// `int32`, versions 0-14, default -1.
    #[field(versions = "0-14", default = "-1")]
    pub replica_id: i32,
    /// `ReplicaState`, versions 15+, tagged 15+.
    #[field(versions = "15+", tagged = "15+", tag = 1)]
    pub replica_state: ReplicaState,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub max_wait_ms: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub min_bytes: i32,
    /// `int32`, versions 3+, default 0x7fffffff.
    #[field(versions = "3+", default = "0x7fffffff", ignorable)]
    pub max_bytes: i32,
    /// `int8`, versions 4+.
    #[field(versions = "4+", ignorable)]
    pub isolation_level: i8,
    /// `int32`, versions 7+.
    #[field(versions = "7+", ignorable)]
    pub session_id: i32,
    /// `int32`, versions 7+, default -1.
    #[field(versions = "7+", default = "-1", ignorable)]
    pub session_epoch: i32,
    /// `[]FetchTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<FetchTopic>,
    /// `[]ForgottenTopic`, versions 7+.
    #[field(versions = "7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// `string`, versions 11+.
    #[field(versions = "11+", ignorable)]
    pub rack_id: Str,
}

/// Part of FetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ReplicaState {
    /// `int32`, versions 15+, default -1.
    #[field(versions = "15+", default = "-1")]
    pub replica_id: i32,
    /// `int64`, versions 15+, default -1.
    #[field(versions = "15+", default = "-1")]
    pub replica_epoch: i64,
}

/// Part of FetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct FetchTopic {
    /// `string`, versions 0-12.
    #[field(versions = "0-12", ignorable)]
    pub topic: Str,
    /// `uuid`, versions 13+.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// `[]FetchPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<FetchPartition>,
}

/// Part of FetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct FetchPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition: i32,
    /// `int32`, versions 9+, default -1.
    #[field(versions = "9+", default = "-1", ignorable)]
    pub current_leader_epoch: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub fetch_offset: i64,
    /// `int32`, versions 12+, default -1.
    #[field(versions = "12+", default = "-1")]
    pub last_fetched_epoch: i32,
    /// `int64`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub log_start_offset: i64,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_max_bytes: i32,
    /// `uuid`, versions 17+, tagged 17+.
    #[field(versions = "17+", tagged = "17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// `int64`, versions 18+, tagged 18+, default 9223372036854775807.
    #[field(versions = "18+", tagged = "18+", tag = 1, default = "9223372036854775807", ignorable)]
    pub high_watermark: i64,
}

/// Part of FetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ForgottenTopic {
    /// `string`, versions 7-12.
    #[field(versions = "7-12", ignorable)]
    pub topic: Str,
    /// `uuid`, versions 13+.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// `[]int32`, versions 7+.
    #[field(versions = "7+")]
    pub partitions: Vec<i32>,
}

/// Response of Fetch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "4-18", flexible = "12+")]
pub struct FetchResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 7+.
    #[field(versions = "7+", ignorable)]
    pub error_code: ErrorCode,
    /// `int32`, versions 7+.
    #[field(versions = "7+")]
    pub session_id: i32,
    /// `[]FetchableTopicResponse`, versions 0+.
    #[field(versions = "0+")]
    pub responses: Vec<FetchableTopicResponse>,
    /// `[]NodeEndpoint`, versions 16+, tagged 16+.
    #[field(versions = "16+", tagged = "16+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct FetchableTopicResponse {
    /// `string`, versions 0-12.
    #[field(versions = "0-12", ignorable)]
    pub topic: Str,
    /// `uuid`, versions 13+.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// `[]PartitionData`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<PartitionData>,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct PartitionData {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub high_watermark: i64,
    /// `int64`, versions 4+, default -1.
    #[field(versions = "4+", default = "-1", ignorable)]
    pub last_stable_offset: i64,
    /// `int64`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub log_start_offset: i64,
    /// `EpochEndOffset`, versions 12+, tagged 12+.
    #[field(versions = "12+", tagged = "12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    /// `LeaderIdAndEpoch`, versions 12+, tagged 12+.
    #[field(versions = "12+", tagged = "12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    /// `SnapshotId`, versions 12+, tagged 12+.
    #[field(versions = "12+", tagged = "12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    /// `[]AbortedTransaction`, versions 4+, nullable 4+.
    #[field(versions = "4+", nullable = "4+", ignorable)]
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// `int32`, versions 11+, default -1.
    #[field(versions = "11+", default = "-1")]
    pub preferred_read_replica: i32,
    /// `records`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub records: Option<Records>,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct EpochEndOffset {
    /// `int32`, versions 12+, default -1.
    #[field(versions = "12+", default = "-1")]
    pub epoch: i32,
    /// `int64`, versions 12+, default -1.
    #[field(versions = "12+", default = "-1")]
    pub end_offset: i64,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct LeaderIdAndEpoch {
    /// `int32`, versions 12+, default -1.
    #[field(versions = "12+", default = "-1")]
    pub leader_id: i32,
    /// `int32`, versions 12+, default -1.
    #[field(versions = "12+", default = "-1")]
    pub leader_epoch: i32,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct SnapshotId {
    /// `int64`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub end_offset: i64,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub epoch: i32,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct AbortedTransaction {
    /// `int64`, versions 4+.
    #[field(versions = "4+")]
    pub producer_id: i64,
    /// `int64`, versions 4+.
    #[field(versions = "4+")]
    pub first_offset: i64,
}

/// Part of FetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct NodeEndpoint {
    /// `int32`, versions 16+.
    #[field(versions = "16+")]
    pub node_id: i32,
    /// `string`, versions 16+.
    #[field(versions = "16+")]
    pub host: Str,
    /// `int32`, versions 16+.
    #[field(versions = "16+")]
    pub port: i32,
    /// `string`, versions 16+, nullable 16+, default null.
    #[field(versions = "16+", nullable = "16+", default = "null")]
    pub rack: Option<Str>,
}
