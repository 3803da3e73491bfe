//! AbortTransactionRecord, metadata record type 25, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message AbortTransactionRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 25, versions = "0", flexible = "0+")]
pub struct AbortTransactionRecord {
    /// `string`, versions 0+, nullable 0+, tagged 0+, default null.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 0, default = "null")]
    pub reason: Option<Str>,
}
