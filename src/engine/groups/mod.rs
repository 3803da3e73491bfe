//! Groups as doors ask for them: finds the shard that a group's id falls on, calls its machine, and puts what the
//! machine and its log answer into the codes that Kafka's coordinator gives. Must not know what a group is.

mod calls;
mod context;
mod own_log;
mod shards;

pub(super) use shards::GroupShards;

use super::{Engine, Refusal};
use crate::catalog::CatalogImage;
use crate::group::{Context, GroupSettings};
use crate::types::ErrorCode;
use context::{CatalogTopics, group_settings};
use std::sync::Arc;

/// The topic that groups are kept in, as in Kafka.
pub(super) const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The partition of `__consumer_offsets` that a group falls on, of `count`: Kafka's rule, so that its tools look in the
/// right place (`String.hashCode` over UTF-16, its sign dropped).
fn partition_of(group: &str, count: i32) -> i32 {
    let hash =
        group.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.checked_abs().unwrap_or(0).checked_rem(count).unwrap_or(0)
}

impl Engine {
    /// Sees to it that groups can be kept: makes their topic if it is not there and waits until it can be used.
    pub async fn prepare_groups(&self) -> Result<(), Refusal> {
        if self.groups.count() > 0 {
            return Ok(());
        }
        let _one = self.groups.making.lock().await;
        if self.groups.count() > 0 {
            return Ok(());
        }
        if self.image.load().topic(OFFSETS_TOPIC).is_none() {
            self.make_offsets_topic().await?;
        }
        self.start_groups();
        self.groups.all_open(self.clock.as_ref()).await;
        Ok(())
    }

    async fn make_offsets_topic(&self) -> Result<(), Refusal> {
        let settings = self.settings.load();
        let configs = [
            ("cleanup.policy", "compact".to_owned()),
            ("compression.type", "producer".to_owned()),
            ("segment.bytes", settings.groups.offsets_segment_bytes.to_string()),
        ];
        let configs = configs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        match self.make_topic(OFFSETS_TOPIC, settings.groups.offsets_partitions, configs).await {
            Err(refusal) if refusal.code != ErrorCode::TOPIC_ALREADY_EXISTS => {
                Err(Refusal::new(ErrorCode::COORDINATOR_NOT_AVAILABLE, refusal.message))
            }
            _ => Ok(()),
        }
    }

    /// Whether a partition of the groups' topic is in a log directory that cannot be used: no coordinator for its
    /// groups, and none to come before the next start.
    pub(super) fn groups_offline(&self, partition: i32) -> bool {
        let image = self.image.load();
        image.topic(OFFSETS_TOPIC).is_some_and(|topic| self.is_offline(topic, partition))
    }

    /// Starts to load all groups there are. Calls that come meanwhile are told to try again.
    pub(super) fn start_groups(&self) {
        let Some(engine) = self.me.upgrade() else { return };
        let Some(topic) = self.image.load().topic(OFFSETS_TOPIC).cloned() else { return };
        self.groups.begin(&engine, &topic);
    }

    /// The catalog was published: tells the groups if topics changed.
    pub(super) fn catalog_published(&self) {
        self.groups.tell(false, self);
    }

    /// Settings of the broker or of a group changed.
    pub(super) fn groups_changed(&self) {
        self.groups.tell(true, self);
    }

    fn group_settings(&self, image: &CatalogImage) -> Arc<GroupSettings> {
        Arc::new(group_settings(&self.settings.load(), image))
    }

    fn context(&self, image: &Arc<CatalogImage>, version: u64, settings: Arc<GroupSettings>) -> Context {
        let rack = self.settings.load().rack.as_deref().map(Arc::from);
        Context { topics: Arc::new(CatalogTopics { image: Arc::clone(image), version, rack }), settings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_falls_on_the_partition_where_kafka_looks_for_it() {
        // From Kafka's Utils.abs(id.hashCode()) % 50; the second has the one hash without a positive twin.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("a", 50), 97 % 50);
    }
}
