//! A simulated disk that is watched: before every call that changes it, whoever watches may take a picture of what a
//! crash at that moment would leave. It can also be told to lie, in the place of a broker with a defect. It must not
//! know what is stored in it.

use logboom::sys::{File, FileLock, Fs, OpenHow, SimFs, Space};
use logboom::types::TimestampMs;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a broker with a defect leaves undone; the disk says that it was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// Records are acknowledged before they are synced.
    AckBeforeSync,
    /// After a roll only the new segment is synced, and not what was still unsynced of the old one.
    OldSegmentForgotten,
    /// The name of a segment begun by a roll is not synced.
    NoDirSyncAfterRoll,
    /// A log start offset is shown before the marks that hold it are durable.
    StartBeforeMarks,
    /// What recovery finds behind the mark is shown though it may be in the page cache only.
    RecoveryWithoutSync,
}

/// What is called before each change, with the number of changes so far.
pub type Watcher = Box<dyn FnMut(u64, &SimFs) + Send>;

/// The disk; clones are handles of the same one.
#[derive(Clone)]
pub struct Disk {
    sim: SimFs,
    eye: Arc<Mutex<Eye>>,
    lie: Option<Lie>,
}

struct Eye {
    changes: u64,
    watcher: Watcher,
    /// Files that were written since the process began.
    written: BTreeSet<PathBuf>,
}

struct WatchedFile {
    disk: Disk,
    path: PathBuf,
    file: Arc<dyn File>,
}

impl Disk {
    pub fn new(sim: SimFs, lie: Option<Lie>, watcher: Watcher) -> Disk {
        let eye = Eye { changes: 0, watcher, written: BTreeSet::new() };
        Disk { sim, eye: Arc::new(Mutex::new(eye)), lie }
    }

    /// The disk below, for faults.
    pub fn sim(&self) -> &SimFs {
        &self.sim
    }

    /// Whoever looks from here on is another process.
    pub fn process_ends(&self) {
        self.eye.lock().written.clear();
    }

    fn change(&self) {
        let mut eye = self.eye.lock();
        let at = eye.changes;
        (eye.watcher)(at, &self.sim);
        eye.changes += 1;
    }

    fn skips_sync(&self, path: &Path) -> bool {
        let is_data =
            path.extension().is_some_and(|suffix| suffix == "log") && !path.to_string_lossy().contains("__");
        match self.lie {
            Some(Lie::AckBeforeSync) => is_data,
            Some(Lie::OldSegmentForgotten) => {
                is_data && self.segments_beside(path).last() != Some(&path.to_owned())
            }
            Some(Lie::RecoveryWithoutSync) => is_data && !self.eye.lock().written.contains(path),
            Some(Lie::NoDirSyncAfterRoll | Lie::StartBeforeMarks) | None => false,
        }
    }

    fn skips_dir_sync(&self, dir: &Path) -> bool {
        match self.lie {
            Some(Lie::NoDirSyncAfterRoll) => self.segments_beside(&dir.join("x.log")).len() > 1,
            Some(Lie::StartBeforeMarks) => self.sim.exists(&dir.join("logboom.marks")),
            _ => false,
        }
    }

    fn segments_beside(&self, path: &Path) -> Vec<PathBuf> {
        let all = self.sim.list(path.parent().unwrap_or(path)).unwrap_or_default();
        all.into_iter().filter(|path| path.extension().is_some_and(|suffix| suffix == "log")).collect()
    }
}

impl Fs for Disk {
    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Arc<dyn File>> {
        if matches!(how, OpenHow::Create | OpenHow::CreateNew) && !self.sim.exists(path) {
            self.change();
        }
        let file = self.sim.open(path, how)?;
        Ok(Arc::new(WatchedFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, source: &Path, target: &Path) -> io::Result<()> {
        self.change();
        self.sim.rename(source, target)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change();
        self.sim.remove(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if !self.sim.is_dir(path) {
            self.change();
        }
        self.sim.create_dir_all(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        // One by one, so that the process can die between two.
        for child in self.sim.list(path)? {
            if self.sim.is_dir(&child) { self.remove_dir_all(&child)? } else { self.remove(&child)? }
        }
        self.change();
        self.sim.remove_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.sim.list(dir)
    }

    fn exists(&self, path: &Path) -> bool {
        self.sim.exists(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.sim.is_dir(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change();
        if self.skips_dir_sync(dir) { Ok(()) } else { self.sim.sync_dir(dir) }
    }

    fn lock(&self, path: &Path) -> io::Result<FileLock> {
        self.sim.lock(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.sim.space(path)
    }
}

impl File for WatchedFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buf, at)
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        self.disk.change();
        self.disk.eye.lock().written.insert(self.path.clone());
        self.file.write_all_at(parts, at)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.change();
        if self.disk.skips_sync(&self.path) { Ok(()) } else { self.file.sync_data() }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.change();
        self.file.set_len(len)
    }

    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn modified(&self) -> io::Result<Option<TimestampMs>> {
        self.file.modified()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
