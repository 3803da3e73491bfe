//! Compaction of one partition's directory while no broker uses it: ours, or one of Kafka's. The caller holds the lock
//! of the log directory; nothing here knows processes or prints.
//!
//! Everything below the active segment is cleaned as if it never had been, pass after pass until the map of keys was
//! large enough. A crash leaves each group of segments old or new (`swap.rs`), so that the next run goes on from there.

use super::cleaning::Cleaner;
use super::leftovers::settle;
use super::swap::{CommitError, SWAP, Swap};
use super::task::{
    CleanError, CleanReport, CleanSettings, CleanStats, CleanTask, CleanedGroup, CleanerLimits, LastRecord,
    Pace, SourceSegment,
};
use crate::log::local::files::{Kind, base_of, segment_path};
use crate::log::local::marks::{self, Marks};
use crate::log::local::meta::{PARTITION_FILE, parse_partition};
use crate::log::local::scan::{NEAR, Scan, ScanError};
use crate::sys::{Fs, OpenHow, Rng};
use crate::types::{Offset, ProducerId, TimestampMs};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How a directory is compacted.
#[derive(Clone, Copy, Debug)]
pub struct OfflineOptions {
    /// Settings of the topic.
    pub settings: CleanSettings,
    /// Memory.
    pub limits: CleanerLimits,
    /// Wall clock.
    pub now: TimestampMs,
    /// `producer.id.expiration.ms`: the last batches of producers that wrote since then keep their headers.
    pub producer_expiration_ms: i64,
    /// Write nothing, and say what would be gained.
    pub is_dry_run: bool,
}

/// What was gained, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfflineReport {
    /// Below it every key stands once.
    pub cleaned_until: Offset,
    /// The active segment begins here, which is never touched. Where `cleaned_until` is below it, an open transaction
    /// or the durable mark held the rest back.
    pub active: Offset,
    /// Segments before, the active one included.
    pub segments_before: usize,
    /// Segments after; in a dry run as before.
    pub segments_after: usize,
    /// Bytes of all `.log` files before.
    pub bytes_before: u64,
    /// And after. In a dry run of more than one pass the gain of each is counted alone, so this may be too little: at
    /// least `bytes_before` less the gain of the best pass, at most that.
    pub bytes_after: u64,
    /// How often the map was filled.
    pub passes: u32,
    /// Counts of all passes; those of keys are of the last.
    pub stats: CleanStats,
}

/// Why a directory was not compacted, or not to the end. What was done until then is whole.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A segment cannot be read, written or understood.
    #[error(transparent)]
    Clean(#[from] CleanError),
    /// A cleaned group was not put in its place.
    #[error(transparent)]
    Swap(#[from] CommitError),
    /// It was, but what it replaces could not be removed; the next start does it.
    #[error("cannot finish a replacement: {0}")]
    Unfinished(#[source] io::Error),
    /// The directory cannot be listed, or what an earlier crash left cannot be cleared up.
    #[error("cannot read the directory: {0}")]
    Storage(#[source] io::Error),
    /// Kafka stopped in the middle of a replacement, which it finishes when it starts the next time.
    #[error("a replacement of segments by Kafka is not finished; start and stop Kafka once")]
    Unsettled,
    /// No `.log` file is there.
    #[error("there is no log in the directory")]
    NoLog,
    /// The log directory has durable marks, but none of this partition that can be read: how far the log is safe, and
    /// so how far it may be compacted, is known after the next start of the broker.
    #[error("the durable mark of the partition is missing or damaged; start and stop the broker once")]
    NoMark,
}

/// Compacts the partition in `dir`.
pub fn clean_offline(
    fs: &Arc<dyn Fs>,
    rng: &Arc<dyn Rng>,
    dir: &Path,
    options: &OfflineOptions,
    pace: &dyn Pace,
) -> Result<OfflineReport, OfflineError> {
    if !options.is_dry_run {
        settle(&**fs, dir).map_err(OfflineError::Storage)?;
    }
    if fs.list(dir).map_err(OfflineError::Storage)?.iter().any(|path| path.extension() == Some(SWAP.as_ref()))
    {
        return Err(OfflineError::Unsettled);
    }
    let segments = offline_segments(&**fs, dir).map_err(OfflineError::Storage)?;
    let (Some(first), Some(active)) = (segments.first(), segments.last().copied()) else {
        return Err(OfflineError::NoLog);
    };
    let end = durable_base(&**fs, dir)?.map_or(active.base, |durable| durable.min(active.base));
    let (producers, log_end) = survey_producers(&**fs, dir, &segments, options, pace)?;
    let bytes_before = segments.iter().map(|segment| segment.size).sum();
    let mut report = OfflineReport {
        cleaned_until: first.base,
        active: active.base,
        segments_before: segments.len(),
        segments_after: segments.len(),
        bytes_before,
        bytes_after: bytes_before,
        passes: 0,
        stats: CleanStats::default(),
    };
    let mut cleaner = Cleaner::new(fs.clone(), rng.clone(), options.limits);
    let mut now_there = segments;
    loop {
        let split = now_there.partition_point(|segment| segment.end <= end && segment.base < active.base);
        let (cleanable, beyond) = now_there.split_at_checked(split).unwrap_or_default();
        let task = CleanTask {
            dir: dir.to_owned(),
            segments: cleanable.to_vec(),
            beyond: beyond.to_vec(),
            first_dirty: report.cleaned_until,
            end,
            high_watermark: log_end,
            producers: producers.clone(),
            settings: options.settings,
            now: options.now,
        };
        let pass = run_pass(&**fs, &mut cleaner, &task, options.is_dry_run, pace)?;
        now_there = offline_segments(&**fs, dir).map_err(OfflineError::Storage)?;
        report.cleaned_until = pass.cleaned_until;
        report.passes += 1;
        report.segments_after = now_there.len();
        report.bytes_after = match options.is_dry_run {
            true => report
                .bytes_after
                .saturating_sub(pass.stats.bytes_read.saturating_sub(pass.stats.bytes_written)),
            false => now_there.iter().map(|segment| segment.size).sum(),
        };
        report.stats = sum(&report.stats, &pass.stats);
        if !pass.stats.map_was_full {
            return Ok(report);
        }
    }
}

/// Fills the map once and cleans up to where it was full.
fn run_pass(
    fs: &dyn Fs,
    cleaner: &mut Cleaner,
    task: &CleanTask,
    is_dry_run: bool,
    pace: &dyn Pace,
) -> Result<CleanReport, OfflineError> {
    let mut cleaning = cleaner.begin(task, pace)?;
    if is_dry_run {
        return Ok(cleaning.dry_run()?);
    }
    while let Some(group) = cleaning.next_group()? {
        put_in_place(fs, &task.dir, &group)?;
    }
    Ok(cleaning.finish())
}

/// The segments of a partition's directory, ascending; the last is the active one, whose end is not known.
pub fn offline_segments(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<SourceSegment>> {
    let mut segments: Vec<SourceSegment> = Vec::new();
    for path in fs.list(dir)? {
        let Some(base) = base_of(&path, Kind::Log.suffix()) else { continue };
        let size = fs.open(&path, OpenHow::Read)?.size()?;
        segments.push(SourceSegment { base, size, end: Offset(i64::MAX) });
    }
    segments.sort_by_key(|segment| segment.base);
    let bases: Vec<Offset> = segments.iter().skip(1).map(|segment| segment.base).collect();
    segments.iter_mut().zip(bases).for_each(|(segment, next)| segment.end = next);
    Ok(segments)
}

/// Where the segment begins that holds the durable mark: recovery reads from there on and knows no gaps. `None` in a
/// directory of Kafka's, which has no marks.
fn durable_base(fs: &dyn Fs, dir: &Path) -> Result<Option<Offset>, OfflineError> {
    let Some(marks) = dir.parent().map(|root| root.join(marks::FILE)).filter(|path| fs.exists(path)) else {
        return Ok(None);
    };
    let marks = fs.read(&marks).ok().and_then(|bytes| Marks::decode(&bytes));
    let topic = fs.read(&dir.join(PARTITION_FILE)).ok().and_then(|bytes| parse_partition(&bytes));
    let partition = dir.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-'));
    let partition = partition.and_then(|(_, number)| number.parse().ok());
    match (marks, topic, partition) {
        (Some(marks), Some(topic), Some(partition)) => {
            let mark = marks.by_partition.get(&(topic, partition)).filter(|mark| mark.is_possible());
            Ok(Some(mark.ok_or(OfflineError::NoMark)?.point.base))
        }
        _ => Err(OfflineError::NoMark),
    }
}

/// What every producer that is still remembered wrote last, and where the log ends. Grows with the producers of the
/// last `producer_expiration_ms`.
fn survey_producers(
    fs: &dyn Fs,
    dir: &Path,
    segments: &[SourceSegment],
    options: &OfflineOptions,
    pace: &dyn Pace,
) -> Result<(BTreeMap<ProducerId, LastRecord>, Offset), CleanError> {
    let mut producers: BTreeMap<ProducerId, LastRecord> = BTreeMap::new();
    let mut end = Offset::ZERO;
    let oldest = options.now.0.saturating_sub(options.producer_expiration_ms);
    for segment in segments {
        let is_active = segment.end == Offset(i64::MAX);
        end = end.max(segment.base);
        let file = fs.open(&segment_path(dir, segment.base, Kind::Log), OpenHow::Read)?;
        let mut scan = Scan::new(file, 0, segment.size, NEAR).above(segment.base);
        loop {
            let header = match scan.next_header() {
                Ok(Some((_, header))) => header,
                Ok(None) => break,
                // The tail of a log that was not closed may be torn; the next start cuts it.
                Err(ScanError::Bad { .. }) if is_active => break,
                Err(ScanError::Bad { at, why }) => {
                    return Err(CleanError::Damaged { base: segment.base, position: at, why });
                }
                Err(ScanError::Storage(error)) => return Err(error.into()),
            };
            end = header.next_offset();
            if header.has_producer_id() && header.max_timestamp.0 >= oldest {
                let none = LastRecord { data: None, epoch: -1 };
                let last = producers.entry(header.producer_id).or_insert(none);
                last.epoch = last.epoch.max(header.producer_epoch);
                if !header.is_control() {
                    last.data = Some(header.last_offset());
                }
            }
        }
        if pace.moved(0, 0).is_break() {
            return Err(CleanError::Stopped);
        }
    }
    Ok((producers, end))
}

fn put_in_place(fs: &dyn Fs, dir: &Path, group: &CleanedGroup) -> Result<(), OfflineError> {
    let swap = Swap { fs, dir, base: group.seal.base };
    swap.commit().inspect_err(|error| {
        if matches!(error, CommitError::NotDone(_)) {
            swap.abandon();
        }
    })?;
    let place = || -> io::Result<()> {
        swap.place_log()?;
        swap.place_indexes()?;
        let mut gone = Vec::new();
        for old in group.replaces.iter().skip(1) {
            gone.extend(swap.retire(old.base)?);
        }
        swap.finish()?;
        gone.iter().try_for_each(|path| fs.remove(path))
    };
    place().map_err(OfflineError::Unfinished)
}

/// Counts of two passes together.
fn sum(all: &CleanStats, pass: &CleanStats) -> CleanStats {
    CleanStats {
        map_bytes_read: all.map_bytes_read + pass.map_bytes_read,
        map_records_read: all.map_records_read + pass.map_records_read,
        bytes_read: all.bytes_read + pass.bytes_read,
        bytes_written: all.bytes_written + pass.bytes_written,
        batches_read: all.batches_read + pass.batches_read,
        batches_written: all.batches_written + pass.batches_written,
        records_read: all.records_read + pass.records_read,
        records_written: all.records_written + pass.records_written,
        records_without_key: all.records_without_key + pass.records_without_key,
        ..*pass
    }
}
