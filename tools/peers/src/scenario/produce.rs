//! Producing as fast as the broker acknowledges.

use super::window::{measure, verify, with_topic};
use super::{CPU_GIB, MIB, MIB_S, P50, P99, PEAK, Settings, put, topic_name};
use crate::account;
use crate::batches::Shape;
use crate::load::Wire;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less, more};
use anyhow::Result;
use logboom::record::Codec;

pub const LARGE: &[Metric] = &[MIB_S.charted(), CPU_GIB.charted(), P50, P99, PEAK];
pub const COMPRESSED: &[Metric] = &[MIB_S, CPU_GIB.charted(), P50, P99];
pub const SMALL: &[Metric] = &[more("requests/s").charted(), less("CPU us/request").charted(), P50, P99];

/// Partitions and connections of all of these.
const PARTITIONS: i32 = 6;
const CONNECTIONS: usize = 2;
/// Requests under way on each connection.
const FEW: usize = 4;
const MANY: usize = 64;
/// Batches of 64 KiB.
const LARGE_SHAPE: Shape = Shape { records: RECORDS, value: VALUE, codec: Codec::None };
const RECORDS: usize = 64;
const VALUE: usize = 1024;

/// 64 KiB batches.
pub fn large(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(settings, peer, "produce", LARGE_SHAPE, Pace::Window(FEW))
}

/// The same at 100 MiB/s, to make a broker warm without filling the disk.
pub fn rated(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(settings, peer, "rated", LARGE_SHAPE, Pace::Rate(1600.0))
}

/// Batches of 64 KiB compressed by lz4.
pub fn lz4(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(settings, peer, "lz4", Shape { records: RECORDS, value: VALUE, codec: Codec::Lz4 }, Pace::Window(FEW))
}

/// Batches of 64 KiB compressed by zstd.
pub fn zstd(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(
        settings,
        peer,
        "zstd",
        Shape { records: RECORDS, value: VALUE, codec: Codec::Zstd },
        Pace::Window(FEW),
    )
}

/// One record a request.
pub fn small(settings: &Settings, peer: &Peer) -> Result<Sample> {
    run(settings, peer, "small", Shape { records: 1, value: 100, codec: Codec::None }, Pace::Window(MANY))
}

fn run(settings: &Settings, peer: &Peer, name: &str, shape: Shape, pace: Pace) -> Result<Sample> {
    let topic = topic_name(name);
    let batch = shape.build();
    with_topic(peer, &topic, PARTITIONS, || {
        let mut wire = Wire::connect(peer.address, CONNECTIONS)?;
        let mut load = Producing::new(0..CONNECTIONS, &topic, PARTITIONS, &batch, pace)?;
        let window = measure(settings, peer, &mut wire, &mut load)?;
        let meter = std::mem::take(&mut load.meter);
        wire.drain(&mut load)?;
        verify(peer, &topic, &load.acked)?;
        let mut sample = Sample::new();
        let bytes = if shape.codec == Codec::None { meter.bytes } else { meter.plain };
        sample.insert("MiB/s", bytes as f64 / MIB / window.seconds);
        sample.insert("requests/s", meter.requests as f64 / window.seconds);
        sample.insert("p50 ms", meter.percentile(50.0));
        sample.insert("p99 ms", meter.percentile(99.0));
        put(&mut sample, "CPU s/GiB", window.cpu_per_gib(bytes));
        put(&mut sample, "CPU us/request", window.cpu.map(|cpu| cpu * 1e6 / meter.requests as f64));
        put(
            &mut sample,
            "peak MiB",
            peer.pid.map(account::resident_peak).transpose()?.map(|peak| peak as f64 / MIB),
        );
        Ok(sample)
    })
}
