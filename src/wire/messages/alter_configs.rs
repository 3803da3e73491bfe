//! AlterConfigs, API key 33, versions 0-2.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of AlterConfigs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 33, response = AlterConfigsResponse, versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest {
    /// `[]AlterConfigsResource`, versions 0+.
    #[field(versions = "0+")]
    pub resources: Vec<AlterConfigsResource>,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub validate_only: bool,
}

/// Part of AlterConfigsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct AlterConfigsResource {
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub resource_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub resource_name: Str,
    /// `[]AlterableConfig`, versions 0+.
    #[field(versions = "0+")]
    pub configs: Vec<AlterableConfig>,
}

/// Part of AlterConfigsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct AlterableConfig {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub value: Option<Str>,
}

/// Response of AlterConfigs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `[]AlterConfigsResourceResponse`, versions 0+.
    #[field(versions = "0+")]
    pub responses: Vec<AlterConfigsResourceResponse>,
}

/// Part of AlterConfigsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct AlterConfigsResourceResponse {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub error_message: Option<Str>,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub resource_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub resource_name: Str,
}
