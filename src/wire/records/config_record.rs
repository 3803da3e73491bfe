//! ConfigRecord, metadata record type 4, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message ConfigRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 4, versions = "0", flexible = "0+")]
pub struct ConfigRecord {
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub resource_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub resource_name: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub value: Option<Str>,
}
