//! IncrementalAlterConfigs, 0-1: sets, deletes, appends to and subtracts from single settings (KIP-339).

use super::describe_configs::{named_twice, repeated, resource_ref, unknown_type};
use super::*;
use crate::engine::{AlterConfigs, ConfigChange, ConfigOp, Engine};
use crate::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = IncrementalAlterConfigsRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=1;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: IncrementalAlterConfigsRequest = decode(head, body)?;
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
                    alter(&engine, resource, request.validate_only).await
                };
                let (error_code, error_message) = told(&outcome);
                responses.push(AlterConfigsResourceResponse {
                    error_code,
                    error_message,
                    resource_type: resource.resource_type,
                    resource_name: resource.resource_name.clone(),
                });
            }
            IncrementalAlterConfigsResponse { responses, ..Default::default() }
        }))
    }
}

async fn alter(engine: &Engine, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refusal> {
    let found = resource_ref(resource.resource_type, &resource.resource_name)
        .ok_or_else(|| unknown_type(resource.resource_type))?;
    let changes = resource.configs.iter().map(change).collect();
    engine.alter_configs(&AlterConfigs { resource: found, changes, replace: false }, validate_only).await
}

fn change(config: &AlterableConfig) -> ConfigChange {
    let value = config.value.as_ref().map(|value| value.to_string());
    let op = match config.config_operation {
        0 => ConfigOp::Set(value),
        1 => ConfigOp::Delete,
        2 => ConfigOp::Append(value),
        3 => ConfigOp::Subtract(value),
        other => ConfigOp::Unknown(other),
    };
    ConfigChange { key: config.name.to_string(), op }
}
