//! ConsumerGroupPartitionMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message ConsumerGroupPartitionMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupPartitionMetadataValue {
    /// `[]TopicMetadata`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<TopicMetadata>,
}

/// Part of ConsumerGroupPartitionMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicMetadata {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic_name: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub num_partitions: i32,
    /// `[]PartitionMetadata`, versions 0+.
    #[field(versions = "0+")]
    pub partition_metadata: Vec<PartitionMetadata>,
}

/// Part of ConsumerGroupPartitionMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct PartitionMetadata {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partition: i32,
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub racks: Vec<Str>,
}
