//! What a broker is asked to do while its disk is recorded: a few workers, each with one connection and one request
//! under way, so that what was acknowledged when is plain. One topic is compacted and has tombstones, one keeps its end
//! alone. They judge nothing.

use crate::client::{Client, LOADING, Place, Refused, Sent, batch_of, patiently};
use crate::history::{
    Batch, Commit, Front, History, Identity, Keeps, Span, TopicLife, is_tombstone, key, mark, value,
};
use crate::stream::Stream;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use logboom::record::BatchBuilder;
use logboom::sys::SeededRng;
use logboom::types::{ErrorCode, ProducerId};
use logboom::wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use logboom::wire::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use logboom::wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use logboom::wire::messages::init_producer_id::InitProducerIdRequest;
use logboom::wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Segments are this small, so that they roll every few hundred records; smaller where whole ones are taken away.
const SEGMENT_BYTES: (u32, u32) = (96 << 10, 32 << 10);
/// Topics that stay, with their partitions and what they keep.
const STAY: [(&str, i32, Keeps); 4] = [
    ("orders", 4, Keeps::All),
    ("clicks", 3, Keeps::All),
    (COMPACTED, 2, Keeps::LastOfKey),
    (RETAINED, 2, Keeps::Bytes(200 << 10)),
];
/// The topic that is compacted.
const COMPACTED: &str = "table";
/// The topic that keeps its end alone.
const RETAINED: &str = "events";
/// Number of workers.
pub const WORKERS: u32 = 5;

/// What workers share.
pub struct Site {
    /// Decides what chance decides.
    pub seed: u64,
    /// The disk that is recorded.
    pub stream: std::sync::Arc<Stream>,
    /// What was asked.
    pub history: Mutex<History>,
    /// Bytes of values that may still be sent: a bound on the disk.
    pub budget: AtomicUsize,
    /// Set when the work shall end, or the broker is about to be killed.
    pub ending: AtomicBool,
}

/// One worker; it lives as long as the recording, over several lives of the broker.
pub struct Worker {
    number: u32,
    next: u64,
    rng: SeededRng,
    identity: Option<(i64, i16)>,
    sequences: Vec<i32>,
    commits: i64,
    made: u32,
}

impl Worker {
    /// Worker number so and so.
    pub fn new(seed: u64, number: u32) -> Worker {
        let rng = SeededRng::new(seed ^ (u64::from(number) << 32) ^ 0x5eed);
        Worker { number, next: 0, rng, identity: None, sequences: Vec::new(), commits: 0, made: 0 }
    }

    /// Works until the end. An error counts only if it came before the end.
    ///
    /// # Errors
    /// What the broker refused, or how it was lost.
    pub fn work(&mut self, site: &Site, address: SocketAddr) -> Result<()> {
        let worked = self.work_on(site, address);
        if site.ending.load(Ordering::Acquire) { Ok(()) } else { worked }
    }

    fn work_on(&mut self, site: &Site, address: SocketAddr) -> Result<()> {
        let mut client = Client::connect(address)?;
        // Nobody can say what became of a batch under way when the last life ended.
        self.identity = None;
        while !site.ending.load(Ordering::Acquire) {
            if site.budget.load(Ordering::Acquire) == 0 {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            match self.number {
                0 => self.send_idempotently(site, &mut client)?,
                1 => self.send_to_many(site, &mut client)?,
                2 => self.send_keyed(site, &mut client)?,
                3 => self.make_a_topic(site, &mut client)?,
                _ => self.commit_and_cut(site, &mut client)?,
            }
        }
        Ok(())
    }

    fn send_idempotently(&mut self, site: &Site, client: &mut Client) -> Result<()> {
        let (id, epoch) = match self.identity {
            Some(identity) => identity,
            None => {
                let identity = producer_id(client)?;
                lock(site).producers.push(identity.0);
                self.sequences = vec![0; 4];
                *self.identity.insert(identity)
            }
        };
        let partition = self.rng.below(4) as usize;
        let sequence = self.sequences[partition];
        let identity = Identity { id, epoch, sequence };
        let count = self.send(site, client, vec![("orders".to_owned(), partition as i32)], Some(identity))?;
        self.sequences[partition] = sequence + count as i32;
        Ok(())
    }

    fn send_to_many(&mut self, site: &Site, client: &mut Client) -> Result<()> {
        let mut places = Vec::new();
        for partition in 0..3 {
            if places.is_empty() || self.rng.below(2) == 0 {
                places.push(("clicks".to_owned(), partition));
            }
        }
        if self.rng.below(3) == 0 {
            places.push(("orders".to_owned(), self.rng.below(4) as i32));
        }
        if self.rng.below(2) == 0 {
            places.push((RETAINED.to_owned(), self.rng.below(2) as i32));
        }
        self.send(site, client, places, None).map(drop)
    }

    fn send_keyed(&mut self, site: &Site, client: &mut Client) -> Result<()> {
        let place = (COMPACTED.to_owned(), self.rng.below(2) as i32);
        self.send(site, client, vec![place], None).map(drop)
    }

    /// Sends a batch to each of these places in one request; the records of the last.
    fn send(
        &mut self,
        site: &Site,
        client: &mut Client,
        places: Vec<Place>,
        identity: Option<Identity>,
    ) -> Result<u64> {
        let mut sent = Vec::new();
        let mut batches = Vec::new();
        for place in places {
            let count = 1 + self.rng.below(12);
            let batch = Batch {
                place,
                worker: self.number,
                first: self.next,
                count,
                identity,
                base: None,
                span: Span { sent: 0, acked: None },
            };
            self.next += count;
            batches.push((batch.place.clone(), bytes_of(site.seed, &batch)));
            sent.push(batch);
        }
        let size: usize = batches.iter().map(|(_, bytes)| bytes.len()).sum();
        let left = site.budget.load(Ordering::Acquire).saturating_sub(size);
        site.budget.store(left, Ordering::Release);
        let begun = site.stream.position();
        let answer = insist(|| client.produce(batches.clone()));
        let acked = answer.is_ok().then(|| site.stream.position());
        let bases = answer.as_ref().map_or(Vec::new(), Clone::clone);
        let count = sent.last().map_or(0, |batch| batch.count);
        for (i, batch) in sent.iter_mut().enumerate() {
            batch.base = bases.get(i).copied();
            batch.span = Span { sent: begun, acked };
        }
        lock(site).batches.extend(sent);
        answer.map(|_| count)
    }

    /// Makes a topic, sends to it, and deletes every third.
    fn make_a_topic(&mut self, site: &Site, client: &mut Client) -> Result<()> {
        let name = format!("made-{}", self.made);
        let partitions = 1 + self.rng.below(3) as i32;
        self.made += 1;
        make(site, client, &name, partitions, Keeps::All)?;
        for partition in 0..partitions {
            self.send(site, client, vec![(name.clone(), partition)], None)?;
        }
        if self.rng.below(3) == 0 {
            let topic = DeleteTopicState { name: Some(name.as_str().into()), ..DeleteTopicState::default() };
            let request = DeleteTopicsRequest {
                topics: vec![topic],
                timeout_ms: 30_000,
                ..DeleteTopicsRequest::default()
            };
            let sent = site.stream.position();
            note_deletion(site, &name, Span { sent, acked: None });
            let answer = client.call(&request, 6)?;
            accept(answer.responses.first().map(|topic| topic.error_code), "delete a topic")?;
            note_deletion(site, &name, Span { sent, acked: Some(site.stream.position()) });
        }
        std::thread::sleep(Duration::from_millis(20 + self.rng.below(30)));
        Ok(())
    }

    /// Commits offsets for a group, and now and then cuts the front of a partition.
    fn commit_and_cut(&mut self, site: &Site, client: &mut Client) -> Result<()> {
        self.commits += 1;
        let place: Place = ("orders".to_owned(), self.rng.below(4) as i32);
        let commit = Commit {
            group: format!("group-{}", self.rng.below(3)),
            place,
            offset: self.commits,
            span: Span { sent: site.stream.position(), acked: None },
        };
        let answer = patiently(|| {
            let answer = client.call(&commit_request(&commit), 9)?;
            let topic = answer.topics.first().context("no answer")?;
            Ok((topic.partitions.first().context("no answer")?.error_code, ()))
        });
        let acked = answer.is_ok().then(|| site.stream.position());
        lock(site).commits.push(Commit { span: Span { acked, ..commit.span }, ..commit });
        answer.context("commit")?;
        if self.rng.below(12) == 0 {
            self.cut_front(site, client)?;
        }
        if self.rng.below(4) == 0 {
            let place: Place = (RETAINED.to_owned(), self.rng.below(2) as i32);
            let sent = site.stream.position();
            let offset = client.offset(&place, crate::client::EARLIEST)?;
            let span = Span { sent, acked: Some(site.stream.position()) };
            lock(site).starts.push(Front { place, offset, span });
        }
        std::thread::sleep(Duration::from_millis(self.rng.below(6)));
        Ok(())
    }

    fn cut_front(&mut self, site: &Site, client: &mut Client) -> Result<()> {
        let place: Place = ("clicks".to_owned(), self.rng.below(3) as i32);
        let end = client.offset(&place, crate::client::LATEST)?;
        let start = client.offset(&place, crate::client::EARLIEST)?;
        if end - start < 50 {
            return Ok(());
        }
        let offset = start + self.rng.below((end - start) as u64 / 2) as i64;
        let partition = DeleteRecordsPartition { partition_index: place.1, offset };
        let topic = DeleteRecordsTopic { name: place.0.as_str().into(), partitions: vec![partition] };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000 };
        let sent = site.stream.position();
        let answer = client.call(&request, 2);
        let acked = answer.is_ok().then(|| site.stream.position());
        lock(site).fronts.push(Front { place, offset, span: Span { sent, acked } });
        let code =
            answer?.topics.first().and_then(|topic| topic.partitions.first()).map(|part| part.error_code);
        accept(code, "cut a front")
    }
}

/// Makes the topics that stay. They are asked for before any worker begins.
///
/// # Errors
/// The broker refuses.
pub fn prepare(site: &Site, address: SocketAddr) -> Result<()> {
    let mut client = Client::connect(address)?;
    STAY.into_iter()
        .try_for_each(|(name, partitions, keeps)| make(site, &mut client, name, partitions, keeps))
}

/// The bytes of a batch as they are sent, and sent again.
pub fn bytes_of(seed: u64, batch: &Batch) -> Bytes {
    let mut builder = BatchBuilder::new();
    if let Some(Identity { id, epoch, sequence }) = batch.identity {
        builder = builder.producer(ProducerId(id), epoch, sequence);
    }
    let keyed = batch.place.0 == COMPACTED;
    let record = |number| match keyed {
        true if is_tombstone(number) => Sent::Tombstone(key(number), mark(batch.worker, number)),
        _ => Sent::Value(keyed.then(|| key(number)), value(seed, batch.worker, number)),
    };
    let records: Vec<_> = (batch.first..batch.first + batch.count).map(record).collect();
    batch_of(builder, &records)
}

/// A new producer id and its epoch.
///
/// # Errors
/// The broker refuses.
pub fn producer_id(client: &mut Client) -> Result<(i64, i16)> {
    // An empty transactional id is not none.
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        ..InitProducerIdRequest::default()
    };
    patiently(|| {
        let answer = client.call(&request, 4)?;
        Ok((answer.error_code, (answer.producer_id, answer.producer_epoch)))
    })
}

fn make(site: &Site, client: &mut Client, name: &str, partitions: i32, keeps: Keeps) -> Result<()> {
    // What is taken away goes for good soon, too.
    let segment = if keeps == Keeps::All { SEGMENT_BYTES.0 } else { SEGMENT_BYTES.1 };
    let mut configs =
        vec![("internal.segment.bytes", segment.to_string()), ("file.delete.delay.ms", "300".to_owned())];
    match keeps {
        Keeps::All => {}
        Keeps::LastOfKey => configs.extend([
            ("cleanup.policy", "compact".to_owned()),
            ("min.cleanable.dirty.ratio", "0.1".to_owned()),
            ("delete.retention.ms", "100".to_owned()),
        ]),
        Keeps::Bytes(bytes) => configs.push(("retention.bytes", bytes.to_string())),
    }
    let config = |(name, value): (&str, String)| CreatableTopicConfig {
        name: name.into(),
        value: Some(value.as_str().into()),
    };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: 1,
        configs: configs.into_iter().map(config).collect(),
        ..CreatableTopic::default()
    };
    let request =
        CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..CreateTopicsRequest::default() };
    let sent = site.stream.position();
    let answer = client.call(&request, 7);
    let acked = answer.is_ok().then(|| site.stream.position());
    let made = Span { sent, acked };
    lock(site).topics.push(TopicLife { name: name.to_owned(), partitions, keeps, made, deleted: None });
    accept(answer?.topics.first().map(|topic| topic.error_code), "make a topic")
}

fn commit_request(commit: &Commit) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: commit.place.1,
        committed_offset: commit.offset,
        committed_leader_epoch: -1,
        committed_metadata: Some(commit.offset.to_string().as_str().into()),
    };
    let topic = OffsetCommitRequestTopic {
        name: commit.place.0.as_str().into(),
        partitions: vec![partition],
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: commit.group.as_str().into(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..OffsetCommitRequest::default()
    }
}

fn note_deletion(site: &Site, name: &str, span: Span) {
    if let Some(topic) = lock(site).topics.iter_mut().find(|topic| topic.name == name) {
        topic.deleted = Some(span);
    }
}

/// Sends again what a broker that is still loading refused.
fn insist<T>(mut send: impl FnMut() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match send() {
            Err(error)
                if error.downcast_ref::<Refused>().is_some_and(|refused| LOADING.contains(&refused.code))
                    && begun.elapsed() < Duration::from_secs(10) =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

fn accept(code: Option<ErrorCode>, what: &str) -> Result<()> {
    match code {
        Some(code) if code.is_none() => Ok(()),
        code => bail!("{what}: {code:?}"),
    }
}

fn lock(site: &Site) -> std::sync::MutexGuard<'_, History> {
    site.history.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
