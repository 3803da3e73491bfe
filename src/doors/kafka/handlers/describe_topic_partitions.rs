//! DescribeTopicPartitions, 0: topics page by page (KIP-966). A page ends at the limit of partitions; the cursor says
//! where the next one goes on.

use super::*;
use crate::engine::{Engine, TopicEntry, valid_topic_name};
use crate::wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use std::collections::BTreeSet;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DescribeTopicPartitionsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DescribeTopicPartitionsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { respond(&engine, &request) }))
    }
}

fn respond(engine: &Engine, request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let image = engine.image();
    let settings = engine.settings();
    let all = request.topics.is_empty();
    let mut names: BTreeSet<String> = match all {
        true => image.topics().map(|topic| topic.name.to_string()).collect(),
        false => request.topics.iter().map(|topic| topic.name.to_string()).collect(),
    };
    let mut from = 0;
    if let Some(cursor) = &request.cursor {
        if cursor.partition_index < 0
            || (!all && names.first().is_some_and(|first| **first > *cursor.topic_name))
        {
            // The cursor has to be in what is asked for, as Kafka sees it.
            return refused(request);
        }
        let later = names.split_off(cursor.topic_name.as_str());
        if !all && later.is_empty() {
            return refused(request);
        }
        from = if later.contains(cursor.topic_name.as_str()) { cursor.partition_index } else { 0 };
        names = later;
    }
    let most = i32::try_from(settings.described_partitions_max).unwrap_or(i32::MAX);
    let mut left = request.response_partition_limit.min(most).max(1);
    let page = Page { node: settings.node_id, epoch: engine.epoch().0 };
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        if left == 0 {
            response.next_cursor = Some(cursor_at(&name, 0));
            break;
        }
        let Some(entry) = image.topic(&name) else {
            // In a listing of all, a topic deleted meanwhile is not an error.
            if !all {
                response.topics.push(page.unknown(&name));
            }
            continue;
        };
        let end = entry.partitions.min(from.saturating_add(left));
        response.topics.push(page.topic(engine, entry, from, end));
        left -= end.saturating_sub(from).max(0);
        if end < entry.partitions {
            response.next_cursor = Some(cursor_at(&name, end));
            break;
        }
        from = 0;
    }
    response
}

fn cursor_at(name: &str, partition_index: i32) -> Cursor {
    Cursor { topic_name: Str::from(name), partition_index }
}

fn refused(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST,
        name: Some(topic.name.clone()),
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
        ..Default::default()
    });
    DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
}

/// What all topics of an answer have in common.
struct Page {
    node: i32,
    epoch: i32,
}

impl Page {
    /// As in Metadata, a partition whose log directory is offline has no leader; here without an error, as in Kafka.
    fn topic(
        &self,
        engine: &Engine,
        entry: &TopicEntry,
        from: i32,
        end: i32,
    ) -> DescribeTopicPartitionsResponseTopic {
        let partition = |partition_index| {
            let offline = engine.is_offline(entry, partition_index);
            DescribeTopicPartitionsResponsePartition {
                error_code: ErrorCode::NONE,
                partition_index,
                leader_id: if offline { -1 } else { self.node },
                leader_epoch: self.epoch,
                replica_nodes: vec![self.node],
                isr_nodes: vec![self.node],
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                offline_replicas: if offline { vec![self.node] } else { Vec::new() },
            }
        };
        DescribeTopicPartitionsResponseTopic {
            name: Some(Str::from(&*entry.name)),
            topic_id: entry.id,
            is_internal: entry.internal,
            partitions: (from..end).map(partition).collect(),
            topic_authorized_operations: TOPIC_OPERATIONS,
            ..Default::default()
        }
    }

    fn unknown(&self, name: &str) -> DescribeTopicPartitionsResponseTopic {
        DescribeTopicPartitionsResponseTopic {
            error_code: match valid_topic_name(name) {
                Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
            },
            name: Some(Str::from(name)),
            topic_authorized_operations: TOPIC_OPERATIONS,
            ..Default::default()
        }
    }
}
