//! ResponseHeader, versions 0-1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message ResponseHeader.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub correlation_id: i32,
}
