//! OffsetFetch, API key 9, versions 1-10.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of OffsetFetch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 9, response = OffsetFetchResponse, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    /// `string`, versions 0-7.
    #[field(versions = "0-7")]
    pub group_id: Str,
    /// `[]OffsetFetchRequestTopic`, versions 0-7, nullable 2-7.
    #[field(versions = "0-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// `[]OffsetFetchRequestGroup`, versions 8+.
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// `bool`, versions 7+.
    #[field(versions = "7+")]
    pub require_stable: bool,
}

/// Part of OffsetFetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchRequestTopic {
    /// `string`, versions 0-7.
    #[field(versions = "0-7")]
    pub name: Str,
    /// `[]int32`, versions 0-7.
    #[field(versions = "0-7")]
    pub partition_indexes: Vec<i32>,
}

/// Part of OffsetFetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchRequestGroup {
    /// `string`, versions 8+.
    #[field(versions = "8+")]
    pub group_id: Str,
    /// `string`, versions 9+, nullable 9+, default null.
    #[field(versions = "9+", nullable = "9+", default = "null", ignorable)]
    pub member_id: Option<Str>,
    /// `int32`, versions 9+, default -1.
    #[field(versions = "9+", default = "-1", ignorable)]
    pub member_epoch: i32,
    /// `[]OffsetFetchRequestTopics`, versions 8+, nullable 8+.
    #[field(versions = "8+", nullable = "8+")]
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

/// Part of OffsetFetchRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchRequestTopics {
    /// `string`, versions 8-9.
    #[field(versions = "8-9", ignorable)]
    pub name: Str,
    /// `uuid`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// `[]int32`, versions 8+.
    #[field(versions = "8+")]
    pub partition_indexes: Vec<i32>,
}

/// Response of OffsetFetch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    /// `int32`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]OffsetFetchResponseTopic`, versions 0-7.
    #[field(versions = "0-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// `int16`, versions 2-7.
    #[field(versions = "2-7", ignorable)]
    pub error_code: ErrorCode,
    /// `[]OffsetFetchResponseGroup`, versions 8+.
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
}

/// Part of OffsetFetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchResponseTopic {
    /// `string`, versions 0-7.
    #[field(versions = "0-7")]
    pub name: Str,
    /// `[]OffsetFetchResponsePartition`, versions 0-7.
    #[field(versions = "0-7")]
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

/// Part of OffsetFetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchResponsePartition {
    /// `int32`, versions 0-7.
    #[field(versions = "0-7")]
    pub partition_index: i32,
    /// `int64`, versions 0-7.
    #[field(versions = "0-7")]
    pub committed_offset: i64,
    /// `int32`, versions 5-7, default -1.
    #[field(versions = "5-7", default = "-1", ignorable)]
    pub committed_leader_epoch: i32,
    /// `string`, versions 0-7, nullable 0-7.
    #[field(versions = "0-7", nullable = "0-7")]
    pub metadata: Option<Str>,
    /// `int16`, versions 0-7.
    #[field(versions = "0-7")]
    pub error_code: ErrorCode,
}

/// Part of OffsetFetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchResponseGroup {
    /// `string`, versions 8+.
    #[field(versions = "8+")]
    pub group_id: Str,
    /// `[]OffsetFetchResponseTopics`, versions 8+.
    #[field(versions = "8+")]
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// `int16`, versions 8+.
    #[field(versions = "8+")]
    pub error_code: ErrorCode,
}

/// Part of OffsetFetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchResponseTopics {
    /// `string`, versions 8-9.
    #[field(versions = "8-9", ignorable)]
    pub name: Str,
    /// `uuid`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// `[]OffsetFetchResponsePartitions`, versions 8+.
    #[field(versions = "8+")]
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

/// Part of OffsetFetchResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetFetchResponsePartitions {
    /// `int32`, versions 8+.
    #[field(versions = "8+")]
    pub partition_index: i32,
    /// `int64`, versions 8+.
    #[field(versions = "8+")]
    pub committed_offset: i64,
    /// `int32`, versions 8+, default -1.
    #[field(versions = "8+", default = "-1", ignorable)]
    pub committed_leader_epoch: i32,
    /// `string`, versions 8+, nullable 8+.
    #[field(versions = "8+", nullable = "8+")]
    pub metadata: Option<Str>,
    /// `int16`, versions 8+.
    #[field(versions = "8+")]
    pub error_code: ErrorCode,
}
