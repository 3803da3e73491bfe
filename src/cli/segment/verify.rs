//! `logboom segment verify`

use super::super::Machine;
use super::super::failure::Failure;
use super::super::output::{Output, thousands};
use super::args::VerifyArgs;
use super::state::State;
use super::stop::Stop;
use super::{DAMAGED, cannot_read, interrupted, progress};
use crate::inspect::dump::files_of;
use crate::inspect::place::{FileKind, PartitionPlace, Target, size_of};
use crate::inspect::verify::{
    Finding, Grade, Known, LogKnown, PartitionReport, SegmentReport, Work, judge_file, judge_partition,
    known_around,
};
use crate::sys::Fs;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// Checks what the arguments name.
pub fn run(args: &VerifyArgs, output: Output, machine: &Machine) -> Result<(), Failure> {
    let stop = Stop::listen()?;
    let work = if args.shallow { "verify --shallow" } else { "verify" };
    let state = State::open(Arc::clone(&machine.fs), args.resume.as_deref(), work)?;
    let bytes = log_bytes(machine.fs.as_ref(), &args.paths)?;
    let mut check = Check {
        fs: machine.fs.as_ref(),
        deep: !args.shallow,
        state: RefCell::new(state),
        stop,
        bar: progress::bar(bytes, "verifying", output),
        findings: Vec::new(),
        partitions: Vec::new(),
    };
    let mut whole = true;
    for path in &args.paths {
        whole = check.path(path).map_err(|error| cannot_read(path, &error))?;
        if !whole {
            break;
        }
    }
    check.bar.finish_and_clear();
    let Check { state, findings, partitions, .. } = check;
    let mut state = state.into_inner();
    state.write()?;
    if !whole {
        let failure = interrupted();
        return Err(match state.path() {
            Some(path) => failure.help(format!("go on:  the same call with --resume {}", path.display())),
            None => failure.help("with --resume FILE it could go on from here"),
        });
    }
    report(&findings, &partitions, output)
}

/// Bytes of the `.log` files under some paths.
pub fn log_bytes(fs: &dyn Fs, paths: &[std::path::PathBuf]) -> Result<u64, Failure> {
    let mut bytes = 0;
    for path in paths {
        for file in files_of(fs, path).map_err(|error| cannot_read(path, &error))? {
            if FileKind::of(&file).0 == FileKind::Log {
                bytes += size_of(fs, &file).map_err(|error| cannot_read(&file, &error))?.unwrap_or(0);
            }
        }
    }
    Ok(bytes)
}

struct Check<'a> {
    fs: &'a dyn Fs,
    deep: bool,
    state: RefCell<State<SegmentReport>>,
    stop: Stop,
    bar: ProgressBar,
    /// Of files that belong to no partition.
    findings: Vec<Finding>,
    partitions: Vec<PartitionReport>,
}

impl Check<'_> {
    /// True unless it was asked to stop.
    fn path(&mut self, path: &Path) -> std::io::Result<bool> {
        match Target::of(self.fs, path)? {
            Target::File(file) => {
                let found = self.with_work(|work| judge_file(work, &file))?;
                let whole = found.is_some();
                self.findings.extend(found.unwrap_or_default());
                Ok(whole)
            }
            Target::Partition(partition) => {
                let known = known_around(self.fs, &partition)?;
                self.partition(&partition, &known)
            }
            Target::Log(log) => {
                let known = LogKnown::read(self.fs, &log, &mut self.findings)?;
                for path in &log.partitions {
                    let partition = match PartitionPlace::read(self.fs, path) {
                        // The topic was deleted meanwhile.
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                        read => read?,
                    };
                    if !self.partition(&partition, &known.of(self.fs, &partition))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn partition(&mut self, partition: &PartitionPlace, known: &Known) -> std::io::Result<bool> {
        let report = self.with_work(|work| judge_partition(work, partition, known))?;
        let whole = report.is_some();
        self.partitions.extend(report);
        Ok(whole)
    }

    fn with_work<T>(&self, work: impl FnOnce(&mut Work<'_>) -> T) -> T {
        let (stop, bar, state) = (&self.stop, &self.bar, &self.state);
        work(&mut Work {
            fs: self.fs,
            deep: self.deep,
            pace: &mut |bytes| {
                bar.inc(bytes);
                if stop.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
            done: &|path, size| state.borrow().done(path, size),
            keep: &mut |report| state.borrow_mut().keep(&report.path, report.size, report),
        })
    }
}

fn report(loose: &[Finding], partitions: &[PartitionReport], output: Output) -> Result<(), Failure> {
    let all = || loose.iter().chain(partitions.iter().flat_map(PartitionReport::all_findings));
    match output.json {
        true => {
            for partition in partitions {
                output.line(&partition_json(partition).to_string())?;
            }
            output.line(&summary_json(loose, partitions).to_string())?;
        }
        false => print_text(loose, partitions, output)?,
    }
    let count = |grade| all().filter(|finding| finding.grade == grade).count();
    match (count(Grade::Damage), count(Grade::Rebuildable)) {
        (0, 0) => Ok(()),
        (0, side) => {
            Err(Failure::new(DAMAGED, format!("no record is lost; files beside them are wrong ({side})"))
                .help("make them anew:  logboom segment repair PARTITION"))
        }
        (damage, _) => Err(Failure::new(DAMAGED, format!("damaged in {damage} places"))
            .help("keep the rest readable:  logboom segment repair PARTITION --quarantine")),
    }
}

fn partition_json(partition: &PartitionReport) -> Value {
    let sum = |of: fn(&SegmentReport) -> u64| partition.segments.iter().map(of).sum::<u64>();
    json!({
        "kind": "partition",
        "path": partition.path.display().to_string(),
        "start_offset": partition.start,
        "end_offset": partition.end,
        "segments": partition.segments.len(),
        "bytes": sum(|segment| segment.size),
        "batches": sum(|segment| segment.batches),
        "records": sum(|segment| segment.records),
        "findings": partition.all_findings().map(finding_json).collect::<Vec<_>>(),
        "safe_offsets": partition.safe(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "file": finding.file.display().to_string(),
        "grade": grade(finding.grade),
        "bytes": finding.bytes,
        "offsets": finding.offsets,
        "why": finding.why,
    })
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Note => "note",
        Grade::Rebuildable => "rebuildable",
        Grade::Damage => "damage",
    }
}

fn summary_json(loose: &[Finding], partitions: &[PartitionReport]) -> Value {
    let all = || loose.iter().chain(partitions.iter().flat_map(PartitionReport::all_findings));
    let count = |grade| all().filter(|finding| finding.grade == grade).count();
    json!({
        "kind": "summary",
        "partitions": partitions.len(),
        "findings": loose.iter().map(finding_json).collect::<Vec<_>>(),
        "damage": count(Grade::Damage),
        "rebuildable": count(Grade::Rebuildable),
        "notes": count(Grade::Note),
    })
}

fn print_text(loose: &[Finding], partitions: &[PartitionReport], output: Output) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for partition in partitions {
        let sum = |of: fn(&SegmentReport) -> u64| thousands(partition.segments.iter().map(of).sum::<u64>());
        lines.push(format!(
            "{}: offsets {}..{}, {} segments, {} batches, {} records, {} bytes",
            partition.path.display(),
            partition.start,
            partition.end,
            partition.segments.len(),
            sum(|segment| segment.batches),
            sum(|segment| segment.records),
            sum(|segment| segment.size)
        ));
        let findings: Vec<&Finding> = partition.all_findings().collect();
        lines.extend(findings.iter().map(|finding| finding_text(finding)));
        if findings.iter().any(|finding| finding.grade == Grade::Damage) {
            let safe: Vec<String> =
                partition.safe().iter().map(|(from, to)| format!("{from}..{to}")).collect();
            lines.push(format!(
                "  safe offsets: {}",
                if safe.is_empty() { "none".to_owned() } else { safe.join(", ") }
            ));
        }
    }
    lines.extend(loose.iter().map(finding_text));
    match lines.is_empty() {
        true => output.line("sound"),
        false => output.line(&lines.join("\n")),
    }
}

fn finding_text(finding: &Finding) -> String {
    let word = match finding.grade {
        Grade::Note => "note   ",
        Grade::Rebuildable => "wrong  ",
        Grade::Damage => "DAMAGED",
    };
    let mut line = format!("  {word}  {}", finding.file.display());
    if let Some((from, to)) = finding.bytes {
        line += &format!("  bytes {from}..{to}");
    }
    if let Some((from, to)) = finding.offsets {
        line += &format!("  offsets {from}..{to}");
    }
    format!("{line}  {}", finding.why)
}
