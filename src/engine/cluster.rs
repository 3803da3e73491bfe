//! What there is on disk, for whoever asks.

use super::{Engine, Refusal};
use crate::sys::OpenHow;
use crate::types::{ErrorCode, TopicPartition};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirDescription {
    /// Where it is.
    pub path: String,
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

impl Engine {
    /// Describes the log directory with all partitions, or those that `wanted` names (topic to numbers).
    pub async fn describe_log_dir(
        &self,
        wanted: Option<BTreeMap<String, Vec<i32>>>,
    ) -> Result<LogDirDescription, Refusal> {
        let Some(engine) = self.me.upgrade() else { return Err(ErrorCode::BROKER_NOT_AVAILABLE.into()) };
        let job = move || engine.describe_blocking(wanted.as_ref());
        let described = self.workers.run("describe-dir", job).await.map_err(super::offsets::lost)?;
        described.map_err(|error| Refusal::new(ErrorCode::KAFKA_STORAGE_ERROR, error.to_string()))
    }

    fn describe_blocking(
        &self,
        wanted: Option<&BTreeMap<String, Vec<i32>>>,
    ) -> io::Result<LogDirDescription> {
        let space = self.dir.space()?;
        let image = self.image.load();
        let mut partitions = Vec::new();
        for topic in image.topics() {
            let numbers = wanted.map(|wanted| wanted.get(&*topic.name));
            for index in 0..topic.partitions {
                if numbers.is_some_and(|numbers| numbers.is_none_or(|numbers| !numbers.contains(&index))) {
                    continue;
                }
                let name = TopicPartition::new(Arc::clone(&topic.name), index);
                let bytes = match self.open.get((topic.id, index)) {
                    Some(served) => served.partition.log().size_bytes(),
                    None => self.bytes_on_disk(&self.dir.path().join(name.to_string())),
                };
                partitions.push(PartitionSize { name, bytes });
            }
        }
        Ok(LogDirDescription {
            path: self.dir.path().display().to_string(),
            total_bytes: space.total,
            usable_bytes: space.usable,
            partitions,
        })
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
