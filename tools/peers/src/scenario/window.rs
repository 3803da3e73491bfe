//! A measured window: warm up, open, close, wait for what is under way, and then ask the broker what it really has.

use super::{GIB, Settings};
use crate::call::Caller;
use crate::load::meter::Meter;
use crate::load::produce::Producing;
use crate::load::{Load, Wire};
use crate::peer::Peer;
use anyhow::{Result, ensure};
use std::time::Duration;

/// How often the bytes of a window are looked at.
const SLICE: u64 = 20_000_000;

/// What passed while a window was open.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Seconds.
    pub seconds: f64,
    /// Processor seconds of the broker, if its process is known.
    pub cpu: Option<f64>,
}

impl Window {
    /// Processor seconds per GiB.
    pub fn cpu_per_gib(&self, bytes: u64) -> Option<f64> {
        self.cpu.map(|cpu| cpu * GIB / bytes as f64)
    }
}

/// A load whose counts can be set back, and that knows how much it moved since.
pub trait Counted: Load {
    /// Begins a new window.
    fn reset(&mut self);
    /// Bytes since then.
    fn moved(&self) -> u64;
    /// Whether there is nothing left to do before the window ends.
    fn done(&self) -> bool {
        false
    }
}

impl Counted for Producing {
    fn reset(&mut self) {
        self.meter = Meter::default();
    }

    fn moved(&self) -> u64 {
        self.meter.bytes
    }
}

impl Counted for crate::load::fetch::Reading {
    fn reset(&mut self) {
        self.meter = Meter::default();
    }

    fn moved(&self) -> u64 {
        // Reading fills neither the disk nor the cache.
        0
    }
}

impl Counted for crate::load::mixed::Mixed {
    fn reset(&mut self) {
        crate::load::mixed::Mixed::reset(self);
    }

    fn moved(&self) -> u64 {
        self.producing.meter.bytes
    }

    fn done(&self) -> bool {
        self.reading.finished > 0
    }
}

/// Starts the load, warms up and measures one window. Requests under way at its end stay so.
///
/// # Errors
/// As the load's.
pub fn measure(settings: &Settings, peer: &Peer, wire: &mut Wire, load: &mut impl Counted) -> Result<Window> {
    load.start(wire)?;
    wire.run(wire.now() + settings.warm.as_nanos() as u64, load)?;
    again(settings, peer, wire, load)
}

/// Measures one window of a load that runs.
///
/// # Errors
/// As the load's.
pub fn again(settings: &Settings, peer: &Peer, wire: &mut Wire, load: &mut impl Counted) -> Result<Window> {
    load.reset();
    let (begun, before) = (wire.now(), peer.cpu()?);
    let until = begun + settings.window.as_nanos() as u64;
    while wire.now() < until && load.moved() < settings.bytes_max && !load.done() {
        wire.run(until.min(wire.now() + SLICE), load)?;
    }
    let seconds = Duration::from_nanos(wire.now() - begun).as_secs_f64();
    let cpu = peer.cpu()?.zip(before).map(|(after, before)| after - before);
    Ok(Window { seconds, cpu })
}

/// Waits for what is under way, and holds what was acknowledged against what the broker says it has.
///
/// # Errors
/// The broker has fewer or more records than it acknowledged.
pub fn verify(peer: &Peer, topic: &str, acked: &[u64]) -> Result<()> {
    let ends = Caller::connect(peer.address)?.ends(topic, i32::try_from(acked.len())?)?;
    for (index, (end, acked)) in ends.iter().zip(acked).enumerate() {
        ensure!(
            u64::try_from(*end)? == *acked,
            "{} acknowledged {acked} records of {topic}-{index} and has {end}",
            peer.spec.name
        );
    }
    Ok(())
}

/// Makes a topic, lets `work` have it, and deletes it again.
///
/// # Errors
/// What `work` gives, and what the broker says to topics.
pub fn with_topic<T>(
    peer: &Peer,
    topic: &str,
    partitions: i32,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    with_topics(peer, [topic], partitions, work)
}

/// As [`with_topic`] for work of several windows, a topic for each: nothing is made or deleted between them, since a
/// broker deletes files long after it has answered, and the next window would pay for it.
///
/// # Errors
/// As of [`with_topic`].
pub fn with_topics<T, const N: usize>(
    peer: &Peer,
    topics: [&str; N],
    partitions: i32,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut caller = Caller::connect(peer.address)?;
    for topic in topics {
        caller.create(topic, partitions)?;
    }
    let done = work()?;
    // A connection that was quiet for so long may be closed.
    let mut caller = Caller::connect(peer.address)?;
    for topic in topics {
        caller.delete(topic)?;
    }
    Ok(done)
}
