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

use rustix::process::{Resource, Rlimit};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// Lets other threads go first, as far as the system offers that: for work that nobody waits for.
pub fn lower_priority() {
    // Where it is refused, the work goes on as it is.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10);
}

/// Lets this process have as many files and sockets open as the system allows it; how many that is.
pub fn raise_open_files_limit() -> u64 {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Where it is refused, what there was has to do.
    let current =
        rustix::process::setrlimit(Resource::Nofile, raised).map_or(limit.current, |()| limit.maximum);
    current.unwrap_or(u64::MAX)
}

/// Starts an operating-system thread with a name that `top` shows; for work that blocks (sync, recovery).
pub fn spawn_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Does `work` for each of `items` on up to `threads` threads, the caller's among them, and returns once all is done.
/// For work that waits: a disk that is asked to sync many files at once does not take many times as long. One thread
/// goes through the items in their order.
pub fn do_at_once<T: Sync>(name: &str, threads: usize, items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let take = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            // Where there are no more threads, those that there are do all.
            if std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, take).is_err() {
                break;
            }
        }
        take();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn everything_is_done_once_and_in_order_by_one_thread() {
        let items: Vec<u32> = (0..100).collect();
        for threads in [0, 1, 3, 1000] {
            let done = Mutex::new(Vec::new());
            do_at_once("test", threads, &items, |item| done.lock().unwrap().push(*item));
            let mut done = done.into_inner().unwrap();
            if threads > 1 {
                done.sort_unstable();
            }
            assert_eq!(done, items);
        }
        do_at_once("test", 4, &[0; 0], |_: &u32| panic!("there is nothing to do"));
    }
}
