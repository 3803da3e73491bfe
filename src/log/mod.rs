//! Layer 2: the storage seam. What a partition's log promises, whatever keeps it: local files now, an object store
//! later. Idempotence, transactions, groups and shares stand above and know only `PartitionLog`.

pub mod local;

#[cfg(test)]
pub mod contract;

use crate::record::{BatchHeader, CheckedBatches};
use crate::sys::File;
use crate::types::{Epoch, Offset, TimestampMs};
use bytes::Bytes;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// The log of one partition. Calls may come from many threads at once.
///
/// Order is fixed by `append`, synchronously; durability is awaited on the `Ticket` it returns (decision 1). What
/// readers see ends at the high watermark, which is the durable end unless the topic chose otherwise (decision 2).
pub trait PartitionLog: Send + Sync {
    /// Stamps the batches with the next offsets and `epoch` and writes them. Does not wait for durability.
    /// After an error nothing of the batches is in the log.
    fn append(&self, batches: CheckedBatches, epoch: Epoch) -> Result<Appended, AppendError>;

    /// A ticket for records already in the log, up to and including `last`: done at once if they are durable.
    fn ticket(&self, last: Offset) -> Ticket;

    /// Where the batches from the one that holds `from` on are, up to `limit`. Finds, but does not read, the data.
    /// An empty plan means that `from` is the end of what may be seen.
    fn plan_read(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError>;

    /// The first record below the high watermark whose timestamp is at least `at`.
    fn find_time(&self, at: TimestampMs) -> Result<Option<Found>, ReadError>;

    /// The record with the largest timestamp below the high watermark; the first such.
    fn find_max_time(&self) -> Result<Option<Found>, ReadError>;

    /// The largest epoch not above `epoch` and the end offset of its records (KIP-320); `(-1, -1)` if unknown.
    fn epoch_end(&self, epoch: Epoch) -> (Epoch, Offset);

    /// The epoch of the record at `at`, or of the end of the log; `Epoch::NONE` if unknown.
    fn epoch_at(&self, at: Offset) -> Epoch;

    /// Start, high watermark, durable end and end, taken together.
    fn marks(&self) -> LogMarks;

    /// Wakes whenever a mark moves.
    fn watch(&self) -> watch::Receiver<LogMarks>;

    /// Hands every batch from the one that holds `from` to the end of the log (durable or not) to `visit`, in
    /// order and with bounded memory. For rebuilding state at start.
    fn replay(
        &self,
        from: Offset,
        visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<(), ReadError>;

    /// Moves the log start offset on to `start` and returns when that would survive a crash. Removes whole
    /// segments below it. Below the present start: no change. Above the high watermark: an error.
    fn cut_front(&self, start: Offset) -> Result<Offset, CutError>;

    /// Takes segments that `rule` does not keep off the front, as Kafka's `UnifiedLog.deleteOldSegments`: first what
    /// lies below the log start offset, then by size, then by age, whole segments below the high watermark, none
    /// behind one that stays. An active segment all of which has to go is closed and goes, too. `now` is the wall
    /// clock. What goes is decided here; it is gone, and the new start shown, once that would survive a crash, which
    /// the log sees to soon. A log that is not online keeps everything.
    fn retain(&self, rule: &Retention, now: TimestampMs) -> io::Result<Retained>;

    /// Keeps `bytes` as the producer state of the records below `at` (file `<at>.snapshot`), dropping all but the
    /// newest two. May be lost in a crash.
    fn put_snapshot(&self, at: Offset, bytes: &[u8]) -> io::Result<()>;

    /// The snapshots kept, newest first, none above the end of the log.
    fn snapshots(&self) -> Vec<(Offset, Bytes)>;

    /// Takes over changed settings of the topic.
    fn configure(&self, settings: LogSettings);

    /// Bytes of all segments.
    fn size_bytes(&self) -> u64;

    /// After a failed sync (`LogState::Failed`): cuts the log back to the durable end, opens it anew and goes on;
    /// the caller has made sure that appends will carry a newer epoch.
    fn reopen(&self) -> io::Result<()>;

    /// Syncs, writes the last index entries, releases files. Appends after it fail.
    fn close(&self) -> io::Result<()>;
}

/// Settings of a topic that its log needs. Sizes in bytes, times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `segment.bytes`
    pub segment_bytes: u64,
    /// `segment.ms`
    pub segment_ms: i64,
    /// `segment.jitter.ms`
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`
    pub index_bytes_max: u64,
    /// `index.interval.bytes`
    pub index_interval_bytes: u64,
    /// `flush.messages`: 1 means that nothing is acknowledged or seen before it is durable; more leaves writing
    /// back to the page cache, a sync being forced after so many records.
    pub flush_messages: i64,
    /// `flush.ms`: the longest time records stay unsynced where `flush_messages` is above 1.
    pub flush_ms: i64,
    /// Whether timestamps are the broker's (`message.timestamp.type=LogAppendTime`), which rolls by wall clock.
    pub log_append_time: bool,
    /// `file.delete.delay.ms`: how long a segment taken out of the log stays on disk.
    pub file_delete_delay_ms: i64,
    /// Whether the log may still grow on a full disk, out of what is reserved there: for the log without which
    /// nothing can be deleted.
    pub may_use_reserve: bool,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3_600_000,
            segment_jitter_ms: 0,
            index_bytes_max: 10 << 20,
            index_interval_bytes: 4096,
            flush_messages: 1,
            flush_ms: i64::MAX,
            log_append_time: false,
            file_delete_delay_ms: 60_000,
            may_use_reserve: false,
        }
    }
}

/// What a topic lets a log keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// `retention.ms`: a segment whose newest record is older goes; none keeps all.
    pub ms: Option<i64>,
    /// `retention.bytes`: the oldest segments go as long as the others are at least this large; none keeps all.
    pub bytes: Option<u64>,
    /// Most bytes that go by age in one call, to the end of a segment: a bound where the clock is in doubt.
    pub aged_bytes_max: u64,
}

impl Retention {
    /// Keeps everything.
    pub const ALL: Retention = Retention { ms: None, bytes: None, aged_bytes_max: u64::MAX };
}

/// What a call of [`PartitionLog::retain`] takes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Segments.
    pub segments: u64,
    /// Bytes of their batches.
    pub bytes: u64,
    /// The part of `bytes` that goes by age.
    pub aged_bytes: u64,
    /// More would go by age if `aged_bytes_max` were larger.
    pub held_back: bool,
    /// The first segment that stays has a record of the future, which keeps it.
    pub of_the_future: bool,
}

/// Whether a log takes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Serving.
    Online,
    /// A sync failed: nothing is acknowledged until `reopen`; what is durable is still served.
    Failed,
    /// Closed for good.
    Closed,
}

/// The marks of a log: `start <= high_watermark <= end`, `durable <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogMarks {
    /// First offset that may be read.
    pub start: Offset,
    /// Records below it would survive a power cut.
    pub durable: Offset,
    /// Records below it may be read.
    pub high_watermark: Offset,
    /// The next offset to be given out.
    pub end: Offset,
    /// Whether it takes records.
    pub state: LogState,
}

/// What an append did.
#[derive(Debug)]
pub struct Appended {
    /// Offset of the first record.
    pub first: Offset,
    /// Offset of the last record.
    pub last: Offset,
    /// Log start offset at that moment.
    pub start: Offset,
    /// Set if the append began a new segment: its base offset. The state of producers before it is worth a snapshot.
    pub rolled_at: Option<Offset>,
    /// Wait on it for durability.
    pub ticket: Ticket,
}

/// A claim on durability: cheap, may be dropped.
#[derive(Debug)]
pub struct Ticket {
    last: Offset,
    /// None if there was nothing to wait for from the first.
    waits: Option<Waits>,
}

#[derive(Debug)]
struct Waits {
    marks: watch::Receiver<LogMarks>,
    /// Counts `reopen`s: a ticket of an earlier life of the log is lost with it.
    life: u64,
    lives: Arc<AtomicU64>,
}

impl Ticket {
    /// A claim that all up to `last` is safe, in the present life (number of reopenings) of a log.
    pub fn new(last: Offset, marks: watch::Receiver<LogMarks>, lives: Arc<AtomicU64>) -> Ticket {
        let life = lives.load(Ordering::Acquire);
        Ticket { last, waits: Some(Waits { marks, life, lives }) }
    }

    /// A claim that is met: all up to `last` is as safe as the topic's settings ask.
    pub fn kept(last: Offset) -> Ticket {
        Ticket { last, waits: None }
    }

    /// Done once the records are safe as the topic's settings define it (below the high watermark).
    pub async fn done(self) -> Result<(), AppendFailed> {
        let Some(mut waits) = self.waits else { return Ok(()) };
        loop {
            let marks = *waits.marks.borrow_and_update();
            if waits.lives.load(Ordering::Acquire) != waits.life {
                return Err(AppendFailed::MayHaveHappened);
            }
            if marks.high_watermark > self.last {
                return Ok(());
            }
            if marks.state != LogState::Online || waits.marks.changed().await.is_err() {
                return Err(AppendFailed::MayHaveHappened);
            }
        }
    }

    /// True if waiting would not wait.
    pub fn is_done(&self) -> bool {
        self.waits.as_ref().is_none_or(|waits| waits.marks.borrow().high_watermark > self.last)
    }
}

/// How much a read may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Most bytes.
    pub bytes: usize,
    /// Return the first batch whole even if it is larger, so that a reader is never stuck.
    pub at_least_one: bool,
    /// Nothing from this offset on (last stable offset); the high watermark bounds it anyway.
    pub below: Offset,
}

/// Where the bytes of a read are. The first piece starts with the batch that holds the offset asked for; the last may
/// end inside a batch, as Kafka's does.
#[derive(Clone, Default)]
pub struct ReadPlan {
    /// In order.
    pub pieces: Vec<Piece>,
}

impl ReadPlan {
    /// Bytes of all pieces.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// No bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads all pieces into memory. For small reads, tools and tests; a door streams instead.
    pub fn read(&self) -> io::Result<Bytes> {
        let mut all = Vec::with_capacity(self.len());
        for piece in &self.pieces {
            match piece {
                Piece::Memory(bytes) => all.extend_from_slice(bytes),
                Piece::File { file, at, len } => {
                    let start = all.len();
                    all.resize(start + len, 0);
                    let got = file.read_at(all.get_mut(start..).unwrap_or_default(), *at)?;
                    if got < *len {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
        Ok(all.into())
    }
}

/// A run of bytes of a log.
#[derive(Clone)]
pub enum Piece {
    /// In memory.
    Memory(Bytes),
    /// In a file, which stays readable as long as this is held, even if it is deleted meanwhile.
    File {
        /// Open for reading.
        file: Arc<dyn File>,
        /// First byte.
        at: u64,
        /// Bytes.
        len: usize,
    },
}

impl Piece {
    /// Bytes of this piece.
    pub fn len(&self) -> usize {
        match self {
            Piece::Memory(bytes) => bytes.len(),
            Piece::File { len, .. } => *len,
        }
    }

    /// No bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A record found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp: TimestampMs,
    /// Its leader epoch.
    pub epoch: Epoch,
}

/// Why an append did not happen. Nothing of it is in the log.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Writing failed (disk full, I/O error); the log is as before and the next append may work.
    #[error("cannot write to the log: {0}")]
    Storage(#[from] io::Error),
    /// The log waits for `reopen` after a failed sync, or is closed.
    #[error("the log is offline")]
    Offline,
    /// No offsets are left below 2^63.
    #[error("the log is full: no offsets are left")]
    OffsetsExhausted,
}

/// How a ticket ends badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendFailed {
    /// The sync failed: the records may or may not be there after the log is reopened.
    #[error("the sync failed: the records may be lost")]
    MayHaveHappened,
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Below the start or above the end of what may be seen.
    #[error("offset {asked} is outside {start}..{end}")]
    OutOfRange {
        /// What was asked for.
        asked: Offset,
        /// First offset that may be read.
        start: Offset,
        /// End of what may be read.
        end: Offset,
    },
    /// The bytes there are damaged, or missing.
    #[error("records {at}..{until} are damaged: {why}")]
    Damaged {
        /// First offset that is refused.
        at: Offset,
        /// First offset behind it at which reading can go on.
        until: Offset,
        /// What is wrong.
        why: String,
    },
    /// Reading failed.
    #[error("cannot read the log: {0}")]
    Storage(#[from] io::Error),
}

/// Why the front was not cut.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// Above the high watermark.
    #[error("offset {asked} is above the high watermark {high_watermark}")]
    OutOfRange {
        /// What was asked for.
        asked: Offset,
        /// The high watermark.
        high_watermark: Offset,
    },
    /// The new start could not be made durable.
    #[error("cannot keep the new log start offset: {0}")]
    Storage(#[from] io::Error),
}
