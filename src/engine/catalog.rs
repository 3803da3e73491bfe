//! The engine's side of the catalog's machine: takes over its image and does what its effects ask for.

use super::registry::{Key, Served};
use super::workers::Workers;
use super::{Engine, Refusal, TopicRef};
use crate::catalog::{Catalog, CatalogImage, Configs, Effect, TopicEntry};
use crate::config::TopicSettings;
use crate::coordinator::{CallError, Outlet};
use crate::partition::LeaderEpoch;
use crate::types::{ErrorCode, TopicPartition};
use arc_swap::ArcSwap;
use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// A change of the catalog is one small write; a disk that takes longer than this is not coming back soon, and the
/// client had better hear of it.
const CALL_TIME: Duration = Duration::from_secs(30);

/// Where the machine's output goes.
pub(super) struct CatalogOutlet {
    pub(super) image: Arc<ArcSwap<CatalogImage>>,
    pub(super) epoch: LeaderEpoch,
    pub(super) workers: Workers,
    /// Set once the engine stands; what comes before it is replay, after which disk and image are compared.
    pub(super) engine: Arc<OnceLock<Weak<Engine>>>,
}

impl Outlet<Catalog> for CatalogOutlet {
    fn publish(&mut self, view: CatalogImage) {
        self.epoch.raise(view.epoch());
        self.image.store(Arc::new(view));
        if let Some(engine) = self.engine.get().and_then(Weak::upgrade) {
            engine.catalog_published();
        }
    }

    fn effect(&mut self, effect: Effect) {
        if let Some(engine) = self.engine.get().and_then(Weak::upgrade) {
            engine.catalog_effect(effect);
        }
    }

    fn run_blocking(&mut self, job: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self.workers.start("catalog", job)
    }
}

impl Engine {
    /// Waits for the catalog, not for ever; what it says of itself becomes a refusal.
    pub(super) async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            reply = call => reply.map_err(|error| match error {
                CallError::DidNotHappen | CallError::Loading | CallError::Stopped => {
                    Refusal::new(ErrorCode::NOT_CONTROLLER, error.to_string())
                }
                CallError::MayHaveHappened => Refusal::new(ErrorCode::REQUEST_TIMED_OUT, error.to_string()),
            }),
            () = self.clock.sleep(CALL_TIME) => Err(ErrorCode::REQUEST_TIMED_OUT.into()),
        }
    }

    /// Raises the leader epoch, before a log is cut back and reopened.
    pub(super) async fn raise_epoch(&self) {
        match self.ask(self.catalog.bump_epoch()).await {
            Ok(epoch) => self.epoch.raise(epoch),
            Err(error) => tracing::warn!(%error, "cannot raise the leader epoch"),
        }
    }

    fn catalog_effect(&self, effect: Effect) {
        match effect {
            Effect::TopicCreated(_) | Effect::PartitionsAdded { .. } => {}
            Effect::TopicDeleted(topic) => self.drop_topic(&topic),
            Effect::Reloaded => {
                self.take_over_broker_configs();
                self.groups_changed();
                self.compare_with_disk();
            }
        }
    }

    /// Takes a topic's partitions out at once and removes their files in the background.
    fn drop_topic(&self, topic: &Arc<TopicEntry>) {
        let names = (0..topic.partitions).map(|index| TopicPartition::new(Arc::clone(&topic.name), index));
        self.deleting.begin(names.clone());
        let removed = names.zip(0..).map(|(name, index)| {
            let key = (topic.id, index);
            (name, key, self.open.remove(key))
        });
        let removed: Vec<_> = removed.collect();
        let delay = self.delete_delay(&topic.configs);
        let Some(engine) = self.me.upgrade() else { return };
        tokio::spawn(async move {
            for (name, key, was) in removed {
                match was {
                    // Whoever opens it finds it gone, and deletes it.
                    super::registry::Was::Opening => {}
                    super::registry::Was::Open(served) => {
                        engine.close_and_delete(name, key, Some(served), delay).await;
                    }
                    super::registry::Was::Closed => engine.close_and_delete(name, key, None, delay).await,
                }
            }
        });
    }

    /// `file.delete.delay.ms` of a topic.
    fn delete_delay(&self, configs: &Configs) -> Option<Duration> {
        let settings = TopicSettings::resolve(configs, &self.settings.load()).ok();
        let ms = settings.map_or(0, |settings| settings.file_delete_delay_ms);
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }

    /// Closes a partition and has its files removed after `delete_after`; none keeps them.
    pub(super) async fn close_and_delete(
        &self,
        name: TopicPartition,
        key: Key,
        served: Option<Arc<Served>>,
        delete_after: Option<Duration>,
    ) {
        let Some(engine) = self.me.upgrade() else { return };
        self.cleaning.cancel(key);
        let place = name.clone();
        let job = move || {
            if let Some(served) = served
                && let Err(error) = served.partition.close()
            {
                tracing::warn!(partition = %place, %error, "cannot close a deleted partition in good order");
            }
            if let Some(delay) = delete_after
                && let Err(error) = engine.dirs.delete_partition(&place, key.0, delay)
            {
                tracing::warn!(partition = %place, %error, "cannot delete a partition; the next start will");
            }
        };
        // A job that was lost was logged; the next start finds the directory.
        let _ = self.workers.run("delete-log", job).await;
        self.open.forget(key);
        self.deleting.end(&name);
    }

    /// Removes what is on disk or open and in no topic: left over from a deletion that a crash or a failure of the
    /// catalog's log cut short.
    pub(super) fn compare_with_disk(&self) {
        self.configure_open(None);
        let Some(engine) = self.me.upgrade() else { return };
        tokio::spawn(async move {
            let lister = Arc::clone(&engine);
            let listed = engine.workers.run("list-logs", move || lister.dirs.partitions_on_disk()).await;
            let Ok(on_disk) = listed else { return };
            for (dir, name, id) in on_disk {
                // Without an id nobody can tell whose it is; it stays for a person to look at.
                let Some(id) = id else { continue };
                let key = (id, name.partition);
                if super::boot::is_own(&name) {
                    continue;
                }
                let image = engine.image.load_full();
                let topic = image.topic_by_id(id).filter(|topic| name.partition < topic.partitions);
                if let Some(topic) = topic {
                    if engine.is_offline(topic, name.partition)
                        || topic.directory(name.partition) != dir.directory_id()
                    {
                        // Opened now, if it may be, for clients do not ask for what seems to be offline.
                        let _ = engine.served(&TopicRef::Id(id), name.partition).await;
                    }
                    continue;
                }
                tracing::info!(partition = %name, "removing a partition of a deleted topic");
                engine.deleting.begin([name.clone()]);
                let served = match engine.open.remove(key) {
                    super::registry::Was::Open(served) => Some(served),
                    super::registry::Was::Opening => continue,
                    super::registry::Was::Closed => None,
                };
                engine.close_and_delete(name, key, served, Some(Duration::ZERO)).await;
            }
        });
    }
}
