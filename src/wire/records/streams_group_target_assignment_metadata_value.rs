//! StreamsGroupTargetAssignmentMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message StreamsGroupTargetAssignmentMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMetadataValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub assignment_epoch: i32,
    /// `int64`, versions 0+, tagged 0+.
    #[field(versions = "0+", tagged = "0+", tag = 0, ignorable)]
    pub assignment_timestamp: i64,
}
