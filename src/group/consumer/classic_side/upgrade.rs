//! A classic group with members becomes a consumer group: each member keeps what it was assigned, the generation is the
//! first epoch, and members come over one by one.

use super::CONSUMER;
use super::embedded::{self, Assigned, Malformed, Subscription};
use crate::coordinator::Cx;
use crate::group::classic::{self, Roster, RosterMember};
use crate::group::consumer::epochs;
use crate::group::consumer::index::emit;
use crate::group::consumer::members::context;
use crate::group::consumer::timers::{self, Timer};
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::refused::Refused;
use crate::group::settings::MigrationPolicy;
use crate::group::state::{ClassicSide, Current, GroupEpoch, MemberMetadata, MemberState};
use crate::group::topics::TopicTable;
use crate::types::{ErrorCode, TimestampMs};
use std::sync::Arc;

/// Whether a classic group with members may become a consumer group by this member's joining: migration policy, type,
/// size, and all that its members said can be read (`GROUP_ID_NOT_FOUND`); room for the newcomer
/// (`GROUP_MAX_SIZE_REACHED`). Changes nothing.
pub(in crate::group::consumer) fn check_upgrade(
    cx: &mut Cx<'_, Groups>,
    group: &Arc<str>,
    member: &Arc<str>,
    instance: Option<&Arc<str>>,
) -> Result<(), Refused> {
    let context = context(cx);
    let refuse = |why: &str| {
        let why = format!("classic group {group} cannot become a consumer group: {why}");
        Refused::new(ErrorCode::GROUP_ID_NOT_FOUND, why)
    };
    if !matches!(context.settings.migration, MigrationPolicy::Bidirectional | MigrationPolicy::Upgrade) {
        return Err(refuse("online upgrade is disabled"));
    }
    let (hard, soft) = cx.state();
    let Some(roster) = classic::roster(hard, &soft.classic, group) else { return Ok(()) };
    if roster.protocol_type.as_deref() != Some(CONSUMER) {
        return Err(refuse("it is not of the type `consumer`"));
    }
    let most = context.settings.consumer_size_max;
    if roster.members.len() > most {
        return Err(refuse("it has more members than a consumer group may have"));
    }
    for newcomer in newcomers(roster.clone(), context.topics.as_ref()) {
        let newcomer = newcomer.map_err(|malformed| refuse(&malformed.to_string()))?;
        if newcomer.assigned.has_user_data {
            return Err(refuse("what its assignor told its members beside partitions would be lost"));
        }
    }
    let has_place = roster.members.contains_key(member)
        || roster.members.values().any(|known| instance.is_some() && known.instance.as_ref() == instance);
    if !has_place && roster.members.len() >= most {
        let why = format!("consumer group {group} has all of the {most} members it may have");
        return Err(Refused::new(ErrorCode::GROUP_MAX_SIZE_REACHED, why));
    }
    Ok(())
}

/// A member on its way over.
struct Newcomer {
    id: Arc<str>,
    member: RosterMember,
    subscription: Subscription,
    assigned: Assigned,
}

fn newcomers(roster: Roster, topics: &dyn TopicTable) -> impl Iterator<Item = Result<Newcomer, Malformed>> {
    // Before the first generation nothing was chosen yet; what will be serves as well.
    let Roster { generation, protocol, members, .. } = roster;
    let protocol =
        protocol.or_else(|| Roster::elect(generation, members.clone()).protocol).unwrap_or_default();
    members.into_iter().map(move |(id, member)| {
        let subscription = embedded::subscription(&member.metadata(&protocol), topics)?;
        let assigned = embedded::assigned(&member.assignment, topics)?;
        Ok(Newcomer { id, member, subscription, assigned })
    })
}

/// Turns the group into a consumer group; `check_upgrade` let it pass in the same step, so nothing fails.
pub(in crate::group::consumer) fn upgrade(cx: &mut Cx<'_, Groups>, group: &Arc<str>) {
    let topics = context(cx).topics;
    let (hard, soft) = cx.state();
    let Some(roster) = classic::roster(hard, &soft.classic, group) else { return };
    let epoch = roster.generation;
    let newcomers: Vec<Newcomer> = newcomers(roster, topics.as_ref()).flatten().collect();
    classic::dissolve(cx, group, ErrorCode::REBALANCE_IN_PROGRESS);
    for newcomer in &newcomers {
        emit(
            cx,
            group,
            ConsumerRecord::Member(Arc::clone(&newcomer.id), Some(Box::new(newcomer.metadata()))),
        );
    }
    let metadata_hash = epochs::metadata_hash(cx, group);
    emit(cx, group, ConsumerRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
    for newcomer in &newcomers {
        let target = newcomer.assigned.partitions.clone();
        emit(cx, group, ConsumerRecord::Target(Arc::clone(&newcomer.id), Some(target)));
    }
    epochs::set_target_epoch(cx, group, TimestampMs(0));
    for newcomer in newcomers {
        let session = timers::millis(newcomer.member.session_timeout_ms);
        let current = newcomer.current(epoch);
        emit(cx, group, ConsumerRecord::Current(Arc::clone(&newcomer.id), Some(Box::new(current))));
        timers::arm(cx, group, Timer::Session(newcomer.id), session);
    }
    tracing::info!(group = %group, epoch, "a classic group becomes a consumer group");
}

impl Newcomer {
    fn metadata(&self) -> MemberMetadata {
        MemberMetadata {
            instance: self.member.instance.clone(),
            rack: self.subscription.rack.clone(),
            client_id: Arc::clone(&self.member.client.id),
            client_host: Arc::clone(&self.member.client.host),
            topics: self.subscription.topics.clone(),
            regex: Some("".into()),
            rebalance_timeout_ms: self.member.rebalance_timeout_ms,
            assignor: None,
            classic: Some(ClassicSide {
                session_timeout_ms: self.member.session_timeout_ms,
                protocols: self.member.protocols.clone(),
            }),
        }
    }

    /// As if it had been given everything in the generation.
    fn current(&self, epoch: i32) -> Current {
        let since = |numbers: &std::collections::BTreeSet<i32>| {
            numbers.iter().map(|number| (*number, epoch)).collect()
        };
        Current {
            epoch,
            previous_epoch: epoch,
            state: MemberState::Stable,
            assigned: self
                .assigned
                .partitions
                .iter()
                .map(|(topic, numbers)| (*topic, since(numbers)))
                .collect(),
            revoking: std::collections::BTreeMap::new(),
        }
    }
}
