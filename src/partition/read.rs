//! Reading from a partition: what may be seen, under which leader epoch, and waiting until there is more. Must not
//! read the data itself; it answers with plans.

use super::{Partition, Refused};
use crate::log::{CutError, Found, LogMarks, LogState, ReadError, ReadLimit, ReadPlan};
use crate::types::{Epoch, ErrorCode, Offset, TimestampMs};

/// What a reader sees of transactions (`isolation.level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Isolation {
    /// All below the high watermark.
    #[default]
    ReadUncommitted,
    /// All below the last stable offset, without aborted transactions.
    ReadCommitted,
}

/// What a fetch found.
#[derive(Clone)]
pub struct Fetched {
    /// Where the bytes are.
    pub plan: ReadPlan,
    /// Records below it may be read.
    pub high_watermark: Offset,
    /// Records below it are decided. The high watermark, as long as there are no transactions.
    pub last_stable: Offset,
    /// First offset that may be read.
    pub start: Offset,
    /// Set if the reader's last record is not in this log (KIP-595): the largest common epoch and its end. The plan
    /// is empty then.
    pub diverging: Option<(Epoch, Offset)>,
}

/// A place to start reading from (`ListOffsets`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The first offset that may be read (-2).
    Earliest,
    /// The end of what may be read (-1).
    Latest,
    /// The record with the largest timestamp (-3, KIP-734).
    MaxTimestamp,
    /// The first record of that time or later.
    Time(TimestampMs),
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Offset; -1 if there is no such record.
    pub offset: Offset,
    /// Timestamp of the record there; -1 if the place is not a record.
    pub timestamp: TimestampMs,
    /// Leader epoch there; -1 if it is not known.
    pub epoch: Epoch,
}

impl Position {
    /// "No such record" on the wire.
    pub const NONE: Position =
        Position { offset: Offset(-1), timestamp: TimestampMs::NONE, epoch: Epoch::NONE };
}

/// Where to cut the front (`DeleteRecords`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Below this offset.
    Below(Offset),
    /// All that may be read (-1).
    AtHighWatermark,
}

impl Partition {
    /// Refuses a client whose metadata is older (`FENCED_LEADER_EPOCH`) or newer (`UNKNOWN_LEADER_EPOCH`) than
    /// ours; -1 claims nothing (KIP-320).
    pub fn check_epoch(&self, client: Epoch) -> Result<(), Refused> {
        let current = self.epoch.get();
        if client.0 < 0 || client == current {
            return Ok(());
        }
        let (error, age) = if client < current {
            (ErrorCode::FENCED_LEADER_EPOCH, "older")
        } else {
            (ErrorCode::UNKNOWN_LEADER_EPOCH, "newer")
        };
        Err(Refused::new(error, format!("leader epoch {client} is {age} than {current} of {}", self.id)))
    }

    /// The present leader epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch.get()
    }

    /// End of what a reader may see.
    pub fn visible_end(&self, isolation: Isolation) -> Offset {
        visible(&self.log.marks(), isolation)
    }

    /// Finds the batches from `from` on. At the end of what may be seen the plan is empty; outside of the log it is
    /// `OFFSET_OUT_OF_RANGE`. `bytes` bounds the plan, except for a first batch larger than that if `at_least_one`.
    pub fn fetch(
        &self,
        from: Offset,
        bytes: usize,
        at_least_one: bool,
        isolation: Isolation,
        current: Epoch,
        last_fetched: Epoch,
    ) -> Result<Fetched, Refused> {
        self.check_epoch(current)?;
        let marks = self.log.marks();
        let below = visible(&marks, isolation);
        let diverging = self.divergence(from, last_fetched)?;
        let plan = if diverging.is_some() {
            ReadPlan::default()
        } else {
            self.log
                .plan_read(from, ReadLimit { bytes, at_least_one, below })
                .map_err(|why| self.refuse(&why))?
        };
        // Taken after the plan, so that no batch of the plan lies above the marks that go with it.
        let marks = self.log.marks();
        Ok(Fetched {
            plan,
            high_watermark: marks.high_watermark,
            last_stable: marks.high_watermark,
            start: marks.start,
            diverging,
        })
    }

    fn divergence(&self, from: Offset, last_fetched: Epoch) -> Result<Option<(Epoch, Offset)>, Refused> {
        if last_fetched.0 < 0 {
            return Ok(None);
        }
        let (epoch, end) = self.end_of(last_fetched);
        if epoch.0 < 0 || end.0 < 0 {
            let why = format!("leader epoch {last_fetched} is not known in {}", self.id);
            return Err(Refused::new(ErrorCode::OFFSET_OUT_OF_RANGE, why));
        }
        Ok((epoch < last_fetched || end < from).then_some((epoch, end)))
    }

    /// The largest epoch not above `asked` and the end of its records; `(-1, -1)` if there is none (KIP-320).
    pub fn epoch_end(&self, current: Epoch, asked: Epoch) -> Result<(Epoch, Offset), Refused> {
        self.check_epoch(current)?;
        Ok(self.end_of(asked))
    }

    fn end_of(&self, asked: Epoch) -> (Epoch, Offset) {
        // The present epoch ends where the log does, even before its first record.
        if asked == self.epoch.get() { (asked, self.log.marks().end) } else { self.log.epoch_end(asked) }
    }

    /// Finds an offset by time or by name. `Position::NONE` if no record is late enough.
    pub fn find(&self, at: At, isolation: Isolation, current: Epoch) -> Result<Position, Refused> {
        self.check_epoch(current)?;
        let marks = self.log.marks();
        let end = visible(&marks, isolation);
        let place =
            |offset| Position { offset, timestamp: TimestampMs::NONE, epoch: self.log.epoch_at(offset) };
        let found = match at {
            At::Earliest => return Ok(place(marks.start)),
            At::Latest => return Ok(place(end)),
            At::MaxTimestamp => self.log.find_max_time(),
            At::Time(at) => self.log.find_time(at),
        };
        let record = |f: Found| Position { offset: f.offset, timestamp: f.timestamp, epoch: f.epoch };
        Ok(found
            .map_err(|why| self.refuse(&why))?
            .filter(|found| found.offset < end)
            .map_or(Position::NONE, record))
    }

    /// Deletes the records below; returns the new log start offset once that would survive a crash. Blocks.
    pub fn cut_front(&self, cut: Cut) -> Result<Offset, Refused> {
        let to = match cut {
            Cut::Below(offset) => offset,
            Cut::AtHighWatermark => self.log.marks().high_watermark,
        };
        if to.0 < 0 {
            return Err(Refused::new(ErrorCode::OFFSET_OUT_OF_RANGE, format!("offset {to} is negative")));
        }
        self.log.cut_front(to).map_err(|why| {
            let error = match why {
                CutError::OutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
                CutError::Storage(_) => ErrorCode::KAFKA_STORAGE_ERROR,
            };
            Refused::new(error, why.to_string())
        })
    }

    /// Bytes that may be read from `from` on, counted up to `enough`; 0 if `from` is outside of the log.
    pub fn visible_bytes(&self, from: Offset, enough: usize, isolation: Isolation) -> usize {
        let below = self.visible_end(isolation);
        if from >= below {
            return 0;
        }
        let limit = ReadLimit { bytes: enough, at_least_one: true, below };
        self.log.plan_read(from, limit).map_or(0, |plan| plan.len())
    }

    /// At least `bytes_min` bytes may be read from `from` on, or reading there fails.
    fn has_bytes(&self, from: Offset, bytes_min: usize, isolation: Isolation) -> bool {
        let below = self.visible_end(isolation);
        let limit = ReadLimit { bytes: bytes_min, at_least_one: true, below };
        self.log.plan_read(from, limit).map_or(true, |plan| plan.len() >= bytes_min)
    }

    /// Returns once at least `bytes_min` bytes may be read from `from` on, or reading there would fail, or the log
    /// has failed or closed. Costs nothing while no mark moves.
    pub async fn wait_visible(&self, from: Offset, bytes_min: usize, isolation: Isolation) {
        let mut watch = self.log.watch();
        loop {
            let marks = *watch.borrow_and_update();
            if marks.state != LogState::Online || from < marks.start || from > marks.end {
                return;
            }
            let some = visible(&marks, isolation) > from;
            if some && (bytes_min <= 1 || self.has_bytes(from, bytes_min, isolation)) {
                return;
            }
            if watch.changed().await.is_err() {
                return;
            }
        }
    }

    fn refuse(&self, why: &ReadError) -> Refused {
        let error = match why {
            ReadError::OutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            // Not retriable in practice, and clients show it: nobody should read past damage without knowing.
            ReadError::Damaged { .. } => ErrorCode::CORRUPT_MESSAGE,
            ReadError::Storage(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        };
        Refused::new(error, format!("{}: {why}", self.id))
    }
}

impl Partition {
    /// Where the first transaction begins that is still open, or the high watermark.
    pub fn last_stable(&self) -> Offset {
        visible(&self.log.marks(), Isolation::ReadCommitted)
    }
}

/// End of what may be seen. Without transactions the last stable offset is the high watermark.
fn visible(marks: &LogMarks, isolation: Isolation) -> Offset {
    match isolation {
        Isolation::ReadUncommitted | Isolation::ReadCommitted => marks.high_watermark,
    }
}
