//! What clients and operators do to a broker, drawn from a seed. An operation is data: whoever reads a failure sees
//! what was done, and a new kind is one more variant here and one more arm in `world`.

use logboom::record::Codec;
use logboom::sys::SeededRng;

/// Names that topics take; few, so that they are deleted and made again.
pub const NAMES: [&str; 3] = ["orders", "clicks", "audit"];
/// Producers that live at once.
pub const PRODUCERS: u64 = 3;

/// One step of a workload. Topics are named by their place in `NAMES`; where there is no such topic the step is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Create {
        name: usize,
        partitions: i32,
        shape: Shape,
    },
    Delete {
        name: usize,
    },
    /// Batches that are sent without waiting between them, and then awaited.
    Produce {
        name: usize,
        partition: u64,
        batches: Vec<Plan>,
    },
    /// Deletes so many thousandths of what is there.
    DeleteRecords {
        name: usize,
        partition: u64,
        share: u64,
    },
    /// Reads all there is.
    Consume {
        name: usize,
        partition: u64,
    },
    Commit {
        name: usize,
        partition: u64,
        group: u64,
    },
    /// The next producer gets a new id.
    NewProducer {
        producer: usize,
    },
    /// A call of the disk fails while this is produced; then the disk is well again.
    Fail {
        failure: Failure,
        nth: u64,
        name: usize,
        partition: u64,
        batches: Vec<Plan>,
    },
    /// Time passes: marks are written, files removed.
    Pass {
        ms: u64,
    },
    /// Shut down in good order, and started again.
    Restart,
    /// Killed, and started again on the same machine.
    Kill,
}

/// Settings of a topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    pub segment_bytes: u64,
    pub segment_ms: Option<u64>,
    pub index_interval_bytes: u64,
    pub index_bytes: Option<u64>,
    pub flush_messages: u64,
    pub delete_delay_ms: u64,
    pub retention_bytes: Option<u64>,
    pub retention_ms: Option<u64>,
    pub compaction: Option<Compaction>,
}

/// Settings of a compacted topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compaction {
    /// Old segments go as well.
    pub deletes: bool,
    pub min_lag_ms: Option<u64>,
    pub max_lag_ms: Option<u64>,
    /// For how long tombstones stay.
    pub tombstones_ms: Option<u64>,
    /// `min.cleanable.dirty.ratio`, in hundredths.
    pub dirty_percent: u64,
}

/// A batch to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    pub producer: Option<usize>,
    pub records: u64,
    pub value_bytes: u64,
    pub codec: Codec,
    /// Every so-manieth record is a tombstone; 0 for none.
    pub tombstones: u64,
}

/// What goes wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    Sync,
    SyncDir,
    Write,
    Rename,
    Create,
}

impl Op {
    /// Takes out what moves log start offsets.
    pub fn keep_starts(&mut self) {
        match self {
            Op::DeleteRecords { share, .. } => *share = 0,
            Op::Create { shape, .. } => {
                (shape.retention_bytes, shape.retention_ms) = (None, None);
                shape.compaction.iter_mut().for_each(|compaction| compaction.deletes = false);
            }
            _ => {}
        }
    }
}

fn pick<T: Copy>(rng: &SeededRng, from: &[T]) -> T {
    from[rng.below(from.len() as u64) as usize]
}

impl Shape {
    fn draw(rng: &SeededRng) -> Shape {
        let compaction = (rng.below(2) == 0).then(|| Compaction::draw(rng));
        // Small segments are joined when they are compacted.
        let ages: &[Option<u64>] =
            if compaction.is_some() { &[None, Some(20)] } else { &[None, None, None, Some(20)] };
        Shape {
            segment_bytes: pick(rng, &[300, 700, 700, 2500]),
            segment_ms: pick(rng, ages),
            index_interval_bytes: pick(rng, &[0, 100, 400, 4096]),
            index_bytes: pick(rng, &[None, None, None, Some(24)]),
            flush_messages: pick(rng, &[1, 1, 1, 1, 1, 5]),
            delete_delay_ms: pick(rng, &[0, 50, 60_000]),
            retention_bytes: pick(rng, &[None, None, None, None, Some(1200)]),
            retention_ms: pick(rng, &[None, None, None, None, Some(3000)]),
            compaction,
        }
    }

    /// One of them.
    pub fn config(&self, key: &str) -> Option<String> {
        self.configs().into_iter().find(|(other, _)| other == key).and_then(|(_, value)| value)
    }

    /// As a client gives them.
    pub fn configs(&self) -> Vec<(String, Option<String>)> {
        let mut configs = vec![
            ("internal.segment.bytes", Some(self.segment_bytes)),
            ("segment.ms", self.segment_ms),
            ("index.interval.bytes", Some(self.index_interval_bytes)),
            ("segment.index.bytes", self.index_bytes),
            ("flush.messages", Some(self.flush_messages)),
            ("file.delete.delay.ms", Some(self.delete_delay_ms)),
            ("retention.bytes", self.retention_bytes),
            ("retention.ms", self.retention_ms),
        ];
        configs.retain(|(_, value)| value.is_some());
        let mut configs: Vec<(String, Option<String>)> = configs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.map(|value| value.to_string())))
            .collect();
        configs.extend(self.compaction.iter().flat_map(Compaction::configs));
        configs
    }
}

impl Compaction {
    fn draw(rng: &SeededRng) -> Compaction {
        Compaction {
            deletes: rng.below(4) == 0,
            min_lag_ms: pick(rng, &[None, None, Some(2000)]),
            max_lag_ms: pick(rng, &[None, None, Some(2500)]),
            tombstones_ms: pick(rng, &[Some(0), Some(100), Some(3000), None]),
            dirty_percent: pick(rng, &[1, 1, 50]),
        }
    }

    fn configs(&self) -> Vec<(String, Option<String>)> {
        let policy = if self.deletes { "compact,delete" } else { "compact" };
        let ratio = format!("{}.{:02}", self.dirty_percent / 100, self.dirty_percent % 100);
        let mut configs = vec![("cleanup.policy", policy.to_owned()), ("min.cleanable.dirty.ratio", ratio)];
        let times = [
            ("min.compaction.lag.ms", self.min_lag_ms),
            ("max.compaction.lag.ms", self.max_lag_ms),
            ("delete.retention.ms", self.tombstones_ms),
        ];
        configs.extend(times.into_iter().filter_map(|(key, ms)| Some((key, ms?.to_string()))));
        configs.into_iter().map(|(key, value)| (key.to_owned(), Some(value))).collect()
    }
}

fn batches(rng: &SeededRng) -> Vec<Plan> {
    let codecs = [Codec::None, Codec::None, Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let plan = |_| Plan {
        producer: (rng.below(2) == 0).then(|| rng.below(PRODUCERS) as usize),
        records: 1 + rng.below(4),
        value_bytes: pick(rng, &[0, 10, 30, 30, 60, 700]),
        codec: pick(rng, &codecs),
        tombstones: pick(rng, &[0, 0, 3, 1]),
    };
    (0..1 + rng.below(4)).map(plan).collect()
}

/// A workload: topics first, so that there is something to work on, then anything.
pub fn draw(rng: &SeededRng, steps: u64) -> Vec<Op> {
    let create = |name| Op::Create { name, partitions: 1 + rng.below(2) as i32, shape: Shape::draw(rng) };
    let mut ops = vec![create(0), create(1)];
    for _ in 0..steps {
        let (name, partition) = (rng.below(NAMES.len() as u64) as usize, rng.below(2));
        ops.push(match rng.below(100) {
            0..7 => create(name),
            7..11 => Op::Delete { name },
            11..56 => Op::Produce { name, partition, batches: batches(rng) },
            56..63 => Op::DeleteRecords { name, partition, share: rng.below(1001) },
            63..70 => Op::Consume { name, partition },
            70..75 => Op::Commit { name, partition, group: rng.below(2) },
            75..78 => Op::NewProducer { producer: rng.below(PRODUCERS) as usize },
            78..83 => {
                let failures = [
                    Failure::Sync,
                    Failure::Sync,
                    Failure::SyncDir,
                    Failure::Write,
                    Failure::Rename,
                    Failure::Create,
                ];
                let (failure, nth) = (pick(rng, &failures), 1 + rng.below(3));
                Op::Fail { failure, nth, name, partition, batches: batches(rng) }
            }
            83..91 => Op::Pass { ms: pick(rng, &[10, 100, 1000, 7000]) },
            91..96 => Op::Restart,
            _ => Op::Kill,
        });
    }
    ops
}
