//! DescribeGroups, 0-6: groups in the words of the classic protocol.
//!
//! - 3: authorized operations; 4: static members; 6: a group that is not there is an error with a sentence; before, it
//!   is a group that is dead

use super::*;
use crate::engine::Engine;
use crate::group::ClassicDescribed;
use crate::wire::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DescribeGroupsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=6;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DescribeGroupsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let mut groups = Vec::with_capacity(request.groups.len());
            for group in &request.groups {
                let mut described = describe(&engine, head.version, group).await;
                if request.include_authorized_operations && described.error_code.is_none() {
                    described.authorized_operations = GROUP_OPERATIONS;
                }
                groups.push(described);
            }
            DescribeGroupsResponse { groups, ..Default::default() }
        }))
    }
}

async fn describe(engine: &Engine, version: i16, group: &Str) -> DescribedGroup {
    let dead = || DescribedGroup {
        group_id: group.clone(),
        group_state: Str::from_static("Dead"),
        ..Default::default()
    };
    match engine.describe_classic_group(text(group)).await {
        Ok(described) => shown_group(group, described),
        Err(refusal) if refusal.code == ErrorCode::GROUP_ID_NOT_FOUND => match version {
            6.. => DescribedGroup { error_code: refusal.code, error_message: message(&refusal), ..dead() },
            _ => dead(),
        },
        Err(refusal) => {
            DescribedGroup { error_code: refusal.code, group_id: group.clone(), ..Default::default() }
        }
    }
}

fn shown_group(group: &Str, described: ClassicDescribed) -> DescribedGroup {
    let members = described.members.into_iter().map(|member| DescribedGroupMember {
        member_id: shown(&member.member),
        group_instance_id: maybe_shown(member.instance.as_ref()),
        client_id: shown(&member.client.id),
        client_host: shown(&member.client.host),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    });
    DescribedGroup {
        group_id: group.clone(),
        group_state: Str::from_static(described.state),
        protocol_type: shown(&described.protocol_type),
        protocol_data: shown(&described.protocol),
        members: members.collect(),
        ..Default::default()
    }
}
