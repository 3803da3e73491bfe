//! Runs a program whose syncs answer at once and do nothing: the broker as it would be if it acknowledged before the
//! sync. Only the kernel's filter of system calls is in the way, so it is the very binary that users run.

use anyhow::{Context, Result};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Becomes the program; returns only if it cannot. It is killed when the thread that started it ends.
///
/// # Errors
/// The filter is not accepted, or the program is not there.
pub fn become_program(program: &OsString, arguments: &[OsString], honest: bool) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    if !honest {
        let calls = [libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync_file_range, libc::SYS_syncfs];
        let rules = calls.into_iter().map(|call| (call, Vec::new())).collect();
        // Error 0 is success.
        let lie = SeccompAction::Errno(0);
        let filter =
            SeccompFilter::new(rules, SeccompAction::Allow, lie, std::env::consts::ARCH.try_into()?)?;
        let program: BpfProgram = filter.try_into()?;
        seccompiler::apply_filter(&program).context("the kernel takes no filter of system calls")?;
    }
    let failed = Command::new(program).args(arguments).exec();
    Err(failed).with_context(|| format!("cannot run {}", program.display()))
}
