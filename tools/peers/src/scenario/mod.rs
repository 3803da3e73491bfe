//! What is compared: a table of scenarios, each a function that runs one broker once and says what it measured. A
//! scenario that finds that the broker did not do the work fails, and with it the run.

mod active;
mod cold;
mod compare;
mod disk;
mod end_to_end;
mod fetch;
mod idle;
mod partitions;
mod produce;
mod rates;
mod start;
mod tail;
mod window;

use crate::floor::Sync;
use crate::peer::{Install, Kind, Peer, Spec};
use crate::sample::{Metric, Sample, less, more};
use anyhow::Result;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use compare::run;
pub use disk::DISK;

/// How much is done.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Before each measured window.
    pub warm: Duration,
    /// The measured window.
    pub window: Duration,
    /// Work before anything is measured.
    pub heat: Duration,
    /// Whether is waited between rounds until what was written is on the disk.
    pub settle: bool,
    /// A window ends early after so many bytes: they must fit into memory and on the disk.
    pub bytes_max: u64,
    /// Bytes stored before they are fetched.
    pub fill: u64,
    /// Of the scenario with many.
    pub partitions: i32,
    /// Of the scenario with idle ones.
    pub connections: usize,
    /// Where the programs are.
    pub install: Install,
}

/// One thing to compare.
pub struct Scenario {
    /// As it is chosen and shown.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What it measures, in the order of the columns.
    pub metrics: &'static [Metric],
    /// Part of the quick run.
    pub quick: bool,
    /// Whom it can be asked of.
    pub takes: fn(Kind) -> bool,
    /// How it is run.
    pub how: How,
}

/// How a scenario meets its brokers.
#[derive(Clone, Copy)]
pub enum How {
    /// With a broker that runs all the time.
    Running(fn(&Settings, &Peer) -> Result<Sample>),
    /// With one that it starts itself.
    Fresh(fn(&Settings, &Spec) -> Result<Sample>),
    /// With the disk alone beside them, in the same rounds.
    BesideDisk(fn(&Settings, &Peer) -> Result<Sample>),
}

const fn all(_: Kind) -> bool {
    true
}

fn ours_or_kafka(kind: Kind) -> bool {
    matches!(kind, Kind::Logboom { .. } | Kind::Kafka)
}

/// Of the floors, the one that does the least; the others are about acknowledgements.
fn plain(kind: Kind) -> bool {
    match kind {
        Kind::Floor { sync, together } => sync == Sync::None && !together,
        _ => true,
    }
}

fn started(kind: Kind) -> bool {
    plain(kind) && kind != Kind::Other
}

/// All of them, in the order in which they run.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "produce",
        about: "64 KiB batches of 1 KiB records, 6 partitions, 2 connections x 4 in flight, acks=all",
        metrics: produce::LARGE,
        quick: true,
        takes: all,
        how: How::BesideDisk(produce::large),
    },
    Scenario {
        name: "small",
        about: "one 100-byte record a request, 6 partitions, 2 connections x 64 in flight, acks=all",
        metrics: produce::SMALL,
        quick: true,
        takes: all,
        how: How::Running(produce::small),
    },
    Scenario {
        name: "lz4",
        about: "as produce, with batches of 64 KiB compressed by lz4; GiB before compression",
        metrics: produce::COMPRESSED,
        quick: false,
        takes: plain,
        how: How::Running(produce::lz4),
    },
    Scenario {
        name: "zstd",
        about: "as produce, with batches of 64 KiB compressed by zstd; GiB before compression",
        metrics: produce::COMPRESSED,
        quick: false,
        takes: plain,
        how: How::Running(produce::zstd),
    },
    Scenario {
        name: "fetch",
        about: "one reader goes through cached data of 6 partitions again and again",
        metrics: fetch::METRICS,
        quick: true,
        takes: plain,
        how: How::Running(fetch::one),
    },
    Scenario {
        name: "fetch16",
        about: "as fetch, with 16 readers",
        metrics: fetch::METRICS,
        quick: false,
        takes: plain,
        how: How::Running(fetch::sixteen),
    },
    Scenario {
        name: "tail",
        about: "readers that keep up with a producer of 20 MiB/s: what one of 1 and one of 16 costs the broker",
        metrics: tail::METRICS,
        quick: false,
        takes: plain,
        how: How::Running(tail::run),
    },
    Scenario {
        name: "cold",
        about: "a producer of 10 MiB/s, alone and beside a reader of data that is not in memory",
        metrics: cold::METRICS,
        quick: false,
        takes: started,
        how: How::Running(cold::run),
    },
    Scenario {
        name: "end-to-end",
        about: "2,000 records of 100 bytes a second, from when each should be sent until a reader has it",
        metrics: end_to_end::METRICS,
        quick: false,
        takes: plain,
        how: How::BesideDisk(end_to_end::run),
    },
    Scenario {
        name: "rates",
        about: "16 KiB batches at fixed rates, 6 partitions, 2 connections; latency from when each should be sent",
        metrics: rates::METRICS,
        quick: false,
        takes: plain,
        how: How::Running(rates::run),
    },
    Scenario {
        name: "active",
        about: "16 KiB batches, one in flight on each of 10 connections, and on each of 1,000",
        metrics: active::METRICS,
        quick: false,
        takes: plain,
        how: How::Running(active::run),
    },
    Scenario {
        name: "idle",
        about: "connections that asked once and are quiet",
        metrics: idle::METRICS,
        quick: false,
        takes: plain,
        how: How::Running(idle::run),
    },
    Scenario {
        name: "start",
        about: "an empty directory: until the first answer, and memory two seconds later",
        metrics: start::METRICS,
        quick: false,
        takes: started,
        how: How::Fresh(start::run),
    },
    Scenario {
        name: "partitions",
        about: "many partitions, 1 KiB batches by 100 connections at 1,000 a second, beside one partition",
        metrics: partitions::METRICS,
        quick: false,
        takes: ours_or_kafka,
        how: How::Fresh(partitions::run),
    },
];

/// A name that no topic had before in this run.
fn topic_name(scenario: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Brokers that are only reached may remember earlier runs.
    format!("{scenario}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Puts a value in, if there is one: without a process id nothing is known of processor and memory.
fn put(sample: &mut Sample, name: &'static str, value: Option<f64>) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        sample.insert(name, value);
    }
}

const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1_073_741_824.0;
/// Shared names of columns.
const MIB_S: Metric = more("MiB/s");
const CPU_GIB: Metric = less("CPU s/GiB");
const P50: Metric = less("p50 ms");
const P99: Metric = less("p99 ms");
const P999: Metric = less("p99.9 ms");
const PEAK: Metric = less("peak MiB");
