//! ShareGroupMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message ShareGroupMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupMetadataValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub epoch: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub metadata_hash: i64,
}
