//! Names of partitions whose directories are on their way out. A new partition of the same name waits for it, so
//! that nobody deletes what somebody else has just made.

use crate::types::TopicPartition;
use std::collections::BTreeSet;
use tokio::sync::watch;

/// The names.
#[derive(Default)]
pub(super) struct Deleting {
    names: watch::Sender<BTreeSet<TopicPartition>>,
}

impl Deleting {
    pub(super) fn begin(&self, names: impl IntoIterator<Item = TopicPartition>) {
        self.names.send_modify(|deleting| deleting.extend(names));
    }

    pub(super) fn end(&self, name: &TopicPartition) {
        self.names.send_modify(|deleting| {
            deleting.remove(name);
        });
    }

    /// Returns once the name is free.
    pub(super) async fn free(&self, name: &TopicPartition) {
        let mut names = self.names.subscribe();
        // An error means that the sender is gone, and with it the engine.
        let _ = names.wait_for(|deleting| !deleting.contains(name)).await;
    }

    /// Returns once nothing is on its way out.
    pub(super) async fn none(&self) {
        let mut names = self.names.subscribe();
        // As above.
        let _ = names.wait_for(BTreeSet::is_empty).await;
    }
}
