//! The plan: which step answers which finding, and what was asked for.

use super::cut::{CutError, CutPlace, cut, find, free_name};
use super::rebuild::{rebuild_epochs, rebuild_indexes, rebuild_seal};
use crate::inspect::place::{FileKind, PartitionPlace};
use crate::inspect::verify::{Finding, Grade, PartitionReport};
use crate::log::local::damage::{self, Damage, DamageKind, Damages};
use crate::log::local::seal::BuildError;
use crate::sys::{Fs, write_atomically};
use crate::types::{Offset, TimestampMs};
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What the operator asked for beyond what loses nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Refuse what is damaged.
    pub quarantine: bool,
    /// Cut the log at this offset.
    pub truncate_at: Option<Offset>,
}

/// A step of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// The log ends here from now on.
    Cut(CutPlace),
    /// Both indexes of a segment are made anew.
    Indexes {
        /// The segment.
        base: Offset,
        /// It takes no more records.
        closed: bool,
    },
    /// The seal of a segment is made anew.
    Seal {
        /// The segment.
        base: Offset,
        /// Where the next begins.
        end: Offset,
    },
    /// The epochs are made anew.
    Epochs {
        /// Of the records below.
        end: Offset,
    },
    /// A file is put aside that a broker makes anew by itself.
    Aside(PathBuf),
    /// Offsets are refused from now on.
    Quarantine(Vec<Damage>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Cut(CutPlace { at, base, byte, bytes }) => write!(
                f,
                "cut the log at offset {at}: segment {base} keeps {byte} bytes, {bytes} and all later segments are \
                 kept aside as .damaged"
            ),
            Step::Indexes { base, .. } => {
                write!(f, "make the indexes of segment {base} anew from its batches")
            }
            Step::Seal { base, .. } => write!(f, "seal segment {base} anew"),
            Step::Epochs { .. } => write!(f, "make leader-epoch-checkpoint anew from the batches"),
            Step::Aside(path) => write!(f, "put {} aside; a broker makes it anew", path.display()),
            Step::Quarantine(refused) => {
                write!(f, "refuse these offsets and serve all others:")?;
                refused.iter().try_for_each(|one| write!(f, " {}..{}", one.at, one.until))
            }
        }
    }
}

/// Why there is no plan, or why it could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The log cannot be cut there.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// Reading or writing failed.
    #[error(transparent)]
    Storage(#[from] io::Error),
    /// A segment that was sound is not any more.
    #[error("cannot seal: {0}")]
    Seal(#[from] BuildError),
}

/// What would be done about the findings of a report.
///
/// # Errors
/// The log cannot be cut where that was asked for, or reading failed.
pub fn plan(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    report: &PartitionReport,
    asked: Asked,
    now: TimestampMs,
) -> Result<Vec<Step>, RepairError> {
    let cut = asked.truncate_at.map(|at| find(fs, partition, at, report.end)).transpose()?;
    let stays = |base: i64| cut.is_none_or(|cut| base <= cut.base.0);
    let mut steps: Vec<Step> = cut.into_iter().map(Step::Cut).collect();
    let mut aside = BTreeSet::new();
    let mut epochs_wrong = false;
    for finding in report.all_findings().filter(|finding| finding.grade == Grade::Rebuildable) {
        match FileKind::of(&finding.file).0 {
            FileKind::Snapshot => drop(aside.insert(finding.file.clone())),
            FileKind::Epochs => epochs_wrong = true,
            _ => {}
        }
    }
    for (nth, segment) in report.segments.iter().enumerate().filter(|(_, segment)| stays(segment.base)) {
        let wrong = |kind| {
            let of_kind = |finding: &&Finding| {
                finding.grade == Grade::Rebuildable && FileKind::of(&finding.file).0 == kind
            };
            segment.findings.iter().any(|finding| of_kind(&finding))
        };
        let end = report.segments.get(nth + 1).map(|next| Offset(next.base));
        let base = Offset(segment.base);
        // A cut makes the indexes of its segment anew by itself.
        let cut_here = cut.is_some_and(|cut| cut.base == base);
        if !cut_here && (wrong(FileKind::OffsetIndex) || wrong(FileKind::TimeIndex)) {
            steps.push(Step::Indexes { base, closed: end.is_some() });
        }
        if let Some(end) = end.filter(|_| !cut_here && wrong(FileKind::Seal))
            && segment.damaged().next().is_none()
            && segment.gaps.is_empty()
            && segment.next == end.0
        {
            steps.push(Step::Seal { base, end });
        }
    }
    if epochs_wrong {
        steps.push(Step::Epochs { end: cut.map_or(Offset(i64::MAX), |cut| cut.at) });
    }
    steps.extend(aside.into_iter().map(Step::Aside));
    if asked.quarantine {
        steps.extend(refuse(report, cut.map(|cut| cut.at), now).map(Step::Quarantine));
    }
    Ok(steps)
}

/// Offsets of what is damaged and stays.
fn refuse(report: &PartitionReport, cut: Option<Offset>, now: TimestampMs) -> Option<Vec<Damage>> {
    let mut refused = Vec::new();
    for finding in report.all_findings().filter(|finding| finding.grade == Grade::Damage) {
        let (Some((from, until)), below) = (finding.offsets, cut.map_or(i64::MAX, |at| at.0)) else {
            continue;
        };
        let base = report
            .segments
            .iter()
            .rev()
            .find(|segment| segment.base <= from)
            .map_or(from, |found| found.base);
        if from < until && from < below {
            let bytes = finding.bytes.unwrap_or((0, 0));
            refused.push(Damage {
                at: Offset(from),
                until: Offset(until.min(below)),
                base: Offset(base),
                bytes: bytes.0..bytes.1,
                kind: if bytes.0 == bytes.1 { DamageKind::Missing } else { DamageKind::Wrong },
                why: finding.why.clone(),
                found: now,
            });
        }
    }
    refused.sort_by_key(|one| (one.base, one.bytes.start, one.bytes.end));
    refused.dedup_by(|later, kept| (later.at, later.until) == (kept.at, kept.until));
    (!refused.is_empty()).then_some(refused)
}

/// Does one step. The caller holds the lock of the log directory.
///
/// # Errors
/// Reading or writing failed; the directory is sound, and the same step may be tried again.
pub fn apply(fs: &dyn Fs, partition: &PartitionPlace, step: &Step) -> Result<(), RepairError> {
    match step {
        Step::Cut(place) => cut(fs, partition, place)?,
        Step::Indexes { base, closed } => rebuild_indexes(fs, partition, *base, *closed)?,
        Step::Seal { base, end } => rebuild_seal(fs, partition, *base, *end)?,
        Step::Epochs { end } => rebuild_epochs(fs, partition, *end)?,
        Step::Aside(path) => {
            fs.rename(path, &free_name(fs, path))?;
            fs.sync_dir(&partition.path)?;
        }
        Step::Quarantine(refused) => {
            let path = partition.path.join(damage::FILE);
            let known = if fs.exists(&path) { Damages::decode(&fs.read(&path)?) } else { None };
            let mut all = known.unwrap_or_default();
            for one in refused {
                all.add(one.clone());
            }
            write_atomically(fs, &path, &all.encode())?;
        }
    }
    Ok(())
}
