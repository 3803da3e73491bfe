//! What a log directory does beside the commits: the marks, the removal of what is gone, and the threads for it.

use super::dir::{Commit, LogDir};
use super::log::LocalLog;
use super::marks::{self, Mark, MarkKey, Marks};
use super::reserve::{LOOK_EVERY, is_no_room};
use super::scrub::LOOK_EVERY as SCRUB_EVERY;
use crate::sys::{do_at_once, replace, spawn_thread};
use crate::types::{MonoNs, Offset, TopicId, TopicPartition};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The marks and when they were written.
pub(super) struct MarksFile {
    pub marks: Marks,
    pub written_at: MonoNs,
    /// They differ from what is on disk.
    pub moved: bool,
}

impl MarksFile {
    /// Takes a mark over. A start that was made durable stays, though the log may not show it yet: segments below it
    /// may be gone already.
    pub(super) fn put(&mut self, key: MarkKey, mark: Mark) {
        let entry = self.marks.by_partition.entry(key).or_insert(mark);
        *entry = mark.begun_at(entry.start);
    }
}

/// Instants of `Commit::Task`: as close together as timestamps can tell.
const TASK_EVERY: Duration = Duration::from_millis(1);

/// Threads that wait for the disk at once while many logs are closed or marked: a journal takes the syncs of all of
/// them in one commit.
const THREADS_MAX: usize = 32;

/// Fewer logs than this are not worth a thread.
const LOGS_PER_THREAD: usize = 4;

/// Wakes the thread that writes marks.
#[derive(Default)]
pub(super) struct Keeper {
    stopped: AtomicBool,
    gate: Mutex<bool>,
    wake: Condvar,
}

impl LogDir {
    /// Writes the marks if they are due, moves log start offsets, and looks after the room on the disk.
    pub(super) fn keep(&self, woken: bool) {
        if self.health.is_failed() {
            self.take_logs_offline();
            return;
        }
        if let Err(error) = self.settle_starts() {
            // Whoever asked asks again.
            tracing::warn!(%error, "cannot move log start offsets");
        }
        let bytes = self.bytes_since_marks.load(Ordering::Relaxed);
        let many = bytes >= self.options.mark_bytes;
        let due = many || {
            let marks = self.marks.lock();
            let late = self.clock.mono().since(marks.written_at) >= self.options.mark_interval;
            (late || woken) && (bytes > 0 || marks.moved)
        };
        if many {
            // Logs that leave syncs to the system would never move their mark, and a crash would find all to read.
            for log in self.open_logs().iter().filter(|log| log.is_unsynced()) {
                log.commit();
            }
        }
        if due
            && !self.closing.load(Ordering::Acquire)
            && let Err(error) = self.write_marks(false)
        {
            // The old marks hold as well; a crash only has more to read.
            tracing::warn!(%error, "cannot write the marks");
        }
        self.settle_journal();
        self.look_after_reserve();
    }

    pub(super) fn write_marks(&self, clean: bool) -> io::Result<()> {
        let mut file = self.marks.lock();
        self.bytes_since_marks.store(0, Ordering::Relaxed);
        // A mark promises the names of the log, which its first commit round makes durable: recovery would not sync
        // them again, and the next power cut would take them with what was acknowledged meanwhile.
        let mut logs = self.open_logs();
        logs.retain(|log| log.has_durable_names());
        for (key, mark) in self.marks_of(&logs) {
            // Until it is stored.
            file.moved = true;
            file.put(key, mark);
        }
        self.store_marks(&mut file, clean)
    }

    /// The marks of those logs that give one, many asked at once: each may have index files to sync.
    fn marks_of(&self, logs: &[Arc<LocalLog>]) -> Vec<(MarkKey, Mark)> {
        let found = Mutex::new(Vec::with_capacity(logs.len()));
        let threads = self.threads_for(logs.len());
        do_at_once("log-mark", threads, logs, |log| {
            match log.mark() {
                Ok(mark) => found.lock().push((log_key(log), mark)),
                // It was closed since it was listed, and leaves its last mark itself.
                Err(_) if log.is_closed() => {}
                Err(error) => tracing::warn!(partition = %log.name(), %error, "the mark stays where it is"),
            }
        });
        found.into_inner()
    }

    /// Threads for work on so many logs that waits for the disk; one where the order decides.
    pub(super) fn threads_for(&self, logs: usize) -> usize {
        match self.options.commit {
            Commit::Thread => (logs / LOGS_PER_THREAD).clamp(1, THREADS_MAX),
            Commit::Task | Commit::Manual => 1,
        }
    }

    /// Closes many logs, for `close` to follow, by `work` for each: at once, since each has files to sync that the disk
    /// takes together. Their marks are written once, at the end, by `close`: until then a crash finds the old ones.
    pub fn close_logs<T: Sync>(&self, logs: &[T], work: impl Fn(&T) + Sync) {
        self.closing.store(true, Ordering::Release);
        do_at_once("log-close", self.threads_for(logs.len()), logs, work);
        self.closing.store(false, Ordering::Release);
    }

    /// The mark of a log that is on disk, which recovery goes by. Written now if its segment lies below `base`.
    pub(super) fn mark_on_disk(&self, log: &LocalLog, base: Offset) -> io::Result<Mark> {
        let mut file = self.marks.lock();
        let key = log_key(log);
        if let Some(mark) = file.marks.by_partition.get(&key).filter(|_| !file.moved)
            && mark.point.base >= base
        {
            return Ok(*mark);
        }
        let mark = log.mark()?;
        file.moved = true;
        file.put(key, mark);
        self.store_marks(&mut file, false)?;
        Ok(mark)
    }

    /// Notes that a log wants a new start; the last wish of a log holds.
    pub(super) fn want_start(&self, number: u64, log: Weak<LocalLog>, start: Offset) {
        let mut starts = self.starts.lock();
        let wish = starts.entry(number).or_insert((log, start));
        wish.1 = wish.1.max(start);
        drop(starts);
        self.keeper.wake();
    }

    /// Makes the new log start offsets that were asked for durable, all in one writing of the marks, then shows them.
    /// After an error none of them has moved.
    pub(super) fn settle_starts(&self) -> io::Result<()> {
        // Whoever comes while a round is under way returns when its own wish, which that round took, has been shown.
        let _settling = self.settling.lock();
        if self.starts.lock().is_empty() {
            return Ok(());
        }
        let mut file = self.marks.lock();
        let wanted = std::mem::take(&mut *self.starts.lock());
        let mut before = Vec::new();
        let mut settled = Vec::new();
        let mut result = Ok(());
        for (log, start) in wanted.into_values() {
            let Some(log) = log.upgrade() else { continue };
            match self.mark_with_start(&file, &log, start) {
                Ok(mark) => {
                    let key = log_key(&log);
                    before.push((key, file.marks.by_partition.insert(key, mark)));
                    settled.push((log, mark));
                }
                Err(error) => result = Err(error),
            }
        }
        if settled.is_empty() {
            return result;
        }
        if let Err(error) = self.store_marks(&mut file, false) {
            for (key, mark) in before {
                match mark {
                    Some(mark) => file.marks.by_partition.insert(key, mark),
                    None => file.marks.by_partition.remove(&key),
                };
            }
            return Err(error);
        }
        drop(file);
        settled.iter().for_each(|(log, mark)| log.start_settled(mark));
        result
    }

    /// The log's mark with a new start. On a full disk, where a new mark may not be had, the last one with that start
    /// promises no more than before.
    fn mark_with_start(&self, file: &MarksFile, log: &LocalLog, start: Offset) -> io::Result<Mark> {
        let mark = match self.with_room(|| log.mark()) {
            Err(error) if is_no_room(&error) => *file.marks.by_partition.get(&log_key(log)).ok_or(error)?,
            mark => mark?,
        };
        if start > mark.point.end {
            // The log was cut back since it asked.
            return Err(io::Error::other("the records below the new start are not durable"));
        }
        Ok(mark.begun_at(start))
    }

    /// Takes over the last mark of a log that was closed.
    pub(super) fn closed(&self, log: &LocalLog, mark: Option<Mark>) {
        if let Some(mark) = mark {
            let mut file = self.marks.lock();
            file.put(log_key(log), mark);
            file.moved = true;
        }
        self.logs.lock().remove(log.name());
    }

    fn store_marks(&self, file: &mut MarksFile, clean: bool) -> io::Result<()> {
        self.health.check()?;
        file.written_at = self.clock.mono();
        file.marks.clean = clean;
        let bytes = file.marks.encode();
        let replaced = self.with_room(|| replace(&*self.fs, &self.path.join(marks::FILE), &bytes));
        let stored = replaced.and_then(|()| self.sync_root());
        self.health.marks_written(&stored);
        // What could not be written is owed.
        file.moved = stored.is_err();
        stored
    }

    /// The sync of a log failed: the marks, which are a sync too, tell whether the disk is to blame. They are written
    /// soon, by a thread that holds no lock of a log.
    pub(super) fn probe(&self) {
        self.marks.lock().moved = true;
        self.keeper.wake();
    }

    /// Once every partition here has a mark again, a partition without one is new and not one whose mark was lost.
    pub(super) fn find_lost_marks(&self) -> io::Result<()> {
        let partitions = self.partitions_on_disk()?;
        let mut file = self.marks.lock();
        let marked = |(name, id): &(TopicPartition, Option<TopicId>)| {
            id.is_some_and(|id| file.marks.by_partition.contains_key(&(id, name.partition)))
        };
        if partitions.iter().all(marked) {
            file.marks.lost = false;
        }
        Ok(())
    }

    pub(super) fn start_threads(self: &Arc<Self>) -> io::Result<()> {
        let (dir, queue, clock) = (Arc::downgrade(self), self.queue.clone(), self.clock.clone());
        let committer = spawn_thread("log-commit", move || {
            while queue.wait(&*clock) {
                let Some(dir) = dir.upgrade() else { return };
                dir.commit_waiting();
            }
        })?;
        let (dir, keeper, interval) = (Arc::downgrade(self), self.keeper.clone(), self.options.mark_interval);
        let keeping = spawn_thread("log-marks", move || {
            let mut wait = Duration::ZERO;
            while let Some(woken) = keeper.wait(wait) {
                let Some(dir) = dir.upgrade() else { return };
                dir.keep(woken);
                wait = if dir.is_full() { LOOK_EVERY.min(interval) } else { interval };
            }
        })?;
        let (dir, trash, clock) = (Arc::downgrade(self), self.trash.clone(), self.clock.clone());
        let removing = spawn_thread("log-remove", move || {
            while trash.wait(&*clock) {
                let Some(dir) = dir.upgrade() else { return };
                dir.empty_trash(&mut |span| trash.pause(span));
            }
        })?;
        self.threads.lock().extend([committer, keeping, removing]);
        Ok(())
    }

    /// A task instead of the threads.
    pub(super) fn start_task(self: &Arc<Self>) {
        let (dir, queue, clock) = (Arc::downgrade(self), self.queue.clone(), self.clock.clone());
        tokio::spawn(async move {
            let mut scrubbed_at = clock.mono();
            while !queue.is_stopped() {
                let Some(dir) = dir.upgrade() else { return };
                dir.commit_round();
                if clock.mono().since(scrubbed_at) >= SCRUB_EVERY {
                    scrubbed_at = clock.mono();
                    dir.scrub_step(&mut |_| ControlFlow::Continue(()));
                }
                drop(dir);
                clock.sleep(TASK_EVERY).await;
            }
        });
    }
}

impl Keeper {
    pub(super) fn wake(&self) {
        *self.gate.lock() = true;
        self.wake.notify_one();
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake();
    }

    /// Waits for `interval` or to be woken; `None` once stopped, else whether it was woken.
    fn wait(&self, interval: Duration) -> Option<bool> {
        let mut gate = self.gate.lock();
        if !*gate {
            self.wake.wait_for(&mut gate, interval);
        }
        let woken = std::mem::take(&mut *gate);
        (!self.stopped.load(Ordering::Acquire)).then_some(woken)
    }
}

fn log_key(log: &LocalLog) -> MarkKey {
    (log.topic_id(), log.name().partition)
}
