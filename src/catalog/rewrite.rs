//! The records that give an image, some at a time, for the log to begin anew with. Must not know when that is done.

use super::image::{CatalogImage, Configs, Resource, ResourceKind, TopicEntry};
use super::records::CatalogRecord;
use crate::types::{TopicId, Uuid};
use std::ops::Bound::{self, Excluded, Unbounded};
use std::sync::Arc;

/// How far a rewrite has come: the image up to here is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The level, the broker, the reserved producer ids.
    Head,
    /// The topics up to the one of this name, and of that, if it still has this id, this many partitions.
    Topic(Arc<str>, TopicId, i32),
    /// All topics, and the settings of brokers up to this one.
    Broker(Arc<str>),
    /// All of that, and the settings of groups up to this one.
    Group(Arc<str>),
}

/// About `budget` records of `image` beyond `after`, and how far they come; `None` if that is the end.
pub(super) fn rewrite(
    image: &CatalogImage,
    after: Option<&Place>,
    budget: usize,
) -> (Vec<CatalogRecord>, Option<Place>) {
    let mut records = Vec::new();
    let mut place = after.cloned();
    while records.len() < budget.max(1) {
        let left = budget.max(1) - records.len();
        let Some(next) = advance(image, place.as_ref(), left, &mut records) else {
            return (records, None);
        };
        place = Some(next);
    }
    (records, place)
}

/// Writes the next thing of the image: a topic or as many of its partitions as fit into `left`, or the settings of
/// one resource.
fn advance(
    image: &CatalogImage,
    after: Option<&Place>,
    left: usize,
    records: &mut Vec<CatalogRecord>,
) -> Option<Place> {
    let (topic, broker, group) = match after {
        None => {
            head(image, records);
            return Some(Place::Head);
        }
        Some(Place::Head) => (None, None, None),
        Some(Place::Topic(name, id, done)) => {
            if let Some(topic) = image.topic(name)
                && topic.id == *id
                && topic.partitions > *done
            {
                return Some(partitions(image, topic, *done, left, records));
            }
            (Some(name), None, None)
        }
        Some(Place::Broker(name)) => (None, Some(name), None),
        Some(Place::Group(name)) => (None, None, Some(name)),
    };
    if broker.is_none()
        && group.is_none()
        && let Some((name, topic)) = image.topics.iter_after(topic.map(AsRef::as_ref)).next()
    {
        records.push(CatalogRecord::Topic { name: Arc::clone(name), id: topic.id });
        settings(ResourceKind::Topic, name, &topic.configs, records);
        return Some(Place::Topic(Arc::clone(name), topic.id, 0));
    }
    if group.is_none()
        && let Some((name, configs)) = image.brokers.range::<str, _>((from(broker), Unbounded)).next()
    {
        settings(ResourceKind::Broker, name, configs, records);
        return Some(Place::Broker(Arc::clone(name)));
    }
    let (name, configs) = image.groups.iter_after(group.map(AsRef::as_ref)).next()?;
    settings(ResourceKind::Group, name, configs, records);
    Some(Place::Group(Arc::clone(name)))
}

fn from(after: Option<&Arc<str>>) -> Bound<&str> {
    after.map_or(Unbounded, |after| Excluded(after))
}

fn head(image: &CatalogImage, records: &mut Vec<CatalogRecord>) {
    if let Some(broker) = image.registration().cloned() {
        records.push(CatalogRecord::metadata_version());
        records.push(CatalogRecord::Broker { broker, epoch: image.epoch });
    }
    if image.next_producer_id > 0 {
        let broker_id = image.registration().map_or(0, |broker| broker.broker_id);
        let next = image.next_producer_id;
        records.push(CatalogRecord::ProducerIds { broker_id, epoch: image.epoch(), next });
    }
}

fn partitions(
    image: &CatalogImage,
    topic: &TopicEntry,
    from: i32,
    left: usize,
    records: &mut Vec<CatalogRecord>,
) -> Place {
    let count = i32::try_from(left).unwrap_or(i32::MAX);
    let to = topic.partitions.min(from.saturating_add(count));
    let record = |partition| image.partition_record(topic.id, partition, topic.directory(partition));
    records.extend((from..to).map(record));
    Place::Topic(Arc::clone(&topic.name), topic.id, to)
}

fn settings(kind: ResourceKind, name: &Arc<str>, configs: &Configs, records: &mut Vec<CatalogRecord>) {
    let resource = Resource { kind, name: Arc::clone(name) };
    records.extend(configs.iter().map(|(key, value)| CatalogRecord::Config {
        resource: resource.clone(),
        key: key.clone(),
        value: Some(value.clone()),
    }));
}

impl CatalogImage {
    /// The record of a partition on the only broker there is.
    pub(super) fn partition_record(&self, topic: TopicId, partition: i32, directory: Uuid) -> CatalogRecord {
        CatalogRecord::Partition {
            topic,
            partition,
            broker_id: self.registration().map_or(0, |broker| broker.broker_id),
            directory,
            epoch: self.epoch(),
        }
    }
}
