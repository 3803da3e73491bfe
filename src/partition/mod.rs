//! Layer 3: one partition as clients see it, over a [`PartitionLog`]: idempotent producers, leader epochs, what may be
//! read, and waiting for more. Must not know topics' settings, requests, or how the log keeps its bytes.
//!
//! One short lock covers sequence check, append and note; nothing waits inside it.

mod append;
#[cfg(test)]
mod crash_tests;
mod epoch;
#[cfg(test)]
pub mod memory_log;
mod producers;
mod read;
mod snapshot;
#[cfg(test)]
mod tests;

pub use append::{Accepted, Refused};
pub use epoch::LeaderEpoch;
pub use read::{At, Cut, Fetched, Isolation, Position};

use crate::log::{LogMarks, LogSettings, LogState, PartitionLog, ReadError};
use crate::sys::Clock;
use crate::types::{Offset, ProducerId, TimestampMs, TopicId, TopicPartition};
use parking_lot::Mutex;
use producers::Producers;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Bytes of records after which the producers are written down again, beside the snapshots at each new segment:
/// what a start after a crash has to read of each partition is bounded by it, and at 1 GB/s it takes 32 ms.
const SNAPSHOT_INTERVAL_BYTES: u64 = 32 << 20;

/// Limits of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionOptions {
    /// `producer.id.expiration.ms`: how long a producer that does not write is remembered.
    pub producer_id_expiration_ms: i64,
    /// Producers remembered at most. Every stranger may ask for a producer id and write one record, so time alone
    /// is no bound; past it those that wrote longest ago are forgotten. At 250 bytes each this is 2.5 MB.
    pub producers_max: usize,
}

impl Default for PartitionOptions {
    fn default() -> PartitionOptions {
        PartitionOptions { producer_id_expiration_ms: 86_400_000, producers_max: 10_000 }
    }
}

/// A producer as `DescribeProducers` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// The producer.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: i16,
    /// Sequence number of its last record; -1 for none.
    pub last_sequence: i32,
    /// Offset of its last record, if its epoch has one.
    pub last_offset: Option<Offset>,
    /// Timestamp of its last batch; -1 for none.
    pub last_timestamp: TimestampMs,
    /// Epoch of the coordinator that wrote its last marker; -1 for none.
    pub coordinator_epoch: i32,
}

/// Why a partition could not be opened or reopened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log could not be opened anew.
    #[error("cannot reopen the log: {0}")]
    Reopen(#[source] io::Error),
    /// What follows the last snapshot could not be read.
    #[error("cannot read the producers' batches: {0}")]
    Replay(#[from] ReadError),
}

/// One partition.
pub struct Partition {
    id: TopicPartition,
    topic_id: TopicId,
    log: Arc<dyn PartitionLog>,
    clock: Arc<dyn Clock>,
    epoch: LeaderEpoch,
    state: Mutex<State>,
}

/// What the lock covers. Everything below `next` is noted in `producers`.
struct State {
    producers: Producers,
    /// End of what `producers` covers.
    next: Offset,
    /// Bytes appended since the last snapshot.
    bytes_since_snapshot: u64,
}

impl Partition {
    /// Opens the partition over its log: reads the newest sound snapshot of producers and every batch behind it.
    /// Reads up to 32 MiB or one batch, whichever is more, if snapshots are sound.
    pub fn open(
        id: TopicPartition,
        topic_id: TopicId,
        log: Arc<dyn PartitionLog>,
        clock: Arc<dyn Clock>,
        epoch: LeaderEpoch,
        options: PartitionOptions,
    ) -> Result<Partition, OpenError> {
        let producers = Producers::new(options.producers_max, expiration(options.producer_id_expiration_ms));
        let state = load(&id, log.as_ref(), clock.as_ref(), producers)?;
        Ok(Partition { id, topic_id, log, clock, epoch, state: Mutex::new(state) })
    }

    /// Topic and number.
    pub fn id(&self) -> &TopicPartition {
        &self.id
    }

    /// Id of the topic.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// The log below. Appends must go through the partition.
    pub fn log(&self) -> &Arc<dyn PartitionLog> {
        &self.log
    }

    /// Start, high watermark, durable end and end.
    pub fn marks(&self) -> LogMarks {
        self.log.marks()
    }

    /// Wakes whenever a mark moves or the log fails.
    pub fn watch(&self) -> watch::Receiver<LogMarks> {
        self.log.watch()
    }

    /// Takes over changed settings of the topic.
    pub fn configure(&self, settings: LogSettings) {
        self.log.configure(settings);
    }

    /// Takes over a changed `producer.id.expiration.ms`.
    pub fn set_producer_expiration(&self, ms: i64) {
        self.state.lock().producers.set_expiration(expiration(ms));
    }

    /// Forgets producers that have not written for the expiration time. For housekeeping, every few minutes.
    pub fn expire_producers(&self) {
        let now = self.clock.mono();
        self.state.lock().producers.expire(now);
    }

    /// The producers remembered, by id.
    pub fn producers(&self) -> Vec<ProducerState> {
        let state = self.state.lock();
        let show = |(id, producer): (ProducerId, &producers::Producer)| ProducerState {
            id,
            epoch: producer.epoch,
            last_sequence: producer.last().map_or(-1, |note| note.last_sequence),
            last_offset: producer.last().map(|note| note.last_offset),
            last_timestamp: producer.last_timestamp,
            coordinator_epoch: producer.coordinator_epoch,
        };
        state.producers.iter().map(show).collect()
    }

    /// Writes the producers down if at least `bytes_min` bytes of records came since the last time, so that the
    /// next start need not read them. For housekeeping of partitions that went quiet.
    pub fn snapshot(&self, bytes_min: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        if state.bytes_since_snapshot < bytes_min.max(1) {
            return Ok(());
        }
        let at = state.next;
        self.log.put_snapshot(at, &snapshot::encode(&state.producers))?;
        state.bytes_since_snapshot = 0;
        Ok(())
    }

    /// After a failed sync: cuts the log back to its durable end, goes on, and rebuilds what is known of producers.
    /// The leader epoch must have been raised since the failure.
    pub fn reopen(&self) -> Result<(), OpenError> {
        let mut state = self.state.lock();
        self.log.reopen().map_err(OpenError::Reopen)?;
        let empty = state.producers.emptied();
        *state = load(&self.id, self.log.as_ref(), self.clock.as_ref(), empty)?;
        Ok(())
    }

    /// Writes the producers down and closes the log for good.
    pub fn close(&self) -> io::Result<()> {
        let state = self.state.lock();
        // Of a log that failed nobody knows how much of what `state` covers is on disk.
        if self.log.marks().state == LogState::Online
            && let Err(error) = self.log.put_snapshot(state.next, &snapshot::encode(&state.producers))
        {
            tracing::warn!(partition = %self.id, %error, "cannot keep the state of producers");
        }
        self.log.close()
    }
}

fn expiration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// The state of producers at the end of the log: the newest sound snapshot and what follows it.
fn load(
    id: &TopicPartition,
    log: &dyn PartitionLog,
    clock: &dyn Clock,
    mut producers: Producers,
) -> Result<State, ReadError> {
    let now = clock.mono();
    let marks = log.marks();
    let mut from = marks.start;
    for (at, bytes) in log.snapshots() {
        if at > marks.end {
            continue;
        }
        match snapshot::restore(&bytes, &mut producers, now) {
            Ok(()) => {
                from = from.max(at);
                break;
            }
            Err(error) => {
                tracing::warn!(partition = %id, offset = %at, %error, "skipped a producer snapshot")
            }
        }
    }
    let mut state = State { producers, next: marks.end, bytes_since_snapshot: 0 };
    while from < marks.end {
        let replayed = log.replay(from, &mut |header, bytes| {
            if header.last_offset() >= from {
                state.producers.note(header, header.max_timestamp, now);
            }
            state.bytes_since_snapshot += bytes.len() as u64;
            ControlFlow::Continue(())
        });
        match replayed {
            Ok(()) => break,
            // What is damaged is refused to readers; it must not keep all others of the partition waiting. A producer
            // whose batch it was is known by its earlier ones.
            Err(ReadError::Damaged { at, until, why }) if until > from => {
                tracing::error!(partition = %id, %at, %until, why, "producers are read on behind damage");
                from = until;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(state)
}
