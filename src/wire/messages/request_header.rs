//! RequestHeader, versions 1-2.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message RequestHeader.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1-2", flexible = "2+")]
pub struct RequestHeader {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub request_api_key: i16,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub request_api_version: i16,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub correlation_id: i32,
    /// `string`, versions 1+, nullable 1+, flexible none.
    #[field(versions = "1+", nullable = "1+", flexible = "none")]
    pub client_id: Option<Str>,
}
