//! StreamsGroupTargetAssignmentMetadataKey, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupTargetAssignmentMetadataKey.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct StreamsGroupTargetAssignmentMetadataKey {
    /// `string`, versions 0.
    #[field(versions = "0")]
    pub group_id: Str,
}
