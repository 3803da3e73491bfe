//! DescribeTopicPartitions, API key 75, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of DescribeTopicPartitions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 75, response = DescribeTopicPartitionsResponse, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest {
    /// `[]TopicRequest`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<TopicRequest>,
    /// `int32`, versions 0+, default 2000.
    #[field(versions = "0+", default = "2000")]
    pub response_partition_limit: i32,
    /// `Cursor`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub cursor: Option<Cursor>,
}

/// Part of DescribeTopicPartitionsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
}

/// Part of DescribeTopicPartitionsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Cursor {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic_name: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
}

/// Response of DescribeTopicPartitions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]DescribeTopicPartitionsResponseTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// `Cursor`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub next_cursor: Option<Cursor>,
}

/// Part of DescribeTopicPartitionsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub name: Option<Str>,
    /// `uuid`, versions 0+.
    #[field(versions = "0+", ignorable)]
    pub topic_id: Uuid,
    /// `bool`, versions 0+.
    #[field(versions = "0+", ignorable)]
    pub is_internal: bool,
    /// `[]DescribeTopicPartitionsResponsePartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// `int32`, versions 0+, default -2147483648.
    #[field(versions = "0+", default = "-2147483648")]
    pub topic_authorized_operations: i32,
}

/// Part of DescribeTopicPartitionsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub leader_id: i32,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1", ignorable)]
    pub leader_epoch: i32,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub replica_nodes: Vec<i32>,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub isr_nodes: Vec<i32>,
    /// `[]int32`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// `[]int32`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub last_known_elr: Option<Vec<i32>>,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+", ignorable)]
    pub offline_replicas: Vec<i32>,
}
