//! ListGroups.

use super::kind::Kind;
use crate::coordinator::Cx;
use crate::group::classic;
use crate::group::command::{GroupKind, List, Listed};
use crate::group::machine::Groups;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Groups that pass the filters, in the order of their ids. A state that nobody knows matches none.
pub fn list(cx: &mut Cx<'_, Groups>, list: &List) -> Vec<Listed> {
    let states: BTreeSet<String> = list.states.iter().map(|state| state.trim().to_lowercase()).collect();
    let (hard, soft) = cx.state();
    let mut groups: BTreeSet<Arc<str>> = classic::unwritten(hard, &soft.classic).into_iter().collect();
    groups.extend(hard.groups.keys().cloned());
    let show = |group: Arc<str>| show(&Kind::of(hard, soft, &group)?, group);
    let passes = |listed: &Listed| {
        let by_state = states.is_empty() || states.contains(&listed.state.to_lowercase());
        by_state && (list.kinds.is_empty() || list.kinds.contains(&listed.kind))
    };
    groups.into_iter().filter_map(show).filter(passes).collect()
}

fn show(kind: &Kind, group: Arc<str>) -> Option<Listed> {
    let (protocol_type, listed) = match kind {
        Kind::Classic(overview) => (Arc::clone(&overview.protocol_type), GroupKind::Classic),
        Kind::Consumer(_) => ("consumer".into(), GroupKind::Consumer),
    };
    Some(Listed { group, protocol_type, state: kind.state(), kind: listed })
}
