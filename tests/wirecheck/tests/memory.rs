//! What a frame can make the decoder allocate, counted: a small multiple of its length, whatever it claims.
//! A binary of its own, since it replaces the allocator.

use bytes::Bytes;
use flate2::read::GzDecoder;
use logboom::wire::Reader;
use logboom_wirecheck::golden_line::{Line, parse};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes a decoded message may take per byte of its frame. The worst found is 31: an array in a
/// DescribeConfigs request whose elements are four bytes on the wire and two strings and an array in memory.
const FACTOR_MAX: usize = 64;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Most bytes live at once while `bytes` are decoded, beyond those before.
fn peak(line: &Line, bytes: Bytes) -> usize {
    let kind = line.kind().unwrap();
    let mut r = Reader::new(bytes);
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    drop((kind.decode)(&mut r, line.version));
    PEAK.load(Relaxed) - before
}

#[test]
fn a_frame_takes_a_small_multiple_of_its_length_in_memory() {
    const PADDING: usize = 8192;
    let mut text = String::new();
    GzDecoder::new(include_bytes!("../golden-4.4.0.jsonl.gz").as_slice()).read_to_string(&mut text).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| parse(line).unwrap()).collect();
    let mut worst = (0.0, String::new());
    for line in lines.iter().filter(|line| line.bytes.len() < 150).step_by(3) {
        for at in 0..line.bytes.len() {
            // Claims of every size, plain and compact, over bytes that read as empty elements of some kind.
            for count in [500u32, 1000, 2000, 4000, 8000] {
                let compact = [(count & 0x7f) as u8 | 0x80, (count >> 7) as u8];
                for claim in [count.to_be_bytes().as_slice(), &compact] {
                    for padding in [[0u8, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]] {
                        let filler = padding.repeat(PADDING / 4);
                        let bytes = [&line.bytes[..at], claim, &filler].concat();
                        let factor = peak(line, Bytes::from(bytes.clone())) as f64 / bytes.len() as f64;
                        if factor > worst.0 {
                            worst = (
                                factor,
                                format!("{} v{} at {at}, count {count}", line.message, line.version),
                            );
                        }
                    }
                }
            }
        }
    }
    println!("worst: {worst:?}");
    assert!(worst.0 < FACTOR_MAX as f64, "{worst:?}");
}
