//! A `PartitionLog` in memory for the tests of what stands above it, with failures to order. Must not be used outside
//! of tests.

use crate::log::{
    AppendError, Appended, CutError, Found, LogMarks, LogSettings, LogState, PartitionLog, Piece, ReadError,
    ReadLimit, ReadPlan, Retained, Retention, Ticket,
};
use crate::record::{BatchHeader, CheckedBatches, read_records};
use crate::types::{Epoch, Offset, TimestampMs};
use bytes::Bytes;
use parking_lot::Mutex;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Batches in memory; durable when `sync` is called, or at once after `auto_sync(true)`.
pub struct MemoryLog {
    inner: Mutex<Inner>,
    marks: watch::Sender<LogMarks>,
    lives: Arc<AtomicU64>,
}

#[derive(Default)]
struct Inner {
    batches: Vec<(BatchHeader, Bytes)>,
    snapshots: Vec<(Offset, Bytes)>,
    auto_sync: bool,
    refuse_appends: bool,
    refuse_reopen: bool,
    roll_next: bool,
    replayed: usize,
    epochs: Vec<Epoch>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new(auto_sync: bool) -> Arc<MemoryLog> {
        let zero = Offset::ZERO;
        let marks =
            LogMarks { start: zero, durable: zero, high_watermark: zero, end: zero, state: LogState::Online };
        Arc::new(MemoryLog {
            inner: Mutex::new(Inner { auto_sync, ..Inner::default() }),
            marks: watch::channel(marks).0,
            lives: Arc::default(),
        })
    }

    /// A commit round.
    pub fn sync(&self) {
        self.marks.send_modify(|marks| {
            marks.durable = marks.end;
            marks.high_watermark = marks.end;
        });
    }

    /// A failed sync.
    pub fn fail(&self) {
        self.marks.send_modify(|marks| marks.state = LogState::Failed);
    }

    /// Whether appends are durable at once.
    pub fn auto_sync(&self, on: bool) {
        self.inner.lock().auto_sync = on;
    }

    /// Whether appends fail, as on a full disk.
    pub fn refuse_appends(&self, on: bool) {
        self.inner.lock().refuse_appends = on;
    }

    /// Whether reopening fails.
    pub fn refuse_reopen(&self, on: bool) {
        self.inner.lock().refuse_reopen = on;
    }

    /// Makes the next append begin a segment.
    pub fn roll_next(&self) {
        self.inner.lock().roll_next = true;
    }

    /// A crash: what is not durable is gone, as is all memory of tickets.
    pub fn crash(&self) {
        self.cut_to_durable();
    }

    /// All snapshots damaged by one bit.
    pub fn damage_newest_snapshot(&self) {
        if let Some((_, bytes)) = self.inner.lock().snapshots.first_mut() {
            let mut damaged = bytes.to_vec();
            *damaged.last_mut().unwrap() ^= 1;
            *bytes = damaged.into();
        }
    }

    /// Batches handed out by `replay` so far.
    pub fn replayed(&self) -> usize {
        self.inner.lock().replayed
    }

    /// Epoch of each append.
    pub fn epochs(&self) -> Vec<Epoch> {
        self.inner.lock().epochs.clone()
    }

    /// All bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.inner.lock().batches.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect()
    }

    fn cut_to_durable(&self) {
        let mut inner = self.inner.lock();
        let durable = self.marks.borrow().durable;
        inner.batches.retain(|(header, _)| header.base_offset < durable);
        inner.snapshots.retain(|(at, _)| *at <= durable);
        self.lives.fetch_add(1, Ordering::AcqRel);
        self.marks.send_modify(|marks| {
            marks.end = durable;
            marks.state = LogState::Online;
        });
    }
}

impl PartitionLog for MemoryLog {
    fn append(&self, mut batches: CheckedBatches, epoch: Epoch) -> Result<Appended, AppendError> {
        let mut inner = self.inner.lock();
        let marks = *self.marks.borrow();
        if marks.state != LogState::Online {
            return Err(AppendError::Offline);
        }
        if inner.refuse_appends {
            return Err(AppendError::Storage(io::ErrorKind::StorageFull.into()));
        }
        let end = batches.assign(marks.end, epoch);
        let metas = batches.batches().to_vec();
        let bytes = batches.freeze();
        for meta in metas {
            inner.batches.push((meta.header, bytes.slice(meta.start..meta.start + meta.size)));
        }
        inner.epochs.push(epoch);
        let auto_sync = inner.auto_sync;
        self.marks.send_modify(|marks| {
            marks.end = end;
            if auto_sync {
                marks.durable = end;
                marks.high_watermark = end;
            }
        });
        let rolled_at = std::mem::take(&mut inner.roll_next).then_some(marks.end);
        let last = end.plus(-1);
        Ok(Appended { first: marks.end, last, start: marks.start, rolled_at, ticket: self.ticket(last) })
    }

    fn ticket(&self, last: Offset) -> Ticket {
        Ticket::new(last, self.marks.subscribe(), Arc::clone(&self.lives))
    }

    fn plan_read(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        let marks = self.marks();
        let end = marks.high_watermark.min(limit.below);
        if from < marks.start || from > marks.high_watermark {
            return Err(ReadError::OutOfRange { asked: from, start: marks.start, end: marks.high_watermark });
        }
        let mut plan = ReadPlan::default();
        for (header, bytes) in &self.inner.lock().batches {
            if header.last_offset() < from || header.base_offset >= end {
                continue;
            }
            let room = limit.bytes.saturating_sub(plan.len());
            let whole = limit.at_least_one && plan.pieces.is_empty();
            let len = if whole { bytes.len() } else { bytes.len().min(room) };
            if len > 0 {
                plan.pieces.push(Piece::Memory(bytes.slice(..len)));
            }
        }
        Ok(plan)
    }

    fn find_time(&self, at: TimestampMs) -> Result<Option<Found>, ReadError> {
        let end = self.marks().high_watermark;
        let mut found = None;
        self.each_record(|record| {
            if found.is_none() && record.timestamp >= at && record.offset < end {
                found = Some(record);
            }
        });
        Ok(found)
    }

    fn find_max_time(&self) -> Result<Option<Found>, ReadError> {
        let end = self.marks().high_watermark;
        let mut found: Option<Found> = None;
        self.each_record(|record| {
            if record.offset < end && found.is_none_or(|found| record.timestamp > found.timestamp) {
                found = Some(record);
            }
        });
        Ok(found)
    }

    fn epoch_end(&self, epoch: Epoch) -> (Epoch, Offset) {
        let inner = self.inner.lock();
        let below = inner.batches.iter().filter(|(header, _)| header.leader_epoch <= epoch);
        below
            .last()
            .map_or((Epoch::NONE, Offset(-1)), |(header, _)| (header.leader_epoch, header.next_offset()))
    }

    fn epoch_at(&self, at: Offset) -> Epoch {
        let inner = self.inner.lock();
        let holder = inner.batches.iter().find(|(header, _)| header.last_offset() >= at);
        holder.or(inner.batches.last()).map_or(Epoch::NONE, |(header, _)| header.leader_epoch)
    }

    fn marks(&self) -> LogMarks {
        *self.marks.borrow()
    }

    fn watch(&self) -> watch::Receiver<LogMarks> {
        self.marks.subscribe()
    }

    fn replay(
        &self,
        from: Offset,
        visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let batches = self.inner.lock().batches.clone();
        let start = batches.partition_point(|(header, _)| header.last_offset() < from);
        for (header, bytes) in &batches[start..] {
            self.inner.lock().replayed += 1;
            if visit(header, bytes.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn cut_front(&self, start: Offset) -> Result<Offset, CutError> {
        let marks = self.marks();
        if start > marks.high_watermark {
            return Err(CutError::OutOfRange { asked: start, high_watermark: marks.high_watermark });
        }
        self.marks.send_modify(|marks| marks.start = marks.start.max(start));
        Ok(self.marks().start)
    }

    fn retain(&self, rule: &Retention, now: TimestampMs) -> io::Result<Retained> {
        // Every batch is a segment, and the last one is active.
        let marks = self.marks();
        let mut inner = self.inner.lock();
        let mut total = inner.batches.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
        let mut retained = Retained::default();
        let mut start = marks.start;
        for (header, bytes) in &inner.batches {
            let size = bytes.len() as u64;
            let by_size = rule.bytes.is_some_and(|limit| total.saturating_sub(size) >= limit);
            let age = now.0 - header.max_timestamp.0;
            let by_age = !by_size && rule.ms.is_some_and(|limit| age > limit);
            retained.of_the_future |= rule.ms.is_some() && age < 0;
            retained.held_back |= by_age && retained.aged_bytes >= rule.aged_bytes_max;
            if header.next_offset() > marks.high_watermark || !(by_size || by_age) || retained.held_back {
                break;
            }
            total -= size;
            retained.segments += 1;
            retained.bytes += size;
            retained.aged_bytes += if by_age { size } else { 0 };
            start = header.next_offset();
        }
        inner.batches.retain(|(header, _)| header.base_offset >= start);
        self.marks.send_modify(|marks| marks.start = start);
        Ok(retained)
    }

    fn put_snapshot(&self, at: Offset, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.snapshots.retain(|(have, _)| *have != at);
        inner.snapshots.insert(0, (at, Bytes::copy_from_slice(bytes)));
        inner.snapshots.truncate(2);
        Ok(())
    }

    fn snapshots(&self) -> Vec<(Offset, Bytes)> {
        self.inner.lock().snapshots.clone()
    }

    fn configure(&self, _settings: LogSettings) {}

    fn size_bytes(&self) -> u64 {
        self.bytes().len() as u64
    }

    fn reopen(&self) -> io::Result<()> {
        if self.inner.lock().refuse_reopen {
            return Err(io::ErrorKind::Other.into());
        }
        self.cut_to_durable();
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.sync();
        self.marks.send_modify(|marks| marks.state = LogState::Closed);
        Ok(())
    }
}

impl MemoryLog {
    fn each_record(&self, mut visit: impl FnMut(Found)) {
        for (header, bytes) in self.inner.lock().batches.iter() {
            for record in read_records(bytes, usize::MAX).unwrap() {
                let record = record.unwrap();
                visit(Found {
                    offset: record.offset,
                    timestamp: record.timestamp,
                    epoch: header.leader_epoch,
                });
            }
        }
    }
}
