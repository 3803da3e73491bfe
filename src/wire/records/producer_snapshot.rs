//! ProducerSnapshot, versions 1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message ProducerSnapshot.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1")]
pub struct ProducerSnapshot {
    /// `uint32`, versions 1.
    #[field(versions = "1")]
    pub crc: u32,
    /// `[]ProducerEntry`, versions 1.
    #[field(versions = "1")]
    pub producer_entries: Vec<ProducerEntry>,
}

/// Part of ProducerSnapshot.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ProducerEntry {
    /// `int64`, versions 1.
    #[field(versions = "1")]
    pub producer_id: i64,
    /// `int16`, versions 1.
    #[field(versions = "1")]
    pub epoch: i16,
    /// `int32`, versions 1.
    #[field(versions = "1")]
    pub last_sequence: i32,
    /// `int64`, versions 1.
    #[field(versions = "1")]
    pub last_offset: i64,
    /// `int32`, versions 1.
    #[field(versions = "1")]
    pub offset_delta: i32,
    /// `int64`, versions 1.
    #[field(versions = "1")]
    pub timestamp: i64,
    /// `int32`, versions 1.
    #[field(versions = "1")]
    pub coordinator_epoch: i32,
    /// `int64`, versions 1.
    #[field(versions = "1")]
    pub current_txn_first_offset: i64,
}
