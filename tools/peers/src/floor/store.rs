//! Partitions of the floor: a file each, and in memory where each batch begins. It must not know frames.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// All topics.
pub struct Store {
    home: PathBuf,
    topics: RwLock<BTreeMap<String, Topic>>,
    grown: (Mutex<u64>, Condvar),
}

/// The partitions of a topic, by index.
pub type Topic = Arc<Vec<Arc<Partition>>>;

/// One file.
pub struct Partition {
    file: File,
    end: Mutex<End>,
    /// In the list of the round that is being filled.
    pub dirty: AtomicBool,
}

#[derive(Default)]
struct End {
    offset: i64,
    bytes: u64,
    /// First offset and position of each batch, in order.
    spots: Vec<(i64, u64)>,
}

/// A stretch of a partition's file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins in the file.
    pub at: u64,
    /// Bytes; whole batches.
    pub len: usize,
    /// The offset behind the last batch of the file.
    pub end: i64,
}

impl Store {
    /// An empty store in this directory.
    pub fn new(home: &Path) -> Store {
        Store { home: home.to_owned(), topics: RwLock::default(), grown: Default::default() }
    }

    /// Makes the files of a topic.
    pub fn create(&self, name: &str, partitions: i32) -> Result<()> {
        let mut made = Vec::new();
        for index in 0..partitions {
            let path = self.home.join(format!("{name}-{index}"));
            let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
            let file = file.with_context(|| format!("create {}", path.display()))?;
            made.push(Arc::new(Partition { file, end: Mutex::default(), dirty: AtomicBool::new(false) }));
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.insert(name.to_owned(), Arc::new(made));
        Ok(())
    }

    /// Removes a topic and its files.
    pub fn delete(&self, name: &str) -> Result<()> {
        let gone = self.topics.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        for index in 0..gone.map_or(0, |topic| topic.len()) {
            std::fs::remove_file(self.home.join(format!("{name}-{index}")))?;
        }
        Ok(())
    }

    /// The partitions of a topic.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// How often something was appended; for [`Store::wait`].
    pub fn growth(&self) -> u64 {
        *self.grown.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes who waits for more.
    pub fn grew(&self) {
        *self.grown.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.grown.1.notify_all();
    }

    /// Waits until something was appended since `seen`, or for so long.
    pub fn wait(&self, seen: u64, most: Duration) {
        let count = self.grown.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.grown.1.wait_timeout_while(count, most, |count| *count == seen));
    }
}

impl Partition {
    /// Numbers a batch of `count` records and writes it; its first offset.
    pub fn append(&self, batch: &mut [u8], count: i32) -> Result<i64> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        batch[0..8].copy_from_slice(&end.offset.to_be_bytes());
        batch[12..16].copy_from_slice(&0i32.to_be_bytes());
        self.file.write_all_at(batch, end.bytes)?;
        let spot = (end.offset, end.bytes);
        end.spots.push(spot);
        end.offset += i64::from(count);
        end.bytes += batch.len() as u64;
        Ok(spot.0)
    }

    /// Asks the disk to keep what was written.
    pub fn sync(&self) -> Result<()> {
        Ok(self.file.sync_data()?)
    }

    /// Says that there is something to sync; true if nobody had said so since the last sync began.
    pub fn soil(&self) -> bool {
        !self.dirty.swap(true, Ordering::AcqRel)
    }

    /// The offset of the next record.
    pub fn end(&self) -> i64 {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).offset
    }

    /// Whole batches from the one that holds `from` on: at least one if there is one, else at most `most` bytes.
    pub fn read(&self, from: i64, most: usize) -> Stretch {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if from >= end.offset {
            return Stretch { at: end.bytes, len: 0, end: end.offset };
        }
        let first = end.spots.partition_point(|spot| spot.0 <= from).saturating_sub(1);
        let at = end.spots[first].1;
        // The batch behind the last one that fits; the first fits always.
        let behind = end.spots.partition_point(|spot| spot.1 <= at + most as u64);
        let until = if end.bytes <= at + most as u64 {
            end.bytes
        } else {
            let last = behind.saturating_sub(1).max(first + 1);
            end.spots.get(last).map_or(end.bytes, |spot| spot.1)
        };
        Stretch { at, len: (until - at) as usize, end: end.offset }
    }

    /// The file, to send from.
    pub fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_gives_whole_batches_and_at_least_one() {
        let home = std::env::temp_dir().join(format!("peers-floor-store-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let store = Store::new(&home);
        store.create("t", 1).unwrap();
        let partition = store.topic("t").unwrap()[0].clone();
        for base in [0, 3, 6] {
            assert_eq!(partition.append(&mut [7; 100], 3).unwrap(), base);
        }
        let read = |from, most| partition.read(from, most);
        assert_eq!(read(0, 10), Stretch { at: 0, len: 100, end: 9 });
        assert_eq!(read(4, 199), Stretch { at: 100, len: 100, end: 9 });
        assert_eq!(read(3, 200), Stretch { at: 100, len: 200, end: 9 });
        assert_eq!(read(0, 250), Stretch { at: 0, len: 200, end: 9 });
        assert_eq!(read(8, 1), Stretch { at: 200, len: 100, end: 9 });
        assert_eq!(read(9, 1000), Stretch { at: 300, len: 0, end: 9 });
        store.delete("t").unwrap();
        std::fs::remove_dir(&home).unwrap();
    }
}
