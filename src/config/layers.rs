//! What was said about the broker's settings, by whom, and what holds.

use super::BadSetting;
use super::setting::Setting;
use super::table::{Family, find};
use std::collections::BTreeMap;
use std::fmt;

/// Who said a value; the numbers are Kafka's (`DescribeConfigsResponse.ConfigSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
pub enum Source {
    /// Set on the topic.
    Topic = 1,
    /// Set on this broker while it ran.
    DynamicBroker = 2,
    /// Set for all brokers while they ran.
    DynamicDefaultBroker = 3,
    /// File, environment or flag at the start.
    Static = 4,
    /// The table.
    Default = 5,
    /// Set on the group.
    Group = 8,
}

/// The place of a value given at the start, later ones win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// A line of a file.
    File {
        /// Its name as given.
        name: String,
        /// Line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Env(String),
    /// `--set`, or the flag of this name.
    Flag(&'static str),
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Where::File { name, line } => write!(f, "{name}:{line}"),
            Where::Env(name) => write!(f, "${name}"),
            Where::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value given at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// As Kafka would show it.
    pub value: String,
    /// Who said it.
    pub from: Where,
}

/// All that was said, by strength. Values are as Kafka would show them: they went through their row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// This broker's, set while it runs.
    pub dynamic: BTreeMap<String, String>,
    /// All brokers', set while they run.
    pub dynamic_default: BTreeMap<String, String>,
    /// Given at the start.
    pub fixed: BTreeMap<String, Fixed>,
}

impl Layers {
    /// Everything said about one key, strongest first, the default last.
    pub fn all(&self, setting: &'static Setting) -> Vec<(&str, Source)> {
        let said = [
            self.dynamic.get(setting.key).map(|value| (value.as_str(), Source::DynamicBroker)),
            self.dynamic_default.get(setting.key).map(|value| (value.as_str(), Source::DynamicDefaultBroker)),
            self.fixed.get(setting.key).map(|fixed| (fixed.value.as_str(), Source::Static)),
            setting.default.map(|value| (value, Source::Default)),
        ];
        said.into_iter().flatten().collect()
    }

    /// The value that holds for a key, if it has any.
    pub fn effective(&self, setting: &'static Setting) -> Option<(&str, Source)> {
        self.all(setting).first().copied()
    }

    /// Reads a key of the broker's table that must have a value.
    pub(super) fn read<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, BadSetting> {
        let setting = find(Family::Broker, key)?;
        let value = self.effective(setting).ok_or_else(|| setting.bad("must be set"))?.0;
        value.parse().map_err(|_| setting.bad(format!("`{value}` cannot be read")))
    }

    /// Reads a key of the broker's table that may be without a value.
    pub(super) fn read_text(&self, key: &'static str) -> Result<Option<String>, BadSetting> {
        Ok(self.effective(find(Family::Broker, key)?).map(|(value, _)| value.to_owned()))
    }
}
