//! RemoveUserScramCredentialRecord, metadata record type 22, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message RemoveUserScramCredentialRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 22, versions = "0", flexible = "0+")]
pub struct RemoveUserScramCredentialRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub mechanism: i8,
}
