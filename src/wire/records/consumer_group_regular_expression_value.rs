//! ConsumerGroupRegularExpressionValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message ConsumerGroupRegularExpressionValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupRegularExpressionValue {
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<Str>,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub version: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub timestamp: i64,
}
