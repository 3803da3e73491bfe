//! Finding the member that a request is from, with all reasons to refuse it. Must not change anything.

use super::index::Index;
use super::members::{context, metadata_of};
use super::view::{LEFT_FOR_A_WHILE, is_subset};
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::{Assignment, ConsumerGroup, ConsumerMember, Current, MemberMetadata, MemberState};
use crate::types::ErrorCode;
use std::sync::Arc;

/// Who comes to a group, by either protocol.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    /// Id of the group.
    pub(super) group: &'a Arc<str>,
    /// Its id, never empty.
    pub(super) member: &'a Arc<str>,
    /// Its instance.
    pub(super) instance: Option<&'a Arc<str>>,
    /// May be new, or take the place of the static member of its instance.
    pub(super) joins: bool,
    /// The epoch it is in and what it owns; `None` for one of the classic protocol, whose generation is checked
    /// elsewhere.
    pub(super) standing: Option<(i32, Option<&'a Assignment>)>,
}

/// A member that may go on.
pub(super) struct Found {
    /// What was known of it, or of the one whose place it takes, or of a newcomer.
    pub(super) metadata: MemberMetadata,
    /// The static member whose place it takes.
    pub(super) replaces: Option<Arc<str>>,
}

/// Refuses a newcomer if the group is full (`group.consumer.max.size`).
pub(super) fn check_room(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &str,
    instance: Option<&Arc<str>>,
) -> Result<(), Refused> {
    let most = context(cx).settings.consumer_size_max;
    let (hard, soft) = cx.state();
    let Some(known) = hard.consumer(group) else { return Ok(()) };
    let is_static = instance.is_some_and(|id| {
        soft.consumer.groups.get(group).is_some_and(|index| index.instances.contains_key(id))
    });
    if is_static || known.members.len() < most || known.members.contains_key(member) {
        return Ok(());
    }
    Err(Refused::new(
        ErrorCode::GROUP_MAX_SIZE_REACHED,
        format!("the group has all of the {most} members it may have"),
    ))
}

/// Finds the caller's member, checking all of its claims. Changes nothing.
pub(super) fn find(cx: &mut Cx<'_, Groups>, caller: Caller<'_>) -> Result<Found, Refused> {
    let (hard, soft) = cx.state();
    let none = ConsumerGroup::default();
    let empty = Index::default();
    let group = hard.consumer(caller.group).unwrap_or(&none);
    let index = soft.consumer.groups.get(caller.group).unwrap_or(&empty);
    let Some(instance) = caller.instance else { return find_by_id(group, caller) };
    let holder = index.instances.get(instance).and_then(|id| Some((id, group.members.get(id)?)));
    match (holder, caller.joins) {
        (None, true) => find_by_id(group, caller),
        (None, false) => Err(unknown_instance(instance)),
        (Some((id, state)), true) => {
            let classic = state.metadata.as_ref().is_some_and(|metadata| metadata.classic.is_some());
            if caller.standing.is_some() && !classic && state.epoch() != LEFT_FOR_A_WHILE {
                return Err(Refused::new(
                    ErrorCode::UNRELEASED_INSTANCE_ID,
                    format!("instance {instance} is in use by member {id}"),
                ));
            }
            Ok(Found { metadata: metadata_of(state), replaces: Some(Arc::clone(id)) })
        }
        (Some((id, state)), false) => {
            check_instance(id, caller.member, instance)?;
            check_standing(state, caller.standing)?;
            Ok(Found { metadata: metadata_of(state), replaces: None })
        }
    }
}

fn find_by_id(group: &ConsumerGroup, caller: Caller<'_>) -> Result<Found, Refused> {
    let metadata = match group.members.get(caller.member) {
        Some(state) => {
            check_standing(state, caller.standing)?;
            metadata_of(state)
        }
        None if caller.joins => MemberMetadata::of_newcomer(),
        None => return Err(unknown_member(caller.group, caller.member)),
    };
    Ok(Found { metadata, replaces: None })
}

/// `UNKNOWN_MEMBER_ID` for an id.
pub(super) fn unknown_member(group: &str, member: &str) -> Refused {
    Refused::new(ErrorCode::UNKNOWN_MEMBER_ID, format!("group {group} has no member {member}"))
}

/// `UNKNOWN_MEMBER_ID` for an instance.
pub(super) fn unknown_instance(instance: &str) -> Refused {
    Refused::new(ErrorCode::UNKNOWN_MEMBER_ID, format!("no member has the instance {instance}"))
}

/// `FENCED_INSTANCE_ID` unless the instance is this member's.
pub(super) fn check_instance(holder: &str, member: &str, instance: &str) -> Result<(), Refused> {
    if holder == member {
        return Ok(());
    }
    Err(Refused::new(
        ErrorCode::FENCED_INSTANCE_ID,
        format!("instance {instance} is not of member {member} but of {holder}"),
    ))
}

/// The epoch rules of KIP-848: joining is always right; the epoch before is, as long as the member owns nothing that
/// it was not given, since the answer that moved it on may have been lost.
fn check_standing(
    member: &ConsumerMember,
    standing: Option<(i32, Option<&Assignment>)>,
) -> Result<(), Refused> {
    let Some((epoch, owned)) = standing else { return Ok(()) };
    let newcomer = Current::of_newcomer();
    let current = member.current.as_ref().unwrap_or(&newcomer);
    let fenced = |what: &str| {
        Refused::new(
            ErrorCode::FENCED_MEMBER_EPOCH,
            format!("epoch {epoch} is {what} the member's, which is {}: it has to join again", current.epoch),
        )
    };
    if epoch != 0 && epoch > current.epoch {
        return Err(fenced("ahead of"));
    }
    if epoch != 0 && epoch < current.epoch {
        let lost_answer =
            epoch == current.previous_epoch && owned.is_some_and(|owned| is_subset(owned, &current.assigned));
        if !lost_answer {
            return Err(fenced("behind"));
        }
    }
    if current.state == MemberState::Unknown && !owned.is_some_and(Assignment::is_empty) {
        return Err(Refused::new(
            ErrorCode::FENCED_MEMBER_EPOCH,
            "where the member stands was written by a later release: it has to join again",
        ));
    }
    Ok(())
}
