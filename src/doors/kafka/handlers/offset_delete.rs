//! OffsetDelete, 0: forgets committed offsets of topics that a group does not read any more (KIP-496).

use super::*;
use crate::engine::Engine;
use crate::group::DeleteOffsets;
use crate::wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = OffsetDeleteRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=0;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: OffsetDeleteRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, &request).await }))
    }
}

async fn respond(engine: &Engine, request: &OffsetDeleteRequest) -> OffsetDeleteResponse {
    let image = engine.image();
    let named = request.topics.iter().flat_map(|topic| {
        let count = image.topic(&topic.name).map_or(0, |entry| entry.partitions);
        topic.partitions.iter().map(move |partition| {
            let index = partition.partition_index;
            (topic.name.clone(), index, (0..count).contains(&index))
        })
    });
    let (known, mut answered): (Vec<_>, Vec<_>) = named.partition(|(_, _, exists)| *exists);
    let mut codes = vec![ErrorCode::UNKNOWN_TOPIC_OR_PARTITION; answered.len()];
    // Also if nothing is left to delete: whether there is such a group is part of the answer.
    let partitions = known.iter().map(|(topic, partition, _)| (text(topic), *partition)).collect();
    let delete = DeleteOffsets { group: text(&request.group_id), partitions };
    match engine.delete_offsets(delete).await {
        Ok(deleted) => codes.extend(deleted),
        Err(refusal) => return OffsetDeleteResponse { error_code: refusal.code, ..Default::default() },
    }
    answered.extend(known);
    let mut topics: Vec<OffsetDeleteResponseTopic> = Vec::new();
    let mut places: BTreeMap<Str, usize> = BTreeMap::new();
    for ((name, partition_index, _), error_code) in answered.into_iter().zip(codes) {
        let at = *places.entry(name.clone()).or_insert_with(|| {
            topics.push(OffsetDeleteResponseTopic { name, partitions: Vec::new() });
            topics.len() - 1
        });
        if let Some(topic) = topics.get_mut(at) {
            topic.partitions.push(OffsetDeleteResponsePartition { partition_index, error_code });
        }
    }
    OffsetDeleteResponse { topics, ..Default::default() }
}
