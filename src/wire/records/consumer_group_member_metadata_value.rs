//! ConsumerGroupMemberMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};
use bytes::Bytes;

/// The message ConsumerGroupMemberMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupMemberMetadataValue {
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
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub subscribed_topic_names: Vec<Str>,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub subscribed_topic_regex: Option<Str>,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub rebalance_timeout_ms: i32,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub server_assignor: Option<Str>,
    /// `ClassicMemberMetadata`, versions 0+, nullable 0+, tagged 0+.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 0)]
    pub classic_member_metadata: Option<ClassicMemberMetadata>,
}

/// Part of ConsumerGroupMemberMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ClassicMemberMetadata {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub session_timeout_ms: i32,
    /// `[]ClassicProtocol`, versions 0+.
    #[field(versions = "0+")]
    pub supported_protocols: Vec<ClassicProtocol>,
}

/// Part of ConsumerGroupMemberMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ClassicProtocol {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub metadata: Bytes,
}
