//! The files of a partition: a log directory with a few segments, in which the input changes files before it is
//! opened. Whatever is found there, opening ends with a log that keeps its own word, or with an error.
//!
//! Input: a byte that chooses how the directory was left, then edits: file, kind of edit, position (2 bytes), number
//! of bytes, the bytes. An edit may seal what it changed, since no mutation passes a checksum by chance.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use logboom::log::local::{Commit, LocalLog, LogDir, LogDirOptions};
use logboom::log::{LogSettings, PartitionLog, ReadLimit};
use logboom::record::{BatchBuilder, CheckedBatches, Codec, peek_size};
use logboom::sys::{Fs, SeededRng, SimClock, SimFs};
use logboom::types::{Epoch, ProducerId, TimestampMs, TopicPartition, Uuid};
use logboom_fuzz::Bound;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const DATA: &str = "/data";
const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
const TOPIC: Uuid = Uuid([7; 16]);
/// More edits than this say nothing new.
const EDITS_MAX: usize = 8;

/// Opening reads a batch at a time, the indexes of the last segment, and side files whole.
const OPENING: Bound = Bound { times: 16, plus: 4 << 20 };

struct Opened {
    dir: Arc<LogDir>,
    log: Arc<LocalLog>,
}

fn settings() -> LogSettings {
    LogSettings {
        segment_bytes: 1500,
        index_interval_bytes: 150,
        index_bytes_max: 800,
        ..LogSettings::default()
    }
}

fn open(fs: &SimFs) -> Result<Opened, String> {
    let options = LogDirOptions {
        commit: Commit::Manual,
        open_files_max: 16,
        mark_interval: Duration::from_secs(5),
        mark_bytes: 1200,
        reserve_bytes: 0,
        ..LogDirOptions::default()
    };
    let clock = Arc::new(SimClock::new(NOW));
    let rng = Arc::new(SeededRng::new(1));
    let dir = LogDir::open(Arc::new(fs.clone()), clock, rng, Path::new(DATA), options);
    let dir = dir.map_err(|error| error.to_string())?;
    let name = TopicPartition::new("t", 0);
    let (log, _) = dir.open_partition(&name, TOPIC, settings()).map_err(|error| error.to_string())?;
    Ok(Opened { dir, log })
}

fn batch(turn: u32) -> CheckedBatches {
    let codec = Codec::ALL[turn as usize % Codec::ALL.len()];
    let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
    if turn.is_multiple_of(3) {
        builder = builder.producer(ProducerId(40), 1, turn as i32);
    }
    for at in 0..=turn % 3 {
        let time = TimestampMs(NOW.0 + i64::from(turn * 10 + at));
        builder.push(time, Some(&turn.to_be_bytes()), Some(&[turn as u8; 40]), &[]);
    }
    CheckedBatches::trusted(builder.build()).expect("it was just built")
}

/// A directory of several segments: closed in good order, or with a tail that the marks do not know.
fn made(clean: bool) -> SimFs {
    let fs = SimFs::new(0);
    let Opened { dir, log } = open(&fs).expect("a new directory can be opened");
    for turn in 0..30 {
        let epoch = Epoch(turn as i32 / 8);
        log.append(batch(turn), epoch).expect("there is room");
        if turn % 4 == 1 {
            dir.commit_round();
        }
        if turn % 10 == 9 {
            log.put_snapshot(log.marks().end, &[turn as u8; 30]).expect("there is room");
        }
    }
    dir.commit_round();
    if clean {
        log.close().expect("nothing fails");
        drop(log);
        dir.close().expect("nothing fails");
    }
    fs.settle();
    fs.kill()
}

struct Prepared {
    fs: SimFs,
    files: Vec<(PathBuf, u64)>,
    content: Bytes,
}

fn prepared(clean: bool) -> &'static Prepared {
    static BOTH: [OnceLock<Prepared>; 2] = [OnceLock::new(), OnceLock::new()];
    BOTH[usize::from(clean)].get_or_init(|| {
        let fs = made(clean);
        let opened = open(&fs.kill()).expect("an untouched directory can be opened");
        let content = whole(&opened.log).expect("an untouched log can be read");
        Prepared { files: fs.files(), fs, content }
    })
}

/// All batches of a log; none if some cannot be read.
fn whole(log: &LocalLog) -> Option<Bytes> {
    let marks = log.marks();
    let (mut all, mut expected) = (BytesMut::new(), marks.start);
    let read = log.replay(marks.start, &mut |header, batch| {
        assert!(header.base_offset >= expected || all.is_empty(), "offsets go back");
        assert_eq!(header.size, batch.len());
        expected = header.next_offset();
        all.extend_from_slice(&batch);
        ControlFlow::Continue(())
    });
    assert!(read.is_err() || expected <= marks.end, "more was read than is there");
    read.is_ok().then(|| all.freeze())
}

/// Applies one edit; returns what is left of the input and whether a promise about records still holds.
fn edit<'a>(fs: &SimFs, files: &[(PathBuf, u64)], input: &'a [u8]) -> Option<(&'a [u8], bool)> {
    let [file, kind, high, low, count, rest @ ..] = input else { return None };
    let (bytes, rest) = rest.split_at(rest.len().min(usize::from(*count)));
    let (path, _) = &files[usize::from(*file) % files.len()];
    let mut content = fs.read_raw(path).unwrap_or_default();
    let at = usize::from(u16::from_be_bytes([*high, *low])) % (content.len() + 1);
    match kind % 8 {
        0 => {
            fs.remove(path).ok();
            fs.settle();
        }
        1 => content.truncate(at),
        2 => content = bytes.to_vec(),
        3 => content.extend_from_slice(bytes),
        4 => content.resize(content.len() + at, 0),
        _ => content[at..].iter_mut().zip(bytes).for_each(|(held, byte)| *held ^= byte),
    }
    if kind % 8 != 0 {
        if kind & 0x80 != 0 {
            seal(path, &mut content);
        }
        fs.plant(path, &content).expect("there is room");
    }
    Some((
        rest,
        ["index", "timeindex", "snapshot"].iter().any(|side| path.extension().is_some_and(|it| it == *side)),
    ))
}

/// Makes checksums right: of every whole batch of a `.log` file, at the end of the others.
fn seal(path: &Path, content: &mut [u8]) {
    if path.extension().is_none_or(|extension| extension != "log") {
        if let Some(end) = content.len().checked_sub(4) {
            let crc = crc32fast::hash(&content[..end]).to_be_bytes();
            content[end..].copy_from_slice(&crc);
        }
        return;
    }
    let mut rest = content;
    while let Some(Ok((_, size))) = rest.first_chunk().map(peek_size) {
        let Some((batch, after)) = rest.split_at_mut_checked(size) else { return };
        let crc = crc32c::crc32c(&batch[21..]).to_be_bytes();
        batch[17..21].copy_from_slice(&crc);
        rest = after;
    }
}

fn ask(log: &LocalLog) {
    let marks = log.marks();
    assert!(marks.start <= marks.high_watermark && marks.high_watermark <= marks.end);
    assert!(marks.durable <= marks.end);
    let limit = ReadLimit { bytes: 4000, at_least_one: true, below: marks.end };
    for at in [marks.start, marks.start.plus(7), marks.durable, marks.end] {
        if let Ok(plan) = log.plan_read(at, limit) {
            let _ = plan.read();
        }
        let _ = log.epoch_at(at);
    }
    let _ = log.find_time(TimestampMs(NOW.0 + 123));
    let _ = log.find_max_time();
    let _ = log.epoch_end(Epoch(1));
    assert!(log.snapshots().iter().all(|(at, _)| *at <= marks.end), "a snapshot above the end");
}

fuzz_target!(|data: &[u8]| {
    let [choice, edits @ ..] = data else { return };
    let prepared = prepared(choice & 1 == 0);
    let fs = prepared.fs.kill();
    let mut rest = edits;
    let mut harmless = true;
    for _ in 0..EDITS_MAX {
        let Some((left, on_the_side)) = edit(&fs, &prepared.files, rest) else { break };
        rest = left;
        harmless &= on_the_side;
    }
    let bytes: u64 = fs.files().iter().map(|(_, len)| len).sum();
    let opened = OPENING.hold("opening", bytes as usize, || open(&fs));
    let Opened { dir, log } = match opened {
        Ok(opened) => opened,
        Err(error) => {
            assert!(!harmless, "files that can be built anew keep a log from opening: {error}");
            return;
        }
    };
    ask(&log);
    let content = whole(&log);
    assert!(
        !harmless || content.as_ref() == Some(&prepared.content),
        "records changed with files beside them"
    );

    let marks = log.marks();
    // Epochs never fall, and no checksum keeps an edit from raising one: who appends has taken a later one.
    let epoch = log.epoch_at(marks.end).max(Epoch(100));
    if log.append(batch(95), epoch).is_err() {
        return;
    }
    dir.commit_round();
    assert_eq!(log.marks().durable, log.marks().end, "nothing fails here");
    assert!(log.marks().end > marks.end);
    ask(&log);
    let (marks, content) = (log.marks(), whole(&log));
    log.close().expect("nothing fails here");
    drop(log);
    dir.close().expect("nothing fails here");
    drop(dir);
    let again = open(&fs.kill()).expect("what was opened and closed can be opened again");
    assert_eq!((again.log.marks().start, again.log.marks().end), (marks.start, marks.end));
    assert_eq!(whole(&again.log), content, "a restart changed records");
});
