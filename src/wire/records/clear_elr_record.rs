//! ClearElrRecord, metadata record type 28, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message ClearElrRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 28, versions = "0", flexible = "0+")]
pub struct ClearElrRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic_name: Str,
}
