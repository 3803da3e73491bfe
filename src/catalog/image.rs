//! What the catalog says at one moment, as readers hold it. Must not know how it comes to change.

use super::cow_map::CowMap;
use super::names::{collision_key, is_internal};
use super::records::CatalogRecord;
use crate::types::{Epoch, ProducerId, TopicId, Uuid};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Settings as they were set, by name; their meaning is in the table of settings.
pub type Configs = BTreeMap<String, String>;

/// Whose settings. The numbers are Kafka's `ConfigResource` types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A topic, by name (2).
    Topic,
    /// A broker, by id; the empty name holds what is set for all (4).
    Broker,
    /// A group, by id (32).
    Group,
}

impl ResourceKind {
    /// Kafka's number.
    pub fn code(self) -> i8 {
        match self {
            ResourceKind::Topic => 2,
            ResourceKind::Broker => 4,
            ResourceKind::Group => 32,
        }
    }

    /// The kind of a number.
    pub fn from_code(code: i8) -> Option<ResourceKind> {
        [ResourceKind::Topic, ResourceKind::Broker, ResourceKind::Group]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// What settings belong to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Topic, broker or group.
    pub kind: ResourceKind,
    /// Its name or id.
    pub name: Arc<str>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicEntry {
    /// Its name.
    pub name: Arc<str>,
    /// Its id, which no other topic ever has.
    pub id: TopicId,
    /// Number of its partitions.
    pub partitions: i32,
    /// Ids of the log directories they are in, by number of the partition; see [`TopicEntry::directory`].
    pub(super) directories: Vec<Uuid>,
    /// What was set for it.
    pub configs: Configs,
    /// The broker's own.
    pub internal: bool,
}

impl TopicEntry {
    /// Id of the log directory that the partition was put in; zero in catalogs that do not say, whose partitions are
    /// where the catalog is.
    pub fn directory(&self, partition: i32) -> Uuid {
        let index = usize::try_from(partition).ok();
        index.and_then(|index| self.directories.get(index)).copied().unwrap_or(Uuid::ZERO)
    }
}

/// How this broker last registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `node.id`.
    pub broker_id: i32,
    /// Id of the process that registered.
    pub incarnation: Uuid,
    /// Ids of the log directories that it could use then.
    pub directories: Arc<[Uuid]>,
}

/// Everything the catalog knows. A copy costs a few pointers; a change after a copy a few kilobytes (see [`CowMap`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogImage {
    pub(super) topics: CowMap<Arc<str>, Arc<TopicEntry>>,
    pub(super) names: CowMap<TopicId, Arc<str>>,
    /// Names with `.` or `_`, by collision key.
    pub(super) collisions: CowMap<Arc<str>, Arc<str>>,
    pub(super) brokers: Arc<BTreeMap<Arc<str>, Arc<Configs>>>,
    pub(super) groups: CowMap<Arc<str>, Arc<Configs>>,
    pub(super) registration: Option<Registration>,
    pub(super) epoch: i32,
    pub(super) next_producer_id: i64,
}

impl CatalogImage {
    /// The topic of a name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicEntry>> {
        self.topics.get(name)
    }

    /// The topic of an id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicEntry>> {
        self.topics.get(self.names.get(&id)?.as_ref())
    }

    /// All topics in the order of their names.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicEntry>> {
        self.topics.iter().map(|(_, topic)| topic)
    }

    /// True only if no topic was changed between the two images; may be false although the topics are equal.
    pub fn has_topics_of(&self, other: &CatalogImage) -> bool {
        self.topics.is_same(&other.topics)
    }

    /// Number of topics.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// The topic, other than one of this very name, whose name collides with it (`.` against `_`).
    pub fn colliding_topic(&self, name: &str) -> Option<&Arc<str>> {
        let holder = self.collisions.get(collision_key(name).as_str())?;
        (holder.as_ref() != name).then_some(holder)
    }

    /// What was set for a broker by id, or for all brokers under the empty name.
    pub fn broker_configs(&self, name: &str) -> Option<&Arc<Configs>> {
        self.brokers.get(name)
    }

    /// What was set for a group.
    pub fn group_configs(&self, group: &str) -> Option<&Arc<Configs>> {
        self.groups.get(group)
    }

    /// All groups that have settings, by id.
    pub fn groups_with_configs(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Configs>)> {
        self.groups.iter()
    }

    /// What was set for a resource; `None` if nothing was, or there is no such topic.
    pub fn configs(&self, resource: &Resource) -> Option<&Configs> {
        match resource.kind {
            ResourceKind::Topic => self.topic(&resource.name).map(|topic| &topic.configs),
            ResourceKind::Broker => self.broker_configs(&resource.name).map(AsRef::as_ref),
            ResourceKind::Group => self.group_configs(&resource.name).map(AsRef::as_ref),
        }
    }

    /// The leader epoch of every partition.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    /// How this broker last registered; `None` before its first start.
    pub fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    /// Number of partitions in each log directory that has any.
    pub fn partitions_by_directory(&self) -> BTreeMap<Uuid, usize> {
        let mut counts = BTreeMap::new();
        for directory in self.topics().flat_map(|topic| &topic.directories) {
            *counts.entry(*directory).or_default() += 1;
        }
        counts
    }

    /// The first producer id that no block holds.
    pub fn next_producer_id(&self) -> ProducerId {
        ProducerId(self.next_producer_id)
    }
}

impl CatalogImage {
    /// Takes over one record. Records that do not fit, as only a damaged log has them, change nothing.
    pub(super) fn apply(&mut self, record: &CatalogRecord) {
        match record {
            CatalogRecord::Feature { .. } => {}
            CatalogRecord::Broker { broker, epoch } => {
                self.registration = Some(broker.clone());
                self.epoch = self.epoch.max(*epoch);
            }
            CatalogRecord::Topic { name, id } => self.add_topic(name, *id),
            CatalogRecord::Partition { topic, partition, directory, .. } => {
                self.put_partition(*topic, *partition, *directory);
            }
            CatalogRecord::RemoveTopic { id } => self.remove_topic(*id),
            CatalogRecord::Config { resource, key, value } => {
                self.set_config(resource, key, value.as_deref())
            }
            CatalogRecord::ProducerIds { next, .. } => {
                self.next_producer_id = self.next_producer_id.max(*next);
            }
        }
    }

    /// A topic that is there stays as it is: a rewrite of the log brings it again.
    fn add_topic(&mut self, name: &Arc<str>, id: TopicId) {
        if self.topic(name).is_some_and(|topic| topic.id == id) {
            return;
        }
        let entry = TopicEntry {
            name: Arc::clone(name),
            id,
            partitions: 0,
            directories: Vec::new(),
            configs: Configs::new(),
            internal: is_internal(name),
        };
        self.topics.insert(Arc::clone(name), Arc::new(entry));
        self.names.insert(id, Arc::clone(name));
        if name.contains(['.', '_']) {
            self.collisions.insert(collision_key(name).into(), Arc::clone(name));
        }
    }

    fn topic_mut(&mut self, name: &str) -> Option<&mut TopicEntry> {
        self.topics.get_mut(name).map(Arc::make_mut)
    }

    /// A partition that is there is in this directory from now on.
    fn put_partition(&mut self, topic: TopicId, partition: i32, directory: Uuid) {
        let Some(name) = self.names.get(&topic).cloned() else { return };
        if let Some(entry) = self.topic_mut(&name)
            && let Ok(index) = usize::try_from(partition)
        {
            if let Some(place) = entry.directories.get_mut(index) {
                *place = directory;
            } else if index == entry.directories.len() {
                // Records of a topic come in the order of its partitions.
                entry.directories.push(directory);
            }
            entry.partitions = entry.partitions.max(partition.saturating_add(1));
        }
    }

    fn remove_topic(&mut self, id: TopicId) {
        let Some(name) = self.names.remove(&id) else { return };
        self.topics.remove(name.as_ref());
        let key = collision_key(&name);
        if self.collisions.get(key.as_str()) == Some(&name) {
            self.collisions.remove(key.as_str());
        }
    }

    fn set_config(&mut self, resource: &Resource, key: &str, value: Option<&str>) {
        match resource.kind {
            ResourceKind::Topic => {
                if let Some(entry) = self.topic_mut(&resource.name) {
                    put(&mut entry.configs, key, value);
                }
            }
            ResourceKind::Broker => {
                let brokers = Arc::make_mut(&mut self.brokers);
                let configs = brokers.entry(Arc::clone(&resource.name)).or_default();
                put(Arc::make_mut(configs), key, value);
                if configs.is_empty() {
                    brokers.remove(&resource.name);
                }
            }
            ResourceKind::Group => {
                let mut configs = self.groups.remove(resource.name.as_ref()).unwrap_or_default();
                put(Arc::make_mut(&mut configs), key, value);
                if !configs.is_empty() {
                    self.groups.insert(Arc::clone(&resource.name), configs);
                }
            }
        }
    }
}

fn put(configs: &mut Configs, key: &str, value: Option<&str>) {
    match value {
        Some(value) => configs.insert(key.to_owned(), value.to_owned()),
        None => configs.remove(key),
    };
}
