//! Forgets offsets that nobody needs any more, and groups of which nothing is left (`offsets.retention.minutes`).
//!
//! Kafka's rules: an offset of a topic that a member reads stays. Others expire when the retention time has passed
//! since they were committed, or, in a classic group without members, since the last member went; in a classic group in
//! a rebalance, or whose members are no consumers, none expires. One with a time of expiry of its own goes by that.
//! What time has passed is told by `ageing`.

use super::ageing::{Ageing, Now, Passed};
use super::delete::forget_empty;
use super::kind::Kind;
use super::{BREATH, GROUPS_PER_TURN, RECORDS_PER_TURN, write_tombstones};
use crate::coordinator::Cx;
use crate::group::classic;
use crate::group::machine::{Groups, Soft, Timer};
use crate::group::state::{Committed, Group, GroupsHard};
use crate::types::TimestampMs;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// A look at all groups, turn by turn.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The last group that is done; all are done that are written, if there is none any more.
    after: Option<Arc<str>>,
    written_done: bool,
    /// Groups that live without being written, to be looked at afterwards.
    unwritten: Vec<Arc<str>>,
    expired: usize,
    groups: usize,
    /// Offsets that the wall clock alone calls expired.
    kept: usize,
}

/// When offsets of a group are to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Not now.
    Never,
    /// By the time they were committed.
    SinceCommit,
    /// By the time the last member went.
    SinceEmpty(TimestampMs),
}

/// Arms the next look.
pub(super) fn arm(cx: &mut Cx<'_, Groups>) {
    let interval = cx.soft().settings().retention_check;
    cx.arm(Timer::Expiry, cx.now().after(interval));
}

/// A turn of a look, or the beginning of one.
pub fn expire(cx: &mut Cx<'_, Groups>) {
    let mut sweep = match cx.soft().offsets.sweep.take() {
        Some(sweep) => sweep,
        None => begin(cx),
    };
    let ids = next(cx.hard(), &mut sweep);
    if ids.is_empty() {
        let before = std::mem::replace(&mut cx.soft().offsets.kept, sweep.kept);
        report(&sweep, before);
        return arm(cx);
    }
    let retention = cx.soft().settings().offsets_retention;
    let mut room = RECORDS_PER_TURN;
    for id in ids {
        let written = look_at(cx, &id, retention, room, &mut sweep);
        room = room.saturating_sub(written);
        if room == 0 {
            // What is left of this group is looked at in the next turn, and the others behind it.
            break;
        }
        sweep.advance(id);
    }
    cx.soft().offsets.sweep = Some(sweep);
    cx.arm(Timer::Expiry, cx.now().after(BREATH));
}

fn begin(cx: &mut Cx<'_, Groups>) -> Sweep {
    let (hard, soft) = cx.state();
    let mut unwritten = classic::unwritten(hard, &soft.classic);
    unwritten.reverse();
    Sweep { unwritten, ..Sweep::default() }
}

/// The groups of the next turn.
fn next(hard: &GroupsHard, sweep: &mut Sweep) -> Vec<Arc<str>> {
    if !sweep.written_done {
        let from = sweep.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let behind = hard.groups.range::<Arc<str>, _>((from, Bound::Unbounded));
        let ids: Vec<Arc<str>> = behind.take(GROUPS_PER_TURN).map(|(id, _)| Arc::clone(id)).collect();
        if !ids.is_empty() {
            return ids;
        }
        sweep.written_done = true;
    }
    sweep.unwritten.iter().rev().take(GROUPS_PER_TURN).cloned().collect()
}

impl Sweep {
    fn advance(&mut self, done: Arc<str>) {
        if self.written_done {
            self.unwritten.pop();
        } else {
            self.after = Some(done);
        }
    }
}

/// Forgets what has expired in one group, at most `room` records of it, and the group if it is empty then. Gives the
/// number of records.
fn look_at(
    cx: &mut Cx<'_, Groups>,
    id: &Arc<str>,
    retention: Duration,
    room: usize,
    sweep: &mut Sweep,
) -> usize {
    let now = Now { wall: cx.wall(), mono: cx.now() };
    let (hard, soft) = cx.state();
    let Some(kind) = Kind::of(hard, soft, id) else { return 0 };
    let group = hard.group(id);
    let expired = match (group, rule(&kind)) {
        (None, _) | (_, Rule::Never) => Vec::new(),
        (Some(group), rule) => {
            let expired = Expired { hard, soft, id, kind: &kind, rule, retention, now };
            expired.of(group, room, &mut sweep.kept)
        }
    };
    let left = group.is_some_and(|group| count(group) > expired.len());
    let written = expired.len();
    sweep.expired += written;
    write_tombstones(cx, id, expired);
    if !left && kind.is_empty() {
        forget_empty(cx, id, &kind);
        sweep.groups += 1;
    }
    written
}

fn count(group: &Group) -> usize {
    group.offsets.values().map(|partitions| partitions.len()).sum()
}

fn rule(kind: &Kind) -> Rule {
    let Kind::Classic(overview) = kind else { return Rule::SinceCommit };
    match overview.state {
        _ if overview.protocol_type.is_empty() => Rule::SinceCommit,
        _ if overview.empty => overview.state_at.map_or(Rule::SinceCommit, Rule::SinceEmpty),
        "Stable" if kind.has_consumers() && overview.subscribed.is_some() => Rule::SinceCommit,
        _ => Rule::Never,
    }
}

/// What decides on the offsets of one group.
struct Expired<'a> {
    hard: &'a GroupsHard,
    soft: &'a Soft,
    id: &'a str,
    kind: &'a Kind,
    rule: Rule,
    retention: Duration,
    now: Now,
}

impl Expired<'_> {
    /// The partitions whose offsets have expired, at most `room`.
    fn of(&self, group: &Group, room: usize, kept: &mut usize) -> Vec<(Arc<str>, i32)> {
        let mut expired = Vec::new();
        let free = |topic: &str| !self.kind.reads(self.hard, self.soft, self.id, topic);
        for (topic, partitions) in group.offsets.iter().filter(|(topic, _)| free(topic)) {
            for (partition, committed) in partitions {
                match self.has_expired(committed) {
                    Passed::No => {}
                    Passed::OnTheWall => *kept += 1,
                    Passed::Yes if expired.len() == room => return expired,
                    Passed::Yes => expired.push((Arc::clone(topic), *partition)),
                }
            }
        }
        expired
    }

    fn has_expired(&self, committed: &Committed) -> Passed {
        let ageing: &Ageing = &self.soft.offsets.ageing;
        let since = |at| ageing.has_passed(self.retention, at, self.now);
        match (committed.expires, self.rule) {
            (_, Rule::Never) => Passed::No,
            (Some(expires), _) => ageing.has_passed(Duration::ZERO, expires, self.now),
            (None, Rule::SinceCommit) => since(committed.at),
            (None, Rule::SinceEmpty(at)) => since(at),
        }
    }
}

/// Says what was done, and what was not, if that is news.
fn report(sweep: &Sweep, kept_before: usize) {
    if sweep.expired > 0 || sweep.groups > 0 {
        tracing::info!(
            offsets = sweep.expired,
            groups = sweep.groups,
            "expired offsets and empty groups removed"
        );
    }
    if sweep.kept > kept_before {
        let offsets = sweep.kept;
        tracing::warn!(
            offsets,
            "offsets kept that only the wall clock calls expired: it was set, or the broker was off"
        );
    }
}
