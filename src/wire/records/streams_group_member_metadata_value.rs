//! StreamsGroupMemberMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupMemberMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupMemberMetadataValue {
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub instance_id: Option<Str>,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub rack_id: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_host: Str,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub rebalance_timeout_ms: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub topology_epoch: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub process_id: Str,
    /// `Endpoint`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub user_endpoint: Option<Endpoint>,
    /// `[]KeyValue`, versions 0+.
    #[field(versions = "0+")]
    pub client_tags: Vec<KeyValue>,
}

/// Part of StreamsGroupMemberMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Endpoint {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub host: Str,
    /// `uint16`, versions 0+.
    #[field(versions = "0+")]
    pub port: u16,
}

/// Part of StreamsGroupMemberMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct KeyValue {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub key: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub value: Str,
}
