//! What others are shown of a group. Nothing changes here.

use super::Live;
use super::group::LiveGroup;
use super::member::Member;
use super::stage::State;
use crate::coordinator::Cx;
use crate::group::command::{ClassicDescribed, ClassicMemberDescribed};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::GroupsHard;
use crate::types::{ErrorCode, TimestampMs};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the others have to know of a classic group. A group of which only offsets are known is one, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Kafka's name of its state.
    pub state: &'static str,
    /// It is `Empty`: no members, so that it may be deleted. Ids that were given out are not members yet.
    pub empty: bool,
    /// Never had members: only offsets.
    pub simple: bool,
    /// `consumer`, ...; empty if it is not known yet.
    pub protocol_type: Arc<str>,
    /// Topics that its members read, as of the beginning of this generation; `None` where that cannot be told. Kafka
    /// takes a group of the type `consumer` for subscribed to all topics then, and others to none.
    pub subscribed: Option<BTreeSet<Arc<str>>>,
    /// When it came into its state.
    pub state_at: Option<TimestampMs>,
}

/// For offsets: what the group is. `None` if nothing is known of it, or it is a consumer group.
pub fn overview(hard: &GroupsHard, live: &Live, group: &str) -> Option<Overview> {
    super::look(hard, live, group, |group| Overview {
        state: group.state.name(),
        empty: group.state == State::Empty,
        simple: group.protocol_type.is_none() && group.is_quiet(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        subscribed: group.subscribed.clone(),
        state_at: group.state_at,
    })
}

/// For lists: ids of all groups that live without being written.
pub fn unwritten(hard: &GroupsHard, live: &Live) -> Vec<Arc<str>> {
    live.groups.keys().filter(|id| hard.group(id).is_none()).cloned().collect()
}

/// DescribeGroups; `GROUP_ID_NOT_FOUND` for one that is not there or is a consumer group.
pub fn describe(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> Result<ClassicDescribed, Refused> {
    let (hard, soft) = cx.state();
    super::look(hard, &soft.classic, group, described).ok_or_else(|| {
        let why = match hard.consumer(group) {
            Some(_) => format!("Group {group} is not a classic group."),
            None => format!("Group {group} not found."),
        };
        Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, why)
    })
}

fn described(group: &LiveGroup) -> ClassicDescribed {
    let protocol = group.protocol.clone().filter(|_| group.state == State::Stable);
    let show = |(id, member): (&Arc<str>, &Member)| ClassicMemberDescribed {
        member: Arc::clone(id),
        instance: member.instance.clone(),
        client: member.client.clone(),
        metadata: protocol.as_deref().map(|protocol| member.metadata(protocol)).unwrap_or_default(),
        assignment: member.assignment.clone(),
    };
    ClassicDescribed {
        state: group.state.name(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        members: group.members().iter().map(show).collect(),
        protocol: protocol.unwrap_or_default(),
    }
}
