//! When a connection last did something, and the watch that closes it when it does nothing for too long. It knows
//! times and counts, no bytes.

use super::limits::{FRAME_BYTES_PER_SECOND_MIN, Limits};
use crate::sys::Clock;
use crate::types::MonoNs;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Written by the two halves of a connection, read by the watch beside them in the same task.
pub(super) struct Activity {
    /// Instant of the last byte in.
    read_at: AtomicU64,
    /// Instant of the last byte out.
    wrote_at: AtomicU64,
    /// Instant by which the frame being read must be there; 0 between frames.
    frame_due: AtomicU64,
    /// Requests without a full answer.
    pending: AtomicUsize,
    /// 1 while an answer is being written.
    writing: AtomicUsize,
}

/// What the watch found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing asked and nothing owed for too long.
    Idle,
    /// A frame began and does not go on.
    HalfFrame,
    /// An answer is not taken.
    SlowReader,
}

impl Activity {
    pub(super) fn new(now: MonoNs) -> Activity {
        Activity {
            read_at: AtomicU64::new(now.0),
            wrote_at: AtomicU64::new(now.0),
            frame_due: AtomicU64::new(0),
            pending: AtomicUsize::new(0),
            writing: AtomicUsize::new(0),
        }
    }

    pub(super) fn got_bytes(&self, now: MonoNs) {
        self.read_at.store(now.0, Relaxed);
    }

    /// A frame of `len` bytes is being read from `now` on.
    pub(super) fn frame_begins(&self, now: MonoNs, len: usize, stall: Duration) {
        self.read_at.store(now.0, Relaxed);
        let seconds = (len / FRAME_BYTES_PER_SECOND_MIN) as u64;
        self.frame_due.store(now.after(stall).after(Duration::from_secs(seconds)).0.max(1), Relaxed);
    }

    /// Time since the last byte in.
    pub(super) fn silent_for(&self, now: MonoNs) -> Duration {
        now.since(MonoNs(self.read_at.load(Relaxed)))
    }

    pub(super) fn frame_ends(&self) {
        self.frame_due.store(0, Relaxed);
    }

    pub(super) fn asked(&self) {
        self.pending.fetch_add(1, Relaxed);
    }

    pub(super) fn answer_begins(&self, now: MonoNs) {
        self.wrote_at.store(now.0, Relaxed);
        self.writing.store(1, Relaxed);
    }

    pub(super) fn wrote_bytes(&self, now: MonoNs) {
        self.wrote_at.store(now.0, Relaxed);
    }

    /// Time since the last byte out, or since there was one to be sent.
    pub(super) fn not_taken_for(&self, now: MonoNs) -> Duration {
        now.since(MonoNs(self.wrote_at.load(Relaxed)))
    }

    /// So many answers were sent.
    pub(super) fn answered(&self, count: usize) {
        self.writing.store(0, Relaxed);
        self.pending.fetch_sub(count, Relaxed);
    }

    /// Runs until something is overdue.
    pub(super) async fn watch(&self, clock: &dyn Clock, limits: &Limits) -> Overdue {
        // Half the shortest span: a close comes at most half a span late, and a thousand idle connections wake
        // the machine some sixty times a second.
        let period = (limits.idle.min(limits.stall) / 2).max(Duration::from_millis(1));
        loop {
            clock.sleep(period).await;
            if let Some(overdue) = self.overdue(clock.mono(), limits) {
                return overdue;
            }
        }
    }

    fn overdue(&self, now: MonoNs, limits: &Limits) -> Option<Overdue> {
        let read_for = now.since(MonoNs(self.read_at.load(Relaxed)));
        let wrote_for = now.since(MonoNs(self.wrote_at.load(Relaxed)));
        let due = self.frame_due.load(Relaxed);
        if due != 0 && (read_for >= limits.stall || now.0 >= due) {
            return Some(Overdue::HalfFrame);
        }
        if self.writing.load(Relaxed) != 0 {
            return (wrote_for >= limits.idle).then_some(Overdue::SlowReader);
        }
        let idle = self.pending.load(Relaxed) == 0 && due == 0;
        (idle && read_for.min(wrote_for) >= limits.idle).then_some(Overdue::Idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: u64) -> MonoNs {
        MonoNs(n * 1_000_000_000)
    }

    #[test]
    fn a_connection_that_waits_for_an_answer_is_not_idle() {
        let limits = Limits { idle: Duration::from_secs(10), ..Limits::default() };
        let activity = Activity::new(second(1));
        assert_eq!(activity.overdue(second(10), &limits), None);
        assert_eq!(activity.overdue(second(11), &limits), Some(Overdue::Idle));
        activity.asked();
        assert_eq!(activity.overdue(second(11), &limits), None);
    }

    #[test]
    fn a_frame_fed_byte_by_byte_is_overdue_at_last() {
        let limits = Limits::default();
        let activity = Activity::new(second(1));
        activity.frame_begins(second(1), 1000, limits.stall);
        activity.got_bytes(second(30));
        assert_eq!(activity.overdue(second(30), &limits), None);
        assert_eq!(activity.overdue(second(31), &limits), Some(Overdue::HalfFrame));
    }
}
