//! Group commit (decision 2): a round syncs what was appended since the last one, then moves the durable ends and
//! wakes whoever waits. Nothing above `log/` knows how; a shared journal for small rounds would fit in here.

use super::log::LocalLog;
use super::marks::Point;
use crate::log::LogState;
use crate::sys::{Clock, File};
use crate::types::MonoNs;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Index entries that wait in memory before they are appended to the file: one page.
const INDEX_TAIL_MAX: usize = 512;

/// Logs that wait for a commit round. Bounded by the number of logs: each is queued once.
pub(super) struct CommitQueue {
    inner: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    dirty: Vec<Weak<LocalLog>>,
    /// Those whose `flush.ms` runs.
    later: BTreeMap<(MonoNs, u64), Weak<LocalLog>>,
    stopped: bool,
}

impl CommitQueue {
    pub(super) fn new() -> CommitQueue {
        CommitQueue { inner: Mutex::default(), wake: Condvar::new() }
    }

    pub(super) fn push(&self, log: Weak<LocalLog>) {
        let mut waiting = self.inner.lock();
        waiting.dirty.push(log);
        if waiting.dirty.len() == 1 {
            self.wake.notify_one();
        }
    }

    pub(super) fn push_later(&self, due: MonoNs, number: u64, log: Weak<LocalLog>) {
        self.inner.lock().later.insert((due, number), log);
        self.wake.notify_one();
    }

    pub(super) fn stop(&self) {
        self.inner.lock().stopped = true;
        self.wake.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.inner.lock().stopped
    }

    /// Takes all that wait, and those whose time has come.
    pub(super) fn take(&self, now: MonoNs) -> Vec<Weak<LocalLog>> {
        let mut waiting = self.inner.lock();
        let mut logs = std::mem::take(&mut waiting.dirty);
        while let Some(entry) = waiting.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            logs.push(entry.remove());
        }
        logs
    }

    /// Waits until there is something to take; false if the queue was stopped.
    pub(super) fn wait(&self, clock: &dyn Clock) -> bool {
        let mut waiting = self.inner.lock();
        loop {
            if waiting.stopped {
                return false;
            }
            if !waiting.dirty.is_empty() {
                return true;
            }
            match waiting.later.first_key_value().map(|((due, _), _)| due.since(clock.mono())) {
                Some(Duration::ZERO) => return true,
                Some(left) => {
                    self.wake.wait_for(&mut waiting, left);
                }
                None => self.wake.wait(&mut waiting),
            }
        }
    }
}

/// What one round owes one log.
struct Work {
    files: Vec<Arc<dyn File>>,
    names: bool,
    parent: bool,
    point: Point,
}

impl LocalLog {
    /// Makes durable what is in the log now, in its own files, and shows it. A failed sync is final: the log goes
    /// offline. True if the files have all that was ever called durable.
    pub(super) fn commit(&self) -> bool {
        let turn = self.syncing.lock();
        let Some(work) = self.capture() else {
            let state = self.state.lock();
            return state.filed == state.point;
        };
        let synced = self.sync(&work);
        match &synced {
            Ok(()) => self.committed(work.point, Some(work.point)),
            Err(error) => {
                self.fail(&mut self.state.lock(), error, "sync");
                self.dir().note_failed_write(error);
                self.dir().probe();
            }
        }
        drop(turn);
        self.spill_indexes();
        synced.is_ok()
    }

    /// The journal has everything below the point; the log's own file is synced when the journal is full.
    pub(super) fn journaled(&self, point: Point) {
        self.committed(point, None);
    }

    /// There are bytes in its files that were not synced, be they durable by the journal or not.
    pub(super) fn is_unsynced(&self) -> bool {
        !self.state.lock().unsynced.is_empty()
    }

    /// It was closed, for good.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().phase == LogState::Closed
    }

    /// The names of its directory and of its first segment are on disk.
    pub(super) fn has_durable_names(&self) -> bool {
        self.state.lock().names_durable
    }

    fn capture(&self) -> Option<Work> {
        let mut state = self.state.lock();
        state.queued = false;
        state.unflushed = 0;
        state.flush_due = None;
        // What is taken offline here would be by the directory itself, a moment later.
        if state.phase != LogState::Online || self.dir().health.is_failed() {
            return None;
        }
        state.active_unsynced = false;
        Some(Work {
            files: std::mem::take(&mut state.unsynced),
            names: std::mem::take(&mut state.names_unsynced),
            parent: std::mem::take(&mut state.parent_unsynced),
            point: state.active.point(state.end),
        })
    }

    fn sync(&self, work: &Work) -> io::Result<()> {
        for file in &work.files {
            file.sync_data()?;
        }
        let fs = self.dir().fs();
        if work.names {
            fs.sync_dir(self.path())?;
        }
        if work.parent {
            self.dir().sync_root()?;
        }
        Ok(())
    }

    /// The name of the partition's directory may be lost.
    pub(super) fn parent_sync_failed(&self, error: &io::Error) {
        let mut state = self.state.lock();
        if state.parent_unsynced {
            self.fail(&mut state, error, "directory sync");
        }
    }

    fn committed(&self, point: Point, filed: Option<Point>) {
        let mut state = self.state.lock();
        if state.phase != LogState::Online {
            return;
        }
        state.point = point;
        state.filed = filed.unwrap_or(state.filed);
        state.names_durable |= !state.parent_unsynced;
        if point.end > state.seen.offset {
            state.seen = point.into();
            state.remember(point.into());
        }
        let seen = state.seen.offset;
        self.marks.send_if_modified(|marks| {
            let moved = marks.durable != point.end || marks.high_watermark != seen;
            (marks.durable, marks.high_watermark) = (point.end, seen);
            moved
        });
    }

    /// Appends index entries to their files once there is a page of them, after the waiters were woken.
    pub(super) fn spill_indexes(&self) {
        let mut state = self.state.lock();
        if state.active.index.unwritten() >= INDEX_TAIL_MAX
            && let Err(error) = self.write_indexes(&mut state)
        {
            // They stay in memory, whole; the next round tries again.
            tracing::warn!(partition = %self.name(), %error, "cannot write index entries");
        }
    }

    /// Cuts a failed log back to its durable end and goes on, in a new life.
    pub(super) fn cut_to_durable(&self) -> io::Result<()> {
        self.dir().health.check()?;
        let _turn = self.syncing.lock();
        let mut state = self.state.lock();
        match state.phase {
            LogState::Online => return Ok(()),
            LogState::Closed => return Err(io::Error::other("the log is closed")),
            LogState::Failed => {}
        }
        // Handles that saw the error are dropped: only a new one tells what is on disk.
        state.unsynced.clear();
        self.dir().pool().forget_log(self.number());
        self.dir().with_room(|| self.truncate_to_point(&mut state))?;
        state.phase = LogState::Online;
        self.lives.fetch_add(1, Ordering::AcqRel);
        let point = state.point;
        self.marks.send_modify(|marks| {
            (marks.durable, marks.high_watermark, marks.end) = (point.end, point.end, point.end);
            marks.state = LogState::Online;
        });
        tracing::warn!(partition = %self.name(), end = %point.end, "log reopened at its durable end");
        Ok(())
    }
}
