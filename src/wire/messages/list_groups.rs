//! ListGroups, API key 16, versions 0-5.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of ListGroups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 16, response = ListGroupsResponse, versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    /// `[]string`, versions 4+.
    #[field(versions = "4+")]
    pub states_filter: Vec<Str>,
    /// `[]string`, versions 5+.
    #[field(versions = "5+")]
    pub types_filter: Vec<Str>,
}

/// Response of ListGroups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `[]ListedGroup`, versions 0+.
    #[field(versions = "0+")]
    pub groups: Vec<ListedGroup>,
}

/// Part of ListGroupsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ListedGroup {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub protocol_type: Str,
    /// `string`, versions 4+.
    #[field(versions = "4+", ignorable)]
    pub group_state: Str,
    /// `string`, versions 5+.
    #[field(versions = "5+", ignorable)]
    pub group_type: Str,
}
