//! The verbs of `logboom segment` as a program of their own, for machines on which no broker belongs.

use std::process::ExitCode;

fn main() -> ExitCode {
    logboom::cli::run_segment(std::env::args_os())
}
