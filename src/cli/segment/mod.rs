//! `logboom segment`: work on files without a broker. Shells around `inspect`.

mod args;
mod compact;
mod dump;
mod progress;
mod repair;
mod state;
mod stats;
mod stop;
mod verify;

pub use args::SegmentVerb;

use super::Machine;
use super::failure::Failure;
use super::output::Output;
use crate::inspect::place::Target;
use crate::sys::{FileLock, Fs};
use std::io;
use std::path::Path;

/// Code of: something is damaged.
const DAMAGED: &str = "LB0701";

/// Code of: a broker is running on it.
const IN_USE: &str = "LB0704";

/// Does what the arguments say.
pub fn run(verb: &SegmentVerb, output: Output, machine: &Machine) -> Result<(), Failure> {
    match verb {
        SegmentVerb::Dump(args) => dump::run(args, output, machine),
        SegmentVerb::Verify(args) => verify::run(args, output, machine),
        SegmentVerb::Stats(args) => stats::run(args, output, machine),
        SegmentVerb::Repair(args) => repair::run(args, output, machine),
        SegmentVerb::Compact(args) => compact::run(args, output, machine),
    }
}

/// Takes the lock of the log directory in which a partition lies, so that no broker, ours or Kafka's, can be running on
/// it; none if it lies in none.
fn lock_around(fs: &dyn Fs, partition: &Path) -> Result<Option<FileLock>, Failure> {
    let above = partition.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match Target::of(fs, above) {
        Ok(Target::Log(log)) => lock(fs, &log.path).map(Some),
        Ok(_) => Ok(None),
        Err(error) => Err(cannot_read(above, &error)),
    }
}

/// Takes the lock of a log directory.
fn lock(fs: &dyn Fs, log: &Path) -> Result<FileLock, Failure> {
    fs.lock(&log.join(".lock")).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::WouldBlock => "a broker is running on it".to_owned(),
            _ => error.to_string(),
        };
        Failure::new(IN_USE, format!("cannot lock {}: {why}", log.display()))
            .help("stop the broker; `segment dump`, `verify` and `stats` work beside a running one")
    })
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new("LB0702", format!("cannot read {}: {error}", path.display()))
}

fn interrupted() -> Failure {
    Failure { exit: 130, ..Failure::new("LB0703", "stopped before it was done") }
}
