//! Whether many connections cost more than few, with as many requests under way.

use super::window::{measure, verify, with_topic};
use super::{Settings, put, topic_name};
use crate::batches::Shape;
use crate::load::Wire;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less, more};
use anyhow::Result;
use logboom::record::Codec;

pub const METRICS: &[Metric] = &[
    more("requests/s on 10"),
    more("requests/s on 1,000"),
    more("1,000 to 10").charted(),
    less("CPU us/request on 10"),
    less("CPU us/request on 1,000"),
];

const PARTITIONS: i32 = 6;
const IN_FLIGHT: usize = 1000;

/// Both.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let (few, cpu_few) = on(settings, peer, 10)?;
    let (many, cpu_many) = on(settings, peer, 1000)?;
    let mut sample = Sample::new();
    sample.insert("requests/s on 10", few);
    sample.insert("requests/s on 1,000", many);
    sample.insert("1,000 to 10", many / few);
    put(&mut sample, "CPU us/request on 10", cpu_few);
    put(&mut sample, "CPU us/request on 1,000", cpu_many);
    Ok(sample)
}

fn on(settings: &Settings, peer: &Peer, connections: usize) -> Result<(f64, Option<f64>)> {
    let topic = topic_name("active");
    let batch = Shape { records: 1, value: 1024, codec: Codec::None }.build();
    with_topic(peer, &topic, PARTITIONS, || {
        let mut wire = Wire::connect(peer.address, connections)?;
        let pace = Pace::Window(IN_FLIGHT / connections);
        let mut load = Producing::new(0..connections, &topic, PARTITIONS, &batch, pace)?;
        let window = measure(settings, peer, &mut wire, &mut load)?;
        let requests = load.meter.requests as f64;
        wire.drain(&mut load)?;
        verify(peer, &topic, &load.acked)?;
        Ok((requests / window.seconds, window.cpu.map(|cpu| cpu * 1e6 / requests)))
    })
}
