//! Whether the wall clock is to be trusted with the age of records. It runs beside the monotonic clock, and so long as
//! both agree it is; a clock that jumped ahead must not make all records look old at once. Pure: told the times, says
//! what may go.

use crate::types::{MonoNs, TimestampMs};
use std::time::Duration;

/// How far records may be removed by their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// As the topics say.
    Full,
    /// A part in each pass, for what is too old may only look so.
    Bounded,
    /// Not at all.
    Held,
}

/// What a look found that a person should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The clock was set ahead by this much while the broker ran.
    Ahead(Duration),
    /// It was set back by this much.
    Behind(Duration),
    /// It agrees again with what it showed before it jumped.
    Returned,
    /// It has stayed where it jumped for so long that it is taken to be right.
    Accepted,
    /// So much time passed while no broker ran: a long stop, or a jump.
    LongStop(Duration),
}

/// Limits of a look, from the settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// A difference above it is a jump.
    pub(super) jump: Duration,
    /// How long a jump is doubted.
    pub(super) grace: Duration,
}

/// The two clocks side by side.
pub(super) struct WallWatch {
    /// Where both agreed last.
    line: (TimestampMs, MonoNs),
    /// Since when they do not.
    off_since: Option<MonoNs>,
    bounded: bool,
}

impl WallWatch {
    /// Begins at `wall` and `mono`; `stored` is the time that the last process trusted last.
    pub(super) fn begin(
        stored: Option<TimestampMs>,
        wall: TimestampMs,
        mono: MonoNs,
        limits: Limits,
    ) -> (WallWatch, Option<Finding>) {
        let away = stored.map(|stored| between(stored, wall));
        let long = away.filter(|away| *away > limits.jump);
        let watch =
            WallWatch { line: (wall, mono), off_since: None, bounded: away.is_none() || long.is_some() };
        (watch, long.map(Finding::LongStop))
    }

    /// Compares the clocks.
    pub(super) fn look(
        &mut self,
        wall: TimestampMs,
        mono: MonoNs,
        limits: Limits,
    ) -> (Trust, Option<Finding>) {
        let expected = self.trusted(mono);
        let (ahead, behind) = (between(expected, wall), between(wall, expected));
        let found = match self.off_since {
            None if ahead > limits.jump => {
                self.off_since = Some(mono);
                Some(Finding::Ahead(ahead))
            }
            None if behind > limits.jump => {
                self.off_since = Some(mono);
                Some(Finding::Behind(behind))
            }
            Some(_) if ahead.max(behind) <= limits.jump => {
                self.off_since = None;
                Some(Finding::Returned)
            }
            Some(since) if mono.since(since) >= limits.grace => {
                self.off_since = None;
                self.bounded |= ahead > limits.jump;
                Some(Finding::Accepted)
            }
            _ => None,
        };
        if self.off_since.is_none() {
            self.line = (wall, mono);
        }
        let trust = match self.off_since {
            Some(_) if ahead > limits.jump => Trust::Held,
            // Behind, less is too old than there should be.
            _ if self.bounded => Trust::Bounded,
            _ => Trust::Full,
        };
        (trust, found)
    }

    /// The wall time that would be without a jump.
    pub(super) fn trusted(&self, mono: MonoNs) -> TimestampMs {
        let passed = i64::try_from(mono.since(self.line.1).as_millis()).unwrap_or(i64::MAX);
        TimestampMs(self.line.0.0.saturating_add(passed))
    }

    /// A pass that was bounded left nothing over.
    pub(super) fn caught_up(&mut self) {
        self.bounded = false;
    }
}

/// Time from `earlier` to `later`; zero if it is not.
fn between(earlier: TimestampMs, later: TimestampMs) -> Duration {
    Duration::from_millis(u64::try_from(later.0.saturating_sub(earlier.0)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const LIMITS: Limits = Limits { jump: Duration::from_secs(3600), grace: Duration::from_secs(24 * 3600) };

    fn at(hours: i64) -> TimestampMs {
        TimestampMs(1_000_000 * HOUR + hours * HOUR)
    }

    fn mono(hours: i64) -> MonoNs {
        MonoNs(0).after(Duration::from_millis((hours * HOUR) as u64))
    }

    fn watch() -> WallWatch {
        let (watch, finding) = WallWatch::begin(Some(at(0)), at(0), mono(0), LIMITS);
        assert_eq!(finding, None);
        watch
    }

    /// Looks at these hours of wall and monotonic time.
    fn looks(watch: &mut WallWatch, times: &[(i64, i64)]) -> Vec<(Trust, Option<Finding>)> {
        times.iter().map(|(wall, ran)| watch.look(at(*wall), mono(*ran), LIMITS)).collect()
    }

    #[test]
    fn clocks_that_agree_are_trusted_however_long_the_broker_runs() {
        assert_eq!(looks(&mut watch(), &[(1, 1), (2, 2), (500, 500)]), [(Trust::Full, None); 3]);
    }

    #[test]
    fn a_jump_ahead_is_held_for_the_grace_then_bounded_until_all_is_done() {
        let mut watch = watch();
        let expect = [
            (Trust::Held, Some(Finding::Ahead(Duration::from_secs(719 * 3600)))),
            (Trust::Held, None),
            (Trust::Bounded, Some(Finding::Accepted)),
            (Trust::Bounded, None),
        ];
        assert_eq!(looks(&mut watch, &[(720, 1), (740, 21), (745, 26), (746, 27)]), expect);
        watch.caught_up();
        assert_eq!(looks(&mut watch, &[(747, 28)]), [(Trust::Full, None)]);
    }

    #[test]
    fn a_clock_that_is_set_right_again_is_trusted_at_once() {
        let expect = [
            (Trust::Held, Some(Finding::Ahead(Duration::from_secs(719 * 3600)))),
            (Trust::Full, Some(Finding::Returned)),
        ];
        assert_eq!(looks(&mut watch(), &[(720, 1), (2, 2)]), expect);
    }

    #[test]
    fn a_clock_that_falls_behind_and_comes_back_does_not_look_like_a_jump_ahead() {
        let expect = [
            (Trust::Full, Some(Finding::Behind(Duration::from_secs(101 * 3600)))),
            (Trust::Full, Some(Finding::Returned)),
        ];
        assert_eq!(looks(&mut watch(), &[(-100, 1), (2, 2)]), expect);
    }

    #[test]
    fn what_is_written_down_as_trusted_does_not_follow_a_jump() {
        let mut watch = watch();
        watch.look(at(720), mono(1), LIMITS);
        assert_eq!(watch.trusted(mono(5)), at(5));
    }

    #[test]
    fn after_a_long_stop_only_a_part_goes_at_once() {
        let begin = |stored| WallWatch::begin(stored, at(100), mono(0), LIMITS);
        let (mut stopped, finding) = begin(Some(at(0)));
        assert_eq!(finding, Some(Finding::LongStop(Duration::from_secs(100 * 3600))));
        assert_eq!(looks(&mut stopped, &[(100, 0)]), [(Trust::Bounded, None)]);
        let (mut unknown, finding) = begin(None);
        assert_eq!(finding, None);
        assert_eq!(looks(&mut unknown, &[(100, 0)]), [(Trust::Bounded, None)]);
        assert_eq!(looks(&mut begin(Some(at(99))).0, &[(100, 0)]), [(Trust::Full, None)]);
    }
}
