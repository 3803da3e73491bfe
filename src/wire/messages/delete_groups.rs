//! DeleteGroups, API key 42, versions 0-3.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of DeleteGroups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 42, response = DeleteGroupsResponse, versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsRequest {
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub groups_names: Vec<Str>,
}

/// Response of DeleteGroups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `[]DeletableGroupResult`, versions 0+.
    #[field(versions = "0+")]
    pub results: Vec<DeletableGroupResult>,
}

/// Part of DeleteGroupsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeletableGroupResult {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 3+, nullable 3+, default null.
    #[field(versions = "3+", nullable = "3+", default = "null", ignorable)]
    pub error_message: Option<Str>,
}
