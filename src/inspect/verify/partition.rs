//! A partition: the files beside its segments, and whether the segments follow one another. Segments are judged one by
//! one; what they say of themselves is enough to judge the whole.

use super::finding::{Finding, Grade};
use super::segment::{Case, Promise, SegmentReport, judge};
use super::sides::SnapshotTruth;
use crate::inspect::entries::producers;
use crate::inspect::place::{FileKind, PartitionPlace};
use crate::log::local::epochs::{self, Epochs};
use crate::log::local::marks::Mark;
use crate::log::local::meta;
use crate::sys::{Fs, OpenHow};
use crate::types::Offset;
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// A snapshot of more producers than a broker could hold is not read.
const SNAPSHOT_BYTES_MAX: u64 = 256 << 20;

/// What is known of a partition from files of the log directory.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Known {
    /// Our durable mark.
    pub mark: Option<Mark>,
    /// The log is Kafka's own: nothing vouches for gaps but the cleaner's checkpoint.
    pub foreign: bool,
    /// The broker ended in good order, so that no tail is torn.
    pub clean: bool,
    /// Kafka's cleaner has been here.
    pub cleaned_to: Option<i64>,
    /// Offsets that Kafka's checkpoints promise: recovery point or high watermark, whichever is larger.
    pub promised_to: Option<i64>,
    /// Kafka's log start offset.
    pub start: Option<i64>,
}

/// A partition as it was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PartitionReport {
    /// Its directory.
    pub path: PathBuf,
    /// First offset of its first segment.
    pub start: i64,
    /// Offset behind its last sound batch.
    pub end: i64,
    /// Its segments.
    pub segments: Vec<SegmentReport>,
    /// What was found of the partition as a whole.
    pub findings: Vec<Finding>,
}

impl PartitionReport {
    /// Everything found, of segments and whole.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(self.segments.iter().flat_map(|segment| &segment.findings))
    }

    /// Runs of offsets of which nothing is damaged.
    pub fn safe(&self) -> Vec<(i64, i64)> {
        let mut bad: Vec<(i64, i64)> = self.segments.iter().flat_map(SegmentReport::damaged).collect();
        bad.extend(
            self.findings
                .iter()
                .filter(|finding| finding.grade == Grade::Damage)
                .filter_map(|finding| finding.offsets),
        );
        bad.sort_unstable();
        let mut safe = Vec::new();
        let mut from = self.start;
        for (first, behind) in bad {
            if first > from {
                safe.push((from, first.min(self.end)));
            }
            from = from.max(behind);
        }
        if from < self.end {
            safe.push((from, self.end));
        }
        safe.retain(|(from, to)| from < to);
        safe
    }
}

/// What verification asks of its caller.
pub struct Work<'a> {
    /// The file system.
    pub fs: &'a dyn Fs,
    /// Whether records are read.
    pub deep: bool,
    /// Told of bytes read; breaks when the work shall stop.
    pub pace: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
    /// A report of an earlier run on the same file, as long as now.
    pub done: &'a dyn Fn(&std::path::Path, u64) -> Option<SegmentReport>,
    /// Told of every report.
    pub keep: &'a mut dyn FnMut(&SegmentReport),
}

/// Judges a partition; none if it was asked to stop.
///
/// # Errors
/// Reading failed.
pub fn judge_partition(
    work: &mut Work<'_>,
    partition: &PartitionPlace,
    known: &Known,
) -> io::Result<Option<PartitionReport>> {
    let mut findings = Vec::new();
    let epochs = read_epochs(work.fs, partition, &mut findings)?;
    let producers = read_producers(work.fs, partition, &mut findings)?;
    check_names(work.fs, partition, known, &mut findings)?;
    let mut segments = Vec::new();
    for (nth, base) in partition.bases.iter().enumerate() {
        let next_base = partition.bases.get(nth + 1).copied();
        let case = Case {
            fs: work.fs,
            partition,
            base: *base,
            next_base,
            epochs: epochs.as_ref(),
            producers: &producers,
            promise: promise(known, *base, next_base),
            deep: work.deep,
        };
        match one(work, &case)? {
            Step::Report(report) => segments.push(*report),
            Step::Gone(finding) => findings.push(finding),
            Step::Stopped => return Ok(None),
        }
    }
    let start = partition.bases.first().map_or(0, |base| base.0);
    let end = segments.last().map_or(start, |last| last.next);
    let mut report = PartitionReport { path: partition.path.clone(), start, end, segments, findings };
    check_chain(&mut report, known);
    check_epochs(&mut report, epochs.as_ref());
    Ok(Some(report))
}

enum Step {
    Report(Box<SegmentReport>),
    Gone(Finding),
    Stopped,
}

fn one(work: &mut Work<'_>, case: &Case<'_>) -> io::Result<Step> {
    let path = case.partition.segment(case.base, "log");
    let size = case.partition.size(case.fs, case.base, "log")?;
    if let Some(report) = size.and_then(|size| (work.done)(&path, size)) {
        let _ = (work.pace)(report.size);
        return Ok(Step::Report(Box::new(report)));
    }
    match judge(case, work.pace) {
        Ok(Some(report)) => {
            (work.keep)(&report);
            Ok(Step::Report(Box::new(report)))
        }
        Ok(None) => Ok(Step::Stopped),
        // Retention or compaction of a running broker took it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Step::Gone(Finding::new(&path, Grade::Note, "gone since the directory was listed")))
        }
        Err(error) => Err(error),
    }
}

fn promise(known: &Known, base: Offset, next: Option<Offset>) -> Promise {
    match known.mark {
        Some(mark) if mark.point.base == base => Promise::Below(mark.point),
        Some(mark) if mark.point.base < base => {
            Promise::Below(crate::log::local::marks::Point::start_of(base))
        }
        _ if next.is_some() || known.clean => Promise::Whole,
        _ => Promise::Unknown,
    }
}

fn read_epochs(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    findings: &mut Vec<Finding>,
) -> io::Result<Option<Epochs>> {
    let path = partition.path.join(epochs::FILE);
    if !fs.exists(&path) {
        return Ok(None);
    }
    let parsed = Epochs::parse(&fs.read(&path)?);
    if parsed.is_none() {
        findings.push(Finding::new(&path, Grade::Rebuildable, "not whole, or its lines do not ascend"));
    }
    Ok(parsed)
}

fn read_producers(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    findings: &mut Vec<Finding>,
) -> io::Result<SnapshotTruth> {
    let mut truth = SnapshotTruth::new();
    for path in partition.of_kind(FileKind::Snapshot) {
        let at = FileKind::number(path).map_or(0, |at| at.0);
        let read = match fs.open(path, OpenHow::Read)?.size()? {
            size if size > SNAPSHOT_BYTES_MAX => Err("larger than a snapshot can be".to_owned()),
            _ => producers(&fs.read(path)?),
        };
        match read {
            Err(why) => findings.push(Finding::new(path, Grade::Rebuildable, why)),
            Ok(entries) => {
                for entry in entries {
                    if entry.last_offset >= at {
                        let why = format!(
                            "offset {} of producer {} is not below {at}",
                            entry.last_offset, entry.id
                        );
                        findings
                            .push(Finding::new(path, Grade::Rebuildable, why).at(entry.at, entry.at + 46));
                    }
                    truth.entry(entry.last_offset).or_default().push((entry, path.clone()));
                }
            }
        }
    }
    truth.remove(&-1);
    Ok(truth)
}

fn check_names(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    known: &Known,
    findings: &mut Vec<Finding>,
) -> io::Result<()> {
    let path = partition.path.join(meta::PARTITION_FILE);
    if fs.exists(&path) {
        if meta::parse_partition(&fs.read(&path)?).is_none() {
            findings.push(Finding::new(&path, Grade::Damage, "no topic id"));
        }
    } else if known.mark.is_some() || known.foreign {
        findings.push(Finding::new(&path, Grade::Rebuildable, "missing"));
    }
    let mut leftovers = partition.files.iter().filter(|file| FileKind::of(file).1);
    if let Some(first) = leftovers.next() {
        let more = leftovers.count();
        let why = format!("a leftover, and {more} more in the directory: the next start removes them");
        findings.push(Finding::new(first, Grade::Note, why));
    }
    let unknown = partition.files.iter().filter(|file| FileKind::of(file) == (FileKind::Unknown, false));
    findings.extend(unknown.map(|file| Finding::new(file, Grade::Note, "not a file of a log")));
    Ok(())
}

/// Whether segments follow one another, and whether all that is promised is there.
fn check_chain(report: &mut PartitionReport, known: &Known) {
    let mut found = Vec::new();
    for (nth, segment) in report.segments.iter().enumerate() {
        let sealed = segment.sealed_to.is_some() && segment.damaged().next().is_none();
        for gap in &segment.gaps {
            found.extend(judge_gap(&segment.path, *gap, sealed, known));
        }
        if let Some(next) = report.segments.get(nth + 1) {
            // Damage at its end was given all offsets up to here.
            let covered = segment.damaged().map(|(_, behind)| behind).max().unwrap_or(segment.next);
            let gap = (segment.next.max(covered), next.base);
            if gap.0 < gap.1 {
                found.extend(judge_gap(&segment.path, gap, segment.sealed_to == Some(next.base), known));
            }
        }
    }
    let missing =
        |from: i64, until: i64, why: String| Finding::new(&report.path, Grade::Damage, why).of(from, until);
    let wanted_start =
        known.mark.map(|mark| mark.start.0).or(known.start).filter(|start| *start < report.start);
    if let Some(start) = wanted_start {
        found.push(missing(
            start,
            report.start,
            format!("the log starts at {start}, and no segment holds that"),
        ));
    }
    if let Some(mark) = known.mark {
        let there = report.segments.iter().any(|segment| segment.base == mark.point.base.0);
        if !there {
            let why = format!(
                "the segment at {} is missing, which is durable up to {}",
                mark.point.base, mark.point.end
            );
            found.push(missing(mark.point.base.0, mark.point.end.0, why));
        }
    }
    if let Some(end) = known.promised_to.filter(|end| *end > report.end) {
        found.push(missing(report.end, end, format!("a checkpoint promises offsets up to {end}")));
    }
    report.findings.extend(found);
}

/// Whether somebody vouches for offsets that no batch stands for.
fn judge_gap(path: &std::path::Path, gap: (i64, i64), sealed: bool, known: &Known) -> Option<Finding> {
    let cleaned = known.cleaned_to.is_some_and(|to| gap.1 <= to);
    if sealed || cleaned {
        return None;
    }
    let ours = known.mark.is_some() && !known.foreign;
    let (grade, why) = match ours {
        true => (Grade::Damage, "no batch has these offsets, and no seal says that they were cleaned"),
        false => {
            (Grade::Note, "no batch has these offsets: as compaction leaves it, if the topic is compacted")
        }
    };
    Some(Finding::new(path, grade, why).of(gap.0, gap.1))
}

fn check_epochs(report: &mut PartitionReport, epochs: Option<&Epochs>) {
    if let Some(start) = epochs.and_then(Epochs::last_start).filter(|start| start.0 > report.end) {
        let why = format!("an epoch begins at {start}, and the log ends at {}", report.end);
        let path = report.path.join(epochs::FILE);
        report.findings.push(Finding::new(&path, Grade::Rebuildable, why));
    }
}
