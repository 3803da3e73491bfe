//! DescribeConfigs, 1-4: settings with who set them; 3: a sentence about each and its type.

use super::*;
use crate::engine::{Described, Engine, ResourceRef, Synonym};
use crate::wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym,
};
use std::collections::BTreeSet;

pub(in crate::doors::kafka) struct Handler;

impl dispatch::Handler for Handler {
    type Request = DescribeConfigsRequest;
    const VERSIONS: RangeInclusive<i16> = 1..=4;
    const LONG_ANSWER: bool = true;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DescribeConfigsRequest = decode(head, body)?;
        let engine = Arc::clone(&cx.door.engine);
        Ok(later(head, async move {
            let results =
                request.resources.iter().map(|resource| describe(&engine, resource, &request)).collect();
            DescribeConfigsResponse { results, ..Default::default() }
        }))
    }
}

/// A resource by the number of its type; `None` for types that are not served.
pub(super) fn resource_ref(resource_type: i8, name: &Str) -> Option<ResourceRef> {
    let name = name.to_string();
    match resource_type {
        2 => Some(ResourceRef::Topic(name)),
        4 => Some(ResourceRef::Broker(name)),
        8 => Some(ResourceRef::BrokerLogger(name)),
        32 => Some(ResourceRef::Group(name)),
        _ => None,
    }
}

/// The refusal of a type that is not served.
pub(super) fn unknown_type(resource_type: i8) -> Refusal {
    Refusal::new(ErrorCode::INVALID_REQUEST, format!("Unsupported resource type: {resource_type}"))
}

fn describe(
    engine: &Engine,
    resource: &DescribeConfigsResource,
    request: &DescribeConfigsRequest,
) -> DescribeConfigsResult {
    // An empty list of keys means all of them, as null does.
    let keys = resource.configuration_keys.as_ref().filter(|keys| !keys.is_empty());
    let keys: Option<Vec<String>> = keys.map(|keys| keys.iter().map(|key| key.to_string()).collect());
    let outcome = match resource_ref(resource.resource_type, &resource.resource_name) {
        Some(found) => engine.describe_configs(&found, keys.as_deref()),
        None => Err(unknown_type(resource.resource_type)),
    };
    let (error_code, error_message) = told(&outcome);
    let configs = outcome.unwrap_or_default().into_iter().map(|one| config(one, request)).collect();
    DescribeConfigsResult {
        error_code,
        error_message,
        resource_type: resource.resource_type,
        resource_name: resource.resource_name.clone(),
        configs,
    }
}

fn config(one: Described, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let synonym = |said: Synonym| DescribeConfigsSynonym {
        name: Str::from(said.name),
        value: said.value.map(Str::from),
        source: said.source as i8,
    };
    DescribeConfigsResourceResult {
        name: Str::from(one.name),
        value: one.value.map(Str::from),
        read_only: one.read_only,
        config_source: one.source as i8,
        is_sensitive: one.sensitive,
        synonyms: match request.include_synonyms {
            true => one.synonyms.into_iter().map(synonym).collect(),
            false => Vec::new(),
        },
        config_type: one.kind,
        documentation: request.include_documentation.then(|| Str::from_static(one.doc)),
    }
}

/// Type and name of the resources that a request names more than once, each of which is refused.
pub(super) fn repeated<'a>(resources: impl Iterator<Item = (i8, &'a Str)>) -> BTreeSet<(i8, &'a Str)> {
    let mut seen = BTreeSet::new();
    resources.filter(|resource| !seen.insert(*resource)).collect()
}

/// What a resource that is named more than once is told.
pub(super) fn named_twice() -> Refusal {
    Refusal::new(ErrorCode::INVALID_REQUEST, "Each resource must appear at most once.")
}
