//! DescribeCluster, 0-2: the brokers; 1: endpoint types (KIP-919), of which only that of brokers is here; 2: fenced
//! brokers, of which there are none.

use super::*;
use crate::wire::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};

pub(in crate::doors::kafka) struct Handler;

/// Endpoint type of brokers.
const BROKERS: i8 = 1;
/// Endpoint type of controllers.
const CONTROLLERS: i8 = 2;

impl dispatch::Handler for Handler {
    type Request = DescribeClusterRequest;
    const VERSIONS: RangeInclusive<i16> = 0..=2;

    fn start(cx: &ConnCx, head: Head, body: Bytes) -> Result<Answer, BadRequest> {
        let request: DescribeClusterRequest = decode(head, body)?;
        let response = match request.endpoint_type {
            BROKERS => describe(cx, &request),
            CONTROLLERS => refused(
                ErrorCode::MISMATCHED_ENDPOINT_TYPE,
                "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER",
            ),
            _ => refused(ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, "Unsupported endpoint type"),
        };
        Ok(Answer::Now(encode(head, &response)?))
    }
}

fn refused(error_code: ErrorCode, why: &'static str) -> DescribeClusterResponse {
    DescribeClusterResponse { error_code, error_message: Some(Str::from_static(why)), ..Default::default() }
}

fn describe(cx: &ConnCx, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    let engine = &cx.door.engine;
    let settings = engine.settings();
    let (host, port) = cx.reached_at();
    let rack = settings.rack.as_deref().map(Str::from);
    let broker = DescribeClusterBroker { broker_id: settings.node_id, host, port, rack, is_fenced: false };
    DescribeClusterResponse {
        cluster_id: Str::from(engine.cluster_id().to_string()),
        controller_id: settings.node_id,
        brokers: vec![broker],
        cluster_authorized_operations: match request.include_cluster_authorized_operations {
            true => CLUSTER_OPERATIONS,
            false => OPERATIONS_NOT_ASKED,
        },
        error_message: None,
        ..Default::default()
    }
}
