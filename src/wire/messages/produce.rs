//! Produce, API key 0, versions 3-13.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Records, Str};

/// Request of Produce.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 0, response = ProduceResponse, versions = "3-13", flexible = "9+")]
pub struct ProduceRequest {
    /// `string`, versions 3+, nullable 3+, default null.
    #[field(versions = "3+", nullable = "3+", default = "null")]
    pub transactional_id: Option<Str>,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub acks: i16,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub timeout_ms: i32,
    /// `[]TopicProduceData`, versions 0+.
    #[field(versions = "0+")]
    pub topic_data: Vec<TopicProduceData>,
}

/// Part of ProduceRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicProduceData {
    /// `string`, versions 0-12.
    #[field(versions = "0-12", ignorable)]
    pub name: Str,
    /// `uuid`, versions 13+.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// `[]PartitionProduceData`, versions 0+.
    #[field(versions = "0+")]
    pub partition_data: Vec<PartitionProduceData>,
}

/// Part of ProduceRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct PartitionProduceData {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub index: i32,
    /// `records`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub records: Option<Records>,
}

/// Response of Produce.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "3-13", flexible = "9+")]
pub struct ProduceResponse {
    /// `[]TopicProduceResponse`, versions 0+.
    #[field(versions = "0+")]
    pub responses: Vec<TopicProduceResponse>,
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]NodeEndpoint`, versions 10+, tagged 10+.
    #[field(versions = "10+", tagged = "10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// Part of ProduceResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicProduceResponse {
    /// `string`, versions 0-12.
    #[field(versions = "0-12", ignorable)]
    pub name: Str,
    /// `uuid`, versions 13+.
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    /// `[]PartitionProduceResponse`, versions 0+.
    #[field(versions = "0+")]
    pub partition_responses: Vec<PartitionProduceResponse>,
}

/// Part of ProduceResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct PartitionProduceResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub index: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub base_offset: i64,
    /// `int64`, versions 2+, default -1.
    #[field(versions = "2+", default = "-1", ignorable)]
    pub log_append_time_ms: i64,
    /// `int64`, versions 5+, default -1.
    #[field(versions = "5+", default = "-1", ignorable)]
    pub log_start_offset: i64,
    /// `[]BatchIndexAndErrorMessage`, versions 8+.
    #[field(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// `string`, versions 8+, nullable 8+, default null.
    #[field(versions = "8+", nullable = "8+", default = "null", ignorable)]
    pub error_message: Option<Str>,
    /// `LeaderIdAndEpoch`, versions 10+, tagged 10+.
    #[field(versions = "10+", tagged = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
}

/// Part of ProduceResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct BatchIndexAndErrorMessage {
    /// `int32`, versions 8+.
    #[field(versions = "8+")]
    pub batch_index: i32,
    /// `string`, versions 8+, nullable 8+, default null.
    #[field(versions = "8+", nullable = "8+", default = "null")]
    pub batch_index_error_message: Option<Str>,
}

/// Part of ProduceResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct LeaderIdAndEpoch {
    /// `int32`, versions 10+, default -1.
    #[field(versions = "10+", default = "-1")]
    pub leader_id: i32,
    /// `int32`, versions 10+, default -1.
    #[field(versions = "10+", default = "-1")]
    pub leader_epoch: i32,
}

/// Part of ProduceResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct NodeEndpoint {
    /// `int32`, versions 10+.
    #[field(versions = "10+")]
    pub node_id: i32,
    /// `string`, versions 10+.
    #[field(versions = "10+")]
    pub host: Str,
    /// `int32`, versions 10+.
    #[field(versions = "10+")]
    pub port: i32,
    /// `string`, versions 10+, nullable 10+, default null.
    #[field(versions = "10+", nullable = "10+", default = "null")]
    pub rack: Option<Str>,
}
