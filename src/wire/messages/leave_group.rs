//! LeaveGroup, API key 13, versions 0-5.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of LeaveGroup.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 13, response = LeaveGroupResponse, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `string`, versions 0-2.
    #[field(versions = "0-2")]
    pub member_id: Str,
    /// `[]MemberIdentity`, versions 3+.
    #[field(versions = "3+")]
    pub members: Vec<MemberIdentity>,
}

/// Part of LeaveGroupRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MemberIdentity {
    /// `string`, versions 3+.
    #[field(versions = "3+")]
    pub member_id: Str,
    /// `string`, versions 3+, nullable 3+, default null.
    #[field(versions = "3+", nullable = "3+", default = "null")]
    pub group_instance_id: Option<Str>,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub reason: Option<Str>,
}

/// Response of LeaveGroup.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `[]MemberResponse`, versions 3+.
    #[field(versions = "3+")]
    pub members: Vec<MemberResponse>,
}

/// Part of LeaveGroupResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct MemberResponse {
    /// `string`, versions 3+.
    #[field(versions = "3+")]
    pub member_id: Str,
    /// `string`, versions 3+, nullable 3+.
    #[field(versions = "3+", nullable = "3+")]
    pub group_instance_id: Option<Str>,
    /// `int16`, versions 3+.
    #[field(versions = "3+")]
    pub error_code: ErrorCode,
}
