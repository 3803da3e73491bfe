//! A log directory: its partitions, and what its threads do to them. The only place that knows all files
//! of this folder.

use super::clean::Checkpoint;
use super::commit::CommitQueue;
use super::files::FilePool;
use super::health::{Health, LogDirState};
use super::journal::Journal;
use super::keep::{Keeper, MarksFile};
use super::log::{Identity, LocalLog};
use super::meta::Meta;
use super::open_dir::make_durable;
use super::proof::SealCache;
use super::recover::{Known, Opened, Recovery, recover, start_new};
use super::reserve::Reserve;
use super::scan::is_unreadable;
use super::scrub::Sealer;
use super::trash::Trash;
use crate::log::LogSettings;
use crate::sys::{Clock, FileLock, Fs, Rng, Space};
use crate::types::{Offset, TopicId, TopicPartition, Uuid};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// How a log directory works.
#[derive(Clone, Copy, Debug)]
pub struct LogDirOptions {
    /// Who runs the commit rounds.
    pub commit: Commit,
    /// Files kept open at rest; files with unsynced bytes stay open beyond it until their round.
    pub open_files_max: usize,
    /// Longest time between two writings of the marks while something moves.
    pub mark_interval: Duration,
    /// Bytes appended after which the marks are written before the interval is over.
    pub mark_bytes: u64,
    /// Bytes kept for the time when the disk is full, so that deletions and marks still find room; 0 for none.
    pub reserve_bytes: u64,
    /// Most bytes a second that are read for sealing segments.
    pub seal_bytes_per_second: u64,
    /// Fewest logs with small appends of which a commit round puts into the journal; 0 for a sync of each file always.
    pub journal_logs_min: usize,
    /// Most logs that have durable records in the journal alone: each holds its file open.
    pub journal_logs_max: usize,
    /// Size of a journal file, of which there are two.
    pub journal_bytes: u64,
    /// Within this time every sealed segment is read and compared with its seal; zero for never.
    pub scrub_interval: Duration,
    /// Most bytes a second that are read for it.
    pub scrub_bytes_per_second: u64,
}

impl Default for LogDirOptions {
    /// A crash leaves at most about 64 MiB to scan, a fraction of a second; 1,000 files suit the usual limit of 1,024
    /// only with room for sockets, which servers raise.
    fn default() -> LogDirOptions {
        LogDirOptions {
            commit: Commit::Thread,
            open_files_max: 1000,
            mark_interval: Duration::from_secs(5),
            mark_bytes: 64 << 20,
            reserve_bytes: 0,
            seal_bytes_per_second: 128 << 20,
            journal_logs_min: 3,
            journal_logs_max: 10_000,
            journal_bytes: 32 << 20,
            scrub_interval: Duration::from_secs(7 * 24 * 3600),
            scrub_bytes_per_second: 32 << 20,
        }
    }
}

/// Who runs the commit rounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Commit {
    /// A thread of the directory, as soon as there is something to sync.
    Thread,
    /// A task of the runtime in which the directory was opened, at instants of its clock: a whole broker in one
    /// thread, where one seed gives one order.
    Task,
    /// The caller, by `commit_round`: tests and the simulator.
    Manual,
}

/// A log directory in use by this process.
pub struct LogDir {
    pub(super) fs: Arc<dyn Fs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) path: PathBuf,
    pub(super) options: LogDirOptions,
    pub(super) pool: FilePool,
    pub(super) seals: SealCache,
    pub(super) sealer: Arc<Sealer>,
    pub(super) queue: Arc<CommitQueue>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) health: Arc<Health>,
    pub(super) meta: Meta,
    pub(super) was_clean: bool,
    /// Held while marks are collected and written. Taken before a log's `state`, never after.
    pub(super) marks: Mutex<MarksFile>,
    pub(super) bytes_since_marks: AtomicU64,
    pub(super) logs: Mutex<BTreeMap<TopicPartition, Weak<LocalLog>>>,
    pub(super) opening: Mutex<BTreeSet<TopicPartition>>,
    /// Its logs are being closed, all of them.
    pub(super) closing: AtomicBool,
    /// Log start offsets that wait for the marks: by the log's number, so that there is one of each log at most.
    pub(super) starts: Mutex<BTreeMap<u64, (Weak<LocalLog>, Offset)>>,
    /// Held from taking them to having shown them. Taken before `marks` and before a log's `tidying`, never after.
    pub(super) settling: Mutex<()>,
    pub(super) trash: Arc<Trash>,
    pub(super) reserve: Reserve,
    pub(super) journal: Journal,
    /// Logs whose sync failed while they were opened: what the page cache shows of them cannot be believed, and
    /// trying again proves nothing. Bounded by the number of partitions.
    pub(super) unsyncable: Mutex<BTreeSet<TopicPartition>>,
    pub(super) numbers: AtomicU64,
    /// How far the logs are cleaned. Taken before `marks` and a log's `state`, never after.
    pub(super) cleaned: Checkpoint,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
    /// Given back at `close`, so that another may open the directory though somebody still holds this.
    pub(super) lock: Mutex<Option<FileLock>>,
}

/// Why a partition's log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogError {
    /// This process has it open.
    #[error("the log of {0} is open already")]
    AlreadyOpen(TopicPartition),
    /// The file system said no.
    #[error("cannot open the log: {0}")]
    Storage(#[from] io::Error),
}

impl LogDir {
    /// The last shutdown left its clean mark; a new directory counts as clean.
    pub fn was_clean(&self) -> bool {
        self.was_clean
    }

    /// Id of the cluster.
    pub fn cluster_id(&self) -> Uuid {
        self.meta.cluster_id
    }

    /// Id of this directory.
    pub fn directory_id(&self) -> Uuid {
        self.meta.directory_id
    }

    /// Id of the broker that it belongs to.
    pub fn node_id(&self) -> i32 {
        self.meta.node_id
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can be used; `health.rs` says what it fails from.
    pub fn state(&self) -> LogDirState {
        self.health.state()
    }

    /// Changes once, when the directory fails.
    pub fn watch_state(&self) -> watch::Receiver<LogDirState> {
        self.health.watch()
    }

    /// Opens or makes the log of a partition. The tail that a crash may have torn is recovered here, not when the
    /// directory is opened, so that start time does not grow with the number of partitions. A directory of the same
    /// name that belongs to another topic id, or to nobody knows whom, is put aside for deletion first.
    pub fn open_partition(
        self: &Arc<Self>,
        name: &TopicPartition,
        id: TopicId,
        settings: LogSettings,
    ) -> Result<(Arc<LocalLog>, Recovery), OpenLogError> {
        let known = self.known(id, name);
        self.open_known(name, id, settings, known)
    }

    /// As [`LogDir::open_partition`] for a partition whose directory was brought here while nobody had it open: what
    /// the marks here say of it, if anything, is of an earlier time, so all of the log is read. What was found is
    /// marked before this returns.
    pub fn adopt_partition(
        self: &Arc<Self>,
        name: &TopicPartition,
        id: TopicId,
        settings: LogSettings,
    ) -> Result<(Arc<LocalLog>, Recovery), OpenLogError> {
        // What the journal has of it is of an earlier time, too.
        self.journal.left.recovered(self.fs(), (id, name.partition));
        let opened = self.open_known(name, id, settings, Known::Lost)?;
        self.write_marks(false)?;
        Ok(opened)
    }

    fn open_known(
        self: &Arc<Self>,
        name: &TopicPartition,
        id: TopicId,
        settings: LogSettings,
        known: Known,
    ) -> Result<(Arc<LocalLog>, Recovery), OpenLogError> {
        self.health.check()?;
        let _opening = self.begin_opening(name)?;
        let path = self.path.join(name.to_string());
        if self.fs.is_dir(&path) {
            // The id is synced with the first commit round. So a directory without one, of which the marks know
            // nothing, holds nothing that was acknowledged, and it may be left of a topic that was deleted.
            let other = match self.stored_id(&path)? {
                Some(stored) => self.is_another(stored, id, name),
                None => known == Known::Never,
            };
            if other {
                self.put_aside(name, Duration::ZERO)?;
            }
        }
        let identity = Identity {
            dir: self.clone(),
            number: self.numbers.fetch_add(1, Ordering::Relaxed),
            name: name.clone(),
            id,
            path,
        };
        let promised = matches!(known, Known::Marked(mark) if mark.point.end > Offset::ZERO);
        let Opened { state, recovery, gaps } = if self.unsyncable.lock().contains(name) {
            return Err(io::Error::other("a sync of this log failed when it was opened before").into());
        } else if promised || self.fs.is_dir(&identity.path) {
            if !self.fs.is_dir(&identity.path) {
                tracing::error!(partition = %name, "the directory of a partition is missing");
                make_durable(&*self.fs, &identity.path)?;
            }
            let opened = recover(&identity, known, settings)?;
            self.journal.left.recovered(self.fs(), (id, name.partition));
            opened
        } else {
            let state = start_new(&identity, settings)?;
            Opened { state, recovery: Recovery::default(), gaps: Vec::new() }
        };
        let log = LocalLog::new(identity, state);
        log.drop_snapshots_above(recovery.end)?;
        log.load_damage(&gaps);
        self.seal_later(log.number(), log.me.clone());
        self.logs.lock().insert(name.clone(), Arc::downgrade(&log));
        Ok((log, recovery))
    }

    /// Room on the file system.
    pub fn space(&self) -> io::Result<Space> {
        self.fs.space(&self.path)
    }

    /// Files held open at rest.
    pub fn open_files(&self) -> usize {
        self.pool.len()
    }

    /// One commit round, and the marks, removals and seals that are due: what the threads do under `Commit::Thread`.
    pub fn commit_round(&self) {
        self.commit_waiting();
        self.keep(false);
        self.empty_trash(&mut |_| false);
        self.seal_round();
    }

    /// After all logs are closed: last marks and the clean mark, and the lock is given back. With a log still open
    /// there is no clean mark, and the lock is held until that log is gone too.
    pub fn close(&self) -> io::Result<()> {
        self.queue.stop();
        self.keeper.stop();
        // What waits still is found by its name at the next start.
        self.trash.stop();
        self.sealer.stop();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            let _ = thread.join();
        }
        if let Err(failed) = self.health.check() {
            // Nothing is written to it any more, and nobody of this process will use it.
            self.take_logs_offline();
            drop(self.lock.lock().take());
            return Err(failed);
        }
        self.commit_waiting();
        if let Err(error) = self.settle_starts() {
            tracing::warn!(%error, "cannot move log start offsets");
        }
        let found = self.find_lost_marks();
        let all_closed = self.open_logs().is_empty();
        let written = found.and_then(|()| self.write_marks(all_closed));
        if all_closed && written.is_ok() {
            self.journal.remove(self.fs());
        }
        if all_closed {
            // Also without the clean mark: nothing of this process will write here any more.
            drop(self.lock.lock().take());
        }
        written
    }

    /// Makes durable what every log that waits has, small things in the journal first.
    pub(super) fn commit_waiting(&self) {
        let waiting = self.queue.take(self.clock.mono());
        let logs: Vec<Arc<LocalLog>> = waiting.iter().filter_map(Weak::upgrade).collect();
        for log in self.journal_round(&logs) {
            log.commit();
        }
        if self.health.is_failed() {
            self.take_logs_offline();
        }
        if self.bytes_since_marks.load(Ordering::Relaxed) >= self.options.mark_bytes {
            self.keeper.wake();
        }
    }

    /// After the directory failed: no log in it takes or acknowledges anything any more. For callers without a lock
    /// of a log.
    pub fn take_logs_offline(&self) {
        for log in self.open_logs() {
            log.take_offline();
        }
    }

    /// Makes the names in the directory durable. If that fails, the names of new partitions may be lost though a later
    /// sync succeeds, so their logs go offline.
    pub(super) fn sync_root(&self) -> io::Result<()> {
        self.health.check()?;
        let synced = self.fs.sync_dir(&self.path);
        if let Err(error) = &synced {
            for log in self.open_logs() {
                log.parent_sync_failed(error);
            }
        }
        synced
    }

    /// A sync failed while the log was opened.
    pub(super) fn note_unsyncable(&self, name: &TopicPartition) {
        self.unsyncable.lock().insert(name.clone());
    }

    /// Keeps others from opening the partition until the result is dropped.
    fn begin_opening(&self, name: &TopicPartition) -> Result<Opening<'_>, OpenLogError> {
        let mut opening = self.opening.lock();
        let open = self.logs.lock().get(name).and_then(Weak::upgrade);
        if open.is_some() || !opening.insert(name.clone()) {
            return Err(OpenLogError::AlreadyOpen(name.clone()));
        }
        Ok(Opening { dir: self, name: name.clone() })
    }

    fn known(&self, id: TopicId, name: &TopicPartition) -> Known {
        let file = self.marks.lock();
        match file.marks.by_partition.get(&(id, name.partition)) {
            Some(mark) => Known::Marked(*mark),
            None if file.marks.lost => Known::Lost,
            None => Known::Never,
        }
    }

    pub(super) fn open_logs(&self) -> Vec<Arc<LocalLog>> {
        self.logs.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// A random part of `segment.jitter.ms`.
    pub(super) fn jitter(&self, settings: &LogSettings) -> i64 {
        let most = settings.segment_jitter_ms.min(settings.segment_ms);
        match u64::try_from(most) {
            Ok(most) if most > 0 => i64::try_from(self.rng.next_u64() % most).unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn note_bytes(&self, bytes: u64) {
        self.bytes_since_marks.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn fs(&self) -> &dyn Fs {
        &*self.fs
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn pool(&self) -> &FilePool {
        &self.pool
    }

    pub(super) fn seals(&self) -> &SealCache {
        &self.seals
    }

    pub(super) fn queue(&self) -> &CommitQueue {
        &self.queue
    }
}

/// A partition that is being opened.
struct Opening<'a> {
    dir: &'a LogDir,
    name: TopicPartition,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.dir.opening.lock().remove(&self.name);
    }
}

impl Drop for LogDir {
    fn drop(&mut self) {
        // The threads hold the directory only while they work; they see this and end.
        self.queue.stop();
        self.keeper.stop();
        self.trash.stop();
        self.sealer.stop();
    }
}

pub(super) fn read_if_there(fs: &dyn Fs, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Like [`read_if_there`], a file that the disk does not give counting as lost.
pub(super) fn read_if_sound(fs: &dyn Fs, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match read_if_there(fs, path) {
        Err(error) if is_unreadable(&error) => {
            tracing::error!(file = %path.display(), %error, "a file cannot be read");
            Ok(None)
        }
        read => read,
    }
}
