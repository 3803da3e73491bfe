//! What a partition remembers of idempotent producers: the last five batches of each, so that a batch sent again is
//! recognised and a gap is refused (KIP-98, KIP-185). Knows no log, no lock and no file.

use crate::record::BatchHeader;
use crate::types::{MonoNs, Offset, ProducerId, TimestampMs};
use std::collections::BTreeMap;
use std::time::Duration;

/// Batches remembered of each producer: clients send at most five requests at a time
/// (`max.in.flight.requests.per.connection`), so an older batch cannot come again.
pub const BATCHES_KEPT: usize = 5;

/// A batch that is in the log, as much as is needed to recognise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchNote {
    /// Sequence number of the last record.
    pub last_sequence: i32,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// Offset of the last record less that of the first.
    pub offset_delta: i32,
    /// Largest timestamp, or the append's time.
    pub timestamp: TimestampMs,
}

impl BatchNote {
    /// Offset of the first record.
    pub fn first_offset(&self) -> Offset {
        self.last_offset.plus(-i64::from(self.offset_delta))
    }

    /// Sequence number of the first record; before 0 comes 2^31-1.
    pub fn first_sequence(&self) -> i32 {
        let first = i64::from(self.last_sequence) - i64::from(self.offset_delta);
        i32::try_from(first.rem_euclid(1 << 31)).unwrap_or(-1)
    }
}

/// One producer.
#[derive(Clone, Copy, Debug)]
pub struct Producer {
    /// Its epoch; -1 if none is known.
    pub epoch: i16,
    /// Epoch of the transaction coordinator that wrote the last marker; -1 for none.
    pub coordinator_epoch: i32,
    /// Timestamp of the last batch.
    pub last_timestamp: TimestampMs,
    /// When it last wrote, by this process's clock: for expiry.
    pub seen: MonoNs,
    /// Oldest first; `None` behind the last.
    notes: [Option<BatchNote>; BATCHES_KEPT],
}

impl Producer {
    /// A producer of which only the epoch is known.
    pub fn new(epoch: i16, seen: MonoNs) -> Producer {
        Producer {
            epoch,
            coordinator_epoch: -1,
            last_timestamp: TimestampMs::NONE,
            seen,
            notes: [None; BATCHES_KEPT],
        }
    }

    /// The batches remembered, oldest first.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = &BatchNote> {
        self.notes.iter().flatten()
    }

    /// The newest batch of the present epoch.
    pub fn last(&self) -> Option<&BatchNote> {
        self.notes().next_back()
    }

    /// Remembers a batch, forgetting those of another epoch and the oldest of more than five.
    pub fn note(&mut self, epoch: i16, note: BatchNote) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.notes = [None; BATCHES_KEPT];
        }
        self.last_timestamp = note.timestamp;
        if let Some(free) = self.notes.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(note);
        } else {
            self.notes.rotate_left(1);
            if let Some(slot) = self.notes.last_mut() {
                *slot = Some(note);
            }
        }
    }

    fn find(&self, header: &BatchHeader) -> Option<BatchNote> {
        if header.producer_epoch != self.epoch {
            return None;
        }
        let wanted = (header.base_sequence, header.last_sequence());
        self.notes().find(|note| (note.first_sequence(), note.last_sequence) == wanted).copied()
    }
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one.
    Append,
    /// It is in the log already, as this batch.
    Duplicate(BatchNote),
}

/// Why a batch of an idempotent producer must not be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfOrder {
    /// A later instance of the producer has written (`INVALID_PRODUCER_EPOCH`).
    #[error("producer {id} wrote with epoch {current}, this batch has the older epoch {got}")]
    OldEpoch {
        /// The producer.
        id: ProducerId,
        /// Epoch of the batch.
        got: i16,
        /// Epoch last seen.
        current: i16,
    },
    /// Not the sequence number that follows (`OUT_OF_ORDER_SEQUENCE_NUMBER`).
    #[error("producer {id} sent sequence number {got} where {expected} is next in epoch {epoch}")]
    Sequence {
        /// The producer.
        id: ProducerId,
        /// Epoch of the batch.
        epoch: i16,
        /// First sequence number of the batch.
        got: i32,
        /// Sequence number that would be next.
        expected: i32,
    },
}

/// All producers of a partition.
#[derive(Clone, Debug)]
pub struct Producers {
    by_id: BTreeMap<ProducerId, Producer>,
    count_max: usize,
    expiration: Duration,
}

impl Producers {
    /// None yet. At most `count_max` are kept, each for `expiration` after its last batch.
    pub fn new(count_max: usize, expiration: Duration) -> Producers {
        Producers { by_id: BTreeMap::new(), count_max: count_max.max(1), expiration }
    }

    /// None, under the same limits.
    pub fn emptied(&self) -> Producers {
        Producers::new(self.count_max, self.expiration)
    }

    /// Whether a batch with a producer id may follow, by Kafka's rules: a producer that is not known may start
    /// anywhere (its state may have expired), a new epoch starts at 0, and otherwise no gap is allowed.
    pub fn check(&self, header: &BatchHeader, now: MonoNs) -> Result<Verdict, OutOfOrder> {
        let id = header.producer_id;
        let Some(known) = self.by_id.get(&id).filter(|known| !self.is_expired(known, now)) else {
            return Ok(Verdict::Append);
        };
        if let Some(note) = known.find(header) {
            return Ok(Verdict::Duplicate(note));
        }
        let (epoch, got) = (header.producer_epoch, header.base_sequence);
        if epoch < known.epoch {
            return Err(OutOfOrder::OldEpoch { id, got: epoch, current: known.epoch });
        }
        let expected = match known.last() {
            Some(last) if epoch == known.epoch => next_sequence(last.last_sequence),
            _ => 0,
        };
        // Epoch -1 stands for "none known" in snapshots: any number may follow.
        if got == expected || known.epoch < 0 {
            Ok(Verdict::Append)
        } else {
            Err(OutOfOrder::Sequence { id, epoch, got, expected })
        }
    }

    /// Takes note of a batch that is in the log. Its header carries the final offsets.
    pub fn note(&mut self, header: &BatchHeader, timestamp: TimestampMs, now: MonoNs) {
        if !header.has_producer_id() {
            return;
        }
        let producer = self.entry(header.producer_id, header.producer_epoch, now);
        producer.seen = now;
        if header.is_control() {
            // A marker of a transaction: fences older epochs and says nothing of sequence numbers.
            if producer.epoch != header.producer_epoch {
                *producer = Producer::new(header.producer_epoch, now);
            }
            producer.last_timestamp = timestamp;
            return;
        }
        let note = BatchNote {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp,
        };
        producer.note(header.producer_epoch, note);
    }

    /// Puts in a producer as a snapshot had it.
    pub fn restore(&mut self, id: ProducerId, producer: Producer) {
        *self.entry(id, producer.epoch, producer.seen) = producer;
    }

    /// Forgets the producers that have not written for the expiration time.
    pub fn expire(&mut self, now: MonoNs) {
        let expiration = self.expiration;
        self.by_id.retain(|_, producer| now.since(producer.seen) < expiration);
    }

    /// Changes `producer.id.expiration.ms`.
    pub fn set_expiration(&mut self, expiration: Duration) {
        self.expiration = expiration;
    }

    /// All, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ProducerId, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    /// Number of producers.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    fn is_expired(&self, producer: &Producer, now: MonoNs) -> bool {
        now.since(producer.seen) >= self.expiration
    }

    fn entry(&mut self, id: ProducerId, epoch: i16, now: MonoNs) -> &mut Producer {
        let expired = self.by_id.get(&id).is_some_and(|known| self.is_expired(known, now));
        if expired {
            self.by_id.remove(&id);
        } else if self.by_id.len() >= self.count_max && !self.by_id.contains_key(&id) {
            self.make_room(now);
        }
        self.by_id.entry(id).or_insert_with(|| Producer::new(epoch, now))
    }

    /// Forgets the expired; if that is not enough, the eighth that wrote longest ago, so that the search through
    /// all is paid once for many newcomers.
    fn make_room(&mut self, now: MonoNs) {
        self.expire(now);
        if self.by_id.len() < self.count_max {
            return;
        }
        let mut oldest: Vec<(MonoNs, ProducerId)> =
            self.by_id.iter().map(|(id, known)| (known.seen, *id)).collect();
        oldest.sort_unstable();
        oldest.truncate(self.count_max / 8 + 1);
        for (_, id) in oldest {
            self.by_id.remove(&id);
        }
    }
}

/// The number after `sequence`: after 2^31-1 comes 0.
fn next_sequence(sequence: i32) -> i32 {
    if sequence == i32::MAX { 0 } else { sequence + 1 }
}
