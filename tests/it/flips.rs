//! Flipped bits: every bit of a segment and of its side files, one after another. What was written is served, or
//! refused; nothing else is. Only the batch that the bit belongs to is refused, and appends go on.
//!
//! By default a seeded sample of the segment is tried, with all bits of the first and the last header, and all bits of
//! all side files.
//! `LOGBOOM_FLIPS=all` tries every bit, `LOGBOOM_FLIPS=<n>` a sample of n.

use crate::log_kit::{id, name};
use bytes::Bytes;
use logboom::log::local::{Commit, LocalLog, LogDir, LogDirOptions};
use logboom::log::{LogSettings, PartitionLog, ReadError, ReadLimit};
use logboom::record::{BatchBuilder, BatchHeader, CheckedBatches, Codec};
use logboom::sys::{Fs, SeededRng, SimClock, SimFs};
use logboom::types::{Epoch, Offset, TimestampMs};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Size of the segment in which bits are flipped.
const SEGMENT: u64 = 1 << 20;
/// Bits of it tried by default.
const SAMPLE: u64 = 900;
/// Size of the segments where side files are tried: all of the log is read for each bit of them.
const SMALL: u64 = 64 << 10;

struct Rig {
    fs: SimFs,
    /// All batches in order.
    all: Vec<Bytes>,
    segment_bytes: u64,
    /// The segments, and the number of the first batch of each.
    segments: Vec<(PathBuf, usize)>,
}

fn open(fs: &SimFs, segment_bytes: u64) -> Option<(Arc<LogDir>, Arc<LocalLog>)> {
    let options = LogDirOptions {
        commit: Commit::Manual,
        mark_interval: Duration::ZERO,
        scrub_interval: Duration::ZERO,
        ..LogDirOptions::default()
    };
    let clock = Arc::new(SimClock::new(TimestampMs(1)));
    let dir =
        LogDir::open(Arc::new(fs.clone()), clock, Arc::new(SeededRng::new(7)), Path::new("/data"), options);
    let dir = dir.ok()?;
    let settings = LogSettings { segment_bytes, ..LogSettings::default() };
    let log = dir.open_partition(&name(0), id(), settings).expect("the partition opens").0;
    Some((dir, log))
}

/// A batch of one codec, of a few hundred bytes to some 20 KiB.
fn batch(nth: u64) -> CheckedBatches {
    let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let rng = SeededRng::new(nth);
    let mut builder = BatchBuilder::new().codec(codecs[nth as usize % codecs.len()], 1);
    for record in 0..1 + rng.below(4) {
        let noise: Vec<u8> = (0..200 + rng.below(5000)).map(|_| rng.below(256) as u8).collect();
        builder.push(TimestampMs((1000 + nth * 10 + record) as i64), Some(b"key"), Some(&noise), &[]);
    }
    CheckedBatches::trusted(builder.build()).unwrap()
}

/// A log of three segments, the middle one as large as they get, closed in good order.
fn rig(seals: bool, segment_bytes: u64) -> Rig {
    let fs = SimFs::default();
    let (dir, log) = open(&fs, segment_bytes).unwrap();
    let mut nth = 0;
    while log.size_bytes() < 2 * segment_bytes + segment_bytes / 8 {
        log.append(batch(nth), Epoch((nth / 100) as i32)).unwrap();
        nth += 1;
        dir.commit_round();
    }
    log.put_snapshot(Offset(20), b"what the partition makes sure of").unwrap();
    let mut all = Vec::new();
    log.replay(Offset(0), &mut |_, bytes| {
        all.push(bytes);
        ControlFlow::Continue(())
    })
    .unwrap();
    log.close().unwrap();
    dir.close().unwrap();
    if !seals {
        files(&fs, "seal").into_iter().for_each(|path| fs.remove(&path).unwrap());
    }
    let segments = files(&fs, "log").into_iter().map(|path| {
        let base: i64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let first = all.iter().position(|bytes| header(bytes).base_offset.0 == base).unwrap();
        (path, first)
    });
    let segments: Vec<_> = segments.collect();
    assert_eq!(segments.len(), 3);
    Rig { fs, all, segments, segment_bytes }
}

fn header(bytes: &[u8]) -> BatchHeader {
    BatchHeader::parse(bytes).unwrap()
}

fn files(fs: &SimFs, suffix: &str) -> Vec<PathBuf> {
    let all = fs.files().into_iter().map(|(path, _)| path);
    all.filter(|path| path.extension().is_some_and(|found| found == suffix)).collect()
}

impl Rig {
    /// The batch whose bytes hold byte `at` of a segment.
    fn batch_at(&self, segment: usize, at: u64) -> usize {
        let mut left = at;
        for nth in self.segments[segment].1.. {
            match left.checked_sub(self.all[nth].len() as u64) {
                Some(behind) => left = behind,
                None => return nth,
            }
        }
        unreachable!()
    }

    /// Opens the log with one bit flipped and reads all of it; the batches that were refused.
    fn try_bit(&self, path: &Path, bit: u64) -> Option<Vec<usize>> {
        let fs = self.fs.kill();
        fs.corrupt(path, bit / 8, 1 << (bit % 8)).unwrap();
        let place = format!("bit {bit} of {}", path.display());
        let (dir, log) = open(&fs, self.segment_bytes)?;
        let refused = self.read_all(&log, &place);
        for nth in &refused {
            let header = header(&self.all[*nth]);
            for offset in [header.base_offset, header.last_offset()] {
                let read = log.plan_read(offset, limit(1));
                assert!(matches!(read, Err(ReadError::Damaged { .. })), "{place}: {offset} is served");
            }
        }
        assert_eq!(log.damage().is_empty(), refused.is_empty(), "{place}: {:?}", log.damage());
        let end = header(self.all.last().unwrap()).next_offset();
        assert_eq!(log.append(batch(1), Epoch(90)).expect("appends go on").first, end, "{place}");
        dir.commit_round();
        let read = log.plan_read(end, limit(1 << 20)).unwrap().read().unwrap();
        assert_eq!(header(&read).base_offset, end, "{place}");
        log.close().unwrap();
        dir.close().unwrap();
        Some(refused)
    }

    /// Reads from start to end, over what is refused: every byte served is the one that was written.
    fn read_all(&self, log: &LocalLog, place: &str) -> Vec<usize> {
        assert_eq!(log.marks().start, Offset(0), "{place}");
        let mut refused = Vec::new();
        let mut nth = 0;
        while nth < self.all.len() {
            let from = header(&self.all[nth]).base_offset;
            match log.plan_read(from, limit(300_000)) {
                Ok(plan) => {
                    let bytes = plan.read().unwrap();
                    let mut rest = &bytes[..];
                    while nth < self.all.len() && rest.starts_with(&self.all[nth]) {
                        rest = &rest[self.all[nth].len()..];
                        nth += 1;
                    }
                    let cut = self.all.get(nth).is_some_and(|batch| batch.starts_with(rest));
                    assert!(bytes.len() > rest.len() && (rest.is_empty() || cut), "{place}: batch {nth}");
                }
                Err(ReadError::Damaged { at, until, .. }) => {
                    assert!(at <= from && from < until, "{place}: {at}..{until} at {from}");
                    while nth < self.all.len() && header(&self.all[nth]).base_offset < until {
                        refused.push(nth);
                        nth += 1;
                    }
                }
                Err(error) => panic!("{place}: {error}"),
            }
        }
        refused
    }

    fn check_segment(&self, segment: usize, bits: impl Iterator<Item = u64>) {
        let path = &self.segments[segment].0;
        for bit in bits {
            let refused = self.try_bit(path, bit).expect("the directory opens");
            assert_eq!(refused, [self.batch_at(segment, bit / 8)], "bit {bit} of {}", path.display());
        }
    }

    /// All bits of the headers of some batches of a segment.
    fn header_bits(&self, segment: usize, batches: usize) -> Vec<u64> {
        let mut at = 0;
        let mut bits = Vec::new();
        let upto = self.segments.get(segment + 1).map_or(self.all.len(), |next| next.1);
        let own = &self.all[self.segments[segment].1..upto];
        for (nth, bytes) in own.iter().enumerate() {
            if nth < batches - 1 || nth == own.len() - 1 {
                bits.extend(at * 8..(at + BatchHeader::SIZE as u64) * 8);
            }
            at += bytes.len() as u64;
        }
        bits
    }
}

fn limit(bytes: usize) -> ReadLimit {
    ReadLimit { bytes, at_least_one: true, below: Offset(i64::MAX) }
}

/// The bits to try of a file: all, or a sample.
fn bits_of(size: u64, sample: u64, seed: u64) -> Box<dyn Iterator<Item = u64>> {
    let wish = std::env::var("LOGBOOM_FLIPS").unwrap_or_default();
    let rng = SeededRng::new(seed);
    let tried = wish.parse().unwrap_or(sample);
    if wish == "all" { Box::new(0..size * 8) } else { Box::new((0..tried).map(move |_| rng.below(size * 8))) }
}

fn size(fs: &SimFs, path: &Path) -> u64 {
    fs.files().into_iter().find(|(found, _)| found == path).unwrap().1
}

#[test]
fn a_flipped_bit_of_a_sealed_segment_costs_its_batch_and_no_other() {
    let rig = rig(true, SEGMENT);
    rig.check_segment(1, rig.header_bits(1, 2).into_iter());
    rig.check_segment(1, bits_of(size(&rig.fs, &rig.segments[1].0), SAMPLE, 1));
}

#[test]
fn a_flipped_bit_of_a_segment_without_a_seal_costs_its_batch_and_no_other() {
    let rig = rig(false, SEGMENT);
    rig.check_segment(1, rig.header_bits(1, 2).into_iter());
    rig.check_segment(1, bits_of(size(&rig.fs, &rig.segments[1].0), SAMPLE / 5, 2));
}

#[test]
fn a_flipped_bit_of_the_active_segment_costs_its_batch_and_no_other() {
    let rig = rig(true, SEGMENT);
    rig.check_segment(2, rig.header_bits(2, 2).into_iter());
    rig.check_segment(2, bits_of(size(&rig.fs, &rig.segments[2].0), SAMPLE / 5, 3));
}

#[test]
fn a_flipped_bit_of_a_side_file_costs_nothing() {
    let rig = rig(true, SMALL);
    let segments: Vec<_> = rig.segments.iter().map(|(path, _)| path.clone()).collect();
    for (path, size) in rig.fs.files() {
        if segments.contains(&path) || size == 0 {
            continue;
        }
        // Its ids are nobody's to guess: the start may refuse.
        let may_refuse = path.ends_with("meta.properties");
        for bit in 0..size * 8 {
            match rig.try_bit(&path, bit) {
                Some(refused) => assert_eq!(refused, [0usize; 0], "bit {bit} of {}", path.display()),
                None => assert!(may_refuse, "bit {bit} of {}", path.display()),
            }
        }
    }
}
