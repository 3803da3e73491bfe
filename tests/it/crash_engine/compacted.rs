//! What compaction may leave of what was sent to a partition, and what it must. It knows Kafka's promises to whoever
//! reads a compacted topic, and not when or how it is compacted.
//!
//! Of each key the newest record stays, unless it is a tombstone that is old enough; what went of a key is older than
//! all that stays of it, so that no deleted value is seen once its tombstone is gone; nothing young goes; what a reader
//! missed once does not come back; what stays has its offset; and the last batch of each producer stays, if only as a
//! header.

use super::ledger::{Batch, Partition, Terms};
use super::verify::Found;
use super::world::Finding;
use bytes::Bytes;
use logboom::record::{BatchHeader, Record, read_records};
use logboom::types::{Offset, TimestampMs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A record of a key, as it was sent.
struct Row<'a> {
    offset: Offset,
    sent_at: i64,
    record: &'a Record,
}

/// Compares a life of the log with what was found at `now`.
pub fn matches(
    life: &[Arc<Batch>],
    account: &Partition,
    terms: Terms,
    now: TimestampMs,
    found: &Found,
) -> Result<(), Finding> {
    let (held, there) = held(life, account, found)?;
    if let Some(back) = there.intersection(&account.gone).next() {
        return Err(format!("the record at {back} was compacted away and is back"));
    }
    for (key, rows) in by_key(&held, found.start) {
        let key = String::from_utf8_lossy(key);
        let mut newer: Option<&Row<'_>> = None;
        let mut gone = None;
        for row in rows.iter().rev() {
            let is_there = there.contains(&row.offset);
            if let Some(gone) = gone.filter(|_| is_there) {
                return Err(format!("{key} is back at {}: it went as far as {gone}", row.offset));
            }
            if !is_there {
                may_be_gone(row, newer, terms, now)
                    .map_err(|why| format!("{key} at {}: {why}", row.offset))?;
                gone = gone.or(Some(row.offset));
            }
            newer = Some(row);
        }
    }
    let starts: BTreeSet<Offset> = found.batches.iter().map(|(header, _)| header.base_offset).collect();
    let mut last = BTreeMap::new();
    for batch in held.iter().filter(|batch| batch.first >= found.start) {
        last.extend(batch.producer.map(|(id, _)| (id, batch.first)));
    }
    match last.iter().find(|(_, first)| !starts.contains(first)) {
        Some((id, first)) => Err(format!("the last batch of producer {id}, at {first}, is gone")),
        None => Ok(()),
    }
}

/// Whether a stored batch is what compaction left of this one.
pub fn is_left_of(batch: &Batch, header: &BatchHeader, bytes: &Bytes) -> bool {
    let producer = (header.producer_id.0 >= 0).then_some((header.producer_id.0, header.base_sequence));
    let head =
        (header.base_offset, header.next_offset(), producer) == (batch.first, batch.next(), batch.producer);
    let Ok(mut records) = read_records(bytes, 1 << 20) else { return false };
    head && records.all(|record| {
        let Ok(mut record) = record else { return false };
        record.offset = Offset(record.offset.0 - batch.first.0);
        batch.rows.contains(&record)
    })
}

/// The records of this life that are gone, from the log start on.
pub fn gone(life: &[Arc<Batch>], found: &Found) -> BTreeSet<Offset> {
    let there = offsets(found);
    let rows = by_key(life, found.start).into_values().flatten();
    rows.map(|row| row.offset).filter(|offset| !there.contains(offset)).collect()
}

/// The batches that the log must be made of, if it holds this life, and the offsets of the records found. At most one
/// batch stands behind them, of which its sender was told that it may be there.
fn held(
    life: &[Arc<Batch>],
    account: &Partition,
    found: &Found,
) -> Result<(Vec<Arc<Batch>>, BTreeSet<Offset>), Finding> {
    let mut held: Vec<Arc<Batch>> = life.iter().filter(|batch| batch.next() <= found.end).cloned().collect();
    for (header, bytes) in &found.batches {
        let at = held.iter().position(|batch| batch.first == header.base_offset);
        if at.and_then(|at| held.get(at)).is_some_and(|batch| is_left_of(batch, header, bytes)) {
            continue;
        }
        let is_last = header.base_offset >= account.promised && header.next_offset() == found.end;
        let doubtful = account.doubtful.iter().find(|batch| is_last && is_left_of(batch, header, bytes));
        let Some(doubtful) = doubtful else {
            return Err(format!("the batch at {} is not of one that was sent", header.base_offset));
        };
        held.retain(|batch| batch.first < header.base_offset);
        held.push(Arc::clone(doubtful));
    }
    Ok((held, offsets(found)))
}

fn offsets(found: &Found) -> BTreeSet<Offset> {
    let records = found.batches.iter().flat_map(|(_, bytes)| read_records(bytes, 1 << 20).unwrap());
    records.map(|record| record.unwrap().offset).collect()
}

/// The rows of each key, from `start` on, ascending.
fn by_key(batches: &[Arc<Batch>], start: Offset) -> BTreeMap<&[u8], Vec<Row<'_>>> {
    let mut keys: BTreeMap<&[u8], Vec<Row<'_>>> = BTreeMap::new();
    for batch in batches {
        for record in &batch.rows {
            let offset = batch.first.plus(record.offset.0);
            let key = record.key.as_deref().unwrap_or_default();
            if offset >= start {
                keys.entry(key).or_default().push(Row { offset, sent_at: batch.sent_at, record });
            }
        }
    }
    keys
}

fn may_be_gone(
    row: &Row<'_>,
    newer: Option<&Row<'_>>,
    terms: Terms,
    now: TimestampMs,
) -> Result<(), Finding> {
    let is_young = |time: i64| terms.min_lag_ms > 0 && time + terms.min_lag_ms > now.0;
    let is_tombstone = row.record.value.is_none();
    match newer {
        _ if is_young(row.record.timestamp.0) => Err("it is too young to be gone".to_owned()),
        _ if is_tombstone && row.sent_at + terms.tombstones_ms <= now.0 => Ok(()),
        Some(newer) if !is_young(newer.record.timestamp.0) => Ok(()),
        Some(_) => Err("it is gone, and what follows it is too young for that".to_owned()),
        None => Err("the last record of a key is gone".to_owned()),
    }
}
