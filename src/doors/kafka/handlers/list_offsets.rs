//! ListOffsets, 1-11: offsets by time and by name.
//!
//! - 4: leader epochs; 7: -3, the record with the largest timestamp (KIP-734); 8: -4, the earliest local offset;
//!   9: -5, the latest tiered offset; 10: a timeout; 11: -6, the earliest offset not yet tiered
//!
//! Nothing is tiered here, so that -4 is the start of the log and -5 and -6 find nothing.

use super::*;
use crate::engine::{At, Engine, FindOffset, Isolation, Position};
use crate::types::{Epoch, TimestampMs};
use crate::wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ListOffsetsRequest;
    const VERSIONS: RangeInclusive<i16> = 1..=11;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: ListOffsetsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, request, head.version).await }))
    }
}

/// What a number in the place of a timestamp asks for.
enum Asked {
    Find(At),
    /// Something that is never there.
    Nothing,
}

fn asked(timestamp: i64, version: i16) -> Option<Asked> {
    match timestamp {
        0.. => Some(Asked::Find(At::Time(TimestampMs(timestamp)))),
        -1 => Some(Asked::Find(At::Latest)),
        -2 => Some(Asked::Find(At::Earliest)),
        -3 if version >= 7 => Some(Asked::Find(At::MaxTimestamp)),
        -4 if version >= 8 => Some(Asked::Find(At::Earliest)),
        -5 if version >= 9 => Some(Asked::Nothing),
        -6 if version >= 11 => Some(Asked::Nothing),
        _ => None,
    }
}

async fn respond(engine: &Engine, request: ListOffsetsRequest, version: i16) -> ListOffsetsResponse {
    let isolation = match request.isolation_level {
        1 => Isolation::ReadCommitted,
        _ => Isolation::ReadUncommitted,
    };
    let mut topics = Vec::with_capacity(request.topics.len());
    let mut times = BTreeMap::new();
    for topic in &request.topics {
        for part in &topic.partitions {
            *times.entry((topic.name.clone(), part.partition_index)).or_insert(0u32) += 1;
        }
    }
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for part in &topic.partitions {
            let key = (topic.name.clone(), part.partition_index);
            let outcome = match times.get(&key) {
                Some(1) => find(engine, &topic.name, part, isolation, version).await,
                // Told once, however often it is named.
                Some(_) => {
                    times.remove(&key);
                    Err(ErrorCode::INVALID_REQUEST.into())
                }
                None => continue,
            };
            partitions.push(partition_response(part.partition_index, &outcome, version));
        }
        topics.push(ListOffsetsTopicResponse { name: topic.name, partitions });
    }
    ListOffsetsResponse { topics, ..Default::default() }
}

async fn find(
    engine: &Engine,
    name: &Str,
    part: &ListOffsetsPartition,
    isolation: Isolation,
    version: i16,
) -> Result<Position, Refusal> {
    let Some(asked) = asked(part.timestamp, version) else {
        return Err(ErrorCode::UNSUPPORTED_VERSION.into());
    };
    let find = FindOffset {
        topic: topic_ref(name, Uuid::ZERO, false),
        partition: part.partition_index,
        current_epoch: Epoch(part.current_leader_epoch),
        at: match asked {
            Asked::Find(at) => at,
            Asked::Nothing => At::Latest,
        },
    };
    // Also where nothing can be found, the partition has to be there and the client's epoch has to be right.
    let found = engine.find_offset(&find, isolation).await?;
    Ok(match asked {
        Asked::Find(_) => found,
        Asked::Nothing => Position::NONE,
    })
}

fn partition_response(
    partition_index: i32,
    outcome: &Result<Position, Refusal>,
    version: i16,
) -> ListOffsetsPartitionResponse {
    let (error_code, _) = told(outcome);
    let found = outcome.as_ref().copied().unwrap_or(Position::NONE);
    ListOffsetsPartitionResponse {
        partition_index,
        error_code,
        timestamp: found.timestamp.0,
        offset: found.offset.0,
        leader_epoch: if version >= 4 { found.epoch.0 } else { Epoch::NONE.0 },
    }
}
