//! Partitions on their way out: their directories get a last name, durably, and what is in them is left to the
//! background.

use super::dir::LogDir;
use crate::types::TopicPartition;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::Duration;

/// What the name of a partition's directory ends in once the partition is deleted, as Kafka's does.
const DELETE_SUFFIX: &str = "-delete";
/// Longest name that file systems take.
const NAME_MAX: usize = 255;

impl LogDir {
    /// Removes a partition whose log is closed. It is gone for good on return; its bytes are removed in the background
    /// after `delay`, or at once if the disk is full.
    pub fn delete_partition(&self, name: &TopicPartition, delay: Duration) -> io::Result<()> {
        self.health.check()?;
        let open = self.logs.lock().get(name).and_then(Weak::upgrade);
        if open.is_some() {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "the log is open"));
        }
        self.put_aside(name, delay)
    }

    /// Gives the directory of a partition its last name, durably.
    pub(super) fn put_aside(&self, name: &TopicPartition, delay: Duration) -> io::Result<()> {
        let id = self.stored_id(&self.path().join(name.to_string()))?;
        let gone = self.set_aside(name)?;
        self.sync_root()?;
        if let Some(gone) = gone {
            self.remove_later(gone, if self.is_full() { Duration::ZERO } else { delay });
        }
        if let Some(id) = id {
            let mut file = self.marks.lock();
            file.marks.by_partition.remove(&(id, name.partition));
            file.moved = true;
        }
        Ok(())
    }

    /// Gives the directory of a partition its last name and returns it, if there was one.
    pub(super) fn set_aside(&self, name: &TopicPartition) -> io::Result<Option<PathBuf>> {
        let path = self.path().join(name.to_string());
        if !self.fs().is_dir(&path) {
            return Ok(None);
        }
        let target = loop {
            let unique = format!("{:032x}", self.rng.next_u128());
            let suffix = format!(".{unique}{DELETE_SUFFIX}");
            let mut target: String = name.to_string();
            // Topic names are ASCII, so any byte is a boundary.
            target.truncate(NAME_MAX - suffix.len());
            let target = self.path().join(target + &suffix);
            // Chance of a simulation may repeat itself in its next life.
            if !self.fs().exists(&target) {
                break target;
            }
        };
        self.fs().rename(&path, &target)?;
        Ok(Some(target))
    }
}

/// Whether a name says that what has it was deleted.
pub(super) fn is_trash(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let unique = name.strip_suffix(DELETE_SUFFIX).and_then(|name| name.rsplit_once('.'));
    unique.is_some_and(|(_, unique)| {
        unique.len() == 32 && unique.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}
