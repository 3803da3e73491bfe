//! Old data go by age and size without anybody asking, in partitions that are open and in those that nobody touched
//! since the start; what is deleted leaves the disk after its delay; a clock that jumps takes nothing at once; and a
//! full disk refuses records, serves everything else, and recovers by itself.

use crate::door_kit::{Client, batch, fetch, start_on, within};
use logboom::log::local::LogDirOptions;
use logboom::server::Server;
use logboom::sys::{Clock, Fs, RealClock, SimClock, SimFs};
use logboom::types::{ErrorCode, TimestampMs};
use logboom::wire::Str;
use logboom::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The time of every record that these tests produce.
const RECORDS_AT: i64 = 1_700_000_000_000;

const DAY: Duration = Duration::from_secs(86_400);

/// Each batch is a segment, and what is a day old goes.
const CONFIGS: &[(&str, &str)] = &[("internal.segment.bytes", "1"), ("retention.ms", "86400000")];

/// Settings under which a pass comes soon.
const SOON: &[(&str, &str)] =
    &[("log.initial.task.delay.ms", "1000"), ("log.retention.check.interval.ms", "1000")];

/// A broker on a simulated disk and a simulated clock.
struct World {
    fs: SimFs,
    clock: SimClock,
    server: Server,
}

impl World {
    async fn new(extra: &[(&str, &str)]) -> World {
        let (fs, clock) = (SimFs::new(1), SimClock::new(TimestampMs(RECORDS_AT)));
        let settings = [SOON, extra].concat();
        let server = start_on(&fs, Arc::new(clock.clone()), &settings).await.unwrap();
        World { fs, clock, server }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.server).await
    }

    /// Makes a topic of these segments.
    async fn topic(&self, name: &str, configs: &[(&str, &str)], segments: usize) {
        let mut client = self.client().await;
        client.create(name, 1, configs).await;
        for nth in 0..segments {
            let produced = client.produce(name, batch(&[&format!("value {nth}")])).await;
            assert_eq!(produced.error_code, ErrorCode::NONE);
        }
    }

    /// Lets some passes happen.
    async fn pass(&self) {
        for _ in 0..4 {
            self.clock.advance(Duration::from_secs(1));
            RealClock::new().sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets time go on second by second until this holds.
    async fn until(&self, holds: impl Fn(&World) -> bool) {
        within(async {
            while !holds(self) {
                self.pass().await;
            }
        })
        .await;
    }

    /// Segments of partition 0 that are in the log.
    fn segments(&self, topic: &str) -> usize {
        let dir = Path::new("/data").join(format!("{topic}-0"));
        let of_log =
            |path: &Path| path.starts_with(&dir) && path.extension().is_some_and(|suffix| suffix == "log");
        self.fs.files().iter().filter(|(path, _)| of_log(path)).count()
    }

    fn files_ending(&self, suffix: &str) -> usize {
        self.fs.files().iter().filter(|(path, _)| path.to_string_lossy().contains(suffix)).count()
    }

    /// The log start offset, as somebody hears who reads from `at` on.
    async fn start_of(&self, topic: &str, at: i64) -> i64 {
        let response = self.client().await.call(&fetch(topic, at, 0), 12).await;
        response.responses[0].partitions[0].log_start_offset
    }
}

async fn delete(client: &mut Client, topic: &str) {
    let state = DeleteTopicState { name: Some(Str::from(topic)), ..Default::default() };
    let request = DeleteTopicsRequest { topics: vec![state], timeout_ms: 10_000, ..Default::default() };
    let response = client.call(&request, 6).await;
    assert_eq!(response.responses[0].error_code, ErrorCode::NONE);
}

/// Asks for the records of partition 0 below an offset to be deleted.
fn below(topic: &str, offset: i64) -> DeleteRecordsRequest {
    let partitions = vec![DeleteRecordsPartition { partition_index: 0, offset }];
    DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic { name: Str::from(topic), partitions }],
        timeout_ms: 10_000,
    }
}

#[tokio::test]
async fn segments_go_once_their_newest_record_is_too_old() {
    let world = World::new(&[]).await;
    world.topic("old", CONFIGS, 5).await;
    world.pass().await;
    assert_eq!(world.segments("old"), 5);
    world.clock.advance(DAY);
    world.until(|world| world.segments("old") == 1).await;
    let mut client = world.client().await;
    assert_eq!(client.produce("old", batch(&["one more"])).await.base_offset, 5);
    assert_eq!(world.start_of("old", 5).await, 5);
    world.server.stop().await;
}

#[tokio::test]
async fn segments_go_by_size_and_only_as_the_policy_says() {
    let world = World::new(&[]).await;
    let small =
        |policy| [("internal.segment.bytes", "1"), ("retention.bytes", "200"), ("cleanup.policy", policy)];
    for (name, policy) in
        [("deleted", "delete"), ("both", "compact,delete"), ("compacted", "compact"), ("kept", "")]
    {
        world.topic(name, &small(policy), 6).await;
    }
    world.until(|world| world.segments("deleted") < 6 && world.segments("both") < 6).await;
    assert_eq!((world.segments("compacted"), world.segments("kept")), (6, 6));
    world.server.stop().await;
}

#[tokio::test]
async fn partitions_that_nobody_touched_since_the_start_lose_what_is_old() {
    let World { fs, clock, server } = World::new(&[]).await;
    let world = World { fs: fs.clone(), clock: clock.clone(), server };
    world.topic("left", CONFIGS, 5).await;
    world.topic("fresh", &[("retention.ms", "-1")], 1).await;
    world.server.stop().await;
    clock.advance(DAY * 3);
    let server = start_on(&fs, Arc::new(clock.clone()), SOON).await.unwrap();
    let world = World { fs, clock, server };
    world.until(|world| world.segments("left") == 1).await;
    // It was closed again, and opens as it should be.
    assert_eq!(world.start_of("left", 5).await, 5);
    assert_eq!(world.segments("fresh"), 1);
    world.server.stop().await;
}

#[tokio::test]
async fn what_is_taken_out_leaves_the_disk_after_its_delay() {
    let world = World::new(&[]).await;
    world.topic("slow", &[CONFIGS, &[("file.delete.delay.ms", "600000")]].concat(), 3).await;
    world.topic("gone", &[("file.delete.delay.ms", "600000")], 1).await;
    delete(&mut world.client().await, "gone").await;
    world.client().await.call(&below("slow", 2), 2).await;
    world.until(|world| world.segments("gone") == 0).await;
    assert_eq!(world.segments("slow"), 1);
    assert!(world.files_ending(".deleted") > 0 && world.files_ending("-delete/") > 0);
    world.clock.advance(Duration::from_secs(600));
    world.until(|world| world.files_ending(".deleted") + world.files_ending("-delete/") == 0).await;
    world.server.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_removes_nothing_until_the_grace_is_over() {
    let world = World::new(&[("log.retention.clock.grace.ms", "60000")]).await;
    world.topic("jump", CONFIGS, 4).await;
    world.pass().await;
    world.clock.set_wall(TimestampMs(RECORDS_AT + 30 * 86_400_000));
    for _ in 0..3 {
        world.pass().await;
    }
    assert_eq!(world.segments("jump"), 4);
    world.clock.advance(Duration::from_secs(60));
    world.until(|world| world.segments("jump") == 1).await;
    world.server.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumps_and_is_set_right_removes_nothing_at_all() {
    let world = World::new(&[("log.retention.clock.grace.ms", "60000")]).await;
    world.topic("jump", CONFIGS, 4).await;
    world.pass().await;
    let before = world.clock.wall();
    world.clock.set_wall(TimestampMs(before.0 + 30 * 86_400_000));
    world.pass().await;
    world.clock.set_wall(before);
    world.clock.advance(Duration::from_secs(120));
    world.pass().await;
    assert_eq!(world.segments("jump"), 4);
    world.server.stop().await;
}

#[tokio::test]
async fn a_full_disk_refuses_records_serves_the_rest_and_recovers_by_itself() {
    let fs = SimFs::new(1);
    let server =
        start_on(&fs, Arc::new(RealClock::new()), &[("log.dir.reserve.bytes", "262144")]).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.create("first", 1, &[]).await;
    client.create("second", 1, &[("internal.segment.bytes", "100000")]).await;
    let value = "x".repeat(20_000);
    for _ in 0..50 {
        assert_eq!(client.produce("second", batch(&[&value])).await.error_code, ErrorCode::NONE);
    }
    let used: u64 = fs.files().iter().map(|(_, size)| size.div_ceil(4096) * 4096).sum();
    fs.set_capacity(used + 1_000_000);
    let mut acknowledged = 0;
    let refused = loop {
        let produced = client.produce("first", batch(&[&value])).await;
        match produced.error_code {
            ErrorCode::NONE => acknowledged += 1,
            error => break error,
        }
    };
    assert_eq!(refused, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(acknowledged > 5);
    // Readers, topics, settings: all of it goes on.
    assert_eq!(client.fetch("first", 0).await.0.len() as i64, client.fetch("first", 0).await.1.min(52));
    client.create("third", 1, &[]).await;
    let response = client.call(&below("first", 2), 2).await;
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::NONE);
    delete(&mut client, "second").await;
    let back = within(async {
        loop {
            let produced = client.produce("first", batch(&["back"])).await;
            if produced.error_code == ErrorCode::NONE {
                return produced.base_offset;
            }
            RealClock::new().sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert_eq!(back, acknowledged, "nothing of what was refused is in the log");
    server.stop().await;
    assert!(fs.exists(Path::new("/data/logboom.reserve")), "the reserve was made again");
}

#[test]
fn a_directory_opens_on_a_full_disk_with_what_was_reserved() {
    let fs = SimFs::new(1);
    let open = |fs: &SimFs| {
        let options = LogDirOptions {
            commit: logboom::log::local::Commit::Manual,
            reserve_bytes: 65_536,
            ..LogDirOptions::default()
        };
        let clock = Arc::new(SimClock::new(TimestampMs(1)));
        let rng = Arc::new(logboom::sys::SeededRng::new(1));
        logboom::log::local::LogDir::open(Arc::new(fs.clone()), clock, rng, Path::new("/data"), options)
    };
    let dir = open(&fs).unwrap();
    dir.commit_round();
    drop(dir);
    let used: u64 = fs.files().iter().map(|(_, size)| size.div_ceil(4096) * 4096).sum();
    let fs = fs.kill();
    fs.set_capacity(used);
    let dir = open(&fs).unwrap();
    assert!(dir.is_full());
    fs.set_capacity(1 << 30);
    dir.commit_round();
    assert!(dir.is_full(), "room is looked for twice a second");
}
