//! ConsumerProtocolSubscription, versions 0-3.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};
use bytes::Bytes;

/// The message ConsumerProtocolSubscription.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3")]
pub struct ConsumerProtocolSubscription {
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub topics: Vec<Str>,
    /// `bytes`, versions 0+, nullable 0+, default null.
    #[field(versions = "0+", nullable = "0+", default = "null")]
    pub user_data: Option<Bytes>,
    /// `[]TopicPartition`, versions 1+.
    #[field(versions = "1+", ignorable)]
    pub owned_partitions: Vec<TopicPartition>,
    /// `int32`, versions 2+, default -1.
    #[field(versions = "2+", default = "-1", ignorable)]
    pub generation_id: i32,
    /// `string`, versions 3+, nullable 3+, default null.
    #[field(versions = "3+", nullable = "3+", default = "null", ignorable)]
    pub rack_id: Option<Str>,
}

/// Part of ConsumerProtocolSubscription.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicPartition {
    /// `string`, versions 1+.
    #[field(versions = "1+")]
    pub topic: Str,
    /// `[]int32`, versions 1+.
    #[field(versions = "1+")]
    pub partitions: Vec<i32>,
}
