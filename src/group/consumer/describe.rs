//! ConsumerGroupDescribe, and the state of a group for lists.

use super::heartbeat::not_consumer;
use super::members;
use super::view;
use crate::coordinator::Cx;
use crate::group::classic;
use crate::group::command::{Client, ConsumerDescribed, ConsumerMemberDescribed};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::{Assignment, ConsumerMember, Current, GroupsHard, MemberMetadata};
use crate::group::topics::TopicTable;
use crate::types::{ErrorCode, TopicId};
use std::sync::Arc;

/// Kafka's name of the group's state; `None` if it is not a consumer group.
pub(super) fn state(hard: &GroupsHard, live: &super::Live, group: &str) -> Option<&'static str> {
    let known = hard.consumer(group)?;
    let stable = live.groups.get(group).and_then(|index| index.stable.get(&known.target_epoch()));
    Some(view::group_state(known, stable.copied().unwrap_or(0)))
}

/// Describes a group.
pub(super) fn describe(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> Result<ConsumerDescribed, Refused> {
    let topics = members::context(cx).topics;
    let assignor = members::preferred_assignor(cx, group);
    let (hard, soft) = cx.state();
    let (Some(known), Some(state)) = (hard.consumer(group), state(hard, &soft.consumer, group)) else {
        return Err(match classic::overview(hard, &soft.classic, group) {
            Some(_) => not_consumer(group),
            None => Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("there is no group {group}")),
        });
    };
    Ok(ConsumerDescribed {
        state,
        epoch: known.group_epoch(),
        target_epoch: known.target_epoch(),
        assignor,
        members: known.members.iter().map(|(id, member)| described(id, member, topics.as_ref())).collect(),
    })
}

fn described(id: &Arc<str>, member: &ConsumerMember, topics: &dyn TopicTable) -> ConsumerMemberDescribed {
    let newcomer = MemberMetadata::of_newcomer();
    let metadata = member.metadata.as_ref().unwrap_or(&newcomer);
    let mut held = Assignment::new();
    for (topic, partition) in member.current.iter().flat_map(Current::held) {
        held.entry(topic).or_default().insert(partition);
    }
    ConsumerMemberDescribed {
        member: Arc::clone(id),
        instance: metadata.instance.clone(),
        rack: metadata.rack.clone(),
        epoch: member.epoch(),
        client: Client { id: Arc::clone(&metadata.client_id), host: Arc::clone(&metadata.client_host) },
        topics: metadata.topics.iter().map(Arc::clone).collect(),
        regex: metadata.regex.clone(),
        assignment: named(&held, topics),
        target: named(member.target.as_ref().unwrap_or(&Assignment::new()), topics),
        member_type: if metadata.classic.is_some() { 0 } else { 1 },
    }
}

/// With the names of topics; those that are gone are left out.
fn named(assignment: &Assignment, topics: &dyn TopicTable) -> Vec<(TopicId, Arc<str>, Vec<i32>)> {
    assignment
        .iter()
        .filter_map(|(id, partitions)| {
            let name = topics.by_id(*id)?.name;
            Some((*id, name, partitions.iter().copied().collect()))
        })
        .collect()
}
