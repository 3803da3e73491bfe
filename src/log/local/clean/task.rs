//! What a cleaning is told and what it tells: plain data. Must not know how it is done.

use crate::log::local::seal::Seal;
use crate::record::{AppendRules, BadBatch};
use crate::types::{Offset, ProducerId, TimestampMs};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// A segment as a cleaning reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceSegment {
    /// Base offset, which is its name.
    pub base: Offset,
    /// Bytes of its `.log` file that hold whole batches.
    pub size: u64,
    /// Where the next segment begins, or the log ends.
    pub end: Offset,
}

/// The last thing that a producer wrote (Kafka's `LastRecord`): its batch outlives its records, so that the
/// producer's sequence and epoch are known after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRecord {
    /// Last offset of its newest batch of data; `None` if only a marker is known.
    pub data: Option<Offset>,
    /// Its newest epoch.
    pub epoch: i16,
}

/// Settings of the topic that a cleaning follows. Sizes in bytes, times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanSettings {
    /// `delete.retention.ms`
    pub delete_retention_ms: i64,
    /// `segment.bytes`: neighbours are joined up to this size.
    pub segment_bytes: u64,
    /// `segment.index.bytes`: and up to indexes of this size.
    pub index_bytes_max: u64,
    /// `index.interval.bytes`
    pub index_interval_bytes: u64,
    /// Most that the records of one batch may take once decompressed; a batch above it ends the cleaning.
    pub decompressed_batch_bytes_max: usize,
}

impl Default for CleanSettings {
    fn default() -> CleanSettings {
        CleanSettings {
            delete_retention_ms: 86_400_000,
            segment_bytes: 1 << 30,
            index_bytes_max: 10 << 20,
            index_interval_bytes: 4096,
            decompressed_batch_bytes_max: AppendRules::DECOMPRESSED_BATCH_BYTES,
        }
    }
}

/// One cleaning of one partition.
#[derive(Clone, Debug)]
pub struct CleanTask {
    /// The partition's directory.
    pub dir: PathBuf,
    /// Every segment from the first of the log on that may be replaced, ascending. All are sealed, or belong to a
    /// broker that is not running.
    pub segments: Vec<SourceSegment>,
    /// The segments behind them, the active one included: read, if at all, for how transactions end.
    pub beyond: Vec<SourceSegment>,
    /// Below it every key stands once already (the last cleaning's [`CleanReport::cleaned_until`]).
    pub first_dirty: Offset,
    /// From here on nothing is changed: the first offset that is too young, unstable, not durable or active.
    pub end: Offset,
    /// The batch that ends here stays, if only as a header.
    pub high_watermark: Offset,
    /// What the producers that are remembered wrote last.
    pub producers: BTreeMap<ProducerId, LastRecord>,
    /// Settings of the topic.
    pub settings: CleanSettings,
    /// Wall clock, from which delete horizons count.
    pub now: TimestampMs,
}

/// Memory of a cleaner, taken once and kept between cleanings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanerLimits {
    /// Of the map of keys: `log.cleaner.dedupe.buffer.size` over `log.cleaner.threads`.
    pub map_bytes: usize,
    /// `log.cleaner.io.buffer.load.factor`: how full the map gets before a pass ends.
    pub load_factor: f64,
    /// Of the read buffer and of the write buffer, each: `log.cleaner.io.buffer.size`. A batch that is larger is
    /// read whole all the same.
    pub io_buffer_bytes: usize,
}

impl Default for CleanerLimits {
    fn default() -> CleanerLimits {
        CleanerLimits { map_bytes: 128 << 20, load_factor: 0.9, io_buffer_bytes: 512 << 10 }
    }
}

/// What holds a cleaning back. Asked after every chunk that was read or written.
pub trait Pace {
    /// So many bytes were read and written since the last call: waits as long as the throttle wants, and breaks if
    /// the cleaning is to end, which then leaves no files behind.
    fn moved(&self, bytes_read: u64, bytes_written: u64) -> ControlFlow<()>;
}

/// As fast as it goes, to the end.
pub struct FullSpeed;

impl Pace for FullSpeed {
    fn moved(&self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A group of neighbouring segments, cleaned into one. Its files are written and synced, under the names
/// `<base>.log.cleaned`, `.index.cleaned`, `.timeindex.cleaned`, `.seal.cleaned` and, if aborted records are left in it
/// or one of the old segments has such a file, `.txnindex.cleaned` (Kafka's format; it has to replace the old one).
/// Nothing has been renamed; the directory is not synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanedGroup {
    /// What the new files are: base (that of the first segment, and the name of the new one), end (where the segment
    /// behind the group begins), sizes, epochs, largest timestamp. Its bytes are in `.seal.cleaned`.
    pub seal: Seal,
    /// The segments that it replaces, ascending.
    pub replaces: Vec<SourceSegment>,
    /// Whether there is a `.txnindex.cleaned`.
    pub has_txn_index: bool,
}

impl CleanedGroup {
    /// Bytes of the `.log` files that it replaces.
    pub fn size_before(&self) -> u64 {
        self.replaces.iter().map(|segment| segment.size).sum()
    }
}

/// Counts of a cleaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CleanStats {
    /// Bytes that filling the map read.
    pub map_bytes_read: u64,
    /// Records that filling the map saw.
    pub map_records_read: u64,
    /// Keys in the map at the end.
    pub map_keys: u64,
    /// Keys that the map has room for.
    pub map_keys_max: u64,
    /// The map was full before the end: another pass is due at once.
    pub map_was_full: bool,
    /// Bytes of the segments rewritten.
    pub bytes_read: u64,
    /// Bytes of what they became.
    pub bytes_written: u64,
    /// Batches read.
    pub batches_read: u64,
    /// Batches kept, whole, in part or as a header.
    pub batches_written: u64,
    /// Records read.
    pub records_read: u64,
    /// Records kept.
    pub records_written: u64,
    /// Records below the end without a key, which compaction drops (Kafka's `invalid messages`).
    pub records_without_key: u64,
}

/// How a cleaning ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanReport {
    /// Below it every key stands once: the next cleaning's `first_dirty`. Holds once every group is swapped in.
    pub cleaned_until: Offset,
    /// Counts.
    pub stats: CleanStats,
}

/// Why a cleaning did not end well. What it had written and not handed over is removed.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// [`Pace::moved`] said so.
    #[error("the cleaning was stopped")]
    Stopped,
    /// Reading, writing or syncing failed.
    #[error(transparent)]
    Storage(#[from] io::Error),
    /// A batch of the segment is not sound; it and the partition are left as they are.
    #[error("segment {base}, byte {position}: {why}")]
    Damaged {
        /// Base offset of the segment.
        base: Offset,
        /// Byte of its `.log` file at which the batch starts.
        position: u64,
        /// What is wrong.
        why: String,
    },
    /// Written by a Kafka before 0.11; a Kafka of today rewrites it when it compacts the log.
    #[error("segment {base}, byte {position}: record batches of magic {magic} are not compacted here")]
    OldMagic {
        /// Base offset of the segment.
        base: Offset,
        /// Byte of its `.log` file at which the batch starts.
        position: u64,
        /// 0 or 1.
        magic: i8,
    },
}

impl CleanError {
    /// What a bad batch means for a cleaning.
    pub(super) fn bad_batch(base: Offset, position: u64, bad: &BadBatch) -> CleanError {
        match *bad {
            BadBatch::Magic(magic @ 0..=1) => CleanError::OldMagic { base, position, magic },
            _ => CleanError::Damaged { base, position, why: bad.to_string() },
        }
    }
}
