//! When requests are due and when a run ends. In a closed loop a request is due when there is room for it; in an open
//! one at a time that is fixed beforehand, and latencies count from it: a broker that stalls is charged for all that
//! should have been sent meanwhile. Must not know what is sent.

use super::args::AmountArgs;
use crate::sys::{Alarm, Clock};
use crate::types::MonoNs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long and how fast, shared by all clients of a run.
pub struct Pace {
    clock: Arc<dyn Clock>,
    begun: MonoNs,
    until: Option<MonoNs>,
    /// Nanoseconds from record to record, in an open loop.
    step_ns: Option<f64>,
    /// Records given out, and where that ends.
    taken: AtomicU64,
    most: u64,
    stop: CancellationToken,
}

/// Leave to send so many records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When they should be sent; now, in a closed loop.
    pub due: MonoNs,
    /// How many.
    pub records: u32,
}

impl Pace {
    /// From now on, until the amount is reached or somebody cancels `stop`.
    pub fn start(amount: &AmountArgs, clock: &Arc<dyn Clock>, stop: CancellationToken) -> Pace {
        let begun = clock.mono();
        Pace {
            clock: Arc::clone(clock),
            begun,
            until: amount.seconds.map(|seconds| begun.after(Duration::from_secs_f64(seconds))),
            step_ns: amount.rate.map(|rate| 1e9 / rate),
            taken: AtomicU64::new(0),
            most: amount.records.unwrap_or(u64::MAX),
            stop,
        }
    }

    /// When the run began.
    pub fn begun(&self) -> MonoNs {
        self.begun
    }

    /// Now.
    pub fn now(&self) -> MonoNs {
        self.clock.mono()
    }

    /// Whether latencies count from times fixed beforehand.
    pub fn is_open(&self) -> bool {
        self.step_ns.is_some()
    }

    /// The next `batch` records, or those that are left; none at the end.
    pub fn take(&self, batch: u32) -> Option<Turn> {
        if self.stop.is_cancelled() {
            return None;
        }
        let before = self.taken.fetch_add(u64::from(batch), Ordering::Relaxed);
        let left = self.most.checked_sub(before).filter(|left| *left > 0)?;
        let due = self.due(before, self.step_ns);
        if self.until.is_some_and(|until| due >= until) {
            return None;
        }
        Some(Turn { due, records: u32::try_from(left).unwrap_or(u32::MAX).min(batch) })
    }

    /// When a reader should go on that has read so many records, one of `readers` that share the rate; none at the end.
    pub fn due_after(&self, read: u64, readers: usize) -> Option<MonoNs> {
        let due = self.due(read, self.step_ns.map(|step| step * readers as f64));
        let is_over = self.stop.is_cancelled() || self.until.is_some_and(|until| due >= until);
        (!is_over).then_some(due)
    }

    fn due(&self, records: u64, step_ns: Option<f64>) -> MonoNs {
        match step_ns {
            Some(step) => self.begun.after(Duration::from_nanos((records as f64 * step) as u64)),
            None => self.now(),
        }
    }

    /// Waits until something is due; false if the run was stopped meanwhile.
    pub async fn wait(&self, due: MonoNs, alarm: &mut Alarm) -> io::Result<bool> {
        let left = due.since(self.now());
        tokio::select! {
            biased;
            waited = alarm.after(left) => waited.map(|()| true),
            () = self.stop.cancelled() => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SimClock;
    use crate::types::TimestampMs;

    fn pace(records: Option<u64>, seconds: Option<f64>, rate: Option<f64>) -> (Pace, SimClock) {
        let clock = SimClock::new(TimestampMs(0));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let amount = AmountArgs { records, seconds, rate };
        (Pace::start(&amount, &shared, CancellationToken::new()), clock)
    }

    #[test]
    fn a_closed_loop_is_always_due_and_ends_after_its_records_or_its_time() {
        let (pace, clock) = pace(Some(10), Some(2.0), None);
        clock.advance(Duration::from_secs(1));
        let now = clock.mono();
        assert_eq!(pace.take(8), Some(Turn { due: now, records: 8 }));
        assert_eq!(pace.take(8), Some(Turn { due: now, records: 2 }));
        assert_eq!(pace.take(8), None);
        let (pace, clock) = super::tests::pace(None, Some(2.0), None);
        clock.advance(Duration::from_secs(2));
        assert_eq!(pace.take(8), None);
    }

    #[test]
    fn turns_of_an_open_loop_are_due_at_their_times_however_late_they_are_taken() {
        let (pace, clock) = pace(None, Some(1.0), Some(100.0));
        clock.advance(Duration::from_secs(7));
        let due = |pace: &Pace| pace.take(20).map(|turn| turn.due.0 / 1_000_000);
        let all: Vec<_> = std::iter::from_fn(|| due(&pace)).collect();
        assert_eq!(all, [0, 200, 400, 600, 800]);
    }

    #[test]
    fn readers_share_a_rate() {
        let (pace, _) = pace(None, Some(10.0), Some(100.0));
        assert_eq!(pace.due_after(50, 2), Some(MonoNs(1_000_000_000)));
        assert_eq!(pace.due_after(500, 2), None);
    }

    #[test]
    fn nothing_is_given_out_after_a_stop() {
        let (pace, _) = pace(None, None, None);
        pace.stop.cancel();
        assert_eq!((pace.take(1), pace.due_after(0, 1)), (None, None));
    }
}
