//! LeaveGroup, 0-5: members of a classic group go.
//!
//! - 3: many at once, static ones too, each with a code of its own; 5: reasons

use super::*;
use crate::group::{Leave, Leaving, Left};
use crate::wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = LeaveGroupRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=5;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: LeaveGroupRequest = decode(head, body)?;
        let leave = command(head.version, &request);
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { answer(head.version, engine.leave_group(leave).await) }))
    }
}

fn command(version: i16, request: &LeaveGroupRequest) -> Leave {
    let members = match version {
        3.. => request
            .members
            .iter()
            .map(|member| Leaving {
                member: text(&member.member_id),
                instance: maybe_text(member.group_instance_id.as_ref()),
                reason: maybe_text(member.reason.as_ref()),
            })
            .collect(),
        _ => vec![Leaving { member: text(&request.member_id), instance: None, reason: None }],
    };
    Leave { group: text(&request.group_id), members }
}

fn answer(version: i16, outcome: Result<Vec<Left>, Refusal>) -> LeaveGroupResponse {
    let members = match outcome {
        Err(refusal) => return LeaveGroupResponse { error_code: refusal.code, ..Default::default() },
        Ok(members) => members,
    };
    if version < 3 {
        // There is one, and its code is that of the answer.
        let error_code = members.first().map_or(ErrorCode::NONE, |left| left.code);
        return LeaveGroupResponse { error_code, ..Default::default() };
    }
    let members = members.iter().map(|left| MemberResponse {
        member_id: shown(&left.member),
        group_instance_id: maybe_shown(left.instance.as_ref()),
        error_code: left.code,
    });
    LeaveGroupResponse { members: members.collect(), ..Default::default() }
}
