//! Time as a trait: wall time for timestamps, monotonic time for every timeout, and waiting.

use crate::types::{MonoNs, TimestampMs};
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;

/// A wait that is over when its instant has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// What the program knows of time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970. May jump either way: for timestamps and retention, never for a timeout.
    fn wall(&self) -> TimestampMs;
    /// A clock that never jumps: for every timeout.
    fn mono(&self) -> MonoNs;
    /// Done once `mono()` has reached `at`; at once if it has already.
    fn sleep_until(&self, at: MonoNs) -> Sleep;
    /// Done after `span`.
    fn sleep(&self, span: Duration) -> Sleep {
        self.sleep_until(self.mono().after(span))
    }
}

/// The machine's clocks.
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// A clock whose monotonic zero is now.
    pub fn new() -> RealClock {
        RealClock { start: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        RealClock::new()
    }
}

impl Clock for RealClock {
    fn wall(&self) -> TimestampMs {
        // Before 1970 reads as 1970: a machine without a battery-backed clock boots there.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        TimestampMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn mono(&self) -> MonoNs {
        MonoNs(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn sleep_until(&self, at: MonoNs) -> Sleep {
        // An overflow means "longer than the machine will run": a day at a time would not differ.
        let until = self.start.checked_add(Duration::from_nanos(at.0));
        let until = until.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        Box::pin(tokio::time::sleep_until(until.into()))
    }
}

/// A clock that stands still until a test moves it. Clones share one time.
#[derive(Clone)]
pub struct SimClock {
    now: Arc<Mutex<(TimestampMs, MonoNs)>>,
    moved: Arc<Notify>,
}

impl SimClock {
    /// A clock whose wall time is `wall` and whose monotonic time is zero.
    pub fn new(wall: TimestampMs) -> SimClock {
        SimClock { now: Arc::new(Mutex::new((wall, MonoNs(0)))), moved: Arc::new(Notify::new()) }
    }

    /// Moves both clocks on and wakes the sleepers whose instant has come.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock();
        now.0 = TimestampMs(now.0.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)));
        now.1 = now.1.after(by);
        drop(now);
        self.moved.notify_waiters();
    }

    /// Makes the wall clock jump; monotonic time does not see it.
    pub fn set_wall(&self, wall: TimestampMs) {
        self.now.lock().0 = wall;
    }
}

impl Clock for SimClock {
    fn wall(&self) -> TimestampMs {
        self.now.lock().0
    }

    fn mono(&self) -> MonoNs {
        self.now.lock().1
    }

    fn sleep_until(&self, at: MonoNs) -> Sleep {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let moved = clock.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if clock.mono() >= at {
                    return;
                }
                moved.await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_of_the_simulated_clock_wakes_when_its_instant_has_come() {
        let clock = SimClock::new(TimestampMs(5));
        let sleeper = tokio::spawn(clock.sleep(Duration::from_secs(2)));
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
        assert_eq!((clock.wall(), clock.mono()), (TimestampMs(2005), MonoNs(2_000_000_000)));
    }
}
