//! `logboom segment`: work on files without a broker. Shells around `inspect`.

mod args;
mod dump;
mod progress;
mod state;
mod stats;
mod stop;
mod verify;

pub use args::SegmentVerb;

use super::Machine;
use super::failure::Failure;
use super::output::Output;
use std::io;
use std::path::Path;

/// Code of: something is damaged.
const DAMAGED: &str = "LB0701";

/// Does what the arguments say.
pub fn run(verb: &SegmentVerb, output: Output, machine: &Machine) -> Result<(), Failure> {
    match verb {
        SegmentVerb::Dump(args) => dump::run(args, output, machine),
        SegmentVerb::Verify(args) => verify::run(args, output, machine),
        SegmentVerb::Stats(args) => stats::run(args, output, machine),
        _ => Ok(()),
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new("LB0702", format!("cannot read {}: {error}", path.display()))
}

fn interrupted() -> Failure {
    Failure { exit: 130, ..Failure::new("LB0703", "stopped before it was done") }
}
