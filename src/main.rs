//! The program: hands its arguments to the verbs of `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    logboom::cli::run(std::env::args_os())
}
