//! Layer 4: the runtime of pure machines. A machine turns commands into records, replies and effects; this module
//! keeps the records in a log, holds replies and effects back until they are durable, and rebuilds the machine
//! from its records after a start or a failure. Must not know any machine.
//!
//! The argument: hard state changes only through `apply(record)`, live and at replay alike, so that what replay
//! gives is what was there; and nothing leaves the shard before the records it rests on are durable, so that
//! nothing that left can be forgotten. A failed append drops the state and replays, which is the same code path as
//! a start.

mod core;
mod handle;
mod load;
mod outlet;
mod reload;
mod rewrite;
#[cfg(test)]
mod rewrite_tests;
mod running;
mod shard;
mod solo;
#[cfg(test)]
pub mod testkit;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

pub use core::Cx;
pub use handle::{CallError, ShardHandle};
pub use load::LoadError;
pub use outlet::{Outlet, REWRITE_BYTES_MIN, ShardOptions};
pub use shard::Shard;
pub use solo::Solo;

use crate::types::{Epoch, Offset};
use bytes::Bytes;
use std::fmt::Debug;

/// One call of a command, unique within a shard's life. A machine may keep it and reply later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Why a log was replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// The process started.
    Start,
    /// An append failed; nothing that was in the log is lost.
    Again,
    /// The log failed, was cut back to its durable end and reopened.
    Reopened,
}

/// A state machine whose truth is a log of records. All functions are pure: time, chance and ids come from [`Cx`].
pub trait Machine: Sized + Send + 'static {
    /// The durable truth, changed by `apply` alone.
    type Hard: Default + PartialEq + Debug + Send;
    /// What may be lost: sessions, parked calls.
    type Soft: Default + Send;
    /// What is shown to readers outside: a copy of `Hard`, or of the part that matters, cheap to take.
    type View: Send;
    /// A change of `Hard`.
    type Record: LogRecord + Send;
    /// What callers ask for.
    type Command: Send;
    /// What they are told.
    type Reply: Send;
    /// Work for others once the records are durable.
    type Effect: Send;
    /// Names a timer.
    type Timer: Ord + Clone + Send;
    /// Where a rewrite goes on.
    type Cursor: Clone + Send;

    /// Changes the truth. `at` is the offset of the record. The only place where `Hard` changes.
    fn apply(hard: &mut Self::Hard, at: Offset, record: &Self::Record);

    /// Handles a command: emits records, then replies or keeps `call` to reply later.
    fn handle(cx: &mut Cx<'_, Self>, call: CallId, command: Self::Command);

    /// A timer is due; it is not armed any more.
    fn expire(cx: &mut Cx<'_, Self>, timer: Self::Timer);

    /// The log was replayed: arms timers, gives unfinished effects again. May emit records.
    fn loaded(cx: &mut Cx<'_, Self>, why: Load);

    /// Some of the records that give `hard`: about `budget` of them, at least one unless there is none left, from
    /// `after` on (`None`: from the first); and where to go on, `None` if these were the last. The shard appends
    /// them, chunk after chunk, between the records of commands, and then drops the log before the first chunk.
    ///
    /// For this the records must be last-write-wins by key, whatever a key is to the machine:
    ///
    /// - Applying a record of `rewrite` to the state that it came from changes nothing (`Hard`'s equality may not
    ///   depend on the offset of a record).
    /// - Between two chunks the state may change in any way. What is changed there was written at that time, so it
    ///   need not, but may, be in the chunks that follow: a cursor whose place is gone goes on behind it.
    /// - The records since the rewrite began, in their order in the log, applied to an empty state, give the state.
    ///   Some of them change or remove what the chunks have not brought yet: these change nothing, or set what the
    ///   chunks will set as well, and must not fail.
    ///
    /// The test kit checks all of it after each step.
    fn rewrite(
        hard: &Self::Hard,
        after: Option<&Self::Cursor>,
        budget: usize,
    ) -> (Vec<Self::Record>, Option<Self::Cursor>);

    /// The view of a state.
    fn view(hard: &Self::Hard) -> Self::View;

    /// The leader epoch under which records are appended, if this machine is who keeps it.
    fn leader_epoch(hard: &Self::Hard) -> Option<Epoch> {
        let _ = hard;
        None
    }
}

/// Key and value of a record; `None` is null.
pub type KeyValue = (Option<Bytes>, Option<Bytes>);

/// A record of a machine as bytes.
pub trait LogRecord: Sized {
    /// Key and value. An error is a mistake of the machine, which should have refused the command; it fails the
    /// commands of its batch like a log that takes no records.
    fn encode(&self) -> Result<KeyValue, BadRecord>;

    /// The record of these bytes; `None` for one that may be skipped.
    fn decode(key: Option<Bytes>, value: Option<Bytes>) -> Result<Option<Self>, BadRecord>;
}

/// Bytes in the log that this release cannot read; the state without them would be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadRecord {
    /// What is wrong.
    pub why: String,
}

impl BadRecord {
    /// A record that is wrong in this way.
    pub fn new(why: impl Into<String>) -> BadRecord {
        BadRecord { why: why.into() }
    }
}
