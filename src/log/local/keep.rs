//! What a log directory does beside the commits: the marks, the removal of what is gone, and the threads for it.

use super::dir::LogDir;
use super::log::LocalLog;
use super::marks::{self, Mark, MarkKey, Marks};
use crate::sys::{replace, spawn_thread};
use crate::types::{MonoNs, Offset, TopicId, TopicPartition};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The marks and when they were written.
pub(super) struct MarksFile {
    pub marks: Marks,
    pub written_at: MonoNs,
    /// They differ from what is on disk.
    pub moved: bool,
}

/// Wakes the thread that writes marks and removes what is in the trash.
#[derive(Default)]
pub(super) struct Keeper {
    stopped: AtomicBool,
    gate: Mutex<bool>,
    wake: Condvar,
}

impl LogDir {
    /// Writes the marks if they are due, and removes what is in the trash.
    pub(super) fn keep(&self, woken: bool) {
        if self.health.is_failed() {
            self.take_logs_offline();
            return;
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
            self.open_logs().iter().filter(|log| log.is_unsynced()).for_each(|log| log.commit());
        }
        if due && let Err(error) = self.write_marks(false) {
            // The old marks hold as well; a crash only has more to read.
            tracing::warn!(%error, "cannot write the marks");
        }
        self.empty_trash();
    }

    pub(super) fn write_marks(&self, clean: bool) -> io::Result<()> {
        let mut file = self.marks.lock();
        self.bytes_since_marks.store(0, Ordering::Relaxed);
        for log in self.open_logs() {
            match log.mark() {
                Ok(mark) => {
                    // Until it is stored.
                    file.moved = true;
                    file.marks.by_partition.insert(log_key(&log), mark);
                }
                Err(error) => tracing::warn!(partition = %log.name(), %error, "the mark stays where it is"),
            }
        }
        self.store_marks(&mut file, clean)
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
        file.marks.by_partition.insert(key, mark);
        self.store_marks(&mut file, false)?;
        Ok(mark)
    }

    /// Makes a new log start offset durable.
    pub(super) fn write_marks_with_start(&self, log: &LocalLog, start: Offset) -> io::Result<()> {
        let mut file = self.marks.lock();
        let mark = Mark { start, ..log.mark()? };
        let key = log_key(log);
        let before = file.marks.by_partition.insert(key, mark);
        let stored = self.store_marks(&mut file, false);
        if stored.is_err() {
            match before {
                Some(before) => file.marks.by_partition.insert(key, before),
                None => file.marks.by_partition.remove(&key),
            };
        }
        stored
    }

    /// Takes over the last mark of a log that was closed.
    pub(super) fn closed(&self, log: &LocalLog, mark: Option<Mark>) {
        if let Some(mark) = mark {
            let mut file = self.marks.lock();
            file.marks.by_partition.insert(log_key(log), mark);
            file.moved = true;
        }
        self.logs.lock().remove(log.name());
    }

    fn store_marks(&self, file: &mut MarksFile, clean: bool) -> io::Result<()> {
        self.health.check()?;
        file.written_at = self.clock.mono();
        file.marks.clean = clean;
        let replaced = replace(&*self.fs, &self.path.join(marks::FILE), &file.marks.encode());
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

    pub(super) fn empty_trash(&self) {
        for path in std::mem::take(&mut *self.trash.lock()) {
            let removed =
                if self.fs.is_dir(&path) { self.fs.remove_dir_all(&path) } else { self.fs.remove(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(file = %path.display(), %error, "cannot remove");
                }
                _ => {}
            }
        }
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
            while let Some(woken) = keeper.wait(interval) {
                let Some(dir) = dir.upgrade() else { return };
                dir.keep(woken);
            }
        })?;
        self.threads.lock().extend([committer, keeping]);
        Ok(())
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
