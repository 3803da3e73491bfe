//! Files beside the batches made anew from them: both indexes, the seal, the epochs. Each replaces the old one whole.

use crate::inspect::place::PartitionPlace;
use crate::inspect::walk::{Found, LogWalk};
use crate::log::local::epochs::{self, Epochs};
use crate::log::local::seal::{BuildError, BuildOptions, Seal, Side, Stored, build_body, load};
use crate::record::BatchHeader;
use crate::sys::{Fs, OpenHow, replace, write_atomically};
use crate::types::{Offset, TimestampMs};
use bytes::BufMut;
use std::io;
use std::ops::ControlFlow;

/// `index.interval.bytes` by default: what a topic has set is not known here, and any interval is true.
const INTERVAL_BYTES: u64 = 4096;

/// Both indexes of a segment in the making. The rules of the entries are Kafka's.
#[derive(Default)]
pub struct Indexes {
    offsets: Vec<u8>,
    times: Vec<u8>,
    since_entry: u64,
    max: Option<(TimestampMs, i32)>,
    in_times: Option<TimestampMs>,
}

impl Indexes {
    fn note(&mut self, base: Offset, at: u64, header: &BatchHeader) {
        let relative = header.last_offset().0.checked_sub(base.0).and_then(|far| i32::try_from(far).ok());
        let Some(relative) = relative else { return };
        if self.max.is_none_or(|(max, _)| header.max_timestamp > max) {
            self.max = Some((header.max_timestamp, relative));
        }
        if let Ok(position) = i32::try_from(at)
            && self.since_entry > INTERVAL_BYTES
        {
            self.offsets.put_i32(relative);
            self.offsets.put_i32(position);
            self.note_time();
            self.since_entry = 0;
        }
        self.since_entry += header.size as u64;
    }

    fn note_time(&mut self) {
        let known = self.in_times.unwrap_or(TimestampMs::NONE);
        if let Some((max, relative)) = self.max.filter(|(max, _)| *max > known) {
            self.times.put_i64(max.0);
            self.times.put_i32(relative);
            self.in_times = Some(max);
        }
    }

    /// Numbers of entries.
    pub fn counts(&self) -> (u32, u32) {
        let count = |bytes: &[u8], size| u32::try_from(bytes.len() / size).unwrap_or(u32::MAX);
        (count(&self.offsets, 8), count(&self.times, 12))
    }

    /// The largest timestamp, and the last offset of its batch.
    pub fn max_time(&self, base: Offset) -> (TimestampMs, Offset) {
        self.max.map_or((TimestampMs::NONE, base), |(max, relative)| (max, base.plus(i64::from(relative))))
    }
}

/// Both indexes from the batches in front of byte `end` that are sound.
pub fn build_indexes(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    base: Offset,
    end: u64,
    closed: bool,
) -> io::Result<Indexes> {
    let mut walk = LogWalk::open(fs, &partition.segment(base, "log"))?.until_byte(end);
    let mut indexes = Indexes::default();
    while let Some(found) = walk.find_next()? {
        if let Found::Batch { at, header } = found {
            indexes.note(base, at, &header);
        }
    }
    if closed {
        indexes.note_time();
    }
    Ok(indexes)
}

/// Puts them in place of the old ones.
pub fn write_indexes(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    base: Offset,
    indexes: &Indexes,
) -> io::Result<()> {
    replace(fs, &partition.segment(base, "index"), &indexes.offsets)?;
    replace(fs, &partition.segment(base, "timeindex"), &indexes.times)?;
    fs.sync_dir(&partition.path)
}

/// Both indexes made anew. A seal that vouches for the segment vouches for them afterwards; a crash in between leaves
/// one that does not, which costs another repair and nothing else.
pub fn rebuild_indexes(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    base: Offset,
    closed: bool,
) -> io::Result<()> {
    let indexes = build_indexes(fs, partition, base, u64::MAX, closed)?;
    write_indexes(fs, partition, base, &indexes)?;
    if let Stored::Sound(seal) = load(fs, &partition.path, base) {
        let seal = Seal { index: Side::of(&indexes.offsets), times: Side::of(&indexes.times), ..seal };
        seal.store(fs, &partition.path)?;
        fs.sync_dir(&partition.path)?;
    }
    Ok(())
}

/// The seal of a segment that ends where the next begins, if every batch of it is sound.
pub fn rebuild_seal(
    fs: &dyn Fs,
    partition: &PartitionPlace,
    base: Offset,
    end: Offset,
) -> Result<(), BuildError> {
    let file = fs.open(&partition.segment(base, "log"), OpenHow::Read)?;
    let options = BuildOptions {
        base,
        end,
        size: file.size()?,
        note: &mut |_, _| {},
        pace: &mut |_| ControlFlow::Continue(()),
    };
    let body = build_body(&*file, options)?;
    let side = |suffix: &str| fs.read(&partition.segment(base, suffix)).map(|bytes| Side::of(&bytes));
    let seal = body.sealed(base, end, side("index")?, side("timeindex")?);
    seal.store(fs, &partition.path)?;
    fs.sync_dir(&partition.path)?;
    Ok(())
}

/// The epochs out of the sound batches below `end`.
pub fn rebuild_epochs(fs: &dyn Fs, partition: &PartitionPlace, end: Offset) -> io::Result<()> {
    let mut epochs = Epochs::default();
    for base in partition.bases.iter().filter(|base| **base < end) {
        let mut walk = LogWalk::open(fs, &partition.segment(*base, "log"))?.within(*base, end);
        while let Some(found) = walk.find_next()? {
            if let Found::Batch { header, .. } = found {
                epochs.note(header.leader_epoch, header.base_offset);
            }
        }
    }
    write_atomically(fs, &partition.path.join(epochs::FILE), epochs.to_text().as_bytes())
}
