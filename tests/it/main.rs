//! The one integration binary: a module per behaviour that the library promises, and `kit` for what they share.
//! It drives the library from outside and must not know how a promise is kept. One binary, because each would link
//! the whole library again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod atomic_files;
mod cli;
mod cli_bench;
mod cli_dirs;
mod cli_groups;
mod cli_segments;
mod compaction;
mod crash_engine;
mod crash_points;
mod dirs;
mod dirs_faults;
mod dirs_kit;
mod door_data;
mod door_groups;
mod door_kit;
mod door_life;
mod door_limits;
mod door_topics;
mod door_versions;
mod flips;
mod golden_data;
mod kit;
mod log_dump;
mod log_faults;
mod log_kit;
mod log_scale;
mod retention;
mod wire_golden;
