//! What a handler gives back: an answer now, later, after something else, or none. It knows nothing of messages.

use crate::log::Piece;
use crate::wire::{Encoded, Part};
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

/// A frame ready to be sent, its length in front; parts may still lie in files.
#[derive(Default)]
pub struct Frame {
    pub(super) pieces: VecDeque<Piece>,
}

/// Why a connection is closed instead of answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Close(pub String);

/// A later answer.
pub type Later = Pin<Box<dyn Future<Output = Result<Frame, Close>> + Send + 'static>>;

/// What became of a request in phase one.
pub enum Answer {
    /// Ready.
    Now(Frame),
    /// Phase two: answers leave in request order.
    Later(Later),
    /// The client wants none (acks=0).
    Silent,
    /// Something that takes time has to happen before the order of this request can be fixed (a partition is being
    /// opened); no later request of the connection starts before it.
    First(Pin<Box<dyn Future<Output = Result<Answer, Close>> + Send + 'static>>),
}

impl Answer {
    /// Bytes of memory that it takes in line: a future is larger than most requests.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Answer::Now(frame) => frame.len(),
            Answer::Later(later) => size_of_val(&**later),
            Answer::Silent | Answer::First(_) => 0,
        }
    }
}

impl Frame {
    /// A frame whose holes are filled with `holes`, in order.
    ///
    /// # Errors
    /// If the holes and what is to fill them do not fit; an error of ours.
    pub fn new(encoded: Encoded, holes: Vec<Vec<Piece>>) -> Result<Frame, Close> {
        let mut holes = holes.into_iter();
        let mut pieces = VecDeque::with_capacity(encoded.parts.len());
        for part in encoded.parts {
            match part {
                Part::Bytes(bytes) => pieces.push_back(Piece::Memory(bytes)),
                Part::Hole(len) => {
                    let filling = holes.next().unwrap_or_default();
                    if filling.iter().map(Piece::len).sum::<usize>() != len {
                        return Err(Close(format!(
                            "an answer has a hole of {len} bytes and other bytes for it"
                        )));
                    }
                    pieces.extend(filling.into_iter().filter(|piece| !piece.is_empty()));
                }
            }
        }
        Ok(Frame { pieces })
    }

    /// True once everything was sent.
    pub fn is_sent(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes still to be sent.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(Piece::len).sum()
    }

    /// Adds an answer behind this one.
    pub(super) fn append(&mut self, mut next: Frame) {
        self.pieces.append(&mut next.pieces);
    }

    /// Passes over `sent` bytes at the front.
    pub(super) fn advance(&mut self, sent: usize) {
        let mut left = sent;
        while left > 0 {
            let Some(piece) = self.pieces.front_mut() else { return };
            let step = left.min(piece.len());
            left -= step;
            if step == piece.len() {
                self.pieces.pop_front();
                continue;
            }
            match piece {
                Piece::Memory(bytes) => bytes.advance(step),
                Piece::File { at, len, .. } => {
                    *at += step as u64;
                    *len -= step;
                }
            }
        }
    }
}

impl From<Bytes> for Frame {
    fn from(bytes: Bytes) -> Frame {
        Frame { pieces: VecDeque::from([Piece::Memory(bytes)]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_sent_in_steps_goes_on_inside_a_piece() {
        let mut frame = Frame { pieces: VecDeque::new() };
        frame.pieces.push_back(Piece::Memory(Bytes::from_static(b"head")));
        frame.pieces.push_back(Piece::Memory(Bytes::from_static(b"body")));
        frame.advance(6);
        assert!(matches!(frame.pieces.front(), Some(Piece::Memory(rest)) if &rest[..] == b"dy"));
        frame.advance(2);
        assert!(frame.is_sent());
    }
}
