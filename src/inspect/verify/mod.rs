//! Checks of everything that is on disk, without changing any of it: batches, records, indexes, seals, snapshots,
//! epochs, marks and checkpoints, and that segments follow one another. Must not know how a finding is shown.

mod finding;
mod log;
mod partition;
mod segment;
mod sides;
#[cfg(test)]
mod tests;

pub use finding::{FINDINGS_MAX, Finding, Grade};
pub use log::{LogKnown, judge_file, known_around};
pub use partition::{Known, PartitionReport, Work, judge_partition};
pub use segment::SegmentReport;
