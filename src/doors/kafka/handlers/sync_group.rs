//! SyncGroup, 0-5: the leader of a classic group assigns, the others wait for it.
//!
//! - 3: static members; 5: type and name of the protocol, which must be there, checked and told

use super::*;
use crate::group::Sync;
use crate::wire::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = SyncGroupRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=5;
    // What the command needs is copied: a member that waits for others must not hold its frame.
    const KEEPS_FRAME: bool = false;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: SyncGroupRequest = decode(head, body)?;
        if head.version >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
            let error_code = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            return Ok(Answer::Now(encode(head, &SyncGroupResponse { error_code, ..Default::default() })?));
        }
        let assignments = request.assignments.iter();
        let sync = Sync {
            group: text(&request.group_id),
            member: text(&request.member_id),
            instance: maybe_text(request.group_instance_id.as_ref()),
            generation: request.generation_id,
            protocol_type: maybe_text(request.protocol_type.as_ref()),
            protocol: maybe_text(request.protocol_name.as_ref()),
            assignments: assignments
                .map(|one| (text(&one.member_id), Bytes::copy_from_slice(&one.assignment)))
                .collect(),
        };
        drop(request);
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            match engine.sync_group(sync).await {
                Ok(synced) => SyncGroupResponse {
                    protocol_type: maybe_shown(synced.protocol_type.as_ref()),
                    protocol_name: maybe_shown(synced.protocol.as_ref()),
                    assignment: synced.assignment,
                    ..Default::default()
                },
                Err(refusal) => SyncGroupResponse { error_code: refusal.code, ..Default::default() },
            }
        }))
    }
}
