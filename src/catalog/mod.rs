//! Layer 5: the catalog, a machine: topics, configs, producer ids and the broker epoch, kept in the log
//! `__cluster_metadata-0` with Kafka's own records. Must not know directories, settings' meaning or requests.

mod cow_map;
#[cfg(test)]
mod crash_tests;
mod handle;
mod image;
mod machine;
mod names;
mod records;
mod rewrite;
#[cfg(test)]
mod tests;

pub use cow_map::CowMap;
pub use handle::CatalogHandle;
pub use image::{CatalogImage, Configs, Registration, Resource, ResourceKind, TopicEntry};
pub use machine::{
    CONFIG_BYTES_MAX, Catalog, Command, Effect, NotAdded, NotCreated, NotSet, PARTITIONS_PER_COMMAND_MAX,
    PRODUCER_ID_BLOCK, Reply, TooLong, UnknownTopic,
};
pub use names::{BadTopicName, collides, collision_key, is_internal, valid_topic_name};
pub use records::CatalogRecord;
pub use rewrite::Place;
