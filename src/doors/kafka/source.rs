//! The receiving side of a connection. Small requests that a client pipelines come out of one read: asking the kernel
//! for each length and each body cost a fifth of what a small request costs. It knows bytes and no frames.

use super::limits::READ_AHEAD_BYTES;
use bytes::{BufMut as _, BytesMut};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

thread_local! {
    // Used within one poll, so that a connection that waits holds no buffer.
    static CHUNK: RefCell<[u8; READ_AHEAD_BYTES]> = const { RefCell::new([0; READ_AHEAD_BYTES]) };
}

/// A stream with what was read of it and not yet taken.
pub(super) struct Source<R> {
    stream: R,
    ahead: Vec<u8>,
    taken: usize,
}

impl<R: AsyncRead + Unpin> Source<R> {
    pub(super) fn new(stream: R) -> Source<R> {
        Source { stream, ahead: Vec::new(), taken: 0 }
    }

    /// Whether nothing was read ahead.
    pub(super) fn is_empty(&self) -> bool {
        self.taken >= self.ahead.len()
    }

    /// Waits for bytes, of which there must be none; 0 at the end of the stream.
    pub(super) async fn refill(&mut self) -> io::Result<usize> {
        (self.ahead, self.taken) = (Vec::new(), 0);
        let stream = &mut self.stream;
        self.ahead = poll_fn(|cx| {
            CHUNK.with_borrow_mut(|chunk| {
                let mut room = ReadBuf::new(chunk);
                ready!(Pin::new(&mut *stream).poll_read(cx, &mut room))?;
                Poll::Ready(io::Result::Ok(room.filled().to_vec()))
            })
        })
        .await?;
        Ok(self.ahead.len())
    }

    /// Moves as much into `out` as is here and fits; returns how much.
    pub(super) fn take(&mut self, out: &mut [u8]) -> usize {
        let ahead = self.ahead.get(self.taken..).unwrap_or_default();
        let count = ahead.len().min(out.len());
        if let (Some(out), Some(ahead)) = (out.get_mut(..count), ahead.get(..count)) {
            out.copy_from_slice(ahead);
        }
        self.taken += count;
        count
    }

    /// Appends what is here to `out`, `most` bytes at most.
    pub(super) fn take_into(&mut self, out: &mut BytesMut, most: usize) {
        let ahead = self.ahead.get(self.taken..).unwrap_or_default();
        let ahead = ahead.get(..most).unwrap_or(ahead);
        out.extend_from_slice(ahead);
        self.taken += ahead.len();
    }

    /// Reads into the room of `out`, `most` bytes at most, what nobody has to copy; there must be nothing ahead.
    pub(super) async fn read_into(&mut self, out: &mut BytesMut, most: usize) -> io::Result<usize> {
        self.stream.read_buf(&mut out.limit(most)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn what_was_read_ahead_is_taken_in_order_before_the_stream_is_asked_again() {
        let (mut far, near) = tokio::io::duplex(64 << 10);
        let mut source = Source::new(near);
        far.write_all(&vec![7; READ_AHEAD_BYTES + 5]).await.unwrap();
        assert_eq!(source.refill().await.unwrap(), READ_AHEAD_BYTES);
        let mut four = [0; 4];
        assert_eq!((source.take(&mut four), four), (4, [7; 4]));
        let mut rest = BytesMut::with_capacity(2 * READ_AHEAD_BYTES);
        source.take_into(&mut rest, 10);
        assert_eq!(rest.len(), 10);
        source.take_into(&mut rest, usize::MAX);
        assert!(source.is_empty());
        assert_eq!((rest.len(), source.take(&mut four)), (READ_AHEAD_BYTES - 4, 0));
        assert_eq!(source.read_into(&mut rest, 3).await.unwrap(), 3);
        assert_eq!(source.refill().await.unwrap(), 2);
        drop(far);
        let mut two = [0; 2];
        source.take(&mut two);
        assert_eq!(source.refill().await.unwrap(), 0);
    }
}
