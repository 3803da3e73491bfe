//! `logboom segment compact`

use super::super::Machine;
use super::super::failure::Failure;
use super::super::output::{Output, thousands};
use super::args::CompactArgs;
use super::stop::Stop;
use super::{cannot_read, interrupted, lock, lock_around, progress};
use crate::config::{Unit, to_bare_number};
use crate::inspect::place::{LogPlace, Target, partition_of};
use crate::log::local::clean::{
    CleanError, CleanSettings, CleanerLimits, OfflineError, OfflineOptions, OfflineReport, Pace,
    clean_offline, offline_segments,
};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Time for which the last batches of a producer are remembered, as a broker does by default.
const PRODUCER_EXPIRATION_MS: i64 = 86_400_000;
/// A map smaller than this takes a pass for every few thousand keys.
const MEMORY_MIN: u64 = 1 << 20;

/// Compacts what the arguments name.
pub fn run(args: &CompactArgs, output: Output, machine: &Machine) -> Result<(), Failure> {
    let fs = machine.fs.as_ref();
    let stop = Stop::listen()?;
    let target = Target::of(fs, &args.path).map_err(|error| cannot_read(&args.path, &error))?;
    let options = options(args, machine)?;
    let (partitions, _lock) = match &target {
        Target::Partition(partition) => {
            let lock = if args.dry_run { None } else { lock_around(fs, &partition.path)? };
            (vec![partition.path.clone()], lock)
        }
        Target::Log(log) => {
            let lock = if args.dry_run { None } else { Some(lock(fs, &log.path)?) };
            (chosen(log, args)?, lock)
        }
        Target::File(_) => return Err(no_directory(&args.path)),
    };
    let mut done = Vec::new();
    for path in &partitions {
        let segments = offline_segments(fs, path).map_err(|error| cannot_read(path, &error))?;
        let bytes: u64 = segments.iter().map(|segment| segment.size).sum();
        // Every byte is read twice: for its keys, and to be copied.
        let pace =
            Shown { bar: progress::bar(bytes.saturating_mul(2), "compacting", output), stop: stop.clone() };
        let report = clean_offline(&machine.fs, &machine.rng, path, &options, &pace);
        pace.bar.finish_and_clear();
        let report = report.map_err(|error| failed(path, error))?;
        if !output.json {
            output.line(&text(path, &report, args.dry_run))?;
        }
        done.push(report_json(path, &report));
    }
    if output.json {
        return output.line(&json!({ "dry_run": args.dry_run, "partitions": done }).to_string());
    }
    if args.dry_run {
        output.say("nothing was changed; do it without --dry-run");
    }
    Ok(())
}

fn no_directory(path: &Path) -> Failure {
    Failure::new("LB0101", format!("{} is no directory of a partition or of a log", path.display())).usage()
}

/// The partitions of a log directory that were asked for.
fn chosen(log: &LogPlace, args: &CompactArgs) -> Result<Vec<PathBuf>, Failure> {
    let wanted = |path: &&PathBuf| {
        partition_of(path).is_some_and(|name| match args.all {
            true => !name.topic.starts_with("__"),
            false => args.topic.iter().any(|topic| **topic == *name.topic),
        })
    };
    let found: Vec<PathBuf> = log.partitions.iter().filter(wanted).cloned().collect();
    match found.is_empty() {
        true => Err(Failure::new("LB0101", format!("no partition of {} was named", log.path.display()))
            .help("--topic TOPIC, or --all; only topics that are meant to be compacted: of each key one record stays")
            .usage()),
        false => Ok(found),
    }
}

fn options(args: &CompactArgs, machine: &Machine) -> Result<OfflineOptions, Failure> {
    let wrong =
        |flag: &str, text: &str| Failure::new("LB0101", format!("{flag} does not take `{text}`")).usage();
    let number = |text: &str, unit| match to_bare_number(text, unit) {
        Ok(Some(number)) => Some(number),
        Ok(None) => text.parse().ok(),
        Err(_) => None,
    };
    let memory = number(&args.memory, Unit::Bytes).and_then(|bytes| u64::try_from(bytes).ok());
    let memory = memory.filter(|bytes| *bytes >= MEMORY_MIN).and_then(|bytes| usize::try_from(bytes).ok());
    let memory = memory.ok_or_else(|| wrong("--memory", &args.memory).help("at least 1MiB"))?;
    let retention = number(&args.delete_retention, Unit::Milliseconds).filter(|ms| *ms >= 0);
    let delete_retention_ms = retention.ok_or_else(|| wrong("--delete-retention", &args.delete_retention))?;
    Ok(OfflineOptions {
        settings: CleanSettings { delete_retention_ms, ..CleanSettings::default() },
        limits: CleanerLimits { map_bytes: memory, ..CleanerLimits::default() },
        now: machine.clock.wall(),
        producer_expiration_ms: PRODUCER_EXPIRATION_MS,
        is_dry_run: args.dry_run,
    })
}

/// A bar, and Ctrl-C between two chunks.
struct Shown {
    bar: ProgressBar,
    stop: Stop,
}

impl Pace for Shown {
    fn moved(&self, bytes_read: u64, _: u64) -> ControlFlow<()> {
        self.bar.inc(bytes_read);
        if self.stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn failed(path: &Path, error: OfflineError) -> Failure {
    if matches!(error, OfflineError::Clean(CleanError::Stopped)) {
        return interrupted().help("what was compacted so far stays; the same call goes on");
    }
    let failure = Failure::new("LB0706", format!("cannot compact {}: {error}", path.display()));
    match error {
        OfflineError::Clean(CleanError::Damaged { .. }) => {
            failure.help(format!("see what is damaged:  logboom segment verify {}", path.display()))
        }
        _ => failure,
    }
}

fn text(path: &Path, report: &OfflineReport, dry_run: bool) -> String {
    let OfflineReport { bytes_before, bytes_after, segments_before, segments_after, stats, passes, .. } =
        report;
    let gain = bytes_before.saturating_sub(*bytes_after);
    let share = gain as f64 * 100.0 / (*bytes_before).max(1) as f64;
    let would = if dry_run { "would go" } else { "went" };
    format!(
        "{}: {} of {} bytes {would} ({share:.1} %), {} of {} records; \
         {segments_before} segments, {segments_after} after; \
         {passes} passes; keys unique below offset {}",
        path.display(),
        thousands(gain),
        thousands(*bytes_before),
        thousands(stats.records_read.saturating_sub(stats.records_written)),
        thousands(stats.records_read),
        report.cleaned_until
    )
}

fn report_json(path: &Path, report: &OfflineReport) -> Value {
    json!({
        "path": path.display().to_string(),
        "bytes_before": report.bytes_before,
        "bytes_after": report.bytes_after,
        "segments_before": report.segments_before,
        "segments_after": report.segments_after,
        "records_read": report.stats.records_read,
        "records_written": report.stats.records_written,
        "passes": report.passes,
        "cleaned_until": report.cleaned_until.0,
        "active": report.active.0,
    })
}
