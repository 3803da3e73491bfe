//! Putting right what is damaged in the directory of a partition that no broker uses: first a plan, then, if the
//! operator says so, its steps. Every step leaves the directory sound wherever it is interrupted, and the same plan
//! made again goes on from there. Must not know how a plan is shown.
//!
//! What can be made anew from the batches is. Records are refused (quarantine) or cut only as told, and bytes that are
//! cut stay beside the log in a file that ends in `.damaged`.

mod cut;
mod rebuild;
mod steps;
#[cfg(test)]
mod tests;

pub use cut::CutError;
pub use steps::{Asked, RepairError, Step, apply, plan};
