//! Waits finer than the runtime's, whose timers count in milliseconds: a load generator that is to send every half
//! millisecond would otherwise be late by more than what it measures. Real time only; nothing of the broker uses it.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A timer of the kernel.
pub struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    /// A timer; it belongs to the runtime that this is called in.
    pub fn new() -> io::Result<Alarm> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(unsafe_code, reason = "AsyncFd cannot see that the descriptor stays open")]
        // SAFETY: the descriptor is owned by what is registered, and nothing here closes or replaces it.
        let registered = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        Ok(Alarm(registered?))
    }

    /// Done after `span`. Dropping the wait does no harm: the next one sets the timer anew.
    pub async fn after(&mut self, span: Duration) -> io::Result<()> {
        if span.is_zero() {
            return Ok(());
        }
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Timespec {
            tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(span.subsec_nanos()),
        };
        let once = Itimerspec { it_interval: zero, it_value: value };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut count = [0; 8];
            match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut count)?)) {
                Ok(read) => return read.map(drop),
                // It was ready for a wait before this one.
                Err(_would_block) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn a_wait_below_a_millisecond_is_not_rounded_up_to_one_and_a_dropped_wait_does_not_end_the_next() {
        let mut alarm = Alarm::new().unwrap();
        let begun = Instant::now();
        for _ in 0..20 {
            alarm.after(Duration::from_micros(100)).await.unwrap();
        }
        assert!(begun.elapsed() >= Duration::from_millis(2));
        let begun = Instant::now();
        tokio::select! {
            biased;
            _ = alarm.after(Duration::from_millis(1)) => panic!("that was no millisecond"),
            () = std::future::ready(()) => {}
        }
        alarm.after(Duration::from_millis(20)).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(20));
        alarm.after(Duration::ZERO).await.unwrap();
    }
}
