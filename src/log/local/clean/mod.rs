//! Compaction: keeps, of the records of a log that share a key, the newest. Pure work over the files of one partition:
//! no locks, no threads, no clock; the live cleaner and the offline verb both stand on it. Must not know the broker.
//!
//! A cleaning has two passes. The first reads the dirty section, what was appended since the last cleaning, and fills
//! a [`KeyMap`](key_map::KeyMap) of fixed size with the newest offset of each key; if the map is full it ends there,
//! and the rest waits for the next cleaning. The second rewrites every segment from the first of the log to that end,
//! neighbours joined up to `segment.bytes`, without the records that the map knows a newer one of. The rules are
//! Kafka's (`Cleaner`, `MemoryRecords.filterTo`), so that either broker can go on where the other stopped.

mod checkpoint;
mod cleaning;
mod groups;
mod key_map;
pub mod leftovers;
mod live;
#[cfg(test)]
mod live_tests;
mod offline;
mod output;
mod replace;
mod retain;
mod room;
mod source;
pub mod swap;
#[cfg(test)]
mod swap_tests;
mod task;
#[cfg(test)]
mod tests;
mod txns;

pub(in crate::log::local) use checkpoint::Checkpoint;
pub use cleaning::{Cleaner, Cleaning};
pub use live::{CleanInput, CleanLogError, CleanRules, Dirt};
pub use offline::{OfflineError, OfflineOptions, OfflineReport, clean_offline, offline_segments};
pub use replace::ReplaceError;
pub use task::{
    CleanError, CleanReport, CleanSettings, CleanStats, CleanTask, CleanedGroup, CleanerLimits, FullSpeed,
    LastRecord, Pace, SourceSegment,
};
