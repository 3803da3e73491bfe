//! From a record's intent to a reader's hands, at a modest rate.

use super::window::{measure, verify, with_topic};
use super::{P50, P99, P999, Settings, put, topic_name};
use crate::batches::Shape;
use crate::load::Wire;
use crate::load::fetch::{AtEnd, Reading};
use crate::load::mixed::Mixed;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less};
use anyhow::{Result, ensure};
use logboom::record::Codec;

pub const METRICS: &[Metric] = &[
    P50.charted(),
    P99.charted(),
    P999,
    less("CPU %"),
    less("ack p99 ms"),
    less("sync p50 ms"),
    less("sync p99 ms"),
];

const RATE: f64 = 2000.0;

/// One record a request, one partition, one producer, one reader.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let topic = topic_name("end-to-end");
    let batch = Shape { records: 1, value: 100, codec: Codec::None }.build();
    with_topic(peer, &topic, 1, || {
        let mut wire = Wire::connect(peer.address, 2)?;
        let mut producing = Producing::new(0..1, &topic, 1, &batch, Pace::Rate(RATE))?;
        producing.intended = Some(Vec::new());
        let mut load = Mixed::new(producing, 1, Reading::new(1..2, &topic, vec![0], AtEnd::Follow));
        let window = measure(settings, peer, &mut wire, &mut load)?;
        let mut sample = Sample::new();
        let meter = &load.end_to_end;
        let least = (RATE * window.seconds * 0.9) as u64;
        ensure!(meter.latencies() >= least, "{} records arrived of {least}", meter.latencies());
        sample.insert("p50 ms", meter.percentile(50.0));
        sample.insert("p99 ms", meter.percentile(99.0));
        sample.insert("p99.9 ms", meter.percentile(99.9));
        sample.insert("ack p99 ms", load.producing.meter.percentile(99.0));
        put(&mut sample, "CPU %", window.cpu.map(|cpu| cpu / window.seconds * 100.0));
        wire.drain(&mut load)?;
        verify(peer, &topic, &load.producing.acked)?;
        Ok(sample)
    })
}
