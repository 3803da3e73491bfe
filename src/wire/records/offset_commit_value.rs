//! OffsetCommitValue, versions 0-4.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message OffsetCommitValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue {
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub offset: i64,
    /// `int32`, versions 3+, default -1.
    #[field(versions = "3+", default = "-1", ignorable)]
    pub leader_epoch: i32,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub metadata: Str,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub commit_timestamp: i64,
    /// `int64`, versions 1, default -1.
    #[field(versions = "1", default = "-1", ignorable)]
    pub expire_timestamp: i64,
    /// `uuid`, versions 4+, tagged 4+.
    #[field(versions = "4+", tagged = "4+", tag = 0, ignorable)]
    pub topic_id: Uuid,
}
