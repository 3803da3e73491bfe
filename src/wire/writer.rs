//! What every encoder writes into: our own bytes in one buffer, and between them pieces that are not copied. It
//! knows nothing of messages and versions.

use bytes::Bytes;

/// Bytes of the length before a frame.
const LENGTH_BYTES: usize = 4;

/// What a frame takes at first: room for the answer to a produced batch, and for most others.
const FRAME_BYTES: usize = 128;

/// Collects a frame. Record bytes are cut in between, by reference or as a hole that the caller fills on the way
/// to the socket.
#[derive(Debug, Default)]
pub struct Writer {
    own: Vec<u8>,
    // Pieces that stand before the byte of `own` at the given position, in order.
    cuts: Vec<(usize, Part)>,
    outside: usize,
}

/// A piece of an encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Bytes(Bytes),
    /// So many bytes that the caller sends from elsewhere, such as a file.
    Hole(usize),
}

/// An encoded message or frame, ready for a vectored write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// The pieces in the order they are sent; none is empty.
    pub parts: Vec<Part>,
    len: usize,
}

/// Why a message has no encoding in the version asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum EncodeError {
    #[error("version {version} of {message} is not known")]
    UnknownVersion { message: &'static str, version: i16 },
    #[error("field {field} is set and version {version} has no such field")]
    NotInVersion { field: &'static str, version: i16 },
    #[error("field {field} is null and version {version} does not allow it")]
    Null { field: &'static str, version: i16 },
    #[error("a length of {length} is more than the protocol can say")]
    TooLong { length: usize },
    #[error("the bytes of a hole are not here")]
    Hole,
}

impl Part {
    /// Bytes this piece has on the wire.
    pub fn len(&self) -> usize {
        match self {
            Part::Bytes(bytes) => bytes.len(),
            Part::Hole(len) => *len,
        }
    }

    /// True for a piece of no bytes; an [`Encoded`] holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Encoded {
    /// Bytes on the wire, holes included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Everything in one piece: a copy only if there is more than one.
    ///
    /// # Errors
    /// `Hole` if the message has one, since its bytes are elsewhere.
    pub fn to_bytes(&self) -> Result<Bytes, EncodeError> {
        if let [Part::Bytes(only)] = self.parts.as_slice() {
            return Ok(only.clone());
        }
        let mut whole = Vec::with_capacity(self.len);
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => whole.extend_from_slice(bytes),
                Part::Hole(_) => return Err(EncodeError::Hole),
            }
        }
        Ok(Bytes::from(whole))
    }
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Bytes written so far, holes included.
    pub fn len(&self) -> usize {
        self.own.len().saturating_add(self.outside)
    }

    /// True if nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies these bytes in.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.own.extend_from_slice(bytes);
    }

    /// Puts a piece in without copying it.
    pub fn cut_in(&mut self, part: Part) {
        if !part.is_empty() {
            self.outside = self.outside.saturating_add(part.len());
            self.cuts.push((self.own.len(), part));
        }
    }

    /// Everything of another writer, in place.
    pub fn append(&mut self, other: Writer) {
        let base = self.own.len();
        self.own.extend_from_slice(&other.own);
        self.outside = self.outside.saturating_add(other.outside);
        self.cuts.extend(other.cuts.into_iter().map(|(at, part)| (at.saturating_add(base), part)));
    }

    /// The pieces written.
    pub fn finish(self) -> Encoded {
        let len = self.len();
        let own = exact(self.own);
        let mut parts = Vec::with_capacity(self.cuts.len().saturating_mul(2).saturating_add(1));
        let mut done = 0;
        for (at, part) in self.cuts {
            if at > done {
                parts.push(Part::Bytes(own.slice(done..at)));
            }
            parts.push(part);
            done = at;
        }
        if own.len() > done {
            parts.push(Part::Bytes(own.slice(done..)));
        }
        Encoded { parts, len }
    }

    /// An empty writer of a frame: the length, at its front, is known at its end.
    pub fn frame() -> Writer {
        let mut own = Vec::with_capacity(FRAME_BYTES);
        own.extend_from_slice(&[0; LENGTH_BYTES]);
        Writer { own, ..Writer::default() }
    }

    /// The pieces written to [`Writer::frame`] after a four-byte length of all of them.
    ///
    /// # Errors
    /// `TooLong` beyond 2 GiB, the most a frame can say.
    pub fn finish_frame(mut self) -> Result<Encoded, EncodeError> {
        self.put_length()?;
        Ok(self.finish())
    }

    /// As [`Writer::finish_frame`], in one piece.
    ///
    /// # Errors
    /// As [`Writer::finish_frame`], and `Hole` if the frame has one.
    pub fn finish_whole_frame(mut self) -> Result<Bytes, EncodeError> {
        self.put_length()?;
        if self.cuts.is_empty() { Ok(exact(self.own)) } else { self.finish().to_bytes() }
    }

    fn put_length(&mut self) -> Result<(), EncodeError> {
        let length = self.len().saturating_sub(LENGTH_BYTES);
        let size = i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        if let Some(head) = self.own.first_chunk_mut::<LENGTH_BYTES>() {
            *head = size.to_be_bytes();
        }
        Ok(())
    }
}

/// Bytes without room behind them, which `Bytes` keeps without memory beside them.
fn exact(own: Vec<u8>) -> Bytes {
    Bytes::from(own.into_boxed_slice())
}
