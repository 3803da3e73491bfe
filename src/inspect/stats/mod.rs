//! What the batches and records of a segment weigh, by codec, key, shape and time; weights of segments add up to those
//! of a partition. Must not know how they are shown.

mod distinct;

pub use distinct::Distinct;

use super::records::{HELD_BYTES_MAX, visit_records};
use super::walk::{Found, LogWalk};
use crate::record::{BatchHeader, Record};
use crate::sys::Fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// Buckets of a histogram: bucket n counts what is below 2^n and not below 2^(n-1); the first counts zeros.
const BUCKETS: usize = 33;

/// What batches of one codec weigh.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CodecWeight {
    /// Batches.
    pub batches: u64,
    /// Bytes of their records as stored.
    pub stored: u64,
    /// Bytes of their records once decompressed; 0 if records were not read.
    pub plain: u64,
}

/// A histogram over powers of two.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Histogram(Vec<u64>);

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram(vec![0; BUCKETS])
    }
}

impl Histogram {
    fn note(&mut self, value: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        if let Some(count) = self.0.get_mut(bucket.min(BUCKETS - 1)) {
            *count += 1;
        }
    }

    fn join(&mut self, other: &Histogram) {
        self.0.iter_mut().zip(&other.0).for_each(|(held, theirs)| *held += theirs);
    }

    /// Buckets that count something: what their values are below, and how many.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, count)| (1_u64 << bucket, *count))
    }
}

/// What a segment, or several, weigh.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Weight {
    /// Segments.
    pub segments: u64,
    /// Bytes of `.log` files.
    pub size: u64,
    /// Batches.
    pub batches: u64,
    /// Records, control records among them.
    pub records: u64,
    /// Control batches.
    pub control: u64,
    /// Batches of transactions, control batches among them.
    pub transactional: u64,
    /// Batches of idempotent producers.
    pub idempotent: u64,
    /// Bytes that are no sound batch.
    pub damaged: u64,
    /// Batches whose records could not be read.
    pub unread: u64,
    /// By name of the codec.
    pub codecs: BTreeMap<String, CodecWeight>,
    /// Records with a key.
    pub keyed: u64,
    /// Bytes of keys and values of those.
    pub keyed_bytes: u64,
    /// Records with a key and no value.
    pub tombstones: u64,
    /// Bytes of keys.
    pub key_bytes: u64,
    /// Bytes of values.
    pub value_bytes: u64,
    /// Headers.
    pub headers: u64,
    /// Bytes of their keys and values.
    pub header_bytes: u64,
    /// Smallest timestamp of a record; none if no record was read.
    pub first_time: Option<i64>,
    /// Largest timestamp of a batch.
    pub last_time: Option<i64>,
    /// Records of a batch.
    pub records_per_batch: Histogram,
    /// Bytes of a batch.
    pub bytes_per_batch: Histogram,
    /// Keys.
    pub distinct_keys: Distinct,
    /// Producer ids.
    pub distinct_producers: Distinct,
}

impl Weight {
    /// Adds what another weighs.
    pub fn join(&mut self, other: &Weight) {
        let add = |held: &mut u64, theirs: u64| *held = held.saturating_add(theirs);
        add(&mut self.segments, other.segments);
        add(&mut self.size, other.size);
        add(&mut self.batches, other.batches);
        add(&mut self.records, other.records);
        add(&mut self.control, other.control);
        add(&mut self.transactional, other.transactional);
        add(&mut self.idempotent, other.idempotent);
        add(&mut self.damaged, other.damaged);
        add(&mut self.unread, other.unread);
        add(&mut self.keyed, other.keyed);
        add(&mut self.keyed_bytes, other.keyed_bytes);
        add(&mut self.tombstones, other.tombstones);
        add(&mut self.key_bytes, other.key_bytes);
        add(&mut self.value_bytes, other.value_bytes);
        add(&mut self.headers, other.headers);
        add(&mut self.header_bytes, other.header_bytes);
        for (name, codec) in &other.codecs {
            let held = self.codecs.entry(name.clone()).or_default();
            held.batches += codec.batches;
            held.stored += codec.stored;
            held.plain += codec.plain;
        }
        let first = self.first_time.into_iter().chain(other.first_time).min();
        (self.first_time, self.last_time) = (first, self.last_time.max(other.last_time));
        self.records_per_batch.join(&other.records_per_batch);
        self.bytes_per_batch.join(&other.bytes_per_batch);
        self.distinct_keys.join(&other.distinct_keys);
        self.distinct_producers.join(&other.distinct_producers);
    }

    /// Bytes that would go if of each key only the newest record stayed, about: as if all records of a key were alike.
    pub fn compaction_gain(&self) -> u64 {
        let data: u64 = self.codecs.values().map(|codec| codec.stored).sum();
        let plain = (self.key_bytes + self.value_bytes).max(1);
        let kept = self.distinct_keys.estimate().min(self.keyed);
        let share = 1.0 - kept as f64 / self.keyed.max(1) as f64;
        let keyed = self.keyed_bytes as f64 / plain as f64;
        if self.keyed == 0 { 0 } else { (data as f64 * keyed * share) as u64 }
    }

    fn note_batch(&mut self, header: &BatchHeader) {
        self.batches += 1;
        self.records += u64::try_from(header.count).unwrap_or(0);
        self.control += u64::from(header.is_control());
        self.transactional += u64::from(header.is_transactional());
        if header.has_producer_id() {
            self.idempotent += 1;
            self.distinct_producers.note(&header.producer_id.0.to_be_bytes());
        }
        let codec = header.codec().map_or("unknown", |codec| codec.name());
        let held = self.codecs.entry(codec.to_owned()).or_default();
        held.batches += 1;
        held.stored += (header.size - BatchHeader::SIZE) as u64;
        self.last_time = self.last_time.max(Some(header.max_timestamp.0));
        self.records_per_batch.note(u64::try_from(header.count).unwrap_or(0));
        self.bytes_per_batch.note(header.size as u64);
    }

    fn note_record(&mut self, record: &Record) {
        let len = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let (key, value) = (len(&record.key), len(&record.value));
        self.key_bytes += key;
        self.value_bytes += value;
        if let Some(bytes) = &record.key {
            self.keyed += 1;
            self.keyed_bytes += key + value;
            self.tombstones += u64::from(record.value.is_none());
            self.distinct_keys.note(bytes);
        }
        self.headers += record.headers.len() as u64;
        for header in &record.headers {
            self.header_bytes += header.key.as_str().len() as u64 + len(&header.value);
        }
        self.first_time = self.first_time.into_iter().chain([record.timestamp.0]).min();
    }
}

/// Weighs a `.log` file; none if `pace`, which is told of bytes read, asked to stop.
///
/// # Errors
/// Reading failed.
pub fn weigh(
    fs: &dyn Fs,
    path: &Path,
    deep: bool,
    pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> io::Result<Option<Weight>> {
    let mut walk = LogWalk::open(fs, path)?;
    let mut weight = Weight { segments: 1, size: walk.end(), ..Weight::default() };
    loop {
        let from = walk.position();
        let Some(found) = walk.find_next()? else { return Ok(Some(weight)) };
        match found {
            Found::Batch { at, header } => {
                weight.note_batch(&header);
                if deep && !weigh_records(&walk, at, &header, &mut weight)? {
                    weight.unread += 1;
                }
            }
            Found::Old { .. } | Found::Zeros { .. } => {}
            Found::Damage { at, until, .. } | Found::Torn { at, until, .. } => weight.damaged += until - at,
        }
        if pace(walk.position() - from).is_break() {
            return Ok(None);
        }
    }
}

/// False if they cannot be read.
fn weigh_records(walk: &LogWalk, at: u64, header: &BatchHeader, weight: &mut Weight) -> io::Result<bool> {
    if header.size > HELD_BYTES_MAX {
        return Ok(false);
    }
    let bytes = walk.batch(at, header)?;
    let control = header.is_control();
    let read = visit_records(header, &bytes, HELD_BYTES_MAX, &mut |record| {
        if !control {
            weight.note_record(record);
        }
    });
    if let (Ok(plain), Ok(codec)) = (&read, header.codec())
        && let Some(held) = weight.codecs.get_mut(codec.name())
    {
        held.plain += *plain as u64;
    }
    Ok(read.is_ok())
}
