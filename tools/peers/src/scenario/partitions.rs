//! Many partitions on one broker: making them, what they hold in memory, writing to all of them beside writing to one,
//! and starting again.

use super::window::{measure, verify};
use super::{Settings, put, topic_name};
use crate::batches::Shape;
use crate::call::Caller;
use crate::load::produce::{Pace, Producing};
use crate::load::{Load, Wire};
use crate::peer::{Peer, Spec};
use crate::sample::{Metric, Sample, less};
use anyhow::Result;
use logboom::record::Codec;
use std::time::Instant;

pub const METRICS: &[Metric] = &[
    less("create s").charted(),
    less("KiB each"),
    less("p99 ms of one"),
    less("p99 ms of all").charted(),
    less("p99 all to one"),
    less("stop s"),
    less("restart s").charted(),
];

const CONNECTIONS: usize = 100;
/// Requests a second, of one record of 1 KiB.
const RATE: f64 = 1000.0;

/// How often is looked whether all have theirs.
const SLICE: u64 = 5_000_000;

/// All of it, on a broker of its own.
pub fn run(settings: &Settings, spec: &Spec) -> Result<Sample> {
    let mut peer = spec.start(&settings.install, "partitions")?;
    let mut sample = Sample::new();
    let one = topic_name("one");
    Caller::connect(peer.address)?.create(&one, 1)?;
    let p99_of_one = p99(settings, &peer, &one, 1)?;
    let before = peer.resident()?;
    let many = topic_name("many");
    let count = settings.partitions;
    let begun = Instant::now();
    Caller::connect(peer.address)?.create(&many, count)?;
    sample.insert("create s", begun.elapsed().as_secs_f64());
    let p99_of_all = p99(settings, &peer, &many, count)?;
    sample.insert("p99 ms of one", p99_of_one);
    sample.insert("p99 ms of all", p99_of_all);
    sample.insert("p99 all to one", p99_of_all / p99_of_one);
    let each = peer.resident()?.zip(before).map(|(after, before)| after as f64 - before as f64);
    put(&mut sample, "KiB each", each.map(|each| each.max(0.0) / 1024.0 / f64::from(count)));
    let acked = Caller::connect(peer.address)?.ends(&many, count)?;
    sample.insert("stop s", peer.restart(&settings.install)?);
    sample.insert("restart s", peer.start_seconds);
    // What was acknowledged is there after the restart too.
    let acked: Result<Vec<u64>, _> = acked.into_iter().map(u64::try_from).collect();
    verify(&peer, &many, &acked?)?;
    Ok(sample)
}

fn p99(settings: &Settings, peer: &Peer, topic: &str, partitions: i32) -> Result<f64> {
    let batch = Shape { records: 1, value: 1024, codec: Codec::None }.build();
    let mut wire = Wire::connect(peer.address, CONNECTIONS)?;
    // Each partition gets its first batch before anything is measured.
    let mut first = Producing::new(0..CONNECTIONS, topic, partitions, &batch, Pace::Window(1))?;
    first.start(&mut wire)?;
    while first.meter.requests < u64::try_from(partitions)? {
        wire.run(wire.now() + SLICE, &mut first)?;
    }
    wire.drain(&mut first)?;
    let mut load = Producing::new(0..CONNECTIONS, topic, partitions, &batch, Pace::Rate(RATE))?;
    let _window = measure(settings, peer, &mut wire, &mut load)?;
    let p99 = load.meter.percentile(99.0);
    wire.drain(&mut load)?;
    let acked: Vec<u64> = first.acked.iter().zip(&load.acked).map(|(first, more)| first + more).collect();
    verify(peer, topic, &acked)?;
    Ok(p99)
}
