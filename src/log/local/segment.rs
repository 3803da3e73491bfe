//! A segment in memory: a sealed one as two numbers, the active one with its growing indexes. Does no I/O.

use super::index_file::Growing;
use super::marks::Point;
use super::offset_index::{OffsetEntry, relative};
use super::time_index::TimeEntry;
use crate::record::BatchHeader;
use crate::types::{Offset, TimestampMs};

/// A segment that takes no more batches. It ends where the next one begins.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    /// Base offset, which is its name.
    pub base: Offset,
    /// Tells its files from those that had their names before compaction; 0 until then.
    pub generation: u32,
    /// Bytes of its `.log` file.
    pub size: u64,
    /// Its largest timestamp, once somebody asked.
    pub max_time: Option<TimestampMs>,
    /// Bytes from here on were appended or checked by this process; those before are checked when first touched.
    pub trusted: u64,
    /// A seal was seen beside it.
    pub has_seal: bool,
    /// It is known that nothing is missing between it and the next segment.
    pub is_joined: bool,
    /// Its index files were compared with its seal, or are being.
    pub indexes_seen: bool,
    /// It is damaged, or could not be read, so that no seal is put on it in this process.
    pub cannot_seal: bool,
}

impl Sealed {
    /// A segment found on disk, of which nothing is known but its size.
    pub fn found(base: Offset, size: u64, has_seal: bool) -> Sealed {
        Sealed {
            base,
            generation: 0,
            size,
            max_time: None,
            trusted: size,
            has_seal,
            is_joined: false,
            indexes_seen: false,
            cannot_seal: false,
        }
    }

    /// A segment as this process wrote it and sealed it: whole, and joined to the next.
    pub fn written(base: Offset, generation: u32, size: u64, max_time: TimestampMs) -> Sealed {
        Sealed {
            generation,
            max_time: Some(max_time),
            trusted: 0,
            is_joined: true,
            ..Sealed::found(base, size, true)
        }
    }
}

/// The last segment of a log.
#[derive(Debug)]
pub struct Active {
    /// Base offset, which is its name.
    pub base: Offset,
    /// Bytes of its `.log` file.
    pub size: u64,
    /// Offset index.
    pub index: Growing<OffsetEntry>,
    /// Time index.
    pub times: Growing<TimeEntry>,
    /// Bytes since the batch of the last index entry, that batch included.
    pub since_entry: u64,
    /// Largest timestamp so far; -1 for none.
    pub max_time: TimestampMs,
    /// Last offset of the first batch that holds it.
    pub max_time_offset: Offset,
    /// Largest timestamp of its first batch, from which its age counts; `None` if not known yet.
    pub first_time: Option<TimestampMs>,
    /// Wall time at which this process began to use it: its age where batches have no timestamps.
    pub used_since: TimestampMs,
    /// What `segment.jitter.ms` takes off its age.
    pub jitter_ms: i64,
    /// Bytes from here on were appended or checked by this process.
    pub trusted: u64,
}

impl Active {
    /// An empty segment.
    pub fn new(base: Offset, now: TimestampMs, jitter_ms: i64) -> Active {
        Active {
            base,
            size: 0,
            index: Growing::new(),
            times: Growing::new(),
            since_entry: 0,
            max_time: TimestampMs::NONE,
            max_time_offset: base,
            first_time: None,
            used_since: now,
            jitter_ms,
            trusted: 0,
        }
    }

    /// Takes note of a batch written at the end of the file. The rules of the entries are Kafka's.
    pub fn note(&mut self, header: &BatchHeader, interval_bytes: u64) {
        let last = header.last_offset();
        if self.size == 0 {
            self.first_time = Some(header.max_timestamp);
        }
        if header.max_timestamp > self.max_time {
            self.max_time = header.max_timestamp;
            self.max_time_offset = last;
        }
        if self.since_entry > interval_bytes
            && let Some(entry) = OffsetEntry::new(self.base, last, self.size)
        {
            self.index.push(entry);
            self.note_time();
            self.since_entry = 0;
        }
        self.since_entry += header.size as u64;
        self.size += header.size as u64;
    }

    /// Adds an entry to the time index if the largest timestamp grew since the last; also when the segment closes.
    pub fn note_time(&mut self) {
        let known = self.times.last().map_or(TimestampMs::NONE, |entry| entry.timestamp);
        if self.max_time > known
            && let Some(relative) = relative(self.base, self.max_time_offset)
        {
            self.times.push(TimeEntry { timestamp: self.max_time, relative });
        }
    }

    /// The same segment once it takes no more.
    pub fn sealed(&self) -> Sealed {
        let max_time = Some(self.max_time);
        Sealed {
            max_time,
            trusted: self.trusted,
            is_joined: true,
            ..Sealed::found(self.base, self.size, false)
        }
    }

    /// Where the log stands, `end` being its next offset.
    pub fn point(&self, end: Offset) -> Point {
        Point {
            end,
            base: self.base,
            position: self.size,
            index_entries: self.index.len(),
            time_entries: self.times.len(),
            max_time: self.max_time,
            max_time_offset: self.max_time_offset,
        }
    }
}

/// A batch boundary: an offset and where its batch starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    /// Offset of the batch that starts here, or will.
    pub offset: Offset,
    /// Segment.
    pub base: Offset,
    /// Byte of its `.log` file.
    pub position: u64,
}

impl From<Point> for Spot {
    fn from(point: Point) -> Spot {
        Spot { offset: point.end, base: point.base, position: point.position }
    }
}

/// Places that readers came to lately and will ask for next, in a ring: those of one that reads on, and those of many
/// that read the same. 16 take half a KiB of each log.
#[derive(Clone, Debug)]
pub struct Reached {
    places: [Place; REACHED_MAX],
    next: usize,
}

/// Readers of one log that read on at once without a look-up.
const REACHED_MAX: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    spot: Spot,
    generation: u32,
}

impl Reached {
    /// None but this, of the active segment.
    pub fn only(spot: Spot) -> Reached {
        Reached { places: [Place { spot, generation: 0 }; REACHED_MAX], next: 0 }
    }

    /// The byte of the segment at which the batch of this first offset starts, if it is known.
    pub fn find(&self, base: Offset, generation: u32, offset: Offset) -> Option<u64> {
        let is_it = |place: &&Place| {
            place.spot.offset == offset && place.spot.base == base && place.generation == generation
        };
        self.places.iter().find(is_it).map(|place| place.spot.position)
    }

    /// Takes note of a place, for that of the one longest here.
    pub fn put(&mut self, spot: Spot, generation: u32) {
        let place = Place { spot, generation };
        if self.places.contains(&place) {
            return;
        }
        if let Some(oldest) = self.places.get_mut(self.next) {
            *oldest = place;
        }
        self.next = (self.next + 1) % REACHED_MAX;
    }
}
