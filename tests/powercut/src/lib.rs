//! Cuts the power of a disk under ext4 under the real broker, and looks for what was acknowledged.
//!
//! A recording: an ext4 with its journal stands on a loop device over a file in a FUSE file system of ours, which
//! keeps every block write and every block flush in order (`stream`, `disk`). The `logboom` binary runs on it under
//! default settings, is stopped once and killed once, while workers produce with acks=all, make and delete topics, cut
//! fronts and commit offsets, and while it seals segments, compacts a topic and removes old segments of another; each
//! acknowledgement is noted with the position in the stream at which it had arrived (`work`, `history`).
//!
//! A cut: for a point of the stream the disk is built as a power cut could have left it, everything up to the last
//! flush and any sectors of the writes after it (`cut`); ext4 replays its journal, the broker starts on it, and all
//! that was acknowledged before the point must be there, with its offset and its bytes, and nothing that nobody sent
//! (`check`); where it is compacted, the last record of each key (`keys`). Many cuts are tried of one recording; one in
//! five is followed by a second cut while the broker comes up.
//!
//! The proof that the rig can see are two brokers that acknowledge before the sync, and lose records in every run: the
//! same binary with syncs that answer and do nothing (`lie`), and one whose last flush a cut takes back (`run::Fault`).
//!
//! `cargo test` tries 20 cuts; `tests/README.md` says how a night tries more.
//!
//! A cut is found again by the seed that its report names. Not tried: other file systems, drives that lie about
//! flushes, and syncs that fail (`tests/it/log_faults.rs` has those).

pub mod broker;
pub mod check;
pub mod client;
pub mod cut;
pub mod disk;
pub mod ground;
pub mod history;
pub mod keys;
pub mod lie;
pub mod run;
pub mod stream;
pub mod work;

use anyhow::Result;
use run::{Plan, Report, run};

/// Cuts that are tried of one recording in a long run.
pub const CUTS_A_RECORDING: u32 = 50;

/// Tries cuts on as many recordings as they need, each with a seed of its own.
///
/// # Errors
/// The rig fails.
pub fn night(plan: &Plan) -> Result<Report> {
    let mut report = Report::default();
    let mut seed = plan.seed;
    while report.cuts < plan.cuts {
        let cuts = (plan.cuts - report.cuts).min(CUTS_A_RECORDING);
        report.add(run(&Plan { cuts, seed, ..plan.clone() })?);
        seed = seed.wrapping_add(1);
    }
    Ok(report)
}
