//! From nothing to the first answer.

use super::{MIB, Settings, put};
use crate::peer::Spec;
use crate::sample::{Metric, Sample, less};
use anyhow::Result;
use std::time::Duration;

pub const METRICS: &[Metric] = &[less("start ms").charted(), less("resident MiB").charted()];

/// Until memory at rest is looked at.
const REST: Duration = Duration::from_secs(2);

/// Starts it once.
pub fn run(settings: &Settings, spec: &Spec) -> Result<Sample> {
    let peer = spec.start(&settings.install, "start")?;
    std::thread::sleep(REST);
    let mut sample = Sample::new();
    sample.insert("start ms", peer.start_seconds * 1000.0);
    put(&mut sample, "resident MiB", peer.resident()?.map(|bytes| bytes as f64 / MIB));
    Ok(sample)
}
