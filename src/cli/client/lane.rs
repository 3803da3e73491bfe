//! A connection under load: frames go out together and uncopied, answers are cut from one buffer, and no task or
//! channel stands between, so that what is measured is the broker. Calls under way are the caller's to count, and
//! nothing is tried again.

use super::link::{ANSWER_BYTES_MAX, ANSWER_MAX, CLIENT_ID, READ_STEP, connect};
use super::{Client, ClientError};
use crate::sys::{Clock, Conn, Sleep};
use crate::types::MonoNs;
use crate::wire::frame::{decode_response, encode_request};
use crate::wire::{Encoded, Part, Request};
use bytes::{Buf as _, Bytes, BytesMut};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};

/// Pieces of one write; more are not faster.
const PIECES_MAX: usize = 64;

/// Both directions of a connection.
pub struct Lane {
    /// Requests.
    pub writer: LaneWriter,
    /// Answers.
    pub reader: LaneReader,
}

/// Requests of a lane.
pub struct LaneWriter {
    half: WriteHalf<Box<dyn Conn>>,
    queue: VecDeque<Bytes>,
    queued: usize,
    address: String,
}

/// Answers of a lane, in the order of its requests.
pub struct LaneReader {
    half: ReadHalf<Box<dyn Conn>>,
    buffer: BytesMut,
    address: String,
    clock: Arc<dyn Clock>,
    /// Rings when some answer may have been waited for too long; kept from answer to answer, since setting a timer for
    /// each would cost more than reading it.
    patience: Option<Sleep>,
}

impl Client {
    /// A connection of its own to an address that the cluster told us.
    pub async fn lane(&self, address: &str) -> Result<Lane, ClientError> {
        let (read, write) = tokio::io::split(connect(&self.reach, address).await?);
        let address = address.to_owned();
        let clock = Arc::clone(&self.reach.clock);
        Ok(Lane {
            writer: LaneWriter { half: write, queue: VecDeque::new(), queued: 0, address: address.clone() },
            reader: LaneReader { half: read, buffer: BytesMut::new(), address, clock, patience: None },
        })
    }

    /// The version of `R` to speak with the broker at an address.
    pub async fn version_at<R: Request>(&self, address: &str) -> Result<i16, ClientError> {
        self.link(address).await?.version_of::<R>()
    }
}

/// A request as a frame of this client.
pub fn frame<R: Request>(request: &R, version: i16, correlation: i32) -> Result<Encoded, ClientError> {
    encode_request(request, version, correlation, Some(CLIENT_ID))
        .map_err(|why| ClientError::Unsayable { api: R::KEY.name(), why: why.to_string() })
}

impl LaneWriter {
    /// Takes a piece of a frame; it goes out with the next flush.
    pub fn push(&mut self, piece: Bytes) {
        self.queued += piece.len();
        self.queue.push_back(piece);
    }

    /// Takes a request.
    pub fn push_request<R: Request>(
        &mut self,
        request: &R,
        version: i16,
        correlation: i32,
    ) -> Result<(), ClientError> {
        for part in frame(request, version, correlation)?.parts {
            match part {
                Part::Bytes(bytes) => self.push(bytes),
                Part::Hole(_) => {
                    let why = "its records are not here".to_owned();
                    return Err(ClientError::Unsayable { api: R::KEY.name(), why });
                }
            }
        }
        Ok(())
    }

    /// Bytes taken and not yet written.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Writes what was taken.
    pub async fn flush(&mut self) -> Result<(), ClientError> {
        while self.queued > 0 {
            let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
            let mut count = 0;
            for (slot, piece) in pieces.iter_mut().zip(&self.queue) {
                *slot = IoSlice::new(piece);
                count += 1;
            }
            let pieces = pieces.get(..count).unwrap_or_default();
            let written = match self.half.write_vectored(pieces).await {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                other => other,
            };
            let lost = |error: io::Error| lost(&self.address, &error);
            let mut written = written.map_err(lost)?;
            self.queued = self.queued.saturating_sub(written);
            while let Some(piece) = self.queue.front_mut().filter(|_| written > 0) {
                let gone = piece.len().min(written);
                piece.advance(gone);
                written -= gone;
                if piece.is_empty() {
                    self.queue.pop_front();
                }
            }
        }
        Ok(())
    }
}

impl LaneReader {
    /// The answer to the oldest request under way. Must not be dropped before it is done, or the answers behind it are
    /// lost.
    pub async fn answer<R: Request>(
        &mut self,
        version: i16,
        correlation: i32,
    ) -> Result<R::Response, ClientError> {
        let api = R::KEY.name();
        let frame = self.next_frame(api).await?;
        let malformed = |why: String| ClientError::Malformed { address: self.address.clone(), api, why };
        match decode_response::<R>(frame, version) {
            Ok((id, answer)) if id == correlation => Ok(answer),
            Ok((id, _)) => Err(malformed(format!("it answers call {id}, and {correlation} was the next"))),
            Err(why) => Err(malformed(why.to_string())),
        }
    }

    async fn next_frame(&mut self, api: &'static str) -> Result<Bytes, ClientError> {
        let begun = self.clock.mono();
        loop {
            let missing = match self.buffer.first_chunk() {
                None => 4,
                Some(prefix) => {
                    let len = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(0);
                    if !(4..=ANSWER_BYTES_MAX).contains(&len) {
                        let why = format!("it claims {len} bytes");
                        return Err(ClientError::Malformed { address: self.address.clone(), api, why });
                    }
                    if self.buffer.len() >= 4 + len {
                        self.buffer.advance(4);
                        return Ok(self.buffer.split_to(len).freeze());
                    }
                    4 + len - self.buffer.len()
                }
            };
            self.read_more(missing, api, begun).await?;
        }
    }

    async fn read_more(
        &mut self,
        missing: usize,
        api: &'static str,
        begun: MonoNs,
    ) -> Result<(), ClientError> {
        const SMALL: usize = 16 << 10;
        self.buffer.reserve(missing.clamp(SMALL, READ_STEP));
        let patience = self.patience.get_or_insert_with(|| self.clock.sleep(ANSWER_MAX));
        let got = tokio::select! {
            biased;
            got = self.half.read_buf(&mut self.buffer) => got,
            () = patience => {
                let until = begun.after(ANSWER_MAX);
                if self.clock.mono() < until {
                    self.patience = Some(self.clock.sleep_until(until));
                    return Ok(());
                }
                let address = self.address.clone();
                return Err(ClientError::TimedOut { address, api, seconds: ANSWER_MAX.as_secs() });
            }
        };
        match got {
            Ok(0) => Err(ClientError::Lost {
                address: self.address.clone(),
                why: format!("it was closed before the answer to {api}"),
            }),
            Ok(_) => Ok(()),
            Err(error) => Err(lost(&self.address, &error)),
        }
    }
}

fn lost(address: &str, error: &io::Error) -> ClientError {
    ClientError::Lost { address: address.to_owned(), why: error.to_string() }
}
