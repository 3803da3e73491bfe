//! Whether the files beside a segment speak the truth about its batches: each takes note of every batch as it goes by,
//! so one pass over the log judges all of them. Must not know how batches are found.

use super::finding::{Finding, Findings, Grade};
use crate::inspect::entries::{ProducerEntry, used_bytes};
use crate::log::local::epochs::Epochs;
use crate::record::BatchHeader;
use crate::sys::{Fs, OpenHow};
use crate::types::{Offset, TimestampMs};
use bytes::Buf;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// An index is at most `segment.index.bytes` long, 10 MiB by default. One longer than this is not read.
const INDEX_BYTES_MAX: u64 = 256 << 20;

/// Entries of an index in memory, in front of the zeros that a running broker reserves.
struct Entries {
    path: PathBuf,
    bytes: Vec<u8>,
    size: usize,
    at: usize,
    last: Option<(i64, i64)>,
    findings: Findings,
    /// A false entry was found; those behind it are no better.
    given_up: bool,
}

impl Entries {
    fn load(fs: &dyn Fs, path: PathBuf, size: usize) -> io::Result<Option<Entries>> {
        let file = match fs.open(&path, OpenHow::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut entries = Entries {
            path,
            bytes: Vec::new(),
            size,
            at: 0,
            last: None,
            findings: Findings::default(),
            given_up: false,
        };
        let used = used_bytes(&*file, size as u64)?;
        if used > INDEX_BYTES_MAX {
            entries.wrong(0, "larger than an index can be");
            return Ok(Some(entries));
        }
        entries.bytes.resize(usize::try_from(used).unwrap_or(0), 0);
        let got = file.read_at(&mut entries.bytes, 0)?;
        entries.bytes.truncate(got);
        if got % size != 0 {
            entries.wrong(got / size * size, "the last entry is not whole");
        }
        Ok(Some(entries))
    }

    /// The next entry, not taken yet.
    fn peek(&self) -> Option<&[u8]> {
        self.bytes.get(self.at..self.at + self.size).filter(|_| !self.given_up)
    }

    fn wrong(&mut self, at: usize, why: impl Into<String>) {
        let until = (at + self.size).min(self.bytes.len().max(at)) as u64;
        let finding = Finding::new(&self.path, Grade::Rebuildable, why).at(at as u64, until);
        self.findings.push(finding);
        self.given_up = true;
    }

    /// Takes an entry whose two numbers are these; false if they do not ascend.
    fn ascend(&mut self, first: i64, second: i64, strictly: bool) -> bool {
        let fine = self
            .last
            .is_none_or(|last| first > last.0 && (second > last.1 || (!strictly && second == last.1)));
        self.last = Some((first, second));
        fine
    }
}

/// Judges an offset index.
pub struct OffsetTruth {
    entries: Entries,
    base: Offset,
}

impl OffsetTruth {
    /// For the segment at `base`; none if there is no file.
    pub fn load(fs: &dyn Fs, path: PathBuf, base: Offset) -> io::Result<Option<OffsetTruth>> {
        Ok(Entries::load(fs, path, 8)?.map(|entries| OffsetTruth { entries, base }))
    }

    /// A batch goes by.
    pub fn note(&mut self, at: u64, header: &BatchHeader) {
        while let Some(mut entry) = self.entries.peek() {
            let (relative, position) = (entry.get_i32(), entry.get_i32());
            let offset = self.base.plus(i64::from(relative));
            if position >= 0 && position.unsigned_abs() as u64 > at {
                return;
            }
            let from = self.entries.at;
            let ascends = self.entries.ascend(i64::from(relative), i64::from(position), true);
            if position < 0 || relative < 0 || !ascends {
                self.entries.wrong(from, format!("offset {offset} at byte {position} does not ascend"));
            } else if u64::from(position.unsigned_abs()) != at {
                self.entries.wrong(from, format!("no batch begins at byte {position}"));
            } else if offset != header.last_offset() {
                let last = header.last_offset();
                self.entries.wrong(
                    from,
                    format!("offset {offset}, and the batch at byte {position} ends with {last}"),
                );
            }
            self.entries.at += 8;
        }
    }

    /// After the last batch, the log ending at byte `end`. The active segment of a running broker may be ahead.
    pub fn finish(mut self, end: u64, active: bool) -> Vec<Finding> {
        if let Some(mut entry) = self.entries.peek().filter(|_| !active) {
            let (_, position) = (entry.get_i32(), entry.get_i32());
            let from = self.entries.at;
            self.entries.wrong(from, format!("points to byte {position}, and the log ends at byte {end}"));
        }
        self.entries.findings.take()
    }
}

/// Judges a time index.
pub struct TimeTruth {
    entries: Entries,
    base: Offset,
    max: TimestampMs,
}

impl TimeTruth {
    /// For the segment at `base`; none if there is no file.
    pub fn load(fs: &dyn Fs, path: PathBuf, base: Offset) -> io::Result<Option<TimeTruth>> {
        let entries = Entries::load(fs, path, 12)?;
        Ok(entries.map(|entries| TimeTruth { entries, base, max: TimestampMs::NONE }))
    }

    /// A batch goes by.
    pub fn note(&mut self, header: &BatchHeader) {
        self.max = self.max.max(header.max_timestamp);
        while let Some(mut entry) = self.entries.peek() {
            let (timestamp, relative) = (entry.get_i64(), entry.get_i32());
            let offset = self.base.plus(i64::from(relative));
            if relative >= 0 && offset > header.last_offset() {
                return;
            }
            let from = self.entries.at;
            let ascends = self.entries.ascend(timestamp, i64::from(relative), false);
            if relative < 0 || !ascends {
                self.entries.wrong(from, format!("timestamp {timestamp} at offset {offset} does not ascend"));
            } else if offset < header.base_offset {
                self.entries.wrong(from, format!("no batch holds offset {offset}"));
            } else if timestamp != header.max_timestamp.0 || timestamp != self.max.0 {
                let why = format!(
                    "timestamp {timestamp}, and the largest up to offset {offset} is {}, in that batch {}",
                    self.max, header.max_timestamp
                );
                self.entries.wrong(from, why);
            }
            self.entries.at += 12;
        }
    }

    /// After the last batch. That of a segment which takes no more batches ends with the largest timestamp.
    pub fn finish(mut self, active: bool) -> Vec<Finding> {
        if !active && !self.entries.given_up {
            let from = self.entries.at;
            if self.entries.peek().is_some() {
                self.entries.wrong(from, "an entry points behind the last batch");
            } else if self.max > self.entries.last.map_or(TimestampMs::NONE, |(time, _)| TimestampMs(time)) {
                self.entries.wrong(from, format!("the largest timestamp, {}, has no entry", self.max));
            }
        }
        self.entries.findings.take()
    }
}

/// Judges the producers of all snapshots against the batches they name.
pub type SnapshotTruth = BTreeMap<i64, Vec<(ProducerEntry, PathBuf)>>;

/// What is wrong with the entries that name this batch.
pub fn check_producers(truth: &SnapshotTruth, header: &BatchHeader, findings: &mut Findings) {
    for (entry, path) in truth.get(&header.last_offset().0).into_iter().flatten() {
        let wrong = if entry.id != header.producer_id.0 {
            format!(
                "producer {} is said to have written offset {}, as {} did",
                entry.id, entry.last_offset, header.producer_id
            )
        } else if header.base_sequence >= 0 && entry.last_sequence != header.last_sequence() {
            format!(
                "producer {} is at sequence {}, and not {}",
                entry.id,
                header.last_sequence(),
                entry.last_sequence
            )
        } else if entry.epoch < header.producer_epoch {
            format!("producer {} has epoch {}, and not {}", entry.id, header.producer_epoch, entry.epoch)
        } else {
            continue;
        };
        findings.push(Finding::new(path, Grade::Rebuildable, wrong).at(entry.at, entry.at + 46));
    }
}

/// What is wrong with the epoch that the file gives for a batch.
pub fn check_epoch(epochs: &Epochs, path: &Path, header: &BatchHeader) -> Option<Finding> {
    let known = epochs.at(header.base_offset);
    let wrong = known.0 >= 0 && header.leader_epoch.0 >= 0 && known != header.leader_epoch;
    wrong.then(|| {
        let why =
            format!("offset {} is of epoch {}, and not {known}", header.base_offset, header.leader_epoch);
        Finding::new(path, Grade::Rebuildable, why)
    })
}
