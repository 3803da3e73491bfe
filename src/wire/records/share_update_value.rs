//! ShareUpdateValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message ShareUpdateValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareUpdateValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub snapshot_epoch: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub leader_epoch: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub start_offset: i64,
    /// `int32`, versions 0+, tagged 0+, default -1.
    #[field(versions = "0+", tagged = "0+", tag = 0, default = "-1")]
    pub delivery_complete_count: i32,
    /// `[]StateBatch`, versions 0+.
    #[field(versions = "0+")]
    pub state_batches: Vec<StateBatch>,
}

/// Part of ShareUpdateValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct StateBatch {
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub first_offset: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub last_offset: i64,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub delivery_state: i8,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub delivery_count: i16,
}
