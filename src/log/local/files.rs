//! The bounded pool of open files and mapped indexes of a log directory. Knows names and kinds of segment files,
//! nothing of their content. Thousands of partitions at rest need no open file: what is least recently used goes.

use crate::sys::{File, Fs, Map, OpenHow, map_file};
use crate::types::Offset;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file of a segment holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Batches.
    Log,
    /// Offsets to positions.
    Index,
    /// Timestamps to offsets.
    TimeIndex,
}

impl Kind {
    /// The suffix of its name.
    pub fn suffix(self) -> &'static str {
        match self {
            Kind::Log => "log",
            Kind::Index => "index",
            Kind::TimeIndex => "timeindex",
        }
    }
}

/// Name of a file of the segment that starts at `base`: 20 digits and the suffix, as Kafka's.
pub fn file_name(base: Offset, suffix: &str) -> String {
    format!("{:020}.{suffix}", base.0)
}

/// Path of a file of a segment.
pub fn segment_path(dir: &Path, base: Offset, kind: Kind) -> PathBuf {
    dir.join(file_name(base, kind.suffix()))
}

/// The number in a name of 20 digits and `.suffix`.
pub fn base_of(path: &Path, suffix: &str) -> Option<Offset> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_suffix(suffix)?.strip_suffix('.')?;
    let number = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    number.then(|| digits.parse().ok().map(Offset)).flatten()
}

/// Names one file: the log's number in this process, the segment, the kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FileKey {
    /// Drawn when the log was opened; never reused, so that a name reused on disk is another file here.
    pub log: u64,
    /// Base offset of the segment.
    pub base: Offset,
    /// Tells the files of a segment from those that compaction put in their place under the same names.
    pub generation: u32,
    /// Which of its files.
    pub kind: Kind,
}

/// An open file, or a sealed index in memory.
#[derive(Clone)]
pub enum Held {
    /// Read by position.
    File(Arc<dyn File>),
    /// Mapped: sealed index files only.
    Mapped(Arc<Map>),
}

/// The pool.
pub struct FilePool {
    fs: Arc<dyn Fs>,
    held_max: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    held: BTreeMap<FileKey, (Held, u64)>,
    by_use: BTreeMap<u64, FileKey>,
    uses: u64,
}

impl FilePool {
    /// A pool that keeps up to `held_max` files open; at least one, or no read could go on.
    pub fn new(fs: Arc<dyn Fs>, held_max: usize) -> FilePool {
        FilePool { fs, held_max: held_max.max(1), inner: Mutex::new(Inner::default()) }
    }

    /// The file, opened for reading and writing if it is not open yet.
    pub fn file(&self, dir: &Path, key: FileKey) -> io::Result<Arc<dyn File>> {
        if let Some(Held::File(file)) = self.inner.lock().touch(key) {
            return Ok(file);
        }
        let file = self.fs.open(&segment_path(dir, key.base, key.kind), OpenHow::Write)?;
        self.hold(key, Held::File(file.clone()));
        Ok(file)
    }

    /// A sealed index, mapped where the file system can; nothing writes to it any more.
    pub fn sealed_index(&self, dir: &Path, key: FileKey) -> io::Result<Held> {
        let held = self.inner.lock().touch(key);
        let file = match held {
            Some(Held::Mapped(map)) => return Ok(Held::Mapped(map)),
            // Opened by one who looked at the segment before it was sealed.
            Some(Held::File(file)) => file,
            None => self.fs.open(&segment_path(dir, key.base, key.kind), OpenHow::Read)?,
        };
        let held = match map_file(&*file)? {
            Some(map) => Held::Mapped(Arc::new(map)),
            None => Held::File(file),
        };
        self.hold(key, held.clone());
        Ok(held)
    }

    /// Keeps a file that the caller opened.
    pub fn hold(&self, key: FileKey, held: Held) {
        let mut inner = self.inner.lock();
        let evicted = inner.insert(key, held, self.held_max);
        drop(inner);
        // Closing a file may take long; it must not happen under the lock.
        drop(evicted);
    }

    /// Closes one file, if it is open here; holders of it keep it.
    pub fn forget(&self, key: FileKey) {
        let removed = self.inner.lock().remove(key);
        drop(removed);
    }

    /// Closes all files of a log.
    pub fn forget_log(&self, log: u64) {
        let first = FileKey { log, base: Offset(i64::MIN), generation: 0, kind: Kind::Log };
        let last = FileKey { log, base: Offset(i64::MAX), generation: u32::MAX, kind: Kind::TimeIndex };
        let mut inner = self.inner.lock();
        let keys: Vec<FileKey> = inner.held.range(first..=last).map(|(key, _)| *key).collect();
        let removed: Vec<_> = keys.into_iter().filter_map(|key| inner.remove(key)).collect();
        drop(inner);
        drop(removed);
    }

    /// Number of files held.
    pub fn len(&self) -> usize {
        self.inner.lock().held.len()
    }
}

impl Inner {
    fn touch(&mut self, key: FileKey) -> Option<Held> {
        let (held, used) = self.held.get_mut(&key)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        let held = held.clone();
        self.by_use.insert(self.uses, key);
        Some(held)
    }

    fn insert(&mut self, key: FileKey, held: Held, held_max: usize) -> Vec<Held> {
        let mut evicted: Vec<Held> = self.remove(key).into_iter().collect();
        while self.held.len() >= held_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            evicted.extend(self.held.remove(&oldest).map(|(held, _)| held));
        }
        self.uses += 1;
        self.held.insert(key, (held, self.uses));
        self.by_use.insert(self.uses, key);
        evicted
    }

    fn remove(&mut self, key: FileKey) -> Option<Held> {
        let (held, used) = self.held.remove(&key)?;
        self.by_use.remove(&used);
        Some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::RealFs;

    #[test]
    fn the_least_recently_used_file_is_closed_first() {
        let dir = super::super::testing::TempDir::new();
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        for base in 0..3 {
            fs.open(&segment_path(dir.path(), Offset(base), Kind::Log), OpenHow::CreateNew).unwrap();
        }
        let pool = FilePool::new(fs, 2);
        let key = |base| FileKey { log: 1, base: Offset(base), generation: 0, kind: Kind::Log };
        for base in [0, 1, 0, 2] {
            pool.file(dir.path(), key(base)).unwrap();
        }
        assert_eq!(pool.len(), 2);
        assert!(pool.inner.lock().touch(key(0)).is_some());
        assert!(pool.inner.lock().touch(key(1)).is_none());
        pool.forget_log(1);
        assert_eq!(pool.len(), 0);
    }

    #[test]
    fn only_names_of_twenty_digits_are_segments() {
        assert_eq!(base_of(Path::new("/d/00000000000000000042.log"), "log"), Some(Offset(42)));
        for name in
            ["42.log", "0000000000000000004x.log", "99999999999999999999.log", "00000000000000000042.index"]
        {
            assert_eq!(base_of(Path::new(name), "log"), None, "{name}");
        }
    }
}
