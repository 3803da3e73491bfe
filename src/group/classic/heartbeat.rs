//! Signs of life: Heartbeat, and a commit of offsets.

use super::group::LiveGroup;
use super::stage::State;
use super::timer;
use crate::coordinator::Cx;
use crate::group::command::{Commit, Heartbeat};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::types::ErrorCode;

/// Heartbeat.
pub fn heartbeat(cx: &mut Cx<'_, Groups>, beat: &Heartbeat) -> Result<(), Refused> {
    if beat.group.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID.into());
    }
    let known = super::with(cx, &beat.group, |cx, group| beat_in(cx, group, beat));
    known.unwrap_or_else(|| Err(ErrorCode::UNKNOWN_MEMBER_ID.into()))
}

fn beat_in(cx: &mut Cx<'_, Groups>, group: &mut LiveGroup, beat: &Heartbeat) -> Result<(), Refused> {
    group.check_member(&beat.member, beat.instance.as_deref())?;
    if beat.generation != group.generation {
        return Err(ErrorCode::ILLEGAL_GENERATION.into());
    }
    timer::arm_session(cx, group, &beat.member);
    match group.state {
        State::PreparingRebalance(_) => Err(ErrorCode::REBALANCE_IN_PROGRESS.into()),
        State::Empty | State::CompletingRebalance | State::Stable => Ok(()),
    }
}

/// For offsets: whether this commit may be; a member that commits is alive.
pub fn check_commit(cx: &mut Cx<'_, Groups>, commit: &Commit) -> Result<(), Refused> {
    let known = super::with(cx, &commit.group, |cx, group| {
        check_commit_in(group, commit)?;
        timer::arm_session(cx, group, &commit.member);
        Ok(())
    });
    known.unwrap_or_else(|| match commit {
        // A group of offsets alone comes into being by its first commit.
        commit if commit.generation < 0 => Ok(()),
        commit if commit.knows_epochs => {
            Err(Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, format!("Group {} not found.", commit.group)))
        }
        _ => Err(ErrorCode::ILLEGAL_GENERATION.into()),
    })
}

fn check_commit_in(group: &LiveGroup, commit: &Commit) -> Result<(), Refused> {
    let is_no_member = commit.generation < 0 && commit.member.is_empty() && commit.instance.is_none();
    if commit.generation < 0 && group.state == State::Empty {
        return Ok(());
    }
    if is_no_member {
        return Err(ErrorCode::UNKNOWN_MEMBER_ID.into());
    }
    group.check_member(&commit.member, commit.instance.as_deref())?;
    if commit.generation != group.generation {
        return Err(ErrorCode::ILLEGAL_GENERATION.into());
    }
    // The partitions are not divided yet, so it cannot be said whose offsets these are.
    if group.state == State::CompletingRebalance {
        return Err(ErrorCode::REBALANCE_IN_PROGRESS.into());
    }
    Ok(())
}
