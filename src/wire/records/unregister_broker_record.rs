//! UnregisterBrokerRecord, metadata record type 1, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message UnregisterBrokerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 1, versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_id: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub broker_epoch: i64,
}
