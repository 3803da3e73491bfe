//! DeleteTopics, API key 20, versions 1-6.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::{ErrorCode, Uuid};
use crate::wire::{Message, Str};

/// Request of DeleteTopics.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 20, response = DeleteTopicsResponse, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    /// `[]DeleteTopicState`, versions 6+.
    #[field(versions = "6+")]
    pub topics: Vec<DeleteTopicState>,
    /// `[]string`, versions 0-5.
    #[field(versions = "0-5", ignorable)]
    pub topic_names: Vec<Str>,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub timeout_ms: i32,
}

/// Part of DeleteTopicsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeleteTopicState {
    /// `string`, versions 6+, nullable 6+, default null.
    #[field(versions = "6+", nullable = "6+", default = "null")]
    pub name: Option<Str>,
    /// `uuid`, versions 6+.
    #[field(versions = "6+")]
    pub topic_id: Uuid,
}

/// Response of DeleteTopics.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    /// `int32`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// `[]DeletableTopicResult`, versions 0+.
    #[field(versions = "0+")]
    pub responses: Vec<DeletableTopicResult>,
}

/// Part of DeleteTopicsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DeletableTopicResult {
    /// `string`, versions 0+, nullable 6+.
    #[field(versions = "0+", nullable = "6+")]
    pub name: Option<Str>,
    /// `uuid`, versions 6+.
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 5+, nullable 5+, default null.
    #[field(versions = "5+", nullable = "5+", default = "null", ignorable)]
    pub error_message: Option<Str>,
}
