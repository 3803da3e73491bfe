//! The time that timers run on: monotonic time less the time in which nobody could have been heard. Must not know what
//! the timers are for.
//!
//! A timer that fences a member says "I have not heard of you for so long". That is worth nothing for time in which the
//! process was stopped, its machine paused, the disk stalled so that no answer left, or so much was held that
//! nothing was taken in. Such time is lost: for the timers it did not pass. They fire late by what was lost, never
//! all at once when it ends.

use super::core::Now;
use crate::sys::{Clock, Sleep};
use crate::types::MonoNs;
use std::sync::Arc;
use std::time::Duration;

/// How often the shard looks at the clock while a timer is near: what passes between two looks cannot be told from
/// time that was lost, so it bounds the error; one wake-up a second costs nothing.
const TICK: Duration = Duration::from_secs(1);

/// A wake-up that comes later than this is not the scheduler's: the process stood still.
const LATE: Duration = Duration::from_secs(1);

/// A turn that waits longer for its commit round than this means a stalled disk; a round takes milliseconds.
const STALLED: Duration = Duration::from_secs(1);

/// A timer nearer than this makes the shard tick. Farther ones need no tick: after any loss that went unseen so much
/// is still left to them, longer than the session of a member unless it was set by hand.
const NEAR: Duration = Duration::from_secs(120);

/// Monotonic time, and what of it was lost.
pub(super) struct RunningClock {
    clock: Arc<dyn Clock>,
    /// The monotonic instant of the last look.
    seen: MonoNs,
    lost: Duration,
    /// The next look at the latest, in monotonic time; kept from turn to turn.
    wake: Option<(MonoNs, Sleep)>,
}

impl RunningClock {
    pub(super) fn new(clock: Arc<dyn Clock>) -> RunningClock {
        RunningClock { seen: clock.mono(), lost: Duration::ZERO, wake: None, clock }
    }

    /// The machine's clock, for what is no timer of the shard's.
    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The monotonic instant of the last look.
    pub(super) fn seen(&self) -> MonoNs {
        self.seen
    }

    /// The time as it was at the last look. Goes on from look to look and never back.
    pub(super) fn now(&self) -> Now {
        let lost = u64::try_from(self.lost.as_nanos()).unwrap_or(u64::MAX);
        Now { mono: MonoNs(self.seen.0.saturating_sub(lost)), wall: self.clock.wall() }
    }

    /// Looks after a wait. Lost is what passed since the wait should have ended, if that is much; `deaf` is since
    /// when nobody could be heard for another reason.
    pub(super) fn look_after_wait(&mut self, deaf: Option<MonoNs>) -> Now {
        self.look(self.wake.as_ref().map(|(at, _)| *at), deaf)
    }

    /// Looks after work that takes no time to speak of.
    pub(super) fn look_after_work(&mut self, deaf: Option<MonoNs>) -> Now {
        self.look(Some(self.seen), deaf)
    }

    fn look(&mut self, expected: Option<MonoNs>, deaf: Option<MonoNs>) -> Now {
        let mono = self.clock.mono();
        let expected = expected.map(|expected| expected.max(self.seen));
        let late = expected.filter(|expected| mono.since(*expected) > LATE);
        if let Some(from) = late.into_iter().chain(deaf).min() {
            self.lost = self.lost.saturating_add(mono.since(from.max(self.seen)));
        }
        self.seen = mono;
        self.now()
    }

    /// All timers are gone: what passed since the last look is not to be judged.
    pub(super) fn forget(&mut self) {
        self.seen = self.clock.mono();
        self.wake = None;
    }

    /// Since when nobody can be heard because a turn held since `held` waits for the disk.
    pub(super) fn stalled(held: MonoNs) -> MonoNs {
        held.after(STALLED)
    }

    /// Sees to it that `wake` comes when a timer of `due` has to be looked at. No timer, no waking.
    pub(super) fn arm(&mut self, due: Option<MonoNs>) {
        let Some(due) = due.map(|due| due.after(self.lost)) else {
            self.wake = None;
            return;
        };
        let near = MonoNs(due.0.saturating_sub(NEAR.as_nanos() as u64));
        let at = if near <= self.seen { due.min(self.seen.after(TICK)) } else { near };
        // One that comes earlier than needed is left: a new one each turn would cost more than it.
        if self.wake.as_ref().is_none_or(|(old, _)| at < *old || *old <= self.seen) {
            self.wake = Some((at, self.clock.sleep_until(at)));
        }
    }

    /// Done when it is time to look.
    pub(super) async fn wake(&mut self) {
        match &mut self.wake {
            Some((_, sleep)) => sleep.as_mut().await,
            None => std::future::pending().await,
        }
    }
}
