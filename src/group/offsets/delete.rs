//! OffsetDelete and DeleteGroups.

use super::kind::Kind;
use super::{forget_offsets, write_tombstones};
use crate::coordinator::Cx;
use crate::group::command::DeleteOffsets;
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::Group;
use crate::group::{classic, consumer};
use crate::types::ErrorCode;
use std::sync::Arc;

/// Forgets offsets of topics that no member reads. What was not committed is forgotten without an error.
pub fn delete(cx: &mut Cx<'_, Groups>, delete: &DeleteOffsets) -> Result<Vec<ErrorCode>, Refused> {
    if delete.group.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID.into());
    }
    let kind = existing(cx, &delete.group)?;
    // Members that are no consumers do not say what they read.
    if !kind.is_empty() && !kind.has_consumers() {
        return Err(ErrorCode::NON_EMPTY_GROUP.into());
    }
    let (hard, soft) = cx.state();
    let code = |(topic, _): &(Arc<str>, i32)| match kind.reads(hard, soft, &delete.group, topic) {
        true => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
        false => ErrorCode::NONE,
    };
    let codes: Vec<ErrorCode> = delete.partitions.iter().map(code).collect();
    for ((topic, partition), _) in delete.partitions.iter().zip(&codes).filter(|(_, code)| code.is_none()) {
        if is_committed(cx.hard().group(&delete.group), topic, *partition) {
            forget_offsets(cx, &delete.group, vec![(Arc::clone(topic), *partition)]);
        }
    }
    Ok(codes)
}

/// Deletes a group without members, with its offsets.
pub fn delete_group(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> Result<(), Refused> {
    let kind = existing(cx, group)?;
    if !kind.is_empty() {
        return Err(ErrorCode::NON_EMPTY_GROUP.into());
    }
    let partitions = cx.hard().group(group).map(committed_partitions).unwrap_or_default();
    tracing::info!(%group, offsets = partitions.len(), "group deleted");
    write_tombstones(cx, group, partitions);
    forget_empty(cx, group, &kind);
    Ok(())
}

/// Takes away what is left of a group that is empty and has no offsets.
pub(super) fn forget_empty(cx: &mut Cx<'_, Groups>, group: &Arc<str>, kind: &Kind) {
    match kind {
        Kind::Classic(_) => classic::delete(cx, group),
        Kind::Consumer(_) => {
            consumer::delete_if_empty(cx, group);
        }
    }
}

fn existing(cx: &mut Cx<'_, Groups>, group: &str) -> Result<Kind, Refused> {
    Kind::find(cx, group)
        .ok_or_else(|| Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("Group {group} not found.")))
}

fn is_committed(group: Option<&Group>, topic: &str, partition: i32) -> bool {
    let partitions = group.and_then(|group| group.offsets.get(topic));
    partitions.is_some_and(|partitions| partitions.contains_key(&partition))
}

fn committed_partitions(group: &Group) -> Vec<(Arc<str>, i32)> {
    let topics = group.offsets.iter();
    topics.flat_map(|(topic, all)| all.keys().map(|partition| (Arc::clone(topic), *partition))).collect()
}
