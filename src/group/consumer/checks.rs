//! Whether a member may commit offsets, or read them, with the epoch that it has.

use super::find::unknown_member;
use crate::coordinator::Cx;
use crate::group::command::{Commit, CommitPartition, FetchOffsets};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::{ConsumerMember, Current};
use crate::types::ErrorCode;

/// Refuses a commit by one who is no member, or with an epoch in which the partitions were not yet the member's. An
/// epoch that is behind is fine for partitions that it has had since (KIP-1251).
pub(super) fn commit(cx: &mut Cx<'_, Groups>, commit: &Commit) -> Result<(), Refused> {
    let metadata_max = super::members::context(cx).settings.metadata_bytes_max;
    let Some(known) = cx.hard().consumer(&commit.group) else { return Ok(()) };
    if commit.generation < 0 && known.members.is_empty() {
        return Ok(());
    }
    let Some(member) = known.members.get(&commit.member) else {
        return Err(unknown_member(&commit.group, &commit.member));
    };
    if !is_classic(member) && !commit.knows_epochs {
        return Err(Refused::new(
            ErrorCode::UNSUPPORTED_VERSION,
            "members of the consumer protocol commit offsets by version 9 or later",
        ));
    }
    let epoch = member.epoch();
    if commit.generation == epoch {
        return Ok(());
    }
    if commit.generation > epoch {
        let what = if is_classic(member) { "generation" } else { "epoch" };
        let why = format!("{what} {} is ahead of the member's, which is {epoch}", commit.generation);
        return Err(stale(member, why));
    }
    commit
        .partitions
        .iter()
        // One whose metadata is too long is refused alone, and not looked at here.
        .filter(|partition| {
            partition.metadata.as_ref().is_none_or(|text| text.encode_utf16().count() <= metadata_max)
        })
        .try_for_each(|partition| check_partition(member, commit.generation, partition))
}

fn check_partition(member: &ConsumerMember, epoch: i32, wanted: &CommitPartition) -> Result<(), Refused> {
    let (name, number) = (&wanted.topic, wanted.partition);
    let newcomer = Current::of_newcomer();
    let current = member.current.as_ref().unwrap_or(&newcomer);
    let since = [&current.assigned, &current.revoking]
        .into_iter()
        .find_map(|topics| topics.get(&wanted.topic_id)?.get(&number).copied());
    let Some(since) = since else {
        let why = format!("the member does not have {name}-{number}");
        return Err(stale(member, why));
    };
    if epoch < since {
        let what = if is_classic(member) { "generation" } else { "epoch" };
        let why = format!("{what} {epoch} is of before {name}-{number} was assigned, which was in {since}");
        return Err(stale(member, why));
    }
    Ok(())
}

/// Refuses to read offsets for one who is no member, or has another epoch. Who does not say who they are may.
pub(super) fn fetch(cx: &mut Cx<'_, Groups>, fetch: &FetchOffsets) -> Result<(), Refused> {
    if fetch.member.is_none() && fetch.epoch < 0 {
        return Ok(());
    }
    let Some(known) = cx.hard().consumer(&fetch.group) else { return Ok(()) };
    let id = fetch.member.as_deref();
    let Some(member) = id.and_then(|id| known.members.get(id)) else {
        return Err(unknown_member(&fetch.group, id.unwrap_or("null")));
    };
    let (epoch, received) = (member.epoch(), fetch.epoch);
    if received == epoch {
        return Ok(());
    }
    let what = if is_classic(member) { "generation" } else { "epoch" };
    let why = format!("{what} {received} is not the member's, which is {epoch}");
    Err(stale(member, why))
}

fn is_classic(member: &ConsumerMember) -> bool {
    member.metadata.as_ref().is_some_and(|metadata| metadata.classic.is_some())
}

fn stale(member: &ConsumerMember, why: String) -> Refused {
    let code = if is_classic(member) { ErrorCode::ILLEGAL_GENERATION } else { ErrorCode::STALE_MEMBER_EPOCH };
    Refused::new(code, why)
}
