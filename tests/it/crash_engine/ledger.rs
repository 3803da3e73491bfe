//! What clients of a broker sent, asked for and were told: the account that is held against the broker after a crash.
//! It must not know how the broker keeps anything.

use bytes::Bytes;
use logboom::record::Record;
use logboom::sys::{Clock, SimClock};
use logboom::types::{Epoch, Offset, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that is known from outside. Clones share the bytes.
#[derive(Clone, Default)]
pub struct Ledger {
    /// Topics that were made and whose deletion was not confirmed.
    pub topics: BTreeMap<TopicId, Topic>,
    /// Names and partitions of topics whose making was asked for and not answered.
    pub creating: BTreeMap<String, i32>,
    /// Topics whose deletion was confirmed.
    pub deleted: BTreeSet<TopicId>,
    /// The highest epoch that was seen.
    pub epoch: Option<Epoch>,
    /// The last process may have ended in good order: it was told to, and no other has begun to serve since.
    pub may_be_clean: bool,
    /// Since relaxed topics were last looked at, the power was cut or a sync failed: they may have lost something.
    pub lossy: bool,
    /// Ids that producers were given.
    pub producers: BTreeSet<i64>,
    /// What groups committed.
    pub offsets: BTreeMap<(String, TopicId, i32), CommittedOffset>,
    /// The wall clock when the last process ended, as far as the next one knows, ms.
    pub wall: i64,
    /// The latest that a wall clock ever showed, ms: a machine's may go back.
    pub latest: i64,
    /// The clock of the process that runs.
    pub clock: Option<SimClock>,
    /// Log directories.
    pub dirs: usize,
    /// Batches sent so far.
    pub sent: u64,
}

/// A topic.
#[derive(Clone)]
pub struct Topic {
    pub name: String,
    pub policy: Policy,
    /// Deletion was asked for.
    pub deleting: bool,
    pub partitions: Vec<Partition>,
}

/// What the topic's settings allow the broker.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Policy {
    /// A power cut may take what was acknowledged: `flush.messages` above 1.
    pub relaxed: bool,
    /// Old segments may go by themselves: `retention.ms`, `retention.bytes`.
    pub expires: bool,
    /// Records may be deleted: `cleanup.policy` has `delete`.
    pub deletes: bool,
    /// Records may be superseded: `cleanup.policy` has `compact`.
    pub compaction: Option<Terms>,
}

/// What may be compacted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Records younger than this stay, ms.
    pub min_lag_ms: i64,
    /// Tombstones stay for so long, ms.
    pub tombstones_ms: i64,
}

/// A partition.
#[derive(Clone, Default)]
pub struct Partition {
    /// Every batch that was appended, ascending, from the first on.
    pub batches: Vec<Arc<Batch>>,
    /// Batches that were refused with an error that leaves open whether they are there.
    pub doubtful: Vec<Arc<Batch>>,
    /// What lives of the log before a failed sync held, as long as nothing of it was ever promised: then even its
    /// directory may be taken for an older one.
    pub earlier: Vec<Vec<Arc<Batch>>>,
    /// Records below it were acknowledged, or shown to a reader.
    pub promised: Offset,
    /// The log start offset that was confirmed, and the highest that was asked for.
    pub start: (Offset, Offset),
    /// Idempotent producers whose sequences go on: the next number of each.
    pub sequences: BTreeMap<i64, i32>,
    /// Records that readers have found to be compacted away.
    pub gone: BTreeSet<Offset>,
}

/// A batch as it was sent.
pub struct Batch {
    /// Offset of its first record, as the broker said.
    pub first: Offset,
    pub records: i64,
    /// All that the broker may not change.
    pub bytes: Bytes,
    /// Producer id and sequence number of its first record.
    pub producer: Option<(i64, i32)>,
    /// When it was sent, ms.
    pub sent_at: i64,
    /// Its records; their offsets count from the first. Only of compacted topics.
    pub rows: Vec<Record>,
}

/// What a group committed of one partition.
#[derive(Clone, Default, Debug)]
pub struct CommittedOffset {
    pub confirmed: Option<i64>,
    pub asked: Vec<i64>,
}

impl Policy {
    /// Of a topic with these settings.
    pub fn of(config: impl Fn(&str) -> Option<String>) -> Policy {
        let cleanup = config("cleanup.policy");
        let has = |policy| cleanup.as_ref().is_some_and(|cleanup| cleanup.contains(policy));
        let ms = |key, default| config(key).map_or(default, |ms| ms.parse().unwrap());
        let terms = Terms {
            min_lag_ms: ms("min.compaction.lag.ms", 0),
            tombstones_ms: ms("delete.retention.ms", 86_400_000),
        };
        let deletes = cleanup.is_none() || has("delete");
        Policy {
            deletes,
            relaxed: config("flush.messages").is_some_and(|records| records != "1"),
            expires: deletes && (config("retention.bytes").is_some() || config("retention.ms").is_some()),
            compaction: has("compact").then_some(terms),
        }
    }
}

impl Batch {
    pub fn next(&self) -> Offset {
        self.first.plus(self.records)
    }

    /// The part of a stored batch that is the producer's: length, then all behind the leader epoch.
    pub fn own_part(stored: &[u8]) -> [&[u8]; 2] {
        [&stored[8..12], &stored[16..]]
    }

    pub fn is_stored_as(&self, base: Offset, stored: &[u8]) -> bool {
        base == self.first && Batch::own_part(stored) == Batch::own_part(&self.bytes)
    }
}

impl Partition {
    pub fn acknowledged(&mut self, end: Offset) {
        self.promised = self.promised.max(end);
    }

    /// The batches of the life that the log may be in now, and of those it may be thrown back to.
    pub fn lives(&self) -> impl Iterator<Item = &Vec<Arc<Batch>>> {
        let thrown_back = if self.promised == Offset(0) { &self.earlier[..] } else { &[] };
        [&self.batches].into_iter().chain(thrown_back)
    }
}

impl Ledger {
    /// What is known at this moment, whatever happens next.
    pub fn snapshot(&self) -> Ledger {
        Ledger { latest: self.now(), clock: None, ..self.clone() }
    }

    /// No record was ever compacted later than that.
    pub fn now(&self) -> i64 {
        self.clock.as_ref().map_or(0, |clock| clock.wall().0).max(self.latest).max(self.wall)
    }

    /// A topic of this name that clients may use.
    pub fn named(&self, name: &str) -> Option<TopicId> {
        self.topics.iter().find(|(_, topic)| topic.name == name && !topic.deleting).map(|(id, _)| *id)
    }

    pub fn partition(&mut self, id: TopicId, index: i32) -> &mut Partition {
        &mut self.topics.get_mut(&id).unwrap().partitions[index as usize]
    }
}
