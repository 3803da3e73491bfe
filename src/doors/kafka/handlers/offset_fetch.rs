//! OffsetFetch, 1-10: how far groups have read.
//!
//! - 2: all that is committed, and a code for the group; 5: leader epochs; 7: only stable offsets; 8: many groups;
//!   9: members of consumer groups; 10: topics by id

use super::*;
use crate::engine::Engine;
use crate::group::{Committed, FetchOffsets, TopicOffsets};
use crate::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = OffsetFetchRequest;
    const VERSIONS: RangeInclusive<i16> = 1..=10;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: OffsetFetchRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            if head.version < 8 {
                return single(head.version, fetch(&engine, head.version, &only_group(&request)).await);
            }
            let mut groups = Vec::with_capacity(request.groups.len());
            for group in &request.groups {
                groups.push(fetch(&engine, head.version, group).await);
            }
            OffsetFetchResponse { groups, ..Default::default() }
        }))
    }
}

/// The one group of an old request.
fn only_group(request: &OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = request.topics.as_ref().map(|topics| {
        let named = topics.iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name.clone(),
            partition_indexes: topic.partition_indexes.clone(),
            ..Default::default()
        });
        named.collect()
    });
    OffsetFetchRequestGroup { group_id: request.group_id.clone(), topics, ..Default::default() }
}

/// The answer of an old version, which has one group.
fn single(version: i16, group: OffsetFetchResponseGroup) -> OffsetFetchResponse {
    let topics = group.topics.into_iter().map(|topic| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic
            .partitions
            .into_iter()
            .map(|partition| OffsetFetchResponsePartition {
                partition_index: partition.partition_index,
                committed_offset: partition.committed_offset,
                committed_leader_epoch: partition.committed_leader_epoch,
                metadata: partition.metadata,
                error_code: partition.error_code,
            })
            .collect(),
    });
    let error_code = if version >= 2 { group.error_code } else { ErrorCode::NONE };
    OffsetFetchResponse { topics: topics.collect(), error_code, ..Default::default() }
}

async fn fetch(engine: &Engine, version: i16, group: &OffsetFetchRequestGroup) -> OffsetFetchResponseGroup {
    let (mut named, mut unknown) = (None, Vec::new());
    if let Some(topics) = &group.topics {
        let mut known = Vec::new();
        for topic in topics {
            // Names are not looked up: what was committed for a topic stays readable while it is kept.
            let name = match version {
                10.. => engine.topic(&TopicRef::Id(topic.topic_id)).map(|entry| Arc::clone(&entry.name)),
                _ => Ok(text(&topic.name)),
            };
            match name {
                Ok(name) => known.push((name, topic.partition_indexes.clone())),
                Err(refusal) => unknown.push(failed(topic, refusal.code)),
            }
        }
        named = Some(known);
    }
    let asks = named.as_ref().is_none_or(|known| !known.is_empty()) || unknown.is_empty();
    let offsets = FetchOffsets {
        group: text(&group.group_id),
        member: maybe_text(group.member_id.as_ref()),
        epoch: group.member_epoch,
        topics: named,
    };
    let fetched = if asks { engine.committed_offsets(offsets).await } else { Ok(Vec::new()) };
    let (mut topics, error_code) = match fetched {
        Ok(fetched) => (shown_topics(engine, version, fetched), ErrorCode::NONE),
        Err(refusal) if version < 2 => {
            let topics = group.topics.iter().flatten();
            (topics.map(|topic| failed(topic, refusal.code)).collect(), ErrorCode::NONE)
        }
        Err(refusal) => {
            unknown.clear();
            (Vec::new(), refusal.code)
        }
    };
    topics.append(&mut unknown);
    OffsetFetchResponseGroup { group_id: group.group_id.clone(), topics, error_code }
}

fn shown_topics(engine: &Engine, version: i16, fetched: Vec<TopicOffsets>) -> Vec<OffsetFetchResponseTopics> {
    let image = engine.image();
    let shown = fetched.into_iter().filter_map(|topic| {
        let topic_id = match version {
            10.. => image.topic(&topic.topic)?.id,
            _ => Uuid::ZERO,
        };
        // What was committed for a former topic of the name is not an offset of this one.
        let of_this = |committed: &&Committed| committed.may_be_of(topic_id);
        let partitions = topic.partitions.iter();
        let partitions =
            partitions.map(|(index, committed)| shown_partition(*index, committed.as_ref().filter(of_this)));
        Some(OffsetFetchResponseTopics {
            name: Str::from(&*topic.topic),
            topic_id,
            partitions: partitions.collect(),
        })
    });
    shown.collect()
}

fn shown_partition(partition_index: i32, committed: Option<&Committed>) -> OffsetFetchResponsePartitions {
    OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: committed.map_or(-1, |committed| committed.offset.0),
        committed_leader_epoch: committed.map_or(-1, |committed| committed.leader_epoch.0),
        metadata: Some(committed.map_or(Str::EMPTY, |committed| shown(&committed.metadata))),
        error_code: ErrorCode::NONE,
    }
}

fn failed(topic: &OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = topic.partition_indexes.iter().map(|index| {
        let mut partition = shown_partition(*index, None);
        partition.error_code = code;
        partition
    });
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
    }
}
