//! What the settings say of groups, with types, and the rules among them (`GroupCoordinatorConfig`, `GroupConfig` of
//! Kafka 4.4.0). Must not know what a group does with them.

use super::BadSetting;
use super::layers::Layers;
use super::table::{Family, find};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The assignors that the broker has.
const ASSIGNORS: [&str; 2] = ["uniform", "range"];

/// A time of consumer groups: the default, and what a group may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded {
    /// Where nothing is set for the group.
    pub default: Duration,
    /// What may be set for a group.
    pub allowed: RangeInclusive<Duration>,
}

/// The broker's settings of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDefaults {
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay: Duration,
    /// `group.min.session.timeout.ms` and `group.max.session.timeout.ms`
    pub classic_session: RangeInclusive<Duration>,
    /// `group.max.size`
    pub classic_size_max: usize,
    /// `group.consumer.max.size`
    pub consumer_size_max: usize,
    /// `group.consumer.session.timeout.ms`
    pub session: Bounded,
    /// `group.consumer.heartbeat.interval.ms`
    pub heartbeat: Bounded,
    /// `group.consumer.assignment.interval.ms`
    pub assignment_interval: Bounded,
    /// `group.consumer.assignors`, the default first
    pub assignors: Vec<String>,
    /// `group.consumer.migration.policy`, in small letters
    pub migration_policy: String,
    /// `group.consumer.regex.refresh.interval.ms`
    pub regex_refresh: Duration,
    /// `offset.metadata.max.bytes`
    pub metadata_bytes_max: usize,
    /// `offsets.commit.timeout.ms`
    pub commit_timeout: Duration,
    /// `offsets.retention.minutes`
    pub offsets_retention: Duration,
    /// `offsets.retention.check.interval.ms`
    pub retention_check: Duration,
    /// `offsets.topic.num.partitions`
    pub offsets_partitions: i32,
    /// `offsets.topic.segment.bytes`
    pub offsets_segment_bytes: i32,
}

/// Times of one consumer group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupTimes {
    /// `consumer.session.timeout.ms`
    pub session: Duration,
    /// `consumer.heartbeat.interval.ms`
    pub heartbeat: Duration,
    /// `consumer.assignment.interval.ms`
    pub assignment_interval: Duration,
}

impl GroupDefaults {
    pub(super) fn from_layers(all: &Layers) -> Result<GroupDefaults, BadSetting> {
        // Kafka takes a negative time here and then has no group that lasts.
        let not_below_zero = |key| {
            let ms: i32 = all.read(key)?;
            let bad =
                |_| find(Family::Broker, key).map_or_else(|bad| bad, |row| row.bad("cannot be below 0"));
            u64::try_from(ms).map(Duration::from_millis).map_err(bad)
        };
        let defaults = GroupDefaults {
            initial_rebalance_delay: not_below_zero("group.initial.rebalance.delay.ms")?,
            classic_session: not_below_zero("group.min.session.timeout.ms")?
                ..=not_below_zero("group.max.session.timeout.ms")?,
            classic_size_max: all.read("group.max.size")?,
            consumer_size_max: all.read("group.consumer.max.size")?,
            session: bounded(
                all,
                [
                    "group.consumer.session.timeout.ms",
                    "group.consumer.min.session.timeout.ms",
                    "group.consumer.max.session.timeout.ms",
                ],
            )?,
            heartbeat: bounded(
                all,
                [
                    "group.consumer.heartbeat.interval.ms",
                    "group.consumer.min.heartbeat.interval.ms",
                    "group.consumer.max.heartbeat.interval.ms",
                ],
            )?,
            assignment_interval: bounded(
                all,
                [
                    "group.consumer.assignment.interval.ms",
                    "group.consumer.min.assignment.interval.ms",
                    "group.consumer.max.assignment.interval.ms",
                ],
            )?,
            assignors: assignors(all)?,
            migration_policy: all.read::<String>("group.consumer.migration.policy")?.to_ascii_lowercase(),
            regex_refresh: millis(all, "group.consumer.regex.refresh.interval.ms")?,
            metadata_bytes_max: usize::try_from(all.read::<i32>("offset.metadata.max.bytes")?).unwrap_or(0),
            commit_timeout: millis(all, "offsets.commit.timeout.ms")?,
            offsets_retention: Duration::from_secs(60 * all.read::<u64>("offsets.retention.minutes")?),
            retention_check: millis(all, "offsets.retention.check.interval.ms")?,
            offsets_partitions: all.read("offsets.topic.num.partitions")?,
            offsets_segment_bytes: all.read("offsets.topic.segment.bytes")?,
        };
        if defaults.heartbeat.default >= defaults.session.default {
            let row = find(Family::Broker, "group.consumer.heartbeat.interval.ms")?;
            return Err(row.bad("must be less than group.consumer.session.timeout.ms"));
        }
        Ok(defaults)
    }

    /// The times of a group for which these are set. What does not fit the broker's bounds any more is brought into
    /// them, as Kafka does.
    pub fn times(&self, set: &BTreeMap<String, String>) -> GroupTimes {
        let time = |key: &str, bounds: &Bounded| {
            let said = set.get(key).and_then(|value| value.parse().ok()).map(Duration::from_millis);
            said.map_or(bounds.default, |time| time.clamp(*bounds.allowed.start(), *bounds.allowed.end()))
        };
        GroupTimes {
            session: time(SESSION, &self.session),
            heartbeat: time(HEARTBEAT, &self.heartbeat),
            assignment_interval: time(ASSIGNMENT_INTERVAL, &self.assignment_interval),
        }
    }

    /// Checks all that is set for one group against the bounds that the broker has.
    pub fn check(&self, set: &BTreeMap<String, String>) -> Result<(), BadSetting> {
        let bounds = [
            (SESSION, &self.session),
            (HEARTBEAT, &self.heartbeat),
            (ASSIGNMENT_INTERVAL, &self.assignment_interval),
        ];
        for (key, bounds) in bounds {
            let Some(time) = set.get(key).and_then(|value| value.parse().ok()).map(Duration::from_millis)
            else {
                continue;
            };
            if !bounds.allowed.contains(&time) {
                let (least, most) = (bounds.allowed.start().as_millis(), bounds.allowed.end().as_millis());
                return Err(find(Family::Group, key)?.bad(format!("must be from {least} to {most}")));
            }
        }
        let times = self.times(set);
        if times.session <= times.heartbeat {
            return Err(find(Family::Group, SESSION)?.bad(format!("must be greater than {HEARTBEAT}")));
        }
        Ok(())
    }
}

const SESSION: &str = "consumer.session.timeout.ms";
const HEARTBEAT: &str = "consumer.heartbeat.interval.ms";
const ASSIGNMENT_INTERVAL: &str = "consumer.assignment.interval.ms";

fn millis(all: &Layers, key: &'static str) -> Result<Duration, BadSetting> {
    Ok(Duration::from_millis(all.read(key)?))
}

/// Default, least and most of a time; the default must lie between the others.
fn bounded(all: &Layers, [key, least, most]: [&'static str; 3]) -> Result<Bounded, BadSetting> {
    let (default, allowed) = (millis(all, key)?, millis(all, least)?..=millis(all, most)?);
    if allowed.is_empty() {
        return Err(find(Family::Broker, most)?.bad(format!("must not be less than {least}")));
    }
    if !allowed.contains(&default) {
        return Err(find(Family::Broker, key)?.bad(format!("must be from {least} to {most}")));
    }
    Ok(Bounded { default, allowed })
}

fn assignors(all: &Layers) -> Result<Vec<String>, BadSetting> {
    let row = find(Family::Broker, "group.consumer.assignors")?;
    let text: String = all.read("group.consumer.assignors")?;
    let names: Vec<String> =
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    match names.iter().find(|name| !ASSIGNORS.contains(&name.as_str())) {
        Some(other) => Err(row.bad(format!("`{other}` is not one of {}", ASSIGNORS.join(", ")))),
        None if names.is_empty() => Err(row.bad("must name at least one assignor")),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::super::BrokerSettings;
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn times_that_do_not_go_together_are_refused_at_the_start() {
        for entries in [
            &[("group.consumer.session.timeout.ms", "1000")][..],
            &[("group.consumer.min.session.timeout.ms", "70000")],
            &[
                ("group.consumer.max.heartbeat.interval.ms", "50000"),
                ("group.consumer.heartbeat.interval.ms", "45000"),
            ],
            &[("group.consumer.assignors", "sticky")],
            &[("group.min.session.timeout.ms", "-1")],
        ] {
            assert!(BrokerSettings::with_values(entries).is_err(), "{entries:?}");
        }
    }

    #[test]
    fn a_group_sets_its_times_within_the_brokers_bounds() {
        let defaults = BrokerSettings::with_values(&[]).unwrap().groups;
        assert!(defaults.check(&map(&[("consumer.session.timeout.ms", "50000")])).is_ok());
        assert!(defaults.check(&map(&[("consumer.session.timeout.ms", "70000")])).is_err());
        assert!(defaults.check(&map(&[("consumer.heartbeat.interval.ms", "1000")])).is_err());
        // Set when the bounds were wider.
        let times = defaults.times(&map(&[("consumer.session.timeout.ms", "70000")]));
        assert_eq!(times.session, Duration::from_secs(60));
        assert_eq!(times.heartbeat, Duration::from_secs(5));
    }
}
