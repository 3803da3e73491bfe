//! What holds for a topic, and what DescribeConfigs says of it.

use super::*;
use crate::record::{Codec, TimestampType};
use std::collections::BTreeMap;

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn broker(entries: &[(&str, &str)]) -> BrokerSettings {
    BrokerSettings::with_values(entries).unwrap()
}

fn sources(described: &Described) -> Vec<(&str, Option<&str>, Source)> {
    described.synonyms.iter().map(|said| (said.name.as_str(), said.value.as_deref(), said.source)).collect()
}

fn topic_entry(overrides: &[(&str, &str)], broker: &BrokerSettings, name: &str) -> Described {
    describe_topic(&map(overrides), broker).into_iter().find(|entry| entry.name == name).unwrap()
}

#[test]
fn a_topic_without_settings_has_the_defaults_and_syncs_every_batch() {
    let settings = TopicSettings::resolve(&map(&[]), &broker(&[])).unwrap();
    assert_eq!(settings.log_settings(), crate::log::LogSettings::default());
    assert_eq!(settings.append_rules(), crate::record::AppendRules::default());
    assert_eq!((settings.retention_ms, settings.retention_bytes), (Some(604_800_000), None));
    assert_eq!(settings.cleanup, CleanupPolicy { compact: false, delete: true });
}

#[test]
fn a_topic_takes_the_brokers_defaults_in_its_own_units() {
    let broker =
        broker(&[("log.retention.hours", "2"), ("log.roll.hours", "1"), ("log.segment.bytes", "2MiB")]);
    let check = |overrides: &[(&str, &str)], retention, segment_ms| {
        let settings = TopicSettings::resolve(&map(overrides), &broker).unwrap();
        assert_eq!((settings.retention_ms, settings.segment_ms), (retention, segment_ms));
    };
    check(&[], Some(7_200_000), 3_600_000);
    check(&[("retention.ms", "-1"), ("segment.ms", "5")], None, 5);
}

#[test]
fn minutes_win_over_hours_and_milliseconds_over_both() {
    let retention =
        |entries: &[(&str, &str)]| TopicSettings::resolve(&map(&[]), &broker(entries)).unwrap().retention_ms;
    let hours = ("log.retention.hours", "1");
    let minutes = ("log.retention.minutes", "2");
    assert_eq!(retention(&[hours, minutes]), Some(120_000));
    assert_eq!(retention(&[hours, minutes, ("log.retention.ms", "3")]), Some(3));
    assert_eq!(retention(&[("log.retention.hours", "-1")]), None);
}

#[test]
fn the_rules_of_appending_follow_the_topic() {
    let overrides = map(&[
        ("compression.type", "zstd"),
        ("compression.zstd.level", "7"),
        ("cleanup.policy", "compact, delete"),
        ("message.timestamp.type", "LogAppendTime"),
        ("max.compaction.lag.ms", "1000"),
    ]);
    let settings = TopicSettings::resolve(&overrides, &broker(&[])).unwrap();
    let rules = settings.append_rules();
    assert_eq!(rules.compression, Some((Codec::Zstd, 7)));
    assert_eq!((rules.compacted, rules.timestamp_type), (true, TimestampType::LogAppendTime));
    assert_eq!((settings.log_settings().segment_ms, settings.log_settings().log_append_time), (1000, true));
}

#[test]
fn a_refusal_names_the_key_and_what_it_takes() {
    let check = |key: &str, value: &str, expect: &str| {
        assert_eq!(validate_topic_config(key, value).unwrap_err().message, expect);
    };
    check("retention.mss", "1", "unknown topic setting `retention.mss`; did you mean `retention.ms`?");
    check("segment.bytes", "1", "segment.bytes: 1 is too small, the least is 1048576");
    check("cleanup.policy", "purge", "cleanup.policy: `purge` is not one of compact, delete");
    check("remote.storage.enable", "true", "remote.storage.enable: tiered storage is not offered");
}

#[test]
fn a_topic_setting_is_described_with_all_that_was_said_about_it() {
    let broker = broker(&[("log.segment.bytes", "2097152")])
        .with_dynamic(&map(&[]), &map(&[("log.segment.bytes", "3145728")]))
        .unwrap();
    let own = topic_entry(&[("segment.bytes", "4194304")], &broker, "segment.bytes");
    assert_eq!((own.value.as_deref(), own.source, own.is_default), (Some("4194304"), Source::Topic, false));
    let expect = [
        ("segment.bytes", Some("4194304"), Source::Topic),
        ("log.segment.bytes", Some("3145728"), Source::DynamicDefaultBroker),
        ("log.segment.bytes", Some("2097152"), Source::Static),
        ("log.segment.bytes", Some("1073741824"), Source::Default),
    ];
    assert_eq!(sources(&own), expect);
    let inherited = topic_entry(&[], &broker, "segment.bytes");
    assert_eq!(
        (inherited.value.as_deref(), inherited.source),
        (Some("3145728"), Source::DynamicDefaultBroker)
    );
}

#[test]
fn a_value_in_hours_is_no_source_of_one_in_milliseconds() {
    // As Kafka: `retention.ms` is a default without synonyms until somebody sets `log.retention.ms`.
    let plain = topic_entry(&[], &broker(&[]), "retention.ms");
    assert_eq!((plain.value.as_deref(), plain.source), (Some("604800000"), Source::Default));
    assert_eq!(sources(&plain), []);
    let in_ms = topic_entry(&[], &broker(&[("log.retention.ms", "5")]), "retention.ms");
    let expect = [
        ("log.retention.ms", Some("5"), Source::Static),
        ("log.retention.hours", Some("168"), Source::Default),
    ];
    assert_eq!(sources(&in_ms), expect);
}

#[test]
fn a_topic_lists_37_keys_and_an_internal_one_where_it_is_set() {
    assert_eq!(describe_topic(&map(&[]), &broker(&[])).len(), 37);
    let with = map(&[("internal.segment.bytes", "100")]);
    assert_eq!(describe_topic(&with, &broker(&[])).len(), 38);
    assert_eq!(TopicSettings::resolve(&with, &broker(&[])).unwrap().segment_bytes, 100);
}

#[test]
fn the_brokers_settings_say_what_can_change_while_it_runs() {
    let described = describe_broker(&broker(&[("node.id", "4")]));
    let entry = |name: &str| described.iter().find(|entry| entry.name == name).unwrap();
    assert_eq!((entry("node.id").value.as_deref(), entry("node.id").source), (Some("4"), Source::Static));
    assert!(entry("node.id").read_only);
    assert!(!entry("message.max.bytes").read_only);
    assert_eq!(
        (entry("log.retention.ms").value.as_deref(), entry("log.retention.ms").is_default),
        (None, true)
    );
    assert!(described.is_sorted_by(|a, b| a.name < b.name));
}

#[test]
fn a_group_is_described_with_its_own_values_first() {
    let described = describe_group(&map(&[("share.delivery.count.limit", "9")]), &broker(&[]));
    let limit = described.iter().find(|entry| entry.name == "share.delivery.count.limit").unwrap();
    assert_eq!((limit.value.as_deref(), limit.source), (Some("9"), Source::Group));
    // As Kafka 4.4.0 answers.
    let expect = [
        ("share.delivery.count.limit", Some("9"), Source::Group),
        ("group.share.delivery.count.limit", Some("5"), Source::Default),
    ];
    assert_eq!(sources(limit), expect);
    assert_eq!(described.len(), 21);
    assert!(validate_group_config("share.auto.offset.reset", "by_duration:PT1H").is_ok());
    assert!(validate_group_config("share.auto.offset.reset", "by_duration:1 hour").is_err());
}
