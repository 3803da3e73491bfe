//! One segment and all that stands beside it, judged in one pass over its batches. What it says of itself goes into a
//! report, so that a partition is judged from reports alone and a segment need not be read twice.

use super::finding::{Finding, Findings, Grade};
use super::sides::{OffsetTruth, SnapshotTruth, TimeTruth, check_epoch, check_producers};
use crate::inspect::place::{FileKind, PartitionPlace};
use crate::inspect::records::{HELD_BYTES_MAX, visit_records};
use crate::inspect::walk::{Found, LogWalk};
use crate::log::local::epochs::{self, Epochs};
use crate::log::local::marks::Point;
use crate::log::local::seal::{self, BLOCK, Seal, Side, Stored};
use crate::record::{BatchHeader, ControlType, read_records};
use crate::sys::{Fs, OpenHow};
use crate::types::Offset;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Gaps between batches that a report lists; the rest are counted as one.
const GAPS_MAX: usize = 1000;
/// A sealed file beside the batches is read whole for its checksum.
const SIDE_BYTES_MAX: u64 = 256 << 20;

/// What a segment is judged by.
pub struct Case<'a> {
    /// The file system.
    pub fs: &'a dyn Fs,
    /// The partition.
    pub partition: &'a PartitionPlace,
    /// The segment.
    pub base: Offset,
    /// Where the next one begins; none for the last.
    pub next_base: Option<Offset>,
    /// Epochs as their file has them.
    pub epochs: Option<&'a Epochs>,
    /// Producers as the snapshots have them.
    pub producers: &'a SnapshotTruth,
    /// What is promised of this segment; above it a write may be torn.
    pub promise: Promise,
    /// Whether records are read.
    pub deep: bool,
}

/// What is promised of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// All of it.
    Whole,
    /// What lies below the durable mark.
    Below(Point),
    /// Nothing is known: the log may have been in use when it ended, and its tail may be torn.
    Unknown,
}

/// What a segment says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SegmentReport {
    /// Its `.log` file.
    pub path: PathBuf,
    /// Base offset.
    pub base: i64,
    /// Bytes of the `.log` file.
    pub size: u64,
    /// Sound batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Offset of its first batch; none if it has none.
    pub first: Option<i64>,
    /// Offset behind its last sound batch; the base if it has none.
    pub next: i64,
    /// Runs of offsets within it that no batch stands for: first, and first behind.
    pub gaps: Vec<(i64, i64)>,
    /// Where the range that its seal vouches for ends, if it has a sound one.
    pub sealed_to: Option<i64>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl SegmentReport {
    /// Runs of offsets that are damaged, ascending.
    pub fn damaged(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.findings
            .iter()
            .filter(|finding| finding.grade == Grade::Damage)
            .filter_map(|finding| finding.offsets)
    }
}

/// Judges a segment; none if `pace`, which is told of bytes read, asked to stop.
///
/// # Errors
/// Reading failed.
pub fn judge(
    case: &Case<'_>,
    pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> io::Result<Option<SegmentReport>> {
    let path = case.partition.segment(case.base, "log");
    let walk = LogWalk::open(case.fs, &path)?.within(case.base, case.next_base.unwrap_or(Offset(i64::MAX)));
    let seal = case.seal();
    let mut pass = Pass::begin(case, path, walk.end(), seal)?;
    pass.check_blocks(pace)?;
    match pass.walk(walk, pace)? {
        true => pass.finish().map(Some),
        false => Ok(None),
    }
}

impl Case<'_> {
    fn seal(&self) -> Stored {
        seal::load(self.fs, &self.partition.path, self.base)
    }

    fn active(&self) -> bool {
        self.next_base.is_none()
    }
}

/// A block of the `.log` file that is not what the seal says.
struct BadBlock {
    bytes: (u64, u64),
    /// Bytes and offsets of the sound batches in it.
    batches: Option<((u64, u64), (i64, i64))>,
}

/// A pass under way.
struct Pass<'a> {
    case: &'a Case<'a>,
    report: SegmentReport,
    findings: Findings,
    sides: Vec<Finding>,
    offsets: Option<OffsetTruth>,
    times: Option<TimeTruth>,
    aborted: BTreeMap<i64, i64>,
    seal: Option<Seal>,
    /// Blocks that are not what the seal says, ascending.
    blocks: Vec<BadBlock>,
    /// Bytes that are no sound batch, ascending.
    broken: Vec<(u64, u64)>,
    /// A finding of damage whose last offset is not known before the next sound batch.
    open: Option<Finding>,
    epoch_wrong: bool,
    /// The mark's byte was seen to be the end of a batch.
    mark_met: bool,
}

impl<'a> Pass<'a> {
    fn begin(case: &'a Case<'a>, path: PathBuf, size: u64, stored: Stored) -> io::Result<Pass<'a>> {
        let beside = |suffix| case.partition.segment(case.base, suffix);
        let mut sides = Vec::new();
        if stored == Stored::Bad {
            sides.push(Finding::new(&beside("seal"), Grade::Rebuildable, "no sound seal of this segment"));
        }
        let seal = match stored {
            Stored::Sound(seal) => Some(seal),
            Stored::Bad | Stored::Missing => None,
        };
        let offsets = OffsetTruth::load(case.fs, beside("index"), case.base)?;
        let times = TimeTruth::load(case.fs, beside("timeindex"), case.base)?;
        for (there, suffix) in [(offsets.is_some(), "index"), (times.is_some(), "timeindex")] {
            if !there && !case.active() {
                sides.push(Finding::new(&beside(suffix), Grade::Rebuildable, "missing"));
            }
        }
        let mut pass = Pass {
            aborted: read_aborted(case.fs, &beside("txnindex"), &mut sides)?,
            case,
            report: SegmentReport {
                path,
                base: case.base.0,
                size,
                batches: 0,
                records: 0,
                first: None,
                next: case.base.0,
                gaps: Vec::new(),
                sealed_to: seal.as_ref().map(|seal| seal.end.0),
                findings: Vec::new(),
            },
            findings: Findings::default(),
            sides,
            offsets,
            times,
            seal,
            blocks: Vec::new(),
            broken: Vec::new(),
            open: None,
            epoch_wrong: false,
            mark_met: false,
        };
        pass.check_seal()?;
        Ok(pass)
    }

    /// What the seal says of the files as wholes.
    fn check_seal(&mut self) -> io::Result<()> {
        let Some(seal) = &self.seal else { return Ok(()) };
        let path = seal::seal_path(&self.case.partition.path, self.case.base);
        if let Some(next) = self.case.next_base.filter(|next| *next != seal.end) {
            let why =
                format!("it vouches for offsets up to {}, and the next segment begins at {next}", seal.end);
            self.sides.push(
                Finding::new(&path, Grade::Damage, why).of(seal.end.0.min(next.0), seal.end.0.max(next.0)),
            );
        }
        let size = self.report.size;
        if size < seal.body.size {
            let why = format!("{size} bytes, and {} were sealed", seal.body.size);
            let finding = Finding::new(&self.report.path, Grade::Damage, why).at(size, seal.body.size);
            self.open = Some(finding);
        } else if size > seal.body.size {
            let why = format!("{size} bytes, and {} were sealed", seal.body.size);
            self.sides
                .push(Finding::new(&self.report.path, Grade::Rebuildable, why).at(seal.body.size, size));
        }
        for (suffix, side) in [("index", seal.index), ("timeindex", seal.times)] {
            let path = self.case.partition.segment(self.case.base, suffix);
            if !matches_side(self.case.fs, &path, side)? {
                self.sides.push(Finding::new(&path, Grade::Rebuildable, "not the bytes that were sealed"));
            }
        }
        // What is missing at the end shows as damage of the last batch, or here if it ends between two.
        if let Some(finding) = self.open.take() {
            self.findings.push(finding.of(self.case.base.0, seal.end.0));
        }
        Ok(())
    }

    /// Bytes that the checksums of batches leave open are under those of the seal.
    fn check_blocks(&mut self, pace: &mut dyn FnMut(u64) -> ControlFlow<()>) -> io::Result<()> {
        let Some(seal) = &self.seal else { return Ok(()) };
        let file = self.case.fs.open(&self.report.path, OpenHow::Read)?;
        let mut chunk = vec![0; BLOCK as usize];
        for nth in 0..seal.body.blocks.len() as u64 {
            let at = nth * BLOCK;
            let want = seal.body.size.saturating_sub(at).min(BLOCK) as usize;
            let part = chunk.get_mut(..want).unwrap_or_default();
            let got = file.read_at(part, at)?;
            if got == want && !seal.holds(nth, part) {
                self.blocks.push(BadBlock { bytes: (at, at + got as u64), batches: None });
            }
            // The same bytes are read again for their batches, and counted then.
            if pace(0).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// True unless it was asked to stop.
    fn walk(&mut self, mut walk: LogWalk, pace: &mut dyn FnMut(u64) -> ControlFlow<()>) -> io::Result<bool> {
        loop {
            let from = walk.position();
            self.meet_mark(from);
            let Some(found) = walk.find_next()? else { break };
            match found {
                Found::Batch { at, header } => self.batch(&walk, at, &header)?,
                Found::Old { at, size, magic, offset } => {
                    let why =
                        format!("a message of magic {magic}: its checksum is right, more is not looked at");
                    let finding = Finding::new(&self.report.path, Grade::Note, why).at(at, at + size);
                    self.findings.push(finding.of(offset.0, offset.next().0));
                    self.advance(offset, offset.next());
                }
                Found::Zeros { at, until } => {
                    let finding =
                        Finding::new(&self.report.path, Grade::Note, "zeros: reserved, not written");
                    self.bad(finding.at(at, until), at, until);
                }
                Found::Torn { at, until, why } | Found::Damage { at, until, why, .. } => {
                    let finding = Finding::new(&self.report.path, Grade::Damage, why);
                    self.bad(finding.at(at, until), at, until);
                }
            }
            if pace(walk.position() - from).is_break() {
                return Ok(false);
            }
        }
        self.meet_mark(walk.position());
        Ok(true)
    }

    fn meet_mark(&mut self, at: u64) {
        if let Promise::Below(point) = self.case.promise
            && at == point.position
        {
            self.mark_met = true;
            if self.open.is_none() && self.report.next != point.end.0 && point.position > 0 {
                let why = format!(
                    "the mark has {} as the end here, and the batches end at {}",
                    point.end, self.report.next
                );
                let finding = Finding::new(&self.report.path, Grade::Damage, why).at(at, at);
                self.findings
                    .push(finding.of(self.report.next.min(point.end.0), self.report.next.max(point.end.0)));
            }
        }
    }

    /// Bytes that are no batch: damage if they were promised.
    fn bad(&mut self, finding: Finding, at: u64, until: u64) {
        self.broken.push((at, until));
        let last = self.case.active() && until >= self.report.size;
        let torn = match self.case.promise {
            Promise::Whole => false,
            Promise::Below(point) => at >= point.position,
            Promise::Unknown => last,
        };
        let mut finding = finding;
        if torn && finding.grade == Grade::Damage {
            finding.grade = Grade::Note;
            finding.why =
                format!("{}; it was not promised yet, and the next start of a broker cuts it", finding.why);
        } else if finding.grade == Grade::Note && !torn {
            finding.grade = Grade::Damage;
        }
        self.settle(self.report.next);
        self.open = Some(finding.of(self.report.next, self.report.next));
    }

    /// The range of offsets of the damage before is known.
    fn settle(&mut self, until: i64) {
        if let Some(mut finding) = self.open.take() {
            finding.offsets = finding.offsets.map(|(from, _)| (from, until.max(from)));
            self.findings.push(finding);
        }
    }

    fn advance(&mut self, first: Offset, next: Offset) {
        let damaged = self.open.is_some();
        self.settle(first.0);
        if first.0 > self.report.next && !damaged {
            let full = self.report.gaps.len() >= GAPS_MAX;
            match self.report.gaps.last_mut() {
                Some(last) if full => last.1 = first.0,
                _ => self.report.gaps.push((self.report.next, first.0)),
            }
        }
        self.report.first.get_or_insert(first.0);
        self.report.next = next.0;
    }

    fn batch(&mut self, walk: &LogWalk, at: u64, header: &BatchHeader) -> io::Result<()> {
        self.advance(header.base_offset, header.next_offset());
        self.report.batches += 1;
        self.report.records += u64::try_from(header.count).unwrap_or(0);
        let until = at + header.size as u64;
        let range = (header.base_offset.0, header.next_offset().0);
        self.suspect((at, until), range);
        if let Some(truth) = &mut self.offsets {
            truth.note(at, header);
        }
        if let Some(truth) = &mut self.times {
            truth.note(header);
        }
        check_producers(self.case.producers, header, &mut self.findings);
        if let Some(epochs) = self.case.epochs.filter(|_| !self.epoch_wrong) {
            let path = self.case.partition.path.join(epochs::FILE);
            if let Some(finding) = check_epoch(epochs, &path, header) {
                self.epoch_wrong = true;
                self.findings.push(finding);
            }
        }
        if self.case.deep {
            self.records(walk, at, header)?;
        }
        Ok(())
    }

    /// A batch whose own checksum is right lies in blocks that are not what was sealed.
    fn suspect(&mut self, bytes: (u64, u64), offsets: (i64, i64)) {
        let first = self.blocks.partition_point(|block| block.bytes.1 <= bytes.0);
        for block in self.blocks.iter_mut().skip(first).take_while(|block| block.bytes.0 < bytes.1) {
            block.batches = Some(match block.batches {
                Some((whole, all)) => ((whole.0, bytes.1), (all.0, offsets.1)),
                None => (bytes, offsets),
            });
        }
    }

    /// What the checksums of batches leave open is wrong in blocks where they find nothing wrong themselves.
    fn judge_blocks(&mut self) {
        for block in std::mem::take(&mut self.blocks) {
            let explained = self.broken.iter().any(|(from, to)| *from < block.bytes.1 && block.bytes.0 < *to);
            if let Some((bytes, offsets)) = block.batches.filter(|_| !explained) {
                let why = "offsets or epochs of these batches are not those that were sealed";
                let finding = Finding::new(&self.report.path, Grade::Damage, why).at(bytes.0, bytes.1);
                self.findings.push(finding.of(offsets.0, offsets.1));
            }
        }
    }

    fn records(&mut self, walk: &LogWalk, at: u64, header: &BatchHeader) -> io::Result<()> {
        let until = at + header.size as u64;
        if header.size > HELD_BYTES_MAX {
            let why =
                format!("the batch is larger than {HELD_BYTES_MAX} bytes: its records were not looked at");
            self.findings.push(Finding::new(&self.report.path, Grade::Note, why).at(at, until));
            return Ok(());
        }
        let bytes = walk.batch(at, header)?;
        if let Err(why) = visit_records(header, &bytes, HELD_BYTES_MAX, &mut |_| {}) {
            let finding = Finding::new(&self.report.path, Grade::Damage, why).at(at, until);
            self.findings.push(finding.of(header.base_offset.0, header.next_offset().0));
        }
        if let Some(producer) = self.aborted.get(&header.base_offset.0) {
            let abort = header.is_control() && is_abort(&bytes);
            if !abort && header.count > 0 || *producer != header.producer_id.0 {
                let path = self.case.partition.segment(self.case.base, "txnindex");
                let why = format!(
                    "producer {producer} did not abort a transaction at offset {}",
                    header.base_offset
                );
                self.findings.push(Finding::new(&path, Grade::Rebuildable, why));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<SegmentReport> {
        let behind = self.case.next_base.map_or(self.report.next, |next| next.0);
        self.settle(behind);
        self.judge_blocks();
        if let Promise::Below(point) = self.case.promise
            && !self.mark_met
        {
            let size = self.report.size;
            let (why, from) = match size < point.position {
                true => (format!("{size} bytes, and {} were durable", point.position), size),
                false => {
                    (format!("the mark is at byte {}, where no batch ends", point.position), point.position)
                }
            };
            let until = point.position.max(from);
            let finding = Finding::new(&self.report.path, Grade::Damage, why).at(from, until);
            self.findings.push(finding.of(self.report.next.min(point.end.0), point.end.0));
        }
        let active = self.case.active();
        let end = self.report.size;
        let mut all = self.findings.take();
        all.extend(self.sides);
        all.extend(self.offsets.map(|truth| truth.finish(end, active)).into_iter().flatten());
        all.extend(self.times.map(|truth| truth.finish(active)).into_iter().flatten());
        self.report.findings = all;
        Ok(self.report)
    }
}

fn is_abort(batch: &bytes::Bytes) -> bool {
    let first = read_records(batch, HELD_BYTES_MAX).ok().and_then(|mut records| records.next()?.ok());
    let key = first.and_then(|record| record.key);
    key.is_some_and(|key| ControlType::from_key(&key) == Ok(ControlType::Abort))
}

fn matches_side(fs: &dyn Fs, path: &Path, side: Side) -> io::Result<bool> {
    let file = match fs.open(path, OpenHow::Read) {
        Ok(file) => file,
        // That it is missing is said elsewhere.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let size = file.size()?;
    if size != side.size || size > SIDE_BYTES_MAX {
        return Ok(false);
    }
    Ok(Side::of(&fs.read(path)?) == side)
}

/// Aborted transactions by the offset of their marker, and whose they were.
fn read_aborted(fs: &dyn Fs, path: &Path, sides: &mut Vec<Finding>) -> io::Result<BTreeMap<i64, i64>> {
    use crate::inspect::entries::{Entry, read_entries};
    let mut found = BTreeMap::new();
    if !fs.exists(path) {
        return Ok(found);
    }
    read_entries(fs, path, FileKind::TxnIndex, &mut |entry| {
        let wrong = match entry {
            Entry::Row(row) => {
                let number =
                    |at: usize| row.fields.get(at).and_then(|(_, value)| value.as_i64()).unwrap_or(-1);
                let [version, producer, first, last, stable] = [0, 1, 2, 3, 4].map(number);
                let ascends = found.last_key_value().is_none_or(|(before, _)| *before < last);
                found.insert(last, producer);
                let sound = version == 0 && 0 <= first && first <= last && stable >= 0 && ascends;
                (!sound).then(|| (row.at, row.at + 34, "an entry that cannot be true".to_owned()))
            }
            Entry::Bad { at, until, why } => Some((at, until, why)),
        };
        if let Some((at, until, why)) = wrong {
            sides.push(Finding::new(path, Grade::Rebuildable, why).at(at, until));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
