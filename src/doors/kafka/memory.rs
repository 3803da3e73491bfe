//! Memory that strangers make us hold: what is bounded, who waits for whom, and how long a holder may do nothing while
//! others wait. It knows numbers of bytes and nothing of what they are.
//!
//! Requests stand in three queues by length, each with a part of the memory, so that a thousand beginnings of large
//! requests hold up neither a heartbeat nor an ordinary batch.

use crate::sys::Clock;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::oneshot;

/// A holder that does nothing for so long while others wait loses its connection: far beyond what a network in order
/// takes between two packets.
pub(super) const IDLE_HOLDER: Duration = Duration::from_secs(2);

/// Requests up to this length have a quarter of the memory for themselves: everything but batches.
const SMALL_BYTES_MAX: usize = 64 << 10;

/// Requests up to this length have another quarter: one batch of the largest size that is allowed where nothing is set.
const ORDINARY_BYTES_MAX: usize = 2 << 20;

/// Who goes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Whoever came first.
    Arrival,
    /// The smallest. A claim costs nothing, so the largest claims are the last to be believed.
    Size,
}

/// An amount of memory that is lent.
pub(super) struct Pool {
    bytes: usize,
    order: Order,
    state: Mutex<State>,
}

struct State {
    used: usize,
    next: u64,
    /// By what decides who is next. Bounded by the number of connections.
    waiting: BTreeMap<(usize, u64), Waiting>,
}

struct Waiting {
    bytes: usize,
    tell: oneshot::Sender<Reserved>,
}

/// Bytes of a pool, given back when this goes.
pub(super) struct Reserved {
    pool: Option<Arc<Pool>>,
    bytes: usize,
}

/// Takes one who waits out of the queue, if it goes before it has got anything.
struct InQueue<'a> {
    pool: &'a Arc<Pool>,
    key: (usize, u64),
}

impl Pool {
    fn new(bytes: usize, order: Order) -> Arc<Pool> {
        let state = State { used: 0, next: 0, waiting: BTreeMap::new() };
        Arc::new(Pool { bytes, order, state: Mutex::new(state) })
    }

    /// Waits until there are so many bytes. More than the pool has are lent when nothing else is.
    pub(super) async fn reserve(self: &Arc<Pool>, bytes: usize) -> Reserved {
        let (told, queued) = {
            let mut state = self.state.lock();
            let key = (if self.order == Order::Size { bytes } else { 0 }, state.next);
            let is_first = state.waiting.first_key_value().is_none_or(|(first, _)| key < *first);
            if is_first && self.fits(state.used, bytes) {
                state.used += bytes;
                return Reserved { pool: Some(Arc::clone(self)), bytes };
            }
            state.next += 1;
            let (tell, told) = oneshot::channel();
            state.waiting.insert(key, Waiting { bytes, tell });
            (told, InQueue { pool: self, key })
        };
        // The sender goes only with what it sends.
        let reserved = told.await.unwrap_or(Reserved { pool: None, bytes: 0 });
        drop(queued);
        reserved
    }

    /// Whether somebody waits.
    pub(super) fn is_wanted(&self) -> bool {
        !self.state.lock().waiting.is_empty()
    }

    /// Done when somebody waits and `idle` says that the holder has done nothing for [`IDLE_HOLDER`].
    pub(super) async fn pressed(&self, clock: &dyn Clock, idle: impl Fn() -> Duration) {
        loop {
            clock.sleep(IDLE_HOLDER / 2).await;
            if idle() >= IDLE_HOLDER && self.is_wanted() {
                return;
            }
        }
    }

    fn fits(&self, used: usize, bytes: usize) -> bool {
        used == 0 || used.saturating_add(bytes) <= self.bytes
    }

    /// Lends to those who wait, in order, while there is something.
    fn lend(self: &Arc<Pool>, state: &mut State) {
        while let Some(first) = state.waiting.first_entry()
            && self.fits(state.used, first.get().bytes)
        {
            let Waiting { bytes, tell } = first.remove();
            let reserved = Reserved { pool: Some(Arc::clone(self)), bytes };
            state.used += bytes;
            if let Err(mut refused) = tell.send(reserved) {
                // Gone meanwhile. Given back here, since the lock is held.
                refused.pool = None;
                state.used -= bytes;
            }
        }
    }
}

impl Reserved {
    /// Holds so many bytes from now on, whether they are there or not.
    pub(super) fn resize(&mut self, bytes: usize) {
        let Some(pool) = &self.pool else { return };
        let mut state = pool.state.lock();
        state.used = state.used.saturating_sub(self.bytes).saturating_add(bytes);
        self.bytes = bytes;
        pool.lend(&mut state);
    }

    /// How much it is.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The pool it came from.
    pub(super) fn pool(&self) -> Option<&Pool> {
        self.pool.as_deref()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.resize(0);
    }
}

impl Drop for InQueue<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        state.waiting.remove(&self.key);
        // The next one may want less.
        self.pool.lend(&mut state);
    }
}

/// The memory of requests.
pub(super) struct Requests {
    small: Arc<Pool>,
    ordinary: Arc<Pool>,
    large: Arc<Pool>,
}

impl Requests {
    /// So many bytes in all, and one request beyond them if it is large enough.
    pub(super) fn new(bytes: usize) -> Requests {
        Requests {
            small: Pool::new(bytes / 4, Order::Arrival),
            ordinary: Pool::new(bytes / 4, Order::Arrival),
            large: Pool::new(bytes / 2, Order::Size),
        }
    }

    /// Waits until there is memory for a request of `len` bytes.
    pub(super) async fn reserve(&self, len: usize) -> Reserved {
        let pool = match len {
            _ if len <= SMALL_BYTES_MAX => &self.small,
            _ if len <= ORDINARY_BYTES_MAX => &self.ordinary,
            _ => &self.large,
        };
        pool.reserve(len).await
    }
}

/// The memory of answers whose length depends on what the broker has, while their readers take them.
pub(super) struct LongAnswers {
    pool: Arc<Pool>,
    /// How long the next one may become: so much is reserved before it is made. As long as the longest, less and less
    /// while shorter ones follow.
    expected: AtomicUsize,
}

impl LongAnswers {
    /// So many bytes, and one answer beyond them.
    pub(super) fn new(bytes: usize) -> LongAnswers {
        LongAnswers { pool: Pool::new(bytes, Order::Arrival), expected: AtomicUsize::new(0) }
    }

    /// Waits until there is memory for an answer, which is to be made at once.
    pub(super) async fn reserve(&self) -> Reserved {
        loop {
            let expected = self.expected.load(Relaxed);
            let reserved = self.pool.reserve(expected).await;
            // Those that were made meanwhile may have been longer.
            if self.expected.load(Relaxed) <= expected {
                return reserved;
            }
        }
    }

    /// The answer is made, and so long.
    pub(super) fn made(&self, reserved: &mut Reserved, len: usize) {
        reserved.resize(len);
        let _ = self.expected.fetch_update(Relaxed, Relaxed, |expected| {
            Some(len.max(expected - expected.saturating_sub(len).div_ceil(8)))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SimClock;
    use crate::types::TimestampMs;
    use futures_util::FutureExt as _;
    use std::pin::pin;

    fn at_once(pool: &Arc<Pool>, bytes: usize) -> Option<Reserved> {
        pool.reserve(bytes).now_or_never()
    }

    #[test]
    fn those_who_wait_get_theirs_in_order_and_nobody_passes_them() {
        let pool = Pool::new(100, Order::Arrival);
        let held = at_once(&pool, 60).unwrap();
        let mut first = pin!(pool.reserve(50));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(pool.is_wanted());
        assert!(at_once(&pool, 10).is_none(), "one passed another");
        drop(held);
        let first = first.now_or_never().unwrap();
        assert!(!pool.is_wanted());
        assert!(at_once(&pool, 51).is_none());
        drop(first);
        assert!(at_once(&pool, 100).is_some());
    }

    #[test]
    fn small_claims_pass_large_ones_where_size_decides() {
        let pool = Pool::new(100, Order::Size);
        let held = at_once(&pool, 90).unwrap();
        let mut claims: Vec<_> = (0..3).map(|_| Box::pin(pool.reserve(90))).collect();
        assert!(claims.iter_mut().all(|claim| claim.now_or_never().is_none()));
        assert!(at_once(&pool, 10).is_some());
        let mut honest = pin!(pool.reserve(20));
        assert!(honest.as_mut().now_or_never().is_none());
        drop(held);
        assert!(honest.now_or_never().is_some());
    }

    #[test]
    fn more_than_there_is_is_lent_alone() {
        let pool = Pool::new(100, Order::Arrival);
        let held = at_once(&pool, 1).unwrap();
        let mut large = pin!(pool.reserve(1000));
        assert!(large.as_mut().now_or_never().is_none());
        drop(held);
        let large = large.now_or_never().unwrap();
        assert!(at_once(&pool, 1).is_none());
        drop(large);
        assert!(at_once(&pool, 1).is_some());
    }

    #[test]
    fn one_who_goes_while_it_waits_leaves_nothing_behind() {
        let pool = Pool::new(100, Order::Arrival);
        let held = at_once(&pool, 60).unwrap();
        let mut gone = Box::pin(pool.reserve(100));
        let mut small = pin!(pool.reserve(40));
        assert!(gone.as_mut().now_or_never().is_none() && small.as_mut().now_or_never().is_none());
        drop(gone);
        let small = small.now_or_never().unwrap();
        // Lent to one that goes before it takes it.
        let mut gone = Box::pin(pool.reserve(100));
        assert!(gone.as_mut().now_or_never().is_none());
        drop((held, small));
        drop(gone);
        assert!(!pool.is_wanted());
        assert!(at_once(&pool, 100).is_some());
    }

    #[test]
    fn requests_of_one_kind_do_not_wait_for_those_of_another() {
        let requests = Requests::new(64 << 20);
        let all = [90 << 20, 2 << 20, 1 << 10].map(|len| requests.reserve(len).now_or_never());
        assert!(all.iter().all(Option::is_some));
        assert!(requests.reserve(90 << 20).now_or_never().is_none());
    }

    #[test]
    fn answers_are_expected_to_be_as_long_as_the_longest_was() {
        let answers = LongAnswers::new(100);
        let mut first = answers.reserve().now_or_never().unwrap();
        answers.made(&mut first, 40);
        let second = answers.reserve().now_or_never().unwrap();
        assert!(answers.reserve().now_or_never().is_none());
        drop(first);
        assert!(answers.reserve().now_or_never().is_some());
        drop(second);
        // One long answer is not held against all that follow.
        for _ in 0..100 {
            let mut short = answers.reserve().now_or_never().unwrap();
            answers.made(&mut short, 1);
        }
        let held: Vec<_> = (0..100).map(|_| answers.reserve().now_or_never()).collect();
        assert!(held.iter().all(Option::is_some));
    }

    #[test]
    fn one_who_waited_looks_again_how_long_answers_are() {
        let answers = LongAnswers::new(100);
        let mut first = answers.reserve().now_or_never().unwrap();
        answers.made(&mut first, 101);
        answers.expected.store(1, Relaxed);
        let mut waits = pin!(answers.reserve());
        assert!(waits.as_mut().now_or_never().is_none());
        // Another one that was being made meanwhile.
        let mut other = Reserved { pool: Some(Arc::clone(&answers.pool)), bytes: 0 };
        answers.made(&mut other, 60);
        drop(first);
        assert!(waits.as_mut().now_or_never().is_none());
        drop(other);
        assert!(waits.now_or_never().is_some());
    }

    #[tokio::test]
    async fn an_idle_holder_is_pressed_only_while_others_wait() {
        let clock = SimClock::new(TimestampMs(0));
        let pool = Pool::new(100, Order::Arrival);
        let held = at_once(&pool, 100).unwrap();
        let mut pressed = pin!(pool.pressed(&clock, || IDLE_HOLDER));
        assert!(pressed.as_mut().now_or_never().is_none());
        clock.advance(IDLE_HOLDER);
        assert!(pressed.as_mut().now_or_never().is_none());
        let mut waits = pin!(pool.reserve(1));
        assert!(waits.as_mut().now_or_never().is_none());
        clock.advance(IDLE_HOLDER);
        assert!(pressed.now_or_never().is_some());
        drop(held);
        assert!(waits.now_or_never().is_some());
    }
}
