//! ClientQuotaRecord, metadata record type 14, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message ClientQuotaRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 14, versions = "0", flexible = "0+")]
pub struct ClientQuotaRecord {
    /// `[]EntityData`, versions 0+.
    #[field(versions = "0+")]
    pub entity: Vec<EntityData>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub key: Str,
    /// `float64`, versions 0+.
    #[field(versions = "0+")]
    pub value: f64,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub remove: bool,
}

/// Part of ClientQuotaRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct EntityData {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub entity_type: Str,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub entity_name: Option<Str>,
}
