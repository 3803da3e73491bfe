//! The time of the first record at or after an offset: what tells how far behind a group is.

use super::{Client, ClientError, Topic};
use crate::record::{check_crc, read_records, split_batches};
use crate::types::{ErrorCode, TimestampMs};
use crate::wire::Records;
use crate::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use std::collections::BTreeMap;

/// Most bytes a batch may have after decompression.
const BATCH_BYTES_MAX: usize = 512 << 20;
/// Calls under way at once, each for a batch; with the largest batch of a broker that bounds what is in memory.
const CALLS_MAX: usize = 16;
/// How many batches without records (marks of transactions, what compaction left) are passed over.
const EMPTY_MAX: usize = 100;

/// What a batch told.
enum Seen {
    /// The time that was asked for.
    Time(TimestampMs),
    /// Nothing up to here: look further.
    Further(i64),
    /// There is no such record.
    Nothing,
    /// It cannot be told.
    Unknown,
}

impl Client {
    /// The times of the first records at or after these offsets, read from one batch each; none where there is no
    /// such record. A partition of which it cannot be told, as the record has no time, is left out.
    pub async fn oldest_times(
        &self,
        topic: &Topic,
        from: &BTreeMap<i32, i64>,
    ) -> Result<BTreeMap<i32, Option<TimestampMs>>, ClientError> {
        let mut wanted: Vec<(i32, i64)> =
            from.iter().map(|(partition, offset)| (*partition, *offset)).collect();
        let mut times = BTreeMap::new();
        for _ in 0..EMPTY_MAX {
            let mut further = Vec::new();
            for some in wanted.chunks(CALLS_MAX) {
                let mut calls = Vec::new();
                for (partition, offset) in some {
                    let link = self.link(topic.leader(*partition)?).await?;
                    calls.push((
                        *partition,
                        *offset,
                        link.begin(&request(topic, *partition, *offset)).await?,
                    ));
                }
                for (partition, offset, call) in calls {
                    let answer = call.answer().await?;
                    let mut entries = answer.responses.into_iter().flat_map(|topic| topic.partitions);
                    match entries.next().map_or(Ok(Seen::Unknown), |entry| look(topic, offset, entry))? {
                        Seen::Time(time) => drop(times.insert(partition, Some(time))),
                        Seen::Further(offset) => further.push((partition, offset)),
                        Seen::Nothing => drop(times.insert(partition, None)),
                        Seen::Unknown => {}
                    }
                }
            }
            wanted = further;
            if wanted.is_empty() {
                break;
            }
        }
        Ok(times)
    }
}

/// Asks for the least there is: a broker sends one whole batch however small the limit.
fn request(topic: &Topic, partition: i32, offset: i64) -> FetchRequest {
    let wanted = FetchPartition {
        partition,
        fetch_offset: offset,
        partition_max_bytes: 1,
        ..FetchPartition::default()
    };
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 0,
        min_bytes: 0,
        max_bytes: 1,
        topics: vec![FetchTopic {
            topic: topic.name.as_str().into(),
            partitions: vec![wanted],
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

fn look(topic: &Topic, offset: i64, entry: PartitionData) -> Result<Seen, ClientError> {
    match entry.error_code {
        ErrorCode::NONE => {}
        // Records went away since we looked.
        ErrorCode::OFFSET_OUT_OF_RANGE if entry.log_start_offset > offset => {
            return Ok(Seen::Further(entry.log_start_offset));
        }
        _ => return Ok(Seen::Unknown),
    }
    let Some(Records::Bytes(bytes)) = entry.records else { return Ok(Seen::Unknown) };
    let place = || format!("{}-{} at offset {offset}", topic.name, entry.partition_index);
    let damaged = |why| ClientError::Damaged { place: place(), why };
    let mut seen = if entry.high_watermark > offset { Seen::Unknown } else { Seen::Nothing };
    for batch in split_batches(&bytes) {
        let (header, batch) = batch.map_err(damaged)?;
        check_crc(&batch).map_err(damaged)?;
        seen = Seen::Further(header.next_offset().0);
        if header.is_control() || header.last_offset().0 < offset {
            continue;
        }
        for record in read_records(&batch, BATCH_BYTES_MAX).map_err(damaged)? {
            let record = record.map_err(damaged)?;
            if record.offset.0 >= offset {
                return Ok(if record.timestamp.0 < 0 { Seen::Unknown } else { Seen::Time(record.timestamp) });
            }
        }
    }
    Ok(seen)
}
