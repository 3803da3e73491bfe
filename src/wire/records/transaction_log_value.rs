//! TransactionLogValue, versions 0-1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message TransactionLogValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue {
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub producer_id: i64,
    /// `int64`, versions 1+, tagged 1+, default -1.
    #[field(versions = "1+", tagged = "1+", tag = 0, default = "-1")]
    pub previous_producer_id: i64,
    /// `int64`, versions 1+, tagged 1+, default -1.
    #[field(versions = "1+", tagged = "1+", tag = 1, default = "-1")]
    pub next_producer_id: i64,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub producer_epoch: i16,
    /// `int16`, versions 1+, tagged 1+, default -1.
    #[field(versions = "1+", tagged = "1+", tag = 3, default = "-1")]
    pub next_producer_epoch: i16,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub transaction_timeout_ms: i32,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub transaction_status: i8,
    /// `[]PartitionsSchema`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub transaction_last_update_timestamp_ms: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub transaction_start_timestamp_ms: i64,
    /// `int16`, versions 1+, tagged 1+.
    #[field(versions = "1+", tagged = "1+", tag = 2)]
    pub client_transaction_version: i16,
}

/// Part of TransactionLogValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct PartitionsSchema {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_ids: Vec<i32>,
}
