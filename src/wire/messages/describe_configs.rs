//! DescribeConfigs, API key 32, versions 1-4.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of DescribeConfigs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 32, response = DescribeConfigsResponse, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    /// `[]DescribeConfigsResource`, versions 0+.
    #[field(versions = "0+")]
    pub resources: Vec<DescribeConfigsResource>,
    /// `bool`, versions 1+.
    #[field(versions = "1+")]
    pub include_synonyms: bool,
    /// `bool`, versions 3+.
    #[field(versions = "3+")]
    pub include_documentation: bool,
}

/// Part of DescribeConfigsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeConfigsResource {
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub resource_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub resource_name: Str,
    /// `[]string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub configuration_keys: Option<Vec<Str>>,
}

/// Response of DescribeConfigs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `[]DescribeConfigsResult`, versions 0+.
    #[field(versions = "0+")]
    pub results: Vec<DescribeConfigsResult>,
}

/// Part of DescribeConfigsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeConfigsResult {
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
    /// `[]DescribeConfigsResourceResult`, versions 0+.
    #[field(versions = "0+")]
    pub configs: Vec<DescribeConfigsResourceResult>,
}

/// Part of DescribeConfigsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeConfigsResourceResult {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub value: Option<Str>,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub read_only: bool,
    /// `int8`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub config_source: i8,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub is_sensitive: bool,
    /// `[]DescribeConfigsSynonym`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// `int8`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub config_type: i8,
    /// `string`, versions 3+, nullable 0+.
    #[field(versions = "3+", nullable = "0+", ignorable)]
    pub documentation: Option<Str>,
}

/// Part of DescribeConfigsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeConfigsSynonym {
    /// `string`, versions 1+.
    #[field(versions = "1+")]
    pub name: Str,
    /// `string`, versions 1+, nullable 0+.
    #[field(versions = "1+", nullable = "0+")]
    pub value: Option<Str>,
    /// `int8`, versions 1+.
    #[field(versions = "1+")]
    pub source: i8,
}
