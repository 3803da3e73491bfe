//! FeatureLevelRecord, metadata record type 12, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message FeatureLevelRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 12, versions = "0", flexible = "0+")]
pub struct FeatureLevelRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub feature_level: i16,
}
