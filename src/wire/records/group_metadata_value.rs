//! GroupMetadataValue, versions 0-4.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};
use bytes::Bytes;

/// The message GroupMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub protocol_type: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub generation: i32,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub protocol: Option<Str>,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub leader: Option<Str>,
    /// `int64`, versions 2+, default -1.
    #[field(versions = "2+", default = "-1", ignorable)]
    pub current_state_timestamp: i64,
    /// `[]MemberMetadata`, versions 0+.
    #[field(versions = "0+")]
    pub members: Vec<MemberMetadata>,
}

/// Part of GroupMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MemberMetadata {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `string`, versions 3+, nullable 3+, default null.
    #[field(versions = "3+", nullable = "3+", default = "null", ignorable)]
    pub group_instance_id: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_host: Str,
    /// `int32`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub rebalance_timeout: i32,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub session_timeout: i32,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub subscription: Bytes,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub assignment: Bytes,
}
