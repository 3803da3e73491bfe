//! A broker that leaves out work must not get a figure: the scenarios against the floor, and against brokers that lie.

use bytes::Bytes;
use logboom::types::ErrorCode;
use logboom::wire::frame::{decode_request_header, encode_response};
use logboom::wire::messages::create_topics::{CreatableTopicResult, CreateTopicsResponse};
use logboom::wire::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use logboom::wire::messages::metadata::{MetadataResponse, MetadataResponseBroker};
use logboom::wire::messages::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use logboom::wire::{ApiKey, Message, Reader};
use logboom_peers::floor::{self, Sync};
use logboom_peers::peer::{Install, Spec};
use logboom_peers::sample::Sample;
use logboom_peers::scenario::{How, SCENARIOS, Settings};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn settings() -> Settings {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned();
    Settings {
        warm: Duration::from_millis(50),
        window: Duration::from_millis(200),
        heat: Duration::ZERO,
        settle: false,
        bytes_max: 64 << 20,
        fill: 4 << 20,
        partitions: 10,
        connections: 50,
        install: Install { logboom: PathBuf::new(), kafka: None, work },
    }
}

/// One scenario with what listens there.
fn ask(scenario: &str, address: SocketAddr) -> anyhow::Result<Sample> {
    let settings = settings();
    let peer = Spec::also(&format!("it={address},{}", std::process::id()))?.start(&settings.install, "")?;
    let found = SCENARIOS.iter().find(|known| known.name == scenario).expect(scenario);
    match found.how {
        How::Running(ask) | How::BesideDisk(ask) => ask(&settings, &peer),
        How::Fresh(_) => panic!("{scenario} starts its own broker"),
    }
}

fn floor(name: &str, sync: Sync, together: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::thread::spawn(move || floor::serve_on(&listener, &data, sync, together));
    address
}

#[test]
fn each_scenario_gets_its_figures_from_a_floor() {
    let address = floor("figures", Sync::None, false);
    for scenario in
        ["produce", "small", "lz4", "zstd", "fetch", "fetch16", "end-to-end", "rates", "active", "idle"]
    {
        let sample = ask(scenario, address).unwrap();
        assert!(!sample.is_empty(), "{scenario}");
        assert!(sample.values().all(|value| value.is_finite()), "{scenario}: {sample:?}");
    }
}

#[test]
fn every_rule_of_syncing_acknowledges_what_it_wrote() {
    for (name, sync, together) in
        [("round", Sync::Round, true), ("each", Sync::Each, false), ("together", Sync::None, true)]
    {
        let address = floor(name, sync, together);
        for scenario in ["produce", "small"] {
            let sample = ask(scenario, address).unwrap();
            assert!(sample["requests/s"] > 0.0, "{name} {scenario}");
        }
    }
}

#[test]
fn a_broker_that_acknowledges_what_it_has_not_ends_the_run() {
    let address = liar(ErrorCode::NONE);
    let error = format!("{:#}", ask("produce", address).unwrap_err());
    assert!(error.contains("acknowledged") && error.contains("has 0"), "{error}");
}

#[test]
fn a_broker_that_refuses_a_batch_ends_the_run() {
    let address = liar(ErrorCode::NOT_LEADER_OR_FOLLOWER);
    let error = format!("{:#}", ask("small", address).unwrap_err());
    assert!(error.contains("refused: NOT_LEADER_OR_FOLLOWER"), "{error}");
}

/// Stores nothing, and answers each batch with this code.
fn liar(code: ErrorCode) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            // The client goes away in the midst of it.
            std::thread::spawn(move || lie(socket, code));
        }
    });
    address
}

fn lie(mut socket: TcpStream, code: ErrorCode) -> anyhow::Result<()> {
    loop {
        let mut length = [0; 4];
        socket.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        socket.read_exact(&mut frame)?;
        let mut r = Reader::new(Bytes::from(frame));
        let header = decode_request_header(&mut r)?;
        let (key, version) = (ApiKey(header.request_api_key), header.request_api_version);
        let response: Box<dyn Message> = match key {
            ApiKey::METADATA => Box::new(MetadataResponse {
                brokers: vec![MetadataResponseBroker::default()],
                controller_id: 0,
                ..MetadataResponse::default()
            }),
            ApiKey::CREATE_TOPICS => Box::new(CreateTopicsResponse {
                topics: vec![CreatableTopicResult::default()],
                ..CreateTopicsResponse::default()
            }),
            ApiKey::PRODUCE => Box::new(produced(&ProduceRequest::decode(&mut r, version)?, code)),
            _ => Box::new(ends(&ListOffsetsRequest::decode(&mut r, version)?)),
        };
        let answer = encode_response(key, version, header.correlation_id, response.as_ref())?;
        socket.write_all(&answer.to_bytes()?)?;
    }
}

fn produced(request: &ProduceRequest, code: ErrorCode) -> ProduceResponse {
    let partition = PartitionProduceResponse {
        index: request.topic_data[0].partition_data[0].index,
        error_code: code,
        ..PartitionProduceResponse::default()
    };
    let topic =
        TopicProduceResponse { partition_responses: vec![partition], ..TopicProduceResponse::default() };
    ProduceResponse { responses: vec![topic], ..ProduceResponse::default() }
}

fn ends(request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let partitions = request.topics[0].partitions.iter().map(|asked| ListOffsetsPartitionResponse {
        partition_index: asked.partition_index,
        offset: 0,
        ..ListOffsetsPartitionResponse::default()
    });
    let topic =
        ListOffsetsTopicResponse { name: request.topics[0].name.clone(), partitions: partitions.collect() };
    ListOffsetsResponse { topics: vec![topic], ..ListOffsetsResponse::default() }
}
