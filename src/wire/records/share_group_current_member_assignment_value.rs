//! ShareGroupCurrentMemberAssignmentValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message ShareGroupCurrentMemberAssignmentValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupCurrentMemberAssignmentValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub member_epoch: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub previous_member_epoch: i32,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub state: i8,
    /// `[]TopicPartitions`, versions 0+.
    #[field(versions = "0+")]
    pub assigned_partitions: Vec<TopicPartitions>,
}

/// Part of ShareGroupCurrentMemberAssignmentValue.
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
