//! ConsumerGroupHeartbeat, 0-1: a member of a consumer group joins, is alive, is told what it may own, or goes
//! (KIP-848).
//!
//! - 1: subscriptions by regular expression; the client makes its own member id (KIP-1082)

use super::*;
use crate::group::{ConsumerHeartbeat, ConsumerHeartbeatAnswer};
use crate::wire::messages::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ConsumerGroupHeartbeatRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=1;
    const WANTS_CLIENT: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: ConsumerGroupHeartbeatRequest = decode(head, body)?;
        let beat = command(cx, head.version, &request);
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { answer(engine.consumer_heartbeat(beat).await) }))
    }
}

fn command(cx: &ConnCx, version: i16, request: &ConsumerGroupHeartbeatRequest) -> ConsumerHeartbeat {
    let topics = request.subscribed_topic_names.as_ref();
    let owned = request.topic_partitions.as_ref();
    ConsumerHeartbeat {
        group: text(&request.group_id),
        member: text(&request.member_id),
        makes_its_id: version >= 1,
        epoch: request.member_epoch,
        instance: maybe_text(request.instance_id.as_ref()),
        rack: maybe_text(request.rack_id.as_ref()),
        client: client(cx),
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        topics: topics.map(|topics| topics.iter().map(text).collect()),
        regex: maybe_text(request.subscribed_topic_regex.as_ref()),
        assignor: maybe_text(request.server_assignor.as_ref()),
        owned: owned.map(|topics| {
            topics.iter().map(|topic| (topic.topic_id, topic.partitions.iter().copied().collect())).collect()
        }),
    }
}

fn answer(outcome: Result<ConsumerHeartbeatAnswer, Refusal>) -> ConsumerGroupHeartbeatResponse {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(refusal) => {
            return ConsumerGroupHeartbeatResponse {
                error_code: refusal.code,
                error_message: message(&refusal),
                ..Default::default()
            };
        }
    };
    let assignment = answer.assignment.map(|topics| {
        let topic_partitions = topics.into_iter().map(|(topic_id, partitions)| TopicPartitions {
            topic_id,
            partitions: partitions.into_iter().collect(),
        });
        Assignment { topic_partitions: topic_partitions.collect() }
    });
    ConsumerGroupHeartbeatResponse {
        member_id: Some(shown(&answer.member)),
        member_epoch: answer.epoch,
        heartbeat_interval_ms: answer.heartbeat_interval_ms,
        assignment,
        ..Default::default()
    }
}
