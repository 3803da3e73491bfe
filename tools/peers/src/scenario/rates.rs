//! Latency at rates that the generator keeps, whatever the broker does.

use super::window::{Window, measure, verify, with_topics};
use super::{Settings, put, topic_name};
use crate::batches::Shape;
use crate::load::Wire;
use crate::load::meter::Meter;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less};
use anyhow::Result;
use logboom::record::Codec;

pub const METRICS: &[Metric] = &[
    less("p50 ms at 8 MiB/s"),
    less("p99 ms at 8 MiB/s").charted(),
    less("p99.9 ms at 8 MiB/s"),
    less("p50 ms at 32 MiB/s"),
    less("p99 ms at 32 MiB/s").charted(),
    less("p99.9 ms at 32 MiB/s"),
    less("p50 ms at 64 MiB/s"),
    less("p99 ms at 64 MiB/s").charted(),
    less("p99.9 ms at 64 MiB/s"),
    less("CPU % at 64 MiB/s"),
];

const PARTITIONS: i32 = 6;
const CONNECTIONS: usize = 2;
/// Batches of 16 KiB in a MiB.
const BATCHES: f64 = 64.0;
const NAMES: [(f64, [&str; 3]); 3] = [
    (8.0, ["p50 ms at 8 MiB/s", "p99 ms at 8 MiB/s", "p99.9 ms at 8 MiB/s"]),
    (32.0, ["p50 ms at 32 MiB/s", "p99 ms at 32 MiB/s", "p99.9 ms at 32 MiB/s"]),
    (64.0, ["p50 ms at 64 MiB/s", "p99 ms at 64 MiB/s", "p99.9 ms at 64 MiB/s"]),
];

/// Each rate in turn.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let topics = NAMES.map(|(rate, _)| topic_name(&format!("rates-{rate}")));
    let topics = topics.each_ref().map(String::as_str);
    let mut sample = Sample::new();
    with_topics(peer, topics, PARTITIONS, || {
        for ((rate, names), topic) in NAMES.into_iter().zip(topics) {
            let (meter, window) = at(settings, peer, topic, rate)?;
            for (name, percent) in names.into_iter().zip([50.0, 99.0, 99.9]) {
                sample.insert(name, meter.percentile(percent));
            }
            if rate == 64.0 {
                put(&mut sample, "CPU % at 64 MiB/s", window.cpu.map(|cpu| cpu / window.seconds * 100.0));
            }
        }
        Ok(())
    })?;
    Ok(sample)
}

fn at(settings: &Settings, peer: &Peer, topic: &str, rate: f64) -> Result<(Meter, Window)> {
    let batch = Shape { records: 16, value: 1024, codec: Codec::None }.build();
    let mut wire = Wire::connect(peer.address, CONNECTIONS)?;
    let pace = Pace::Rate(rate * BATCHES);
    let mut load = Producing::new(0..CONNECTIONS, topic, PARTITIONS, &batch, pace)?;
    let window = measure(settings, peer, &mut wire, &mut load)?;
    let meter = std::mem::take(&mut load.meter);
    wire.drain(&mut load)?;
    verify(peer, topic, &load.acked)?;
    Ok((meter, window))
}
