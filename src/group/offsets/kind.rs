//! What a group is, as far as its offsets are concerned.

use crate::coordinator::Cx;
use crate::group::machine::{Groups, Soft};
use crate::group::state::GroupsHard;
use crate::group::{classic, consumer};

/// The protocol type of consumers; offsets of others are not bound to topics.
const CONSUMER: &str = "consumer";

/// A group of one of the protocols.
pub(super) enum Kind {
    /// JoinGroup and SyncGroup, or offsets alone.
    Classic(classic::Overview),
    /// ConsumerGroupHeartbeat; Kafka's name of its state.
    Consumer(&'static str),
}

impl Kind {
    /// What the group is; `None` if there is no such group.
    pub(super) fn of(hard: &GroupsHard, soft: &Soft, group: &str) -> Option<Kind> {
        match consumer::state(hard, &soft.consumer, group) {
            Some(state) => Some(Kind::Consumer(state)),
            None => classic::overview(hard, &soft.classic, group).map(Kind::Classic),
        }
    }

    /// As [`Kind::of`], in a step.
    pub(super) fn find(cx: &mut Cx<'_, Groups>, group: &str) -> Option<Kind> {
        let (hard, soft) = cx.state();
        Kind::of(hard, soft, group)
    }

    /// Kafka's name of its state.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Kind::Classic(overview) => overview.state,
            Kind::Consumer(state) => state,
        }
    }

    /// No members, and none on the way.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Kind::Classic(overview) => overview.empty,
            Kind::Consumer(state) => *state == "Empty",
        }
    }

    /// Members are consumers, which read topics.
    pub(super) fn has_consumers(&self) -> bool {
        match self {
            Kind::Classic(overview) => &*overview.protocol_type == CONSUMER,
            Kind::Consumer(_) => true,
        }
    }

    /// Whether a member reads this topic, or may read it.
    pub(super) fn reads(&self, hard: &GroupsHard, soft: &Soft, group: &str, topic: &str) -> bool {
        match self {
            Kind::Classic(overview) => match &overview.subscribed {
                Some(topics) => topics.contains(topic),
                None => self.has_consumers(),
            },
            Kind::Consumer(_) => consumer::is_subscribed(hard, &soft.consumer, group, topic),
        }
    }
}
