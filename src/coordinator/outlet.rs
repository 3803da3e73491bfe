//! What a shard is given: where its output goes, what it is called, where blocking work runs. Must not know the shard.

use super::Machine;
use crate::partition::LeaderEpoch;
use crate::sys::spawn_thread;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Bytes of a machine's log below which it is never rewritten: they are replayed in some 20 ms.
pub const REWRITE_BYTES_MIN: u64 = 4 << 20;

/// Where a shard's output goes. Calls are made in order, when what they rest on is durable; they must not block.
pub trait Outlet<M: Machine>: Send + 'static {
    /// The state that is durable now. Comes before the effects and replies of the same turn.
    fn publish(&mut self, view: M::View);

    /// Work to be done.
    fn effect(&mut self, effect: M::Effect);

    /// The log is about to be cut back and reopened: see to it that the leader epoch rises first. A machine that
    /// keeps the epoch itself does it in `loaded`.
    fn before_reopen(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }

    /// Runs a job that waits for the disk where it holds nobody up. A shard has one at a time.
    fn run_blocking(&mut self, job: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        spawn_thread("coordinator", job).map(drop)
    }
}

/// What a shard needs beside its log.
#[derive(Clone)]
pub struct ShardOptions {
    /// For log lines: the machine and its number.
    pub name: Arc<str>,
    /// Seed of ids. Must differ from one start to the next, or ids come again.
    pub seed: u64,
    /// Epoch of appends, unless the machine keeps it.
    pub epoch: LeaderEpoch,
    /// Bytes of the log below which it is never rewritten: [`REWRITE_BYTES_MIN`] but in tests.
    pub rewrite_bytes_min: u64,
}

/// Hands `job` to the outlet. An error means that it did not run to its end.
pub(super) fn run_blocking<M: Machine, T: Send + 'static>(
    outlet: &mut impl Outlet<M>,
    job: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (done, wait) = oneshot::channel();
    // The shard may be gone when it is done.
    let job = move || drop(done.send(job()));
    if let Err(error) = outlet.run_blocking(Box::new(job)) {
        tracing::error!(%error, "cannot start a thread");
    }
    wait
}
