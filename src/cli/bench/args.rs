//! The arguments of `logboom bench`.

use super::super::args::{Compression, acks, pair};
use super::super::client::Acks;
use crate::config::{Unit, to_bare_number};
use clap::{Args, Subcommand};

/// Largest value of a record; above it no broker takes a batch by default.
const SIZE_MAX: i64 = 64 << 20;

/// `bench`
#[derive(Debug, Subcommand)]
pub enum BenchVerb {
    /// Send records, as fast as they are acknowledged or at a rate
    #[command(
        after_help = "Without --rate each client keeps --in-flight requests under way, and a latency is the time from \
        sending to the answer. With --rate requests are due at fixed times, and a latency counts from then, however \
        late the request could be sent.\n\nExamples:\n  logboom bench produce\n  \
        logboom bench produce --size 100 --batch 1 --in-flight 64 --seconds 10\n  \
        logboom bench produce --rate 2000 --batch 1 --clients 1\n  \
        logboom bench produce --set flush.messages=9223372036854775807 --json | jq .latency_ms"
    )]
    Produce(ProduceBench),
    /// Fetch the records of a topic, from its start to its end
    #[command(
        after_help = "A topic that is not there is made and filled first. With --seconds it is read over and over. \
        With --rate fetches are due when the records before them should have been read, and a latency counts from \
        then.\n\nExamples:\n  logboom bench consume\n  logboom bench consume --topic orders --groups 16\n  \
        logboom bench consume --records 1000000 --seconds 10 --json"
    )]
    Consume(ConsumeBench),
    /// Send records and fetch them at once: the time from one to the other
    #[command(
        name = "e2e",
        after_help = "Each client sends to partitions of its own and fetches them on a second connection.\n\n\
        Examples:\n  logboom bench e2e\n  logboom bench e2e --rate 2000 --in-flight 64 --seconds 10\n  \
        logboom bench e2e --clients 4 --partitions 4 --acks 1 --json"
    )]
    EndToEnd(EndToEndBench),
}

/// The topic of a run.
#[derive(Debug, Clone, Args)]
pub struct TopicArgs {
    /// Topic to use; made if it is not there, and then deleted at the end
    #[arg(long, default_value = "bench")]
    pub topic: String,
    /// Partitions of a topic that is made [default: 6]
    #[arg(long, short = 'p', value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: Option<i32>,
    /// Setting of a topic that is made
    #[arg(long, short = 'c', visible_alias = "config", value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Keep a topic that was made
    #[arg(long)]
    pub keep: bool,
}

/// How long and how fast.
#[derive(Debug, Clone, Args)]
pub struct AmountArgs {
    /// Stop after so many records
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub records: Option<u64>,
    /// Stop after so many seconds
    #[arg(long, value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Records a second of all clients together; without it, as fast as answers come
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
}

/// What records and batches are like.
#[derive(Debug, Clone, Args)]
pub struct ShapeArgs {
    /// Bytes of a record's value: letters by chance
    #[arg(long, default_value = "1KiB", value_name = "BYTES", value_parser = size)]
    pub size: usize,
    /// Records of a batch; each request carries one batch
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: u32,
    /// How batches are compressed: once, before the run
    #[arg(long, short = 'z', value_enum, default_value = "none")]
    pub compression: Compression,
}

/// How requests to produce are sent.
#[derive(Debug, Clone, Args)]
pub struct WayArgs {
    /// Whom to wait for: all (durable), 1 (written), 0 (nobody; then there are no latencies)
    #[arg(long, value_parser = acks, default_value = "all")]
    pub acks: Acks,
    /// Number the batches of each client, as producers of Kafka do by default
    #[arg(long)]
    pub idempotent: bool,
}

/// `bench produce`
#[derive(Debug, Clone, Args)]
pub struct ProduceBench {
    /// The topic
    #[command(flatten)]
    pub topic: TopicArgs,
    /// How long
    #[command(flatten)]
    pub amount: AmountArgs,
    /// Records
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// Requests
    #[command(flatten)]
    pub way: WayArgs,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub clients: u32,
    /// Most requests under way of each client
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub in_flight: u32,
}

/// `bench consume`
#[derive(Debug, Clone, Args)]
pub struct ConsumeBench {
    /// The topic
    #[command(flatten)]
    pub topic: TopicArgs,
    /// How long
    #[command(flatten)]
    pub amount: AmountArgs,
    /// Records of a topic that is made
    #[command(flatten)]
    pub shape: ShapeArgs,
    /// Connections of each group, which share the partitions
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub clients: u32,
    /// How many read the whole topic side by side, each on connections of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub groups: u32,
    /// Most bytes of each partition in one fetch
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = size)]
    pub fetch: usize,
}

/// `bench e2e`
#[derive(Debug, Clone, Args)]
pub struct EndToEndBench {
    /// The topic
    #[command(flatten)]
    pub topic: TopicArgs,
    /// How long
    #[command(flatten)]
    pub amount: AmountArgs,
    /// Bytes of a record's value: letters by chance
    #[arg(long, default_value = "1KiB", value_name = "BYTES", value_parser = size)]
    pub size: usize,
    /// Records of a batch; each request carries one batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: u32,
    /// How batches are compressed: once, before the run
    #[arg(long, short = 'z', value_enum, default_value = "none")]
    pub compression: Compression,
    /// Requests
    #[command(flatten)]
    pub way: WayArgs,
    /// Pairs of connections
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub clients: u32,
    /// Most batches of each client that were sent and not yet fetched
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub in_flight: u32,
}

impl EndToEndBench {
    /// What its records and batches are like.
    pub fn shape(&self) -> ShapeArgs {
        ShapeArgs { size: self.size, batch: self.batch, compression: self.compression }
    }
}

impl BenchVerb {
    /// Connections that are busy at once.
    pub fn lanes(&self) -> u64 {
        match self {
            BenchVerb::Produce(args) => u64::from(args.clients),
            BenchVerb::Consume(args) => u64::from(args.clients) * u64::from(args.groups),
            BenchVerb::EndToEnd(args) => u64::from(args.clients) * 2,
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        // A year is longer than any run, and fits every clock.
        Ok(seconds) if seconds > 0.0 && seconds <= 31_536_000.0 => Ok(seconds),
        _ => Err("write seconds above 0, as 10 or 0.5".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e9 => Ok(rate),
        _ => Err("write records a second above 0, as 2000".to_owned()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let number = match to_bare_number(text, Unit::Bytes) {
        Ok(Some(number)) => Some(number),
        Ok(None) => text.parse().ok(),
        Err(_) => None,
    };
    let number = number.filter(|number| (1..=SIZE_MAX).contains(number));
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| "write bytes, 1 to 64MiB, as 100 or 1KiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_rates_and_times_are_read_or_refused() {
        assert_eq!((size("100"), size("1KiB"), size("64MiB")), (Ok(100), Ok(1024), Ok(64 << 20)));
        for wrong in ["0", "-1", "65MiB", "much", ""] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!((seconds("0.5"), rate("2000")), (Ok(0.5), Ok(2000.0)));
        for wrong in ["0", "-1", "inf", "NaN", "x"] {
            assert!(seconds(wrong).is_err() && rate(wrong).is_err(), "{wrong}");
        }
    }
}
