//! ApiVersions, API key 18, versions 0-5.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of ApiVersions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 18, response = ApiVersionsResponse, versions = "0-5", flexible = "3+")]
pub struct ApiVersionsRequest {
    /// `string`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub client_software_name: Str,
    /// `string`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub client_software_version: Str,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub cluster_id: Option<Str>,
    /// `int32`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub node_id: i32,
}

/// Response of ApiVersions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ApiVersionsResponse {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `[]ApiVersion`, versions 0+.
    #[field(versions = "0+")]
    pub api_keys: Vec<ApiVersion>,
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]SupportedFeatureKey`, versions 3+, tagged 3+.
    #[field(versions = "3+", tagged = "3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    /// `int64`, versions 3+, tagged 3+, default -1.
    #[field(versions = "3+", tagged = "3+", tag = 1, default = "-1", ignorable)]
    pub finalized_features_epoch: i64,
    /// `[]FinalizedFeatureKey`, versions 3+, tagged 3+.
    #[field(versions = "3+", tagged = "3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// `bool`, versions 3+, tagged 3+.
    #[field(versions = "3+", tagged = "3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
}

/// Part of ApiVersionsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ApiVersion {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub api_key: i16,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub min_version: i16,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub max_version: i16,
}

/// Part of ApiVersionsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct SupportedFeatureKey {
    /// `string`, versions 3+.
    #[field(versions = "3+")]
    pub name: Str,
    /// `int16`, versions 3+.
    #[field(versions = "3+")]
    pub min_version: i16,
    /// `int16`, versions 3+.
    #[field(versions = "3+")]
    pub max_version: i16,
}

/// Part of ApiVersionsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct FinalizedFeatureKey {
    /// `string`, versions 3+.
    #[field(versions = "3+")]
    pub name: Str,
    /// `int16`, versions 3+.
    #[field(versions = "3+")]
    pub max_version_level: i16,
    /// `int16`, versions 3+.
    #[field(versions = "3+")]
    pub min_version_level: i16,
}
