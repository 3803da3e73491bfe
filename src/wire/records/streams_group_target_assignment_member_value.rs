//! StreamsGroupTargetAssignmentMemberValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupTargetAssignmentMemberValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub active_tasks: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub standby_tasks: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub warmup_tasks: Vec<TaskIds>,
}

/// Part of StreamsGroupTargetAssignmentMemberValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TaskIds {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub subtopology_id: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}
