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
    /// What recovery finds behind the mark is shown though it may be in the page cache only: it syncs neither the
    /// copies of segments that it makes, nor the bytes that it writes again, nor the names of both.
    RecoveryWithoutSync,
    /// Cleaned segments take the place of others before they are synced.
    CleanedNotSynced,
    /// The old segments go before the names under which cleaned ones wait are synced.
    SwapNotCommitted,
    /// A swap is taken for done before the new names are synced.
    SwapNotFinished,
    /// Segments are replaced though the mark on disk is not behind them: a process writes marks only once. Of all that
    /// goes by the marks it shows only in what compaction does, so nothing else may remove records.
    MarksNotWritten,
}

impl Lie {
    /// Whether a workload must not delete records, nor let them expire, so that the lie is seen where it is meant.
    pub fn keeps_starts(self) -> bool {
        self == Lie::MarksNotWritten
    }

    /// Whether it is told so seldom, or for so short a time, that only a crash behind it is of interest.
    pub fn is_brief(self) -> bool {
        matches!(self, Lie::CleanedNotSynced | Lie::SwapNotCommitted | Lie::SwapNotFinished)
    }
}

const MARKS: &str = "logboom.marks";

/// What is called before each change, with the number of changes so far, and whether a sync that was said to be done
/// has not been made good since.
pub type Watcher = Box<dyn FnMut(u64, bool, &SimFs) + Send>;

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
    /// Files that became longer since the process began: recovery only writes again what is there.
    extended: BTreeSet<PathBuf>,
    /// Directories in which names other than that of the marks changed since they were last synced.
    renamed: BTreeSet<PathBuf>,
    /// Directories in which this process wrote marks: the first time takes back that the last one ended well.
    marked: BTreeSet<PathBuf>,
    /// What was said to be synced and is not.
    lied_of: BTreeSet<PathBuf>,
}

struct WatchedFile {
    disk: Disk,
    path: PathBuf,
    file: Arc<dyn File>,
}

impl Disk {
    pub fn new(sim: SimFs, lie: Option<Lie>, watcher: Watcher) -> Disk {
        let eye = Eye {
            changes: 0,
            watcher,
            extended: BTreeSet::new(),
            renamed: BTreeSet::new(),
            marked: BTreeSet::new(),
            lied_of: BTreeSet::new(),
        };
        Disk { sim, eye: Arc::new(Mutex::new(eye)), lie }
    }

    /// The disk below, for faults.
    pub fn sim(&self) -> &SimFs {
        &self.sim
    }

    /// Whoever looks from here on is another process.
    pub fn process_ends(&self) {
        let mut eye = self.eye.lock();
        eye.extended.clear();
        eye.marked.clear();
    }

    fn change(&self) {
        let mut eye = self.eye.lock();
        let at = eye.changes;
        let is_lying = !eye.lied_of.is_empty();
        (eye.watcher)(at, is_lying, &self.sim);
        eye.changes += 1;
    }

    /// A change of a name.
    fn change_name(&self, path: &Path) {
        self.change();
        let is_marks = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(MARKS));
        if let Some(dir) = path.parent().filter(|_| !is_marks) {
            self.eye.lock().renamed.insert(dir.to_owned());
        }
    }

    /// Takes note of whether a sync is left out.
    fn lies(&self, path: &Path, skipped: bool) -> bool {
        let mut eye = self.eye.lock();
        let _ = if skipped { eye.lied_of.insert(path.to_owned()) } else { eye.lied_of.remove(path) };
        skipped
    }

    fn skips_sync(&self, path: &Path) -> bool {
        let is_clients = !path.to_string_lossy().contains("__");
        let is_data = is_clients && has_suffix(path, "log");
        match self.lie {
            Some(Lie::AckBeforeSync) => is_data,
            Some(Lie::OldSegmentForgotten) => {
                is_data && self.segments_beside(path).last() != Some(&path.to_owned())
            }
            Some(Lie::RecoveryWithoutSync) => {
                let is_copy = is_clients && path.to_string_lossy().ends_with(".log.tmp");
                is_copy || is_data && !self.eye.lock().extended.contains(path)
            }
            Some(Lie::CleanedNotSynced) => has_suffix(path, "cleaned"),
            Some(
                Lie::NoDirSyncAfterRoll
                | Lie::StartBeforeMarks
                | Lie::SwapNotCommitted
                | Lie::SwapNotFinished
                | Lie::MarksNotWritten,
            )
            | None => false,
        }
    }

    fn skips_dir_sync(&self, dir: &Path) -> bool {
        match self.lie {
            Some(Lie::NoDirSyncAfterRoll) => self.segments_beside(&dir.join("x.log")).len() > 1,
            Some(Lie::StartBeforeMarks) => {
                let is_marks = self.sim.exists(&dir.join(MARKS)) && !self.eye.lock().renamed.contains(dir);
                is_marks && self.has_marked(dir)
            }
            Some(Lie::RecoveryWithoutSync) => {
                let segments = self.segments_beside(&dir.join("x.log"));
                let eye = self.eye.lock();
                let is_clients = !dir.to_string_lossy().contains("__");
                is_clients && !segments.is_empty() && !segments.iter().any(|path| eye.extended.contains(path))
            }
            Some(Lie::SwapNotCommitted) => self.has_waiting(dir, ".log.swap"),
            Some(Lie::SwapNotFinished) => {
                self.has_waiting(dir, ".seal.swap") && !self.has_waiting(dir, ".log.swap")
            }
            _ => false,
        }
    }

    /// Whether this process wrote marks there before, which then has done so.
    fn has_marked(&self, dir: &Path) -> bool {
        !self.eye.lock().marked.insert(dir.to_owned())
    }

    fn has_waiting(&self, dir: &Path, ending: &str) -> bool {
        let all = self.sim.list(dir).unwrap_or_default();
        all.iter().any(|path| path.to_string_lossy().ends_with(ending))
    }

    fn segments_beside(&self, path: &Path) -> Vec<PathBuf> {
        let all = self.sim.list(path.parent().unwrap_or(path)).unwrap_or_default();
        all.into_iter().filter(|path| has_suffix(path, "log")).collect()
    }
}

fn has_suffix(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|suffix| suffix == wanted)
}

impl Fs for Disk {
    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Arc<dyn File>> {
        if matches!(how, OpenHow::Create | OpenHow::CreateNew) && !self.sim.exists(path) {
            self.change_name(path);
        }
        let file = self.sim.open(path, how)?;
        Ok(Arc::new(WatchedFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, source: &Path, target: &Path) -> io::Result<()> {
        self.change_name(target);
        let is_marks = target.file_name().is_some_and(|name| name == MARKS);
        if self.lie == Some(Lie::MarksNotWritten)
            && let Some(dir) = target.parent().filter(|_| is_marks)
            && self.has_marked(dir)
        {
            return self.sim.remove(source);
        }
        self.sim.rename(source, target)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change_name(path);
        self.sim.remove(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if !self.sim.is_dir(path) {
            self.change_name(path);
        }
        self.sim.create_dir_all(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        // One by one, so that the process can die between two.
        for child in self.sim.list(path)? {
            if self.sim.is_dir(&child) { self.remove_dir_all(&child)? } else { self.remove(&child)? }
        }
        self.change_name(path);
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
        if self.lies(dir, self.skips_dir_sync(dir)) {
            return Ok(());
        }
        self.eye.lock().renamed.remove(dir);
        self.sim.sync_dir(dir)
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
        let end = at + parts.iter().map(|part| part.len() as u64).sum::<u64>();
        if end > self.file.size()? {
            self.disk.eye.lock().extended.insert(self.path.clone());
        }
        self.file.write_all_at(parts, at)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.change();
        let skipped = self.disk.lies(&self.path, self.disk.skips_sync(&self.path));
        if skipped { Ok(()) } else { self.file.sync_data() }
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
