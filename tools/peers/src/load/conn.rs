//! One connection of the generator, which never blocks: a queue of bytes to send, a buffer of bytes that came, and the
//! requests in between. It must not know what the frames mean.

use super::Sent;
use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use rustix::io::{Errno, IoSlice};
use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};

/// Frames up to this size are copied together, so that many leave with one write.
const COPIED_MAX: usize = 8 << 10;
/// Pieces of one write.
const PIECES_MAX: usize = 64;
/// Room for answers; it grows with a larger one.
const INPUT: usize = 4 << 10;
/// What it grows to when an answer filled it.
const INPUT_MAX: usize = 256 << 10;
/// Length, API key, version; then comes the correlation id.
const CORRELATION_AT: usize = 8;

/// A connection.
pub struct Conn {
    socket: TcpStream,
    out: VecDeque<Bytes>,
    tail: BytesMut,
    queued: bool,
    blocked: bool,
    calls: i32,
    waiting: VecDeque<(i32, Sent)>,
    input: Vec<u8>,
    /// Whole frames that were not taken yet, and the buffer they are parts of.
    frames: VecDeque<Bytes>,
    held: Bytes,
}

impl Conn {
    pub fn connect(address: SocketAddr) -> Result<Conn> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(Conn {
            socket,
            out: VecDeque::new(),
            tail: BytesMut::new(),
            queued: false,
            blocked: false,
            calls: 0,
            waiting: VecDeque::new(),
            input: Vec::new(),
            frames: VecDeque::new(),
            held: Bytes::new(),
        })
    }

    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Queues a frame; true if the connection must be put on the list of those to write.
    pub fn push(&mut self, frame: &Bytes, sent: Sent) -> bool {
        self.calls = self.calls.wrapping_add(1);
        self.waiting.push_back((self.calls, sent));
        self.tail.extend_from_slice(&frame[..CORRELATION_AT]);
        self.tail.extend_from_slice(&self.calls.to_be_bytes());
        let rest = CORRELATION_AT + 4..frame.len();
        if rest.len() <= COPIED_MAX {
            self.tail.extend_from_slice(&frame[rest]);
        } else {
            self.out.push_back(self.tail.split().freeze());
            self.out.push_back(frame.slice(rest));
        }
        !std::mem::replace(&mut self.queued, true)
    }

    /// Writes what it can; whether it is blocked, if that changed.
    pub fn write(&mut self) -> Result<Option<bool>> {
        self.queued = false;
        if !self.tail.is_empty() {
            self.out.push_back(self.tail.split().freeze());
        }
        let mut blocked = false;
        while !self.out.is_empty() && !blocked {
            let pieces: Vec<IoSlice<'_>> =
                self.out.iter().take(PIECES_MAX).map(|piece| IoSlice::new(piece)).collect();
            match rustix::io::writev(&self.socket, &pieces) {
                Ok(written) => self.wrote(written),
                Err(Errno::AGAIN) => blocked = true,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("the broker closed a connection"),
            }
        }
        let changed = blocked != self.blocked;
        self.blocked = blocked;
        Ok(changed.then_some(blocked))
    }

    fn wrote(&mut self, mut written: usize) {
        while let Some(piece) = self.out.front_mut() {
            if written < piece.len() {
                bytes::Buf::advance(piece, written);
                return;
            }
            written -= piece.len();
            self.out.pop_front();
        }
    }

    /// Reads once, and cuts out the frames that are whole.
    pub fn read(&mut self) -> Result<()> {
        let need =
            self.input.first_chunk::<4>().map_or(INPUT, |length| u32::from_be_bytes(*length) as usize + 4);
        let wanted = need.max(self.input.len() + INPUT);
        if self.input.capacity() < wanted {
            self.input.reserve(wanted - self.input.len());
        }
        let before = self.input.len();
        match rustix::io::read(&self.socket, rustix::buffer::spare_capacity(&mut self.input)) {
            Ok(0) => bail!("the broker closed a connection"),
            Ok(_) => {}
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(error).context("the broker closed a connection"),
        }
        let full = self.input.len() == self.input.capacity();
        if full && self.input.capacity() < INPUT_MAX {
            self.input.reserve(self.input.capacity());
        }
        ensure!(self.input.len() > before, "nothing was read");
        self.cut();
        Ok(())
    }

    fn cut(&mut self) {
        let mut done = 0;
        let mut ends = Vec::new();
        while let Some(length) = self.input.get(done..).and_then(|rest| rest.first_chunk::<4>()) {
            let end = done + 4 + u32::from_be_bytes(*length) as usize;
            if end > self.input.len() {
                break;
            }
            ends.push((done + 4, end));
            done = end;
        }
        if done == 0 {
            return;
        }
        let rest = self.input[done..].to_vec();
        self.held = Bytes::from(std::mem::replace(&mut self.input, rest));
        self.frames.extend(ends.into_iter().map(|(from, to)| self.held.slice(from..to)));
    }

    /// The next whole answer, and the request that it answers.
    pub fn pop(&mut self) -> Result<Option<(Sent, Bytes)>> {
        let Some(frame) = self.frames.pop_front() else { return Ok(None) };
        let (call, sent) = self.waiting.pop_front().context("an answer that nobody asked for")?;
        ensure!(frame.get(..4) == Some(&call.to_be_bytes()), "an answer to another request");
        Ok(Some((sent, frame)))
    }

    /// After all answers were taken: the buffer is used again, if nobody kept a part of it.
    pub fn settle(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        if held.is_unique() {
            held.truncate(0);
            let mut room = Vec::from(held);
            if room.capacity() > self.input.capacity() {
                room.extend_from_slice(&self.input);
                self.input = room;
            }
        }
    }
}
