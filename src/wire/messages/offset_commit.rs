//! OffsetCommit, API key 8, versions 2-10.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of OffsetCommit.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 8, response = OffsetCommitResponse, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `int32`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub generation_id_or_member_epoch: i32,
    /// `string`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub member_id: Str,
    /// `string`, versions 7+, nullable 7+, default null.
    #[field(versions = "7+", nullable = "7+", default = "null")]
    pub group_instance_id: Option<Str>,
    /// `int64`, versions 2-4, default -1.
    #[field(versions = "2-4", default = "-1", ignorable)]
    pub retention_time_ms: i64,
    /// `[]OffsetCommitRequestTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<OffsetCommitRequestTopic>,
}

/// Part of OffsetCommitRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetCommitRequestTopic {
    /// `string`, versions 0-9.
    #[field(versions = "0-9", ignorable)]
    pub name: Str,
    /// `uuid`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// `[]OffsetCommitRequestPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

/// Part of OffsetCommitRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetCommitRequestPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub committed_offset: i64,
    /// `int32`, versions 6+, default -1.
    #[field(versions = "6+", default = "-1", ignorable)]
    pub committed_leader_epoch: i32,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub committed_metadata: Option<Str>,
}

/// Response of OffsetCommit.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    /// `int32`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]OffsetCommitResponseTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<OffsetCommitResponseTopic>,
}

/// Part of OffsetCommitResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetCommitResponseTopic {
    /// `string`, versions 0-9.
    #[field(versions = "0-9", ignorable)]
    pub name: Str,
    /// `uuid`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// `[]OffsetCommitResponsePartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

/// Part of OffsetCommitResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetCommitResponsePartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
}
