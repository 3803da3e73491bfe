//! Looking keys up, and guessing what was meant by one that is not there.

use super::setting::Setting;
use super::{BadSetting, broker_table, group_table, topic_table};

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A topic's.
    Topic,
    /// The broker's.
    Broker,
    /// A group's.
    Group,
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Family::Topic => "topic",
            Family::Broker => "broker",
            Family::Group => "group",
        }
    }
}

/// All settings of a family, in the order of the table.
pub fn settings(family: Family) -> Box<dyn Iterator<Item = &'static Setting>> {
    match family {
        Family::Topic => Box::new(topic_table::TOPIC.iter()),
        Family::Broker => Box::new(broker_table::all()),
        Family::Group => Box::new(group_table::GROUP.iter()),
    }
}

/// The row of a key, or a refusal that says which key was probably meant.
pub fn find(family: Family, key: &str) -> Result<&'static Setting, BadSetting> {
    settings(family).find(|setting| setting.key == key).ok_or_else(|| {
        let mut message = format!("unknown {} setting `{key}`", family.name());
        if let Some(near) = nearest(family, key) {
            message.push_str(&format!("; did you mean `{near}`?"));
        }
        BadSetting { key: key.to_owned(), message }
    })
}

/// The key that looks most like `key`, if any looks enough like it to be worth saying.
pub(super) fn nearest(family: Family, key: &str) -> Option<&'static str> {
    // Below this likeness (0 to 1) a guess is noise: `foo` is no misspelling of anything.
    const LIKENESS_MIN: f64 = 0.8;
    let wanted = key.to_ascii_lowercase().replace(['_', '-'], ".");
    let scored = settings(family).map(|setting| (strsim::jaro(&wanted, setting.key), setting.key));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score >= LIKENESS_MIN).map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_key_is_answered_with_the_one_meant() {
        let check = |family, key, expect| assert_eq!(nearest(family, key), expect, "{key}");
        check(Family::Broker, "log.retention.hour", Some("log.retention.hours"));
        check(Family::Broker, "num_partitions", Some("num.partitions"));
        check(Family::Broker, "listener", Some("listeners"));
        check(Family::Topic, "retention.mss", Some("retention.ms"));
        check(Family::Topic, "cleanup.policies", Some("cleanup.policy"));
        check(Family::Topic, "zzz", None);
    }

    #[test]
    fn every_default_is_a_value_of_its_setting_and_no_key_is_there_twice() {
        for family in [Family::Topic, Family::Broker, Family::Group] {
            let mut seen = std::collections::BTreeSet::new();
            for setting in settings(family) {
                assert!(seen.insert(setting.key), "{} is there twice", setting.key);
                if let Some(default) = setting.default {
                    assert_eq!(setting.parse(default).as_deref(), Ok(default), "{}", setting.key);
                }
                assert!(setting.text.ends_with('.'), "{}", setting.key);
            }
        }
    }

    #[test]
    fn a_topic_default_is_the_default_of_its_broker_setting() {
        for setting in settings(Family::Topic) {
            let from_broker = setting.synonyms.iter().find_map(|(key, times)| {
                let default = find(Family::Broker, key).unwrap().default?;
                Some(default.parse::<i64>().map_or(default.to_owned(), |number| (number * times).to_string()))
            });
            if let Some(from_broker) = from_broker {
                assert_eq!(setting.default, Some(from_broker.as_str()), "{}", setting.key);
            }
        }
    }
}
