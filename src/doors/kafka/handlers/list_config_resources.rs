//! ListConfigResources, 0-1: what has settings. 0 lists client metrics only, of which there are none; 1 lists by type.

use super::*;
use crate::wire::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};

pub(in crate::doors::kafka) struct Handler;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

impl dispatch::Handler for Handler {
    type Request = ListConfigResourcesRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=1;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: ListConfigResourcesRequest = decode(head, body)?;
        let types = match (head.version, request.resource_types.as_slice()) {
            (0, _) => vec![CLIENT_METRICS],
            (_, []) => vec![TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP],
            (_, types) => types.to_vec(),
        };
        let known = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];
        let response = match types.iter().all(|kind| known.contains(kind)) {
            true => ListConfigResourcesResponse { config_resources: list(cx, &types), ..Default::default() },
            false => ListConfigResourcesResponse {
                error_code: ErrorCode::UNSUPPORTED_VERSION,
                ..Default::default()
            },
        };
        Ok(Answer::Now(encode(head, &response)?))
    }
}

fn list(cx: &ConnCx, types: &[i8]) -> Vec<ConfigResource> {
    let image = cx.door.engine.image();
    let node = cx.door.engine.settings().node_id.to_string();
    let mut resources = Vec::new();
    let mut add = |resource_type, name: &str| {
        resources.push(ConfigResource { resource_name: Str::from(name), resource_type });
    };
    for kind in types {
        match *kind {
            TOPIC => image.topics().for_each(|topic| add(TOPIC, &topic.name)),
            BROKER | BROKER_LOGGER => add(*kind, &node),
            GROUP => image.groups_with_configs().for_each(|(group, _)| add(GROUP, group)),
            _ => {}
        }
    }
    resources
}
