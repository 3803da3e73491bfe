//! PartitionRecord, metadata record type 3, versions 0-2.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message PartitionRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 3, versions = "0-2", flexible = "0+")]
pub struct PartitionRecord {
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub partition_id: i32,
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub replicas: Vec<i32>,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub isr: Vec<i32>,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub removing_replicas: Vec<i32>,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub adding_replicas: Vec<i32>,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub leader: i32,
    /// `int8`, versions 0+, tagged 0+.
    #[field(versions = "0+", tagged = "0+", tag = 0)]
    pub leader_recovery_state: i8,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub leader_epoch: i32,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub partition_epoch: i32,
    /// `[]uuid`, versions 1+.
    #[field(versions = "1+")]
    pub directories: Vec<Uuid>,
    /// `[]int32`, versions 2+, nullable 2+, tagged 2+, default null.
    #[field(versions = "2+", nullable = "2+", tagged = "2+", tag = 1, default = "null")]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// `[]int32`, versions 2+, nullable 2+, tagged 2+, default null.
    #[field(versions = "2+", nullable = "2+", tagged = "2+", tag = 2, default = "null")]
    pub last_known_elr: Option<Vec<i32>>,
}
