//! Layer 5: the one table of settings. Keys are Kafka's where Kafka has the setting. Everything about a setting comes
//! from its row: what the file, the environment and flags may say, what DescribeConfigs shows, what AlterConfigs
//! takes. Knows no topics and no connections; who changes a setting is decided above.

mod broker;
mod broker_table;
mod cleaner;
mod describe;
mod group_table;
mod groups;
mod layers;
mod listeners;
mod load;
mod setting;
mod table;
mod toml_file;
mod topic;
mod topic_table;
mod units;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;

pub use broker::BrokerSettings;
pub use cleaner::CleanerSettings;
pub use describe::{Described, Synonym, describe_broker, describe_group, describe_topic};
pub use group_table::GROUP;
pub use groups::{Bounded, GroupDefaults, GroupTimes};
pub use layers::{Fixed, Layers, Source, Where};
pub use listeners::{Advertised, Endpoint};
pub use load::{Given, LoadError, Loaded, Place, load};
pub use setting::{Check, Effect, Kind, Origin, Reach, Setting};
pub use table::{Family, find, settings};
pub use topic::{CleanupPolicy, TopicSettings, validate_group_config, validate_topic_config};
pub use topic_table::TOPIC;
pub use units::{Unit, to_bare_number};

/// A setting refused: the sentence goes to whoever set it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadSetting {
    /// The key as it was given.
    pub key: String,
    /// What is wrong, with the key in it.
    pub message: String,
}
