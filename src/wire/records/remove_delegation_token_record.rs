//! RemoveDelegationTokenRecord, metadata record type 26, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message RemoveDelegationTokenRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 26, versions = "0", flexible = "0+")]
pub struct RemoveDelegationTokenRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub token_id: Str,
}
