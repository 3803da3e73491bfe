//! ShareGroupTargetAssignmentMemberValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message ShareGroupTargetAssignmentMemberValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupTargetAssignmentMemberValue {
    /// `[]TopicPartition`, versions 0+.
    #[field(versions = "0+")]
    pub topic_partitions: Vec<TopicPartition>,
}

/// Part of ShareGroupTargetAssignmentMemberValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicPartition {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}
