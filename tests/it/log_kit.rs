//! What the tests of the local log share: a log directory on a simulated disk, batches whose bytes are known before
//! they are stored, and the account of what was promised.

use bytes::Bytes;
use logboom::log::local::{Commit, LocalLog, LogDir, LogDirOptions, Recovery};
use logboom::log::{LogSettings, LogState, PartitionLog, ReadLimit, Ticket};
use logboom::record::{BatchBuilder, BatchHeader, CheckedBatches};
use logboom::sys::{SeededRng, SimClock, SimFs};
use logboom::types::{Epoch, Offset, TimestampMs, TopicPartition, Uuid};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Opens the log directory; the marks are written in every round.
pub fn open_dir(fs: &SimFs) -> Option<Arc<LogDir>> {
    let options = LogDirOptions {
        commit: Commit::Manual,
        open_files_max: 8,
        mark_interval: Duration::ZERO,
        mark_bytes: 1 << 20,
        reserve_bytes: 0,
        ..LogDirOptions::default()
    };
    let clock = Arc::new(SimClock::new(TimestampMs(1)));
    LogDir::open(Arc::new(fs.clone()), clock, Arc::new(SeededRng::new(7)), Path::new("/data"), options).ok()
}

/// Segments of a few batches and an index entry for every second one.
pub fn small() -> LogSettings {
    LogSettings { segment_bytes: 600, index_interval_bytes: 100, ..LogSettings::default() }
}

pub fn name(partition: i32) -> TopicPartition {
    TopicPartition::new("topic", partition)
}

/// The topic whose log the account is about.
pub fn id() -> Uuid {
    Uuid::from_random(9)
}

pub fn open_log(dir: &Arc<LogDir>, settings: LogSettings) -> Option<(Arc<LocalLog>, Recovery)> {
    dir.open_partition(&name(0), id(), settings).ok()
}

/// Batch number `nth` as it will be stored at `base`; `nth` decides its size and content.
pub fn batch_at(nth: i64, base: Offset, epoch: Epoch) -> Bytes {
    let mut builder = BatchBuilder::new().base_offset(base).leader_epoch(epoch);
    for record in 0..=nth % 3 {
        let value = vec![b'a' + (nth % 26) as u8; 20 + (nth * 13 % 50) as usize];
        builder.push(TimestampMs(1000 + nth * 10 + record), None, Some(&value), &[]);
    }
    builder.build().freeze()
}

/// The batches from the start of the log on.
pub fn contents(log: &dyn PartitionLog) -> Vec<Bytes> {
    let mut batches = Vec::new();
    log.replay(log.marks().start, &mut |_, bytes| {
        batches.push(bytes);
        ControlFlow::Continue(())
    })
    .unwrap();
    batches
}

/// What a run wrote, and what it was promised.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// What the log may hold: every batch in order from offset 0, one history for each life.
    pub histories: Vec<Vec<Bytes>>,
    /// Records below it were acknowledged.
    pub acked: Offset,
    /// The log start offset that was confirmed, and the one last asked for.
    pub start: (Offset, Offset),
    next: i64,
}

impl Account {
    pub fn new() -> Account {
        Account { histories: vec![Vec::new()], ..Account::default() }
    }

    /// Appends the next batch and notes it; the claim on its durability.
    pub fn append(&mut self, log: &dyn PartitionLog, epoch: Epoch) -> Option<Ticket> {
        let bytes = batch_at(self.next, log.marks().end, epoch);
        let appended = log.append(CheckedBatches::trusted(bytes[..].into()).unwrap(), epoch);
        // A log that stays online has nothing of what it refused; one that goes offline may have it.
        if appended.is_ok() || log.marks().state == LogState::Failed {
            self.next += 1;
            self.histories.last_mut().unwrap().push(bytes);
        }
        Some(appended.ok()?.ticket)
    }

    /// Notes what is acknowledged by now.
    pub fn note(&mut self, log: &dyn PartitionLog) {
        self.acked = self.acked.max(log.marks().durable);
    }

    /// A reopened log goes on from its durable end: another history.
    pub fn note_reopened(&mut self, end: Offset) {
        let kept = self.histories.last().unwrap().iter().take_while(|bytes| header(bytes).base_offset < end);
        let kept = kept.cloned().collect();
        self.histories.push(kept);
    }

    /// Moves the log start and notes it.
    pub fn cut_front(&mut self, log: &dyn PartitionLog, start: Offset) -> Option<()> {
        self.start.1 = start;
        self.start.0 = log.cut_front(start).ok()?;
        Some(())
    }

    /// Checks a log found after a crash against the account.
    pub fn check(&self, log: &dyn PartitionLog, at: &dyn std::fmt::Debug) {
        let marks = log.marks();
        assert!(
            marks.end >= self.acked,
            "{at:?}: {} acknowledged, the log ends at {}",
            self.acked,
            marks.end
        );
        assert!((self.start.0..=self.start.1).contains(&marks.start), "{at:?}: starts at {}", marks.start);
        assert_eq!((marks.durable, marks.high_watermark), (marks.end, marks.end), "{at:?}");
        let found = contents(log);
        let fits = |history: &Vec<Bytes>| {
            let behind = history.iter().skip_while(|bytes| header(bytes).last_offset() < marks.start);
            let mut behind = behind.cloned();
            found.iter().all(|bytes| behind.next().as_ref() == Some(bytes))
        };
        assert!(self.histories.iter().any(fits), "{at:?}: the batches are not those that were appended");
        let end = found.last().map_or(marks.start.max(marks.end), |last| header(last).next_offset());
        assert_eq!(marks.end, end, "{at:?}");
        check_reads(log, &found, at);
    }
}

/// Reads at every offset, and by time: the indexes tell the truth.
fn check_reads(log: &dyn PartitionLog, found: &[Bytes], at: &dyn std::fmt::Debug) {
    let (all, mut at_byte) = (found.concat(), 0);
    let limit = ReadLimit { bytes: 300, at_least_one: true, below: Offset(i64::MAX) };
    let marks = log.marks();
    for bytes in found {
        let held = header(bytes);
        for from in held.base_offset.max(marks.start).0..=held.last_offset().0 {
            let read = log.plan_read(Offset(from), limit).unwrap().read().unwrap();
            assert!(all[at_byte..].starts_with(&read) && read.len() >= bytes.len(), "{at:?}: read at {from}");
        }
        at_byte += bytes.len();
    }
    for bytes in found.iter().filter(|bytes| header(bytes).base_offset >= marks.start) {
        let first = header(bytes);
        let by_time = log.find_time(first.base_timestamp).unwrap().map(|found| found.offset);
        assert_eq!(by_time, Some(first.base_offset), "{at:?}: by time {}", first.base_timestamp);
    }
}

pub fn header(bytes: &[u8]) -> BatchHeader {
    BatchHeader::parse(bytes).unwrap()
}

/// Opens what a crash left, checks it, and that it takes records and keeps them over another crash.
pub fn check_after_crash(fs: &SimFs, account: &Account, at: &dyn std::fmt::Debug) {
    let dir = open_dir(fs).unwrap_or_else(|| panic!("{at:?}: the directory does not open"));
    let (log, _) =
        dir.open_partition(&name(0), id(), small()).unwrap_or_else(|error| panic!("{at:?}: {error}"));
    account.check(&*log, at);
    let mut after = account.clone();
    after.histories = vec![contents(&*log)];
    after.start = (log.marks().start, log.marks().start);
    let ticket = after.append(&*log, Epoch(90)).unwrap_or_else(|| panic!("{at:?}: it takes no records"));
    dir.commit_round();
    assert!(ticket.is_done(), "{at:?}: it makes nothing durable");
    after.note(&*log);
    drop((log, dir));
    let fs = fs.crash(5);
    let dir = open_dir(&fs).unwrap();
    let (log, _) =
        dir.open_partition(&name(0), id(), small()).unwrap_or_else(|error| panic!("{at:?}: {error}"));
    after.check(&*log, &(at, "second crash"));
}
