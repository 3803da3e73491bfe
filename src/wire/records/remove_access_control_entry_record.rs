//! RemoveAccessControlEntryRecord, metadata record type 19, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message RemoveAccessControlEntryRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 19, versions = "0", flexible = "0+")]
pub struct RemoveAccessControlEntryRecord {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub id: Uuid,
}
