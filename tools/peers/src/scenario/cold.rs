//! Whether a reader of old data disturbs a producer. The old data is taken out of the page cache before it is read.

use super::fetch::fill;
use super::window::{again, measure, verify, with_topic};
use super::{MIB, Settings, topic_name};
use crate::batches::Shape;
use crate::call::Caller;
use crate::load::Wire;
use crate::load::fetch::{AtEnd, Reading};
use crate::load::mixed::Mixed;
use crate::load::produce::{Pace, Producing};
use crate::peer::Peer;
use crate::sample::{Metric, Sample, less, more};
use anyhow::{Context, Result, ensure};
use logboom::record::Codec;
use std::fs;
use std::path::Path;

pub const METRICS: &[Metric] =
    &[less("p99 ms alone"), less("p99 ms beside"), less("beside to alone").charted(), more("MiB/s cold")];

const PARTITIONS: i32 = 6;
const PRODUCERS: usize = 2;
/// 10 MiB/s of 16 KiB batches.
const RATE: f64 = 640.0;

/// Alone, then beside a reader, in the same run.
pub fn run(settings: &Settings, peer: &Peer) -> Result<Sample> {
    let (hot, cold) = (topic_name("hot"), topic_name("cold"));
    let batch = Shape { records: 16, value: 1024, codec: Codec::None }.build();
    let data = peer.data().context("the files of the broker")?;
    with_topic(peer, &cold, PARTITIONS, || {
        // More than what is read within the window.
        fill(peer, &cold, PARTITIONS, settings.fill * 2)?;
        let ends = Caller::connect(peer.address)?.ends(&cold, PARTITIONS)?;
        with_topic(peer, &hot, PARTITIONS, || {
            let mut wire = Wire::connect(peer.address, PRODUCERS)?;
            let mut load = Producing::new(0..PRODUCERS, &hot, PARTITIONS, &batch, Pace::Rate(RATE))?;
            measure(settings, peer, &mut wire, &mut load)?;
            let alone = load.meter.percentile(99.0);
            wire.drain(&mut load)?;
            let mut acked = load.acked;

            let dropped = drop_cached(&data, &cold)?;
            ensure!(dropped > 0, "no file of {cold} in {}", data.display());
            let mut wire = Wire::connect(peer.address, PRODUCERS + 1)?;
            let producing = Producing::new(0..PRODUCERS, &hot, PARTITIONS, &batch, Pace::Rate(RATE))?;
            let reading = Reading::new(PRODUCERS..PRODUCERS + 1, &cold, ends, AtEnd::Leave);
            let mut load = Mixed::new(producing, PRODUCERS, reading);
            crate::load::Load::start(&mut load, &mut wire)?;
            let window = again(settings, peer, &mut wire, &mut load)?;
            let beside = load.producing.meter.percentile(99.0);
            let read = load.reading.meter.bytes as f64 / MIB / window.seconds;
            wire.drain(&mut load)?;
            for (all, more) in acked.iter_mut().zip(&load.producing.acked) {
                *all += more;
            }
            verify(peer, &hot, &acked)?;
            ensure!(read > 0.0, "nothing was read");
            Ok(Sample::from([
                ("p99 ms alone", alone),
                ("p99 ms beside", beside),
                ("beside to alone", beside / alone),
                ("MiB/s cold", read),
            ]))
        })
    })
}

/// Writes the files of a topic back and drops them from the page cache; how many there were.
fn drop_cached(data: &Path, topic: &str) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(topic) {
            continue;
        }
        let path = entry.path();
        let files = if path.is_dir() {
            fs::read_dir(&path)?.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?
        } else {
            vec![path]
        };
        for path in files {
            let file = fs::File::open(&path)?;
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
            count += 1;
        }
    }
    Ok(count)
}
