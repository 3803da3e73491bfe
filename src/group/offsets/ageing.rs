//! How long ago something was written, for expiry. Must not know what expires.
//!
//! Kafka takes the wall clock's word for it: a clock that is set forward by a month deletes the offsets of all groups
//! without members at the next look, and a broker that was switched off for longer than `offsets.retention.minutes`
//! deletes them soon after it is started. Here time counts only if it was seen to pass, by the log or by this process:
//!
//! - Before this life, as far as timestamps in the state reach: the newest of them was the present once.
//! - In this life, as the monotonic clock runs.
//!
//! What lies between, a broker switched off or a clock that was set, makes nothing older. And nothing is older than the
//! wall clock says, so that a clock set back makes nothing old either. A clock that is wrong while offsets are
//! committed, and still wrong after a restart, is believed.

use crate::group::state::{Group, GroupsHard};
use crate::types::{MonoNs, TimestampMs};
use std::time::Duration;

/// Where this life began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ageing {
    /// The newest timestamp of the state, if the wall clock had come so far.
    log: TimestampMs,
    wall: TimestampMs,
    mono: MonoNs,
}

/// The clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) wall: TimestampMs,
    pub(super) mono: MonoNs,
}

/// Whether a time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It has, by all clocks.
    Yes,
    /// The wall clock alone says so.
    OnTheWall,
    /// Not yet.
    No,
}

impl Ageing {
    /// A life that begins with this state.
    pub(super) fn start(hard: &GroupsHard, mono: MonoNs, wall: TimestampMs) -> Ageing {
        let newest = hard.groups.values().filter_map(newest).max();
        Ageing { log: newest.map_or(wall, |newest| newest.min(wall)), wall, mono }
    }

    /// Whether `time` has passed since `at`.
    pub(super) fn has_passed(&self, time: Duration, at: TimestampMs, now: Now) -> Passed {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        if now.wall.0.saturating_sub(at.0) < time {
            return Passed::No;
        }
        let here = i64::try_from(now.mono.since(self.mono).as_millis()).unwrap_or(i64::MAX);
        let seen = self.log.0.saturating_add(here);
        if seen.saturating_sub(self.seen_at(at)) < time { Passed::OnTheWall } else { Passed::Yes }
    }

    /// A timestamp on the clock that leaves out what nobody saw.
    fn seen_at(&self, at: TimestampMs) -> i64 {
        if at >= self.wall {
            self.log.0.saturating_add(at.0.saturating_sub(self.wall.0))
        } else {
            at.min(self.log).0
        }
    }
}

fn newest(group: &Group) -> Option<TimestampMs> {
    let offsets =
        group.offsets.values().flat_map(|partitions| partitions.values()).map(|committed| committed.at);
    let classic = group.classic.iter().map(|classic| classic.state_at);
    let consumer = group.consumer.iter().filter_map(|consumer| Some(consumer.target?.at));
    offsets.chain(classic).chain(consumer).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn ms(days: u64) -> i64 {
        DAY.as_millis() as i64 * days as i64
    }

    /// A life that began on day 100 by the wall clock, with a newest timestamp of day `log`.
    fn life(log: u64) -> Ageing {
        Ageing { log: TimestampMs(ms(log)), wall: TimestampMs(ms(100)), mono: MonoNs(7) }
    }

    fn now(wall: u64, lived: u64) -> Now {
        Now { wall: TimestampMs(ms(wall)), mono: MonoNs(7).after(DAY * lived as u32) }
    }

    fn passed(life: Ageing, days: u64, at: u64, now: Now) -> Passed {
        life.has_passed(DAY * days as u32, TimestampMs(ms(at)), now)
    }

    #[test]
    fn time_that_log_and_process_saw_counts_to_the_millisecond() {
        assert_eq!(passed(life(100), 7, 95, now(102, 2)), Passed::Yes);
        assert_eq!(passed(life(100), 7, 96, now(102, 2)), Passed::No);
        let early = Now { wall: TimestampMs(ms(102) - 1), mono: MonoNs(7).after(DAY * 2) };
        assert_eq!(passed(life(100), 7, 95, early), Passed::No);
    }

    #[test]
    fn time_while_the_broker_was_off_does_not_count() {
        // Off from day 90 to day 100.
        assert_eq!(passed(life(90), 7, 89, now(100, 0)), Passed::OnTheWall);
        assert_eq!(passed(life(90), 7, 89, now(105, 5)), Passed::OnTheWall);
        assert_eq!(passed(life(90), 7, 89, now(106, 6)), Passed::Yes);
        // What is written in this life ages as usual.
        assert_eq!(passed(life(90), 7, 101, now(108, 8)), Passed::Yes);
        assert_eq!(passed(life(90), 7, 101, now(107, 7)), Passed::No);
    }

    #[test]
    fn a_clock_set_forward_makes_nothing_older() {
        assert_eq!(passed(life(100), 7, 100, now(130, 1)), Passed::OnTheWall);
        // Written after the jump, it waits until the process has lived as long.
        assert_eq!(passed(life(100), 7, 130, now(137, 8)), Passed::OnTheWall);
    }

    #[test]
    fn a_clock_set_back_makes_nothing_older() {
        assert_eq!(passed(life(100), 7, 71, now(71, 1)), Passed::No);
        assert_eq!(passed(life(100), 7, 100, now(71, 8)), Passed::No);
    }

    #[test]
    fn extreme_timestamps_do_not_overflow() {
        for at in [i64::MIN, -1, i64::MAX] {
            let life = Ageing { log: TimestampMs(i64::MIN), ..life(100) };
            let _ = life.has_passed(Duration::MAX, TimestampMs(at), now(100, 1));
        }
    }
}
