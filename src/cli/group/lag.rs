//! How far a group is in each partition: in records, and in the age of the oldest one that it has not read.

use crate::cli::client::{Client, ClientError, EARLIEST, GroupView, LATEST, PartitionKey, Topic};
use crate::types::{ErrorCode, TimestampMs};
use std::collections::{BTreeMap, BTreeSet};

/// Where a group is in a partition.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Standing {
    /// Topic
    pub topic: String,
    /// Partition
    pub partition: i32,
    /// The committed offset.
    pub committed: Option<i64>,
    /// The first offset that is kept; none if the partition is gone.
    pub start: Option<i64>,
    /// The offset behind the last record.
    pub end: Option<i64>,
    /// Offsets from the committed one, or from the start if that is later, to the end.
    pub lag: Option<i64>,
    /// Age of the oldest record that was not read.
    pub behind_seconds: Option<f64>,
    /// Id of the member that reads it.
    pub member: Option<String>,
    /// What is odd about it.
    pub note: Option<String>,
}

impl Standing {
    fn new(
        topic: &str,
        partition: i32,
        committed: Option<i64>,
        bounds: Option<(i64, i64)>,
        member: Option<String>,
    ) -> Standing {
        let (start, end) = bounds.unzip();
        let note = match (committed, bounds) {
            (_, None) => Some("the partition does not exist".to_owned()),
            (Some(offset), Some((start, _))) if offset < start => {
                Some(format!("{} offsets were deleted unread", start.saturating_sub(offset)))
            }
            (Some(offset), Some((_, end))) if offset > end => Some("committed beyond the end".to_owned()),
            _ => None,
        };
        let lag = committed.zip(bounds).map(|(offset, (start, end))| (end - offset.max(start)).max(0));
        let behind_seconds = lag.filter(|lag| *lag == 0).map(|_| 0.0);
        Standing {
            topic: topic.to_owned(),
            partition,
            committed,
            start,
            end,
            lag,
            behind_seconds,
            member,
            note,
        }
    }

    /// Offset of the oldest record that was not read, if there is one.
    fn unread(&self) -> Option<i64> {
        self.lag.filter(|lag| *lag > 0)?;
        Some(self.committed?.max(self.start?))
    }
}

/// Where a group is in all partitions that it has committed, that its members read or that they subscribed to.
pub async fn standings(
    client: &Client,
    view: &GroupView,
    committed: &BTreeMap<PartitionKey, i64>,
    now: TimestampMs,
) -> Result<Vec<Standing>, ClientError> {
    let readers = readers(view);
    let mut topics: BTreeSet<&str> =
        committed.keys().chain(readers.keys()).map(|key| key.0.as_str()).collect();
    let subscribed: BTreeSet<&str> =
        view.members.iter().flat_map(|member| &member.subscribed).map(String::as_str).collect();
    topics.extend(&subscribed);
    let mut all = Vec::new();
    for name in topics {
        let topic = match client.topic(name, false).await {
            Ok(topic) => Some(topic),
            Err(error) if error.code() == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => None,
            Err(error) => return Err(error),
        };
        let named = committed.keys().chain(readers.keys()).filter(|key| key.0 == name).map(|key| key.1);
        let mut partitions: BTreeSet<i32> = named.collect();
        if let Some(topic) = topic.as_ref().filter(|_| subscribed.contains(name)) {
            partitions.extend(topic.partitions());
        }
        all.extend(of_topic(client, name, topic, &partitions, committed, &readers, now).await?);
    }
    Ok(all)
}

async fn of_topic(
    client: &Client,
    name: &str,
    topic: Option<Topic>,
    partitions: &BTreeSet<i32>,
    committed: &BTreeMap<PartitionKey, i64>,
    readers: &BTreeMap<PartitionKey, String>,
    now: TimestampMs,
) -> Result<Vec<Standing>, ClientError> {
    let mut bounds = BTreeMap::new();
    if let Some(topic) = &topic {
        let there: Vec<i32> =
            partitions.iter().copied().filter(|partition| topic.leaders.contains_key(partition)).collect();
        let mut ends = client.offsets(topic, &there, LATEST).await?;
        for (partition, start) in client.offsets(topic, &there, EARLIEST).await? {
            bounds.insert(partition, (start, ends.remove(&partition).unwrap_or(start)));
        }
    }
    let mut standings: Vec<Standing> = Vec::new();
    for partition in partitions.iter().copied() {
        let key = (name.to_owned(), partition);
        let (offset, member) = (committed.get(&key).copied(), readers.get(&key).cloned());
        standings.push(Standing::new(name, partition, offset, bounds.get(&partition).copied(), member));
    }
    if let Some(topic) = &topic {
        let unread = standings.iter().filter_map(|one| Some((one.partition, one.unread()?))).collect();
        let times = client.oldest_times(topic, &unread).await?;
        for one in &mut standings {
            if let Some(time) = times.get(&one.partition) {
                // A record from a clock that is ahead is not older than nothing; marks of transactions are no records.
                let age_ms = time.map_or(0, |time| now.0.saturating_sub(time.0).max(0));
                one.behind_seconds = Some(age_ms as f64 / 1000.0);
            }
        }
    }
    Ok(standings)
}

fn readers(view: &GroupView) -> BTreeMap<PartitionKey, String> {
    let mut readers = BTreeMap::new();
    for member in &view.members {
        for (topic, partitions) in &member.assigned {
            for partition in partitions {
                readers.insert((topic.clone(), *partition), member.member.clone());
            }
        }
    }
    readers
}

/// A span of time for people: the two largest units, a tenth of a second below ten.
pub fn age(seconds: f64) -> String {
    let whole = seconds as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds <= 0.0 => "0s".to_owned(),
        (0, 0, 0) if whole < 10 => format!("{seconds:.1}s"),
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_counts_what_is_there_to_read() {
        let check = |committed, bounds, lag, unread, noted| {
            let one = Standing::new("t", 0, committed, bounds, None);
            assert_eq!((one.lag, one.unread(), one.note.is_some()), (lag, unread, noted), "{committed:?}");
            assert_eq!(one.behind_seconds.is_some(), lag == Some(0));
        };
        check(Some(5), Some((0, 9)), Some(4), Some(5), false);
        check(Some(9), Some((0, 9)), Some(0), None, false);
        check(Some(5), Some((7, 9)), Some(2), Some(7), true);
        check(Some(12), Some((7, 9)), Some(0), None, true);
        check(None, Some((0, 9)), None, None, false);
        check(Some(5), None, None, None, true);
    }

    #[test]
    fn ages_are_short() {
        let check = |seconds, expect: &str| assert_eq!(age(seconds), expect);
        check(0.0, "0s");
        check(0.34, "0.3s");
        check(59.9, "59s");
        check(61.0, "1m 1s");
        check(3600.0, "1h 0m");
        check(90_000.0, "1d 1h");
    }
}
