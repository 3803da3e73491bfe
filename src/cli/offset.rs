//! The grammar of offsets: `start`, `end`, `+2`, `-3`, `17`, `@2026-11-23T10:00:00`, `@-10m`, and ranges `FROM:TO`.
//! What does not parse is refused; nothing is guessed.

use crate::types::TimestampMs;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::str::FromStr;

/// A place in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first record kept, and this many further.
    Start(i64),
    /// The end, and this many back.
    End(i64),
    /// An offset.
    At(i64),
    /// The first record at or after a time.
    Time(When),
}

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Milliseconds since 1970.
    Absolute(i64),
    /// This many milliseconds ago.
    Ago(i64),
}

impl When {
    /// Milliseconds since 1970, if it is now `now`.
    pub fn resolve(self, now: TimestampMs) -> i64 {
        match self {
            When::Absolute(ms) => ms,
            When::Ago(ms) => now.0.saturating_sub(ms).max(0),
        }
    }
}

/// What to read: from a place, to a place or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetRange {
    /// Where to begin.
    pub from: Place,
    /// Where to stop, itself not included.
    pub to: Option<Place>,
}

/// A text that is no offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no offset; write start, end, +2, -3, 17, 10:20, :end, @2026-11-23, @2026-11-23T10:00:00Z or @-10m"
)]
pub struct BadOffset(String);

impl FromStr for OffsetRange {
    type Err = BadOffset;

    fn from_str(text: &str) -> Result<OffsetRange, BadOffset> {
        let bad = || BadOffset(text.to_owned());
        if text.is_empty() || text == ":" {
            return Err(bad());
        }
        // Times hold colons: a text that is a place as a whole is no range, and otherwise the cut is the one that
        // leaves a place on both sides.
        if let Some(from) = place(text) {
            return Ok(OffsetRange { from, to: None });
        }
        for (at, _) in text.match_indices(':').rev() {
            let (from, to) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
            let from = if from.is_empty() { Some(Place::Start(0)) } else { place(from) };
            let to = match to {
                "" => Some(None),
                // Forward from the start says nothing as an end.
                to => place(to).filter(|to| !matches!(to, Place::Start(_))).map(Some),
            };
            if let (Some(from), Some(to)) = (from, to) {
                return Ok(OffsetRange { from, to });
            }
        }
        Err(bad())
    }
}

fn place(text: &str) -> Option<Place> {
    let count = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i64>().ok().filter(|_| plain)
    };
    match text {
        "start" => return Some(Place::Start(0)),
        "end" => return Some(Place::End(0)),
        _ => {}
    }
    match text.split_at_checked(1)? {
        ("+", digits) => count(digits).map(Place::Start),
        ("-", digits) => count(digits).map(Place::End),
        ("@", time) => when(time).map(Place::Time),
        _ => count(text).map(Place::At),
    }
}

fn when(text: &str) -> Option<When> {
    if let Some(ago) = text.strip_prefix('-') {
        let span = ago.parse::<SignedDuration>().ok().filter(|span| !span.is_negative())?;
        return i64::try_from(span.as_millis()).ok().map(When::Ago);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // As rpk reads them: 13 digits are milliseconds, 10 are seconds; other numbers could be anything.
        return match (text.len(), text.parse::<i64>()) {
            (13, Ok(ms)) => Some(When::Absolute(ms)),
            (10, Ok(seconds)) => Some(When::Absolute(seconds * 1000)),
            _ => None,
        };
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(When::Absolute(time.as_millisecond()));
    }
    // Without an offset it is a time of this machine's place.
    let local = text.parse::<DateTime>().ok()?.to_zoned_datetime(TimeZone::system()).ok()?;
    Some(When::Absolute(local.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_read_and_nothing_else_is() {
        let check = |text: &str, from, to| {
            assert_eq!(text.parse(), Ok(OffsetRange { from, to }), "{text}");
        };
        let ten = Place::Time(When::Absolute(1_795_428_000_000));
        check("start", Place::Start(0), None);
        check("end", Place::End(0), None);
        check("+2", Place::Start(2), None);
        check("-3", Place::End(3), None);
        check("0", Place::At(0), None);
        check("17", Place::At(17), None);
        check("10:20", Place::At(10), Some(Place::At(20)));
        check("10:", Place::At(10), None);
        check(":20", Place::Start(0), Some(Place::At(20)));
        check(":end", Place::Start(0), Some(Place::End(0)));
        check("+5:-5", Place::Start(5), Some(Place::End(5)));
        check("@-10m", Place::Time(When::Ago(600_000)), None);
        check("@-1h30m", Place::Time(When::Ago(5_400_000)), None);
        check("@-1h:@-10m", Place::Time(When::Ago(3_600_000)), Some(Place::Time(When::Ago(600_000))));
        check("@2026-11-23T10:00:00Z", ten, None);
        check("@2026-11-23T10:00:00Z:end", ten, Some(Place::End(0)));
        check("@2026-11-23T12:00:00+02:00", ten, None);
        assert_ne!("@2026-11-23T10:00".parse::<OffsetRange>().unwrap().from, Place::At(10));
        assert_eq!("@2026-11-23T10:00:00".parse::<OffsetRange>().unwrap().to, None);
        check("@1795428000000", ten, None);
        check("@1795428000", ten, None);
        for wrong in [
            "",
            ":",
            "newest",
            "+",
            "-",
            "--3",
            "1.5",
            "10-20",
            "20:+5",
            "@",
            "@12",
            "@yesterday",
            "0x10",
            " 5",
        ] {
            assert!(wrong.parse::<OffsetRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_ago_counts_from_now() {
        assert_eq!(When::Ago(600).resolve(TimestampMs(1000)), 400);
        assert_eq!(When::Ago(6000).resolve(TimestampMs(1000)), 0);
        assert_eq!(When::Absolute(5).resolve(TimestampMs(1000)), 5);
    }
}
