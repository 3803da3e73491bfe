//! How often the threads that serve connections ask the allocator for memory, for one small request and its answer.
//! A bound that is passed is not an error for clients; it is work on every request that somebody added without
//! meaning to. What is counted: calls of `alloc`, `alloc_zeroed` and `realloc`. What is not: threads that serve no
//! connection, such as those of commit rounds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use logboom::config::{BrokerSettings, Fixed, Layers, Where};
use logboom::record::BatchBuilder;
use logboom::server::{Parts, Server};
use logboom::sys::{Fs as _, Net, RealClock, RealFs, RealNet, RealRng};
use logboom::types::{ErrorCode, TimestampMs, Uuid};
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use logboom::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logboom::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use logboom::wire::{Records, Request, Str};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

/// Requests before counting begins: what is allocated once is there then.
const WARM: usize = 500;

/// Requests counted.
const COUNTED: usize = 2000;

/// Requests under way where they are pipelined.
const PIPELINED: usize = 16;

thread_local! {
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting calls of the threads that serve.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    if SERVES.get() {
        CALLS.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator is one; it hands every call on as it is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// A broker on the machine's file system; its connections are served by one thread.
struct Broker {
    runtime: Runtime,
    server: Server,
    data: PathBuf,
}

impl Broker {
    fn start(name: &str) -> Broker {
        let data = std::env::temp_dir().join(format!("logboom-allocations-{}-{name}", std::process::id()));
        RealFs.create_dir_all(&data).unwrap();
        let set = [("listeners", "PLAINTEXT://127.0.0.1:0"), ("log.dirs", data.to_str().unwrap())];
        let fixed = set.iter().map(|(key, value)| {
            (key.to_string(), Fixed { value: value.to_string(), from: Where::Flag("--set") })
        });
        let layers = Layers { fixed: fixed.collect(), ..Layers::default() };
        let settings = Arc::new(BrokerSettings::from_layers(layers).unwrap());
        let mut workers = Builder::new_multi_thread();
        workers.worker_threads(1).enable_all().on_thread_start(|| SERVES.set(true));
        let runtime = workers.build().unwrap();
        let parts = Parts {
            fs: Arc::new(RealFs),
            clock: Arc::new(RealClock::new()),
            rng: Arc::new(RealRng),
            net: Arc::new(RealNet),
        };
        let server = runtime.block_on(Server::start(settings, parts)).unwrap();
        Broker { runtime, server, data }
    }

    /// Makes a topic of one partition; what is acknowledged need not be durable if it is relaxed.
    fn create(&self, topic: &str, relaxed: bool) -> Uuid {
        let set = CreatableTopicConfig {
            name: Str::from("flush.messages"),
            value: Some(Str::from(if relaxed { "9223372036854775807" } else { "1" })),
        };
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: Str::from(topic),
                num_partitions: 1,
                replication_factor: -1,
                configs: vec![set],
                ..Default::default()
            }],
            timeout_ms: 10_000,
            ..Default::default()
        };
        let mut id = Uuid::ZERO;
        self.ask(&request, 7, 1, 1, |response| {
            assert_eq!(response.topics[0].error_code, ErrorCode::NONE);
            id = response.topics[0].topic_id;
        });
        id
    }

    /// Sends a request `times` times, `pipelined` at once, and has every answer looked at.
    fn ask<R: Request>(
        &self,
        request: &R,
        version: i16,
        times: usize,
        pipelined: usize,
        mut look: impl FnMut(R::Response),
    ) {
        let frame = encode_request(request, version, 1, Some("test")).unwrap().to_bytes().unwrap();
        let together = frame.repeat(pipelined);
        // On this thread, which is not one that serves.
        let client = Builder::new_current_thread().enable_all().build().unwrap();
        client.block_on(async {
            let mut conn = RealNet.connect(&self.server.local_addr().to_string()).await.unwrap();
            for _ in 0..times / pipelined {
                conn.write_all(&together).await.unwrap();
                for _ in 0..pipelined {
                    let len = conn.read_i32().await.unwrap();
                    let mut frame = vec![0; usize::try_from(len).unwrap()];
                    conn.read_exact(&mut frame).await.unwrap();
                    look(decode_response::<R>(frame.into(), version).unwrap().1);
                }
            }
        });
    }

    /// Allocations for each request like this one.
    fn allocations<R: Request>(
        &self,
        request: &R,
        version: i16,
        pipelined: usize,
        mut look: impl FnMut(R::Response),
    ) -> f64 {
        self.ask(request, version, WARM, pipelined, &mut look);
        let before = CALLS.load(Ordering::Relaxed);
        self.ask(request, version, COUNTED, pipelined, &mut look);
        (CALLS.load(Ordering::Relaxed) - before) as f64 / (COUNTED / pipelined * pipelined) as f64
    }

    fn produce(&self, topic: (&str, Uuid), version: i16, pipelined: usize) -> f64 {
        let mut batch = BatchBuilder::new();
        batch.push(TimestampMs(1_700_000_000_000), None, Some(&[7; 100]), &[]);
        let records = Some(Records::Bytes(batch.build().freeze()));
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 10_000,
            topic_data: vec![TopicProduceData {
                name: Str::from(topic.0),
                topic_id: topic.1,
                partition_data: vec![PartitionProduceData { index: 0, records }],
            }],
            ..Default::default()
        };
        self.allocations(&request, version, pipelined, |response| {
            assert_eq!(response.responses[0].partition_responses[0].error_code, ErrorCode::NONE);
        })
    }

    fn fetch(&self, topic: (&str, Uuid), version: i16) -> f64 {
        let partition = FetchPartition { fetch_offset: 0, partition_max_bytes: 100, ..Default::default() };
        let request = FetchRequest {
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 50 << 20,
            topics: vec![FetchTopic {
                topic: Str::from(topic.0),
                topic_id: topic.1,
                partitions: vec![partition],
            }],
            ..Default::default()
        };
        self.allocations(&request, version, 1, |response| {
            let partition = &response.responses[0].partitions[0];
            assert_eq!(partition.error_code, ErrorCode::NONE);
            assert!(partition.records.as_ref().is_some_and(|records| !records.is_empty()));
        })
    }

    fn stop(self) {
        self.runtime.block_on(self.server.stop());
        RealFs.remove_dir_all(&self.data).unwrap();
    }
}

// One test, since what is counted is counted for the process.
#[test]
fn a_small_request_takes_a_bounded_number_of_allocations() {
    let broker = Broker::start("bounds");
    let (relaxed, durable) = ("relaxed", "durable");
    let relaxed = (relaxed, broker.create(relaxed, true));
    let durable = (durable, broker.create(durable, false));
    let found = [
        ("relaxed, one by one", broker.produce(relaxed, 13, 1), 11.5),
        ("relaxed, pipelined", broker.produce(relaxed, 13, PIPELINED), 11.0),
        ("relaxed, topic by name", broker.produce(relaxed, 12, PIPELINED), 12.0),
        ("durable, pipelined", broker.produce(durable, 13, PIPELINED), 13.5),
        ("fetch", broker.fetch(relaxed, 13), 25.0),
    ];
    broker.stop();
    for (what, allocations, most) in found {
        println!("{what}: {allocations:.1} allocations a request, {most:.1} at most");
    }
    for (what, allocations, most) in found {
        assert!(
            allocations <= most,
            "{what}: {allocations:.1} allocations a request, and {most:.1} are the bound"
        );
    }
}
