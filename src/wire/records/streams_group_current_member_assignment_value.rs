//! StreamsGroupCurrentMemberAssignmentValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupCurrentMemberAssignmentValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub member_epoch: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub previous_member_epoch: i32,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub state: i8,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub active_tasks: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub standby_tasks: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub warmup_tasks: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub active_tasks_pending_revocation: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub standby_tasks_pending_revocation: Vec<TaskIds>,
    /// `[]TaskIds`, versions 0+.
    #[field(versions = "0+")]
    pub warmup_tasks_pending_revocation: Vec<TaskIds>,
}

/// Part of StreamsGroupCurrentMemberAssignmentValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TaskIds {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub subtopology_id: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
    /// `[]int32`, versions 0+, nullable 0+, tagged 0+.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
}
