//! JoinGroup, API key 11, versions 0-9.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};
use bytes::Bytes;

/// Request of JoinGroup.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 11, response = JoinGroupResponse, versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub session_timeout_ms: i32,
    /// `int32`, versions 1+, default -1.
    #[field(versions = "1+", default = "-1", ignorable)]
    pub rebalance_timeout_ms: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null")]
    pub group_instance_id: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub protocol_type: Str,
    /// `[]JoinGroupRequestProtocol`, versions 0+.
    #[field(versions = "0+")]
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// `string`, versions 8+, nullable 8+, default null.
    #[field(versions = "8+", nullable = "8+", default = "null", ignorable)]
    pub reason: Option<Str>,
}

/// Part of JoinGroupRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct JoinGroupRequestProtocol {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub metadata: Bytes,
}

/// Response of JoinGroup.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    /// `int32`, versions 2+.
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub generation_id: i32,
    /// `string`, versions 7+, nullable 7+, default null.
    #[field(versions = "7+", nullable = "7+", default = "null", ignorable)]
    pub protocol_type: Option<Str>,
    /// `string`, versions 0+, nullable 7+.
    #[field(versions = "0+", nullable = "7+")]
    pub protocol_name: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub leader: Str,
    /// `bool`, versions 9+.
    #[field(versions = "9+")]
    pub skip_assignment: bool,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `[]JoinGroupResponseMember`, versions 0+.
    #[field(versions = "0+")]
    pub members: Vec<JoinGroupResponseMember>,
}

/// Part of JoinGroupResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct JoinGroupResponseMember {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub group_instance_id: Option<Str>,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub metadata: Bytes,
}
