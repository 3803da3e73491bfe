//! StreamsGroupMemberMetadataKey, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupMemberMetadataKey.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct StreamsGroupMemberMetadataKey {
    /// `string`, versions 0.
    #[field(versions = "0")]
    pub group_id: Str,
    /// `string`, versions 0.
    #[field(versions = "0")]
    pub member_id: Str,
}
