//! The disk alone: one writer that appends to a file and syncs once a MiB. What is durable cannot be faster than this.

use super::{MIB, Settings};
use crate::load::meter::Meter;
use crate::sample::Sample;
use anyhow::Result;
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

/// The name in the table.
pub const DISK: &str = "disk";

/// As fast as it goes, beside `produce`.
pub fn sequential(settings: &Settings) -> Result<Sample> {
    let (seconds, bytes, meter) = write(settings, 1 << 20, None)?;
    Ok(Sample::from([
        ("MiB/s", bytes as f64 / MIB / seconds),
        ("p50 ms", meter.percentile(50.0)),
        ("p99 ms", meter.percentile(99.0)),
    ]))
}

/// Small syncs at a modest rate, beside `end-to-end`: what one sync takes.
pub fn syncs(settings: &Settings) -> Result<Sample> {
    let (_, _, meter) = write(settings, 512, Some(Duration::from_millis(1)))?;
    Ok(Sample::from([("sync p50 ms", meter.percentile(50.0)), ("sync p99 ms", meter.percentile(99.0))]))
}

fn write(settings: &Settings, size: usize, pause: Option<Duration>) -> Result<(f64, u64, Meter)> {
    fs::create_dir_all(&settings.install.work)?;
    let path = settings.install.work.join("disk");
    let mut file = fs::File::create(&path)?;
    let data: Vec<u8> = (0..size).map(|at| (at * 31 % 251) as u8).collect();
    let mut meter = Meter::default();
    let begun = Instant::now();
    let mut bytes = 0;
    while begun.elapsed() < settings.window && bytes < settings.bytes_max {
        file.write_all(&data)?;
        let before = Instant::now();
        file.sync_data()?;
        meter.took(before.elapsed().as_nanos() as u64);
        bytes += size as u64;
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    drop(file);
    fs::remove_file(&path)?;
    Ok((seconds, bytes, meter))
}
