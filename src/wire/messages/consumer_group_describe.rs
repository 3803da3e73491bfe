//! ConsumerGroupDescribe, API key 69, versions 0-1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of ConsumerGroupDescribe.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 69, response = ConsumerGroupDescribeResponse, versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeRequest {
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub group_ids: Vec<Str>,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub include_authorized_operations: bool,
}

/// Response of ConsumerGroupDescribe.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `[]DescribedGroup`, versions 0+.
    #[field(versions = "0+")]
    pub groups: Vec<DescribedGroup>,
}

/// Part of ConsumerGroupDescribeResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicPartitions {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic_name: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}

/// Part of ConsumerGroupDescribeResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Assignment {
    /// `[]TopicPartitions`, versions 0+.
    #[field(versions = "0+")]
    pub topic_partitions: Vec<TopicPartitions>,
}

/// Part of ConsumerGroupDescribeResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribedGroup {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub error_message: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_state: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub group_epoch: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub assignment_epoch: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub assignor_name: Str,
    /// `[]Member`, versions 0+.
    #[field(versions = "0+")]
    pub members: Vec<Member>,
    /// `int32`, versions 0+, default -2147483648.
    #[field(versions = "0+", default = "-2147483648")]
    pub authorized_operations: i32,
}

/// Part of ConsumerGroupDescribeResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Member {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub instance_id: Option<Str>,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub rack_id: Option<Str>,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub member_epoch: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_host: Str,
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub subscribed_topic_names: Vec<Str>,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub subscribed_topic_regex: Option<Str>,
    /// `Assignment`, versions 0+.
    #[field(versions = "0+")]
    pub assignment: Assignment,
    /// `Assignment`, versions 0+.
    #[field(versions = "0+")]
    pub target_assignment: Assignment,
    /// `int8`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub member_type: i8,
}
