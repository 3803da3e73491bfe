//! ApiVersions, 0-5: what is served. The first request of every client; its answer has header version 0 always.
//!
//! - unknown version: answered in version 0 with our own range and UNSUPPORTED_VERSION (KIP-511)
//! - 3: client software, checked; features. Of the finalized ones only that of groups is told: with the one of
//!   transactions clients would switch to what is not served.
//! - 5: cluster and node that the client believes to talk to; REBOOTSTRAP_REQUIRED if they are others (KIP-1242)

use super::*;
use crate::doors::kafka::dispatch::ROUTES;
use crate::wire::ApiKey;
use crate::wire::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = ApiVersionsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=5;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: ApiVersionsRequest = decode(head, body)?;
        let response = match refusal(cx, &request, head.version) {
            ErrorCode::NONE => served(cx),
            error_code => ApiVersionsResponse { error_code, ..Default::default() },
        };
        Ok(Answer::Now(encode(head, &response)?))
    }
}

fn refusal(cx: &ConnCx, request: &ApiVersionsRequest, version: i16) -> ErrorCode {
    let software = [&request.client_software_name, &request.client_software_version];
    if version >= 3 && !software.iter().all(|text| is_software(text)) {
        return ErrorCode::INVALID_REQUEST;
    }
    let engine = &cx.door.engine;
    match (&request.cluster_id, request.node_id) {
        (None, -1) => ErrorCode::NONE,
        (Some(cluster), node) if node != -1 => {
            let here = **cluster == *engine.cluster_id().to_string() && node == engine.settings().node_id;
            if here { ErrorCode::NONE } else { ErrorCode::REBOOTSTRAP_REQUIRED }
        }
        // One without the other says nothing.
        _ => ErrorCode::INVALID_REQUEST,
    }
}

/// Letters, digits, dots and hyphens, with a letter or digit at both ends (KIP-511).
fn is_software(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    ends(text.bytes().next())
        && ends(text.bytes().next_back())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

/// The feature by which tools see that groups may use the consumer protocol (KIP-848), and its level.
const GROUP_VERSION: (&str, i16) = ("group.version", 1);

fn served(cx: &ConnCx) -> ApiVersionsResponse {
    let entry = |route: &dispatch::Route| ApiVersion {
        api_key: route.key.0,
        // librdkafka takes a broker for too new if Produce does not begin at 0 (KAFKA-18659).
        min_version: if route.key == ApiKey::PRODUCE { 0 } else { *route.versions.start() },
        max_version: *route.versions.end(),
    };
    let (name, level) = GROUP_VERSION;
    let name = Str::from_static(name);
    ApiVersionsResponse {
        api_keys: ROUTES.iter().map(entry).collect(),
        supported_features: vec![SupportedFeatureKey {
            name: name.clone(),
            min_version: 0,
            max_version: level,
        }],
        finalized_features_epoch: i64::from(cx.door.engine.epoch().0),
        finalized_features: vec![FinalizedFeatureKey {
            name,
            max_version_level: level,
            min_version_level: level,
        }],
        ..Default::default()
    }
}

/// The answer to a version that is not served.
pub(in crate::doors::kafka) fn unsupported(head: Head) -> Result<Frame, Close> {
    let versions = <Handler as dispatch::Handler>::VERSIONS;
    let own =
        ApiVersion { api_key: head.key.0, min_version: *versions.start(), max_version: *versions.end() };
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: vec![own],
        ..Default::default()
    };
    encode(Head { version: 0, ..head }, &response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_software_begin_and_end_with_a_letter_or_digit() {
        for good in ["a", "apache-kafka-java", "4.4.0", "librdkafka2"] {
            assert!(is_software(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "a_b", "\u{e4}"] {
            assert!(!is_software(bad), "{bad}");
        }
    }
}
