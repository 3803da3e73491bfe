//! RemoveTopicRecord, metadata record type 9, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message RemoveTopicRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 9, versions = "0", flexible = "0+")]
pub struct RemoveTopicRecord {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
}
