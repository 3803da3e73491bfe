//! The bytes of a `.snapshot` file: the producers of a partition below an offset, in Kafka's ProducerSnapshot
//! version 1. Must not know where the bytes are kept.
//!
//! ```text
//! at size field                     all integers big-endian; the CRC-32C covers byte 6 to the end
//!  0   2  version = 1
//!  2   4  crc
//!  6   4  number of entries, 46 bytes each; several of one producer stand together, oldest batch first:
//!     8 producerId  2 epoch  4 lastSequence (-1 none)  8 lastOffset (-1 none)  4 offsetDelta
//!     8 timestamp   4 coordinatorEpoch (-1 none)       8 currentTxnFirstOffset (-1 none)
//! ```

use super::producers::{BatchNote, Producer, Producers};
use crate::types::{MonoNs, Offset, ProducerId, TimestampMs};
use bytes::{Buf, BufMut, Bytes};

const VERSION: i16 = 1;
const CRC_AT: usize = 2;
const BODY_AT: usize = 6;
const ENTRY_SIZE: usize = 46;

/// Why bytes are not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSnapshot {
    /// Shorter or longer than its count of producers says.
    #[error("the size does not fit the number of producers")]
    Size,
    /// Of a release that this one does not know.
    #[error("version {0} is not 1")]
    Version(i16),
    /// Not the bytes that were written.
    #[error("the CRC does not match")]
    Crc,
}

/// The producers as bytes.
///
/// Kafka keeps only the newest batch of each, so that after a crash it takes an older one that a client sends again for
/// a gap. We write an entry for every batch remembered, oldest first: Kafka's reader lets the last entry of a producer
/// win, and so understands the file, while ours knows all five again.
pub fn encode(producers: &Producers) -> Bytes {
    let count: usize = producers.iter().map(|(_, producer)| producer.notes().count().max(1)).sum();
    let mut out = Vec::with_capacity(BODY_AT + 4 + count * ENTRY_SIZE);
    out.put_i16(VERSION);
    out.put_u32(0);
    out.put_i32(i32::try_from(count).unwrap_or(i32::MAX));
    for (id, producer) in producers.iter() {
        if producer.last().is_none() {
            put_entry(&mut out, id, producer, None);
        }
        for note in producer.notes() {
            put_entry(&mut out, id, producer, Some(note));
        }
    }
    let crc = crc32c::crc32c(out.get(BODY_AT..).unwrap_or_default());
    if let Some(field) = out.get_mut(CRC_AT..BODY_AT) {
        field.copy_from_slice(&crc.to_be_bytes());
    }
    out.into()
}

fn put_entry(out: &mut Vec<u8>, id: ProducerId, producer: &Producer, note: Option<&BatchNote>) {
    out.put_i64(id.0);
    out.put_i16(producer.epoch);
    out.put_i32(note.map_or(-1, |note| note.last_sequence));
    out.put_i64(note.map_or(-1, |note| note.last_offset.0));
    out.put_i32(note.map_or(0, |note| note.offset_delta));
    out.put_i64(note.map_or(producer.last_timestamp, |note| note.timestamp).0);
    out.put_i32(producer.coordinator_epoch);
    out.put_i64(-1);
}

/// Puts the producers of a snapshot into `producers`, as if all had written at `now`. Nothing is put in if the
/// bytes are not sound.
pub fn restore(bytes: &[u8], producers: &mut Producers, now: MonoNs) -> Result<(), BadSnapshot> {
    let mut rest = bytes;
    let version = rest.try_get_i16().map_err(|_| BadSnapshot::Size)?;
    if version != VERSION {
        return Err(BadSnapshot::Version(version));
    }
    let stored = rest.try_get_u32().map_err(|_| BadSnapshot::Size)?;
    if crc32c::crc32c(rest) != stored {
        return Err(BadSnapshot::Crc);
    }
    let count = rest.try_get_i32().map_err(|_| BadSnapshot::Size)?;
    let size = usize::try_from(count).map_err(|_| BadSnapshot::Size)?.checked_mul(ENTRY_SIZE);
    if size != Some(rest.len()) {
        return Err(BadSnapshot::Size);
    }
    let mut last: Option<(ProducerId, Producer)> = None;
    while let Some((mut entry, after)) = rest.split_first_chunk::<ENTRY_SIZE>().map(|(e, r)| (&e[..], r)) {
        rest = after;
        let (id, epoch) = (ProducerId(entry.get_i64()), entry.get_i16());
        let note = BatchNote {
            last_sequence: entry.get_i32(),
            last_offset: Offset(entry.get_i64()),
            offset_delta: entry.get_i32(),
            timestamp: TimestampMs(entry.get_i64()),
        };
        let mut producer = match last.take() {
            Some((same, producer)) if same == id => producer,
            other => {
                if let Some((id, producer)) = other {
                    producers.restore(id, producer);
                }
                Producer::new(epoch, now)
            }
        };
        if note.last_offset.0 >= 0 {
            producer.note(epoch, note);
        }
        producer.last_timestamp = note.timestamp;
        producer.coordinator_epoch = entry.get_i32();
        last = Some((id, producer));
    }
    if let Some((id, producer)) = last {
        producers.restore(id, producer);
    }
    Ok(())
}
