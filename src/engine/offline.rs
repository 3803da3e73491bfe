//! Log directories that fail while the broker runs: their partitions go offline, all others serve. Only without the
//! catalog's the broker cannot go on: it could neither make nor move nor delete anything, nor raise an epoch, and a
//! restart is what brings a directory back. So it stops, and whoever watches over it starts it again.

use super::opening::not_open;
use super::registry::Served;
use super::{Engine, Refusal};
use crate::catalog::TopicEntry;
use crate::log::local::{LogDir, LogDirState};
use std::sync::{Arc, Weak};
use tokio::sync::watch;

impl Served {
    /// An error once the directory of the partition failed.
    pub(super) fn check_dir(&self) -> Result<(), Refusal> {
        match self.dir.state() {
            LogDirState::Online => Ok(()),
            LogDirState::Failed(_) => Err(not_open()),
        }
    }
}

impl Engine {
    /// Returns once the broker cannot go on, with the reason; it should be stopped then.
    pub async fn broken(&self) -> Arc<str> {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            // The sender is in the engine.
            _ => std::future::pending().await,
        }
    }

    /// Whether a partition is in a log directory that cannot be used. Clients find no leader for it.
    pub fn is_offline(&self, topic: &TopicEntry, partition: i32) -> bool {
        !self.dirs.is_online(topic.directory(partition))
    }

    /// Starts to watch over the directories, and says which are missing.
    pub(super) fn watch_dirs(&self) {
        for (directory, partitions) in self.image.load().partitions_by_directory() {
            let known = self.dirs.opened().any(|dir| dir.directory_id() == directory);
            if !known && !directory.is_zero() {
                tracing::warn!(
                    %directory, partitions,
                    "partitions are in a log directory that is not here; those found in no other are offline"
                );
            }
        }
        for dir in self.dirs.opened() {
            tokio::spawn(watch_dir(self.me.clone(), Arc::downgrade(dir), dir.watch_state()));
        }
    }

    /// Takes partitions out whose directory failed. What asks for them is refused from now on.
    pub(super) async fn take_offline(&self) {
        for (key, served) in self.open.all() {
            if served.check_dir().is_ok() || !self.open.broke(key, &served, self.clock.mono()) {
                continue;
            }
            let job = move || {
                if let Err(error) = served.partition.close() {
                    tracing::debug!(partition = %served.partition.id(), %error, "closed offline");
                }
            };
            // A job that was lost was logged; the partition is out of reach.
            let _ = self.workers.run("close-offline", job).await;
        }
    }
}

/// Waits for a directory to fail, or to go. It holds neither it nor the engine meanwhile: the wait ends with the last
/// who does, and most directories never fail.
async fn watch_dir(engine: Weak<Engine>, dir: Weak<LogDir>, mut state: watch::Receiver<LogDirState>) {
    let failed = state.wait_for(|state| *state != LogDirState::Online).await.map(|state| state.clone());
    let Ok(LogDirState::Failed(why)) = failed else { return };
    let (Some(engine), Some(dir)) = (engine.upgrade(), dir.upgrade()) else { return };
    if Arc::ptr_eq(&dir, engine.dirs.catalog()) {
        let why =
            format!("the log directory {}, which holds the catalog, failed: {why}", dir.path().display());
        engine.broken.send_replace(Some(why.into()));
    }
    let job = move || dir.take_logs_offline();
    // A job that was lost was logged; the directory does the same by itself.
    let _ = engine.workers.run("dir-offline", job).await;
    engine.take_offline().await;
}
