//! Holds work on threads to a rate of bytes a second that may change meanwhile. Knows nothing of the work.

use crate::sys::Clock;
use crate::types::MonoNs;
use parking_lot::{Condvar, Mutex};
use std::time::Duration;

/// Longest wait in one piece: who waits looks this often whether to end, and for another rate.
const SLICE: Duration = Duration::from_millis(50);

/// What may be owed before anybody waits, in seconds of the rate: many short waits would cost more than they even out.
const SLACK: f64 = 0.02;

/// Shared by all who have one rate together.
#[derive(Default)]
pub(super) struct Throttle {
    debt: Mutex<Debt>,
    /// Nobody notifies: it is for its time-out.
    wait: Condvar,
}

/// Bytes taken and not yet waited for, as of a time.
#[derive(Default)]
struct Debt {
    bytes: f64,
    at: Option<MonoNs>,
}

impl Throttle {
    /// Takes `bytes` and waits until the rate, in bytes a second, allows for them, or `is_over` says not to.
    pub(super) fn take(
        &self,
        bytes: u64,
        rate: impl Fn() -> f64,
        clock: &dyn Clock,
        is_over: impl Fn() -> bool,
    ) {
        let mut debt = self.debt.lock();
        debt.settle(clock.mono(), rate());
        debt.bytes += bytes as f64;
        while !is_over() {
            let rate = rate();
            debt.settle(clock.mono(), rate);
            let Some(wait) = debt.wait(rate) else { return };
            self.wait.wait_for(&mut debt, wait.min(SLICE));
        }
    }
}

impl Debt {
    /// Takes off what the time since the last call allowed for.
    fn settle(&mut self, now: MonoNs, rate: f64) {
        let past = self.at.map_or(Duration::ZERO, |at| now.since(at));
        self.bytes = (self.bytes - past.as_secs_f64() * rate).max(0.0);
        self.at = Some(now);
    }

    fn wait(&self, rate: f64) -> Option<Duration> {
        let seconds = self.bytes / rate;
        // A rate near zero gives more than a duration holds.
        (seconds > SLACK).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SimClock;
    use crate::types::TimestampMs;

    #[test]
    fn what_is_taken_is_paid_for_in_time() {
        let mut debt = Debt::default();
        let at = |ms: u64| MonoNs(0).after(Duration::from_millis(ms));
        debt.settle(at(0), 1000.0);
        debt.bytes += 500.0;
        assert_eq!(debt.wait(1000.0), Some(Duration::from_millis(500)));
        debt.settle(at(200), 1000.0);
        assert_eq!(debt.wait(1000.0), Some(Duration::from_millis(300)));
        // Another rate holds for what is left.
        assert_eq!(debt.wait(100.0), Some(Duration::from_secs(3)));
        debt.settle(at(500), 1000.0);
        assert_eq!(debt.wait(1000.0), None);
        // Time in which nothing was taken is not saved up.
        debt.settle(at(90_000), 1000.0);
        debt.bytes += 100.0;
        assert_eq!(debt.wait(1000.0), Some(Duration::from_millis(100)));
        assert_eq!(debt.wait(f64::MAX), None);
        debt.bytes = 1e30;
        assert_eq!(debt.wait(1e-300), Some(Duration::MAX));
    }

    #[test]
    fn whoever_has_to_end_does_not_wait() {
        let clock = SimClock::new(TimestampMs(0));
        Throttle::default().take(1 << 40, || 1.0, &clock, || true);
    }
}
