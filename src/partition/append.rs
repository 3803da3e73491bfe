//! Appending to a partition: sequence check, append and note as one step. Must not wait for durability; the
//! ticket it returns does.

use super::producers::{BatchNote, OutOfOrder, Verdict};
use super::{Partition, SNAPSHOT_INTERVAL_BYTES, State, snapshot};
use crate::log::{AppendError, Appended, Ticket};
use crate::record::{BatchHeader, BatchMeta, CheckedBatches, TimestampType};
use crate::types::{Epoch, ErrorCode, MonoNs, Offset, TimestampMs};

/// Records that are in the log, though perhaps not yet durable.
#[derive(Debug)]
pub struct Accepted {
    /// Offset of the first record.
    pub first: Offset,
    /// Offset of the last record.
    pub last: Offset,
    /// Time that the broker gave to the records; -1 if they keep their producer's.
    pub log_append_time: TimestampMs,
    /// Log start offset.
    pub start: Offset,
    /// Wait on it for durability.
    pub ticket: Ticket,
    /// The records were there before: the producer sent the batch again, and the offsets are the original's.
    pub duplicate: bool,
}

/// Records that were not appended; nothing of them is in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {message}")]
pub struct Refused {
    /// What the client is told.
    pub error: ErrorCode,
    /// For people.
    pub message: String,
}

impl Refused {
    /// A refusal with its text.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Refused {
        Refused { error, message: message.into() }
    }
}

impl From<OutOfOrder> for Refused {
    fn from(why: OutOfOrder) -> Refused {
        let error = match why {
            OutOfOrder::OldEpoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
            OutOfOrder::Sequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        };
        Refused::new(error, why.to_string())
    }
}

impl From<AppendError> for Refused {
    fn from(why: AppendError) -> Refused {
        // The one storage error that Kafka's clients know; it makes them ask for metadata and try again.
        Refused::new(ErrorCode::KAFKA_STORAGE_ERROR, why.to_string())
    }
}

impl Partition {
    /// Appends the batches or finds that they are there already. Does not wait for durability.
    pub fn append(&self, batches: CheckedBatches) -> Result<Accepted, Refused> {
        let metas = batches.batches().clone();
        let Some(first) = metas.first() else {
            return Err(Refused::new(ErrorCode::INVALID_RECORD, "there is no batch"));
        };
        let log_append_time = append_time(&first.header);
        let header = idempotent(&metas)?;
        // Of records without a producer nothing is noted, and nobody asks when.
        let now = header.map_or(MonoNs(0), |_| self.clock.mono());
        let mut state = self.state.lock();
        if let Some(header) = header {
            match state.producers.check(header, now)? {
                Verdict::Append => {}
                Verdict::Duplicate(note) => return Ok(self.duplicate(&note, header)),
            }
        }
        let size = batches.len() as u64;
        let appended = self.log.append(batches, self.epoch.get())?;
        self.appended(&mut state, &metas, &appended, size, now);
        Ok(Accepted {
            first: appended.first,
            last: appended.last,
            log_append_time,
            start: appended.start,
            ticket: appended.ticket,
            duplicate: false,
        })
    }

    /// Appends batches that the broker itself made, under an epoch that it has chosen. Does not wait for durability.
    pub fn append_own(&self, batches: CheckedBatches, epoch: Epoch) -> Result<Appended, AppendError> {
        let now = self.clock.mono();
        let metas = batches.batches().clone();
        let size = batches.len() as u64;
        let mut state = self.state.lock();
        let appended = self.log.append(batches, epoch)?;
        self.appended(&mut state, &metas, &appended, size, now);
        Ok(appended)
    }

    /// Notes what is in the log now.
    fn appended(&self, state: &mut State, metas: &[BatchMeta], appended: &Appended, size: u64, now: MonoNs) {
        if let Some(base) = appended.rolled_at {
            self.keep_snapshot(state, base);
        }
        note_all(state, metas, appended.first, now);
        state.next = appended.last.next();
        state.bytes_since_snapshot += size;
        if state.bytes_since_snapshot >= SNAPSHOT_INTERVAL_BYTES {
            let end = state.next;
            self.keep_snapshot(state, end);
        }
    }

    fn duplicate(&self, note: &BatchNote, header: &BatchHeader) -> Accepted {
        let append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        Accepted {
            first: note.first_offset(),
            last: note.last_offset,
            log_append_time: if append_time { note.timestamp } else { TimestampMs::NONE },
            start: self.log.marks().start,
            ticket: self.log.ticket(note.last_offset),
            duplicate: true,
        }
    }

    /// A snapshot only shortens the next start, so that a failure is told and forgotten.
    fn keep_snapshot(&self, state: &mut State, at: Offset) {
        state.bytes_since_snapshot = 0;
        if let Err(error) = self.log.put_snapshot(at, &snapshot::encode(&state.producers)) {
            tracing::warn!(partition = %self.id, offset = %at, %error, "cannot keep the state of producers");
        }
    }
}

/// The one batch of an idempotent producer, if it is one.
fn idempotent(metas: &[BatchMeta]) -> Result<Option<&BatchHeader>, Refused> {
    for BatchMeta { header, .. } in metas {
        if header.is_control() {
            return Err(Refused::new(ErrorCode::INVALID_RECORD, "clients do not write control batches"));
        }
        if header.is_transactional() {
            return Err(Refused::new(
                ErrorCode::INVALID_TXN_STATE,
                "the batch is not part of an ongoing transaction",
            ));
        }
        if !header.has_producer_id() {
            continue;
        }
        if metas.len() > 1 {
            let why = "an idempotent producer sends one batch to a partition at a time";
            return Err(Refused::new(ErrorCode::INVALID_RECORD, why));
        }
        if header.producer_epoch < 0 || header.base_sequence < 0 {
            let why = "a batch with a producer id needs an epoch and a sequence number";
            return Err(Refused::new(ErrorCode::INVALID_RECORD, why));
        }
        return Ok(Some(header));
    }
    Ok(None)
}

/// Headers were read before the log stamped them, so the offsets are counted here as the log does.
fn note_all(state: &mut State, metas: &[BatchMeta], first: Offset, now: MonoNs) {
    let mut base_offset = first;
    for meta in metas {
        let header = BatchHeader { base_offset, ..meta.header };
        base_offset = header.next_offset();
        state.producers.note(&header, meta.max_timestamp, now);
    }
}

fn append_time(header: &BatchHeader) -> TimestampMs {
    match header.timestamp_type() {
        TimestampType::LogAppendTime => header.max_timestamp,
        TimestampType::CreateTime => TimestampMs::NONE,
    }
}
