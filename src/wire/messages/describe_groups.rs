//! DescribeGroups, API key 15, versions 0-6.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};
use bytes::Bytes;

/// Request of DescribeGroups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 15, response = DescribeGroupsResponse, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub groups: Vec<Str>,
    /// `bool`, versions 3+.
    #[field(versions = "3+")]
    pub include_authorized_operations: bool,
}

/// Response of DescribeGroups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]DescribedGroup`, versions 0+.
    #[field(versions = "0+")]
    pub groups: Vec<DescribedGroup>,
}

/// Part of DescribeGroupsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribedGroup {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 6+, nullable 6+, default null.
    #[field(versions = "6+", nullable = "6+", default = "null")]
    pub error_message: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub group_state: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub protocol_type: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub protocol_data: Str,
    /// `[]DescribedGroupMember`, versions 0+.
    #[field(versions = "0+")]
    pub members: Vec<DescribedGroupMember>,
    /// `int32`, versions 3+, default -2147483648.
    #[field(versions = "3+", default = "-2147483648")]
    pub authorized_operations: i32,
}

/// Part of DescribeGroupsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribedGroupMember {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub member_id: Str,
    /// `string`, versions 4+, nullable 4+, default null.
    #[field(versions = "4+", nullable = "4+", default = "null", ignorable)]
    pub group_instance_id: Option<Str>,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_id: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub client_host: Str,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub member_metadata: Bytes,
    /// `bytes`, versions 0+.
    #[field(versions = "0+")]
    pub member_assignment: Bytes,
}
