//! ConsumerProtocolAssignment, versions 0-3.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};
use bytes::Bytes;

/// The message ConsumerProtocolAssignment.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3")]
pub struct ConsumerProtocolAssignment {
    /// `[]TopicPartition`, versions 0+.
    #[field(versions = "0+")]
    pub assigned_partitions: Vec<TopicPartition>,
    /// `bytes`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub user_data: Option<Bytes>,
}

/// Part of ConsumerProtocolAssignment.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicPartition {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub topic: Str,
    /// `[]int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: Vec<i32>,
}
