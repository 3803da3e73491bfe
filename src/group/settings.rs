//! The settings that rule groups, as plain values. Where they come from is not known here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whether a group may change between the protocols while it has members (`group.consumer.migration.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationPolicy {
    /// Both ways.
    Bidirectional,
    /// From classic to consumer.
    Upgrade,
    /// From consumer to classic.
    Downgrade,
    /// Not at all.
    Disabled,
}

/// Times of one consumer group (KIP-848), from the broker's defaults and what was set for the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerTimes {
    /// `consumer.session.timeout.ms`
    pub session: Duration,
    /// `consumer.heartbeat.interval.ms`
    pub heartbeat: Duration,
    /// `consumer.assignment.interval.ms`: shortest time between two target assignments.
    pub assignment_interval: Duration,
}

/// What is set for all groups, and for single ones.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupSettings {
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay: Duration,
    /// `group.min.session.timeout.ms`
    pub classic_session_min: Duration,
    /// `group.max.session.timeout.ms`
    pub classic_session_max: Duration,
    /// `group.max.size`, of classic groups
    pub classic_size_max: usize,
    /// `group.consumer.max.size`
    pub consumer_size_max: usize,
    /// `group.consumer.session.timeout.ms` and the like
    pub consumer: ConsumerTimes,
    /// `group.consumer.assignors`, the default first: names the broker knows
    pub assignors: Vec<Arc<str>>,
    /// `group.consumer.migration.policy`
    pub migration: MigrationPolicy,
    /// `group.consumer.regex.refresh.interval.ms`
    pub regex_refresh: Duration,
    /// `offset.metadata.max.bytes`
    pub metadata_bytes_max: usize,
    /// `offsets.retention.minutes`
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`
    pub retention_check: Duration,
    /// What was set for single groups, by id.
    pub of_groups: BTreeMap<Arc<str>, ConsumerTimes>,
}

impl GroupSettings {
    /// The times that hold for a group.
    pub fn times(&self, group: &str) -> ConsumerTimes {
        self.of_groups.get(group).copied().unwrap_or(self.consumer)
    }
}

impl Default for GroupSettings {
    /// Kafka 4.4.0's defaults, but no initial rebalance delay.
    fn default() -> GroupSettings {
        GroupSettings {
            initial_rebalance_delay: Duration::ZERO,
            classic_session_min: Duration::from_secs(6),
            classic_session_max: Duration::from_secs(1800),
            classic_size_max: usize::MAX,
            consumer_size_max: usize::MAX,
            consumer: ConsumerTimes {
                session: Duration::from_secs(45),
                heartbeat: Duration::from_secs(5),
                assignment_interval: Duration::from_secs(1),
            },
            assignors: vec!["uniform".into(), "range".into()],
            migration: MigrationPolicy::Bidirectional,
            regex_refresh: Duration::from_secs(600),
            metadata_bytes_max: 4096,
            offsets_retention: Duration::from_secs(10080 * 60),
            retention_check: Duration::from_secs(600),
            of_groups: BTreeMap::new(),
        }
    }
}
