//! From the name of a partition to the open partition: found, opened on first use, or refused.

use super::dirs::{NotPlaced, Place};
use super::fetch::unknown_partition;
use super::registry::{Found, Key, Served, TopicRules};
use super::{Engine, Refusal, TopicRef};
use crate::catalog::{CatalogImage, Configs, TopicEntry, is_internal};
use crate::config::{BrokerSettings, TopicSettings};
use crate::log::local::OpenLogError;
use crate::log::{LogSettings, PartitionLog};
use crate::partition::{OpenError, Partition, PartitionOptions};
use crate::types::{ErrorCode, TopicId, TopicPartition, Uuid};
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Waits until partitions are open, or known not to open.
pub type Opening = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// A log that is still being closed by its last user is waited for this long, in steps.
const CLOSING_WAITS: u32 = 200;
const CLOSING_WAIT: Duration = Duration::from_millis(25);

/// A partition that could not be opened.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    #[error(transparent)]
    Log(#[from] OpenLogError),
    #[error(transparent)]
    State(#[from] OpenError),
    #[error(transparent)]
    Place(#[from] NotPlaced),
}

/// A topic as a request names it, not copied out of the request.
#[derive(Debug, Clone, Copy)]
pub enum TopicName<'a> {
    /// By name.
    Name(&'a str),
    /// By id.
    Id(TopicId),
}

impl<'a> From<&'a TopicRef> for TopicName<'a> {
    fn from(topic: &'a TopicRef) -> TopicName<'a> {
        match topic {
            TopicRef::Name(name) => TopicName::Name(name),
            TopicRef::Id(id) => TopicName::Id(*id),
        }
    }
}

/// A partition as a look finds it.
pub enum Looked {
    /// Open.
    Open(Arc<Served>),
    /// Not open: to be waited for, and looked for again.
    Opening(Opening),
    /// It is not there, or cannot be opened.
    Refused(Refusal),
}

impl Engine {
    /// Looks for a partition, and begins to open it if it is not open.
    pub fn look(&self, topic: TopicName<'_>, partition: i32) -> Looked {
        let image = self.image.load();
        let (name, key) = match place(&image, topic, partition) {
            Ok(place) => place,
            Err(refusal) => return Looked::Refused(refusal),
        };
        match self.open.find(key, &*self.clock) {
            Found::Open(served) => match served.check_dir() {
                Ok(()) => Looked::Open(served),
                Err(refusal) => Looked::Refused(refusal),
            },
            found => {
                self.begin(found, name, key).map_or_else(|| Looked::Refused(not_open()), Looked::Opening)
            }
        }
    }

    /// What has to be opened before an append to these partitions, or `None` if all is ready. Partitions that are
    /// not there, or cannot be opened, are not waited for.
    pub fn open_all<'a>(&self, places: impl Iterator<Item = (&'a TopicRef, i32)>) -> Option<Opening> {
        let looks = places.filter_map(|(topic, partition)| match self.look(topic.into(), partition) {
            Looked::Opening(wait) => Some(wait),
            Looked::Open(_) | Looked::Refused(_) => None,
        });
        let waits: Vec<Opening> = looks.collect();
        match waits.is_empty() {
            true => None,
            false => Some(Box::pin(async move {
                join_all(waits).await;
            })),
        }
    }

    /// The partition if it is open.
    pub fn served_now(&self, topic: TopicName<'_>, partition: i32) -> Result<Arc<Served>, Refusal> {
        let (_, key) = place(&self.image.load(), topic, partition)?;
        let served = self.open.get(key).ok_or_else(not_open)?;
        served.check_dir().map(|()| served)
    }

    /// The partition, opened if it has to be.
    pub(super) async fn served(&self, topic: &TopicRef, partition: i32) -> Result<Arc<Served>, Refusal> {
        match self.look(topic.into(), partition) {
            Looked::Open(served) => return Ok(served),
            Looked::Refused(refusal) => return Err(refusal),
            Looked::Opening(wait) => wait.await,
        }
        self.served_now(topic.into(), partition)
    }

    pub(super) fn wait_for(&self, name: &Arc<str>, key: Key) -> Option<Opening> {
        self.begin(self.open.find(key, &*self.clock), name, key)
    }

    /// What there is to wait for; opens what nobody opens yet.
    fn begin(&self, found: Found, name: &Arc<str>, key: Key) -> Option<Opening> {
        match found {
            Found::Open(_) | Found::Broken | Found::Gone => None,
            Found::Opening(waiting) => Some(Box::pin(waiting.done())),
            Found::ToOpen => {
                let engine = self.me.upgrade()?;
                let name = TopicPartition::new(Arc::clone(name), key.1);
                // A task of its own: the opening ends also if nobody waits for it any more.
                let task = tokio::spawn(async move { engine.open_one(name, key).await });
                Some(Box::pin(async move {
                    let _ = task.await;
                }))
            }
        }
    }

    pub(super) async fn open_one(&self, name: TopicPartition, key: Key) {
        self.deleting.free(&name).await;
        let result = match self.stop.is_cancelled() {
            true => None,
            false => self.open_log(&name, key.0).await,
        };
        let result = result.ok_or_else(|| self.clock.mono());
        let served = result.as_ref().ok().cloned();
        if !self.open.opened(key, result)
            && let Some(served) = served
        {
            // Deleted while it was opened; or the broker stops, and keeps it.
            let deleted = self.image.load().topic_by_id(key.0).is_none();
            self.close_and_delete(name, key, Some(served), deleted.then_some(Duration::ZERO)).await;
        }
    }

    async fn open_log(&self, name: &TopicPartition, id: TopicId) -> Option<Arc<Served>> {
        for _ in 0..CLOSING_WAITS {
            let engine = self.me.upgrade()?;
            let place = name.clone();
            match self.workers.run("open-log", move || engine.open_blocking(&place, id)).await {
                Ok(Ok((served, moved))) => {
                    let served = Arc::new(served);
                    if moved && !self.put_where_found(name, id, &served).await {
                        return None;
                    }
                    return Some(served);
                }
                // What the directory fails from was said once, for all that is in it.
                Ok(Err(NotOpened::Place(error @ NotPlaced::Offline(_)))) => {
                    tracing::debug!(partition = %name, %error, "cannot open a partition");
                    return None;
                }
                Ok(Err(NotOpened::Log(OpenLogError::AlreadyOpen(_)))) => self.clock.sleep(CLOSING_WAIT).await,
                Ok(Err(error)) => {
                    tracing::error!(partition = %name, %error, "cannot open a partition");
                    return None;
                }
                Err(_) => return None,
            }
        }
        tracing::error!(partition = %name, "a partition stays in use by its earlier life");
        None
    }

    /// Writes down where a partition was found. Only then may it be used: should this directory be missing one day, an
    /// empty partition would be made where it was before.
    async fn put_where_found(&self, name: &TopicPartition, id: TopicId, served: &Arc<Served>) -> bool {
        let dir = &served.dir;
        let put = self.ask(self.catalog.put_partition(id, name.partition, dir.directory_id())).await;
        let why = match put {
            Ok(Ok(())) => {
                tracing::warn!(partition = %name, dir = %dir.path().display(), "found a partition that was moved here");
                return true;
            }
            Ok(Err(unknown)) => unknown.to_string(),
            Err(refusal) => refusal.to_string(),
        };
        tracing::error!(partition = %name, why, "cannot write down where a partition was moved to");
        let served = Arc::clone(served);
        // Nothing was appended; how it closes does not matter.
        let _ = self.workers.run("close-log", move || served.partition.close()).await;
        false
    }

    /// The partition, and whether it was not where the catalog has it.
    fn open_blocking(&self, name: &TopicPartition, id: TopicId) -> Result<(Served, bool), NotOpened> {
        let image = self.image.load();
        let settings = self.settings.load();
        let none = BTreeMap::new();
        let topic = image.topic_by_id(id);
        let configs = topic.map_or(&none, |topic| &topic.configs);
        let (log_settings, rules) = effective(name, configs, &settings);
        let recorded = topic.map_or(Uuid::ZERO, |topic| topic.directory(name.partition));
        let Place { dir, moved } = self.dirs.place(name, id, recorded)?;
        let (log, recovery) = match moved {
            true => dir.adopt_partition(name, id, log_settings)?,
            false => dir.open_partition(name, id, log_settings)?,
        };
        if recovery.cut_bytes > 0 {
            tracing::warn!(
                partition = %name, cut_bytes = recovery.cut_bytes, scanned_bytes = recovery.scanned_bytes,
                "cut what a crash left unfinished"
            );
        }
        let seam: Arc<dyn PartitionLog> = Arc::clone(&log) as _;
        let options = PartitionOptions {
            producer_id_expiration_ms: millis(settings.producer_id_expiration),
            ..PartitionOptions::default()
        };
        let clock = Arc::clone(&self.clock);
        let partition = Partition::open(name.clone(), id, seam, clock, self.epoch.clone(), options)?;
        Ok((Served { partition, log, dir, rules: ArcSwap::from_pointee(rules) }, moved))
    }

    /// Applies the present settings to every partition that is open, or to those of one topic.
    pub(super) fn configure_open(&self, only: Option<TopicId>) {
        let image = self.image.load();
        let settings = self.settings.load();
        for (key, served) in self.open.all() {
            let Some(topic) = image.topic_by_id(key.0).filter(|topic| only.is_none_or(|id| id == topic.id))
            else {
                continue;
            };
            let (log_settings, rules) = effective(served.partition.id(), &topic.configs, &settings);
            served.partition.configure(log_settings);
            served.partition.set_producer_expiration(millis(settings.producer_id_expiration));
            served.rules.store(Arc::new(rules));
        }
    }
}

/// The topic of this name or id.
pub(super) fn named<'a>(
    image: &'a CatalogImage,
    topic: TopicName<'_>,
) -> Result<&'a Arc<TopicEntry>, Refusal> {
    let (found, code) = match topic {
        TopicName::Name(name) => (image.topic(name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        TopicName::Id(id) => (image.topic_by_id(id), ErrorCode::UNKNOWN_TOPIC_ID),
    };
    found.ok_or_else(|| code.into())
}

/// The name of the topic, and the key of one of its partitions.
fn place<'a>(
    image: &'a CatalogImage,
    topic: TopicName<'_>,
    partition: i32,
) -> Result<(&'a Arc<str>, Key), Refusal> {
    let entry = named(image, topic)?;
    if !(0..entry.partitions).contains(&partition) {
        return Err(unknown_partition());
    }
    Ok((&entry.name, (entry.id, partition)))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn not_open() -> Refusal {
    Refusal::new(
        ErrorCode::KAFKA_STORAGE_ERROR,
        "the partition's log cannot be used; the broker's log says why",
    )
}

/// What holds for a topic. Settings that do not go together any more, because the broker's changed, must not take
/// the partition down: the topic is served with the broker's defaults.
pub(super) fn effective(
    name: &TopicPartition,
    configs: &Configs,
    broker: &BrokerSettings,
) -> (LogSettings, TopicRules) {
    let settings = TopicSettings::resolve(configs, broker).or_else(|error| {
        tracing::error!(partition = %name, %error, "the topic's settings are ignored");
        TopicSettings::resolve(&BTreeMap::new(), broker)
    });
    match settings {
        Ok(settings) => (settings.log_settings(), rules(name, &settings)),
        Err(_) => {
            let is_own = is_internal(&name.topic);
            (LogSettings::default(), TopicRules { records_may_go: !is_own, is_own, ..TopicRules::default() })
        }
    }
}

fn rules(name: &TopicPartition, settings: &TopicSettings) -> TopicRules {
    let is_own = is_internal(&name.topic);
    let records_may_go = !is_own && (settings.cleanup.delete || !settings.cleanup.compact);
    let cleaning = settings.clean_rules().filter(|_| !is_own);
    TopicRules { append: settings.append_rules(), records_may_go, cleaning, is_own }
}
