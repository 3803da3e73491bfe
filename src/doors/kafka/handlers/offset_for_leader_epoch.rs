//! OffsetForLeaderEpoch, 2-4: where the records of a leader epoch end (KIP-320).

use super::*;
use crate::engine::FindEpochEnd;
use crate::types::Epoch;
use crate::wire::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderTopicResult,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = OffsetForLeaderEpochRequest;
    const VERSIONS: RangeInclusive<i16> = 2..=4;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: OffsetForLeaderEpochRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let mut topics = Vec::with_capacity(request.topics.len());
            for topic in request.topics {
                let mut partitions = Vec::with_capacity(topic.partitions.len());
                for part in &topic.partitions {
                    let find = FindEpochEnd {
                        topic: topic_ref(&topic.topic, Uuid::ZERO, false),
                        partition: part.partition,
                        current_epoch: Epoch(part.current_leader_epoch),
                        epoch: Epoch(part.leader_epoch),
                    };
                    let outcome = engine.find_epoch_end(&find).await;
                    let (epoch, end) = outcome.as_ref().map_or((-1, -1), |(epoch, end)| (epoch.0, end.0));
                    partitions.push(EpochEndOffset {
                        error_code: told(&outcome).0,
                        partition: part.partition,
                        leader_epoch: epoch,
                        end_offset: end,
                    });
                }
                topics.push(OffsetForLeaderTopicResult { topic: topic.topic, partitions });
            }
            OffsetForLeaderEpochResponse { topics, ..Default::default() }
        }))
    }
}
