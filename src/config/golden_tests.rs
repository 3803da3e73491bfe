//! The table against Kafka's own: keys, types, defaults, ranges, and who may change what when.

use super::{Check, Family, Kind, Origin, Reach, Setting, settings};
use crate::config::TopicSettings;
use std::collections::BTreeMap;

const SETTINGS: &str = include_str!("../../tests/golden/kafka-4.4.0-settings.tsv");
const TOPIC_CHECKS: &str = include_str!("../../tests/golden/kafka-4.4.0-topic-checks.tsv");

/// Columns of the golden list: key, type, default, values taken, internal, extra.
type Row = [&'static str; 6];

fn kafka(family: &str) -> BTreeMap<&'static str, Row> {
    let lines = SETTINGS.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0] == family).map(|row| (row[1], std::array::from_fn(|i| row[i + 1]))).collect()
}

fn kafka_default(setting: &Setting) -> String {
    match setting.kafka_default() {
        Some(default) => default.to_owned(),
        None => "null".to_owned(),
    }
}

/// How Kafka writes down a check.
fn in_kafkas_words(check: Check) -> String {
    match check {
        Check::Any => String::new(),
        Check::Least(least) => format!("[{least},...]"),
        Check::Range(first, last) => format!("[{first},...,{last}]"),
        Check::RangeOrDefault(first, last) => format!("[{first},...,{last}] or -1"),
        Check::Ratio => "[0,...,1]".to_owned(),
        Check::Words(words) | Check::ListOf(words) => format!("[{}]", words.join(", ")),
        Check::WordsAnyCase(words) => {
            format!("(case insensitive) [{}]", words.join(", ").to_ascii_uppercase())
        }
        Check::ThrottledReplicas => "[partitionId]:[brokerId],[partitionId]:[brokerId],...".to_owned(),
        Check::OffsetReset => "[latest, earliest, by_duration:PnDTnHnMn.nS]".to_owned(),
    }
}

/// Keys whose rules are stricter here, with the reason.
const STRICTER: &[&str] = &[
    // -1 is no bound in Kafka; here there is always one.
    "queued.max.request.bytes",
];

fn compare(family: Family, name: &str) -> usize {
    let golden = kafka(name);
    let mut shared = 0;
    for setting in settings(family).filter(|setting| setting.origin != Origin::Ours) {
        let [_, kind, default, takes, internal, _] =
            golden.get(setting.key).unwrap_or_else(|| panic!("Kafka has no {}", setting.key));
        assert_eq!(setting.kind.name(), *kind, "{}", setting.key);
        let ours = kafka_default(setting);
        assert!(ours == *default || *default == "(required)", "{}: {ours}, not {default}", setting.key);
        if !STRICTER.contains(&setting.key) {
            assert_eq!(in_kafkas_words(setting.check), *takes, "{}", setting.key);
        }
        assert_eq!(setting.internal, *internal == "internal", "{}", setting.key);
        shared += 1;
    }
    shared
}

#[test]
fn all_topic_settings_of_kafka_are_here_with_its_types_defaults_and_ranges() {
    assert_eq!((compare(Family::Topic, "topic"), kafka("topic").len()), (38, 38));
}

#[test]
fn all_group_settings_of_kafka_are_here_with_its_types_defaults_and_ranges() {
    assert_eq!((compare(Family::Group, "group"), kafka("group").len()), (27, 27));
}

#[test]
fn the_broker_settings_that_we_share_with_kafka_are_its_own() {
    assert!(compare(Family::Broker, "broker") > 100);
}

#[test]
fn topic_settings_take_their_defaults_from_the_broker_settings_that_kafka_names() {
    let golden = kafka("topic");
    for setting in settings(Family::Topic) {
        let ours: Vec<String> = setting
            .synonyms
            .iter()
            .map(|(key, times)| if *times == 1 { key.to_string() } else { format!("{key}*{times}") })
            .collect();
        assert_eq!(ours.join(","), golden[setting.key][5], "{}", setting.key);
    }
}

#[test]
fn what_kafka_lets_nobody_change_while_running_is_read_only_here_too() {
    let golden = kafka("broker");
    for setting in settings(Family::Broker).filter(|setting| setting.origin != Origin::Ours) {
        // Where Kafka can change a setting while it runs and we cannot, ours is read-only and says so.
        match golden[setting.key][5] {
            "read-only" => assert_eq!(setting.reach, Reach::ReadOnly, "{}", setting.key),
            "per-broker" => assert_ne!(setting.reach, Reach::ClusterWide, "{}", setting.key),
            _ => {}
        }
    }
}

#[test]
fn a_topic_takes_what_kafka_takes_and_refuses_what_kafka_refuses() {
    // Refused here alone: tiered storage, which is not offered, and a ratio that is no number.
    let ours_alone = |case: &str| case.contains("remote.storage.enable=true") || case.ends_with("=NaN");
    let broker = super::BrokerSettings::with_values(&[]).unwrap();
    let mut cases = 0;
    for line in TOPIC_CHECKS.lines().filter(|line| !line.starts_with('#')) {
        let (verdict, case) = line.split_once('\t').unwrap();
        let pairs = case.split(';').filter_map(|pair| pair.split_once('='));
        let overrides = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let taken = TopicSettings::resolve(&overrides, &broker).is_ok();
        assert_eq!(taken, verdict == "ok" && !ours_alone(case), "{case}");
        cases += 1;
    }
    assert!(cases > 90);
}

#[test]
fn types_have_kafkas_numbers() {
    let numbers = [Kind::Boolean, Kind::Text, Kind::Int, Kind::Short, Kind::Long, Kind::Double, Kind::List];
    assert_eq!(numbers.map(Kind::number), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!([Kind::Class, Kind::Password].map(Kind::number), [8, 9]);
}
