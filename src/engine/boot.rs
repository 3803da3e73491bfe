//! Start and stop of the engine. A start reads the catalog's log and nothing of the partitions, so that it does not
//! take longer the more there is.

use super::catalog::CatalogOutlet;
use super::dirs::{Ground, LogDirs, OpenDirsError};
use super::workers::Workers;
use super::{Engine, Quiet, Refusal};
use crate::catalog::{Catalog, CatalogHandle, CatalogImage, Registration};
use crate::config::BrokerSettings;
use crate::coordinator::{LoadError, REWRITE_BYTES_MIN, Shard, ShardOptions};
use crate::log::local::{Commit, LogDirOptions, OpenLogError};
use crate::log::{LogSettings, PartitionLog};
use crate::partition::LeaderEpoch;
use crate::sys::{Clock, Fs, Rng};
use crate::types::{Epoch, TopicId, TopicPartition, Uuid};
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Name of the topic that the catalog is kept in, as in Kafka.
pub(super) const CATALOG_TOPIC: &str = "__cluster_metadata";

/// How long a stop waits for partitions that are being opened: the tail of one that was not closed takes less to read.
const OPENINGS: Duration = Duration::from_secs(5);

/// How long a stop waits for files of deleted topics to go.
const DELETIONS: Duration = Duration::from_secs(5);

/// Its id, as in Kafka.
const CATALOG_TOPIC_ID: TopicId = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// Segments small enough that a rewrite of the catalog frees some.
const CATALOG_SEGMENT_BYTES: u64 = 16 << 20;

/// Whether a partition is the broker's own and in no topic of the catalog.
pub(super) fn is_own(name: &TopicPartition) -> bool {
    &*name.topic == CATALOG_TOPIC
}

/// What an engine is made of.
#[derive(Clone)]
pub struct EngineParts {
    /// Files.
    pub fs: Arc<dyn Fs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// How the log directories work.
    pub log_dir: LogDirOptions,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The log directories cannot be used; another process may have one.
    #[error(transparent)]
    Dir(#[from] OpenDirsError),
    /// The catalog's log cannot be opened.
    #[error("cannot open the catalog: {0}")]
    Log(#[from] OpenLogError),
    /// The catalog's log cannot be read.
    #[error("cannot read the catalog: {0}")]
    Catalog(#[from] LoadError),
    /// The start could not be written down.
    #[error("cannot write to the catalog: {0}")]
    Register(Refusal),
    /// A broker with another id made this directory.
    #[error("the log directory belongs to node.id {there}, and this broker's is {here}")]
    OtherNode {
        /// `node.id` in the catalog.
        there: i32,
        /// `node.id` in the settings.
        here: i32,
    },
}

impl Engine {
    /// Opens the log directories, reads the catalog and registers this start in it.
    pub async fn start(
        settings: Arc<BrokerSettings>,
        parts: EngineParts,
        stop: CancellationToken,
    ) -> Result<Arc<Engine>, BootError> {
        let EngineParts { fs, clock, rng, log_dir } = parts;
        let name = TopicPartition::new(CATALOG_TOPIC, 0);
        let (node_id, options) = (settings.node_id, log_dir);
        let ground = Ground { fs: &fs, clock: &clock, rng: &rng, options, node_id };
        let dirs = LogDirs::open(&ground, &settings.data_dirs, &name)?;
        let catalog_log = open_catalog_log(&dirs, &name)?;
        let image = Arc::new(ArcSwap::from_pointee(CatalogImage::default()));
        let epoch = LeaderEpoch::new(Epoch(0));
        let later = Arc::new(OnceLock::new());
        let workers = Workers::new(log_dir.commit == Commit::Task);
        let outlet = CatalogOutlet {
            image: Arc::clone(&image),
            epoch: epoch.clone(),
            workers: workers.clone(),
            engine: Arc::clone(&later),
        };
        let options = ShardOptions {
            name: "catalog".into(),
            seed: rng.next_u64(),
            epoch: epoch.clone(),
            rewrite_bytes_min: REWRITE_BYTES_MIN,
        };
        let (catalog, shard) =
            Shard::<Catalog, _>::open(Arc::clone(&catalog_log), Arc::clone(&clock), options, outlet).await?;
        tokio::spawn(shard.run());
        let was_clean = dirs.were_clean();
        let engine = Arc::new_cyclic(|me| Engine {
            me: me.clone(),
            settings: ArcSwap::new(Arc::clone(&settings)),
            settings_at_start: settings,
            dirs,
            fs,
            clock,
            image,
            catalog: CatalogHandle::new(catalog),
            catalog_log,
            epoch,
            rng: Arc::clone(&rng),
            open: Default::default(),
            groups: Default::default(),
            deleting: Default::default(),
            workers,
            quiet: Quiet::default(),
            upkeep: Default::default(),
            space: Default::default(),
            cleaning: Default::default(),
            broken: watch::Sender::new(None),
            stop,
        });
        engine.register(was_clean, Uuid::from_random(rng.next_u128())).await?;
        engine.take_over_broker_configs();
        // From here on the catalog's effects arrive; what was before is found by looking at the disk.
        let _ = later.set(Arc::downgrade(&engine));
        engine.watch_dirs();
        engine.compare_with_disk();
        engine.groups_changed();
        engine.start_groups();
        tokio::spawn(super::housekeeping::run(Arc::downgrade(&engine)));
        tokio::spawn(super::retention::run(Arc::downgrade(&engine)));
        tokio::spawn(super::space::run(Arc::downgrade(&engine)));
        tokio::spawn(super::cleaning::run(Arc::downgrade(&engine)));
        Ok(engine)
    }

    async fn register(&self, clean: bool, incarnation: Uuid) -> Result<(), BootError> {
        let here = self.settings.load().node_id;
        if let Some(there) = self.image.load().registration().map(|broker| broker.broker_id)
            && there != here
        {
            return Err(BootError::OtherNode { there, here });
        }
        let broker = Registration { broker_id: here, incarnation, directories: self.dirs.online_ids() };
        let epoch = self.ask(self.catalog.boot(clean, broker)).await.map_err(BootError::Register)?;
        self.epoch.raise(epoch);
        Ok(())
    }

    /// Works out the settings from those given at the start and those set since, which the catalog keeps.
    pub(super) fn take_over_broker_configs(&self) {
        let image = self.image.load();
        let start = &self.settings_at_start;
        let none = BTreeMap::new();
        let own = image.broker_configs(&start.node_id.to_string()).map_or(&none, |configs| configs);
        let all = image.broker_configs("").map_or(&none, |configs| configs);
        match start.with_dynamic(own, all) {
            Ok(settings) => {
                self.settings.store(Arc::new(settings));
                self.cleaning.settings_changed();
            }
            Err(error) => tracing::error!(%error, "settings kept in the catalog are ignored"),
        }
    }

    /// Closes everything in good order: partitions, the catalog, the log directories. `stop` must be cancelled and
    /// the doors closed by now.
    pub async fn close(&self) {
        self.groups.stop().await;
        // What is open for retention is closed by it, soon.
        drop(self.upkeep.lock().await);
        self.cleaning.over().await;
        // Nothing is opened any more, but what is being opened comes up, and a log left open would cost the clean mark.
        tokio::select! {
            biased;
            () = self.open.settled() => {}
            // It is closed by whoever opens it.
            () = self.clock.sleep(OPENINGS) => tracing::warn!("a partition is still being opened"),
        }
        let open = self.open.remove_all();
        let dirs: Vec<_> = self.dirs.opened().cloned().collect();
        let close_all = move || {
            for dir in dirs {
                let here: Vec<_> = open.iter().filter(|(_, served)| Arc::ptr_eq(&served.dir, &dir)).collect();
                dir.close_logs(&here, |(_, served)| {
                    if let Err(error) = served.partition.close() {
                        tracing::error!(partition = %served.partition.id(), %error, "cannot close a partition");
                    }
                });
            }
        };
        // Deletions that were answered are finished, or the next start would have to.
        tokio::select! {
            biased;
            () = self.deleting.none() => {}
            () = self.clock.sleep(DELETIONS) => tracing::warn!("deletions go on at the next start"),
        }
        let lost = self.workers.run("close-logs", close_all).await.is_err();
        self.catalog.stop().await;
        let log = Arc::clone(&self.catalog_log);
        let dirs: Vec<_> = self.dirs.opened().cloned().collect();
        let finish = move || {
            if let Err(error) = log.close() {
                tracing::error!(%error, "cannot close the catalog");
            }
            for dir in dirs {
                if let Err(error) = dir.close() {
                    let dir = dir.path().display();
                    tracing::error!(%dir, %error, "cannot close a log directory; the next start takes it for a crash");
                }
            }
        };
        if lost || self.workers.run("close-dir", finish).await.is_err() {
            tracing::error!("the log directories were not closed; the next start takes it for a crash");
        }
    }
}

fn open_catalog_log(dirs: &LogDirs, name: &TopicPartition) -> Result<Arc<dyn PartitionLog>, OpenLogError> {
    let settings = LogSettings {
        segment_bytes: CATALOG_SEGMENT_BYTES,
        file_delete_delay_ms: 0,
        // Without it no topic could be deleted from a full disk.
        may_use_reserve: true,
        ..LogSettings::default()
    };
    let (log, _) = dirs.catalog().open_partition(name, CATALOG_TOPIC_ID, settings)?;
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Looked, NewTopic, TopicName};
    use crate::sys::{RealClock, SeededRng, SimClock, SimFs};
    use crate::types::TimestampMs;
    use tokio::runtime::Handle;

    const PARTITIONS: i32 = 3;

    async fn started(fs: &SimFs) -> (Arc<Engine>, CancellationToken) {
        let values = [("log.dirs", "/data"), ("listeners", "PLAINTEXT://127.0.0.1:9092")];
        let settings = Arc::new(BrokerSettings::with_values(&values).unwrap());
        let parts = EngineParts {
            fs: Arc::new(fs.clone()),
            // It stands still: what ends does so by itself and not because a wait is over.
            clock: Arc::new(SimClock::new(TimestampMs(1_700_000_000_000))),
            rng: Arc::new(SeededRng::new(1)),
            log_dir: LogDirOptions::default(),
        };
        let stop = CancellationToken::new();
        (Engine::start(settings, parts, stop.clone()).await.unwrap(), stop)
    }

    /// Lets all tasks come to their end, and threads on their last step let go of what they have.
    async fn wait_until(over: impl Fn() -> bool) {
        let clock = RealClock::new();
        for _ in 0..5000 {
            if over() {
                return;
            }
            clock.sleep(Duration::from_millis(2)).await;
        }
        panic!("it never ends");
    }

    #[tokio::test]
    async fn an_engine_that_was_stopped_leaves_no_task_and_no_directory_behind() {
        // The task that waits for a directory to fail held that directory, and with it what it was waiting for.
        let fs = SimFs::default();
        let (engine, stop) = started(&fs).await;
        let dir = Arc::downgrade(engine.dirs.catalog());
        stop.cancel();
        engine.close().await;
        drop(engine);
        wait_until(|| Handle::current().metrics().num_alive_tasks() == 0).await;
        wait_until(|| dir.strong_count() == 0).await;
    }

    #[tokio::test]
    async fn a_stop_closes_partitions_that_are_being_opened() {
        // They came up behind the stop and stayed open: no clean mark, and the directory's lock was kept.
        let fs = SimFs::default();
        let (engine, stop) = started(&fs).await;
        let new =
            NewTopic { name: "t".to_owned(), partitions: PARTITIONS, replicas: -1, ..NewTopic::default() };
        engine.create_topic(new, false).await.unwrap();
        for partition in 0..PARTITIONS {
            let _: Looked = engine.look(TopicName::Name("t"), partition);
        }
        // Now their threads run, and this one cannot hear of it before it has asked for the end.
        tokio::task::yield_now().await;
        stop.cancel();
        engine.close().await;
        let dir = Arc::downgrade(engine.dirs.catalog());
        drop(engine);
        wait_until(|| Handle::current().metrics().num_alive_tasks() == 0).await;
        wait_until(|| dir.strong_count() == 0).await;
        let (again, stop) = started(&fs).await;
        assert!(again.dirs.were_clean());
        stop.cancel();
        again.close().await;
    }
}
