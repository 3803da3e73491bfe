//! FindCoordinator, 0-6: who looks after a group (type 0), a transactional id (1) or a share partition (2).
//!
//! - 1: key types; 4: many keys; 6: share partitions
//!
//! Groups are this node's. Transactions and shares are not served: a transactional id is answered with
//! TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which is final for every client, while COORDINATOR_NOT_AVAILABLE would
//! have a producer wait until its time is over.

use super::*;
use crate::wire::messages::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = FindCoordinatorRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=6;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: FindCoordinatorRequest = decode(head, body)?;
        let cx = cx.clone();
        Ok(later(head, async move { respond(&cx, head.version, &request).await }))
    }
}

async fn respond(cx: &ConnCx, version: i16, request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    let ready = match request.key_type {
        0 => cx.door.engine.prepare_groups().await,
        _ => Ok(()),
    };
    let key_type = request.key_type;
    if version >= 4 {
        let keys = request.coordinator_keys.iter();
        let coordinators = keys.map(|key| find(cx, key, key_type, &ready)).collect();
        return FindCoordinatorResponse { coordinators, ..Default::default() };
    }
    let found = find(cx, &request.key, key_type, &ready);
    // Kafka's way to say that nothing is wrong: this word, and from version 4 on an empty sentence.
    let fine = found.error_code.is_none();
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: if fine { Some(Str::from_static("NONE")) } else { found.error_message },
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    }
}

fn find(cx: &ConnCx, key: &Str, key_type: i8, ready: &Result<(), Refusal>) -> Coordinator {
    let refused = |error_code, why: &'static str| Coordinator {
        key: key.clone(),
        node_id: -1,
        host: Str::EMPTY,
        port: -1,
        error_code,
        error_message: Some(Str::from_static(why)),
    };
    match key_type {
        0 if ready.is_err() => {
            refused(ErrorCode::COORDINATOR_NOT_AVAILABLE, "The broker cannot keep groups at the moment.")
        }
        0 => {
            let (host, port) = cx.reached_at();
            let node_id = cx.door.engine.settings().node_id;
            Coordinator {
                key: key.clone(),
                node_id,
                host,
                port,
                error_code: ErrorCode::NONE,
                error_message: Some(Str::EMPTY),
            }
        }
        1 => refused(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "Transactions are not served by this broker.",
        ),
        2 => refused(ErrorCode::INVALID_REQUEST, "Share groups are not served by this broker."),
        _ => refused(ErrorCode::INVALID_REQUEST, "Unknown type of coordinator."),
    }
}
