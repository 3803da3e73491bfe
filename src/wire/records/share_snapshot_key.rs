//! ShareSnapshotKey, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message ShareSnapshotKey.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct ShareSnapshotKey {
    /// `string`, versions 0.
    #[field(versions = "0")]
    pub group_id: Str,
    /// `uuid`, versions 0.
    #[field(versions = "0")]
    pub topic_id: Uuid,
    /// `int32`, versions 0.
    #[field(versions = "0")]
    pub partition: i32,
}
