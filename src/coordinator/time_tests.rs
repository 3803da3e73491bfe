//! Timers, and what must not fire them: time in which nobody could be heard. A `Wait` is a member's session that ends
//! when its timer fires; a `Beat` is heard of it.

use super::tests::{Ask, Bench, Seen, options, settle, start};
use super::*;
use crate::partition::memory_log::MemoryLog;
use crate::sys::{Clock, SimClock, Sleep};
use crate::types::{MonoNs, TimestampMs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Time passes as it does where the shard is not held up.
async fn pass(bench: &Bench, span: Duration) {
    let end = bench.clock.mono().after(span);
    while bench.clock.mono() < end {
        bench.clock.advance(Duration::from_millis(250));
        settle().await;
    }
}

#[tokio::test]
async fn a_silent_member_expires_on_time() {
    for seconds in [2, 45, 600] {
        let bench = start(MemoryLog::new(true)).await;
        let session = bench.call(Ask::Wait(SECOND * seconds));
        settle().await;
        pass(&bench, SECOND * seconds - Duration::from_millis(250)).await;
        assert!(!session.is_finished());
        pass(&bench, Duration::from_millis(250)).await;
        assert!(session.is_finished(), "after {seconds} s");
    }
}

#[tokio::test]
async fn a_stop_of_the_process_does_not_count() {
    // The last would be due in the stop by any clock, and need not tick before it.
    for seconds in [2, 45, 119, 300] {
        let bench = start(MemoryLog::new(true)).await;
        let session = bench.call(Ask::Wait(SECOND * seconds));
        settle().await;
        bench.clock.advance(SECOND * 600);
        settle().await;
        assert!(!session.is_finished(), "{seconds} s, stopped for ten minutes");
        let left = (SECOND * seconds - SECOND).min(SECOND * 120);
        pass(&bench, left - Duration::from_millis(250)).await;
        assert!(!session.is_finished(), "{seconds} s, stopped for ten minutes");
        pass(&bench, SECOND).await;
        assert!(session.is_finished(), "{seconds} s, stopped for ten minutes");
    }
}

#[tokio::test]
async fn stops_again_and_again_do_not_count_either() {
    let bench = start(MemoryLog::new(true)).await;
    let session = bench.call(Ask::Wait(SECOND * 10));
    settle().await;
    for _ in 0..4 {
        bench.clock.advance(SECOND * 30);
        settle().await;
        pass(&bench, SECOND).await;
    }
    assert!(!session.is_finished(), "of 124 s at most 8 were its own");
    pass(&bench, SECOND * 6).await;
    assert!(session.is_finished());
}

#[tokio::test]
async fn a_stalled_disk_does_not_count() {
    let bench = start(MemoryLog::new(true)).await;
    let session = bench.call(Ask::Wait(SECOND * 10));
    settle().await;
    bench.log.auto_sync(false);
    let held = bench.call(Ask::Add(1));
    settle().await;
    pass(&bench, SECOND * 60).await;
    bench.log.sync();
    bench.log.auto_sync(true);
    held.await.unwrap().unwrap();
    settle().await;
    assert!(!session.is_finished(), "of the minute a second or two were its own");
    pass(&bench, SECOND * 7).await;
    assert!(!session.is_finished());
    pass(&bench, SECOND * 2).await;
    assert!(session.is_finished());
}

#[tokio::test]
async fn a_timer_that_was_due_by_its_own_count_fires_behind_a_stalled_disk() {
    let bench = start(MemoryLog::new(false)).await;
    let session = bench.call(Ask::Wait(Duration::from_millis(500)));
    bench.log.sync();
    settle().await;
    let held = bench.call(Ask::Add(1));
    settle().await;
    pass(&bench, SECOND * 60).await;
    assert!(!session.is_finished() && !held.is_finished());
    bench.log.sync();
    settle().await;
    assert!(session.is_finished() && held.is_finished());
}

#[tokio::test]
async fn time_in_which_too_much_was_held_to_take_anything_in_does_not_count() {
    let bench = start(MemoryLog::new(true)).await;
    let session = bench.call(Ask::Wait(SECOND));
    settle().await;
    bench.log.auto_sync(false);
    let mut held = Vec::new();
    for _ in 0..70 {
        held.push(bench.call(Ask::Add(1)));
        settle().await;
    }
    // Less than a stalled disk: but nothing is taken in, and so nobody is heard.
    for _ in 0..3 {
        bench.clock.advance(Duration::from_millis(900));
        settle().await;
        bench.log.sync();
        for _ in 0..70 {
            held.push(bench.call(Ask::Add(1)));
            settle().await;
        }
    }
    assert!(!session.is_finished(), "of 2.7 s none was its own");
    bench.log.auto_sync(true);
    bench.log.sync();
    settle().await;
    pass(&bench, SECOND).await;
    assert!(session.is_finished());
}

#[tokio::test]
async fn who_waits_to_be_heard_comes_before_the_timer_that_says_he_was_not() {
    for others in [0, 300, 900, 1500] {
        let bench = start(MemoryLog::new(true)).await;
        let session = bench.call(Ask::Wait(SECOND));
        settle().await;
        let others: Vec<_> = (0..others).map(|_| bench.call(Ask::Read)).collect();
        let beat = bench.call(Ask::Beat(CallId(0), SECOND));
        // Both at once for the shard, which was not polled meanwhile.
        bench.clock.advance(SECOND);
        settle().await;
        beat.await.unwrap().unwrap();
        settle().await;
        assert!(!session.is_finished(), "{} others before it", others.len());
        pass(&bench, SECOND).await;
        assert!(session.is_finished());
    }
}

#[tokio::test]
async fn callers_without_end_do_not_keep_a_timer_from_firing() {
    let bench = start(MemoryLog::new(true)).await;
    let session = bench.call(Ask::Wait(SECOND));
    settle().await;
    for _ in 0..2000 {
        let shard = bench.shard.clone();
        tokio::spawn(async move { while shard.call(Ask::Read).await.is_ok() {} });
    }
    settle().await;
    bench.clock.advance(SECOND);
    session.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_jump_of_the_wall_clock_moves_no_timer() {
    let bench = start(MemoryLog::new(true)).await;
    let session = bench.call(Ask::Wait(SECOND * 5));
    settle().await;
    for wall in [1_000_000_000_000, 0] {
        bench.clock.set_wall(TimestampMs(wall));
        pass(&bench, SECOND * 2).await;
        assert!(!session.is_finished());
    }
    pass(&bench, SECOND).await;
    assert!(session.is_finished());
}

/// Counts how often somebody goes to sleep.
#[derive(Clone)]
struct Counting(SimClock, Arc<AtomicUsize>);

impl Clock for Counting {
    fn wall(&self) -> TimestampMs {
        self.0.wall()
    }

    fn mono(&self) -> MonoNs {
        self.0.mono()
    }

    fn sleep_until(&self, at: MonoNs) -> Sleep {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.sleep_until(at)
    }
}

#[tokio::test]
async fn a_shard_ticks_only_while_a_timer_is_near() {
    let clock = Counting(SimClock::new(TimestampMs(0)), Arc::default());
    let log = MemoryLog::new(true);
    let opened = Shard::open(log.clone(), Arc::new(clock.clone()), options(), Seen::default()).await;
    let (shard, runner) = opened.unwrap();
    let task = tokio::spawn(runner.run());
    let bench = Bench { log, clock: clock.0.clone(), seen: Seen::default(), shard, task };
    let sleeps = async |span| {
        let before = clock.1.load(Ordering::Relaxed);
        pass(&bench, span).await;
        clock.1.load(Ordering::Relaxed) - before
    };
    bench.call(Ask::Read).await.unwrap().unwrap();
    assert_eq!(sleeps(SECOND * 600).await, 0, "no timer");
    let session = bench.call(Ask::Wait(SECOND * 3600));
    settle().await;
    assert_eq!(sleeps(SECOND * 3400).await, 0, "a far timer");
    assert!((60..70).contains(&sleeps(SECOND * 140).await), "once a second");
    pass(&bench, SECOND * 60).await;
    assert!(session.is_finished());
    assert_eq!(sleeps(SECOND * 600).await, 0, "no timer is left");
}
