//! What DescribeConfigs answers: every key with its value, who said it, and what else was said (`ConfigHelper` of
//! Kafka 4.4.0).

use super::layers::{Layers, Source};
use super::setting::{Reach, Setting};
use super::table::{Family, find, settings};
use super::{BrokerSettings, topic};
use std::collections::BTreeMap;

/// One key as DescribeConfigs shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The key.
    pub name: String,
    /// Its value; `None` for null and for secrets.
    pub value: Option<String>,
    /// Who said it.
    pub source: Source,
    /// All that was said about it, strongest first.
    pub synonyms: Vec<Synonym>,
    /// Number of its type (`ConfigEntry.ConfigType`).
    pub kind: i8,
    /// One sentence about it.
    pub doc: &'static str,
    /// Whether it can only be set before the start.
    pub read_only: bool,
    /// Whether it is a secret.
    pub sensitive: bool,
    /// Whether nobody set it.
    pub is_default: bool,
}

/// One value that was said about a key, under the name it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The key under which it was said.
    pub name: String,
    /// The value; `None` for secrets.
    pub value: Option<String>,
    /// Who said it.
    pub source: Source,
}

/// Keys of the broker that say the same in other units; the first set wins (`DynamicBrokerConfig`).
const FAMILIES: &[&[&str]] = &[
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
];

/// All settings of a topic with these overrides.
pub fn describe_topic(overrides: &BTreeMap<String, String>, broker: &BrokerSettings) -> Vec<Described> {
    let describe = |setting: &'static Setting| {
        let own =
            overrides.get(setting.key).map(|value| setting.parse(value).unwrap_or_else(|_| value.clone()));
        let value = own.clone().or_else(|| topic::broker_default(setting, broker).map(|(value, _)| value));
        let mut synonyms: Vec<Synonym> =
            own.into_iter().map(|value| synonym(setting.key, value, Source::Topic)).collect();
        if let Some((first, _)) = setting.synonyms.first() {
            synonyms.extend(said_about(first, broker.layers()));
        }
        described(setting, value, synonyms, false)
    };
    let listed = topic::listed().map(describe);
    // An internal key is shown where it was set, like any override.
    let internal = settings(Family::Topic).filter(|setting| setting.internal);
    listed.chain(internal.filter(|setting| overrides.contains_key(setting.key)).map(describe)).collect()
}

/// All settings of this broker.
pub fn describe_broker(broker: &BrokerSettings) -> Vec<Described> {
    let mut all: Vec<Described> = settings(Family::Broker)
        .map(|setting| {
            let value = broker.get(setting.key).map(|(value, _)| value.to_owned());
            described(
                setting,
                value,
                said_about(setting.key, broker.layers()),
                setting.reach == Reach::ReadOnly,
            )
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// All settings of a group with these overrides.
pub fn describe_group(overrides: &BTreeMap<String, String>, broker: &BrokerSettings) -> Vec<Described> {
    let describe = |setting: &'static Setting| {
        let own =
            overrides.get(setting.key).map(|value| setting.parse(value).unwrap_or_else(|_| value.clone()));
        let default = topic::broker_default(setting, broker).map(|(value, _)| value);
        let default = default.or_else(|| setting.default.map(str::to_owned));
        let value = own.clone().or_else(|| default.clone());
        let said = own.map(|value| synonym(setting.key, value, Source::Group));
        // The default of a group goes by the name that it has among the settings of brokers.
        let name = setting.synonyms.first().map_or(setting.key, |(name, _)| *name);
        let default = default.map(|value| synonym(name, value, Source::Default));
        let synonyms = said.into_iter().chain(default).collect();
        described(setting, value, synonyms, false)
    };
    let shown = |setting: &&'static Setting| !setting.internal || overrides.contains_key(setting.key);
    settings(Family::Group).filter(shown).map(describe).collect()
}

/// Everything said about a broker key and its relatives, strongest layer first; what comes before the first mention of
/// the key itself is left out, as Kafka does, so that a value in hours is no source of one in milliseconds.
fn said_about(key: &str, layers: &Layers) -> Vec<Synonym> {
    let family = FAMILIES.iter().find(|family| family.contains(&key)).copied();
    let single = [key];
    let keys = family.unwrap_or(&single);
    let rows: Vec<&'static Setting> = keys.iter().filter_map(|key| find(Family::Broker, key).ok()).collect();
    let mut said: Vec<Synonym> = Vec::new();
    for source in [Source::DynamicBroker, Source::DynamicDefaultBroker, Source::Static, Source::Default] {
        for row in &rows {
            let values = layers.all(row);
            let value = values.iter().find(|(_, from)| *from == source);
            said.extend(value.map(|(value, _)| {
                let mut said = synonym(row.key, (*value).to_owned(), source);
                said.value = said.value.filter(|_| !row.sensitive());
                said
            }));
        }
    }
    said.into_iter().skip_while(|said| said.name != key).collect()
}

fn synonym(name: &str, value: String, source: Source) -> Synonym {
    Synonym { name: name.to_owned(), value: Some(value), source }
}

fn described(
    setting: &'static Setting,
    value: Option<String>,
    synonyms: Vec<Synonym>,
    read_only: bool,
) -> Described {
    let source = synonyms.first().map_or(Source::Default, |first| first.source);
    Described {
        name: setting.key.to_owned(),
        value: value.filter(|_| !setting.sensitive()),
        source,
        synonyms,
        kind: setting.kind.number(),
        doc: setting.text,
        read_only,
        sensitive: setting.sensitive(),
        is_default: source == Source::Default,
    }
}
