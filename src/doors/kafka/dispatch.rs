//! The one table of what is served. Dispatch, ApiVersions and tests read it; nothing else lists APIs.

use super::answer::{Answer, Close, Frame};
use super::{ConnCx, handlers};
use crate::wire::{ApiKey, DecodeError, EncodeError, Message, Reader, Request, frame};
use bytes::Bytes;
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// An API that is served.
pub struct Route {
    /// Its number.
    pub key: ApiKey,
    /// The versions taken.
    pub versions: RangeInclusive<i16>,
    start: fn(&ConnCx, Head, Bytes) -> Result<Answer, BadRequest>,
    /// The request stays in memory until it is answered. Produced records do not: they are in the log by then.
    keeps_frame: bool,
    /// The answer's length depends on what the broker has: memory for it is asked for before it is made.
    long_answer: bool,
    /// The handler is told how the client calls itself.
    wants_client: bool,
}

/// What a request's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The API.
    pub key: ApiKey,
    /// Version of request and answer.
    pub version: i16,
    /// Given back in the answer.
    pub correlation: i32,
}

/// A handler of one API.
pub(super) trait Handler {
    /// What it handles.
    type Request: Request;
    /// The versions it handles.
    const VERSIONS: RangeInclusive<i16>;
    /// See [`Route`].
    const KEEPS_FRAME: bool = true;
    /// See [`Route`].
    const LONG_ANSWER: bool = false;
    /// See [`Route`].
    const WANTS_CLIENT: bool = false;

    /// Phase one: runs in connection order and never waits.
    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest>;
}

/// A request that is answered by closing the connection, as Kafka does.
#[derive(Debug, thiserror::Error)]
pub enum BadRequest {
    /// The bytes are not a request.
    #[error("{api} version {version}: {error}")]
    Decode {
        /// The API the header names.
        api: ApiKey,
        /// Its version.
        version: i16,
        /// What is wrong.
        error: DecodeError,
    },
    /// Not served, or not in this version.
    #[error("{api} version {version} is not served")]
    NotServed {
        /// The API the header names.
        api: ApiKey,
        /// Its version.
        version: i16,
    },
    /// Not even a header.
    #[error("a frame of {0} bytes without a header")]
    NoHeader(usize),
    /// A handler gave up.
    #[error(transparent)]
    Close(#[from] Close),
}

const fn serve<H: Handler>() -> Route {
    Route {
        key: H::Request::KEY,
        versions: H::VERSIONS,
        start: H::start,
        keeps_frame: H::KEEPS_FRAME,
        long_answer: H::LONG_ANSWER,
        wants_client: H::WANTS_CLIENT,
    }
}

/// All APIs that are served, by number.
pub static ROUTES: &[Route] = &[
    serve::<handlers::produce::Handler>(),
    serve::<handlers::fetch::Handler>(),
    serve::<handlers::list_offsets::Handler>(),
    serve::<handlers::metadata::Handler>(),
    serve::<handlers::offset_commit::Handler>(),
    serve::<handlers::offset_fetch::Handler>(),
    serve::<handlers::find_coordinator::Handler>(),
    serve::<handlers::join_group::Handler>(),
    serve::<handlers::heartbeat::Handler>(),
    serve::<handlers::leave_group::Handler>(),
    serve::<handlers::sync_group::Handler>(),
    serve::<handlers::describe_groups::Handler>(),
    serve::<handlers::list_groups::Handler>(),
    serve::<handlers::api_versions::Handler>(),
    serve::<handlers::create_topics::Handler>(),
    serve::<handlers::delete_topics::Handler>(),
    serve::<handlers::delete_records::Handler>(),
    serve::<handlers::init_producer_id::Handler>(),
    serve::<handlers::offset_for_leader_epoch::Handler>(),
    serve::<handlers::describe_configs::Handler>(),
    serve::<handlers::alter_configs::Handler>(),
    serve::<handlers::describe_log_dirs::Handler>(),
    serve::<handlers::create_partitions::Handler>(),
    serve::<handlers::delete_groups::Handler>(),
    serve::<handlers::incremental_alter_configs::Handler>(),
    serve::<handlers::offset_delete::Handler>(),
    serve::<handlers::describe_cluster::Handler>(),
    serve::<handlers::consumer_group_heartbeat::Handler>(),
    serve::<handlers::consumer_group_describe::Handler>(),
    serve::<handlers::list_config_resources::Handler>(),
    serve::<handlers::describe_topic_partitions::Handler>(),
];

fn find(key: ApiKey) -> Option<&'static Route> {
    ROUTES.binary_search_by_key(&key, |route| route.key).ok().and_then(|at| ROUTES.get(at))
}

/// The fixed part at the front of every request header.
fn peek(frame: &[u8]) -> Result<Head, BadRequest> {
    let chunk = frame.first_chunk::<8>().ok_or(BadRequest::NoHeader(frame.len()))?;
    let [k0, k1, v0, v1, c0, c1, c2, c3] = *chunk;
    Ok(Head {
        key: ApiKey(i16::from_be_bytes([k0, k1])),
        version: i16::from_be_bytes([v0, v1]),
        correlation: i32::from_be_bytes([c0, c1, c2, c3]),
    })
}

/// Whose request it is, if it is one that is served.
pub(super) fn route(frame: &[u8]) -> Option<&'static Route> {
    peek(frame).ok().and_then(|head| find(head.key))
}

impl Route {
    /// Whether a request's memory is held until it is answered.
    pub(super) fn keeps_frame(&self) -> bool {
        self.keeps_frame
    }

    /// Whether its answer may be long.
    pub(super) fn long_answer(&self) -> bool {
        self.long_answer
    }
}

/// Phase one of the request in `frame`.
pub(super) fn start(cx: &ConnCx, frame: Bytes) -> Result<Answer, BadRequest> {
    let head = peek(&frame)?;
    let Head { key: api, version, .. } = head;
    let route = find(api).ok_or(BadRequest::NotServed { api, version })?;
    if !route.versions.contains(&version) {
        return match api {
            // The client learns our versions from this answer; it must be one it can read (KIP-511).
            ApiKey::API_VERSIONS => Ok(Answer::Now(handlers::api_versions::unsupported(head)?)),
            _ => Err(BadRequest::NotServed { api, version }),
        };
    }
    let mut reader = Reader::new(frame);
    let header = frame::decode_request_header(&mut reader);
    let header = header.map_err(|error| BadRequest::Decode { api, version, error })?;
    let client = route.wants_client.then(|| Arc::from(header.client_id.as_deref().unwrap_or_default()));
    let body = reader.rest();
    // The body must be the only handle on the frame: records are stamped in place.
    drop((reader, header));
    match client {
        Some(client_id) => (route.start)(&ConnCx { client_id, ..cx.clone() }, head, body),
        None => (route.start)(cx, head, body),
    }
}

/// The request in `body`. Bytes after its end are passed over, as Kafka does.
pub(super) fn decode<R: Request>(head: Head, body: Bytes) -> Result<R, BadRequest> {
    let Head { key: api, version, .. } = head;
    R::decode(&mut Reader::new(body), version).map_err(|error| BadRequest::Decode { api, version, error })
}

/// The frame of an answer without holes.
pub(super) fn encode(head: Head, response: &dyn Message) -> Result<Frame, Close> {
    frame::encode_whole_response(head.key, head.version, head.correlation, response)
        .map(Frame::from)
        .map_err(|error| not_encoded(head, error))
}

fn not_encoded(head: Head, error: EncodeError) -> Close {
    Close(format!("cannot encode an answer to {}: {error}", head.key))
}

/// The frame of an answer whose holes are filled with these pieces.
pub(super) fn encode_with(
    head: Head,
    response: &dyn Message,
    holes: Vec<Vec<crate::log::Piece>>,
) -> Result<Frame, Close> {
    let encoded = frame::encode_response(head.key, head.version, head.correlation, response)
        .map_err(|error| not_encoded(head, error))?;
    Frame::new(encoded, holes)
}

/// An answer that takes time.
pub(super) fn later<M: Message>(head: Head, work: impl Future<Output = M> + Send + 'static) -> Answer {
    Answer::Later(Box::pin(async move { encode(head, &work.await) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_api_is_served_in_all_versions_of_kafka_4_4() {
        assert!(ROUTES.is_sorted_by_key(|route| route.key));
        for route in ROUTES {
            let api = route.key.api().unwrap();
            assert_eq!(route.versions, api.version_min..=api.version_max, "{}", route.key);
            assert!(api.broker);
        }
    }

    #[test]
    fn telemetry_is_not_served_since_clients_push_where_it_is_listed() {
        assert!(find(ApiKey(71)).is_none() && find(ApiKey(72)).is_none());
    }
}
