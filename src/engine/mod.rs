//! Layer 6: what the broker does, as plain commands and outcomes. No API versions, no wire types: every door speaks
//! to this.
//!
//! The engine holds the catalog's image, the partitions that are open and the log directories. Reads take the image
//! without a lock; changes go through the catalog's machine, which writes them to its log first.

mod boot;
mod catalog;
mod cleaning;
mod cluster;
mod configs;
mod deleting;
mod dirs;
mod fetch;
mod groups;
mod housekeeping;
mod offline;
mod offsets;
mod opening;
mod produce;
mod producer_ids;
mod quiet;
mod refusal;
mod registry;
mod retention;
mod space;
mod throttle;
mod topics;
mod wall;
mod workers;

pub use boot::{BootError, EngineParts};
pub use cleaning::CleanerStats;
pub use cluster::{LogDirContent, LogDirDescription, PartitionSize};
pub use configs::{AlterConfigs, ConfigChange, ConfigOp, ResourceRef};
pub use dirs::OpenDirsError;
pub use fetch::{Fetch, FetchOutcome, FetchPartition, NotFetched};
pub use offsets::{DeleteRecords, FindEpochEnd, FindOffset};
pub use opening::{Looked, Opening, TopicName};
pub use produce::{Acks, Appended, NotProduced, Produce, Produced};
pub use quiet::Quiet;
pub use refusal::Refusal;
pub use registry::Served;
pub use space::{DirSpace, SpaceLevel};
pub use topics::{CreatedTopic, DeletedTopic, NewPartitions, NewTopic};

pub use crate::catalog::{CatalogImage, TopicEntry, is_internal, valid_topic_name};
pub use crate::config::{Described, Source, Synonym};
pub use crate::partition::{At, Cut, Fetched, Isolation, Position};

use crate::catalog::CatalogHandle;
use crate::config::BrokerSettings;
use crate::partition::LeaderEpoch;
use crate::sys::{Clock, Fs, Rng};
use crate::types::{Epoch, TopicId, Uuid};
use arc_swap::ArcSwap;
use cleaning::Cleaning;
use deleting::Deleting;
use dirs::LogDirs;
use groups::GroupShards;
use registry::Registry;
use std::sync::{Arc, Weak};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use workers::Workers;

/// A topic as a client names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TopicRef {
    /// By name.
    Name(Arc<str>),
    /// By id, which tells a topic from another one of the same name made later (KIP-516).
    Id(TopicId),
}

/// The broker without its doors.
pub struct Engine {
    me: Weak<Engine>,
    settings: ArcSwap<BrokerSettings>,
    /// Settings as given at the start, without what was set since.
    settings_at_start: Arc<BrokerSettings>,
    dirs: LogDirs,
    fs: Arc<dyn Fs>,
    clock: Arc<dyn Clock>,
    image: Arc<ArcSwap<CatalogImage>>,
    catalog: CatalogHandle,
    catalog_log: Arc<dyn crate::log::PartitionLog>,
    epoch: LeaderEpoch,
    rng: Arc<dyn Rng>,
    open: Registry,
    groups: GroupShards,
    deleting: Deleting,
    workers: Workers,
    /// For what clients can bring about at any rate.
    quiet: Quiet,
    /// Held while partitions are open that no client asked for.
    upkeep: tokio::sync::Mutex<()>,
    /// Room in the log directories, as last looked at.
    space: ArcSwap<Vec<DirSpace>>,
    cleaning: Arc<Cleaning>,
    /// Why the broker cannot go on, once it cannot.
    broken: watch::Sender<Option<Arc<str>>>,
    /// Set when the broker stops: waits end, nothing is opened any more.
    stop: CancellationToken,
}

impl Engine {
    /// The settings as they are now.
    pub fn settings(&self) -> Arc<BrokerSettings> {
        self.settings.load_full()
    }

    /// The catalog as it is now.
    pub fn image(&self) -> Arc<CatalogImage> {
        self.image.load_full()
    }

    /// Id of the cluster, kept in the log directories.
    pub fn cluster_id(&self) -> Uuid {
        self.dirs.catalog().cluster_id()
    }

    /// The leader epoch of every partition.
    pub fn epoch(&self) -> Epoch {
        self.epoch.get()
    }

    /// The topic that is meant, or the code for one that is not there.
    pub fn topic(&self, topic: &TopicRef) -> Result<Arc<TopicEntry>, Refusal> {
        opening::named(&self.image.load(), topic.into()).cloned()
    }
}
