//! ListGroups, 0-5: all groups. 4: of these states; 5: of these types.

use super::*;
use crate::group::{GroupKind, List};
use crate::wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ListGroupsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: ListGroupsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let Some(list) = command(&request) else { return ListGroupsResponse::default() };
            match engine.list_groups(&list).await {
                Ok(listed) => {
                    let groups = listed.iter().map(|group| ListedGroup {
                        group_id: shown(&group.group),
                        protocol_type: shown(&group.protocol_type),
                        group_state: Str::from_static(group.state),
                        group_type: Str::from_static(kind_name(group.kind)),
                    });
                    ListGroupsResponse { groups: groups.collect(), ..Default::default() }
                }
                Err(refusal) => ListGroupsResponse { error_code: refusal.code, ..Default::default() },
            }
        }))
    }
}

/// `None` if no group can be of a type that is asked for.
fn command(request: &ListGroupsRequest) -> Option<List> {
    let known = [GroupKind::Classic, GroupKind::Consumer];
    let kinds = request
        .types_filter
        .iter()
        .filter_map(|name| known.into_iter().find(|kind| kind_name(*kind).eq_ignore_ascii_case(name)));
    let list = List {
        states: request.states_filter.iter().map(|state| state.trim().to_ascii_lowercase()).collect(),
        kinds: kinds.collect(),
    };
    (request.types_filter.is_empty() || !list.kinds.is_empty()).then_some(list)
}

fn kind_name(kind: GroupKind) -> &'static str {
    match kind {
        GroupKind::Classic => "classic",
        GroupKind::Consumer => "consumer",
    }
}
