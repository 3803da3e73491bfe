//! SyncGroup, API key 14, versions 0-5.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};
use bytes::Bytes;

/// Request of SyncGroup.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 14, response = SyncGroupResponse, versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub generation_id: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `string`, versions 3+, nullable 3+, default null.
    #[field(versions = "3+", nullable = "3+", default = "null")]
    pub group_instance_id: Option<Str>,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub protocol_type: Option<Str>,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub protocol_name: Option<Str>,
    /// `[]SyncGroupRequestAssignment`, versions 0+.
    #[field(versions = "0+")]
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

/// Part of SyncGroupRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct SyncGroupRequestAssignment {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub assignment: Bytes,
}

/// Response of SyncGroup.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub protocol_type: Option<Str>,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub protocol_name: Option<Str>,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub assignment: Bytes,
}
