//! What became of transactions: which data was aborted, which markers still have data. Told by the control batches of
//! the log itself, so it works for every directory, whatever became of its `.txnindex` files. Must not know keys.
//!
//! ```text
//! at size field             an entry of a .txnindex file, as Kafka writes it; big-endian, ascending by last offset
//!  0   2  version = 0
//!  2   8  producer id
//! 10   8  first offset      of the transaction in this partition
//! 18   8  last offset       that of the marker
//! 26   8  last stable offset once this transaction had ended
//! ```

use super::source::SourceBatch;
use super::task::{CleanError, SourceSegment};
use crate::log::local::files::{Kind, segment_path};
use crate::log::local::scan::{Scan, ScanError};
use crate::record::{BatchHeader, ControlType, check_crc, stored_records};
use crate::sys::{Fs, OpenHow};
use crate::types::{Offset, ProducerId};
use std::collections::BTreeMap;
use std::path::Path;

/// Reads of a survey: it wants headers only, and steps over the data of larger batches.
const SURVEY_CHUNK: usize = 16 * 1024;

/// How the transactions from some offset on ended. Grows with the number of aborted ones there, each of which has a
/// marker of 78 bytes in the log.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Of each producer the aborted transactions, as first offset of data and offset of the marker, ascending.
    aborted: BTreeMap<ProducerId, Vec<(Offset, Offset)>>,
    /// First offset of the oldest transaction that has no end.
    undecided: Option<Offset>,
}

impl Verdicts {
    /// Reads the headers of the segments from byte `at` of the first on, until every transaction that began below
    /// `end` has ended, or the log does.
    pub fn survey(
        fs: &dyn Fs,
        dir: &Path,
        segments: impl Iterator<Item = SourceSegment>,
        at: u64,
        end: Offset,
    ) -> Result<Verdicts, CleanError> {
        let mut verdicts = Verdicts::default();
        let mut open: BTreeMap<ProducerId, Offset> = BTreeMap::new();
        let mut at = at;
        'segments: for segment in segments {
            let file = fs.open(&segment_path(dir, segment.base, Kind::Log), OpenHow::Read)?;
            let mut scan = Scan::new(file, at, segment.size, SURVEY_CHUNK).above(segment.base);
            at = 0;
            let damage = |error| of_scan(segment.base, error);
            while let Some((position, header)) = scan.next_header().map_err(damage)? {
                if header.base_offset >= end && open.is_empty() {
                    break 'segments;
                }
                if header.is_control() {
                    let batch = scan.batch(position, &header).map_err(damage)?;
                    let bad = |bad| CleanError::bad_batch(segment.base, position, &bad);
                    check_crc(&batch).map_err(bad)?;
                    let kind = marker_of(&header, &batch).map_err(bad)?;
                    verdicts.end_transaction(&mut open, &header, kind);
                } else if header.is_transactional() && header.base_offset < end {
                    open.entry(header.producer_id).or_insert(header.base_offset);
                }
            }
        }
        verdicts.undecided = open.values().min().copied();
        Ok(verdicts)
    }

    fn end_transaction(
        &mut self,
        open: &mut BTreeMap<ProducerId, Offset>,
        header: &BatchHeader,
        kind: Option<ControlType>,
    ) {
        if !matches!(kind, Some(ControlType::Abort | ControlType::Commit)) {
            return;
        }
        let Some(first) = open.remove(&header.producer_id) else { return };
        if kind == Some(ControlType::Abort) {
            self.aborted.entry(header.producer_id).or_default().push((first, header.last_offset()));
        }
    }

    /// First offset of the oldest transaction without an end: nothing from there on may be cleaned.
    pub fn undecided(&self) -> Option<Offset> {
        self.undecided
    }

    /// True if the batch of data belongs to a transaction that was aborted.
    pub fn is_aborted(&self, header: &BatchHeader) -> bool {
        header.is_transactional()
            && self.aborted.get(&header.producer_id).is_some_and(|transactions| {
                let at = transactions.partition_point(|(_, marker)| *marker < header.base_offset);
                transactions.get(at).is_some_and(|(first, _)| *first <= header.last_offset())
            })
    }
}

/// What is known of a transaction while its batches go by.
#[derive(Debug, Clone, Copy)]
struct Passing {
    /// First offset that is left of it.
    first: Offset,
    /// Records of it stay.
    kept: bool,
}

/// The transactions that are open at the place where the second pass is.
#[derive(Debug, Default)]
pub struct Passage {
    open: BTreeMap<ProducerId, Passing>,
}

impl Passage {
    /// A batch of data was read, and kept with some records or not.
    pub fn data(&mut self, header: &BatchHeader, kept: bool) {
        if header.is_transactional() {
            let first = header.base_offset;
            let passing = self.open.entry(header.producer_id).or_insert(Passing { first, kept: false });
            passing.kept |= kept;
        }
    }

    /// A control batch was read. It may go if no data of its transaction was read before it.
    pub fn marker(&mut self, batch: &SourceBatch<'_>, kind: Option<ControlType>) -> Marker {
        let header = &batch.header;
        match kind {
            // Raft's: compaction knows nothing of them.
            Some(ControlType::Other(_)) => Marker { is_needed: true, aborted: None },
            // Emptied by an earlier cleaning, since it was not needed.
            None => Marker { is_needed: false, aborted: None },
            Some(kind) => {
                let passing = self.open.remove(&header.producer_id);
                let left = passing.filter(|passing| kind == ControlType::Abort && passing.kept);
                let last = header.last_offset();
                let aborted = left.map(|Passing { first, .. }| AbortedTxn {
                    producer: header.producer_id,
                    first,
                    last,
                    stable: self.open.values().map(|passing| passing.first).min().unwrap_or(last.next()),
                });
                Marker { is_needed: passing.is_some(), aborted }
            }
        }
    }
}

/// What a control batch means to the cleaning.
pub struct Marker {
    /// Data of its transaction is in the log before it.
    pub is_needed: bool,
    /// It ends an aborted transaction of which records stay: readers need to know.
    pub aborted: Option<AbortedTxn>,
}

/// An entry of a `.txnindex` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTxn {
    producer: ProducerId,
    first: Offset,
    last: Offset,
    stable: Offset,
}

impl AbortedTxn {
    /// Appends the entry.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0]);
        for field in [self.producer.0, self.first.0, self.last.0, self.stable.0] {
            out.extend_from_slice(&field.to_be_bytes());
        }
    }
}

/// The kind of a control batch; `None` if compaction emptied it.
pub fn marker_of(header: &BatchHeader, batch: &[u8]) -> Result<Option<ControlType>, crate::record::BadBatch> {
    // Control batches are not compressed.
    let mut unpacked = Vec::new();
    let Some(record) = stored_records(header, batch, 0, &mut unpacked)?.next().transpose()? else {
        return Ok(None);
    };
    Ok(Some(ControlType::from_key(record.key.unwrap_or_default()).unwrap_or(ControlType::Other(-1))))
}

fn of_scan(base: Offset, error: ScanError) -> CleanError {
    match error {
        ScanError::Storage(error) => error.into(),
        ScanError::Bad { at, why } => CleanError::Damaged { base, position: at, why },
    }
}
