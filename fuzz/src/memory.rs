//! Counts what is allocated, so that a target can hold a decoder to a multiple of its input: a length field that is
//! believed before its bytes are there shows here and nowhere else. Allocations of C libraries are not counted; the
//! limit on resident memory in `fuzz/run` is for those.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

/// The system's allocator with two counters. Targets run on one thread, so the counters need no order.
struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

fn grew(by: isize) {
    let held = HELD.fetch_add(by, Ordering::Relaxed) + by;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call is passed on to the system's allocator unchanged; the counters touch no memory of its.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        grew(-(layout.size() as isize));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grew(size as isize - layout.size() as isize);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What `work` returns, and the most bytes that were held during it above those held before it.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    let peak = PEAK.load(Ordering::Relaxed) - before;
    (result, usize::try_from(peak).unwrap_or(0))
}

/// A decoder may hold `times` its input and `plus` bytes.
pub struct Bound {
    /// Bytes for each byte of input.
    pub times: usize,
    /// Bytes whatever the input.
    pub plus: usize,
}

impl Bound {
    /// What `work` returns; panics if it held more than the bound for an input of `len` bytes.
    pub fn hold<T>(&self, what: &str, len: usize, work: impl FnOnce() -> T) -> T {
        let (result, peak) = peak_of(work);
        let most = self.times * len + self.plus;
        assert!(peak <= most, "{what}: held {peak} bytes for an input of {len}, and may hold {most}");
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_is_seen_while_it_lasts() {
        let bytes = std::hint::black_box(1000);
        let (held, peak) = peak_of(|| vec![1_u8; bytes]);
        assert!(peak >= 1000 && held.len() == 1000);
        let (_, peak) = peak_of(|| drop(std::hint::black_box(held)));
        assert_eq!(peak, 0);
    }

    #[test]
    #[should_panic(expected = "may hold 50")]
    fn more_than_the_bound_is_refused() {
        Bound { times: 1, plus: 40 }.hold("a test", 10, || vec![1_u8; std::hint::black_box(51)]);
    }
}
