//! AccessControlEntryRecord, metadata record type 18, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message AccessControlEntryRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 18, versions = "0", flexible = "0+")]
pub struct AccessControlEntryRecord {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub id: Uuid,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub resource_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub resource_name: Str,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub pattern_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub principal: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub host: Str,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub operation: i8,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub permission_type: i8,
}
