//! The records Kafka keeps in its own log and files.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

pub mod config_record;
pub mod feature_level_record;
pub mod partition_record;
pub mod producer_ids_record;
pub mod producer_snapshot;
pub mod register_broker_record;
pub mod remove_topic_record;
pub mod topic_record;

use super::field::Versions;
use super::kind::{Kind, boxed};

/// Every kind of message here.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "RegisterBrokerRecord",
        versions: Versions(0, 4),
        decode: boxed::<register_broker_record::RegisterBrokerRecord>,
    },
    Kind { name: "TopicRecord", versions: Versions(0, 0), decode: boxed::<topic_record::TopicRecord> },
    Kind {
        name: "PartitionRecord",
        versions: Versions(0, 2),
        decode: boxed::<partition_record::PartitionRecord>,
    },
    Kind { name: "ConfigRecord", versions: Versions(0, 0), decode: boxed::<config_record::ConfigRecord> },
    Kind {
        name: "RemoveTopicRecord",
        versions: Versions(0, 0),
        decode: boxed::<remove_topic_record::RemoveTopicRecord>,
    },
    Kind {
        name: "ProducerIdsRecord",
        versions: Versions(0, 0),
        decode: boxed::<producer_ids_record::ProducerIdsRecord>,
    },
    Kind {
        name: "FeatureLevelRecord",
        versions: Versions(0, 0),
        decode: boxed::<feature_level_record::FeatureLevelRecord>,
    },
    Kind {
        name: "ProducerSnapshot",
        versions: Versions(1, 1),
        decode: boxed::<producer_snapshot::ProducerSnapshot>,
    },
];
