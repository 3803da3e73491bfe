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
        let mut parts = [IoSlice::new(&[]); WRITE_PARTS_MAX];
        let mut pieces = frame.pieces.iter();
        let mut count = 0;
        let mut from_file: &[u8] = &[];
        for part in parts.iter_mut().take(WRITE_PARTS_MAX - 1) {
            match pieces.next() {
                Some(Piece::Memory(bytes)) => *part = IoSlice::new(bytes),
                Some(Piece::File { file, at, len }) => {
                    chunk.resize(FILE_CHUNK_BYTES, 0);
                    let room = chunk.get_mut(..(*len).min(FILE_CHUNK_BYTES)).unwrap_or_default();
                    let want = room.len();
                    let got = file.read_at(room, *at)?;
                    if got < want {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    from_file = chunk.get(..got).unwrap_or_default();
                    *part = IoSlice::new(from_file);
                    count += 1;
                    break;
                }
                None => break,
            }
            count += 1;
        }
        debug_assert!(count > 0 || from_file.is_empty(), "an unsent frame has a part");
        let sent = ready!(sink.poll_write_vectored(cx, parts.get(..count).unwrap_or_default()))?;
        Poll::Ready(Ok(sent))
    })
}
