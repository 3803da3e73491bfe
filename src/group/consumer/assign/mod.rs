//! Who is to read which partition: the assignors of consumer groups (KIP-848), with the results of Kafka 4.4.0's. Must
//! not know epochs, records or what members own at the moment: only who is there, what each wants, and its last target.
//!
//! Kafka 4.4.0's assignors look at no rack, so these do not either; `MemberSpec::rack` is there for one that will.

mod hash_order;
mod heterogeneous;
mod homogeneous;
mod load_order;
mod range;
#[cfg(test)]
mod tests;

use crate::group::state::Assignment;
use crate::group::topics::{Topic, TopicTable};
use crate::types::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Balances all partitions over all members and keeps partitions where they are.
pub const UNIFORM: &str = "uniform";

/// Gives members neighbouring partitions of each topic, the same numbers in each, so that topics can be joined.
pub const RANGE: &str = "range";

/// What an assignor knows.
pub struct Spec<'a> {
    /// Members by id.
    pub members: BTreeMap<Arc<str>, MemberSpec>,
    /// The topics there are.
    pub topics: &'a dyn TopicTable,
}

/// A member as an assignor sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberSpec {
    /// What it subscribes to, by name and by regular expression; ids that are not in the table count for nothing.
    pub topics: BTreeSet<TopicId>,
    /// `client.rack`
    pub rack: Option<Arc<str>>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Its target so far.
    pub assigned: Assignment,
}

/// The new target of each member, empty for those that get nothing. An `assignor` that is not known is [`UNIFORM`].
///
/// Each partition of a topic that somebody subscribes to is given to exactly one subscriber.
pub fn assign(assignor: &str, spec: &Spec<'_>) -> BTreeMap<Arc<str>, Assignment> {
    let topics = subscribed(spec);
    if assignor == RANGE {
        return range::assign(&spec.members, &topics);
    }
    match alike(spec) {
        true => homogeneous::assign(&spec.members, &topics),
        false => heterogeneous::assign(&spec.members, &topics),
    }
}

/// The topics that somebody subscribes to and that exist.
type Subscribed = BTreeMap<TopicId, Topic>;

fn subscribed(spec: &Spec<'_>) -> Subscribed {
    let mut topics = Subscribed::new();
    let mut last: Option<&BTreeSet<TopicId>> = None;
    for member in spec.members.values() {
        // Most groups are alike: the topics of the member before need no second look.
        if last == Some(&member.topics) {
            continue;
        }
        last = Some(&member.topics);
        for id in &member.topics {
            if let Some(topic) = spec.topics.by_id(*id) {
                topics.insert(*id, topic);
            }
        }
    }
    topics
}

/// Whether all members subscribe to the same topics.
fn alike(spec: &Spec<'_>) -> bool {
    let mut members = spec.members.values();
    let Some(first) = members.next() else { return true };
    members.all(|member| member.topics == first.topics)
}
