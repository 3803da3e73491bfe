//! UnfenceBrokerRecord, metadata record type 8, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message UnfenceBrokerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 8, versions = "0", flexible = "0+")]
pub struct UnfenceBrokerRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub id: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub epoch: i64,
}
