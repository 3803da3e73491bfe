//! DescribeCluster, API key 60, versions 0-2.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of DescribeCluster.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 60, response = DescribeClusterResponse, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub include_cluster_authorized_operations: bool,
    /// `int8`, versions 1+, default 1.
    #[field(versions = "1+", default = "1")]
    pub endpoint_type: i8,
    /// `bool`, versions 2+.
    #[field(versions = "2+")]
    pub include_fenced_brokers: bool,
}

/// Response of DescribeCluster.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub error_message: Option<Str>,
    /// `int8`, versions 1+, default 1.
    #[field(versions = "1+", default = "1")]
    pub endpoint_type: i8,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub cluster_id: Str,
    /// `int32`, versions 0+, default -1.
    #[field(versions = "0+", default = "-1")]
    pub controller_id: i32,
    /// `[]DescribeClusterBroker`, versions 0+.
    #[field(versions = "0+")]
    pub brokers: Vec<DescribeClusterBroker>,
    /// `int32`, versions 0+, default -2147483648.
    #[field(versions = "0+", default = "-2147483648")]
    pub cluster_authorized_operations: i32,
}

/// Part of DescribeClusterResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeClusterBroker {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_id: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub host: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub port: i32,
    /// `string`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub rack: Option<Str>,
    /// `bool`, versions 2+.
    #[field(versions = "2+")]
    pub is_fenced: bool,
}
