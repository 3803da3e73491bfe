//! Random logs, cleaned again and again while they grow and time passes, against a model that knows everything that was
//! ever appended.

use super::*;
use crate::record::{BatchBuilder, Codec, ControlType, EndTxnMarker, stamp};
use crate::types::Epoch;

/// How a record stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Plain,
    /// In the transaction of this number.
    InTxn(usize),
}

/// A record as it was appended.
struct Appended {
    record: Record,
    standing: Standing,
    /// Base and last offset of its batch.
    batch: (i64, i64),
}

struct Txn {
    producer: i64,
    /// Offset of the marker and whether it commits.
    marker: Option<(i64, bool)>,
}

/// What one seed does.
struct World {
    rng: SeededRng,
    ground: Ground,
    now: i64,
    next: i64,
    epoch: i32,
    /// Every record ever, by offset.
    all: BTreeMap<i64, Appended>,
    txns: Vec<Txn>,
    open: BTreeMap<i64, usize>,
    sequences: BTreeMap<i64, i32>,
    last_batch: BTreeMap<i64, BatchHeader>,
    first_dirty: Offset,
    /// When a tombstone was first below the end of a cleaning that kept it.
    aging: BTreeMap<i64, i64>,
    /// When a marker was first kept by a cleaning that found no data of its transaction.
    markers_aging: BTreeMap<i64, i64>,
    retention: i64,
}

const KEYS: u64 = 12;

impl World {
    fn new(seed: u64) -> World {
        let rng = SeededRng::new(seed);
        let retention = [0, 50, 2000][rng.below(3) as usize];
        World {
            rng,
            ground: Ground::new(),
            now: 1_000,
            next: 0,
            epoch: 0,
            all: BTreeMap::new(),
            txns: Vec::new(),
            open: BTreeMap::new(),
            sequences: BTreeMap::new(),
            last_batch: BTreeMap::new(),
            first_dirty: Offset(0),
            aging: BTreeMap::new(),
            markers_aging: BTreeMap::new(),
            retention,
        }
    }

    fn below(&self, end: u64) -> i64 {
        i64::try_from(self.rng.below(end)).unwrap()
    }

    fn chance(&self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    /// Producers 1 to 3 are idempotent, 10 to 12 transactional; 0 is none.
    fn append_data(&mut self) {
        let producer = [0, 0, 1, 2, 3, 10, 11, 12][self.rng.below(8) as usize];
        let codec = if self.chance(60) { Codec::None } else { Codec::ALL[self.rng.below(5) as usize] };
        let mut builder = BatchBuilder::new()
            .base_offset(Offset(self.next))
            .leader_epoch(Epoch(self.epoch))
            .codec(codec, Codec::DEFAULT_LEVEL);
        let standing = match producer {
            0 => Standing::Plain,
            _ => {
                let sequence = self.sequences.entry(producer).or_insert(0);
                builder = builder.producer(ProducerId(producer), 5, *sequence);
                if producer >= 10 { self.join_txn(producer) } else { Standing::Plain }
            }
        };
        if standing != Standing::Plain {
            builder = builder.transactional();
        }
        if self.chance(10) {
            builder = builder.log_append_time(TimestampMs(self.now));
        }
        let count = 1 + self.below(4);
        for nth in 0..count {
            let key = format!("k{}", self.below(KEYS));
            let value = format!("value {} of {key}", self.next + nth);
            let value = (!self.chance(25)).then_some(value.as_bytes());
            builder.push(
                TimestampMs(self.now - self.below(40)),
                Some(key.as_bytes()),
                value,
                &[("h", value)],
            );
        }
        let batch = builder.build().freeze();
        self.ground.append(&batch);
        let header = BatchHeader::parse(&batch).unwrap();
        if producer > 0 {
            *self.sequences.get_mut(&producer).unwrap() += i32::try_from(count).unwrap();
            self.last_batch.insert(producer, header);
        }
        for record in read_records(&batch, 1 << 20).unwrap().map(Result::unwrap) {
            let batch = (header.base_offset.0, header.last_offset().0);
            self.all.insert(record.offset.0, Appended { record, standing, batch });
        }
        self.next += count;
    }

    fn join_txn(&mut self, producer: i64) -> Standing {
        let txns = &mut self.txns;
        Standing::InTxn(*self.open.entry(producer).or_insert_with(|| {
            txns.push(Txn { producer, marker: None });
            txns.len() - 1
        }))
    }

    fn end_txn(&mut self) {
        let nth = self.rng.below(self.open.len() as u64) as usize;
        let Some((producer, txn)) = self.open.iter().nth(nth).map(|(producer, txn)| (*producer, *txn)) else {
            return;
        };
        let committed = self.chance(50);
        let marker = EndTxnMarker { coordinator_epoch: 1 };
        let mut batch = marker.to_batch(committed, ProducerId(producer), 5, TimestampMs(self.now));
        stamp(&mut batch, Offset(self.next), Epoch(self.epoch));
        self.ground.append(&batch);
        self.txns[txn].marker = Some((self.next, committed));
        self.open.remove(&producer);
        self.next += 1;
    }

    fn step(&mut self) {
        match self.rng.below(100) {
            0..60 => self.append_data(),
            60..75 => self.end_txn(),
            75..87 if self.ground.segments.last().unwrap().size > 0 => self.ground.roll(Offset(self.next)),
            87..90 => self.epoch += 1,
            90..96 => self.now += self.below(600),
            _ => self.clean(),
        }
        self.now += 1;
    }

    fn clean(&mut self) {
        let mut task = self.ground.task(self.first_dirty, self.now);
        task.settings.delete_retention_ms = self.retention;
        task.settings.segment_bytes = [1, 600, 2000, 1 << 30][self.rng.below(4) as usize];
        let active = task.end.0;
        if self.chance(30) {
            // Young or unstable records hold it back, in the middle of a segment or between two.
            task.end = Offset(active - self.below(1 + active.unsigned_abs() / 3)).max(self.first_dirty);
        }
        for (producer, header) in self.last_batch.iter().filter(|(producer, _)| *producer % 2 == 0) {
            let last = LastRecord { data: Some(header.last_offset()), epoch: 5 };
            task.producers.insert(ProducerId(*producer), last);
        }
        let slots = if self.chance(50) { 2 + self.rng.below(12) as usize } else { 1000 };
        let before = self.ground.batches();
        let (report, _) = self.ground.clean(&task, slots).unwrap();
        let until = report.cleaned_until;
        assert!(until >= self.first_dirty && until <= task.end, "{until} {task:?}");
        let undecided =
            |txn: &usize| self.all.iter().find(|(_, appended)| appended.standing == Standing::InTxn(*txn));
        let unstable = self.open.values().filter_map(undecided).map(|(at, _)| *at).min();
        if !report.stats.map_was_full {
            // A transaction without an end may have begun below what is dirty only if nothing of it is above.
            let expect = unstable.map_or(task.end, |at| task.end.min(Offset(at))).max(self.first_dirty);
            assert_eq!(until, expect);
        } else {
            assert!(until > self.first_dirty, "a full map makes progress");
        }
        self.check(&task, until.0, &before);
        self.first_dirty = until;
        if self.chance(30) {
            self.check_idempotent(&task);
        }
    }

    fn is_aborted(&self, appended: &Appended) -> bool {
        matches!(appended.standing, Standing::InTxn(txn) if self.txns[txn].marker.is_some_and(|(_, ok)| !ok))
    }

    fn check(&mut self, task: &CleanTask, until: i64, before: &[(BatchHeader, Bytes)]) {
        let batches = self.ground.batches();
        assert!(batches.windows(2).all(|pair| pair[0].0.last_offset() < pair[1].0.base_offset));
        let untouched = |batch: &&(BatchHeader, Bytes)| batch.0.base_offset.0 >= until;
        assert!(batches.iter().filter(untouched).eq(before.iter().filter(untouched)), "above the end");
        if self.next > 0 {
            assert_eq!(batches.last().unwrap().0.last_offset().0, self.next - 1, "the last offset");
        }
        for (id, last) in &task.producers {
            let header = self.last_batch[&id.0];
            let kept = batches.iter().find(|(kept, _)| kept.last_offset() == last.data.unwrap()).unwrap().0;
            assert_eq!(kept.last_sequence(), header.last_sequence());
            assert_eq!((kept.producer_id, kept.producer_epoch), (header.producer_id, header.producer_epoch));
        }
        self.check_records(until);
        self.check_markers(&batches, before);
        self.check_reader(&batches);
    }

    /// Of each key the newest record below the end is there, and no older one.
    fn check_records(&mut self, until: i64) {
        let left: BTreeMap<i64, Record> =
            self.ground.records().into_iter().map(|record| (record.offset.0, record)).collect();
        let mut newest: BTreeMap<&Bytes, i64> = BTreeMap::new();
        for (at, appended) in self.all.range(..until) {
            if !self.is_aborted(appended) {
                newest.insert(appended.record.key.as_ref().unwrap(), *at);
            }
        }
        for (at, record) in &left {
            assert_eq!(record, &self.all[at].record, "as it was appended");
        }
        for (at, appended) in &self.all {
            let key = appended.record.key.as_ref().unwrap();
            if *at >= until {
                assert!(left.contains_key(at), "above the end: {at}");
            } else if self.is_aborted(appended) {
                assert_eq!(left.contains_key(at), appended.batch.1 >= until, "aborted: {at}");
            } else if newest[key] != *at {
                assert!(!left.contains_key(at), "older: {at}");
            } else if appended.record.value.is_some() {
                assert!(left.contains_key(at), "newest: {at}");
            } else {
                let since = *self.aging.entry(*at).or_insert(self.now);
                assert!(left.contains_key(at) || since + self.retention <= self.now, "tombstone: {at}");
            }
        }
    }

    /// A marker stays as long as data of its transaction does, and for the retention behind that.
    fn check_markers(&mut self, batches: &[(BatchHeader, Bytes)], before: &[(BatchHeader, Bytes)]) {
        let kept = |at: i64, batches: &[(BatchHeader, Bytes)]| {
            batches.iter().any(|(header, _)| header.base_offset.0 == at && header.count == 1)
        };
        let has_data = |txn: usize, batches: &[(BatchHeader, Bytes)]| {
            let of_txn = |header: &BatchHeader| {
                self.all
                    .get(&header.last_offset().0)
                    .is_some_and(|data| data.standing == Standing::InTxn(txn))
            };
            batches.iter().any(|(header, _)| !header.is_control() && of_txn(header))
        };
        for (nth, txn) in self.txns.iter().enumerate() {
            let Some((at, _)) = txn.marker else { continue };
            if has_data(nth, before) {
                assert!(kept(at, batches), "marker {at} of producer {}", txn.producer);
            } else {
                let since = *self.markers_aging.entry(at).or_insert(self.now);
                assert!(kept(at, batches) || since + self.retention <= self.now, "marker {at}");
            }
        }
    }

    /// What a committed reader makes of the log by its markers is what a map of everything appended holds.
    fn check_reader(&self, batches: &[(BatchHeader, Bytes)]) {
        let mut expect: BTreeMap<Bytes, Bytes> = BTreeMap::new();
        for appended in self.all.values() {
            let decided = match appended.standing {
                Standing::Plain => true,
                Standing::InTxn(txn) => self.txns[txn].marker.is_some_and(|(_, committed)| committed),
            };
            let key = appended.record.key.clone().unwrap();
            match &appended.record.value {
                _ if !decided => {}
                Some(value) => drop(expect.insert(key, value.clone())),
                None => drop(expect.remove(&key)),
            }
        }
        let mut read: BTreeMap<Bytes, (i64, Option<Bytes>)> = BTreeMap::new();
        let mut open: BTreeMap<ProducerId, Vec<Record>> = BTreeMap::new();
        let mut see = |record: Record| {
            let newest = read.entry(record.key.unwrap()).or_insert((-1, None));
            if record.offset.0 > newest.0 {
                *newest = (record.offset.0, record.value);
            }
        };
        for (header, batch) in batches {
            let records = read_records(batch, 1 << 20).unwrap().map(Result::unwrap);
            if header.is_control() {
                let kind = records.last().map(|marker| ControlType::from_key(&marker.key.unwrap()).unwrap());
                let ended = kind.and_then(|_| open.remove(&header.producer_id)).unwrap_or_default();
                if kind == Some(ControlType::Commit) {
                    ended.into_iter().for_each(&mut see);
                }
            } else if header.is_transactional() {
                open.entry(header.producer_id).or_default().extend(records);
            } else {
                records.for_each(&mut see);
            }
        }
        let read = read.into_iter().filter_map(|(key, (_, value))| Some((key, value?)));
        assert_eq!(read.collect::<BTreeMap<_, _>>(), expect);
    }

    /// One cleaning removes data, the next lets its markers age, others join segments and drop the headers at their
    /// ends, upon which more of them join: the chain can be long, but it ends.
    fn check_idempotent(&mut self, task: &CleanTask) {
        let again = |ground: &mut Ground| {
            let mut task = CleanTask { end: ground.segments.last().unwrap().base, ..task.clone() };
            task.segments = ground.segments[..ground.segments.len() - 1].to_vec();
            task.first_dirty = Offset(0);
            // All but what is held back, so that nothing new is cleaned.
            task.end = self.first_dirty;
            ground.clean(&task, 1000).unwrap();
            ground.batches()
        };
        let mut last = again(&mut self.ground);
        for _ in 0..40 {
            let next = again(&mut self.ground);
            if next == last {
                self.check(task, self.first_dirty.0, &last);
                return;
            }
            last = next;
        }
        panic!("cleaning does not come to an end");
    }
}

fn run(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..150 {
        world.step();
    }
    // Nothing is left open, so all of it can be cleaned.
    while !world.open.is_empty() {
        world.end_txn();
    }
    world.ground.roll(Offset(world.next));
    for _ in 0..20 {
        world.now += 700;
        world.clean();
    }
}

fn run_seeds(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let result = std::panic::catch_unwind(|| run(seed));
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn cleaned_logs_read_as_the_model_does() {
    run_seeds(0..50);
}

#[test]
#[ignore = "takes minutes"]
fn many_cleaned_logs_read_as_the_model_does() {
    run_seeds(50..5000);
}
