//! Seals: the format, and what makes one.

use super::*;
use crate::log::contract::batch;
use crate::sys::SimFs;
use std::io::IoSlice;
use std::ops::ControlFlow;
use std::path::Path;

/// Batches at 10, 13, 14, 16, the last two of epoch 4, and where each starts.
fn segment() -> (Vec<u8>, Vec<u64>) {
    let (mut all, mut starts, mut next) = (Vec::new(), Vec::new(), Offset(10));
    for (times, epoch) in [(vec![5, 9, 7], 2), (vec![9], 2), (vec![1, 2], 4), (vec![8; 700], 4)] {
        let mut batches = batch(&times);
        next = batches.assign(next, Epoch(epoch));
        starts.push(all.len() as u64);
        all.extend_from_slice(batches.bytes());
    }
    (all, starts)
}

fn body(bytes: &[u8], end: Offset) -> Result<Body, BuildError> {
    let fs = SimFs::default();
    let file = fs.open(Path::new("/log"), OpenHow::Create).unwrap();
    file.write_all_at(&[IoSlice::new(bytes)], 0).unwrap();
    build_body(
        &*file,
        BuildOptions {
            base: Offset(10),
            end,
            size: bytes.len() as u64,
            note: &mut |_, _| {},
            pace: &mut |_| ControlFlow::Continue(()),
        },
    )
}

fn seal() -> Seal {
    let (bytes, _) = segment();
    body(&bytes, Offset(720)).unwrap().sealed(
        Offset(10),
        Offset(720),
        Side::of(b"index"),
        Side::of(b"time index"),
    )
}

#[test]
fn a_seal_says_what_the_batches_say() {
    let (bytes, _) = segment();
    assert!(bytes.len() as u64 > BLOCK, "more than a block");
    let body = seal().body;
    assert_eq!(
        (body.size, body.max_time, body.max_time_offset),
        (bytes.len() as u64, TimestampMs(9), Offset(12))
    );
    assert_eq!(body.epochs, [(Epoch(2), Offset(10)), (Epoch(4), Offset(14))]);
    for (nth, block) in bytes.chunks(BLOCK as usize).enumerate() {
        assert!(seal().holds(nth as u64, block));
        let mut wrong = block.to_vec();
        wrong[0] ^= 1;
        assert!(!seal().holds(nth as u64, &wrong));
        assert!(!seal().holds(nth as u64, &block[1..]));
    }
    assert!(!seal().holds(99, &[]));
}

#[test]
fn a_seal_reads_back_and_every_flipped_bit_and_every_cut_is_found() {
    let good = seal().encode();
    assert_eq!(Seal::decode(&good), Some(seal()));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Seal::decode(&bad), None, "bit {bit}");
    }
    for end in 0..good.len() {
        assert_eq!(Seal::decode(&good[..end]), None, "cut at {end}");
    }
}

#[test]
fn numbers_that_contradict_each_other_are_no_seal() {
    let good = seal().encode();
    for (at, byte) in [(8, 0x80), (16, 0x80), (24, 1), (72, 0xff), (75, 3), (76, 0xff), (79, 9), (5, 2)] {
        let mut bad = good[..good.len() - 4].to_vec();
        bad[at] = byte;
        let crc = crc32fast::hash(&bad);
        bad.extend_from_slice(&crc.to_be_bytes());
        assert_eq!(Seal::decode(&bad), None, "byte {at}");
    }
}

#[test]
fn a_seal_of_another_segment_is_not_taken() {
    let (fs, dir) = (SimFs::default(), Path::new("/"));
    assert_eq!(load(&fs, dir, Offset(10)), Stored::Missing);
    seal().store(&fs, dir).unwrap();
    assert_eq!(load(&fs, dir, Offset(10)), Stored::Sound(seal()));
    assert_eq!(load_from(&fs, &seal_path(dir, Offset(10)), Offset(11)), Stored::Bad);
    fs.plant(&seal_path(dir, Offset(10)), &[0; 90]).unwrap();
    assert_eq!(load(&fs, dir, Offset(10)), Stored::Bad);
}

/// Flips in magic, size, CRC and CRC-protected bytes; in offsets where they break the order, and in an epoch that
/// would go down. What is left is what only a seal can tell.
#[test]
fn nothing_is_sealed_that_is_not_sound() {
    let (bytes, starts) = segment();
    for start in &starts {
        let start = *start as usize;
        for at in (8..12).chain(16..75) {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[start + at] ^= 1 << bit;
                assert!(matches!(body(&bad, Offset(720)), Err(BuildError::Bad(_))), "{start} {at} {bit}");
            }
        }
        for at in 0..6 {
            let mut bad = bytes.clone();
            bad[start + at] ^= 1;
            assert!(matches!(body(&bad, Offset(720)), Err(BuildError::Bad(_))), "{start} {at}");
        }
    }
    assert!(body(&bytes, Offset(716)).is_ok());
    assert!(body(&bytes, Offset(715)).is_err(), "an offset above the end");
    for end in 1..bytes.len() {
        let boundary = starts.contains(&(end as u64));
        assert_eq!(body(&bytes[..end], Offset(720)).is_ok(), boundary, "cut at {end}");
    }
}
