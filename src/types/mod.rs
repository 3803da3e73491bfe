//! Layer 0: the nouns of a log broker as plain data. No behaviour beyond what a number needs, no I/O.

mod error_code;
mod ids;

pub use error_code::ErrorCode;
pub use ids::{BadId, PartitionIndex, TopicId, TopicPartition, Uuid};

use std::fmt;

/// Position of a record in its partition; the first is 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Offset(pub i64);

impl Offset {
    /// The first offset of every log.
    pub const ZERO: Offset = Offset(0);

    /// The offset `by` records later; saturates, since offsets come from the network and from disks.
    pub fn plus(self, by: i64) -> Offset {
        Offset(self.0.saturating_add(by))
    }

    /// The offset after this one.
    pub fn next(self) -> Offset {
        self.plus(1)
    }
}

/// Leader epoch of a partition; -1 where it is not known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Epoch(pub i32);

impl Epoch {
    /// "Not known" on the wire.
    pub const NONE: Epoch = Epoch(-1);
}

/// Id of an idempotent producer; -1 for none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// "No producer id" on the wire.
    pub const NONE: ProducerId = ProducerId(-1);
}

/// Milliseconds since 1970 by the wall clock; -1 where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TimestampMs(pub i64);

impl TimestampMs {
    /// "No timestamp" on the wire.
    pub const NONE: TimestampMs = TimestampMs(-1);
}

/// Nanoseconds of a clock that never jumps; its zero means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MonoNs(pub u64);

impl MonoNs {
    /// This instant plus `by`.
    pub fn after(self, by: std::time::Duration) -> MonoNs {
        MonoNs(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Time from `earlier` to this instant; zero if `earlier` is later.
    pub fn since(self, earlier: MonoNs) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

macro_rules! show_as_number {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}
show_as_number!(Offset Epoch ProducerId TimestampMs MonoNs);
