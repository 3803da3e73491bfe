//! What there is on disk, for whoever asks.

use super::dirs::Slot;
use super::{Engine, Refusal};
use crate::log::local::LogDir;
use crate::sys::OpenHow;
use crate::types::{ErrorCode, TopicPartition};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirDescription {
    /// Where it is.
    pub path: String,
    /// What is in it, or why it cannot be used.
    pub content: Result<LogDirContent, Refusal>,
}

/// What is in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirContent {
    /// Bytes of the file system.
    pub total_bytes: u64,
    /// Bytes that may still be written.
    pub usable_bytes: u64,
    /// Partitions by topic and number.
    pub partitions: Vec<PartitionSize>,
}

/// Bytes of a partition's segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionSize {
    /// The partition.
    pub name: TopicPartition,
    /// Bytes.
    pub bytes: u64,
}

/// Topics and numbers of partitions that are asked for; all if there are none.
type Wanted = Option<BTreeMap<String, Vec<i32>>>;

impl Engine {
    /// Describes the log directories in the order of the settings, with all partitions, or those that `wanted` names.
    pub async fn describe_log_dirs(&self, wanted: Wanted) -> Result<Vec<LogDirDescription>, Refusal> {
        let Some(engine) = self.me.upgrade() else { return Err(ErrorCode::BROKER_NOT_AVAILABLE.into()) };
        let job = move || engine.describe_blocking(&wanted);
        self.workers.run("describe-dirs", job).await.map_err(super::offsets::lost)
    }

    fn describe_blocking(&self, wanted: &Wanted) -> Vec<LogDirDescription> {
        let offline = |why: String| Refusal::new(ErrorCode::KAFKA_STORAGE_ERROR, why);
        let describe = |slot: &Slot| LogDirDescription {
            path: slot.path.display().to_string(),
            content: match slot.online() {
                Some(dir) => self.describe_one(dir, wanted).map_err(|error| offline(error.to_string())),
                None => Err(offline(slot.why_failed().unwrap_or_default().to_string())),
            },
        };
        self.dirs.slots().iter().map(describe).collect()
    }

    fn describe_one(&self, dir: &Arc<LogDir>, wanted: &Wanted) -> io::Result<LogDirContent> {
        let space = dir.space()?;
        let image = self.image.load();
        let mut partitions = Vec::new();
        for topic in image.topics() {
            let numbers = wanted.as_ref().map(|wanted| wanted.get(&*topic.name));
            for index in 0..topic.partitions {
                if numbers.is_some_and(|numbers| numbers.is_none_or(|numbers| !numbers.contains(&index)))
                    || !self.dirs.is_home(dir, topic.directory(index))
                {
                    continue;
                }
                let name = TopicPartition::new(Arc::clone(&topic.name), index);
                let bytes = match self.open.get((topic.id, index)) {
                    Some(served) => served.partition.log().size_bytes(),
                    None => self.bytes_on_disk(&dir.path().join(name.to_string())),
                };
                partitions.push(PartitionSize { name, bytes });
            }
        }
        Ok(LogDirContent { total_bytes: space.total, usable_bytes: space.usable, partitions })
    }

    /// Bytes of the segments of a partition that nobody has used yet; a directory that is not there has none.
    fn bytes_on_disk(&self, dir: &Path) -> u64 {
        let files = self.fs.list(dir).unwrap_or_default();
        let segments =
            files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        let sizes = segments.filter_map(|path| self.fs.open(path, OpenHow::Read).ok()?.size().ok());
        sizes.sum()
    }
}
