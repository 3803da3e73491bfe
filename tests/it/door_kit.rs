//! A broker on a simulated disk behind a real loopback socket, and a client over our own codec that can also say what
//! no client would. It knows no behaviour.

use bytes::Bytes;
use logboom::config::{BrokerSettings, Fixed, Layers, Where};
use logboom::record::{BatchBuilder, split_batches};
use logboom::server::{Parts, Server, StartError};
use logboom::sys::{Clock, Conn, Net, RealClock, RealNet, RealRng, SimFs};
use logboom::types::{ErrorCode, TimestampMs, Uuid};
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, CreateTopicsResponse,
};
use logboom::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logboom::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use logboom::wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use logboom::wire::{Records, Request, Str};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A wait that only a hang reaches.
const PATIENCE: Duration = Duration::from_secs(20);

/// A broker and what it stands on.
pub struct Broker {
    pub server: Server,
    pub fs: SimFs,
}

/// Settings with these on top of what tests need.
pub fn settings(extra: &[(&str, &str)]) -> Arc<BrokerSettings> {
    let base = [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", "/data")];
    let fixed = base.iter().chain(extra).map(|(key, value)| {
        (key.to_string(), Fixed { value: value.to_string(), from: Where::Flag("--set") })
    });
    let layers = Layers { fixed: fixed.collect(), ..Layers::default() };
    Arc::new(BrokerSettings::from_layers(layers).unwrap())
}

/// Starts a broker on this disk.
pub async fn start_on(
    fs: &SimFs,
    clock: Arc<dyn Clock>,
    extra: &[(&str, &str)],
) -> Result<Server, StartError> {
    let parts = Parts { fs: Arc::new(fs.clone()), clock, rng: Arc::new(RealRng), net: Arc::new(RealNet) };
    Server::start(settings(extra), parts).await
}

/// A broker on a fresh disk.
pub async fn broker(extra: &[(&str, &str)]) -> Broker {
    broker_with(Arc::new(RealClock::new()), extra).await
}

/// A broker on a fresh disk that lives by this clock.
pub async fn broker_with(clock: Arc<dyn Clock>, extra: &[(&str, &str)]) -> Broker {
    let fs = SimFs::new(1);
    let server = start_on(&fs, clock, extra).await.unwrap();
    Broker { server, fs }
}

impl Broker {
    pub async fn client(&self) -> Client {
        Client::connect(&self.server).await
    }
}

/// A connection.
pub struct Client {
    conn: Box<dyn Conn>,
    next: i32,
}

impl Client {
    pub async fn connect(server: &Server) -> Client {
        Client { conn: RealNet.connect(&server.local_addr().to_string()).await.unwrap(), next: 0 }
    }

    /// Sends a request and returns its correlation id.
    pub async fn send<R: Request>(&mut self, request: &R, version: i16) -> i32 {
        self.next += 1;
        let frame = encode_request(request, version, self.next, Some("test")).unwrap();
        self.send_raw(&frame.to_bytes().unwrap()).await;
        self.next
    }

    /// Sends these bytes.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.conn.write_all(bytes).await.unwrap();
    }

    /// The next answer, which is one to `R`.
    pub async fn receive<R: Request>(&mut self, version: i16) -> (i32, R::Response) {
        let frame = self.receive_raw().await.expect("an answer and not the end of the connection");
        decode_response::<R>(frame, version).unwrap()
    }

    /// The next frame without its length; `None` if the broker closed the connection.
    pub async fn receive_raw(&mut self) -> Option<Bytes> {
        within(async {
            let len = self.conn.read_i32().await.ok()?;
            let mut frame = vec![0; usize::try_from(len).unwrap()];
            self.conn.read_exact(&mut frame).await.ok()?;
            Some(frame.into())
        })
        .await
    }

    /// Asks and waits for the answer.
    pub async fn call<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        let asked = self.send(request, version).await;
        let (answered, response) = self.receive::<R>(version).await;
        assert_eq!(asked, answered, "answers come in the order of requests");
        response
    }

    /// Makes a topic and returns its id.
    pub async fn create(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Uuid {
        let response = self.try_create(name, partitions, configs).await;
        assert_eq!(response.topics[0].error_code, ErrorCode::NONE, "{:?}", response.topics[0].error_message);
        response.topics[0].topic_id
    }

    pub async fn try_create(
        &mut self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> CreateTopicsResponse {
        self.call(&new_topic(name, partitions, configs), 7).await
    }

    /// Produces one batch with acks=all in version 9.
    pub async fn produce(&mut self, topic: &str, records: Bytes) -> PartitionProduceResponse {
        let response: ProduceResponse = self.call(&produce(topic, records, -1), 9).await;
        response.responses[0].partition_responses[0].clone()
    }

    /// The values of all records from `offset` on, and the high watermark.
    pub async fn fetch(&mut self, topic: &str, offset: i64) -> (Vec<String>, i64) {
        let response = self.call(&fetch(topic, offset, 0), 12).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::NONE);
        (values(partition.records.as_ref()), partition.high_watermark)
    }

    /// Metadata of one topic, without making it.
    pub async fn metadata(&mut self, topic: &str) -> logboom::wire::messages::metadata::MetadataResponse {
        let named = MetadataRequestTopic { name: Some(Str::from(topic)), ..Default::default() };
        self.call(
            &MetadataRequest {
                topics: Some(vec![named]),
                allow_auto_topic_creation: false,
                ..Default::default()
            },
            12,
        )
        .await
    }
}

/// Waits, but not for ever.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        done = work => done,
        () = RealClock::new().sleep(PATIENCE) => panic!("nothing happened for {PATIENCE:?}"),
    }
}

/// A batch with these values.
pub fn batch(values: &[&str]) -> Bytes {
    build(BatchBuilder::new(), values)
}

/// These values in a batch that was begun elsewhere.
pub fn build(mut builder: BatchBuilder, values: &[&str]) -> Bytes {
    for value in values {
        builder.push(TimestampMs(1_700_000_000_000), Some(b"k"), Some(value.as_bytes()), &[]);
    }
    builder.build().freeze()
}

pub fn produce(topic: &str, records: Bytes, acks: i16) -> ProduceRequest {
    let partition = PartitionProduceData { index: 0, records: Some(Records::Bytes(records)) };
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: Str::from(topic),
            partition_data: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A fetch of partition 0 without a session that waits up to `wait_ms` for a byte.
pub fn fetch(topic: &str, offset: i64, wait_ms: i32) -> FetchRequest {
    let partition =
        FetchPartition { fetch_offset: offset, partition_max_bytes: 1 << 20, ..Default::default() };
    FetchRequest {
        max_wait_ms: wait_ms,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: Str::from(topic),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub fn new_topic(name: &str, partitions: i32, configs: &[(&str, &str)]) -> CreateTopicsRequest {
    let configs: BTreeMap<_, _> = configs.iter().copied().collect();
    let config = |(name, value): (&str, &str)| CreatableTopicConfig {
        name: Str::from(name),
        value: Some(Str::from(value)),
    };
    CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: Str::from(name),
            num_partitions: partitions,
            replication_factor: -1,
            configs: configs.into_iter().map(config).collect(),
            ..Default::default()
        }],
        timeout_ms: 10_000,
        ..Default::default()
    }
}

/// The values of fetched records.
pub fn values(records: Option<&Records>) -> Vec<String> {
    let Some(Records::Bytes(bytes)) = records else { panic!("records are never null") };
    let batches = split_batches(bytes).map(|batch| batch.unwrap());
    let records = batches.flat_map(|(_, batch)| {
        let read = logboom::record::read_records(&batch, 1 << 20).unwrap();
        read.map(|record| record.unwrap()).collect::<Vec<_>>()
    });
    records.map(|record| String::from_utf8(record.value.unwrap().to_vec()).unwrap()).collect()
}
