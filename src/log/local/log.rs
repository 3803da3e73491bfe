//! The log of one partition in local files: its state, and the trait's calls handed to the files that do the work.
//!
//! Locks, in the order in which one thread may take them, none of them twice:
//!
//! 1. `LogDir::settling`
//! 2. `tidying`
//! 3. `syncing`, or `rebuilding`, never both
//! 4. `LogDir::cleaned`
//! 5. `LogDir::marks`, which is written while it is held
//! 6. `state`, of one log only
//! 7. one of the rest: `damages`, `proofs` and what was checked of one segment, `LogDir::{starts, logs, unsyncable}`,
//!    the files of the journal, the pools and caches, the queues of the threads. Under them nothing is called that
//!    takes a lock of this list
//!    (`LogDir::opening`, under which `logs` is looked at, is held by nobody who has any other).
//!
//! Checking bytes before they are served (`prove`) takes `state`, `damages` and `proofs` in turn, never two at a time,
//! and may come to build an index anew, which takes `rebuilding`: whoever holds that walks over batches only after
//! having noted that the indexes of the segment were seen to, so that the check does not come back for it.

use super::damage::Damages;
use super::dir::LogDir;
use super::epochs::Epochs;
use super::files::{FileKey, Kind};
use super::marks::{MarkKey, Point};
use super::proof::Proofs;
use super::segment::{Active, Reached, Sealed, Spot};
use crate::log::{
    AppendError, Appended, CutError, Found, LogMarks, LogSettings, LogState, PartitionLog, ReadError,
    ReadLimit, ReadPlan, Retained, Retention, Ticket,
};
use crate::record::{BatchHeader, CheckedBatches};
use crate::sys::File;
use crate::types::{Epoch, MonoNs, Offset, TimestampMs, TopicId, TopicPartition};
use bytes::Bytes;
use parking_lot::Mutex;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::watch;

/// The log of one partition in local files. Made by `LogDir::open_partition`.
pub struct LocalLog {
    pub(super) me: Weak<LocalLog>,
    dir: Arc<LogDir>,
    /// Names the log in the pool of open files.
    number: u64,
    name: TopicPartition,
    id: TopicId,
    path: PathBuf,
    /// The short lock: no sync inside.
    pub(super) state: Mutex<State>,
    /// Held while files are synced and the outcome is taken over, so that a commit round, `reopen` and `close` do
    /// not cross. Taken before `state`, never after.
    pub(super) syncing: Mutex<()>,
    /// Held while a sealed index is built anew, and while segments are replaced. Taken before `state`.
    pub(super) rebuilding: Mutex<()>,
    /// Held while segments are removed from the front or replaced, so that the two do not cross; never while data is
    /// read or written. Taken before the marks of the directory, `rebuilding` and `state`. Whoever has it looks
    /// again whether the segments are still what they were.
    pub(super) tidying: Mutex<()>,
    /// Counts replacements of segments. Raised under `state`, before the first file has another name: who looked at
    /// the segments, then opened files, and finds it unchanged, has the files of the segments that it saw.
    layout: AtomicU64,
    /// A replacement was committed on disk and could not be finished: the next opening finishes it.
    pub(super) swap_pending: AtomicBool,
    /// What is known of damage. Taken after `state`, never before.
    pub(super) damages: Mutex<Damages>,
    /// What is left to check before it is served.
    pub(super) proofs: Proofs,
    pub(super) marks: watch::Sender<LogMarks>,
    pub(super) lives: Arc<AtomicU64>,
}

/// What the short lock guards.
pub(super) struct State {
    pub settings: LogSettings,
    /// Ascending; each ends where the next, or the active one, begins.
    pub sealed: Vec<Sealed>,
    pub active: Active,
    pub epochs: Epochs,
    /// The epochs differ from their file.
    pub epochs_moved: bool,
    pub start: Offset,
    pub end: Offset,
    /// The durable end.
    pub point: Point,
    /// The end of what is synced in the log's own files, in the segment of `point` or at its beginning. What lies
    /// between the two is in the journal, and the file is among `unsynced`.
    pub filed: Point,
    /// The high watermark.
    pub seen: Spot,
    /// Batch boundaries that readers who keep up will ask for next, newest last.
    pub recent: [Spot; 4],
    /// Those that they came to.
    pub reached: Reached,
    pub phase: LogState,
    /// Files with bytes that were never synced, held open: a sync through another handle may miss their errors.
    pub unsynced: Vec<Arc<dyn File>>,
    /// The last of `unsynced` is the active segment's.
    pub active_unsynced: bool,
    /// The partition's directory has names that were never synced.
    pub names_unsynced: bool,
    /// The same of the log directory.
    pub parent_unsynced: bool,
    /// The names of the directory and of its first segment were made durable once.
    pub names_durable: bool,
    /// Index files with bytes that were never synced, by segment.
    pub unsynced_indexes: Vec<(Offset, Arc<dyn File>)>,
    /// The directory has names of index files that were never synced.
    pub index_names_unsynced: bool,
    /// A commit round knows of this log.
    pub queued: bool,
    /// Records that no commit round has taken, counted where `flush.messages` is above 1.
    pub unflushed: i64,
    /// When `flush.ms` asks for a sync.
    pub flush_due: Option<MonoNs>,
    /// A segment was begun and no append has reported it.
    pub rolled_at: Option<Offset>,
}

/// What `LogDir` knows when it makes a log.
pub(super) struct Identity {
    pub dir: Arc<LogDir>,
    pub number: u64,
    pub name: TopicPartition,
    pub id: TopicId,
    pub path: PathBuf,
}

impl LocalLog {
    pub(super) fn new(identity: Identity, state: State) -> Arc<LocalLog> {
        let marks = LogMarks {
            start: state.start,
            durable: state.point.end,
            high_watermark: state.seen.offset,
            end: state.end,
            state: state.phase,
        };
        let Identity { dir, number, name, id, path } = identity;
        Arc::new_cyclic(|me| LocalLog {
            me: me.clone(),
            dir,
            number,
            name,
            id,
            path,
            state: Mutex::new(state),
            syncing: Mutex::new(()),
            rebuilding: Mutex::new(()),
            tidying: Mutex::new(()),
            layout: AtomicU64::new(0),
            swap_pending: AtomicBool::new(false),
            damages: Mutex::default(),
            proofs: Mutex::default(),
            marks: watch::Sender::new(marks),
            lives: Arc::default(),
        })
    }

    /// The partition.
    pub fn name(&self) -> &TopicPartition {
        &self.name
    }

    /// The id of its topic.
    pub fn topic_id(&self) -> TopicId {
        self.id
    }

    /// What the marks and the journal know it by.
    pub(super) fn key_of_marks(&self) -> MarkKey {
        (self.id, self.name.partition)
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn dir(&self) -> &Arc<LogDir> {
        &self.dir
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            dir: self.dir.clone(),
            number: self.number,
            name: self.name.clone(),
            id: self.id,
            path: self.path.clone(),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Names a file of a segment that no compaction has replaced: the active one, or one that is being sealed.
    pub(super) fn key(&self, base: Offset, kind: Kind) -> FileKey {
        FileKey { log: self.number, base, generation: 0, kind }
    }

    /// The active segment's file.
    pub(super) fn log_file(&self, base: Offset) -> io::Result<Arc<dyn File>> {
        self.dir.pool().file(&self.path, self.key(base, Kind::Log))
    }

    /// The number of replacements so far.
    pub(super) fn layout(&self) -> u64 {
        self.layout.load(Ordering::SeqCst)
    }

    /// Counts a replacement; the number is the generation of the new files. The caller has `state`.
    pub(super) fn next_layout(&self) -> u64 {
        self.layout.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Does `look` again as long as segments were replaced meanwhile, since what it read may be of both sides. It
    /// ends: a replacement takes the rewriting of a segment, `look` a few reads.
    pub(super) fn steady<T>(&self, mut look: impl FnMut() -> Result<T, ReadError>) -> Result<T, ReadError> {
        loop {
            let before = self.layout();
            let found = look();
            if self.layout() == before {
                return found;
            }
        }
    }

    /// Its directory failed, which was said once, there.
    pub(super) fn take_offline(&self) {
        let mut state = self.state.lock();
        if state.phase == LogState::Online {
            state.phase = LogState::Failed;
            self.marks.send_modify(|marks| marks.state = LogState::Failed);
        }
    }

    /// Takes the log offline: what is not durable by now may be lost.
    pub(super) fn fail(&self, state: &mut State, error: &io::Error, doing: &str) {
        if state.phase != LogState::Online {
            return;
        }
        tracing::error!(partition = %self.name, %error, doing, "log taken offline");
        state.phase = LogState::Failed;
        self.marks.send_modify(|marks| marks.state = LogState::Failed);
    }
}

impl State {
    /// The state of a log that ends at its durable point.
    pub(super) fn resting(settings: LogSettings, sealed: Vec<Sealed>, active: Active, point: Point) -> State {
        State {
            settings,
            sealed,
            active,
            epochs: Epochs::default(),
            epochs_moved: false,
            start: point.base,
            end: point.end,
            point,
            filed: point,
            seen: point.into(),
            recent: [point.into(); 4],
            reached: Reached::only(point.into()),
            phase: LogState::Online,
            unsynced: Vec::new(),
            active_unsynced: false,
            names_unsynced: false,
            parent_unsynced: false,
            names_durable: true,
            unsynced_indexes: Vec::new(),
            index_names_unsynced: false,
            queued: false,
            unflushed: 0,
            flush_due: None,
            rolled_at: None,
        }
    }

    /// Remembers a boundary that a reader at the end will ask for.
    pub(super) fn remember(&mut self, spot: Spot) {
        if self.recent.last() != Some(&spot) {
            self.recent.rotate_left(1);
            if let Some(last) = self.recent.last_mut() {
                *last = spot;
            }
        }
    }

    /// True if nothing is seen before it is durable.
    pub(super) fn flushes_each(&self) -> bool {
        self.settings.flush_messages <= 1
    }
}

impl PartitionLog for LocalLog {
    fn append(&self, batches: CheckedBatches, epoch: Epoch) -> Result<Appended, AppendError> {
        self.append_batches(batches, epoch)
    }

    fn ticket(&self, last: Offset) -> Ticket {
        Ticket::new(last, self.marks.subscribe(), self.lives.clone())
    }

    fn plan_read(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        self.plan(from, limit)
    }

    fn find_time(&self, at: TimestampMs) -> Result<Option<Found>, ReadError> {
        self.find_first_at(at)
    }

    fn find_max_time(&self) -> Result<Option<Found>, ReadError> {
        self.find_latest()
    }

    fn epoch_end(&self, epoch: Epoch) -> (Epoch, Offset) {
        let state = self.state.lock();
        state.epochs.end_of(epoch, state.end)
    }

    fn epoch_at(&self, at: Offset) -> Epoch {
        let state = self.state.lock();
        if at >= state.end { state.epochs.latest() } else { state.epochs.at(at) }
    }

    fn marks(&self) -> LogMarks {
        *self.marks.borrow()
    }

    fn watch(&self) -> watch::Receiver<LogMarks> {
        self.marks.subscribe()
    }

    fn replay(
        &self,
        from: Offset,
        visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.replay_from(from, visit)
    }

    fn cut_front(&self, start: Offset) -> Result<Offset, CutError> {
        self.move_start(start)
    }

    fn retain(&self, rule: &Retention, now: TimestampMs) -> io::Result<Retained> {
        self.take_out(rule, now)
    }

    fn put_snapshot(&self, at: Offset, bytes: &[u8]) -> io::Result<()> {
        self.write_snapshot(at, bytes)
    }

    fn snapshots(&self) -> Vec<(Offset, Bytes)> {
        self.read_snapshots()
    }

    fn configure(&self, settings: LogSettings) {
        self.take_settings(settings);
    }

    fn size_bytes(&self) -> u64 {
        let state = self.state.lock();
        state.sealed.iter().map(|sealed| sealed.size).sum::<u64>() + state.active.size
    }

    fn reopen(&self) -> io::Result<()> {
        self.cut_to_durable()
    }

    fn close(&self) -> io::Result<()> {
        self.finish()
    }
}
