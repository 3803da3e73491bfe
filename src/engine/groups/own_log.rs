//! The log of a partition that a machine keeps its records in, as the machine's shard sees it: what is appended goes
//! through the partition, which so stays right about its own end. Must not know which machine it is.

use super::super::registry::Served;
use crate::log::{
    AppendError, Appended, CutError, Found, LogMarks, LogSettings, PartitionLog, ReadError, ReadLimit,
    ReadPlan, Retained, Retention, Ticket,
};
use crate::record::{BatchHeader, CheckedBatches};
use crate::types::{Epoch, Offset, TimestampMs};
use bytes::Bytes;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::watch;

/// A partition's log for the one who alone appends to it.
pub(super) struct OwnLog(pub(super) Arc<Served>);

impl OwnLog {
    fn log(&self) -> &dyn PartitionLog {
        self.0.partition.log().as_ref()
    }
}

impl PartitionLog for OwnLog {
    fn append(&self, batches: CheckedBatches, epoch: Epoch) -> Result<Appended, AppendError> {
        self.0.partition.append_own(batches, epoch)
    }

    fn reopen(&self) -> io::Result<()> {
        self.0.partition.reopen().map_err(io::Error::other)
    }

    fn close(&self) -> io::Result<()> {
        self.0.partition.close()
    }

    fn ticket(&self, last: Offset) -> Ticket {
        self.log().ticket(last)
    }

    fn plan_read(&self, from: Offset, limit: ReadLimit) -> Result<ReadPlan, ReadError> {
        self.log().plan_read(from, limit)
    }

    fn find_time(&self, at: TimestampMs) -> Result<Option<Found>, ReadError> {
        self.log().find_time(at)
    }

    fn find_max_time(&self) -> Result<Option<Found>, ReadError> {
        self.log().find_max_time()
    }

    fn epoch_end(&self, epoch: Epoch) -> (Epoch, Offset) {
        self.log().epoch_end(epoch)
    }

    fn epoch_at(&self, at: Offset) -> Epoch {
        self.log().epoch_at(at)
    }

    fn marks(&self) -> LogMarks {
        self.log().marks()
    }

    fn watch(&self) -> watch::Receiver<LogMarks> {
        self.log().watch()
    }

    fn replay(
        &self,
        from: Offset,
        visit: &mut dyn FnMut(&BatchHeader, Bytes) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.log().replay(from, visit)
    }

    fn cut_front(&self, start: Offset) -> Result<Offset, CutError> {
        self.log().cut_front(start)
    }

    fn retain(&self, rule: &Retention, now: TimestampMs) -> io::Result<Retained> {
        self.log().retain(rule, now)
    }

    fn put_snapshot(&self, at: Offset, bytes: &[u8]) -> io::Result<()> {
        self.log().put_snapshot(at, bytes)
    }

    fn snapshots(&self) -> Vec<(Offset, Bytes)> {
        self.log().snapshots()
    }

    fn configure(&self, settings: LogSettings) {
        self.log().configure(settings);
    }

    fn size_bytes(&self) -> u64 {
        self.log().size_bytes()
    }
}
