//! The settings of one topic with their types, worked out of what was set on it and the broker's defaults.

use super::layers::Source;
use super::setting::Setting;
use super::table::{Family, find, settings};
use super::{BadSetting, BrokerSettings};
use crate::log::local::clean::{CleanRules, CleanSettings};
use crate::log::{LogSettings, Retention};
use crate::record::{AppendRules, Codec, TimestampType};
use std::collections::BTreeMap;

/// `cleanup.policy`; neither keeps everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Keep the newest record of each key.
    pub compact: bool,
    /// Drop segments by age and size.
    pub delete: bool,
}

/// The settings of one topic. Sizes in bytes, times in milliseconds; -1 and `i64::MAX` as Kafka means them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopicSettings {
    /// `cleanup.policy`
    pub cleanup: CleanupPolicy,
    /// `retention.ms`; none keeps all
    pub retention_ms: Option<i64>,
    /// `retention.bytes`; none keeps all
    pub retention_bytes: Option<u64>,
    /// `segment.bytes`, or `internal.segment.bytes`
    pub segment_bytes: u32,
    /// `segment.ms`
    pub segment_ms: i64,
    /// `segment.jitter.ms`
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`
    pub index_interval_bytes: u32,
    /// `max.message.bytes`: a batch as it is stored
    pub max_message_bytes: u32,
    /// `max.decompressed.message.bytes`: a record
    pub max_decompressed_message_bytes: u32,
    /// `compression.type` and its level; none keeps what the producer sent
    pub compression: Option<(Codec, i32)>,
    /// `message.timestamp.type` is LogAppendTime
    pub log_append_time: bool,
    /// `message.timestamp.before.max.ms`
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`
    pub timestamp_after_max_ms: i64,
    /// `min.insync.replicas`
    pub min_insync_replicas: i32,
    /// `flush.messages`
    pub flush_messages: i64,
    /// `flush.ms`
    pub flush_ms: i64,
    /// `file.delete.delay.ms`
    pub file_delete_delay_ms: i64,
    /// `min.cleanable.dirty.ratio`
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`
    pub max_compaction_lag_ms: i64,
    /// `delete.retention.ms`
    pub delete_retention_ms: i64,
}

impl TopicSettings {
    /// What holds for a topic with these overrides. Refuses unknown keys, bad values, and values that do not go
    /// together (Kafka's `LogConfig.validate`).
    pub fn resolve(
        overrides: &BTreeMap<String, String>,
        broker: &BrokerSettings,
    ) -> Result<TopicSettings, BadSetting> {
        for (key, value) in overrides {
            validate_topic_config(key, value)?;
        }
        let all = Values { overrides, broker };
        let settings = all.typed()?;
        if settings.min_compaction_lag_ms > settings.max_compaction_lag_ms {
            return Err(find(Family::Topic, "min.compaction.lag.ms")?.bad(format!(
                "{} is more than max.compaction.lag.ms, which is {}",
                settings.min_compaction_lag_ms, settings.max_compaction_lag_ms
            )));
        }
        Ok(settings)
    }

    /// What the log of a partition needs.
    pub fn log_settings(&self) -> LogSettings {
        // A compacted log rolls in time for its records to be compacted in time (Kafka's `maxSegmentMs`).
        let roll_ms = match self.cleanup.compact {
            true => self.segment_ms.min(self.max_compaction_lag_ms),
            false => self.segment_ms,
        };
        LogSettings {
            segment_bytes: u64::from(self.segment_bytes),
            segment_ms: roll_ms,
            segment_jitter_ms: self.segment_jitter_ms,
            index_bytes_max: u64::from(self.segment_index_bytes),
            index_interval_bytes: u64::from(self.index_interval_bytes),
            flush_messages: self.flush_messages,
            flush_ms: self.flush_ms,
            log_append_time: self.log_append_time,
            file_delete_delay_ms: self.file_delete_delay_ms,
            may_use_reserve: false,
        }
    }

    /// How its partitions are compacted; none if they are not.
    pub fn clean_rules(&self) -> Option<CleanRules> {
        self.cleanup.compact.then(|| CleanRules {
            min_ratio: self.min_cleanable_dirty_ratio,
            min_lag_ms: self.min_compaction_lag_ms,
            max_lag_ms: self.max_compaction_lag_ms,
            settings: CleanSettings {
                delete_retention_ms: self.delete_retention_ms,
                segment_bytes: u64::from(self.segment_bytes),
                index_bytes_max: u64::from(self.segment_index_bytes),
                index_interval_bytes: u64::from(self.index_interval_bytes),
                decompressed_batch_bytes_max: AppendRules::DECOMPRESSED_BATCH_BYTES,
            },
        })
    }

    /// What its partitions may keep. Only a policy of `delete` drops anything by age or size; an empty one, or
    /// `compact` alone, keeps all.
    pub fn retention(&self) -> Retention {
        match self.cleanup.delete {
            true => Retention { ms: self.retention_ms, bytes: self.retention_bytes, ..Retention::ALL },
            false => Retention::ALL,
        }
    }

    /// What batches for the topic are checked against.
    pub fn append_rules(&self) -> AppendRules {
        let bytes = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        AppendRules {
            timestamp_type: match self.log_append_time {
                true => TimestampType::LogAppendTime,
                false => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: self.timestamp_before_max_ms,
            timestamp_after_max_ms: self.timestamp_after_max_ms,
            message_bytes_max: bytes(self.max_message_bytes),
            decompressed_record_bytes_max: bytes(self.max_decompressed_message_bytes),
            decompressed_batch_bytes_max: AppendRules::DECOMPRESSED_BATCH_BYTES,
            compression: self.compression,
            compacted: self.cleanup.compact,
        }
    }
}

/// Checks one setting of a topic: that there is such a key, and that it takes the value.
pub fn validate_topic_config(name: &str, value: &str) -> Result<(), BadSetting> {
    let setting = find(Family::Topic, name)?;
    match (name, setting.parse(value)?.as_str()) {
        ("remote.storage.enable", "true") => Err(setting.bad("tiered storage is not offered")),
        _ => Ok(()),
    }
}

/// Checks one setting of a group.
pub fn validate_group_config(name: &str, value: &str) -> Result<(), BadSetting> {
    find(Family::Group, name)?.parse(value).map(|_| ())
}

/// The default of a topic setting that the broker gives, already in the topic's unit, and who said it.
pub(super) fn broker_default(setting: &Setting, broker: &BrokerSettings) -> Option<(String, Source)> {
    for (key, times) in setting.synonyms {
        if let Some((value, source)) = broker.get(key) {
            let scaled = match (times, value.parse::<i64>()) {
                (1, _) | (_, Err(_)) => value.to_owned(),
                // -1 hours is no limit, as -1 milliseconds is.
                (_, Ok(number)) if number < 0 => "-1".to_owned(),
                (times, Ok(number)) => number.saturating_mul(*times).to_string(),
            };
            return Some((scaled, source));
        }
    }
    setting.default.map(|value| (value.to_owned(), Source::Default))
}

struct Values<'a> {
    overrides: &'a BTreeMap<String, String>,
    broker: &'a BrokerSettings,
}

impl Values<'_> {
    fn text(&self, key: &'static str) -> Result<Option<String>, BadSetting> {
        let setting = find(Family::Topic, key)?;
        match self.overrides.get(key) {
            Some(value) => Ok(Some(setting.parse(value)?)),
            None => Ok(broker_default(setting, self.broker).map(|(value, _)| value)),
        }
    }

    fn read<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, BadSetting> {
        let setting = find(Family::Topic, key)?;
        let value = self.text(key)?.ok_or_else(|| setting.bad("must be set"))?;
        value.parse().map_err(|_| setting.bad(format!("`{value}` cannot be read")))
    }

    fn typed(&self) -> Result<TopicSettings, BadSetting> {
        let policy: String = self.read("cleanup.policy")?;
        let retention_ms: i64 = self.read("retention.ms")?;
        let retention_bytes: i64 = self.read("retention.bytes")?;
        let internal_segment: Option<u32> =
            self.text("internal.segment.bytes")?.and_then(|value| value.parse().ok());
        Ok(TopicSettings {
            cleanup: CleanupPolicy {
                compact: policy.split(',').any(|word| word == "compact"),
                delete: policy.split(',').any(|word| word == "delete"),
            },
            retention_ms: Some(retention_ms).filter(|ms| *ms >= 0),
            retention_bytes: u64::try_from(retention_bytes).ok(),
            segment_bytes: internal_segment.map_or_else(|| self.read("segment.bytes"), Ok)?,
            segment_ms: self.read("segment.ms")?,
            segment_jitter_ms: self.read("segment.jitter.ms")?,
            segment_index_bytes: self.read("segment.index.bytes")?,
            index_interval_bytes: self.read("index.interval.bytes")?,
            max_message_bytes: self.read("max.message.bytes")?,
            max_decompressed_message_bytes: self.read("max.decompressed.message.bytes")?,
            compression: self.compression()?,
            log_append_time: self.read::<String>("message.timestamp.type")? == "LogAppendTime",
            timestamp_before_max_ms: self.read("message.timestamp.before.max.ms")?,
            timestamp_after_max_ms: self.read("message.timestamp.after.max.ms")?,
            min_insync_replicas: self.read("min.insync.replicas")?,
            flush_messages: self.read("flush.messages")?,
            flush_ms: self.read("flush.ms")?,
            file_delete_delay_ms: self.read("file.delete.delay.ms")?,
            min_cleanable_dirty_ratio: self.read("min.cleanable.dirty.ratio")?,
            min_compaction_lag_ms: self.read("min.compaction.lag.ms")?,
            max_compaction_lag_ms: self.read("max.compaction.lag.ms")?,
            delete_retention_ms: self.read("delete.retention.ms")?,
        })
    }

    fn compression(&self) -> Result<Option<(Codec, i32)>, BadSetting> {
        Ok(match self.read::<String>("compression.type")?.as_str() {
            "uncompressed" => Some((Codec::None, 0)),
            "gzip" => match self.read("compression.gzip.level")? {
                -1 => Some((Codec::Gzip, Codec::DEFAULT_LEVEL)),
                level => Some((Codec::Gzip, level)),
            },
            "snappy" => Some((Codec::Snappy, 0)),
            "lz4" => Some((Codec::Lz4, self.read("compression.lz4.level")?)),
            "zstd" => Some((Codec::Zstd, self.read("compression.zstd.level")?)),
            _ => None,
        })
    }
}

/// The keys of a topic that DescribeConfigs lists.
pub(super) fn listed() -> impl Iterator<Item = &'static Setting> {
    settings(Family::Topic).filter(|setting| !setting.internal)
}
