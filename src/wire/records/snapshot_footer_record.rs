//! SnapshotFooterRecord, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message SnapshotFooterRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotFooterRecord {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub version: i16,
}
