//! DelegationTokenRecord, metadata record type 10, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message DelegationTokenRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 10, versions = "0", flexible = "0+")]
pub struct DelegationTokenRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub owner: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub requester: Str,
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub renewers: Vec<Str>,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub issue_timestamp: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub max_timestamp: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub expiration_timestamp: i64,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub token_id: Str,
}
