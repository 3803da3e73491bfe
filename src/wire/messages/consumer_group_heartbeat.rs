//! ConsumerGroupHeartbeat, API key 68, versions 0-1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of ConsumerGroupHeartbeat.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 68, response = ConsumerGroupHeartbeatResponse, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub member_epoch: i32,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub instance_id: Option<Str>,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub rack_id: Option<Str>,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub rebalance_timeout_ms: i32,
    /// `[]string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub subscribed_topic_names: Option<Vec<Str>>,
    /// `string`, versions 1+, nullable 1+, default null.
    #[field(versions = "1+", nullable = "1+", default = "null")]
    pub subscribed_topic_regex: Option<Str>,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub server_assignor: Option<Str>,
    /// `[]TopicPartitions`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

/// Part of ConsumerGroupHeartbeatRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicPartitions {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}

/// Response of ConsumerGroupHeartbeat.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub error_message: Option<Str>,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub member_id: Option<Str>,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub member_epoch: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub heartbeat_interval_ms: i32,
    /// `Assignment`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub assignment: Option<Assignment>,
}

/// Part of ConsumerGroupHeartbeatResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Assignment {
    /// `[]TopicPartitions`, versions 0+.
    #[field(versions = "0+")]
    pub topic_partitions: Vec<TopicPartitions>,
}
