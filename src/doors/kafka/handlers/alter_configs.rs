//! AlterConfigs, 0-2: replaces all settings of a resource; what is not named is forgotten. Old clients only.

use super::describe_configs::{named_twice, repeated, resource_ref, unknown_type};
use super::*;
use crate::engine::{AlterConfigs, ConfigChange, ConfigOp, Engine};
use crate::wire::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};

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
            let repeated =
                repeated(all.iter().map(|resource| (resource.resource_type, &resource.resource_name)));
            for resource in all {
                let outcome = if repeated.contains(&(resource.resource_type, &resource.resource_name)) {
                    Err(named_twice())
                } else {
                    replace(&engine, resource, request.validate_only).await
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
