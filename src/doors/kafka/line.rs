//! What is handed from one half of a connection to the other, in line. Both halves are polled by one task, the one
//! that puts in before the one that takes out; a channel would wake that task for every request while it runs, and
//! with it a second worker. It knows nothing of what stands in line.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// A queue between two futures of one task.
pub(super) struct Line<T> {
    inner: Mutex<Inner<T>>,
    most: usize,
    bytes_most: usize,
}

struct Inner<T> {
    /// With the memory that each holds.
    queued: VecDeque<(T, usize)>,
    bytes: usize,
    /// The task, if it waits for room.
    waits_for_room: Option<Waker>,
}

impl<T> Line<T> {
    /// An empty line of at most `most` things, to which nothing is added either while they hold `bytes_most` or more.
    pub(super) fn new(most: usize, bytes_most: usize) -> Line<T> {
        let inner = Inner { queued: VecDeque::new(), bytes: 0, waits_for_room: None };
        Line { inner: Mutex::new(inner), most, bytes_most }
    }

    /// Waits until there is room for one more.
    pub(super) async fn room(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.lock();
            let takes_more = inner.queued.len() < self.most && inner.bytes < self.bytes_most;
            if takes_more || inner.queued.is_empty() {
                return Poll::Ready(());
            }
            inner.waits_for_room = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Adds one that holds so much memory; there is room if the caller waited for it. Nobody is woken: whoever takes
    /// out is polled next.
    pub(super) fn put(&self, one: T, bytes: usize) {
        let mut inner = self.inner.lock();
        inner.bytes += bytes;
        inner.queued.push_back((one, bytes));
    }

    /// The next one, if there is one.
    pub(super) fn take(&self) -> Option<T> {
        let mut inner = self.inner.lock();
        let (one, bytes) = inner.queued.pop_front()?;
        inner.bytes -= bytes;
        if let Some(waker) = inner.waits_for_room.take() {
            waker.wake();
        }
        Some(one)
    }

    /// Waits for the next one.
    pub(super) async fn next(&self) -> T {
        poll_fn(|_| self.take().map_or(Poll::Pending, Poll::Ready)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn a_full_line_lets_one_in_for_each_that_is_taken_out() {
        let line = Line::new(2, 100);
        for one in 1..=2 {
            assert!(line.room().now_or_never().is_some());
            line.put(one, 1);
        }
        assert!(line.room().now_or_never().is_none());
        assert_eq!(line.next().now_or_never(), Some(1));
        assert!(line.room().now_or_never().is_some());
        assert_eq!((line.take(), line.take()), (Some(2), None));
        assert!(line.next().now_or_never().is_none());
    }

    #[test]
    fn what_holds_much_memory_lets_nothing_in_behind_it() {
        let line = Line::new(10, 100);
        line.put("small", 99);
        assert!(line.room().now_or_never().is_some());
        line.put("large", 1000);
        assert!(line.room().now_or_never().is_none());
        assert_eq!(line.take(), Some("small"));
        assert!(line.room().now_or_never().is_none());
        assert_eq!(line.take(), Some("large"));
        assert!(line.room().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_task_that_waits_for_room_goes_on_once_there_is_some() {
        let line = Line::new(1, 100);
        let putting = async {
            for one in 0..100 {
                line.room().await;
                line.put(one, 1);
            }
        };
        let taking = async {
            for one in 0..100 {
                assert_eq!(line.next().await, one);
            }
        };
        tokio::join!(biased; putting, taking);
    }
}
