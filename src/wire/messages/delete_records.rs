//! DeleteRecords, API key 21, versions 0-2.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of DeleteRecords.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 21, response = DeleteRecordsResponse, versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest {
    /// `[]DeleteRecordsTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<DeleteRecordsTopic>,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub timeout_ms: i32,
}

/// Part of DeleteRecordsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeleteRecordsTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]DeleteRecordsPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<DeleteRecordsPartition>,
}

/// Part of DeleteRecordsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeleteRecordsPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub offset: i64,
}

/// Response of DeleteRecords.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `[]DeleteRecordsTopicResult`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<DeleteRecordsTopicResult>,
}

/// Part of DeleteRecordsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeleteRecordsTopicResult {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]DeleteRecordsPartitionResult`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<DeleteRecordsPartitionResult>,
}

/// Part of DeleteRecordsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeleteRecordsPartitionResult {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub low_watermark: i64,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
}
