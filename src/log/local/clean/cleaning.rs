//! A cleaning, pass by pass. Must not know the log it is for: what it writes is put in place by its caller.

use super::groups::groups;
use super::key_map::{KeyMap, Put};
use super::output::{LOG_BYTES_MAX, Output, OutputOptions, remove_leftovers};
use super::retain::{BatchContext, Fate, Rules};
use super::source::{ReadBuffer, Source, SourceBatch, position_below};
use super::task::{
    CleanError, CleanReport, CleanStats, CleanTask, CleanedGroup, CleanerLimits, Pace, SourceSegment,
};
use super::txns::{Passage, Verdicts, marker_of};
use crate::record::{BadBatch, BatchHeader, empty_batch, rebuild_batch, stored_records};
use crate::sys::{Fs, Rng};
use crate::types::Offset;
use bytes::BytesMut;
use std::sync::Arc;

/// The memory of one thread that cleans, for one cleaning after another.
pub struct Cleaner {
    fs: Arc<dyn Fs>,
    rng: Arc<dyn Rng>,
    map: KeyMap,
    buffers: Buffers,
    write_buffer: Vec<u8>,
    flush_bytes: usize,
}

/// Memory that batches pass through.
struct Buffers {
    read: ReadBuffer,
    /// Records of a compressed batch.
    unpacked: Vec<u8>,
    keep: Vec<bool>,
    rebuilt: BytesMut,
}

/// What one batch unpacked to is not kept beyond this.
const UNPACKED_KEPT_MAX: usize = 4 << 20;

impl Cleaner {
    /// A cleaner with its memory taken.
    pub fn new(fs: Arc<dyn Fs>, rng: Arc<dyn Rng>, limits: CleanerLimits) -> Cleaner {
        Cleaner {
            fs,
            rng,
            map: KeyMap::new(limits.map_bytes, limits.load_factor),
            buffers: Buffers {
                read: ReadBuffer::new(limits.io_buffer_bytes),
                unpacked: Vec::new(),
                keep: Vec::new(),
                rebuilt: BytesMut::new(),
            },
            write_buffer: Vec::new(),
            flush_bytes: limits.io_buffer_bytes,
        }
    }

    /// The first pass: reads the dirty section and fills the map. What is cleaned then comes group by group.
    pub fn begin<'a>(
        &'a mut self,
        task: &'a CleanTask,
        pace: &'a dyn Pace,
    ) -> Result<Cleaning<'a>, CleanError> {
        let last = task.segments.last().map_or(task.first_dirty, |segment| segment.end);
        let until = task.end.min(last);
        let records = u64::try_from(until.0.saturating_sub(task.first_dirty.0)).unwrap_or(0);
        self.map.begin(self.rng.next_u128(), task.first_dirty, records);
        let mut cleaning = Cleaning {
            cleaner: self,
            task,
            pace,
            until,
            verdicts: None,
            passage: Passage::default(),
            groups: Vec::new().into_iter(),
            stats: CleanStats::default(),
        };
        cleaning.fill_map()?;
        cleaning.stats.map_keys = cleaning.cleaner.map.len() as u64;
        cleaning.stats.map_keys_max = cleaning.cleaner.map.keys_max() as u64;
        if cleaning.until > task.first_dirty {
            cleaning.groups = groups(&*cleaning.cleaner.fs, task, cleaning.until).into_iter();
        }
        Ok(cleaning)
    }
}

/// A cleaning under way: the map is filled.
pub struct Cleaning<'a> {
    cleaner: &'a mut Cleaner,
    task: &'a CleanTask,
    pace: &'a dyn Pace,
    until: Offset,
    /// How the transactions of the dirty section ended; found out when the first is met.
    verdicts: Option<Verdicts>,
    passage: Passage,
    groups: std::vec::IntoIter<Vec<SourceSegment>>,
    stats: CleanStats,
}

impl Cleaning<'_> {
    /// Below it every key will stand once.
    pub fn cleaned_until(&self) -> Offset {
        self.until
    }

    /// Counts so far.
    pub fn stats(&self) -> &CleanStats {
        &self.stats
    }

    /// Cleans the next group of segments and returns it, to be swapped in before the next is asked for; `None` once
    /// all are done. A segment of which nothing goes is passed over. After an error no file of the group is left.
    pub fn next_group(&mut self) -> Result<Option<CleanedGroup>, CleanError> {
        while let Some(group) = self.groups.next() {
            let Some(base) = group.first().map(|segment| segment.base) else { continue };
            let cleaned = self.clean_group(group, false);
            if !matches!(cleaned, Ok(Some(_))) {
                // What cannot be removed now is removed when the log is next opened.
                let _ = remove_leftovers(&*self.cleaner.fs, &self.task.dir, base);
            }
            if let Some(cleaned) = cleaned? {
                return Ok(Some(cleaned));
            }
        }
        Ok(None)
    }

    /// Goes through all groups and writes nothing: what the cleaning would make of them is in the report.
    pub fn dry_run(mut self) -> Result<CleanReport, CleanError> {
        while let Some(group) = self.groups.next() {
            self.clean_group(group, true)?;
        }
        Ok(self.finish())
    }

    /// Ends the cleaning. Groups not asked for stay as they are, and the report is of no use then.
    pub fn finish(self) -> CleanReport {
        CleanReport { cleaned_until: self.until, stats: self.stats }
    }

    fn fill_map(&mut self) -> Result<(), CleanError> {
        let dirty = self.task.segments.partition_point(|segment| segment.end <= self.task.first_dirty);
        for nth in dirty..self.task.segments.len() {
            let Some(segment) = self.task.segments.get(nth).filter(|segment| segment.base < self.until)
            else {
                break;
            };
            self.fill_from(nth, *segment)?;
        }
        Ok(())
    }

    /// Puts the keys of one segment into the map. Where the map is full, or a transaction has no end, `until` comes
    /// down to that offset.
    fn fill_from(&mut self, nth: usize, segment: SourceSegment) -> Result<(), CleanError> {
        let (task, first_dirty) = (self.task, self.task.first_dirty);
        let Cleaner { fs, map, buffers, .. } = &mut *self.cleaner;
        let Buffers { read, unpacked, .. } = buffers;
        let at = position_below(&**fs, &task.dir, segment, first_dirty);
        let mut source = Source::open(&**fs, &task.dir, segment, at, read, self.pace)?;
        while let Some(SourceBatch { position, header, bytes, .. }) = source.next_batch()? {
            if header.base_offset >= self.until {
                break;
            }
            self.stats.map_bytes_read += header.size as u64;
            if header.last_offset() < first_dirty || header.is_control() {
                continue;
            }
            if header.is_transactional() {
                if self.verdicts.is_none() {
                    let segments = task.segments.iter().skip(nth).chain(&task.beyond).copied();
                    let found = Verdicts::survey(&**fs, &task.dir, segments, position, self.until)?;
                    self.until = found.undecided().map_or(self.until, |undecided| undecided.min(self.until));
                    self.verdicts = Some(found);
                }
                if self.verdicts.as_ref().is_some_and(|verdicts| verdicts.is_aborted(&header)) {
                    continue;
                }
            }
            let bad = |bad: BadBatch| CleanError::bad_batch(segment.base, position, &bad);
            let cap = task.settings.decompressed_batch_bytes_max;
            for record in stored_records(&header, bytes, cap, unpacked).map_err(bad)? {
                let record = record.map_err(bad)?;
                let at = header.base_offset.plus(i64::from(record.offset_delta));
                if at >= self.until {
                    break;
                }
                self.stats.map_records_read += 1;
                let Some(key) = record.key.filter(|_| at >= first_dirty) else { continue };
                if map.put(key, at) == Put::Full {
                    self.until = at;
                    self.stats.map_was_full = true;
                    break;
                }
            }
            give_back(unpacked);
        }
        Ok(())
    }

    /// `None` if nothing went, or nothing was to be written.
    fn clean_group(
        &mut self,
        group: Vec<SourceSegment>,
        is_dry: bool,
    ) -> Result<Option<CleanedGroup>, CleanError> {
        let (Some(first), Some(last)) = (group.first().copied(), group.last().copied()) else {
            return Ok(None);
        };
        let last_with_data = group.iter().rposition(|segment| segment.size > 0);
        let Cleaner { fs, map, buffers, write_buffer, flush_bytes, .. } = &mut *self.cleaner;
        let dir = &self.task.dir;
        let options = OutputOptions {
            fs: &**fs,
            dir,
            interval_bytes: self.task.settings.index_interval_bytes,
            flush_bytes: *flush_bytes,
            is_dry,
            pace: self.pace,
        };
        let mut out = Output::new(first.base, options, write_buffer);
        if group.len() > 1 {
            out.differ()?;
        }
        let mut pass = Pass {
            rules: Rules { map, until: self.until, task: self.task },
            verdicts: self.verdicts.as_ref(),
            passage: &mut self.passage,
            stats: &mut self.stats,
            unread: group.iter().map(|segment| segment.size).sum(),
            changed: group.len() > 1,
        };
        let Buffers { read, unpacked, keep, rebuilt } = buffers;
        for (nth, segment) in group.iter().enumerate() {
            let mut source = Source::open_sealed(&**fs, dir, *segment, read, self.pace)?;
            source.sealed_epochs().iter().for_each(|(epoch, first)| out.note_epoch(*epoch, *first));
            while let Some(batch) = source.next_batch()? {
                let is_last = batch.is_last && Some(nth) == last_with_data;
                let bad = |bad: BadBatch| CleanError::bad_batch(segment.base, batch.position, &bad);
                rebuilt.clear();
                let scratch = Scratch { unpacked, keep, rebuilt };
                let cleaned = pass.clean_batch(&batch, is_last, &mut out, scratch).map_err(bad)?;
                if !matches!(cleaned, Cleaned::Whole) {
                    out.differ()?;
                }
                let (header, bytes) = match cleaned {
                    Cleaned::Whole => (batch.header, batch.bytes),
                    Cleaned::Rewritten => (BatchHeader::parse(rebuilt).map_err(bad)?, &**rebuilt),
                    Cleaned::Gone => continue,
                };
                out.append(&header, bytes)?;
            }
        }
        give_back(unpacked);
        if is_dry || !pass.changed {
            return Ok(None);
        }
        out.finish(last.end, group).map(Some)
    }
}

/// A large batch must not hold its memory for ever.
fn give_back(unpacked: &mut Vec<u8>) {
    if unpacked.capacity() > UNPACKED_KEPT_MAX {
        *unpacked = Vec::new();
    }
}

/// The second pass through one group.
struct Pass<'a> {
    rules: Rules<'a>,
    verdicts: Option<&'a Verdicts>,
    passage: &'a mut Passage,
    stats: &'a mut CleanStats,
    /// Bytes of the group that are still to be read.
    unread: u64,
    /// The result is not the source, byte for byte.
    changed: bool,
}

/// Memory of [`Pass::clean_batch`].
struct Scratch<'a> {
    unpacked: &'a mut Vec<u8>,
    keep: &'a mut Vec<bool>,
    rebuilt: &'a mut BytesMut,
}

/// What [`Pass::clean_batch`] made of a batch.
enum Cleaned {
    Whole,
    /// In [`Scratch::rebuilt`].
    Rewritten,
    Gone,
}

impl Pass<'_> {
    fn clean_batch(
        &mut self,
        batch: &SourceBatch<'_>,
        is_last: bool,
        out: &mut Output<'_>,
        scratch: Scratch<'_>,
    ) -> Result<Cleaned, BadBatch> {
        let (header, Scratch { unpacked, keep, rebuilt }) = (&batch.header, scratch);
        self.unread = self.unread.saturating_sub(header.size as u64);
        out.note_epoch(header.leader_epoch, header.base_offset);
        let discardable = if header.is_control() {
            let marker = self.passage.marker(batch, marker_of(header, batch.bytes)?);
            marker.aborted.iter().for_each(|aborted| out.append_aborted(aborted));
            !marker.is_needed
        } else {
            self.verdicts.is_some_and(|verdicts| verdicts.is_aborted(header))
        };
        let cap = self.rules.task.settings.decompressed_batch_bytes_max;
        let records = stored_records(header, batch.bytes, cap, unpacked)?;
        let context = BatchContext { discardable, is_last };
        let (fate, kept) = self.rules.decide(header, context, records.clone(), keep)?;
        let cleaned = match fate {
            Fate::Whole => Cleaned::Whole,
            Fate::Dropped => Cleaned::Gone,
            Fate::Header => {
                empty_batch(header, rebuilt);
                Cleaned::Rewritten
            }
            Fate::Rebuilt(horizon) => {
                rebuild_batch(header, records, keep, horizon, rebuilt)?;
                // Times under a horizon take more bytes. At the limit of what a segment can be, older records and
                // tombstones stay another time: always right, and no file becomes unreadable.
                let after = out.size() + rebuilt.len() as u64 + self.unread;
                match rebuilt.len() > header.size && after > LOG_BYTES_MAX {
                    true => Cleaned::Whole,
                    false => Cleaned::Rewritten,
                }
            }
        };
        let records_left =
            if matches!(cleaned, Cleaned::Whole) { header.count.into() } else { kept.records as i64 };
        if !header.is_control() {
            self.passage.data(header, records_left > 0);
        }
        self.count(header, &cleaned, records_left, rebuilt.len());
        self.stats.records_without_key += kept.without_key;
        Ok(cleaned)
    }

    fn count(&mut self, header: &BatchHeader, cleaned: &Cleaned, records_left: i64, rebuilt: usize) {
        self.changed |= !matches!(cleaned, Cleaned::Whole);
        self.stats.batches_read += 1;
        self.stats.bytes_read += header.size as u64;
        self.stats.records_read += u64::try_from(header.count).unwrap_or(0);
        self.stats.records_written += u64::try_from(records_left).unwrap_or(0);
        self.stats.batches_written += u64::from(!matches!(cleaned, Cleaned::Gone));
        self.stats.bytes_written += match cleaned {
            Cleaned::Whole => header.size as u64,
            Cleaned::Rewritten => rebuilt as u64,
            Cleaned::Gone => 0,
        };
    }
}
