//! Places in partitions as offsets.

use crate::cli::client::{Client, ClientError, EARLIEST, LATEST, Topic};
use crate::cli::offset::Place;
use crate::types::TimestampMs;
use std::collections::BTreeMap;

/// The offset that a place is in each partition, if it is now `now`.
pub async fn resolve(
    place: Place,
    client: &Client,
    topic: &Topic,
    partitions: &[i32],
    now: TimestampMs,
) -> Result<BTreeMap<i32, i64>, ClientError> {
    let at = |timestamp| client.offsets(topic, partitions, timestamp);
    Ok(match place {
        Place::At(offset) => partitions.iter().map(|partition| (*partition, offset)).collect(),
        Place::Time(when) => at(when.resolve(now)).await?,
        Place::Start(0) => at(EARLIEST).await?,
        Place::End(0) => at(LATEST).await?,
        Place::Start(by) => {
            let (start, end) = (at(EARLIEST).await?, at(LATEST).await?);
            let within = |(partition, start): (i32, i64)| {
                let end = end.get(&partition).copied().unwrap_or(start);
                (partition, start.saturating_add(by).min(end))
            };
            start.into_iter().map(within).collect()
        }
        Place::End(by) => {
            let (start, end) = (at(EARLIEST).await?, at(LATEST).await?);
            let within = |(partition, end): (i32, i64)| {
                let start = start.get(&partition).copied().unwrap_or(0);
                (partition, end.saturating_sub(by).max(start))
            };
            end.into_iter().map(within).collect()
        }
    })
}
