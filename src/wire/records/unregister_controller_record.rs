//! UnregisterControllerRecord, metadata record type 29, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message UnregisterControllerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 29, versions = "0", flexible = "0+")]
pub struct UnregisterControllerRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub controller_id: i32,
}
