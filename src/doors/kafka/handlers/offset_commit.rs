//! OffsetCommit, 2-10: how far a group has read.
//!
//! - 2-4: the client says how long to keep it; 6: leader epochs; 7: static members; 9: members of consumer groups, and
//!   GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH; 10: topics by id

use super::*;
use crate::engine::Engine;
use crate::group::{Commit, CommitPartition};
use crate::types::{Epoch, Offset};
use crate::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestTopic, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = OffsetCommitRequest;
    const VERSIONS: RangeInclusive<i16> = 2..=10;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: OffsetCommitRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, head.version, &request).await }))
    }
}

/// One partition of the request: where it stands there, and its code.
struct Place<'a> {
    topic: &'a OffsetCommitRequestTopic,
    index: i32,
    code: ErrorCode,
}

async fn respond(engine: &Engine, version: i16, request: &OffsetCommitRequest) -> OffsetCommitResponse {
    let (mut places, mut found, mut partitions) = (Vec::new(), Vec::new(), Vec::new());
    for topic in &request.topics {
        let entry = engine.topic(&topic_ref(&topic.name, topic.topic_id, version >= 10));
        for partition in &topic.partitions {
            let index = partition.partition_index;
            let entry = match &entry {
                Ok(entry) if (0..entry.partitions).contains(&index) => entry,
                Ok(_) => {
                    places.push(Place { topic, index, code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION });
                    continue;
                }
                Err(refusal) => {
                    places.push(Place { topic, index, code: refusal.code });
                    continue;
                }
            };
            found.push(Place { topic, index, code: ErrorCode::NONE });
            partitions.push(CommitPartition {
                topic: Arc::clone(&entry.name),
                topic_id: entry.id,
                partition: index,
                offset: Offset(partition.committed_offset),
                leader_epoch: Epoch(partition.committed_leader_epoch),
                metadata: maybe_text(partition.committed_metadata.as_ref()),
            });
        }
    }
    if !found.is_empty() {
        let retention_ms = Some(request.retention_time_ms).filter(|ms| *ms >= 0 && version <= 4);
        let commit = Commit {
            group: text(&request.group_id),
            member: text(&request.member_id),
            instance: maybe_text(request.group_instance_id.as_ref()),
            generation: request.generation_id_or_member_epoch,
            knows_epochs: version >= 9,
            retention_ms,
            partitions,
        };
        match engine.commit_offsets(commit).await {
            Ok(codes) => found.iter_mut().zip(codes).for_each(|(place, code)| place.code = code),
            Err(refusal) => found.iter_mut().for_each(|place| place.code = refusal.code),
        }
    }
    // As in Kafka: first what the groups were not asked about, topics put together; else as it was asked for.
    if places.is_empty() {
        return echo(request, &found);
    }
    places.append(&mut found);
    answer(places)
}

/// The request's own shape, with the codes in its order.
fn echo(request: &OffsetCommitRequest, found: &[Place<'_>]) -> OffsetCommitResponse {
    let mut codes = found.iter().map(|place| place.code);
    let topics = request.topics.iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .zip(codes.by_ref())
            .map(|(partition, error_code)| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code,
            })
            .collect(),
    });
    OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

fn answer(places: Vec<Place<'_>>) -> OffsetCommitResponse {
    let mut topics: Vec<OffsetCommitResponseTopic> = Vec::new();
    let mut known: BTreeMap<(&Str, Uuid), usize> = BTreeMap::new();
    for Place { topic, index, code } in places {
        let at = *known.entry((&topic.name, topic.topic_id)).or_insert_with(|| {
            let (name, topic_id) = (topic.name.clone(), topic.topic_id);
            topics.push(OffsetCommitResponseTopic { name, topic_id, partitions: Vec::new() });
            topics.len() - 1
        });
        if let Some(told) = topics.get_mut(at) {
            told.partitions.push(OffsetCommitResponsePartition { partition_index: index, error_code: code });
        }
    }
    OffsetCommitResponse { topics, ..Default::default() }
}
