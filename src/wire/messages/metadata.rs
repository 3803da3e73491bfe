//! Metadata, API key 3, versions 0-13.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of Metadata.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 3, response = MetadataResponse, versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    /// `[]MetadataRequestTopic`, versions 0+, nullable 1+.
    #[field(versions = "0+", nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// `bool`, versions 4+, default true.
    #[field(versions = "4+", default = "true")]
    pub allow_auto_topic_creation: bool,
    /// `bool`, versions 8-10.
    #[field(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    /// `bool`, versions 8+.
    #[field(versions = "8+")]
    pub include_topic_authorized_operations: bool,
}

/// Part of MetadataRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MetadataRequestTopic {
    /// `uuid`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// `string`, versions 0+, nullable 10+.
    #[field(versions = "0+", nullable = "10+")]
    pub name: Option<Str>,
}

/// Response of Metadata.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    /// `int32`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]MetadataResponseBroker`, versions 0+.
    #[field(versions = "0+")]
    pub brokers: Vec<MetadataResponseBroker>,
    /// `string`, versions 2+, nullable 2+, default null.
    #[field(versions = "2+", nullable = "2+", default = "null", ignorable)]
    pub cluster_id: Option<Str>,
    /// `int32`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub controller_id: i32,
    /// `[]MetadataResponseTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<MetadataResponseTopic>,
    /// `int32`, versions 8-10, default -2147483648.
    #[field(versions = "8-10", default = "-2147483648")]
    pub cluster_authorized_operations: i32,
    /// `int16`, versions 13+.
    #[field(versions = "13+", ignorable)]
    pub error_code: ErrorCode,
}

/// Part of MetadataResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MetadataResponseBroker {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub node_id: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub host: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub port: i32,
    /// `string`, versions 1+, nullable 1+, default null.
    #[field(versions = "1+", nullable = "1+", default = "null", ignorable)]
    pub rack: Option<Str>,
}

/// Part of MetadataResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MetadataResponseTopic {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 12+.
    #[field(versions = "0+", nullable = "12+")]
    pub name: Option<Str>,
    /// `uuid`, versions 10+.
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// `bool`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub is_internal: bool,
    /// `[]MetadataResponsePartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<MetadataResponsePartition>,
    /// `int32`, versions 8+, default -2147483648.
    #[field(versions = "8+", default = "-2147483648")]
    pub topic_authorized_operations: i32,
}

/// Part of MetadataResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MetadataResponsePartition {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub leader_id: i32,
    /// `int32`, versions 7+, default -1.
    #[field(versions = "7+", default = "-1", ignorable)]
    pub leader_epoch: i32,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub replica_nodes: Vec<i32>,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub isr_nodes: Vec<i32>,
    /// `[]int32`, versions 5+.
    #[field(versions = "5+", ignorable)]
    pub offline_replicas: Vec<i32>,
}
