//! TopicRecord, metadata record type 2, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message TopicRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 2, versions = "0", flexible = "0+")]
pub struct TopicRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
}
