//! What groups have to know of the rest of the broker, in their own words: the topics of the catalog and the settings
//! of groups.

use crate::catalog::{CatalogImage, TopicEntry};
use crate::config::{BrokerSettings, GroupTimes};
use crate::group::{ConsumerTimes, GroupSettings, MigrationPolicy, Topic, TopicTable};
use crate::types::TopicId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The topics of one image of the catalog.
pub(super) struct CatalogTopics {
    pub(super) image: Arc<CatalogImage>,
    pub(super) version: u64,
    pub(super) rack: Option<Arc<str>>,
}

fn shown(topic: &Arc<TopicEntry>) -> Topic {
    Topic {
        name: Arc::clone(&topic.name),
        id: topic.id,
        partitions: topic.partitions,
        internal: topic.internal,
    }
}

impl TopicTable for CatalogTopics {
    fn by_name(&self, name: &str) -> Option<Topic> {
        self.image.topic(name).map(shown)
    }

    fn by_id(&self, id: TopicId) -> Option<Topic> {
        self.image.topic_by_id(id).map(shown)
    }

    fn for_each(&self, each: &mut dyn FnMut(&Topic)) {
        self.image.topics().for_each(|topic| each(&shown(topic)));
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        self.rack.iter().map(Arc::clone).collect()
    }
}

/// The settings of groups, out of the broker's and those of single groups.
pub(super) fn group_settings(broker: &BrokerSettings, image: &CatalogImage) -> GroupSettings {
    let defaults = &broker.groups;
    let of_groups = image
        .groups_with_configs()
        .map(|(group, set)| (Arc::clone(group), times(defaults.times(set))))
        .collect();
    GroupSettings {
        initial_rebalance_delay: defaults.initial_rebalance_delay,
        classic_session_min: *defaults.classic_session.start(),
        classic_session_max: *defaults.classic_session.end(),
        classic_size_max: defaults.classic_size_max,
        consumer_size_max: defaults.consumer_size_max,
        consumer: times(defaults.times(&BTreeMap::new())),
        assignors: defaults.assignors.iter().map(|name| name.as_str().into()).collect(),
        migration: match defaults.migration_policy.as_str() {
            "bidirectional" => MigrationPolicy::Bidirectional,
            "upgrade" => MigrationPolicy::Upgrade,
            "downgrade" => MigrationPolicy::Downgrade,
            _ => MigrationPolicy::Disabled,
        },
        regex_refresh: defaults.regex_refresh,
        metadata_bytes_max: defaults.metadata_bytes_max,
        offsets_retention: defaults.offsets_retention,
        retention_check: defaults.retention_check,
        of_groups,
    }
}

fn times(times: GroupTimes) -> ConsumerTimes {
    ConsumerTimes {
        session: times.session,
        heartbeat: times.heartbeat,
        assignment_interval: times.assignment_interval,
    }
}
