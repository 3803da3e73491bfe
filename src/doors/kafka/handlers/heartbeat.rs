//! Heartbeat, 0-4: a member of a classic group is alive. 3: static members.

use super::*;
use crate::group::Heartbeat;
use crate::wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = HeartbeatRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=4;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: HeartbeatRequest = decode(head, body)?;
        let beat = Heartbeat {
            group: text(&request.group_id),
            member: text(&request.member_id),
            instance: maybe_text(request.group_instance_id.as_ref()),
            generation: request.generation_id,
        };
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let (code, _) = told(&engine.heartbeat(beat).await);
            // While groups are loaded nobody knows the member, and nobody has a reason to send it away.
            let error_code =
                if code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS { ErrorCode::NONE } else { code };
            HeartbeatResponse { error_code, ..Default::default() }
        }))
    }
}
