//! BeginTransactionRecord, metadata record type 23, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message BeginTransactionRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 23, versions = "0", flexible = "0+")]
pub struct BeginTransactionRecord {
    /// `string`, versions 0+, nullable 0+, tagged 0+, default null.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 0, default = "null")]
    pub name: Option<Str>,
}
