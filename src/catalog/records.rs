//! The catalog's records as bytes: Kafka's metadata records in Kafka's framing, so that its tools read the log. Must
//! not know what the records do.

use super::image::{Registration, Resource, ResourceKind};
use crate::coordinator::{BadRecord, KeyValue, LogRecord};
use crate::types::{Epoch, TopicId, Uuid};
use crate::wire::metadata::{MetadataRecord, decode, decode_frame, encode};
use crate::wire::records::config_record::ConfigRecord;
use crate::wire::records::feature_level_record::FeatureLevelRecord;
use crate::wire::records::partition_record::PartitionRecord;
use crate::wire::records::producer_ids_record::ProducerIdsRecord;
use crate::wire::records::register_broker_record::RegisterBrokerRecord;
use crate::wire::records::remove_topic_record::RemoveTopicRecord;
use crate::wire::records::topic_record::TopicRecord;
use crate::wire::{Reader, Str};
use bytes::Bytes;
use std::sync::Arc;

/// A change of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogRecord {
    /// The level of a feature (FeatureLevelRecord).
    Feature {
        /// Name of the feature.
        name: String,
        /// Its level.
        level: i16,
    },
    /// The broker registered; the epoch is that of the broker and of every partition (RegisterBrokerRecord).
    Broker {
        /// Who.
        broker: Registration,
        /// Leader epoch of every partition.
        epoch: i32,
    },
    /// A topic, still without partitions (TopicRecord).
    Topic {
        /// Its name.
        name: Arc<str>,
        /// Its id.
        id: TopicId,
    },
    /// One more partition (PartitionRecord).
    Partition {
        /// Id of the topic.
        topic: TopicId,
        /// Number of the partition.
        partition: i32,
        /// The only replica.
        broker_id: i32,
        /// Its log directory.
        directory: Uuid,
        /// Leader epoch at that time; the broker's is what counts.
        epoch: Epoch,
    },
    /// A topic with its partitions and settings is gone (RemoveTopicRecord).
    RemoveTopic {
        /// Its id.
        id: TopicId,
    },
    /// One setting (ConfigRecord).
    Config {
        /// Whose.
        resource: Resource,
        /// Its name.
        key: String,
        /// Its value; `None` removes it.
        value: Option<String>,
    },
    /// Producer ids below `next` are reserved (ProducerIdsRecord).
    ProducerIds {
        /// Who reserved them.
        broker_id: i32,
        /// Epoch of that broker.
        epoch: Epoch,
        /// The first id that is free.
        next: i64,
    },
}

impl CatalogRecord {
    /// What a reader must understand: `metadata.version` of Kafka 4.3.
    pub fn metadata_version() -> CatalogRecord {
        CatalogRecord::Feature { name: "metadata.version".to_owned(), level: METADATA_VERSION }
    }
}

/// `metadata.version` 4.3-IV0, the newest that the tools of Kafka 4.3 know.
const METADATA_VERSION: i16 = 30;

/// Versions written, as that level has them: with log directories, without what only clusters need.
const BROKER_VERSION: i16 = 3;
const PARTITION_VERSION: i16 = 1;

impl LogRecord for CatalogRecord {
    fn encode(&self) -> Result<KeyValue, BadRecord> {
        let value = match self {
            CatalogRecord::Feature { name, level } => {
                encode(&FeatureLevelRecord { name: name.as_str().into(), feature_level: *level }, 0)
            }
            CatalogRecord::Broker { broker, epoch } => encode(&broker_record(broker, *epoch), BROKER_VERSION),
            CatalogRecord::Topic { name, id } => {
                encode(&TopicRecord { name: name.as_ref().into(), topic_id: *id }, 0)
            }
            CatalogRecord::Partition { topic, partition, broker_id, directory, epoch } => {
                let record = partition_record(*topic, *partition, *broker_id, *directory, *epoch);
                encode(&record, PARTITION_VERSION)
            }
            CatalogRecord::RemoveTopic { id } => encode(&RemoveTopicRecord { topic_id: *id }, 0),
            CatalogRecord::Config { resource, key, value } => encode(
                &ConfigRecord {
                    resource_type: resource.kind.code(),
                    resource_name: resource.name.as_ref().into(),
                    name: key.as_str().into(),
                    value: value.as_deref().map(Str::from),
                },
                0,
            ),
            CatalogRecord::ProducerIds { broker_id, epoch, next } => encode(
                &ProducerIdsRecord {
                    broker_id: *broker_id,
                    broker_epoch: i64::from(epoch.0),
                    next_producer_id: *next,
                },
                0,
            ),
        };
        Ok((None, Some(value.map_err(|error| BadRecord::new(error.to_string()))?)))
    }

    /// All types that this release does not write are refused: a catalog that ignores what it does not know would
    /// bring back deleted topics or drop access rules.
    fn decode(_key: Option<Bytes>, value: Option<Bytes>) -> Result<Option<CatalogRecord>, BadRecord> {
        let value = value.ok_or_else(|| BadRecord::new("a catalog record has a value"))?;
        let (key, _) = decode_frame(&mut Reader::new(value.clone())).map_err(bad)?;
        let record = match key {
            FeatureLevelRecord::KEY => {
                let record: FeatureLevelRecord = decode(value).map_err(bad)?;
                CatalogRecord::Feature { name: record.name.to_string(), level: record.feature_level }
            }
            RegisterBrokerRecord::KEY => from_broker(&decode(value).map_err(bad)?)?,
            TopicRecord::KEY => {
                let record: TopicRecord = decode(value).map_err(bad)?;
                CatalogRecord::Topic { name: record.name.as_str().into(), id: record.topic_id }
            }
            PartitionRecord::KEY => from_partition(&decode(value).map_err(bad)?),
            RemoveTopicRecord::KEY => {
                let record: RemoveTopicRecord = decode(value).map_err(bad)?;
                CatalogRecord::RemoveTopic { id: record.topic_id }
            }
            ConfigRecord::KEY => from_config(&decode(value).map_err(bad)?)?,
            ProducerIdsRecord::KEY => {
                let record: ProducerIdsRecord = decode(value).map_err(bad)?;
                CatalogRecord::ProducerIds {
                    broker_id: record.broker_id,
                    epoch: epoch_of(record.broker_epoch)?,
                    next: record.next_producer_id,
                }
            }
            other => return Err(BadRecord::new(format!("metadata record type {other} is not known"))),
        };
        Ok(Some(record))
    }
}

fn bad(error: impl std::fmt::Display) -> BadRecord {
    BadRecord::new(error.to_string())
}

fn epoch_of(epoch: i64) -> Result<Epoch, BadRecord> {
    i32::try_from(epoch).map(Epoch).map_err(|_| BadRecord::new(format!("epoch {epoch} is out of range")))
}

fn broker_record(broker: &Registration, epoch: i32) -> RegisterBrokerRecord {
    RegisterBrokerRecord {
        broker_id: broker.broker_id,
        is_migrating_zk_broker: false,
        incarnation_id: broker.incarnation,
        broker_epoch: i64::from(epoch),
        end_points: Vec::new(),
        features: Vec::new(),
        rack: None,
        fenced: false,
        in_controlled_shutdown: false,
        log_dirs: broker.directories.to_vec(),
        cordoned_log_dirs: None,
    }
}

fn from_broker(record: &RegisterBrokerRecord) -> Result<CatalogRecord, BadRecord> {
    let broker = Registration {
        broker_id: record.broker_id,
        incarnation: record.incarnation_id,
        directories: record.log_dirs.as_slice().into(),
    };
    Ok(CatalogRecord::Broker { broker, epoch: epoch_of(record.broker_epoch)?.0 })
}

fn partition_record(
    topic: TopicId,
    partition: i32,
    broker_id: i32,
    directory: Uuid,
    epoch: Epoch,
) -> PartitionRecord {
    PartitionRecord {
        partition_id: partition,
        topic_id: topic,
        replicas: vec![broker_id],
        isr: vec![broker_id],
        removing_replicas: Vec::new(),
        adding_replicas: Vec::new(),
        leader: broker_id,
        leader_recovery_state: 0,
        leader_epoch: epoch.0,
        partition_epoch: 0,
        directories: vec![directory],
        eligible_leader_replicas: None,
        last_known_elr: None,
    }
}

fn from_partition(record: &PartitionRecord) -> CatalogRecord {
    CatalogRecord::Partition {
        topic: record.topic_id,
        partition: record.partition_id,
        broker_id: record.leader,
        directory: record.directories.first().copied().unwrap_or(Uuid::ZERO),
        epoch: Epoch(record.leader_epoch),
    }
}

fn from_config(record: &ConfigRecord) -> Result<CatalogRecord, BadRecord> {
    let code = record.resource_type;
    let kind = ResourceKind::from_code(code)
        .ok_or_else(|| BadRecord::new(format!("resource type {code} is not known")))?;
    let resource = Resource { kind, name: record.resource_name.as_str().into() };
    let value = record.value.as_ref().map(|value| value.as_str().to_owned());
    Ok(CatalogRecord::Config { resource, key: record.name.as_str().to_owned(), value })
}
