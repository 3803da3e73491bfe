//! FindCoordinator, API key 10, versions 0-6.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of FindCoordinator.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 10, response = FindCoordinatorResponse, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    /// `string`, versions 0-3.
    #[field(versions = "0-3")]
    pub key: Str,
    /// `int8`, versions 1+.
    #[field(versions = "1+")]
    pub key_type: i8,
    /// `[]string`, versions 4+.
    #[field(versions = "4+")]
    pub coordinator_keys: Vec<Str>,
}

/// Response of FindCoordinator.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0-3.
    #[field(versions = "0-3")]
    pub error_code: ErrorCode,
    /// `string`, versions 1-3, nullable 1-3.
    #[field(versions = "1-3", nullable = "1-3", ignorable)]
    pub error_message: Option<Str>,
    /// `int32`, versions 0-3.
    #[field(versions = "0-3")]
    pub node_id: i32,
    /// `string`, versions 0-3.
    #[field(versions = "0-3")]
    pub host: Str,
    /// `int32`, versions 0-3.
    #[field(versions = "0-3")]
    pub port: i32,
    /// `[]Coordinator`, versions 4+.
    #[field(versions = "4+")]
    pub coordinators: Vec<Coordinator>,
}

/// Part of FindCoordinatorResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Coordinator {
    /// `string`, versions 4+.
    #[field(versions = "4+")]
    pub key: Str,
    /// `int32`, versions 4+.
    #[field(versions = "4+")]
    pub node_id: i32,
    /// `string`, versions 4+.
    #[field(versions = "4+")]
    pub host: Str,
    /// `int32`, versions 4+.
    #[field(versions = "4+")]
    pub port: i32,
    /// `int16`, versions 4+.
    #[field(versions = "4+")]
    pub error_code: ErrorCode,
    /// `string`, versions 4+, nullable 4+.
    #[field(versions = "4+", nullable = "4+", ignorable)]
    pub error_message: Option<Str>,
}
