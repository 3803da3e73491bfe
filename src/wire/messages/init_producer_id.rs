//! InitProducerId, API key 22, versions 0-5.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of InitProducerId.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 22, response = InitProducerIdResponse, versions = "0-5", flexible = "2+")]
pub struct InitProducerIdRequest {
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub transactional_id: Option<Str>,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub transaction_timeout_ms: i32,
    /// `int64`, versions 3+, default -1.
    #[field(versions = "3+", default = "-1")]
    pub producer_id: i64,
    /// `int16`, versions 3+, default -1.
    #[field(versions = "3+", default = "-1")]
    pub producer_epoch: i16,
    /// `bool`, versions 6+.
    #[field(versions = "6+")]
    pub enable2_pc: bool,
    /// `bool`, versions 6+.
    #[field(versions = "6+")]
    pub keep_prepared_txn: bool,
}

/// Response of InitProducerId.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "2+")]
pub struct InitProducerIdResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+", ignorable)]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `int64`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub producer_id: i64,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub producer_epoch: i16,
    /// `int64`, versions 6+, default -1.
    #[field(versions = "6+", default = "-1")]
    pub ongoing_txn_producer_id: i64,
    /// `int16`, versions 6+, default -1.
    #[field(versions = "6+", default = "-1")]
    pub ongoing_txn_producer_epoch: i16,
}
