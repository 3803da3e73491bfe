//! Reading what is in memory as fast as the broker gives it.

use super::window::{measure, verify, with_topic};
use super::{CPU_GIB, MIB, MIB_S, P50, P99, Settings, put, topic_name};
use crate::batches::Shape;
use crate::call::Caller;
use crate::load::fetch::{AtEnd, Reading};
use crate::load::meter::Meter;
use crate::load::produce::{Pace, Producing};
use crate::load::{Load, Wire};
use crate::peer::Peer;
use crate::sample::{Metric, Sample};
use anyhow::Result;
use logboom::record::Codec;

pub const METRICS: &[Metric] = &[MIB_S.charted(), CPU_GIB.charted(), P50, P99];

const PARTITIONS: i32 = 6;
/// Of a connection, while the topic is filled.
const IN_FLIGHT: usize = 8;
/// How often is looked whether it is full.
const SLICE: u64 = 20_000_000;

/// One reader.
pub fn one(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(settings, peer, 1)
}

/// Sixteen readers, each of everything.
pub fn sixteen(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(settings, peer, 16)
}

fn run(settings: &Settings, peer: &Peer, readers: usize) -> Result<Sample> {
    let topic = topic_name("fetch");
    with_topic(peer, &topic, PARTITIONS, || {
        fill(peer, &topic, PARTITIONS, settings.fill)?;
        let ends = Caller::connect(peer.address)?.ends(&topic, PARTITIONS)?;
        let mut wire = Wire::connect(peer.address, readers)?;
        let mut load = Reading::new(0..readers, &topic, ends, AtEnd::Again);
        let window = measure(settings, peer, &mut wire, &mut load)?;
        let meter: Meter = std::mem::take(&mut load.meter);
        wire.drain(&mut load)?;
        let mut sample = Sample::new();
        sample.insert("MiB/s", meter.bytes as f64 / MIB / window.seconds);
        sample.insert("p50 ms", meter.percentile(50.0));
        sample.insert("p99 ms", meter.percentile(99.0));
        put(&mut sample, "CPU s/GiB", window.cpu_per_gib(meter.bytes));
        Ok(sample)
    })
}

/// Stores so many bytes in batches of 64 KiB.
pub fn fill(peer: &Peer, topic: &str, partitions: i32, bytes: u64) -> Result<()> {
    let batch = Shape { records: 64, value: 1024, codec: Codec::None }.build();
    let mut wire = Wire::connect(peer.address, 1)?;
    let mut load = Producing::new(0..1, topic, partitions, &batch, Pace::Window(IN_FLIGHT))?;
    load.start(&mut wire)?;
    while load.meter.bytes < bytes {
        wire.run(wire.now() + SLICE, &mut load)?;
    }
    wire.drain(&mut load)?;
    verify(peer, topic, &load.acked)
}
