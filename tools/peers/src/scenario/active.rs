//! Whether many connections that each wait for their answer get as much done together as few.

use super::window::{measure, verify, with_topics};
use super::{MIB, Settings, put, topic_name};
use crate::batches::Shape;
use crate::load::Wire;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less, more};
use anyhow::Result;
use logboom::record::Codec;

pub const METRICS: &[Metric] = &[
    more("MiB/s on 10"),
    more("MiB/s on 1,000"),
    more("1,000 to 10").charted(),
    less("CPU s/GiB on 10"),
    less("CPU s/GiB on 1,000"),
];

const PARTITIONS: i32 = 6;

/// Both.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let topics = [topic_name("active-few"), topic_name("active-many")];
    let [of_few, of_many] = topics.each_ref().map(String::as_str);
    let ((few, cpu_few), (many, cpu_many)) = with_topics(peer, [of_few, of_many], PARTITIONS, || {
        Ok((on(settings, peer, of_few, 10)?, on(settings, peer, of_many, 1000)?))
    })?;
    let mut sample = Sample::new();
    sample.insert("MiB/s on 10", few);
    sample.insert("MiB/s on 1,000", many);
    sample.insert("1,000 to 10", many / few);
    put(&mut sample, "CPU s/GiB on 10", cpu_few);
    put(&mut sample, "CPU s/GiB on 1,000", cpu_many);
    Ok(sample)
}

fn on(settings: &Settings, peer: &Peer, topic: &str, connections: usize) -> Result<(f64, Option<f64>)> {
    let batch = Shape { records: 16, value: 1024, codec: Codec::None }.build();
    let mut wire = Wire::connect(peer.address, connections)?;
    let mut load = Producing::new(0..connections, topic, PARTITIONS, &batch, Pace::Window(1))?;
    let window = measure(settings, peer, &mut wire, &mut load)?;
    let bytes = load.meter.bytes;
    wire.drain(&mut load)?;
    verify(peer, topic, &load.acked)?;
    Ok((bytes as f64 / MIB / window.seconds, window.cpu_per_gib(bytes)))
}
