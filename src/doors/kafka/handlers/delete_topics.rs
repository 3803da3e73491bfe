//! DeleteTopics, 1-6: deletes topics by name; 5: sentences; 6: by name or id.

use super::*;
use crate::engine::Engine;
use crate::wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DeleteTopicsRequest;
    const VERSIONS: RangeInclusive<i16> = 1..=6;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DeleteTopicsRequest = decode(head, body)?;
        let named = |name: Str| DeleteTopicState { name: Some(name), ..Default::default() };
        let topics = match head.version {
            6.. => request.topics,
            _ => request.topic_names.into_iter().map(named).collect(),
        };
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, topics).await }))
    }
}

/// Under how many and which names a topic goes in one request.
#[derive(Default)]
struct Named {
    times: u32,
    name: Option<Str>,
    id: Uuid,
    answered: bool,
}

async fn respond(engine: &Engine, topics: Vec<DeleteTopicState>) -> DeleteTopicsResponse {
    let mut named: BTreeMap<TopicRef, Named> = BTreeMap::new();
    for topic in &topics {
        let entry = named.entry(key(engine, topic)).or_default();
        entry.times += 1;
        entry.name = entry.name.take().or_else(|| topic.name.clone());
        entry.id = if entry.id.is_zero() { topic.topic_id } else { entry.id };
    }
    let mut responses: Vec<DeletableTopicResult> = Vec::with_capacity(topics.len());
    for topic in topics {
        if topic.name.is_none() && topic.topic_id.is_zero() {
            let why = "Neither topic name nor id were specified.";
            responses.push(refused(&topic, ErrorCode::INVALID_REQUEST, why));
            continue;
        }
        if topic.name.is_some() && !topic.topic_id.is_zero() {
            let why = "You may not specify both topic name and topic id.";
            responses.push(refused(&topic, ErrorCode::INVALID_REQUEST, why));
            continue;
        }
        match named.get_mut(&key(engine, &topic)) {
            Some(named) if named.times > 1 => {
                // Told once, by all its names.
                if !std::mem::replace(&mut named.answered, true) {
                    let whole = DeleteTopicState { name: named.name.clone(), topic_id: named.id };
                    responses.push(refused(&whole, ErrorCode::INVALID_REQUEST, "Duplicate topic."));
                }
            }
            _ => responses.push(delete(engine, &topic).await),
        }
    }
    DeleteTopicsResponse { responses, ..Default::default() }
}

/// The topic that is meant, whether it is named by name or by id.
fn key(engine: &Engine, topic: &DeleteTopicState) -> TopicRef {
    let asked = match &topic.name {
        Some(name) => TopicRef::Name(name.as_str().into()),
        None => TopicRef::Id(topic.topic_id),
    };
    engine.topic(&asked).map_or(asked, |entry| TopicRef::Id(entry.id))
}

fn refused(topic: &DeleteTopicState, error_code: ErrorCode, why: &'static str) -> DeletableTopicResult {
    DeletableTopicResult {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        error_code,
        error_message: Some(Str::from_static(why)),
    }
}

async fn delete(engine: &Engine, topic: &DeleteTopicState) -> DeletableTopicResult {
    let asked = match &topic.name {
        Some(name) => TopicRef::Name(name.as_str().into()),
        None => TopicRef::Id(topic.topic_id),
    };
    match engine.delete_topic(&asked).await {
        Ok(deleted) => DeletableTopicResult {
            name: Some(Str::from(&*deleted.name)),
            topic_id: deleted.id,
            error_code: ErrorCode::NONE,
            error_message: None,
        },
        Err(refusal) => DeletableTopicResult {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            error_code: refusal.code,
            error_message: message(&refusal),
        },
    }
}
