//! What clients check first: versions, ids, and what happens to frames that are no request.

use crate::door_kit::{Client, broker};
use logboom::doors::kafka::ROUTES;
use logboom::types::ErrorCode;
use logboom::wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use logboom::wire::messages::describe_cluster::DescribeClusterRequest;
use logboom::wire::messages::find_coordinator::FindCoordinatorRequest;
use logboom::wire::messages::init_producer_id::InitProducerIdRequest;
use logboom::wire::messages::list_config_resources::ListConfigResourcesRequest;
use logboom::wire::messages::metadata::MetadataRequest;
use logboom::wire::{ApiKey, Str, from_bytes};

fn versions_request() -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: Str::from("test"),
        client_software_version: Str::from("1.0"),
        node_id: -1,
        ..Default::default()
    }
}

#[tokio::test]
async fn what_is_served_is_listed_and_nothing_else() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    for version in 0..=5 {
        let response = client.call(&versions_request(), version).await;
        assert_eq!(response.error_code, ErrorCode::NONE);
        let listed: Vec<(i16, i16)> =
            response.api_keys.iter().map(|entry| (entry.api_key, entry.max_version)).collect();
        let served: Vec<(i16, i16)> =
            ROUTES.iter().map(|route| (route.key.0, *route.versions.end())).collect();
        assert_eq!(listed, served);
        // Clients push telemetry where 71 and 72 are listed, and use transactions v2 where the feature is final.
        assert!(!listed.iter().any(|(key, _)| *key == 71 || *key == 72));
        let features: Vec<_> = response.finalized_features.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(features, if version >= 3 { &["group.version"][..] } else { &[] });
        // Version 6 (two-phase commit) is unstable in Kafka 4.4.
        assert!(listed.contains(&(ApiKey::INIT_PRODUCER_ID.0, 5)));
    }
}

#[tokio::test]
async fn produce_is_listed_from_version_0_on() {
    // librdkafka takes a broker that lists Produce from 3 on for one it cannot speak to (KAFKA-18659).
    let broker = broker(&[]).await;
    let response = broker.client().await.call(&versions_request(), 3).await;
    let produce = response.api_keys.iter().find(|entry| entry.api_key == ApiKey::PRODUCE.0).unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 13));
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let broker = broker(&[]).await;
    for version in [6i16, 99, i16::MAX, -1] {
        let mut client = broker.client().await;
        let mut frame = vec![0, 18];
        frame.extend(version.to_be_bytes());
        frame.extend(7i32.to_be_bytes());
        // Whatever follows is of a shape we do not know.
        frame.extend([0xff; 9]);
        client.send_raw(&(frame.len() as i32).to_be_bytes()).await;
        client.send_raw(&frame).await;
        let answer = client.receive_raw().await.unwrap();
        assert_eq!(&answer[..4], 7i32.to_be_bytes());
        let response: ApiVersionsResponse = from_bytes(answer.slice(4..), 0).unwrap();
        assert_eq!(response.error_code, ErrorCode::UNSUPPORTED_VERSION);
        let listed: Vec<_> = response
            .api_keys
            .iter()
            .map(|entry| (entry.api_key, entry.min_version, entry.max_version))
            .collect();
        assert_eq!(listed, [(18, 0, 5)]);
        // The connection goes on.
        assert_eq!(client.call(&versions_request(), 0).await.error_code, ErrorCode::NONE);
    }
}

#[tokio::test]
async fn a_client_of_another_cluster_is_told_to_start_anew() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    let here = client.call(&DescribeClusterRequest { endpoint_type: 1, ..Default::default() }, 2).await;
    let mut ask = async |cluster: Option<Str>, node_id| {
        let request = ApiVersionsRequest { cluster_id: cluster, node_id, ..versions_request() };
        client.call(&request, 5).await.error_code
    };
    let (cluster, node) = (here.cluster_id.clone(), here.controller_id);
    assert_eq!(ask(Some(cluster.clone()), node).await, ErrorCode::NONE);
    assert_eq!(ask(Some(Str::from("another")), node).await, ErrorCode::REBOOTSTRAP_REQUIRED);
    assert_eq!(ask(Some(cluster.clone()), node + 1).await, ErrorCode::REBOOTSTRAP_REQUIRED);
    assert_eq!(ask(Some(cluster), -1).await, ErrorCode::INVALID_REQUEST);
    assert_eq!(ask(None, node).await, ErrorCode::INVALID_REQUEST);
}

#[tokio::test]
async fn software_names_are_checked() {
    let broker = broker(&[]).await;
    let request = ApiVersionsRequest { client_software_name: Str::from("-a b"), ..versions_request() };
    let response = broker.client().await.call(&request, 3).await;
    assert_eq!(response.error_code, ErrorCode::INVALID_REQUEST);
}

/// A frame with this header and these bytes after it.
fn frame(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(1i32.to_be_bytes());
    frame.extend([0, 1, b'c']);
    frame.extend(body);
    let mut whole = (frame.len() as i32).to_be_bytes().to_vec();
    whole.extend(frame);
    whole
}

#[tokio::test]
async fn what_is_no_request_closes_its_connection_and_no_other() {
    let broker = broker(&[]).await;
    let mut other = broker.client().await;
    for (bytes, what) in [
        (frame(9999, 0, &[]), "an unknown api"),
        (frame(-1, 0, &[]), "a negative api"),
        (frame(4, 0, &[0; 8]), "an api of old"),
        (frame(62, 0, &[0; 8]), "an api of controllers"),
        (frame(11, 0, &[0; 8]), "an api that is not served yet"),
        (frame(3, 14, &[0; 8]), "a version above the last"),
        (frame(0, 2, &[0; 8]), "a version below the first"),
        (frame(22, 6, &[0; 8]), "an unstable version"),
        (frame(3, 1, &[]), "a request without a body"),
        (frame(1, 12, &[0xff; 30]), "rubbish"),
        (vec![0, 0, 0, 3, 0, 3, 0], "a header cut short"),
        (vec![0, 0, 0, 0], "a frame of no bytes"),
        (vec![0xff, 0xff, 0xff, 0xff], "a negative length"),
        (vec![0x7f, 0xff, 0xff, 0xff], "a huge length"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "another protocol"),
    ] {
        let mut client = broker.client().await;
        client.send_raw(&bytes).await;
        assert!(client.receive_raw().await.is_none(), "{what}");
    }
    assert_eq!(other.call(&versions_request(), 0).await.error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn bytes_after_a_request_are_passed_over() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.send_raw(&frame(3, 1, &[0, 0, 0, 0, 9, 9, 9])).await;
    assert_eq!(client.receive::<MetadataRequest>(1).await.1.brokers.len(), 1);
}

#[tokio::test]
async fn clients_are_told_the_address_they_came_by_or_the_one_that_is_set() {
    let auto = broker(&[]).await;
    let set = broker(&[("advertised.listeners", "PLAINTEXT://broker.example:19092")]).await;
    let told = async |client: &mut Client| {
        let broker = client.metadata("nothing").await.brokers[0].clone();
        (broker.host.to_string(), broker.port)
    };
    let port = i32::from(auto.server.local_addr().port());
    assert_eq!(told(&mut auto.client().await).await, ("127.0.0.1".to_owned(), port));
    assert_eq!(told(&mut set.client().await).await, ("broker.example".to_owned(), 19092));
}

#[tokio::test]
async fn a_transactional_producer_fails_at_once() {
    // COORDINATOR_NOT_AVAILABLE would have it wait until its time is over.
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    let find = |key_type| FindCoordinatorRequest {
        key_type,
        coordinator_keys: vec![Str::from("id")],
        ..Default::default()
    };
    let found = client.call(&find(1), 6).await;
    assert_eq!(found.coordinators[0].error_code, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let init = InitProducerIdRequest {
        transactional_id: Some(Str::from("id")),
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let response = client.call(&init, 5).await;
    assert_eq!(response.error_code, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let group = client.call(&find(0), 6).await;
    assert_eq!(group.coordinators[0].error_code, ErrorCode::NONE);
    assert_eq!(group.coordinators[0].port, i32::from(broker.server.local_addr().port()));
}

#[tokio::test]
async fn resources_with_settings_are_listed_by_type() {
    let broker = broker(&[]).await;
    let mut client = broker.client().await;
    client.create("orders", 1, &[]).await;
    let mut list = async |types: &[i8], version| {
        let request = ListConfigResourcesRequest { resource_types: types.to_vec() };
        let response = client.call(&request, version).await;
        let names: Vec<_> = response
            .config_resources
            .iter()
            .map(|one| (one.resource_type, one.resource_name.to_string()))
            .collect();
        (response.error_code, names)
    };
    assert_eq!(list(&[2], 1).await, (ErrorCode::NONE, vec![(2, "orders".to_owned())]));
    assert_eq!(list(&[], 0).await, (ErrorCode::NONE, vec![]));
    assert_eq!(list(&[99], 1).await.0, ErrorCode::UNSUPPORTED_VERSION);
}
