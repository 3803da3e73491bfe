//! What goes wrong on a simulated disk, and when: errors of chosen calls, and the call at which the power fails.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The kinds of calls that faults choose and tests count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Call {
    /// `Fs::open` of a file that is there.
    Open,
    /// `Fs::open` that makes the file.
    Create,
    /// `File::read_at`.
    Read,
    /// `File::write_all_at`.
    Write,
    /// `File::sync_data`.
    Sync,
    /// `File::set_len`.
    SetLen,
    /// `Fs::rename`.
    Rename,
    /// `Fs::remove`, and each file and directory that `Fs::remove_dir_all` removes.
    Remove,
    /// Each directory that `Fs::create_dir_all` makes.
    MakeDir,
    /// `Fs::sync_dir`.
    SyncDir,
    /// `Fs::list`.
    List,
    /// `Fs::lock`.
    Lock,
}

impl Call {
    /// Whether the call changes what a crash may find; such calls are the crash points.
    pub fn changes(self) -> bool {
        !matches!(self, Call::Open | Call::Read | Call::List | Call::Lock)
    }
}

/// An error to come. Without further words it strikes once, at the next call of its kind; a write that it strikes
/// has put a prefix of unknown length, a sync that it strikes has lost any part of what it was to save, and every
/// other call has had no effect.
#[derive(Clone, Debug)]
pub struct Fault {
    call: Option<Call>,
    named: Option<String>,
    cause: Cause,
    skip: u64,
    lasts: bool,
    written: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Cause {
    Errno(i32),
    Kind(io::ErrorKind),
}

impl Fault {
    /// Strikes calls of one kind with an `io::ErrorKind` or an errno (`rustix::io::Errno`).
    pub fn on(call: Call, error: impl Into<io::Error>) -> Fault {
        Fault { call: Some(call), ..Fault::on_any(error) }
    }

    /// Strikes calls of every kind.
    pub fn on_any(error: impl Into<io::Error>) -> Fault {
        let error = error.into();
        let cause = error.raw_os_error().map_or(Cause::Kind(error.kind()), Cause::Errno);
        Fault { call: None, named: None, cause, skip: 0, lasts: false, written: None }
    }

    /// An error of the device.
    pub fn eio(call: Call) -> Fault {
        Fault::on(call, rustix::io::Errno::IO)
    }

    /// No room on the device.
    pub fn enospc(call: Call) -> Fault {
        Fault::on(call, rustix::io::Errno::NOSPC)
    }

    /// Strikes the `nth` call that it chooses, counted from 1, instead of the next.
    pub fn nth(self, nth: u64) -> Fault {
        Fault { skip: nth.saturating_sub(1), ..self }
    }

    /// Strikes every call from then on.
    pub fn lasting(self) -> Fault {
        Fault { lasts: true, ..self }
    }

    /// Chooses only calls whose path contains `part`; a file goes by the path it was opened under.
    pub fn named(self, part: &str) -> Fault {
        Fault { named: Some(part.to_owned()), ..self }
    }

    /// A write that it strikes has put exactly `bytes` bytes, or all it had if fewer.
    pub fn after_bytes(self, bytes: u64) -> Fault {
        Fault { written: Some(bytes), ..self }
    }

    fn chooses(&self, call: Call, path: &Path) -> bool {
        let named = |part: &String| path.to_string_lossy().contains(part.as_str());
        self.call.is_none_or(|chosen| chosen == call) && self.named.as_ref().is_none_or(named)
    }

    fn error(&self) -> io::Error {
        match self.cause {
            Cause::Errno(errno) => io::Error::from_raw_os_error(errno),
            Cause::Kind(kind) => kind.into(),
        }
    }
}

/// What becomes of a call.
pub(super) enum Fate {
    /// It goes on and returns this: an error only if the power fails meanwhile, so that the effect is there for
    /// the crash to keep or to lose.
    Runs(io::Result<()>),
    /// A fault strikes it.
    Fails { error: io::Error, written: Option<u64> },
}

/// The faults to come, and the calls so far.
#[derive(Clone, Default)]
pub(super) struct Schedule {
    faults: Vec<Fault>,
    struck: u64,
    counts: BTreeMap<Call, u64>,
    changes: u64,
    stop_after: Option<u64>,
    power_is_off: bool,
}

impl Schedule {
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn stop_after(&mut self, changes: u64) {
        self.stop_after = Some(self.changes + changes);
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn count(&self, call: Call) -> u64 {
        self.counts.get(&call).copied().unwrap_or(0)
    }

    pub(super) fn struck(&self) -> u64 {
        self.struck
    }

    pub(super) fn power_is_off(&self) -> bool {
        self.power_is_off
    }

    /// Counts a call and decides what becomes of it; an error if there is no power for it to do anything.
    pub(super) fn fate(&mut self, call: Call, path: &Path) -> io::Result<Fate> {
        if self.power_is_off {
            return Err(power_is_gone());
        }
        *self.counts.entry(call).or_default() += 1;
        if call.changes() {
            if self.stop_after.is_some_and(|last| self.changes >= last) {
                self.power_is_off = true;
                return Ok(Fate::Runs(Err(power_is_gone())));
            }
            self.changes += 1;
        }
        Ok(match self.strike(call, path) {
            Some(fault) => Fate::Fails { error: fault.error(), written: fault.written },
            None => Fate::Runs(Ok(())),
        })
    }

    fn strike(&mut self, call: Call, path: &Path) -> Option<Fault> {
        let mut striking = None;
        for (at, fault) in self.faults.iter_mut().enumerate().filter(|(_, fault)| fault.chooses(call, path)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else {
                striking.get_or_insert((at, fault.clone()));
            }
        }
        let (at, fault) = striking?;
        if !fault.lasts {
            self.faults.remove(at);
        }
        self.struck += 1;
        Some(fault)
    }
}

fn power_is_gone() -> io::Error {
    io::Error::other("the power is gone")
}
