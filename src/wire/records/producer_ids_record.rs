//! ProducerIdsRecord, metadata record type 15, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message ProducerIdsRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 15, versions = "0", flexible = "0+")]
pub struct ProducerIdsRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_id: i32,
    /// `int64`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub broker_epoch: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub next_producer_id: i64,
}
