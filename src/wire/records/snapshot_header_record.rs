//! SnapshotHeaderRecord, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message SnapshotHeaderRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotHeaderRecord {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub version: i16,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub last_contained_log_timestamp: i64,
}
