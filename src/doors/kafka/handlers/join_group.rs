//! JoinGroup, 0-9: a member of the classic protocol joins and waits for the others.
//!
//! - 0: the rebalance timeout is the session timeout; 4: new members are given an id first (KIP-394); 5: static
//!   members (KIP-345); 7: type and name of the protocol may be null in the answer; 8: a reason; 9: a leader may be
//!   told to keep the assignment (KIP-814)

use super::*;
use crate::group::{ClassicProtocol, Join, Joined, NotJoined};
use crate::wire::messages::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = JoinGroupRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=9;
    // What the command needs is copied: a member that waits for others must not hold its frame.
    const KEEPS_FRAME: bool = false;
    const WANTS_CLIENT: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: JoinGroupRequest = decode(head, body)?;
        let join = command(cx, head.version, &request);
        drop(request);
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move { answer(head.version, engine.join_group(join).await) }))
    }
}

fn command(cx: &ConnCx, version: i16, request: &JoinGroupRequest) -> Join {
    let protocols = request.protocols.iter().map(|protocol| ClassicProtocol {
        name: text(&protocol.name),
        metadata: Bytes::copy_from_slice(&protocol.metadata),
    });
    Join {
        group: text(&request.group_id),
        member: text(&request.member_id),
        instance: maybe_text(request.group_instance_id.as_ref()),
        client: client(cx),
        protocol_type: text(&request.protocol_type),
        protocols: protocols.collect(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: match version {
            0 => request.session_timeout_ms,
            _ => request.rebalance_timeout_ms,
        },
        must_know_its_id: version >= 4,
        can_skip_assignment: version >= 9,
        reason: maybe_text(request.reason.as_ref()),
    }
}

fn answer(version: i16, outcome: Result<Joined, NotJoined>) -> JoinGroupResponse {
    let nullable = |text: Option<Str>| if version >= 7 { text } else { Some(text.unwrap_or_default()) };
    match outcome {
        Ok(joined) => JoinGroupResponse {
            generation_id: joined.generation,
            protocol_type: maybe_shown(joined.protocol_type.as_ref()),
            protocol_name: nullable(maybe_shown(joined.protocol.as_ref())),
            leader: shown(&joined.leader),
            skip_assignment: joined.skip_assignment,
            member_id: shown(&joined.member),
            members: joined
                .members
                .iter()
                .map(|member| JoinGroupResponseMember {
                    member_id: shown(&member.member),
                    group_instance_id: maybe_shown(member.instance.as_ref()),
                    metadata: member.metadata.clone(),
                })
                .collect(),
            ..Default::default()
        },
        Err(NotJoined { refused, member }) => JoinGroupResponse {
            error_code: refused.code,
            protocol_name: nullable(None),
            member_id: shown(&member),
            ..Default::default()
        },
    }
}
