//! Committed offsets, their expiry, and what concerns groups of both protocols: lists and deletion. Must not know how
//! members come and go; it asks `classic` and `consumer` what a group is.

mod ageing;
mod commit;
mod delete;
mod expiry;
mod fetch;
mod forget;
mod kind;
mod list;
#[cfg(test)]
mod tests;

pub use commit::commit;
pub use delete::{delete, delete_group};
pub use expiry::expire;
pub use fetch::fetch;
pub use forget::{forget_topics, go_on_forgetting};
pub use list::list;

use super::classic;
use super::machine::Groups;
use super::records::GroupRecord;
use crate::coordinator::Cx;
use std::sync::Arc;
use std::time::Duration;

/// Groups that one turn looks at, and records that it writes, when it works through all groups: other commands wait
/// for a turn, and a turn is one batch of the log.
const GROUPS_PER_TURN: usize = 1000;
const RECORDS_PER_TURN: usize = 8192;

/// Until the next turn of such work: what waits in the queue comes first.
const BREATH: Duration = Duration::from_millis(1);

/// What is known of the age of offsets and of their topics; nothing of it is durable.
#[derive(Default)]
pub struct Live {
    ageing: ageing::Ageing,
    sweep: Option<expiry::Sweep>,
    /// Offsets that the last look left although the wall clock calls them expired.
    kept: usize,
    topics: forget::Known,
}

/// Arms the look for expired offsets, at the first context of a life.
pub fn start(cx: &mut Cx<'_, Groups>) {
    let ageing = ageing::Ageing::start(cx.hard(), cx.now(), cx.wall());
    cx.soft().offsets.ageing = ageing;
    expiry::arm(cx);
}

/// Forgets committed offsets, and nothing else: a group that had only these stays until the next look at all groups.
fn forget_offsets(cx: &mut Cx<'_, Groups>, group: &Arc<str>, partitions: Vec<(Arc<str>, i32)>) {
    write_tombstones(cx, group, partitions);
    if cx.hard().group(group).is_none() {
        classic::keep(cx, group);
    }
}

/// Writes tombstones for committed offsets.
fn write_tombstones(cx: &mut Cx<'_, Groups>, group: &Arc<str>, partitions: Vec<(Arc<str>, i32)>) {
    for (topic, partition) in partitions {
        cx.emit(GroupRecord::Offset { group: Arc::clone(group), topic, partition, committed: None });
    }
}
