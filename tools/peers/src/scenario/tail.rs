//! What a reader that keeps up costs. The broker runs with the same producer and no reader, one, and sixteen; what it
//! uses more than without is the readers'.

use super::window::{measure, verify, with_topics};
use super::{GIB, MIB, Settings, put, topic_name};
use crate::batches::Shape;
use crate::load::Wire;
use crate::load::fetch::{AtEnd, Reading};
use crate::load::mixed::Mixed;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less};
use anyhow::{Result, ensure};
use logboom::record::Codec;

pub const METRICS: &[Metric] =
    &[less("CPU s/GiB of 1"), less("CPU s/GiB each of 16").charted(), less("16 to 1"), less("p99 ms of 16")];

const PARTITIONS: i32 = 6;
const PRODUCERS: usize = 2;
/// 20 MiB/s of 16 KiB batches.
const RATE: f64 = 1280.0;
/// The least part of what was produced that readers must have read, or they did not keep up.
const KEPT_UP: f64 = 0.95;

/// All three.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let topics = [topic_name("tail-0"), topic_name("tail-1"), topic_name("tail-16")];
    let [of_none, of_one, of_sixteen] = topics.each_ref().map(String::as_str);
    let (none, one, sixteen) = with_topics(peer, [of_none, of_one, of_sixteen], PARTITIONS, || {
        Ok((
            with_readers(settings, peer, of_none, 0)?,
            with_readers(settings, peer, of_one, 1)?,
            with_readers(settings, peer, of_sixteen, 16)?,
        ))
    })?;
    let (alone, _, _) = none;
    let (one, bytes_of_one, _) = one;
    let (sixteen, bytes_of_sixteen, p99) = sixteen;
    let cost =
        |cpu: Option<f64>, bytes: u64| Some((cpu? - alone?) * GIB / bytes as f64).filter(|cost| *cost > 0.0);
    let (of_one, of_sixteen) = (cost(one, bytes_of_one), cost(sixteen, bytes_of_sixteen));
    let mut sample = Sample::new();
    put(&mut sample, "CPU s/GiB of 1", of_one);
    put(&mut sample, "CPU s/GiB each of 16", of_sixteen);
    put(&mut sample, "16 to 1", of_sixteen.zip(of_one).map(|(sixteen, one)| sixteen / one));
    sample.insert("p99 ms of 16", p99);
    Ok(sample)
}

/// Processor seconds per second, bytes per second that were read, and the p99 of an acknowledgement.
fn with_readers(
    settings: &Settings,
    peer: &Peer,
    topic: &str,
    readers: usize,
) -> Result<(Option<f64>, u64, f64)> {
    let batch = Shape { records: 16, value: 1024, codec: Codec::None }.build();
    let mut wire = Wire::connect(peer.address, PRODUCERS + readers)?;
    let producing = Producing::new(0..PRODUCERS, topic, PARTITIONS, &batch, Pace::Rate(RATE))?;
    let reading =
        Reading::new(PRODUCERS..PRODUCERS + readers, topic, vec![0; PARTITIONS as usize], AtEnd::Follow);
    let mut load = Mixed::new(producing, PRODUCERS, reading);
    let window = measure(settings, peer, &mut wire, &mut load)?;
    let read = load.reading.meter.bytes as f64 / window.seconds;
    let written = load.producing.meter.bytes as f64 / window.seconds;
    let p99 = load.producing.meter.percentile(99.0);
    wire.drain(&mut load)?;
    verify(peer, topic, &load.producing.acked)?;
    ensure!(
        read >= KEPT_UP * written * readers as f64,
        "{} readers got {:.1} MiB/s of {:.1} each",
        readers,
        read / MIB,
        written / MIB
    );
    Ok((window.cpu.map(|cpu| cpu / window.seconds), read as u64, p99))
}
