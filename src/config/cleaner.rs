//! What the settings say of compaction, with types (`CleanerConfig` of Kafka 4.4.0). Must not know how it is done.

use super::BadSetting;
use super::layers::Layers;
use super::table::{Family, find};
use std::time::Duration;

/// The broker's settings of compaction.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanerSettings {
    /// `log.cleaner.enable`
    pub enabled: bool,
    /// `log.cleaner.threads`
    pub threads: usize,
    /// `log.cleaner.dedupe.buffer.size`: bytes of the key maps of all threads
    pub map_bytes: usize,
    /// `log.cleaner.io.buffer.size`: bytes of the read and of the write buffers of all threads
    pub io_buffer_bytes: usize,
    /// `log.cleaner.io.buffer.load.factor`
    pub load_factor: f64,
    /// `log.cleaner.io.max.bytes.per.second`: read and written, by all threads together
    pub bytes_per_second_max: f64,
    /// `log.cleaner.backoff.ms`
    pub backoff: Duration,
}

/// Kafka refuses a broker whose threads would get less than this for their maps of keys.
const MAP_BYTES_MIN: usize = 1 << 20;

impl CleanerSettings {
    pub(super) fn from_layers(all: &Layers) -> Result<CleanerSettings, BadSetting> {
        let settings = CleanerSettings {
            enabled: all.read("log.cleaner.enable")?,
            threads: all.read("log.cleaner.threads")?,
            map_bytes: all.read("log.cleaner.dedupe.buffer.size")?,
            io_buffer_bytes: all.read("log.cleaner.io.buffer.size")?,
            load_factor: all.read("log.cleaner.io.buffer.load.factor")?,
            bytes_per_second_max: all.read("log.cleaner.io.max.bytes.per.second")?,
            backoff: Duration::from_millis(all.read("log.cleaner.backoff.ms")?),
        };
        let bad = |key: &str, why: &str| match find(Family::Broker, key) {
            Ok(row) => Err(row.bad(why)),
            Err(unknown) => Err(unknown),
        };
        if settings.map_bytes / settings.threads.max(1) < MAP_BYTES_MIN {
            return bad("log.cleaner.dedupe.buffer.size", "each thread of the cleaner needs at least 1 MiB");
        }
        if !(settings.load_factor > 0.0 && settings.load_factor <= 1.0) {
            return bad("log.cleaner.io.buffer.load.factor", "has to be above 0 and at most 1");
        }
        if settings.bytes_per_second_max.is_nan() || settings.bytes_per_second_max <= 0.0 {
            return bad("log.cleaner.io.max.bytes.per.second", "has to be above 0");
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::BrokerSettings;

    #[test]
    fn a_cleaner_without_memory_or_speed_is_refused() {
        let settings = BrokerSettings::with_values(&[]).unwrap().cleaner;
        assert!(settings.enabled);
        assert_eq!(
            (settings.threads, settings.map_bytes, settings.io_buffer_bytes),
            (1, 128 << 20, 512 << 10)
        );
        for (key, value) in [
            ("log.cleaner.dedupe.buffer.size", "1000"),
            ("log.cleaner.threads", "200"),
            ("log.cleaner.io.buffer.load.factor", "0"),
            ("log.cleaner.io.max.bytes.per.second", "0"),
        ] {
            assert!(BrokerSettings::with_values(&[(key, value)]).is_err(), "{key}");
        }
    }
}
