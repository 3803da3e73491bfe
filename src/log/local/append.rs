//! Appending: offsets, one write, the indexes, the new end. Under the short lock; nothing is synced here.

use super::files::{Held, Kind, segment_path};
use super::log::{LocalLog, State};
use super::roll::{Incoming, should_roll};
use super::scan::{NEAR, Scan, ScanError};
use super::segment::Spot;
use crate::log::{AppendError, Appended, LogSettings, LogState, PartitionLog, Ticket};
use crate::record::CheckedBatches;
use crate::sys::{File, OpenHow};
use crate::types::{Epoch, Offset, TimestampMs};
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

impl LocalLog {
    pub(super) fn append_batches(
        &self,
        mut batches: CheckedBatches,
        epoch: Epoch,
    ) -> Result<Appended, AppendError> {
        let mut state = self.state.lock();
        let state = &mut *state;
        if state.phase != LogState::Online || self.dir().health.is_failed() {
            return Err(AppendError::Offline);
        }
        let first = state.end;
        let next = batches.assign(first, epoch);
        if next.0 == i64::MAX {
            return Err(AppendError::OffsetsExhausted);
        }
        if batches.is_empty() || next <= first {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no record to append").into());
        }
        self.place(state, &batches, next)?;
        for batch in batches.batches().iter() {
            state.active.note(&batch.header, state.settings.index_interval_bytes);
            state.epochs_moved |= state.epochs.note(batch.header.leader_epoch, batch.header.base_offset);
        }
        state.end = next;
        self.dir().note_bytes(batches.len() as u64);
        self.publish_append(state, next.0 - first.0);
        let last = next.plus(-1);
        Ok(Appended {
            first,
            last,
            start: state.start,
            rolled_at: state.rolled_at.take(),
            ticket: if state.seen.offset > last { Ticket::kept(last) } else { self.ticket(last) },
        })
    }

    /// Writes the batches into the segment they belong into. After an error nothing of them is there.
    fn place(&self, state: &mut State, batches: &CheckedBatches, next: Offset) -> io::Result<()> {
        let may_grow = state.settings.may_use_reserve;
        if self.dir().is_full() && !may_grow {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut work = || {
            self.make_room(state, batches, next)?;
            self.write(state, batches)
        };
        let placed = if may_grow { self.dir().with_room(work) } else { work() };
        placed.inspect_err(|error| self.dir().note_failed_write(error))
    }

    /// Begins a new segment if the batches do not belong into the active one.
    fn make_room(&self, state: &mut State, batches: &CheckedBatches, next: Offset) -> io::Result<()> {
        let now = self.dir().clock().wall();
        let max_time = batches.batches().iter().map(|batch| batch.header.max_timestamp).max();
        let incoming = Incoming {
            bytes: batches.len() as u64,
            last: next.plus(-1),
            max_time: max_time.unwrap_or(TimestampMs::NONE),
            now,
        };
        if state.active.size > 0 && state.active.first_time.is_none() {
            state.active.first_time = Some(self.read_first_time(state)?);
        }
        if should_roll(&state.active, incoming, &state.settings) {
            if state.active.size > 0 {
                self.roll(state, now)?;
            } else {
                // Empty and yet too far from its base: only a span above 2^31 in one append does that, and no
                // segment could hold it.
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "the append spans more than 2^31 offsets",
                ));
            }
        }
        Ok(())
    }

    /// The timestamp from which the age of a segment found on disk counts.
    pub(super) fn read_first_time(&self, state: &State) -> io::Result<TimestampMs> {
        let file = self.log_file(state.active.base)?;
        match Scan::new(file, 0, state.active.size, NEAR).next_header() {
            Ok(header) => Ok(header.map_or(TimestampMs::NONE, |(_, header)| header.max_timestamp)),
            Err(ScanError::Storage(error)) => Err(error),
            // Damage is for readers to report; it must not stop appends.
            Err(ScanError::Bad { .. }) => Ok(TimestampMs::NONE),
        }
    }

    /// One write at the end of the active segment. After an error the file is as long as before, or the log fails.
    fn write(&self, state: &mut State, batches: &CheckedBatches) -> io::Result<()> {
        let held = if state.active_unsynced { state.unsynced.last().cloned() } else { None };
        let file = match held {
            Some(file) => file,
            None => self.log_file(state.active.base)?,
        };
        let written = file.write_all_at(&[IoSlice::new(batches.bytes())], state.active.size);
        if !state.active_unsynced {
            state.unsynced.push(file.clone());
            state.active_unsynced = true;
        }
        let Err(error) = written else { return Ok(()) };
        if let Err(second) = file.set_len(state.active.size) {
            self.fail(state, &second, "cutting back after a failed write");
        }
        Err(error)
    }

    /// Shows the new end, and makes sure that a commit round will come.
    fn publish_append(&self, state: &mut State, records: i64) {
        let end = state.end;
        if state.flushes_each() {
            // Nobody waits for the end alone; waking every ticket at every append would cost their product.
            self.marks.send_if_modified(|marks| {
                marks.end = end;
                false
            });
            self.queue_commit(state);
            return;
        }
        state.seen = Spot { offset: end, base: state.active.base, position: state.active.size };
        state.remember(state.seen);
        self.marks.send_if_modified(|marks| {
            (marks.end, marks.high_watermark) = (end, end);
            // Asked under the lock of the marks: who comes later finds them as they are now.
            self.marks.receiver_count() > 0
        });
        state.unflushed = state.unflushed.saturating_add(records);
        if state.unflushed >= state.settings.flush_messages {
            self.queue_commit(state);
        } else {
            self.arm_flush(state);
        }
    }

    fn queue_commit(&self, state: &mut State) {
        if !state.queued {
            state.queued = true;
            self.dir().queue().push(self.me.clone());
        }
    }

    fn arm_flush(&self, state: &mut State) {
        let Ok(millis) = u64::try_from(state.settings.flush_ms) else { return };
        if state.flush_due.is_none() && state.settings.flush_ms != i64::MAX {
            let due = self.dir().clock().mono().after(Duration::from_millis(millis));
            state.flush_due = Some(due);
            self.dir().queue().push_later(due, self.number(), self.me.clone());
        }
    }

    pub(super) fn take_settings(&self, settings: LogSettings) {
        let mut state = self.state.lock();
        let jitter_changed = settings.segment_jitter_ms != state.settings.segment_jitter_ms;
        state.settings = settings;
        if jitter_changed {
            state.active.jitter_ms = self.dir().jitter(&settings);
        }
        if state.phase == LogState::Online && !state.unsynced.is_empty() {
            self.queue_commit(&mut state);
        }
    }

    /// Appends what only memory has of both indexes to their files. Nothing is synced.
    pub(super) fn write_indexes(&self, state: &mut State) -> io::Result<()> {
        let base = state.active.base;
        if state.active.index.unwritten() > 0 {
            let (file, made) = self.index_file(base, Kind::Index)?;
            state.active.index.write_tail(&*file)?;
            state.note_index(base, file, made);
        }
        if state.active.times.unwritten() > 0 {
            // Kafka's tools read a time index only beside an offset index, be it empty.
            self.make_index(state, Kind::Index)?;
            let (file, made) = self.index_file(base, Kind::TimeIndex)?;
            state.active.times.write_tail(&*file)?;
            state.note_index(base, file, made);
        }
        Ok(())
    }

    /// Makes an index file of the active segment if there is none.
    pub(super) fn make_index(&self, state: &mut State, kind: Kind) -> io::Result<()> {
        let base = state.active.base;
        let (file, made) = self.index_file(base, kind)?;
        if made {
            state.note_index(base, file, made);
        }
        Ok(())
    }

    /// An index file of the active segment, and whether it was made just now.
    fn index_file(&self, base: Offset, kind: Kind) -> io::Result<(Arc<dyn File>, bool)> {
        let key = self.key(base, kind);
        match self.dir().pool().file(self.path(), key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = segment_path(self.path(), base, kind);
                let file = self.dir().fs().open(&path, OpenHow::Create)?;
                self.dir().pool().hold(key, Held::File(file.clone()));
                Ok((file, true))
            }
            other => other.map(|file| (file, false)),
        }
    }
}

impl State {
    fn note_index(&mut self, base: Offset, file: Arc<dyn File>, made: bool) {
        self.index_names_unsynced |= made;
        // A file written again since its last sync is already among them.
        if !self.unsynced_indexes.iter().any(|(_, held)| Arc::ptr_eq(held, &file)) {
            self.unsynced_indexes.push((base, file));
        }
    }
}
