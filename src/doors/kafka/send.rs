//! Sends a frame in vectored writes, reading what lies in files bit by bit. It knows pieces and no messages.
//!
//! The memory for file bytes is one buffer a thread, used within one poll: a reader that does not take its answer
//! holds no buffer while it stalls, and the bytes are read again (from the page cache) when it goes on.

use super::activity::Activity;
use super::answer::Frame;
use super::limits::{FILE_CHUNK_BYTES, WRITE_PARTS_MAX};
use crate::log::Piece;
use crate::sys::Clock;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

thread_local! {
    static CHUNK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Sends all of `frame`.
pub(super) async fn send<W: AsyncWrite + Unpin>(
    sink: &mut W,
    mut frame: Frame,
    clock: &dyn Clock,
    activity: &Activity,
) -> io::Result<()> {
    while !frame.is_sent() {
        let sent = poll_fn(|cx| poll_send(Pin::new(&mut *sink), cx, &frame)).await?;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        frame.advance(sent);
        activity.wrote_bytes(clock.mono());
    }
    poll_fn(|cx| Pin::new(&mut *sink).poll_flush(cx)).await
}

fn poll_send<W: AsyncWrite>(
    sink: Pin<&mut W>,
    cx: &mut Context<'_>,
    frame: &Frame,
) -> Poll<io::Result<usize>> {
    CHUNK.with_borrow_mut(|chunk| {
        if frame.pieces.iter().any(|piece| matches!(piece, Piece::File { .. })) {
            chunk.resize(FILE_CHUNK_BYTES, 0);
        }
        let mut room = chunk.as_mut_slice();
        let mut parts = [IoSlice::new(&[]); WRITE_PARTS_MAX];
        let mut count = 0;
        for (part, piece) in parts.iter_mut().zip(&frame.pieces) {
            match piece {
                Piece::Memory(bytes) => *part = IoSlice::new(bytes),
                Piece::File { file, at, len } => {
                    let want = (*len).min(room.len());
                    let Some((into, rest)) = std::mem::take(&mut room).split_at_mut_checked(want) else {
                        break;
                    };
                    room = rest;
                    if file.read_at(into, *at)? < want {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    *part = IoSlice::new(into);
                    if want < *len {
                        // What follows goes out once the rest of this piece has.
                        count += usize::from(want > 0);
                        break;
                    }
                }
            }
            count += 1;
        }
        let sent = ready!(sink.poll_write_vectored(cx, parts.get(..count).unwrap_or_default()))?;
        Poll::Ready(Ok(sent))
    })
}
