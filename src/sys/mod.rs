//! Layer 1: the only door outward. Time, chance, files, sockets and threads are asked for here and nowhere else,
//! so that tests and the simulator can stand in for the machine; clippy.toml bans the rest with reasons.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is the door")]

mod alarm;
mod clock;
mod fs;
mod fs_real;
mod fs_sim;
mod io_cause;
mod mmap;
mod net;
mod net_real;
mod rng;

pub use alarm::Alarm;
pub use clock::{Clock, RealClock, SimClock, Sleep};
pub use fs::{File, FileLock, Fs, OpenHow, Space, replace, stage, write_atomically};
pub use fs_real::RealFs;
pub use fs_sim::{Call, Fault, SimFs, Survival};
pub use io_cause::{IoCause, io_cause};
pub use mmap::{Map, map_file};
pub use net::{Conn, Listener, Net, NetFuture, PeerAddr};
pub use net_real::RealNet;
pub use rng::{RealRng, Rng, SeededRng};

use std::io;
use std::thread::JoinHandle;

/// Lets other threads go first, as far as the system offers that: for work that nobody waits for.
pub fn lower_priority() {
    // Where it is refused, the work goes on as it is.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
}

/// Starts an operating-system thread with a name that `top` shows; for work that blocks (sync, recovery).
pub fn spawn_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}
