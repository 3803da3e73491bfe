//! PartitionChangeRecord, metadata record type 5, versions 0-2.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message PartitionChangeRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 5, versions = "0-2", flexible = "0+")]
pub struct PartitionChangeRecord {
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub partition_id: i32,
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `[]int32`, versions 0+, nullable 0+, tagged 0+, default null.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 0, default = "null")]
    pub isr: Option<Vec<i32>>,
    /// `int32`, versions 0+, tagged 0+, default -2.
    #[field(versions = "0+", tagged = "0+", tag = 1, default = "-2")]
    pub leader: i32,
    /// `[]int32`, versions 0+, nullable 0+, tagged 0+, default null.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 2, default = "null")]
    pub replicas: Option<Vec<i32>>,
    /// `[]int32`, versions 0+, nullable 0+, tagged 0+, default null.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 3, default = "null")]
    pub removing_replicas: Option<Vec<i32>>,
    /// `[]int32`, versions 0+, nullable 0+, tagged 0+, default null.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 4, default = "null")]
    pub adding_replicas: Option<Vec<i32>>,
    /// `int8`, versions 0+, tagged 0+, default -1.
    #[field(versions = "0+", tagged = "0+", tag = 5, default = "-1")]
    pub leader_recovery_state: i8,
    /// `[]uuid`, versions 1+, nullable 1+, tagged 1+, default null.
    #[field(versions = "1+", nullable = "1+", tagged = "1+", tag = 8, default = "null")]
    pub directories: Option<Vec<Uuid>>,
    /// `[]int32`, versions 2+, nullable 2+, tagged 2+, default null.
    #[field(versions = "2+", nullable = "2+", tagged = "2+", tag = 6, default = "null")]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// `[]int32`, versions 2+, nullable 2+, tagged 2+, default null.
    #[field(versions = "2+", nullable = "2+", tagged = "2+", tag = 7, default = "null")]
    pub last_known_elr: Option<Vec<i32>>,
}
