//! What the kernel says that a process used. Processor time is the process's CPU clock: user and system of all its
//! threads, ended ones too, in nanoseconds; work that the kernel does later in its own threads (writing dirty pages
//! back) is in nobody's account.

use anyhow::{Context, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::fs;
use std::time::{Duration, Instant};

/// Pages on their way to the disk below which a round begins.
const DIRTY_MAX: u64 = 64 << 20;
/// How long is waited for that.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// Processor seconds of a process since it started.
///
/// # Errors
/// There is no such process.
pub fn cpu_seconds(pid: i32) -> Result<f64> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid)).with_context(|| format!("process {pid}"))?;
    let time = Duration::from(clock_gettime(clock)?);
    Ok(time.as_secs_f64())
}

/// Resident bytes now: what is mapped from files too.
///
/// # Errors
/// There is no such process, or it is not ours to ask.
pub fn resident(pid: i32) -> Result<u64> {
    kib(&format!("/proc/{pid}/smaps_rollup"), "Rss:")
}

/// The most that was resident since the start.
///
/// # Errors
/// As [`resident`].
pub fn resident_peak(pid: i32) -> Result<u64> {
    kib(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// Waits until most of what was written is on the disk, so that one round does not pay for another.
///
/// # Errors
/// The kernel does not say.
pub fn settle() -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < SETTLE_MAX
        && kib("/proc/meminfo", "Dirty:")? + kib("/proc/meminfo", "Writeback:")? > DIRTY_MAX
    {
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// The value of a line of a file of the kernel, from KiB into bytes.
fn kib(path: &str, key: &str) -> Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let value = line
        .and_then(|rest| rest.split_whitespace().next())
        .with_context(|| format!("no {key} in {path}"))?;
    Ok(value.parse::<u64>()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen_in_the_clock_and_memory_in_the_resident_set() {
        let me = std::process::id() as i32;
        let before = cpu_seconds(me).unwrap();
        let mut sum = 0u64;
        while cpu_seconds(me).unwrap() < before + 0.02 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(resident(me).unwrap() > 100_000);
        assert!(resident_peak(me).unwrap() > 100_000);
    }
}
