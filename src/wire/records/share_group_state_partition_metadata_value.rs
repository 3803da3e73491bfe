//! ShareGroupStatePartitionMetadataValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message ShareGroupStatePartitionMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ShareGroupStatePartitionMetadataValue {
    /// `[]TopicPartitionsInfo`, versions 0+.
    #[field(versions = "0+")]
    pub initializing_topics: Vec<TopicPartitionsInfo>,
    /// `[]TopicPartitionsInfo`, versions 0+.
    #[field(versions = "0+")]
    pub initialized_topics: Vec<TopicPartitionsInfo>,
    /// `[]TopicInfo`, versions 0+.
    #[field(versions = "0+")]
    pub deleting_topics: Vec<TopicInfo>,
}

/// Part of ShareGroupStatePartitionMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicPartitionsInfo {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic_name: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}

/// Part of ShareGroupStatePartitionMetadataValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicInfo {
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub topic_id: Uuid,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic_name: Str,
}
