//! CreateTopics, API key 19, versions 2-7.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of CreateTopics.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 19, response = CreateTopicsResponse, versions = "2-7", flexible = "5+")]
pub struct CreateTopicsRequest {
    /// `[]CreatableTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<CreatableTopic>,
    /// `int32`, versions 0+, default 60000.
    #[field(versions = "0+", default = "60000")]
    pub timeout_ms: i32,
    /// `bool`, versions 1+.
    #[field(versions = "1+")]
    pub validate_only: bool,
}

/// Part of CreateTopicsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatableTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub num_partitions: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub replication_factor: i16,
    /// `[]CreatableReplicaAssignment`, versions 0+.
    #[field(versions = "0+")]
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// `[]CreatableTopicConfig`, versions 0+.
    #[field(versions = "0+")]
    pub configs: Vec<CreatableTopicConfig>,
}

/// Part of CreateTopicsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatableReplicaAssignment {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_ids: Vec<i32>,
}

/// Part of CreateTopicsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatableTopicConfig {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub value: Option<Str>,
}

/// Response of CreateTopics.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "2-7", flexible = "5+")]
pub struct CreateTopicsResponse {
    /// `int32`, versions 2+.
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]CreatableTopicResult`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<CreatableTopicResult>,
}

/// Part of CreateTopicsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatableTopicResult {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `uuid`, versions 7+.
    #[field(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 1+, nullable 0+.
    #[field(versions = "1+", nullable = "0+", ignorable)]
    pub error_message: Option<Str>,
    /// `int16`, versions 5+, tagged 5+.
    #[field(versions = "5+", tagged = "5+", tag = 0, ignorable)]
    pub topic_config_error_code: i16,
    /// `int32`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub num_partitions: i32,
    /// `int16`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub replication_factor: i16,
    /// `[]CreatableTopicConfigs`, versions 5+, nullable 5+.
    #[field(versions = "5+", nullable = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

/// Part of CreateTopicsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CreatableTopicConfigs {
    /// `string`, versions 5+.
    #[field(versions = "5+")]
    pub name: Str,
    /// `string`, versions 5+, nullable 5+.
    #[field(versions = "5+", nullable = "5+")]
    pub value: Option<Str>,
    /// `bool`, versions 5+.
    #[field(versions = "5+")]
    pub read_only: bool,
    /// `int8`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub config_source: i8,
    /// `bool`, versions 5+.
    #[field(versions = "5+")]
    pub is_sensitive: bool,
}
