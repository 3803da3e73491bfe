//! InitProducerId, 0-5: an id for an idempotent producer.
//!
//! - 3: a producer may give its old id and epoch; without transactions they count for nothing
//! - 6 (two-phase commit, KIP-939) is unstable in Kafka 4.4 and not served
//!
//! Transactions are not served: a transactional id is answered with TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which
//! every client takes as final. A client that asks for the coordinator first learns it there.

use super::*;
use crate::wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = InitProducerIdRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=5;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: InitProducerIdRequest = decode(head, body)?;
        let failed = |error_code| InitProducerIdResponse {
            error_code,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        if let Some(error_code) = refusal(&request) {
            return Ok(Answer::Now(encode(head, &failed(error_code))?));
        }
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            match engine.new_producer_id().await {
                Ok(id) => {
                    InitProducerIdResponse { producer_id: id.0, producer_epoch: 0, ..Default::default() }
                }
                Err(refusal) => failed(refusal.code),
            }
        }))
    }
}

fn refusal(request: &InitProducerIdRequest) -> Option<ErrorCode> {
    if (request.producer_id == -1) != (request.producer_epoch == -1) {
        return Some(ErrorCode::INVALID_REQUEST);
    }
    match request.transactional_id.as_deref() {
        None => None,
        Some("") => Some(ErrorCode::INVALID_REQUEST),
        Some(_) => Some(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
    }
}
