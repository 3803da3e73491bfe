//! CreatePartitions, API key 37, versions 0-3.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of CreatePartitions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 37, response = CreatePartitionsResponse, versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest {
    /// `[]CreatePartitionsTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<CreatePartitionsTopic>,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub timeout_ms: i32,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub validate_only: bool,
}

/// Part of CreatePartitionsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatePartitionsTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub count: i32,
    /// `[]CreatePartitionsAssignment`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

/// Part of CreatePartitionsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatePartitionsAssignment {
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_ids: Vec<i32>,
}

/// Response of CreatePartitions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `[]CreatePartitionsTopicResult`, versions 0+.
    #[field(versions = "0+")]
    pub results: Vec<CreatePartitionsTopicResult>,
}

/// Part of CreatePartitionsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatePartitionsTopicResult {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub error_message: Option<Str>,
}
