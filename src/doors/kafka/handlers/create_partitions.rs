//! CreatePartitions, 0-3: adds partitions to topics.

use super::*;
use crate::engine::{Engine, NewPartitions};
use crate::wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = CreatePartitionsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=3;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: CreatePartitionsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, request).await }))
    }
}

async fn respond(engine: &Engine, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let mut times: BTreeMap<Str, u32> = BTreeMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.clone()).or_default() += 1;
    }
    let mut results = Vec::with_capacity(times.len());
    for topic in request.topics {
        let outcome = match times.get(&topic.name) {
            Some(1) => {
                let assignments =
                    topic.assignments.map(|all| all.into_iter().map(|one| one.broker_ids).collect());
                let new = NewPartitions { name: topic.name.to_string(), total: topic.count, assignments };
                engine.create_partitions(&new, request.validate_only).await
            }
            Some(_) => {
                times.remove(&topic.name);
                Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name."))
            }
            None => continue,
        };
        let (error_code, error_message) = told(&outcome);
        results.push(CreatePartitionsTopicResult { name: topic.name, error_code, error_message });
    }
    CreatePartitionsResponse { results, ..Default::default() }
}
