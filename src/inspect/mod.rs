//! Layer 6: a look into files of a log without a broker: what they hold, whether it is sound, what it weighs, and
//! putting right what an operator says shall be put right. Reads our directories and those of Kafka; must not know the
//! engine, nor how what it finds is printed.
//!
//! Reading changes nothing and locks nothing, so it works beside a running broker. Nothing in a file is believed: sizes
//! reserve no memory before their bytes are there, and whatever is not understood is named.

pub mod control;
pub mod dump;
pub mod entries;
pub mod internal;
pub mod place;
pub mod records;
pub mod repair;
pub mod stats;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod walk;

pub use place::{FileKind, LogPlace, PartitionPlace, Target};
pub use walk::{Found, LogWalk};
