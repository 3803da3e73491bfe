//! DescribeLogDirs, API key 35, versions 1-5.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::ErrorCode;
use crate::wire::{Message, Str};

/// Request of DescribeLogDirs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(request, key = 35, response = DescribeLogDirsResponse, versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsRequest {
    /// `[]DescribableLogDirTopic`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

/// Part of DescribeLogDirsRequest.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribableLogDirTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}

/// Response of DescribeLogDirs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsResponse {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub throttle_time_ms: i32,
    /// `int16`, versions 3+.
    #[field(versions = "3+", ignorable)]
    pub error_code: ErrorCode,
    /// `[]DescribeLogDirsResult`, versions 0+.
    #[field(versions = "0+")]
    pub results: Vec<DescribeLogDirsResult>,
}

/// Part of DescribeLogDirsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeLogDirsResult {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub error_code: ErrorCode,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub log_dir: Str,
    /// `[]DescribeLogDirsTopic`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<DescribeLogDirsTopic>,
    /// `int64`, versions 4+, default -1.
    #[field(versions = "4+", default = "-1", ignorable)]
    pub total_bytes: i64,
    /// `int64`, versions 4+, default -1.
    #[field(versions = "4+", default = "-1", ignorable)]
    pub usable_bytes: i64,
    /// `bool`, versions 5+.
    #[field(versions = "5+", ignorable)]
    pub is_cordoned: bool,
}

/// Part of DescribeLogDirsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeLogDirsTopic {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `[]DescribeLogDirsPartition`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<DescribeLogDirsPartition>,
}

/// Part of DescribeLogDirsResponse.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct DescribeLogDirsPartition {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition_index: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub partition_size: i64,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub offset_lag: i64,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub is_future_key: bool,
}
