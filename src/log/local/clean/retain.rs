//! Which batches and records stay. The rules are Kafka's: `Cleaner.checkBatchRetention` and `shouldRetainRecord`,
//! `MemoryRecords.filterTo`. Must not know files.

use super::key_map::KeyMap;
use super::task::CleanTask;
use crate::record::{BadBatch, BatchHeader, StoredRecords};
use crate::types::{Offset, TimestampMs};

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Copied, byte for byte.
    Whole,
    /// Put together again from the records marked to be kept, under this delete horizon.
    Rebuilt(Option<TimestampMs>),
    /// Its header alone stays: for the producer's sequence, or for the end of the log.
    Header,
    /// Gone.
    Dropped,
}

/// What the fate of records depends on, for all batches of a pass.
pub struct Rules<'a> {
    /// The newest offset of each key below `until`, as far as it is dirty.
    pub map: &'a KeyMap,
    /// Nothing from here on is changed.
    pub until: Offset,
    /// Producers, horizons, high watermark.
    pub task: &'a CleanTask,
}

/// What is known of a batch before its records are looked at.
#[derive(Clone, Copy, Debug)]
pub struct BatchContext {
    /// Data of an aborted transaction, or a marker without data before it.
    pub discardable: bool,
    /// The last batch of its group of segments.
    pub is_last: bool,
}

/// Counts of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Records that stay.
    pub records: u64,
    /// Records dropped for want of a key.
    pub without_key: u64,
}

impl Rules<'_> {
    /// Decides on a batch and marks in `keep` the records that stay; those without a place there do.
    pub fn decide(
        &self,
        header: &BatchHeader,
        context: BatchContext,
        records: StoredRecords<'_>,
        keep: &mut Vec<bool>,
    ) -> Result<(Fate, Kept), BadBatch> {
        keep.clear();
        let all = Kept { records: u64::try_from(header.count).unwrap_or(0), without_key: 0 };
        if header.base_offset >= self.until {
            return Ok((Fate::Whole, all));
        }
        let below = header.last_offset() < self.until;
        let horizon = header.has_delete_horizon().then_some(header.base_timestamp);
        let expired = horizon.is_some_and(|horizon| horizon <= self.task.now);
        let discard = context.discardable && below && (!header.is_control() || expired);
        let (kept, tombstones) = if discard {
            (Kept::default(), false)
        } else if header.is_control() {
            (all, false)
        } else {
            self.mark(header, !expired, records, keep)?
        };
        // A tombstone whose older records may still be there beyond the end must not begin to age.
        let begins_to_age = below && horizon.is_none() && (tombstones || context.discardable);
        let fate = match kept.records {
            0 if !self.outlives_its_records(header, context.is_last) => Fate::Dropped,
            0 if header.count == 0 => Fate::Whole,
            0 => Fate::Header,
            _ if begins_to_age => {
                let horizon = self.task.now.0.saturating_add(self.task.settings.delete_retention_ms);
                Fate::Rebuilt(Some(TimestampMs(horizon)))
            }
            records if records == all.records => Fate::Whole,
            _ => Fate::Rebuilt(horizon),
        };
        Ok((fate, kept))
    }

    /// Marks the records of a batch of data; also says whether tombstones are among those that stay.
    fn mark(
        &self,
        header: &BatchHeader,
        tombstones_stay: bool,
        records: StoredRecords<'_>,
        keep: &mut Vec<bool>,
    ) -> Result<(Kept, bool), BadBatch> {
        let (mut kept, mut tombstones) = (Kept::default(), false);
        for record in records {
            let record = record?;
            let at = header.base_offset.plus(i64::from(record.offset_delta));
            let stays = at >= self.until
                || match record.key {
                    None => {
                        kept.without_key += 1;
                        false
                    }
                    Some(_) if record.is_tombstone && !tombstones_stay => false,
                    Some(key) => self.map.get(key).is_none_or(|newest| at >= newest),
                };
            keep.push(stays);
            kept.records += u64::from(stays);
            tombstones |= stays && record.is_tombstone;
        }
        Ok((kept, tombstones))
    }

    /// True for the last batch of a producer that is remembered, and where offsets end.
    fn outlives_its_records(&self, header: &BatchHeader, is_last: bool) -> bool {
        let last_of_producer = header.has_producer_id()
            && self.task.producers.get(&header.producer_id).is_some_and(|last| match last.data {
                Some(data) => header.last_offset() == data,
                None => header.is_control() && header.producer_epoch == last.epoch,
            });
        last_of_producer || is_last || header.next_offset() == self.task.high_watermark
    }
}
