//! Compaction: keeping the newest record of each key. Must not know what topics are for.

mod replace;
pub mod swap;
#[cfg(test)]
mod swap_tests;
