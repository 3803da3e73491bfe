//! ListConfigResources, API key 74, versions 0-1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of ListConfigResources.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 74, response = ListConfigResourcesResponse, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest {
    /// `[]int8`, versions 1+.
    #[field(versions = "1+")]
    pub resource_types: Vec<i8>,
}

/// Response of ListConfigResources.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `[]ConfigResource`, versions 0+.
    #[field(versions = "0+")]
    pub config_resources: Vec<ConfigResource>,
}

/// Part of ListConfigResourcesResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ConfigResource {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub resource_name: Str,
    /// `int8`, versions 1+, default 16.
    #[field(versions = "1+", default = "16", ignorable)]
    pub resource_type: i8,
}
