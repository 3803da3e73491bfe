//! Metadata, 0-13: brokers and topics.
//!
//! - 0: an empty list means all topics; from 1 on null does
//! - 4: whether topics may be made by asking for them; 8-10: what the client may do; 10: ids; 12: topics by id;
//!   13: an error of the whole answer
//!
//! A topic that is made by this request is in its answer, ready. Kafka answers UNKNOWN_TOPIC_OR_PARTITION first,
//! and clients ask again.

use super::*;
use crate::engine::{Engine, TopicEntry, valid_topic_name};
use crate::wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use std::collections::BTreeSet;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = MetadataRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=13;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: MetadataRequest = decode(head, body)?;
        let cx = cx.clone();
        Ok(later(head, async move { respond(&cx, request, head.version).await }))
    }
}

async fn respond(cx: &ConnCx, request: MetadataRequest, version: i16) -> MetadataResponse {
    let engine = &cx.door.engine;
    let operations =
        if request.include_topic_authorized_operations { TOPIC_OPERATIONS } else { OPERATIONS_NOT_ASKED };
    let shape = Shape { node: engine.settings().node_id, epoch: engine.epoch().0, operations };
    let topics = match &request.topics {
        Some(topics) if version > 0 || !topics.is_empty() => {
            if let Some(refused) = refuse_all(topics, version) {
                return refused;
            }
            named(engine, &shape, topics, request.allow_auto_topic_creation).await
        }
        _ => engine.image().topics().map(|topic| shape.topic(engine, topic)).collect(),
    };
    let (host, port) = cx.reached_at();
    let rack = engine.settings().rack.as_deref().map(Str::from);
    MetadataResponse {
        brokers: vec![MetadataResponseBroker { node_id: shape.node, host, port, rack }],
        cluster_id: Some(Str::from(engine.cluster_id().to_string())),
        controller_id: shape.node,
        topics,
        cluster_authorized_operations: match request.include_cluster_authorized_operations {
            true => CLUSTER_OPERATIONS,
            false => OPERATIONS_NOT_ASKED,
        },
        ..Default::default()
    }
}

/// Ids before version 12, and topics without a name or an id, spoil the whole request, as in Kafka.
fn refuse_all(topics: &[MetadataRequestTopic], version: i16) -> Option<MetadataResponse> {
    let wrong = |topic: &MetadataRequestTopic| match version {
        12.. => topic.name.is_none() && topic.topic_id.is_zero(),
        _ => topic.name.is_none() || !topic.topic_id.is_zero(),
    };
    if !topics.iter().any(wrong) {
        return None;
    }
    let refused = topics.iter().map(|topic| MetadataResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(topic.name.clone().unwrap_or(Str::EMPTY)),
        topic_id: topic.topic_id,
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
        ..Default::default()
    });
    Some(MetadataResponse {
        controller_id: -1,
        topics: refused.collect(),
        cluster_authorized_operations: OPERATIONS_NOT_ASKED,
        ..Default::default()
    })
}

async fn named(
    engine: &Engine,
    shape: &Shape,
    topics: &[MetadataRequestTopic],
    may_create: bool,
) -> Vec<MetadataResponseTopic> {
    let mut seen = BTreeSet::new();
    let mut answers = Vec::with_capacity(topics.len());
    let may_create = may_create && engine.settings().auto_create_topics;
    for topic in topics {
        let by_id = !topic.topic_id.is_zero();
        if !seen.insert((topic.name.clone(), topic.topic_id)) {
            continue;
        }
        let name = topic.name.clone().unwrap_or(Str::EMPTY);
        let found = match by_id {
            true => engine.topic(&TopicRef::Id(topic.topic_id)),
            false => by_name(engine, &name, may_create).await,
        };
        answers.push(match found {
            Ok(entry) => shape.topic(engine, &entry),
            Err(refusal) => MetadataResponseTopic {
                error_code: refusal.code,
                name: if by_id { None } else { Some(name) },
                topic_id: topic.topic_id,
                topic_authorized_operations: OPERATIONS_NOT_ASKED,
                ..Default::default()
            },
        });
    }
    answers
}

async fn by_name(engine: &Engine, name: &Str, may_create: bool) -> Result<Arc<TopicEntry>, Refusal> {
    if let Ok(entry) = engine.topic(&TopicRef::Name(name.as_str().into())) {
        return Ok(entry);
    }
    if valid_topic_name(name).is_err() {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION.into());
    }
    match may_create {
        true => engine.find_or_create_topic(name).await,
        false => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into()),
    }
}

/// What all topics of an answer have in common.
struct Shape {
    node: i32,
    epoch: i32,
    operations: i32,
}

impl Shape {
    /// A partition whose log directory is offline has no leader, as Kafka tells of the only replica.
    fn topic(&self, engine: &Engine, entry: &TopicEntry) -> MetadataResponseTopic {
        let partition = |partition_index| {
            let offline = engine.is_offline(entry, partition_index);
            MetadataResponsePartition {
                error_code: if offline { ErrorCode::LEADER_NOT_AVAILABLE } else { ErrorCode::NONE },
                partition_index,
                leader_id: if offline { -1 } else { self.node },
                leader_epoch: self.epoch,
                replica_nodes: vec![self.node],
                isr_nodes: vec![self.node],
                offline_replicas: if offline { vec![self.node] } else { Vec::new() },
            }
        };
        MetadataResponseTopic {
            name: Some(Str::from(&*entry.name)),
            topic_id: entry.id,
            is_internal: entry.internal,
            partitions: (0..entry.partitions).map(partition).collect(),
            topic_authorized_operations: self.operations,
            ..Default::default()
        }
    }
}
