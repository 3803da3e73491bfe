//! From the name of a partition to the open partition: found, opened on first use, or refused.

use super::dirs::{NotPlaced, Place};
use super::fetch::unknown_partition;
use super::registry::{Found, Key, Served, TopicRules};
use super::{Engine, Refusal, TopicRef};
use crate::catalog::{Configs, is_internal};
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

impl Engine {
    /// What has to be opened before an append to these partitions, or `None` if all is ready. Partitions that are
    /// not there, or cannot be opened, are not waited for.
    pub fn open_all<'a>(&self, places: impl Iterator<Item = (&'a TopicRef, i32)>) -> Option<Opening> {
        let mut waits: Vec<Opening> = Vec::new();
        for (topic, partition) in places {
            if let Ok((name, key)) = self.place(topic, partition)
                && let Some(wait) = self.wait_for(&name, key)
            {
                waits.push(wait);
            }
        }
        match waits.is_empty() {
            true => None,
            false => Some(Box::pin(async move {
                join_all(waits).await;
            })),
        }
    }

    /// The partition if it is open.
    pub(super) fn served_now(&self, topic: &TopicRef, partition: i32) -> Result<Arc<Served>, Refusal> {
        let (_, key) = self.place(topic, partition)?;
        let served = self.open.get(key).ok_or_else(not_open)?;
        served.check_dir().map(|()| served)
    }

    /// The partition, opened if it has to be.
    pub(super) async fn served(&self, topic: &TopicRef, partition: i32) -> Result<Arc<Served>, Refusal> {
        let (name, key) = self.place(topic, partition)?;
        if let Some(wait) = self.wait_for(&name, key) {
            wait.await;
        }
        let served = self.open.get(key).ok_or_else(not_open)?;
        served.check_dir().map(|()| served)
    }

    fn place(&self, topic: &TopicRef, partition: i32) -> Result<(Arc<str>, Key), Refusal> {
        let entry = self.topic(topic)?;
        if !(0..entry.partitions).contains(&partition) {
            return Err(unknown_partition());
        }
        Ok((Arc::clone(&entry.name), (entry.id, partition)))
    }

    pub(super) fn wait_for(&self, name: &Arc<str>, key: Key) -> Option<Opening> {
        match self.open.find(key, self.clock.mono()) {
            Found::Open | Found::Broken | Found::Gone => None,
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
