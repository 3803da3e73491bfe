//! Keeps a machine's log short: when it is several times as long as the state needs, the state is written anew, chunk
//! by chunk between other turns, and the log before the first chunk is dropped. Must not know what is written.
//!
//! A crash at any point leaves a log that gives the same state, because the machine's records are last-write-wins: the
//! chunks change nothing in a log that still has its front, and the front goes only once the last chunk is
//! durable.

use super::Machine;
use super::outlet::{Outlet, run_blocking};
use super::shard::{NotAppended, Shard, Turn};
use crate::log::CutError;
use crate::types::{MonoNs, Offset};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Records of a chunk: less than a millisecond of work between two turns. The next chunk waits until this one is
/// durable, so that a rewrite goes at the pace of the disk and takes no room from calls.
const CHUNK_RECORDS: usize = 512;

/// The log is written anew when it is so many times as long as what that would write: at most a third of all
/// writing is rewriting, and a replay reads at most so many times what it must.
const GROWTH: u64 = 4;

/// Pause after a failure. Nothing is lost meanwhile but room.
const PAUSE: Duration = Duration::from_secs(60);

/// What a record takes in a batch beside its key and value, about.
const RECORD_OVERHEAD: u64 = 10;

/// The length of the log, and the rewrite that is under way.
pub(super) struct Rewriter<M: Machine> {
    bytes_min: u64,
    /// Bytes of the log from its start.
    log_bytes: u64,
    /// Bytes that the state took when it was last written or counted.
    state_bytes: Option<u64>,
    pass: Option<Pass<M::Cursor>>,
    cut: Option<Cut>,
    /// After a failure: nothing is begun before.
    not_before: Option<MonoNs>,
}

/// Going through the state once.
struct Pass<C> {
    /// Writes; or only counts, after a start, when nobody knows yet what writing would give.
    writes: bool,
    /// End of the log when it began: where the log will start.
    begin: Offset,
    /// Bytes of the log before `begin`.
    before: u64,
    /// Bytes written or counted.
    bytes: u64,
    after: Option<C>,
    /// A chunk is not durable yet.
    waits: bool,
    /// It was the last.
    ended: bool,
}

/// Dropping the front of the log.
struct Cut {
    to: Offset,
    bytes: u64,
    done: Option<oneshot::Receiver<Result<Offset, CutError>>>,
}

impl<M: Machine> Rewriter<M> {
    pub(super) fn new(bytes_min: u64) -> Rewriter<M> {
        Rewriter { bytes_min, log_bytes: 0, state_bytes: None, pass: None, cut: None, not_before: None }
    }

    /// The log was replayed: it has this many bytes, and no rewrite is under way.
    pub(super) fn loaded(&mut self, log_bytes: u64) {
        let (bytes_min, state_bytes) = (self.bytes_min, self.state_bytes);
        *self = Rewriter { log_bytes, state_bytes, ..Rewriter::new(bytes_min) };
    }

    pub(super) fn appended(&mut self, bytes: usize) {
        self.log_bytes = self.log_bytes.saturating_add(bytes as u64);
    }

    /// Whether there is something to be done at `now`.
    pub(super) fn has_work(&self, now: MonoNs) -> bool {
        if self.not_before.is_some_and(|at| now < at) {
            return false;
        }
        match (&self.pass, &self.cut) {
            (Some(pass), _) => !pass.waits,
            (None, Some(cut)) => cut.done.is_none(),
            (None, None) => {
                let state_bytes = self.state_bytes.unwrap_or(0);
                self.log_bytes > self.bytes_min.max(state_bytes.saturating_mul(GROWTH))
            }
        }
    }

    /// A chunk is durable.
    pub(super) fn chunk_is_durable(&mut self) {
        let Some(pass) = &mut self.pass else { return };
        pass.waits = false;
        if pass.ended {
            self.state_bytes = Some(pass.bytes);
            self.cut = Some(Cut { to: pass.begin, bytes: pass.before, done: None });
            self.pass = None;
        }
    }

    /// How the cut that is under way ended; never, if there is none. An error means that its thread failed.
    pub(super) async fn cut_done(&mut self) -> Result<Result<Offset, CutError>, oneshot::error::RecvError> {
        match self.cut.as_mut().and_then(|cut| cut.done.as_mut()) {
            Some(done) => done.await,
            None => std::future::pending().await,
        }
    }

    /// Whether a thread is at the front of the log.
    pub(super) fn is_cutting(&self) -> bool {
        self.cut.as_ref().is_some_and(|cut| cut.done.is_some())
    }
}

impl<M: Machine, O: Outlet<M>> Shard<M, O> {
    /// Does the next piece of a rewrite, if there is one to do.
    pub(super) fn rewrite(&mut self) -> Turn {
        if !self.rewriter.has_work(self.time.seen()) {
            return Turn::GoOn;
        }
        self.rewriter.not_before = None;
        if let Some(cut) = &mut self.rewriter.cut {
            let (log, to) = (Arc::clone(&self.log), cut.to);
            cut.done = Some(run_blocking(&mut self.outlet, move || log.cut_front(to)));
            return Turn::GoOn;
        }
        let mut pass = self.rewriter.pass.take().unwrap_or_else(|| Pass {
            writes: self.rewriter.state_bytes.is_some(),
            begin: self.core.next(),
            before: self.rewriter.log_bytes,
            bytes: 0,
            after: None,
            waits: false,
            ended: false,
        });
        let (records, after) = M::rewrite(self.core.hard(), pass.after.as_ref(), CHUNK_RECORDS);
        pass.ended = after.is_none();
        pass.after = after;
        let done = if pass.writes { self.write(&mut pass, &records) } else { count(&mut pass, &records) };
        match done {
            Ok(()) if pass.ended && !pass.waits => {
                self.rewriter.state_bytes = Some(pass.bytes);
                Turn::GoOn
            }
            Ok(()) => {
                self.rewriter.pass = Some(pass);
                Turn::GoOn
            }
            // The offsets of all that follows would be wrong.
            Err(NotAppended::Intruder) => Turn::Broken,
            Err(error) => {
                tracing::warn!(shard = %self.options.name, %error, "cannot write the state of the coordinator anew");
                self.pause();
                Turn::GoOn
            }
        }
    }

    fn write(&mut self, pass: &mut Pass<M::Cursor>, records: &[M::Record]) -> Result<(), NotAppended> {
        pass.waits = true;
        if records.is_empty() {
            // All that was to come is gone meanwhile; what was written is durable, or this would not be asked for.
            self.hold_chunk(self.log.ticket(self.core.next().plus(-1)));
            return Ok(());
        }
        let (ticket, bytes) = self.append(records, self.core.next().plus(records.len() as i64))?;
        self.core.written_again(records);
        pass.bytes = pass.bytes.saturating_add(bytes as u64);
        self.hold_chunk(ticket);
        Ok(())
    }

    /// The thread that cut the front has ended.
    pub(super) fn front_cut(&mut self, done: Result<Result<Offset, CutError>, oneshot::error::RecvError>) {
        let Some(cut) = self.rewriter.cut.take() else { return };
        let shard = &self.options.name;
        match done {
            Ok(Ok(start)) => {
                self.rewriter.log_bytes = self.rewriter.log_bytes.saturating_sub(cut.bytes);
                tracing::info!(%shard, %start, bytes = self.rewriter.log_bytes, "wrote the state anew");
                return;
            }
            Ok(Err(error)) => tracing::warn!(%shard, %error, "cannot cut the front of the log yet"),
            Err(_) => tracing::warn!(%shard, "the thread that cuts the front of the log failed"),
        }
        self.rewriter.cut = Some(Cut { done: None, ..cut });
        self.pause();
    }

    fn pause(&mut self) {
        self.rewriter.not_before = Some(self.time.seen().after(PAUSE));
    }
}

fn count<M: super::LogRecord, C>(pass: &mut Pass<C>, records: &[M]) -> Result<(), NotAppended> {
    for record in records {
        let (key, value) = record.encode()?;
        let len = key.map_or(0, |key| key.len()) + value.map_or(0, |value| value.len());
        pass.bytes = pass.bytes.saturating_add(len as u64 + RECORD_OVERHEAD);
    }
    Ok(())
}
