//! The catalog as a machine: commands in, records out. Settings are strings here; who calls has checked them.

use super::image::{CatalogImage, Configs, Registration, Resource, ResourceKind, TopicEntry};
use super::names::{BadTopicName, valid_topic_name};
use super::records::CatalogRecord;
use super::rewrite::{Place, rewrite};
use crate::coordinator::{CallId, Cx, Load, Machine};
use crate::types::{Epoch, Offset, ProducerId, TopicId, Uuid};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Partitions that one command may make: they become one batch of records of about 100 bytes each.
pub const PARTITIONS_PER_COMMAND_MAX: i32 = 10_000;

/// Producer ids reserved with one record; those not given out are lost at a restart.
pub const PRODUCER_ID_BLOCK: i64 = 1_000;

/// Bytes of the name or value of a setting: strings of Kafka's records are no longer.
pub const CONFIG_BYTES_MAX: usize = 32_767;

/// What can be asked of the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The process has started. Registers the broker if it never was, or with a higher epoch if the last process did
    /// not end cleanly. Reply: `Epoch`.
    Boot {
        /// The last shutdown left everything in order (true for a new directory).
        clean: bool,
        /// Who started.
        broker: Registration,
    },
    /// A partition's log is about to be cut back and reopened. Reply: `Epoch`, higher than before.
    BumpEpoch,
    /// Makes a topic. Reply: `Created`.
    CreateTopic {
        /// Its name.
        name: Arc<str>,
        /// Number of partitions, 1 to 10,000.
        partitions: i32,
        /// Its settings.
        configs: Configs,
        /// Log directories that take partitions, in the order of the settings.
        directories: Arc<[Uuid]>,
    },
    /// Deletes a topic with its settings. Reply: `Deleted`.
    DeleteTopic {
        /// Its id.
        id: TopicId,
    },
    /// Adds partitions to a topic. Reply: `PartitionsAdded`.
    AddPartitions {
        /// Its id.
        id: TopicId,
        /// Number of partitions afterwards.
        total: i32,
        /// Log directories that take partitions, in the order of the settings.
        directories: Arc<[Uuid]>,
    },
    /// A partition is in another log directory than it was. Reply: `PartitionPut`.
    PutPartition {
        /// Id of the topic.
        id: TopicId,
        /// Number of the partition.
        partition: i32,
        /// Where it is.
        directory: Uuid,
    },
    /// Changes settings, if they are still as the caller saw them when it worked out the change. Reply: `ConfigsSet`.
    SetConfigs {
        /// Whose.
        resource: Resource,
        /// All its settings as the caller saw them.
        was: Configs,
        /// All its settings from now on.
        now: Configs,
    },
    /// Gives out producer ids that nobody ever had. Reply: `ProducerIds`.
    AllocateProducerIds {
        /// How many, 1 to 1,000.
        count: u16,
    },
}

/// What the catalog answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The leader epoch of every partition from now on.
    Epoch(Epoch),
    /// To `CreateTopic`.
    Created(Result<TopicId, NotCreated>),
    /// To `DeleteTopic`: the topic as it was.
    Deleted(Result<Arc<TopicEntry>, UnknownTopic>),
    /// To `AddPartitions`: the number of partitions before.
    PartitionsAdded(Result<i32, NotAdded>),
    /// To `PutPartition`.
    PartitionPut(Result<(), UnknownTopic>),
    /// To `SetConfigs`.
    ConfigsSet(Result<(), NotSet>),
    /// To `AllocateProducerIds`: `count` ids from `first` on.
    ProducerIds {
        /// The first.
        first: ProducerId,
        /// How many.
        count: u16,
    },
}

/// Why a topic was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCreated {
    /// There is one of that name (`TOPIC_ALREADY_EXISTS`).
    #[error("the topic exists already")]
    Exists(TopicId),
    /// There is one whose name differs only by `.` and `_` (`INVALID_TOPIC_EXCEPTION`).
    #[error("the name collides with that of topic '{0}'")]
    Collides(Arc<str>),
    /// Not a name (`INVALID_TOPIC_EXCEPTION`).
    #[error(transparent)]
    Name(#[from] BadTopicName),
    /// Not 1 to 10,000 (`INVALID_PARTITIONS`).
    #[error("a topic is made with 1 to {PARTITIONS_PER_COMMAND_MAX} partitions, not {0}")]
    Partitions(i32),
    /// A setting that does not fit into a record (`INVALID_CONFIG`).
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// A setting that does not fit into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name or value of a setting has {0} bytes, and at most {CONFIG_BYTES_MAX} can be kept")]
pub struct TooLong(pub usize);

/// There is no topic of that id or name (`UNKNOWN_TOPIC_ID`, `UNKNOWN_TOPIC_OR_PARTITION`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such topic")]
pub struct UnknownTopic;

/// Why partitions were not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdded {
    /// There is no such topic.
    #[error(transparent)]
    Unknown(#[from] UnknownTopic),
    /// It has that many or more (`INVALID_PARTITIONS`).
    #[error("the topic has {0} partitions already")]
    HasAlready(i32),
    /// More than 10,000 at once (`INVALID_PARTITIONS`).
    #[error("at most {PARTITIONS_PER_COMMAND_MAX} partitions are added at once, not {0}")]
    TooMany(i32),
}

/// Why settings were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSet {
    /// There is no such topic.
    #[error(transparent)]
    Unknown(#[from] UnknownTopic),
    /// Somebody else changed them meanwhile: these they are now. Work out the change again.
    #[error("the settings were changed meanwhile")]
    Changed(Configs),
    /// A setting that does not fit into a record (`INVALID_CONFIG`).
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// What the owner of partitions has to do; each may come again after a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A topic was made.
    TopicCreated(Arc<TopicEntry>),
    /// A topic was deleted; this is how it was.
    TopicDeleted(Arc<TopicEntry>),
    /// A topic has more partitions.
    PartitionsAdded {
        /// As it is now.
        topic: Arc<TopicEntry>,
        /// Number of the first new one.
        first: i32,
    },
    /// The log failed and was replayed: effects may have been lost, and what is on disk must be compared with the
    /// image.
    Reloaded,
}

/// The catalog machine.
#[derive(Debug)]
pub enum Catalog {}

/// Producer ids reserved and not given out: `next..end`.
#[derive(Debug, Default)]
pub struct Reserved {
    next: i64,
    end: i64,
}

impl Machine for Catalog {
    type Hard = CatalogImage;
    type Soft = Reserved;
    type View = CatalogImage;
    type Record = CatalogRecord;
    type Command = Command;
    type Reply = Reply;
    type Effect = Effect;
    type Timer = ();
    type Cursor = Place;

    fn apply(image: &mut CatalogImage, _at: Offset, record: &CatalogRecord) {
        image.apply(record);
    }

    fn handle(cx: &mut Cx<'_, Catalog>, call: CallId, command: Command) {
        let reply = match command {
            Command::Boot { clean, broker } => boot(cx, clean, broker),
            Command::BumpEpoch => bump(cx),
            Command::CreateTopic { name, partitions, configs, directories } => {
                Reply::Created(create_topic(cx, &name, partitions, &configs, &directories))
            }
            Command::DeleteTopic { id } => Reply::Deleted(delete_topic(cx, id)),
            Command::AddPartitions { id, total, directories } => {
                Reply::PartitionsAdded(add_partitions(cx, id, total, &directories))
            }
            Command::PutPartition { id, partition, directory } => {
                Reply::PartitionPut(put_partition(cx, id, partition, directory))
            }
            Command::SetConfigs { resource, was, now } => {
                Reply::ConfigsSet(set_configs(cx, &resource, &was, &now))
            }
            Command::AllocateProducerIds { count } => allocate(cx, count),
        };
        cx.reply(call, reply);
    }

    fn expire(_cx: &mut Cx<'_, Catalog>, _timer: ()) {}

    fn loaded(cx: &mut Cx<'_, Catalog>, why: Load) {
        if why == Load::Reopened {
            // This log was cut like any other that failed: what follows belongs to a new epoch.
            bump(cx);
        }
        if why != Load::Start {
            cx.effect(Effect::Reloaded);
        }
    }

    fn rewrite(
        image: &CatalogImage,
        after: Option<&Place>,
        budget: usize,
    ) -> (Vec<CatalogRecord>, Option<Place>) {
        rewrite(image, after, budget)
    }

    fn view(image: &CatalogImage) -> CatalogImage {
        image.clone()
    }

    fn leader_epoch(image: &CatalogImage) -> Option<Epoch> {
        Some(image.epoch())
    }
}

fn boot(cx: &mut Cx<'_, Catalog>, clean: bool, broker: Registration) -> Reply {
    let image = cx.hard();
    match image.registration() {
        None => {
            // Kafka's metadata logs begin with the level that is needed to read them.
            cx.emit(CatalogRecord::metadata_version());
            cx.emit(CatalogRecord::Broker { broker, epoch: 0 });
        }
        Some(_) if !clean => {
            let epoch = image.epoch.saturating_add(1);
            cx.emit(CatalogRecord::Broker { broker, epoch });
        }
        Some(before) if before.directories != broker.directories => {
            let epoch = image.epoch;
            cx.emit(CatalogRecord::Broker { broker, epoch });
        }
        Some(_) => {}
    }
    Reply::Epoch(cx.hard().epoch())
}

fn bump(cx: &mut Cx<'_, Catalog>) -> Reply {
    let epoch = cx.hard().epoch.saturating_add(1);
    if let Some(broker) = cx.hard().registration().cloned() {
        cx.emit(CatalogRecord::Broker { broker, epoch });
    }
    Reply::Epoch(cx.hard().epoch())
}

fn create_topic(
    cx: &mut Cx<'_, Catalog>,
    name: &Arc<str>,
    partitions: i32,
    configs: &Configs,
    directories: &[Uuid],
) -> Result<TopicId, NotCreated> {
    valid_topic_name(name)?;
    if let Some(topic) = cx.hard().topic(name) {
        return Err(NotCreated::Exists(topic.id));
    }
    if let Some(other) = cx.hard().colliding_topic(name) {
        return Err(NotCreated::Collides(Arc::clone(other)));
    }
    if !(1..=PARTITIONS_PER_COMMAND_MAX).contains(&partitions) {
        return Err(NotCreated::Partitions(partitions));
    }
    check_lengths(configs)?;
    let id = new_topic_id(cx);
    cx.emit(CatalogRecord::Topic { name: Arc::clone(name), id });
    let resource = Resource { kind: ResourceKind::Topic, name: Arc::clone(name) };
    for (key, value) in configs {
        let value = Some(value.clone());
        cx.emit(CatalogRecord::Config { resource: resource.clone(), key: key.clone(), value });
    }
    emit_partitions(cx, id, 0..partitions, directories);
    if let Some(topic) = cx.hard().topic(name).cloned() {
        cx.effect(Effect::TopicCreated(topic));
    }
    Ok(id)
}

/// An id whose text does not start with a dash, which tools would take for an option.
fn new_topic_id(cx: &Cx<'_, Catalog>) -> TopicId {
    loop {
        let id = Uuid::from_random(cx.random());
        if !id.to_string().starts_with('-') && cx.hard().topic_by_id(id).is_none() {
            return id;
        }
    }
}

/// Each partition goes to the directory that has the fewest, the first of those, as in Kafka.
fn emit_partitions(cx: &mut Cx<'_, Catalog>, topic: TopicId, new: Range<i32>, directories: &[Uuid]) {
    let counts = match directories {
        // Nothing to choose, nothing to count.
        [] | [_] => BTreeMap::new(),
        _ => cx.hard().partitions_by_directory(),
    };
    let mut used: Vec<(usize, Uuid)> =
        directories.iter().map(|id| (counts.get(id).copied().unwrap_or(0), *id)).collect();
    for partition in new {
        let emptiest = used.iter_mut().min_by_key(|(count, _)| *count);
        let directory = emptiest.map_or(Uuid::ZERO, |(count, id)| {
            *count += 1;
            *id
        });
        let record = cx.hard().partition_record(topic, partition, directory);
        cx.emit(record);
    }
}

fn put_partition(
    cx: &mut Cx<'_, Catalog>,
    id: TopicId,
    partition: i32,
    directory: Uuid,
) -> Result<(), UnknownTopic> {
    let topic = cx.hard().topic_by_id(id).ok_or(UnknownTopic)?;
    if !(0..topic.partitions).contains(&partition) {
        return Err(UnknownTopic);
    }
    if topic.directory(partition) != directory {
        let record = cx.hard().partition_record(id, partition, directory);
        cx.emit(record);
    }
    Ok(())
}

fn delete_topic(cx: &mut Cx<'_, Catalog>, id: TopicId) -> Result<Arc<TopicEntry>, UnknownTopic> {
    let topic = cx.hard().topic_by_id(id).cloned().ok_or(UnknownTopic)?;
    cx.emit(CatalogRecord::RemoveTopic { id });
    cx.effect(Effect::TopicDeleted(Arc::clone(&topic)));
    Ok(topic)
}

fn add_partitions(
    cx: &mut Cx<'_, Catalog>,
    id: TopicId,
    total: i32,
    directories: &[Uuid],
) -> Result<i32, NotAdded> {
    let before = cx.hard().topic_by_id(id).ok_or(UnknownTopic)?.partitions;
    if total <= before {
        return Err(NotAdded::HasAlready(before));
    }
    if total - before > PARTITIONS_PER_COMMAND_MAX {
        return Err(NotAdded::TooMany(total - before));
    }
    emit_partitions(cx, id, before..total, directories);
    if let Some(topic) = cx.hard().topic_by_id(id).cloned() {
        cx.effect(Effect::PartitionsAdded { topic, first: before });
    }
    Ok(before)
}

fn set_configs(
    cx: &mut Cx<'_, Catalog>,
    resource: &Resource,
    was: &Configs,
    now: &Configs,
) -> Result<(), NotSet> {
    let current = cx.hard().configs(resource).cloned();
    if current.is_none() && resource.kind == ResourceKind::Topic {
        return Err(NotSet::Unknown(UnknownTopic));
    }
    let current = current.unwrap_or_default();
    if current != *was {
        return Err(NotSet::Changed(current));
    }
    check_lengths(now)?;
    for key in current.keys().filter(|key| !now.contains_key(*key)) {
        cx.emit(CatalogRecord::Config { resource: resource.clone(), key: key.clone(), value: None });
    }
    for (key, value) in now.iter().filter(|(key, value)| current.get(*key) != Some(value)) {
        let value = Some(value.clone());
        cx.emit(CatalogRecord::Config { resource: resource.clone(), key: key.clone(), value });
    }
    Ok(())
}

fn check_lengths(configs: &Configs) -> Result<(), TooLong> {
    let longest = configs.iter().map(|(key, value)| key.len().max(value.len())).max().unwrap_or(0);
    if longest > CONFIG_BYTES_MAX { Err(TooLong(longest)) } else { Ok(()) }
}

/// Ids come from a block that is durable before the first of them leaves, since replies wait for the record. What
/// is left of a block too small for `count` is dropped.
fn allocate(cx: &mut Cx<'_, Catalog>, count: u16) -> Reply {
    let count = count.clamp(1, PRODUCER_ID_BLOCK as u16);
    if cx.soft().end - cx.soft().next < i64::from(count) {
        let first = cx.hard().next_producer_id;
        let next = first.saturating_add(PRODUCER_ID_BLOCK);
        let broker_id = cx.hard().registration().map_or(0, |broker| broker.broker_id);
        let epoch = cx.hard().epoch();
        cx.emit(CatalogRecord::ProducerIds { broker_id, epoch, next });
        *cx.soft() = Reserved { next: first, end: next };
    }
    let first = ProducerId(cx.soft().next);
    cx.soft().next += i64::from(count);
    Reply::ProducerIds { first, count }
}
