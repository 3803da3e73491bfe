//! What clients of a broker sent, asked for and were told: the account that is held against the broker after a crash.
//! It must not know how the broker keeps anything.

use bytes::Bytes;
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
    /// The wall clock when the last process ended, ms.
    pub wall: i64,
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
    /// Records may be superseded: `cleanup.policy` has `compact`.
    pub compacts: bool,
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
        Policy {
            relaxed: config("flush.messages").is_some_and(|records| records != "1"),
            expires: config("retention.bytes").is_some() || config("retention.ms").is_some(),
            compacts: config("cleanup.policy").is_some_and(|policy| policy.contains("compact")),
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
    /// A topic of this name that clients may use.
    pub fn named(&self, name: &str) -> Option<TopicId> {
        self.topics.iter().find(|(_, topic)| topic.name == name && !topic.deleting).map(|(id, _)| *id)
    }

    pub fn partition(&mut self, id: TopicId, index: i32) -> &mut Partition {
        &mut self.topics.get_mut(&id).unwrap().partitions[index as usize]
    }
}
