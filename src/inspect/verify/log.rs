//! What the files of a log directory say of its partitions, and whether they can be read. Both ours and Kafka's.

use super::finding::{Finding, Grade};
use super::partition::{Known, Work};
use super::segment::{Case, Promise, judge};
use crate::inspect::entries::{Entry, offsets, read_entries};
use crate::inspect::place::{FileKind, LogPlace, PartitionPlace, Target, partition_of};
use crate::inspect::walk::{Found, LogWalk};
use crate::log::local::marks::{self, Marks};
use crate::log::local::meta;
use crate::sys::{Fs, OpenHow};
use crate::types::TopicPartition;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// A checkpoint or the marks of more partitions than a broker could hold are not read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What the files of a log directory say.
#[derive(Default)]
pub struct LogKnown {
    marks: Option<Marks>,
    /// By name of the checkpoint.
    checkpoints: BTreeMap<&'static str, BTreeMap<TopicPartition, i64>>,
    clean: bool,
    foreign: bool,
}

const CLEANER: &str = "cleaner-offset-checkpoint";
const RECOVERY: &str = "recovery-point-offset-checkpoint";
const START: &str = "log-start-offset-checkpoint";
const WATERMARK: &str = "replication-offset-checkpoint";

impl LogKnown {
    /// Reads them; what cannot be read goes to `findings`.
    pub fn read(fs: &dyn Fs, log: &LogPlace, findings: &mut Vec<Finding>) -> io::Result<LogKnown> {
        let mut known = LogKnown::default();
        for path in &log.files {
            let (kind, leftover) = FileKind::of(path);
            if leftover {
                findings.push(Finding::new(path, Grade::Note, "a leftover, which the next start removes"));
                continue;
            }
            if kind == FileKind::Unknown {
                findings.push(Finding::new(path, Grade::Note, "not a file of a log"));
                continue;
            }
            if matches!(kind, FileKind::Lock | FileKind::Own) {
                continue;
            }
            if fs.open(path, OpenHow::Read)?.size()? > FILE_BYTES_MAX {
                findings.push(Finding::new(path, Grade::Damage, "larger than such a file can be"));
                continue;
            }
            known.take(fs, path, kind, findings)?;
        }
        for path in &log.others {
            findings.push(Finding::new(path, Grade::Note, "not a partition, or one on its way out"));
        }
        known.foreign = known.marks.is_none() && !log.files.iter().any(|path| path.ends_with(marks::FILE));
        if !known.foreign {
            known.clean = false;
        }
        Ok(known)
    }

    fn take(
        &mut self,
        fs: &dyn Fs,
        path: &Path,
        kind: FileKind,
        findings: &mut Vec<Finding>,
    ) -> io::Result<()> {
        let bytes = fs.read(path)?;
        match kind {
            FileKind::Marks => {
                self.marks = Marks::decode(&bytes);
                if self.marks.is_none() {
                    let why = "no sound marks: the next start reads every log from its beginning";
                    findings.push(Finding::new(path, Grade::Rebuildable, why));
                }
                if self.marks.as_mut().is_some_and(|marks| marks.drop_impossible() > 0) {
                    let why =
                        "a mark that no log can have: the next start reads such a log from its beginning";
                    findings.push(Finding::new(path, Grade::Rebuildable, why));
                }
            }
            FileKind::MetaProperties if meta::Meta::parse(&bytes).is_none() => {
                findings.push(Finding::new(path, Grade::Damage, "no cluster, node and directory id"));
            }
            FileKind::OffsetCheckpoint => {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let name = [CLEANER, RECOVERY, START, WATERMARK].into_iter().find(|known| *known == name);
                match (name, offsets(&bytes)) {
                    (Some(name), Some(lines)) => {
                        let by_name = lines.into_iter().map(|line| {
                            (TopicPartition::new(line.topic.as_str(), line.partition), line.offset)
                        });
                        self.checkpoints.insert(name, by_name.collect());
                    }
                    _ => findings.push(Finding::new(path, Grade::Rebuildable, "not a whole checkpoint")),
                }
            }
            FileKind::Json if path.ends_with(".kafka_cleanshutdown") => self.clean = true,
            _ => {}
        }
        Ok(())
    }

    /// What they say of a partition.
    pub fn of(&self, fs: &dyn Fs, partition: &PartitionPlace) -> Known {
        let name = partition_of(&partition.path);
        let line = |file: &str| self.checkpoints.get(file)?.get(name.as_ref()?).copied();
        let mark = self.marks.as_ref().and_then(|marks| {
            let path = partition.path.join(meta::PARTITION_FILE);
            let id = fs.exists(&path).then(|| fs.read(&path).ok()).flatten();
            let id = id.and_then(|bytes| meta::parse_partition(&bytes))?;
            marks.by_partition.get(&(id, name.as_ref()?.partition)).copied()
        });
        Known {
            mark,
            foreign: self.foreign,
            clean: self.clean,
            cleaned_to: line(CLEANER),
            promised_to: line(RECOVERY).max(line(WATERMARK)),
            start: line(START),
        }
    }
}

/// What the log directory around a partition says of it; little, if it stands by itself.
///
/// # Errors
/// Reading failed.
pub fn known_around(fs: &dyn Fs, partition: &PartitionPlace) -> io::Result<Known> {
    let above = partition.path.parent().filter(|above| !above.as_os_str().is_empty());
    match Target::of(fs, above.unwrap_or(Path::new("."))) {
        Ok(Target::Log(log)) => Ok(LogKnown::read(fs, &log, &mut Vec::new())?.of(fs, partition)),
        Ok(_) => Ok(Known { foreign: true, ..Known::default() }),
        Err(error) => Err(error),
    }
}

/// Judges one file that was named by itself: what stands beside it is looked at, and nothing is known of promises. None
/// if it was asked to stop.
///
/// # Errors
/// Reading failed.
pub fn judge_file(work: &mut Work<'_>, path: &Path) -> io::Result<Option<Vec<Finding>>> {
    let (kind, leftover) = FileKind::of(path);
    let whole = (kind, leftover) == (FileKind::Log, false);
    if let Some(base) = FileKind::number(path).filter(|_| whole) {
        let here = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let partition = PartitionPlace::read(work.fs, here)?;
        let case = Case {
            fs: work.fs,
            partition: &partition,
            base,
            next_base: partition.bases.iter().copied().find(|next| *next > base),
            epochs: None,
            producers: &BTreeMap::new(),
            promise: Promise::Whole,
            deep: work.deep,
        };
        return Ok(judge(&case, work.pace)?.map(|report| report.findings));
    }
    let mut findings = Vec::new();
    if !matches!(kind, FileKind::Log | FileKind::MetadataSnapshot) {
        read_entries(work.fs, path, kind, &mut |entry| {
            if let Entry::Bad { at, until, why } = entry {
                findings.push(Finding::new(path, Grade::Rebuildable, why).at(at, until));
            }
            ControlFlow::Continue(())
        })?;
        return Ok(Some(findings));
    }
    let mut walk = LogWalk::open(work.fs, path)?;
    loop {
        let from = walk.position();
        let Some(found) = walk.find_next()? else { return Ok(Some(findings)) };
        if let Found::Damage { at, until, why, .. } | Found::Torn { at, until, why } = found {
            findings.push(Finding::new(path, Grade::Damage, why).at(at, until));
        }
        if (work.pace)(walk.position() - from).is_break() {
            return Ok(None);
        }
    }
}
