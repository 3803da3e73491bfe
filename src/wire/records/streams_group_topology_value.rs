//! StreamsGroupTopologyValue, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::{Message, Str};

/// The message StreamsGroupTopologyValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyValue {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub epoch: i32,
    /// `[]Subtopology`, versions 0+.
    #[field(versions = "0+")]
    pub subtopologies: Vec<Subtopology>,
}

/// Part of StreamsGroupTopologyValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicConfig {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub key: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub value: Str,
}

/// Part of StreamsGroupTopologyValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct TopicInfo {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub partitions: i32,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub replication_factor: i16,
    /// `[]TopicConfig`, versions 0+.
    #[field(versions = "0+")]
    pub topic_configs: Vec<TopicConfig>,
}

/// Part of StreamsGroupTopologyValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Subtopology {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub subtopology_id: Str,
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub source_topics: Vec<Str>,
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub source_topic_regex: Vec<Str>,
    /// `[]TopicInfo`, versions 0+.
    #[field(versions = "0+")]
    pub state_changelog_topics: Vec<TopicInfo>,
    /// `[]string`, versions 0+.
    #[field(versions = "0+")]
    pub repartition_sink_topics: Vec<Str>,
    /// `[]TopicInfo`, versions 0+.
    #[field(versions = "0+")]
    pub repartition_source_topics: Vec<TopicInfo>,
    /// `[]CopartitionGroup`, versions 0+.
    #[field(versions = "0+")]
    pub copartition_groups: Vec<CopartitionGroup>,
}

/// Part of StreamsGroupTopologyValue.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct CopartitionGroup {
    /// `[]int16`, versions 0+.
    #[field(versions = "0+")]
    pub source_topics: Vec<i16>,
    /// `[]int16`, versions 0+.
    #[field(versions = "0+")]
    pub source_topic_regex: Vec<i16>,
    /// `[]int16`, versions 0+.
    #[field(versions = "0+")]
    pub repartition_source_topics: Vec<i16>,
}
