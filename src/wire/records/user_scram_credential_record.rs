//! UserScramCredentialRecord, metadata record type 11, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};
use bytes::Bytes;

/// The message UserScramCredentialRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 11, versions = "0", flexible = "0+")]
pub struct UserScramCredentialRecord {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub mechanism: i8,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub salt: Bytes,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub stored_key: Bytes,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub server_key: Bytes,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub iterations: i32,
}
