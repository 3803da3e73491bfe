//! What a producer feels of compaction: one that sends a record at fixed times, each acknowledged from disk, while a
//! compacted topic beside it is cleaned and while nothing is. Open loop: a latency counts from when the record was due.
//! Both halves of a round run one after the other on the same broker; the order changes from round to round.
//!
//! `cargo bench --bench clean_beside`; `LOGBOOM_BESIDE_ROUNDS`, `_MIB` (of the topic that is cleaned) and `_RATE`
//! (records a second) change what is done, `LOGBOOM_BESIDE_SET=key=value,...` the broker. `TMPDIR` chooses the disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

use bytes::Bytes;
use logboom::config::{BrokerSettings, Fixed, Layers, Where};
use logboom::record::BatchBuilder;
use logboom::server::{Parts, Server};
use logboom::sys::{Clock, Conn, Fs, Net, RealClock, RealFs, RealNet, RealRng, SeededRng};
use logboom::types::{ErrorCode, MonoNs, TimestampMs};
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use logboom::wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use logboom::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use logboom::wire::{Records, Request, Str};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

/// For how long it is measured without a cleaning.
const IDLE: Duration = Duration::from_secs(6);

/// Between filling, measuring and cleaning: what was written settles.
const REST: Duration = Duration::from_secs(2);

/// A cleaning that is due begins long before this is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a batch of the topic that is cleaned, and how many are on their way at once.
const FILL_BATCH: usize = 256 << 10;
const FILL_IN_FLIGHT: usize = 8;

fn main() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (rounds, mib) = (number("LOGBOOM_BESIDE_ROUNDS", 3), number("LOGBOOM_BESIDE_MIB", 1024));
    let rate = number("LOGBOOM_BESIDE_RATE", 500);
    let root = std::env::temp_dir().join(format!("logboom-beside-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let extra = std::env::var("LOGBOOM_BESIDE_SET").unwrap_or_default();
        let stand = Stand::start(&root.display().to_string(), &extra).await;
        println!("{rate} records of 1 KiB a second; {mib} MiB are cleaned, {rounds} rounds; {extra}");
        let mut ratios = Vec::new();
        for round in 0..rounds {
            ratios.push(stand.round(round, mib << 20, rate).await);
        }
        ratios.sort_by(f64::total_cmp);
        println!("p99 beside a cleaning over p99 without: median {:.2}", ratios[ratios.len() / 2]);
        stand.server.stop().await;
    });
    RealFs.remove_dir_all(&root).unwrap();
}

/// A broker to measure.
struct Stand {
    server: Server,
    clock: RealClock,
}

impl Stand {
    async fn start(root: &str, extra: &str) -> Stand {
        let base = [
            ("listeners", "PLAINTEXT://127.0.0.1:0"),
            ("log.dirs", root),
            ("log.cleaner.backoff.ms", "10"),
            ("log.segment.bytes", "67108864"),
            ("log.cleaner.min.cleanable.ratio", "0.01"),
        ];
        let extra = extra.split(',').filter_map(|part| part.split_once('='));
        let fixed = base.into_iter().chain(extra).map(|(key, value)| {
            (key.to_string(), Fixed { value: value.to_string(), from: Where::Flag("--set") })
        });
        let layers = Layers { fixed: fixed.collect(), ..Layers::default() };
        let parts = Parts {
            fs: Arc::new(RealFs),
            clock: Arc::new(RealClock::new()),
            rng: Arc::new(RealRng),
            net: Arc::new(RealNet),
        };
        let server =
            Server::start(Arc::new(BrokerSettings::from_layers(layers).unwrap()), parts).await.unwrap();
        let stand = Stand { server, clock: RealClock::new() };
        stand.create("steady", "delete").await;
        stand
    }

    async fn client(&self) -> Client {
        let conn = RealNet.connect(&self.server.local_addr().to_string()).await.unwrap();
        let (read, write) = tokio::io::split(conn);
        Client { read, write }
    }

    async fn create(&self, topic: &str, policy: &str) {
        let policy =
            CreatableTopicConfig { name: Str::from("cleanup.policy"), value: Some(Str::from(policy)) };
        let topic = CreatableTopic {
            name: Str::from(topic),
            num_partitions: 1,
            replication_factor: -1,
            configs: vec![policy],
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, ..Default::default() };
        let created = self.client().await.call(&request, 7).await;
        assert_eq!(created.topics[0].error_code, ErrorCode::NONE);
    }

    async fn compact(&self, topic: &str) {
        let config = AlterableConfig {
            name: Str::from("cleanup.policy"),
            config_operation: 0,
            value: Some(Str::from("compact")),
        };
        let resource =
            AlterConfigsResource { resource_type: 2, resource_name: Str::from(topic), configs: vec![config] };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        let altered = self.client().await.call(&request, 1).await;
        assert_eq!(altered.responses[0].error_code, ErrorCode::NONE);
    }

    /// One round; the ratio of the two p99.
    async fn round(&self, round: u64, bytes: u64, rate: u64) -> f64 {
        let topic = format!("kept-{round}");
        self.create(&topic, "delete").await;
        self.fill(&topic, bytes, round).await;
        let mut idle = None;
        if round.is_multiple_of(2) {
            idle = Some(self.idle(rate).await);
        }
        let busy = self.beside(&topic, rate).await;
        let idle = match idle {
            Some(idle) => idle,
            None => self.idle(rate).await,
        };
        let ratio = busy.at(0.99) / idle.at(0.99);
        println!("  without {idle}\n  beside  {busy}, p99 x{ratio:.2}");
        ratio
    }

    async fn idle(&self, rate: u64) -> Latencies {
        self.clock.sleep(REST).await;
        let end = self.clock.mono().after(IDLE);
        self.measure(rate, || self.clock.mono() >= end).await
    }

    async fn beside(&self, topic: &str, rate: u64) -> Latencies {
        self.clock.sleep(REST).await;
        let stats = || self.server.engine().cleaner_stats();
        let before = stats();
        self.compact(topic).await;
        let late = self.clock.mono().after(PATIENCE);
        while stats().under_way == 0 {
            assert!(self.clock.mono() < late, "nothing is cleaned: {:?}", stats());
            self.clock.sleep(Duration::from_millis(1)).await;
        }
        let begun = self.clock.mono();
        let latencies = self.measure(rate, || stats().runs > before.runs).await;
        let seconds = self.clock.mono().since(begun).as_secs_f64();
        let after = stats();
        assert_eq!(after.failures, 0);
        let moved = |now: u64, then: u64| (now - then) as f64 / f64::from(1 << 20) / seconds;
        println!(
            "{topic}: cleaned in {seconds:.1} s, reading {:.0} and writing {:.0} MiB/s",
            moved(after.bytes_read, before.bytes_read),
            moved(after.bytes_written, before.bytes_written)
        );
        latencies
    }

    /// Sends a record whenever one is due, whatever has been answered.
    async fn measure(&self, rate: u64, is_over: impl Fn() -> bool) -> Latencies {
        let Client { mut read, mut write } = self.client().await;
        let (sent, mut due) = mpsc::unbounded_channel::<MonoNs>();
        let begun = self.clock.mono();
        let send = async move {
            let batch = batch(1, |_| 7, 1000);
            for nth in 0u32.. {
                let at = begun.after(Duration::from_secs_f64(f64::from(nth) / rate as f64));
                self.clock.sleep_until(at).await;
                if is_over() {
                    return;
                }
                send(&mut write, &produce("steady", batch.clone()), 9).await;
                sent.send(at).unwrap();
            }
        };
        let receive = async {
            let mut all = Vec::new();
            while let Some(at) = due.recv().await {
                let answer = receive::<ProduceRequest>(&mut read, 9).await;
                assert_eq!(answer.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
                all.push(self.clock.mono().since(at).as_secs_f64() * 1000.0);
            }
            all
        };
        let ((), mut all) = tokio::join!(send, receive);
        all.sort_by(f64::total_cmp);
        Latencies(all)
    }

    /// Records of 400 bytes with keys of which each comes about twice.
    async fn fill(&self, topic: &str, bytes: u64, seed: u64) {
        let Client { mut read, mut write } = self.client().await;
        let (rng, keys) = (SeededRng::new(seed), bytes / 400 / 2);
        let (turn, mut turns) = mpsc::channel::<()>(FILL_IN_FLIGHT);
        let batches = bytes / FILL_BATCH as u64;
        let send = async move {
            for _ in 0..batches {
                let batch = batch(FILL_BATCH / 430, |_| rng.below(keys), 390);
                turn.send(()).await.unwrap();
                send(&mut write, &produce(topic, batch), 9).await;
            }
        };
        let receive = async {
            for _ in 0..batches {
                let answer = receive::<ProduceRequest>(&mut read, 9).await;
                assert_eq!(answer.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
                turns.recv().await.unwrap();
            }
        };
        tokio::join!(send, receive);
    }
}

/// Latencies in milliseconds, ascending.
struct Latencies(Vec<f64>);

impl Latencies {
    fn at(&self, part: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * part) as usize]
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1.0].map(|part| self.at(part));
        let count = self.0.len();
        write!(f, "{count} records, ms: p50 {p50:.2}, p90 {p90:.2}, p99 {p99:.2}, max {most:.2}")
    }
}

struct Client {
    read: ReadHalf<Box<dyn Conn>>,
    write: WriteHalf<Box<dyn Conn>>,
}

impl Client {
    async fn call<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        send(&mut self.write, request, version).await;
        receive::<R>(&mut self.read, version).await
    }
}

async fn send<R: Request>(write: &mut WriteHalf<Box<dyn Conn>>, request: &R, version: i16) {
    let frame = encode_request(request, version, 1, Some("bench")).unwrap().to_bytes().unwrap();
    write.write_all(&frame).await.unwrap();
}

async fn receive<R: Request>(read: &mut ReadHalf<Box<dyn Conn>>, version: i16) -> R::Response {
    let len = read.read_i32().await.unwrap();
    let mut frame = vec![0; usize::try_from(len).unwrap()];
    read.read_exact(&mut frame).await.unwrap();
    decode_response::<R>(frame.into(), version).unwrap().1
}

fn batch(records: usize, key: impl Fn(usize) -> u64, value_bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new();
    let value = vec![b'v'; value_bytes];
    for nth in 0..records {
        let key = format!("key-{:016}", key(nth));
        builder.push(TimestampMs(1_700_000_000_000), Some(key.as_bytes()), Some(&value), &[]);
    }
    builder.build().freeze()
}

fn produce(topic: &str, records: Bytes) -> ProduceRequest {
    let partition = PartitionProduceData { index: 0, records: Some(Records::Bytes(records)) };
    ProduceRequest {
        acks: -1,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: Str::from(topic),
            partition_data: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}
