//! One connection of the floor: reads as much as there is and answers every whole frame in it, each with a write of its
//! own, or all together. With rounds the answers wait for the round.

use super::commit::Commit;
use super::store::Store;
use super::{admin, fetch, produce};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Read at once; it grows for a larger frame.
const BUFFER: usize = 16 << 10;
/// What it grows to when it was full.
const BUFFER_MAX: usize = 1 << 20;
/// The largest frame.
const FRAME_MAX: usize = 100 << 20;

/// Serves until the client goes away.
pub fn serve(
    mut socket: TcpStream,
    address: SocketAddr,
    store: &Store,
    commit: &Commit,
    together: bool,
) -> Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let mut replies = Vec::new();
    let mut session = produce::Session::default();
    loop {
        let read = match socket.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        filled += read;
        let mut done = 0;
        let mut produced = false;
        let mut need = 0;
        while let Some(length) = buffer[done..filled].first_chunk::<4>() {
            let end = done + 4 + u32::from_be_bytes(*length) as usize;
            if end - done > FRAME_MAX {
                bail!("a frame of {} bytes", end - done);
            }
            if end > filled {
                need = end - done;
                break;
            }
            let frame = &mut buffer[done + 4..end];
            match frame.first_chunk::<2>().context("a frame without a header")? {
                [0, 0] => {
                    produce::answer(frame, &mut session, store, commit, &mut replies)?;
                    produced = true;
                    if !together && !commit.in_rounds() {
                        socket.write_all(&replies)?;
                        replies.clear();
                    }
                }
                [0, 1] => fetch::answer(Bytes::copy_from_slice(frame), &socket, store)?,
                _ => replies.extend(admin::answer(Bytes::copy_from_slice(frame), address, store)?),
            }
            done = end;
        }
        if produced {
            commit.wait();
            store.grew();
        }
        socket.write_all(&replies)?;
        replies.clear();
        buffer.copy_within(done..filled, 0);
        filled -= done;
        let full = done + filled == buffer.len();
        let wanted = if full { (buffer.len() * 2).min(BUFFER_MAX) } else { buffer.len() };
        if need.max(wanted) > buffer.len() {
            buffer.resize(need.max(wanted), 0);
        }
    }
}
