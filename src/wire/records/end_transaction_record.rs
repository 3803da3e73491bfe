//! EndTransactionRecord, metadata record type 24, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message EndTransactionRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 24, versions = "0", flexible = "0+")]
pub struct EndTransactionRecord {}
