//! Heartbeat, API key 12, versions 0-4.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of Heartbeat.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 12, response = HeartbeatResponse, versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest {
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
}

/// Response of Heartbeat.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
}
