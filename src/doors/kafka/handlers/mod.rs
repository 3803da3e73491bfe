//! A file per API: the versions it serves, request to command, outcome to answer. What differs between versions is
//! decided here and nowhere below.

pub(super) mod alter_configs;
pub(super) mod api_versions;
pub(super) mod create_partitions;
pub(super) mod create_topics;
pub(super) mod delete_records;
pub(super) mod delete_topics;
pub(super) mod describe_cluster;
pub(super) mod describe_configs;
pub(super) mod describe_log_dirs;
pub(super) mod describe_topic_partitions;
pub(super) mod fetch;
pub(super) mod find_coordinator;
pub(super) mod incremental_alter_configs;
pub(super) mod init_producer_id;
pub(super) mod list_config_resources;
pub(super) mod list_offsets;
pub(super) mod metadata;
pub(super) mod offset_for_leader_epoch;
pub(super) mod produce;

use super::ConnCx;
use super::answer::{Answer, Close, Frame};
use super::dispatch::{self, BadRequest, Head, decode, encode, later};
use crate::engine::{Refusal, TopicRef};
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
