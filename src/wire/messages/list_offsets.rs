//! ListOffsets, API key 2, versions 1-11.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of ListOffsets.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 2, response = ListOffsetsResponse, versions = "1-11", flexible = "6+")]
pub struct ListOffsetsRequest {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub replica_id: i32,
    /// `int8`, versions 2+.
    #[field(versions = "2+")]
    pub isolation_level: i8,
    /// `[]ListOffsetsTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<ListOffsetsTopic>,
    /// `int32`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub timeout_ms: i32,
}

/// Part of ListOffsetsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ListOffsetsTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]ListOffsetsPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<ListOffsetsPartition>,
}

/// Part of ListOffsetsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ListOffsetsPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int32`, versions 4+, default -1.
    #[field(versions = "4+", default = "-1", ignorable)]
    pub current_leader_epoch: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub timestamp: i64,
}

/// Response of ListOffsets.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1-11", flexible = "6+")]
pub struct ListOffsetsResponse {
    /// `int32`, versions 2+.
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]ListOffsetsTopicResponse`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<ListOffsetsTopicResponse>,
}

/// Part of ListOffsetsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ListOffsetsTopicResponse {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]ListOffsetsPartitionResponse`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

/// Part of ListOffsetsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ListOffsetsPartitionResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int64`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1")]
    pub timestamp: i64,
    /// `int64`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1")]
    pub offset: i64,
    /// `int32`, versions 4+, default -1.
    #[field(versions = "4+", default = "-1")]
    pub leader_epoch: i32,
}
