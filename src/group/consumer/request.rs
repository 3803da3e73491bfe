//! What can be said of a ConsumerGroupHeartbeat without looking at the group.

use super::view::{LEAVES, LEFT_FOR_A_WHILE};
use crate::group::command::ConsumerHeartbeat;
use crate::group::refused::Refused;
use crate::group::settings::GroupSettings;
use crate::types::ErrorCode;

/// Refuses a request that makes no sense, for the first of its faults in Kafka's order.
pub(super) fn check(beat: &ConsumerHeartbeat, settings: &GroupSettings) -> Result<(), Refused> {
    if (beat.makes_its_id || beat.epoch > 0 || beat.epoch == LEAVES) && is_blank(&beat.member) {
        return invalid("the member id is empty");
    }
    if is_blank(&beat.group) {
        return invalid("the group id is empty");
    }
    if beat.instance.as_deref().is_some_and(is_blank) {
        return invalid("the instance id is empty");
    }
    if beat.rack.as_deref().is_some_and(is_blank) {
        return invalid("the rack is empty");
    }
    match beat.epoch {
        0 => check_join(beat)?,
        LEFT_FOR_A_WHILE if beat.instance.is_none() => {
            return invalid("only a static member leaves for a while");
        }
        epoch if epoch < LEFT_FOR_A_WHILE => return invalid("there are no epochs below -2"),
        _ => {}
    }
    match &beat.assignor {
        Some(assignor) if !settings.assignors.contains(assignor) => Err(Refused::new(
            ErrorCode::UNSUPPORTED_ASSIGNOR,
            format!("the assignor {assignor} is none of {}", settings.assignors.join(", ")),
        )),
        _ => Ok(()),
    }
}

fn check_join(beat: &ConsumerHeartbeat) -> Result<(), Refused> {
    if beat.rebalance_timeout_ms == -1 {
        return invalid("a member that joins gives its rebalance timeout");
    }
    if beat.owned.as_ref().is_none_or(|owned| !owned.is_empty()) {
        return invalid("a member that joins owns nothing, and says so");
    }
    if beat.topics.is_none() && beat.regex.is_none() {
        return invalid("a member that joins subscribes by name or by regular expression");
    }
    Ok(())
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn invalid(why: &'static str) -> Result<(), Refused> {
    Err(Refused::new(ErrorCode::INVALID_REQUEST, why))
}
