//! CreateTopics, 2-7: makes topics.
//!
//! - 4: -1 for the broker's defaults; 5: the answer has the settings; 7: and the id

use super::*;
use crate::engine::{CreatedTopic, Described, Engine, NewTopic};
use crate::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = CreateTopicsRequest;
    const VERSIONS: RangeInclusive<i16> = 2..=7;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: CreateTopicsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, request).await }))
    }
}

async fn respond(engine: &Engine, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut times: BTreeMap<Str, u32> = BTreeMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.clone()).or_default() += 1;
    }
    let mut topics = Vec::with_capacity(times.len());
    for topic in request.topics {
        let outcome = match times.get(&topic.name) {
            Some(1) => engine.create_topic(new_topic(&topic), request.validate_only).await,
            // Told once, however often it is named.
            Some(_) => {
                times.remove(&topic.name);
                Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name."))
            }
            None => continue,
        };
        topics.push(result(topic.name, outcome));
    }
    CreateTopicsResponse { topics, ..Default::default() }
}

fn new_topic(topic: &CreatableTopic) -> NewTopic {
    let config = |config: &crate::wire::messages::create_topics::CreatableTopicConfig| {
        (config.name.to_string(), config.value.as_ref().map(|value| value.to_string()))
    };
    NewTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replicas: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|assignment| (assignment.partition_index, assignment.broker_ids.clone()))
            .collect(),
        configs: topic.configs.iter().map(config).collect(),
    }
}

fn result(name: Str, outcome: Result<CreatedTopic, Refusal>) -> CreatableTopicResult {
    let (error_code, error_message) = told(&outcome);
    match outcome {
        Ok(created) => CreatableTopicResult {
            name,
            topic_id: created.id,
            num_partitions: created.partitions,
            replication_factor: created.replicas,
            configs: Some(created.configs.into_iter().map(config).collect()),
            error_message: None,
            ..Default::default()
        },
        Err(_) => CreatableTopicResult {
            name,
            error_code,
            error_message,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
            ..Default::default()
        },
    }
}

fn config(described: Described) -> CreatableTopicConfigs {
    CreatableTopicConfigs {
        name: Str::from(described.name),
        value: described.value.map(Str::from),
        read_only: described.read_only,
        config_source: described.source as i8,
        is_sensitive: described.sensitive,
    }
}
