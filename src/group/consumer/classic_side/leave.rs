//! LeaveGroup out of a consumer group: classic members go, and operators take out members of either protocol.

use crate::coordinator::Cx;
use crate::group::command::{Leave, Leaving, Left};
use crate::group::consumer::{find, members};
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::types::ErrorCode;
use std::collections::BTreeSet;
use std::sync::Arc;

/// LeaveGroup of classic members, and of static members of either protocol.
pub fn leave(cx: &mut Cx<'_, Groups>, leave: &Leave) -> Result<Vec<Left>, Refused> {
    let mut gone: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut answers = Vec::with_capacity(leave.members.len());
    for leaving in &leave.members {
        let code = match find_leaving(cx, &leave.group, leaving) {
            Ok(member) => {
                let reason = leaving.reason.as_deref().unwrap_or("not provided");
                tracing::info!(group = %leave.group, member = %member, reason, "a member leaves");
                gone.insert(member);
                ErrorCode::NONE
            }
            Err(refused) => refused.code,
        };
        answers.push(Left { member: Arc::clone(&leaving.member), instance: leaving.instance.clone(), code });
    }
    members::fence(cx, &leave.group, &gone);
    Ok(answers)
}

/// The id of the member that is meant; the instance is enough for a static one.
fn find_leaving(cx: &mut Cx<'_, Groups>, group: &Arc<str>, leaving: &Leaving) -> Result<Arc<str>, Refused> {
    let (hard, soft) = cx.state();
    let Some(instance) = &leaving.instance else {
        let known = hard.consumer(group).and_then(|known| known.members.get_key_value(&leaving.member));
        let unknown = || find::unknown_member(group, &leaving.member);
        return known.map(|(id, _)| Arc::clone(id)).ok_or_else(unknown);
    };
    let index = soft.consumer.groups.get(group);
    let holder = index.and_then(|index| index.instances.get(instance));
    let holder = holder.ok_or_else(|| find::unknown_instance(instance))?;
    if !leaving.member.is_empty() {
        find::check_instance(holder, &leaving.member, instance)?;
    }
    Ok(Arc::clone(holder))
}
