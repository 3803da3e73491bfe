//! One member's way from what it owns to its target: it gives up first, and is given a partition when nobody else has
//! it any more (KIP-848; `CurrentAssignmentBuilder` of Kafka 4.4.0 makes the same steps).

use super::index::{Index, emit};
use super::members::context;
use super::timers::{self, Timer};
use super::view::Reads;
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::state::{Assignment, Current, MemberState};
use crate::types::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Partitions with the epochs in which they were assigned.
type Owned = BTreeMap<TopicId, BTreeMap<i32, i32>>;

/// Takes a member one step towards its target. `owned` is what it says it owns; `None` if it did not say.
pub(super) fn reconcile(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &Arc<str>,
    subscription_changed: bool,
    owned: Option<&Assignment>,
) {
    let topics = context(cx).topics;
    let (hard, soft) = cx.state();
    let Some(known) = hard.consumer(group) else { return };
    let Some(state) = known.members.get(member) else { return };
    let target_epoch = known.target_epoch();
    if !subscription_changed && state.is_reconciled_to(target_epoch) {
        return;
    }
    let Some(metadata) = &state.metadata else { return };
    let newcomer = Current::of_newcomer();
    let nothing = Assignment::new();
    let no_index = Index::default();
    let index = soft.consumer.groups.get(group).unwrap_or(&no_index);
    let reads: Reads<'_> = known.reads(metadata);
    let step = Step {
        current: state.current.as_ref().unwrap_or(&newcomer),
        target_epoch,
        target: state.target.as_ref().unwrap_or(&nothing),
        subscription_changed,
        owned,
        reads: &|topic| reads.contains(topic, topics.as_ref()),
        is_with_another: &|topic, partition| index.is_with_another(topic, partition, member),
    };
    let next = step.next();
    if state.current.as_ref() == Some(&next) {
        return;
    }
    let timeout = metadata.rebalance_timeout_ms;
    let is_classic = metadata.classic.is_some();
    let gives_up = next.state == MemberState::UnrevokedPartitions;
    emit(cx, group, ConsumerRecord::Current(Arc::clone(member), Some(Box::new(next))));
    if is_classic {
        return;
    }
    let timer = Timer::Rebalance(Arc::clone(member));
    if gives_up {
        timers::arm(cx, group, timer, timers::millis(timeout));
    } else {
        timers::disarm(cx, group, timer);
    }
}

/// All that the next step depends on.
struct Step<'a> {
    current: &'a Current,
    target_epoch: i32,
    target: &'a Assignment,
    subscription_changed: bool,
    owned: Option<&'a Assignment>,
    /// Whether the member reads the topic and it exists.
    reads: &'a dyn Fn(TopicId) -> bool,
    /// Whether another member has the partition.
    is_with_another: &'a dyn Fn(TopicId, i32) -> bool,
}

impl Step<'_> {
    fn next(&self) -> Current {
        match self.current.state {
            MemberState::Stable if self.current.epoch == self.target_epoch => self.maybe_narrow(),
            MemberState::UnrevokedPartitions if self.holds_any(&self.current.revoking) => self.maybe_narrow(),
            MemberState::Stable | MemberState::UnrevokedPartitions | MemberState::UnreleasedPartitions => {
                self.towards_target(self.current.epoch)
            }
            // Written by a later release. The member was refused before unless it owns nothing.
            MemberState::Unknown => self.towards_target(self.target_epoch),
        }
    }

    fn maybe_narrow(&self) -> Current {
        if self.subscription_changed { self.narrow() } else { self.current.clone() }
    }

    /// The client may still read one of these. One that does not say what it owns may own all of it.
    fn holds_any(&self, partitions: &Owned) -> bool {
        let Some(owned) = self.owned else { return true };
        owned.iter().any(|(topic, owned)| {
            partitions
                .get(topic)
                .is_some_and(|held| owned.iter().any(|partition| held.contains_key(partition)))
        })
    }

    /// Takes away at once what the member does not read any more, without waiting for a new target.
    fn narrow(&self) -> Current {
        let mut next = self.current.clone();
        let unread: Vec<TopicId> =
            next.assigned.keys().copied().filter(|topic| !(self.reads)(*topic)).collect();
        if unread.is_empty() {
            return next;
        }
        for topic in unread {
            if let Some(partitions) = next.assigned.remove(&topic) {
                next.revoking.entry(topic).or_default().extend(partitions);
            }
        }
        if self.holds_any(&next.revoking) {
            next.state = MemberState::UnrevokedPartitions;
        } else {
            next.revoking.clone_from(&self.current.revoking);
        }
        next.previous_epoch = self.current.epoch;
        next
    }

    /// Gives up what is not in the target; with nothing to give up, takes what is free.
    fn towards_target(&self, epoch: i32) -> Current {
        let mut kept = Owned::new();
        let mut revoking = Owned::new();
        let mut free: Vec<(TopicId, i32)> = Vec::new();
        let mut waits = false;
        let topics: BTreeSet<TopicId> =
            self.target.keys().chain(self.current.assigned.keys()).copied().collect();
        for topic in topics {
            let target = self.target.get(&topic).filter(|_| (self.reads)(topic));
            let is_target = |partition: &i32| target.is_some_and(|target| target.contains(partition));
            let assigned = self.current.assigned.get(&topic);
            for (partition, since) in assigned.into_iter().flatten() {
                let to = if is_target(partition) { &mut kept } else { &mut revoking };
                to.entry(topic).or_default().insert(*partition, *since);
            }
            for partition in target.into_iter().flatten() {
                if assigned.is_some_and(|assigned| assigned.contains_key(partition)) {
                    continue;
                }
                if (self.is_with_another)(topic, *partition) {
                    waits = true;
                } else {
                    free.push((topic, *partition));
                }
            }
        }
        let previous_epoch = self.current.epoch;
        if !revoking.is_empty() && self.holds_any(&revoking) {
            let state = MemberState::UnrevokedPartitions;
            return Current { epoch, previous_epoch, state, assigned: kept, revoking };
        }
        for (topic, partition) in free {
            kept.entry(topic).or_default().insert(partition, self.target_epoch);
        }
        let state = if waits { MemberState::UnreleasedPartitions } else { MemberState::Stable };
        Current { epoch: self.target_epoch, previous_epoch, state, assigned: kept, revoking: Owned::new() }
    }
}
