//! OffsetForLeaderEpoch, API key 23, versions 2-4.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of OffsetForLeaderEpoch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 23, response = OffsetForLeaderEpochResponse, versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest {
    /// `int32`, versions 3+, default -2.
    #[field(versions = "3+", default = "-2", ignorable)]
    pub replica_id: i32,
    /// `[]OffsetForLeaderTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<OffsetForLeaderTopic>,
}

/// Part of OffsetForLeaderEpochRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetForLeaderTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic: Str,
    /// `[]OffsetForLeaderPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<OffsetForLeaderPartition>,
}

/// Part of OffsetForLeaderEpochRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetForLeaderPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition: i32,
    /// `int32`, versions 2+, default -1.
    #[field(versions = "2+", default = "-1", ignorable)]
    pub current_leader_epoch: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub leader_epoch: i32,
}

/// Response of OffsetForLeaderEpoch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "2-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse {
    /// `int32`, versions 2+.
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]OffsetForLeaderTopicResult`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

/// Part of OffsetForLeaderEpochResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetForLeaderTopicResult {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic: Str,
    /// `[]EpochEndOffset`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<EpochEndOffset>,
}

/// Part of OffsetForLeaderEpochResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct EpochEndOffset {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition: i32,
    /// `int32`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub leader_epoch: i32,
    /// `int64`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub end_offset: i64,
}
