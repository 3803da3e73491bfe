//! Where a reset moves a group: the grammar of `--to`, and one partition's way from where the group is to where it
//! shall be. Data only; what a broker knows is handed in.

use crate::cli::offset::{BadOffset, OffsetRange, Place};
use std::str::FromStr;

/// Where a group shall go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// The same place in every partition.
    Place(Place),
    /// So many records on, or back, from where it is.
    Shift(i64),
}

/// A text that is no such place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place; write earliest, latest, 17, +5, -5, @2026-11-23, @2026-11-23T10:00:00Z or @-1h")]
pub struct BadWhere(String);

impl FromStr for Where {
    type Err = BadWhere;

    fn from_str(text: &str) -> Result<Where, BadWhere> {
        let bad = || BadWhere(text.to_owned());
        match text {
            "earliest" => return Ok(Where::Place(Place::Start(0))),
            "latest" => return Ok(Where::Place(Place::End(0))),
            _ => {}
        }
        let range: OffsetRange = text.parse().map_err(|_: BadOffset| bad())?;
        // What counts from the ends of the partition for readers counts from where the group is here.
        match range {
            OffsetRange { to: Some(_), .. } => Err(bad()),
            OffsetRange { from: Place::Start(by), .. } if text != "start" => Ok(Where::Shift(by)),
            OffsetRange { from: Place::End(by), .. } if text != "end" => Ok(Where::Shift(-by)),
            _ if text.ends_with(':') => Err(bad()),
            OffsetRange { from, .. } => Ok(Where::Place(from)),
        }
    }
}

/// One partition's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Topic
    pub topic: String,
    /// Partition
    pub partition: i32,
    /// Where the group is; none without a commit.
    pub now: Option<i64>,
    /// Where it shall be.
    pub new: i64,
    /// What was made of a place that is not there.
    pub note: Option<String>,
}

impl Move {
    /// A way to an offset, or to the nearest that there is between the start and the end of the partition.
    pub fn within(
        topic: &str,
        partition: i32,
        now: Option<i64>,
        wanted: i64,
        (start, end): (i64, i64),
    ) -> Move {
        let new = wanted.clamp(start, end.max(start));
        let note = match wanted {
            wanted if wanted < start => Some(format!("{wanted} is before the start, so the start")),
            wanted if wanted > end => Some(format!("{wanted} is after the end, so the end")),
            _ => None,
        };
        Move { topic: topic.to_owned(), partition, now, new, note }
    }

    /// How far it is; none without a commit.
    pub fn change(&self) -> Option<i64> {
        self.now.map(|now| self.new.saturating_sub(now))
    }
}

/// What a set of ways means: how many records are read again, and how many never.
pub fn summary(moves: &[Move]) -> String {
    let again: u64 = moves.iter().filter_map(Move::change).filter(|by| *by < 0).map(i64::unsigned_abs).sum();
    let skipped: u64 =
        moves.iter().filter_map(Move::change).filter(|by| *by > 0).map(i64::unsigned_abs).sum();
    let records = |count: u64, what: &str| match count {
        1 => format!("1 record {what}"),
        count => format!("{} records {what}", crate::cli::output::thousands(count)),
    };
    let mut parts = Vec::new();
    if again > 0 {
        parts.push(records(again, "to be read again"));
    }
    if skipped > 0 {
        parts.push(records(skipped, "to be skipped"));
    }
    match parts.is_empty() {
        true => "no record to be read again or skipped".to_owned(),
        false => parts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::offset::When;

    #[test]
    fn places_are_read_and_nothing_else_is() {
        let check = |text: &str, expect| assert_eq!(text.parse(), Ok(expect), "{text}");
        check("earliest", Where::Place(Place::Start(0)));
        check("start", Where::Place(Place::Start(0)));
        check("latest", Where::Place(Place::End(0)));
        check("end", Where::Place(Place::End(0)));
        check("17", Where::Place(Place::At(17)));
        check("+5", Where::Shift(5));
        check("-5", Where::Shift(-5));
        check("@-1h", Where::Place(Place::Time(When::Ago(3_600_000))));
        check("@2026-11-23T10:00:00Z", Where::Place(Place::Time(When::Absolute(1_795_428_000_000))));
        for wrong in ["", "newest", "5:7", "5:", ":5", "+", "1.5", "@", "@-1h:", "@-1h:end"] {
            assert!(wrong.parse::<Where>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_offset_that_is_not_there_becomes_the_nearest_and_says_so() {
        let check = |wanted, new, noted| {
            let way = Move::within("t", 0, Some(5), wanted, (3, 9));
            assert_eq!((way.new, way.note.is_some(), way.change()), (new, noted, Some(new - 5)), "{wanted}");
        };
        check(2, 3, true);
        check(3, 3, false);
        check(9, 9, false);
        check(10, 9, true);
        check(i64::MIN, 3, true);
    }

    #[test]
    fn what_a_reset_means_is_counted() {
        let way = |now, new| Move { topic: "t".to_owned(), partition: 0, now, new, note: None };
        assert_eq!(summary(&[way(Some(5), 4)]), "1 record to be read again");
        let both = [way(Some(5), 0), way(Some(0), 3000), way(None, 9), way(Some(2), 2)];
        assert_eq!(summary(&both), "5 records to be read again, 3,000 records to be skipped");
        assert_eq!(summary(&[way(None, 3)]), "no record to be read again or skipped");
    }
}
