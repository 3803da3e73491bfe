//! What was asked of a broker and what it promised, each with its place in the stream of the disk. It must not know
//! how to ask.

use crate::client::Place;
use bytes::{BufMut, Bytes, BytesMut};
use logboom::sys::{Rng, SeededRng};
use std::collections::BTreeMap;

/// When a request was sent and when its answer was there, as positions in the stream.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Events before it was sent: none of them can be its work.
    pub sent: usize,
    /// Events when it had been acknowledged; `None` if it never was.
    pub acked: Option<usize>,
}

impl Span {
    /// A power cut here must not undo it.
    pub fn is_promised(&self, cut: usize) -> bool {
        self.acked.is_some_and(|acked| acked <= cut)
    }

    /// A power cut here may have left it done.
    pub fn may_be_done(&self, cut: usize) -> bool {
        self.sent < cut
    }
}

/// What a topic keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// All that nobody deletes.
    All,
    /// The last record of each key, or none if that is a tombstone.
    LastOfKey,
    /// Segments at the end, of this size together at least, in bytes.
    Bytes(usize),
}

impl Keeps {
    /// Records go that have a later one of the same key.
    pub fn is_compacted(self) -> bool {
        self == Keeps::LastOfKey
    }
}

/// A topic that was asked for, once under its name.
#[derive(Debug)]
pub struct TopicLife {
    /// Name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
    /// What the broker may take away by itself.
    pub keeps: Keeps,
    /// Its making.
    pub made: Span,
    /// Its removal, if that was asked for.
    pub deleted: Option<Span>,
}

/// An idempotent producer's word about a batch.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Producer id.
    pub id: i64,
    /// Producer epoch.
    pub epoch: i16,
    /// Sequence number of the first record.
    pub sequence: i32,
}

/// A batch that was sent. Records have numbers that are never used twice by a worker.
#[derive(Debug)]
pub struct Batch {
    /// Where to.
    pub place: Place,
    /// Whose.
    pub worker: u32,
    /// Number of its first record.
    pub first: u64,
    /// Records.
    pub count: u64,
    /// What an idempotent producer says of it.
    pub identity: Option<Identity>,
    /// Offset that was acknowledged.
    pub base: Option<i64>,
    /// When.
    pub span: Span,
}

/// A cut of the front: DeleteRecords, or what retention has done and showed.
#[derive(Debug)]
pub struct Front {
    /// Where.
    pub place: Place,
    /// First offset that stays.
    pub offset: i64,
    /// When.
    pub span: Span,
}

/// An offset that a group committed.
#[derive(Debug)]
pub struct Commit {
    /// Group.
    pub group: String,
    /// Of what.
    pub place: Place,
    /// The offset; its text goes along as metadata.
    pub offset: i64,
    /// When.
    pub span: Span,
}

/// Everything that was asked.
#[derive(Debug, Default)]
pub struct History {
    /// Topics.
    pub topics: Vec<TopicLife>,
    /// Batches.
    pub batches: Vec<Batch>,
    /// Cuts of fronts.
    pub fronts: Vec<Front>,
    /// First offsets that somebody was told: what is before one must not come back.
    pub starts: Vec<Front>,
    /// Commits of groups, in the order of sending.
    pub commits: Vec<Commit>,
    /// Producer ids that were given out.
    pub producers: Vec<i64>,
}

impl History {
    /// Positions at which something had just been acknowledged.
    pub fn acknowledgements(&self) -> Vec<usize> {
        let spans = self.batches.iter().map(|batch| batch.span);
        let spans = spans.chain(self.commits.iter().map(|commit| commit.span));
        let spans =
            spans.chain(self.topics.iter().flat_map(|topic| [Some(topic.made), topic.deleted]).flatten());
        spans.chain(self.fronts.iter().map(|front| front.span)).filter_map(|span| span.acked).collect()
    }

    /// Records that a cut here must not undo.
    pub fn promised_records(&self, cut: usize) -> u64 {
        self.batches.iter().filter(|batch| batch.span.is_promised(cut)).map(|batch| batch.count).sum()
    }

    /// Batches by the worker and the number of their first record.
    pub fn by_number(&self) -> BTreeMap<(u32, u64), &Batch> {
        self.batches.iter().map(|batch| ((batch.worker, batch.first), batch)).collect()
    }
}

/// The value of a record: whose and which it is, then bytes by chance.
pub fn value(seed: u64, worker: u32, number: u64) -> Bytes {
    let rng = SeededRng::new(seed ^ (u64::from(worker) << 48) ^ number);
    let size = 12 + rng.below(if rng.below(8) == 0 { 6000 } else { 400 }) as usize;
    let mut bytes = BytesMut::with_capacity(size + 8);
    bytes.put_u32(worker);
    bytes.put_u64(number);
    while bytes.len() < size {
        bytes.put_u64(rng.next_u64());
    }
    bytes.truncate(size);
    bytes.freeze()
}

/// Whose and which a record is, if its value is whole.
pub fn number_of(seed: u64, found: &[u8]) -> Option<(u32, u64)> {
    let worker = u32::from_be_bytes(found.get(..4)?.try_into().ok()?);
    let number = u64::from_be_bytes(found.get(4..12)?.try_into().ok()?);
    (value(seed, worker, number) == found).then_some((worker, number))
}

/// Whether a record of a compacted topic deletes its key. Each key is deleted at times: seven divides nothing of `key`.
pub fn is_tombstone(number: u64) -> bool {
    number % 7 == 3
}

/// Whose and which a tombstone is, in a header since it has no value.
pub fn mark(worker: u32, number: u64) -> Bytes {
    let mut bytes = BytesMut::with_capacity(12);
    bytes.put_u32(worker);
    bytes.put_u64(number);
    bytes.freeze()
}

/// Whose and which a tombstone is.
pub fn number_of_mark(mark: &[u8]) -> Option<(u32, u64)> {
    let (worker, number) = mark.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*worker), u64::from_be_bytes(number.try_into().ok()?)))
}

/// The key of a record of a compacted topic.
pub fn key(number: u64) -> Bytes {
    Bytes::from(format!("key-{}", number.wrapping_mul(7919) % 60))
}
