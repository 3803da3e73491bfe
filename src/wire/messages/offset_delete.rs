//! OffsetDelete, API key 47, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of OffsetDelete.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 47, response = OffsetDeleteResponse, versions = "0")]
pub struct OffsetDeleteRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `[]OffsetDeleteRequestTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

/// Part of OffsetDeleteRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetDeleteRequestTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]OffsetDeleteRequestPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

/// Part of OffsetDeleteRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetDeleteRequestPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
}

/// Response of OffsetDelete.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct OffsetDeleteResponse {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int32`, versions 0+.
    #[field(versions = "0+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]OffsetDeleteResponseTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

/// Part of OffsetDeleteResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetDeleteResponseTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]OffsetDeleteResponsePartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

/// Part of OffsetDeleteResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct OffsetDeleteResponsePartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
}
