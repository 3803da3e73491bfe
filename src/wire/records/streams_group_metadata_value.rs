//! StreamsGroupMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupMetadataValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub epoch: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub metadata_hash: i64,
    /// `int32`, versions 0+, tagged 0+, default -1.
    #[field(versions = "0+", tagged = "0+", tag = 0, default = "-1")]
    pub validated_topology_epoch: i32,
    /// `[]LastAssignmentConfig`, versions 0+, nullable 0+, tagged 0+.
    #[field(versions = "0+", nullable = "0+", tagged = "0+", tag = 1)]
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
    /// `int32`, versions 0+, tagged 0+, default -1.
    #[field(versions = "0+", tagged = "0+", tag = 2, default = "-1")]
    pub stored_description_topology_epoch: i32,
    /// `int32`, versions 0+, tagged 0+, default -1.
    #[field(versions = "0+", tagged = "0+", tag = 3, default = "-1")]
    pub failed_description_topology_epoch: i32,
}

/// Part of StreamsGroupMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct LastAssignmentConfig {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub key: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub value: Str,
}
