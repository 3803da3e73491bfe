//! The floor: the least that a server must do to take batches and to give them back. It reads the frame, checks the
//! CRC-32C, numbers the batch, writes it to the partition's file, syncs if it is told to, and replies; a fetch is a
//! sendfile. A thread a connection. It knows two versions of two messages and what the generator asks besides, and
//! leaves out all that makes a broker: groups, recovery, indexes on disk, quotas, bounds of memory.

mod admin;
mod commit;
mod conn;
mod fetch;
mod produce;
mod store;

use anyhow::{Context, Result};
use commit::Commit;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use store::Store;

/// When the floor asks the disk to keep what it wrote, before it replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Sync {
    /// Never.
    None,
    /// Once for all connections that wait: group commit.
    Round,
    /// After each batch.
    Each,
}

/// Takes connections until the process ends. With `together`, the answers to all frames of one read leave with one
/// write; without, each has its own.
///
/// # Errors
/// The address is taken, or the directory cannot be made.
pub fn serve(address: SocketAddr, data: &Path, sync: Sync, together: bool) -> Result<()> {
    let listener = TcpListener::bind(address).with_context(|| format!("bind {address}"))?;
    serve_on(&listener, data, sync, together)
}

/// As [`serve`], on a socket that listens.
///
/// # Errors
/// The directory cannot be made, or no connection can be taken.
pub fn serve_on(listener: &TcpListener, data: &Path, sync: Sync, together: bool) -> Result<()> {
    std::fs::create_dir_all(data)?;
    let address = listener.local_addr()?;
    let store = Arc::new(Store::new(data));
    let commit = Arc::new(Commit::start(sync)?);
    loop {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        let (store, commit) = (store.clone(), commit.clone());
        // Thousands of idle connections must fit.
        std::thread::Builder::new().stack_size(128 << 10).spawn(move || {
            // A client that goes away is no matter; a request that is not understood must be seen.
            if let Err(error) = conn::serve(socket, address, &store, &commit, together) {
                eprintln!("floor: {error:#}");
            }
        })?;
    }
}
