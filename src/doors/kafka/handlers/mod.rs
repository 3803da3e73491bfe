//! A file per API: the versions it serves, request to command, outcome to answer. What differs between versions is
//! decided here and nowhere below.

pub(super) mod alter_configs;
pub(super) mod api_versions;
pub(super) mod consumer_group_describe;
pub(super) mod consumer_group_heartbeat;
pub(super) mod create_partitions;
pub(super) mod create_topics;
pub(super) mod delete_groups;
pub(super) mod delete_records;
pub(super) mod delete_topics;
pub(super) mod describe_cluster;
pub(super) mod describe_configs;
pub(super) mod describe_groups;
pub(super) mod describe_log_dirs;
pub(super) mod describe_topic_partitions;
pub(super) mod fetch;
pub(super) mod find_coordinator;
pub(super) mod heartbeat;
pub(super) mod incremental_alter_configs;
pub(super) mod init_producer_id;
pub(super) mod join_group;
pub(super) mod leave_group;
pub(super) mod list_config_resources;
pub(super) mod list_groups;
pub(super) mod list_offsets;
pub(super) mod metadata;
pub(super) mod offset_commit;
pub(super) mod offset_delete;
pub(super) mod offset_fetch;
pub(super) mod offset_for_leader_epoch;
pub(super) mod produce;
pub(super) mod sync_group;

use super::ConnCx;
use super::answer::{Answer, Close, Frame};
use super::dispatch::{self, BadRequest, Head, decode, encode, later};
use crate::engine::{Refusal, TopicRef};
use crate::group::Client;
use crate::types::{ErrorCode, Uuid};
use crate::wire::Str;
use bytes::Bytes;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// What anyone may do with a topic while nobody is asked who they are: bits by the numbers of Kafka's ACL operations
/// (read, write, create, delete, alter, describe, describe and alter configs).
const TOPIC_OPERATIONS: i32 = 3576;

/// The same for the cluster.
const CLUSTER_OPERATIONS: i32 = 8096;

/// The same for a group (read, delete, describe, describe and alter configs).
const GROUP_OPERATIONS: i32 = 3400;

/// "Not asked for" in the place of operations.
const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

/// A topic as a request names it: by id from the version on that has ids.
fn topic_ref(name: &Str, id: Uuid, by_id: bool) -> TopicRef {
    if by_id { TopicRef::Id(id) } else { TopicRef::Name(Arc::from(name.as_str())) }
}

/// The sentence of a refusal for an answer.
fn message(refusal: &Refusal) -> Option<Str> {
    refusal.text().map(Str::from)
}

/// A refused part of an answer: code and sentence.
fn told<T>(outcome: &Result<T, Refusal>) -> (ErrorCode, Option<Str>) {
    match outcome {
        Ok(_) => (ErrorCode::NONE, None),
        Err(refusal) => (refusal.code, message(refusal)),
    }
}

/// A text that outlives the request.
fn text(text: &Str) -> Arc<str> {
    Arc::from(text.as_str())
}

/// The same, if there is one.
fn maybe_text(text: Option<&Str>) -> Option<Arc<str>> {
    text.map(|text| Arc::from(text.as_str()))
}

/// A text for an answer.
fn shown(text: &Arc<str>) -> Str {
    Str::from(&**text)
}

/// The same, if there is one.
fn maybe_shown(text: Option<&Arc<str>>) -> Option<Str> {
    text.map(shown)
}

/// Who sent the request, as Kafka writes it.
fn client(cx: &ConnCx) -> Client {
    Client { id: Arc::clone(&cx.client_id), host: format!("/{}", cx.addr.peer.ip().to_canonical()).into() }
}
