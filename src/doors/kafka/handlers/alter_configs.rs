//! AlterConfigs, 0-2: replaces all settings of a resource; what is not named is forgotten. Old clients only.

use super::describe_configs::{resource_ref, unknown_type};
use super::*;
use crate::engine::{AlterConfigs, ConfigChange, ConfigOp, Engine};
use crate::wire::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use std::collections::BTreeMap;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = AlterConfigsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=2;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: AlterConfigsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let all = &request.resources;
            let mut responses = Vec::with_capacity(all.len());
            let mut times: BTreeMap<(i8, Str), u32> = BTreeMap::new();
            for resource in all {
                *times.entry((resource.resource_type, resource.resource_name.clone())).or_default() += 1;
            }
            for resource in all {
                let key = (resource.resource_type, resource.resource_name.clone());
                let outcome = match times.get(&key).copied().unwrap_or(1) {
                    1 => replace(&engine, resource, request.validate_only).await,
                    _ => Err(Refusal::new(
                        ErrorCode::INVALID_REQUEST,
                        "Each resource must appear at most once.",
                    )),
                };
                let (error_code, error_message) = told(&outcome);
                responses.push(AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name.clone(),
                });
            }
            AlterConfigsResponse { responses, ..Default::default() }
        }))
    }
}

async fn replace(
    engine: &Engine,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    let found = resource_ref(resource.resource_type, &resource.resource_name)
        .ok_or_else(|| unknown_type(resource.resource_type))?;
    let change = |config: &crate::wire::messages::alter_configs::AlterableConfig| ConfigChange {
        key: config.name.to_string(),
        op: ConfigOp::Set(config.value.as_ref().map(|value| value.to_string())),
    };
    let changes = resource.configs.iter().map(change).collect();
    engine.alter_configs(&AlterConfigs { resource: found, changes, replace: true }, validate_only).await
}
