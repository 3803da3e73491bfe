//! Clients and operators at work on a broker: carries operations out and keeps the ledger. It must not know when
//! the power goes.

use super::broker::{Broker, Setup};
use super::disk::Disk;
use super::ledger::{Batch, CommittedOffset, Ledger, Partition, Policy, Topic};
use super::ops::{Failure, NAMES, Op, PRODUCERS, Plan, Shape};
use super::verify;
use bytes::BytesMut;
use futures_util::FutureExt as _;
use logboom::engine::{Cut, DeleteRecords, NewTopic, NotProduced, Produce, Produced, TopicRef};
use logboom::group::{Commit, CommitPartition};
use logboom::record::{BatchBuilder, Codec, read_records};
use logboom::sys::{Call, Fault, SeededRng};
use logboom::types::{Epoch, ErrorCode, Offset, ProducerId, TimestampMs, TopicId};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// What is wrong with a broker.
pub type Finding = String;

/// A broker, its disk, and the clients' account of it.
pub struct World {
    pub disk: Disk,
    pub ledger: Arc<Mutex<Ledger>>,
    broker: Option<Broker>,
    setup: Setup,
    rng: SeededRng,
    /// Ids of the producers that are at work.
    producers: Vec<Option<i64>>,
}

impl World {
    /// Nothing runs yet.
    pub fn new(disk: Disk, ledger: Arc<Mutex<Ledger>>, setup: Setup, seed: u64) -> World {
        let producers = vec![None; PRODUCERS as usize];
        World { disk, ledger, broker: None, setup, rng: SeededRng::new(seed), producers }
    }

    pub fn broker(&self) -> &Broker {
        self.broker.as_ref().unwrap()
    }

    /// Starts the broker.
    pub fn start(&mut self) -> Result<(), Finding> {
        let (wall, dirs) = {
            let ledger = self.ledger.lock();
            (ledger.wall + 1000, ledger.dirs)
        };
        let broker = Broker::start_on(&self.disk, dirs, wall, self.rng.below(u64::MAX), self.setup)
            .map_err(|error| format!("the broker does not start: {error}"))?;
        let epoch = broker.engine().epoch();
        let mut ledger = self.ledger.lock();
        ledger.clock = Some(broker.clock().clone());
        self.broker = Some(broker);
        let clean = std::mem::take(&mut ledger.may_be_clean);
        if let Some(before) = ledger.epoch
            && (epoch < before || (epoch == before && !clean))
        {
            return Err(format!("leader epoch {epoch} after {before}"));
        }
        ledger.epoch = Some(epoch);
        Ok(())
    }

    pub fn close(&mut self) {
        self.ledger.lock().may_be_clean = true;
        let wall = self.broker.take().unwrap().close();
        self.ended(wall);
    }

    pub fn kill(&mut self) {
        let wall = self.broker.take().unwrap().kill();
        self.ended(wall);
    }

    fn ended(&mut self, wall: i64) {
        let mut ledger = self.ledger.lock();
        (ledger.wall, ledger.latest, ledger.clock) = (wall, ledger.now(), None);
    }

    /// Carries out one operation; an error is a promise that was broken.
    pub fn run(&mut self, op: &Op) -> Result<(), Finding> {
        match op {
            Op::Create { name, partitions, shape } => self.create(NAMES[*name], *partitions, *shape),
            Op::Delete { name } => self.delete(NAMES[*name]),
            Op::Produce { name, partition, batches } => match self.place(*name, *partition) {
                Some((id, index)) => self.produce(id, index, batches, false),
                None => Ok(()),
            },
            Op::DeleteRecords { name, partition, share } => self.delete_records(*name, *partition, *share),
            Op::Consume { name, partition } => match self.place(*name, *partition) {
                Some((id, index)) => verify::partition(self, id, index),
                None => Ok(()),
            },
            Op::Commit { name, partition, group } => self.commit(*name, *partition, *group),
            Op::NewProducer { producer } => {
                self.producers[*producer] = None;
                Ok(())
            }
            Op::Fail { failure, nth, name, partition, batches } => match self.place(*name, *partition) {
                Some((id, index)) => self.fail(*failure, *nth, (id, index), batches),
                None => Ok(()),
            },
            Op::Pass { ms } => {
                self.broker().pass(Duration::from_millis(*ms), 40);
                Ok(())
            }
            Op::Restart => {
                self.close();
                self.start()
            }
            Op::Kill => {
                self.kill();
                self.start()?;
                verify::all(self)
            }
        }
    }

    fn has_failed_dir(&self) -> bool {
        let engine = self.broker().engine();
        let image = engine.image();
        let offline = |topic: &Arc<logboom::engine::TopicEntry>| {
            (0..topic.partitions).any(|index| engine.is_offline(topic, index))
        };
        let catalog_offline = self.broker().within(|| engine.broken().now_or_never().is_some());
        catalog_offline || image.topics().any(offline)
    }

    fn place(&self, name: usize, partition: u64) -> Option<(TopicId, i32)> {
        let ledger = self.ledger.lock();
        let id = ledger.named(NAMES[name])?;
        Some((id, (partition % ledger.topics[&id].partitions.len() as u64) as i32))
    }

    pub fn create(&mut self, name: &str, partitions: i32, shape: Shape) -> Result<(), Finding> {
        if self.ledger.lock().named(name).is_some() {
            return Ok(());
        }
        self.ledger.lock().creating.insert(name.to_owned(), partitions);
        let engine = self.broker().engine();
        let new = NewTopic {
            name: name.to_owned(),
            partitions,
            replicas: -1,
            configs: shape.configs(),
            ..NewTopic::default()
        };
        let made = self.broker().drive(async move { engine.create_topic(new, false).await });
        let made = made.map_err(|refusal| format!("topic {name} is not made: {refusal:?}"))?;
        let mut ledger = self.ledger.lock();
        ledger.creating.remove(name);
        let policy = Policy::of(|key| shape.config(key));
        let partitions = vec![Partition::default(); partitions as usize];
        let topic = Topic { name: name.to_owned(), policy, deleting: false, partitions };
        ledger.topics.insert(made.id, topic);
        Ok(())
    }

    fn delete(&mut self, name: &str) -> Result<(), Finding> {
        let Some(id) = self.ledger.lock().named(name) else { return Ok(()) };
        self.ledger.lock().topics.get_mut(&id).unwrap().deleting = true;
        let engine = self.broker().engine();
        let deleted = self.broker().drive(async move { engine.delete_topic(&TopicRef::Id(id)).await });
        deleted.map_err(|refusal| format!("topic {name} is not deleted: {refusal:?}"))?;
        let mut ledger = self.ledger.lock();
        ledger.topics.remove(&id);
        ledger.deleted.insert(id);
        ledger.offsets.retain(|(_, topic, _), _| *topic != id);
        Ok(())
    }

    /// Sends batches one behind the other, then waits for all. `lenient`: the disk may fail.
    pub fn produce(&mut self, id: TopicId, index: i32, plans: &[Plan], lenient: bool) -> Result<(), Finding> {
        self.open(id, index);
        let mut waiting = Vec::new();
        for plan in plans {
            let producer = match plan.producer {
                Some(producer) => match self.producer(producer) {
                    Ok(id) => Some(id),
                    Err(_) if lenient => continue,
                    Err(finding) => return Err(finding),
                },
                None => None,
            };
            let batch = self.batch(id, index, *plan, producer);
            let sent = Arc::clone(&batch);
            // From here on it may be there.
            self.ledger.lock().partition(id, index).doubtful.push(Arc::clone(&batch));
            match self.append(id, index, &batch) {
                Ok(appended) => {
                    let first = appended.written().first;
                    if first != batch.first {
                        return Err(format!("{id}-{index}: offset {first}, expected {}", batch.first));
                    }
                    let mut ledger = self.ledger.lock();
                    let account = ledger.partition(id, index);
                    account.doubtful.retain(|other| !Arc::ptr_eq(other, &sent));
                    if let Some((producer, sequence)) = batch.producer {
                        account.sequences.insert(producer, sequence + batch.records as i32);
                    }
                    account.batches.push(batch);
                    waiting.push((sent, appended));
                }
                Err(_) if lenient => {}
                Err(refused) => return Err(format!("{id}-{index}: a batch is refused: {refused:?}")),
            }
        }
        for (batch, appended) in waiting {
            match self.wait_for(appended) {
                Ok(_) => self.ledger.lock().partition(id, index).acknowledged(batch.next()),
                Err(_) if lenient => {}
                Err(refused) => return Err(format!("{id}-{index}: a batch is not kept: {refused:?}")),
            }
        }
        Ok(())
    }

    fn open(&self, id: TopicId, index: i32) {
        let engine = self.broker().engine();
        let opening = self.broker().within(|| engine.open_all([(&TopicRef::Id(id), index)].into_iter()));
        if let Some(opening) = opening {
            self.broker().drive(opening);
        }
    }

    /// Sends a batch; also one that was sent before.
    pub fn append(
        &self,
        id: TopicId,
        index: i32,
        batch: &Batch,
    ) -> Result<logboom::engine::Appended, NotProduced> {
        self.open(id, index);
        let records = BytesMut::from(&batch.bytes[..]);
        self.broker().engine().append(Produce { topic: TopicRef::Id(id), partition: index, records })
    }

    /// The answer for acks=all.
    pub fn wait_for(&self, appended: logboom::engine::Appended) -> Result<Produced, NotProduced> {
        let (clock, deadline) = (self.broker().clock().clone(), self.broker().deadline());
        self.broker().drive(async move { appended.durable(&clock, deadline).await })
    }

    fn producer(&mut self, number: usize) -> Result<i64, Finding> {
        if let Some(id) = self.producers[number] {
            return Ok(id);
        }
        let engine = self.broker().engine();
        let given = self.broker().drive(async move { engine.new_producer_id().await });
        let id = given.map_err(|refusal| format!("no producer id: {refusal:?}"))?.0;
        if !self.ledger.lock().producers.insert(id) {
            return Err(format!("producer id {id} was given before"));
        }
        self.producers[number] = Some(id);
        Ok(id)
    }

    /// The next batch for a partition.
    pub fn batch(&self, id: TopicId, index: i32, plan: Plan, producer: Option<i64>) -> Arc<Batch> {
        let mut ledger = self.ledger.lock();
        ledger.sent += 1;
        let sent = ledger.sent;
        let compacts = ledger.topics[&id].policy.compaction.is_some();
        let account = ledger.partition(id, index);
        let first = account.batches.last().map_or(account.start.0, |last| last.next().max(account.start.0));
        let mut builder = BatchBuilder::new().codec(plan.codec, Codec::DEFAULT_LEVEL);
        let mut numbered = None;
        if let Some(producer) = producer {
            let sequence = account.sequences.get(&producer).copied().unwrap_or(0);
            builder = builder.producer(ProducerId(producer), 0, sequence);
            numbered = Some((producer, sequence));
        }
        let now = self.broker().wall();
        for record in 0..plan.records {
            // Not in the order of time, so that the time index has something to get wrong.
            let at = now - ((sent * 7 + record * 3) % 11) as i64;
            let key = format!("k{}", (sent + record) % 5);
            let value: Vec<u8> =
                (0..plan.value_bytes).map(|byte| (sent * 31 + record * 7 + byte) as u8).collect();
            let is_tombstone = plan.tombstones > 0 && (sent + record).is_multiple_of(plan.tombstones);
            let value = Some(&value[..]).filter(|_| !is_tombstone);
            builder.push(TimestampMs(at), Some(key.as_bytes()), value, &[("n", Some(&sent.to_be_bytes()))]);
        }
        let bytes = builder.build().freeze();
        let rows = match compacts {
            true => read_records(&bytes, 1 << 20).unwrap().collect::<Result<_, _>>().unwrap(),
            false => Vec::new(),
        };
        Arc::new(Batch { first, records: plan.records as i64, bytes, producer: numbered, sent_at: now, rows })
    }

    fn delete_records(&mut self, name: usize, partition: u64, share: u64) -> Result<(), Finding> {
        let Some((id, index)) = self.place(name, partition) else { return Ok(()) };
        if !self.ledger.lock().topics[&id].policy.deletes {
            return Ok(());
        }
        let below = {
            let mut ledger = self.ledger.lock();
            let account = ledger.partition(id, index);
            let (start, end) = (account.start.0, account.promised.max(account.start.0));
            let below = start.plus((end.0 - start.0) * share as i64 / 1000);
            account.start.1 = below.max(account.start.1);
            below
        };
        let engine = self.broker().engine();
        let delete = DeleteRecords { topic: TopicRef::Id(id), partition: index, cut: Cut::Below(below) };
        let deleted = self.broker().drive(async move { engine.delete_records(&delete).await });
        let start = deleted.map_err(|refusal| format!("records are not deleted: {refusal:?}"))?;
        if start < below {
            return Err(format!("{id}-{index}: the log starts at {start}, not {below}"));
        }
        self.ledger.lock().partition(id, index).start = (start, start);
        Ok(())
    }

    fn commit(&mut self, name: usize, partition: u64, group: u64) -> Result<(), Finding> {
        let Some((id, index)) = self.place(name, partition) else { return Ok(()) };
        let group = format!("g{group}");
        let (offset, epoch) = {
            let mut ledger = self.ledger.lock();
            let (offset, epoch) = (ledger.sent as i64, ledger.epoch.unwrap_or(Epoch::NONE));
            let account: &mut CommittedOffset = ledger.offsets.entry((group.clone(), id, index)).or_default();
            account.asked.push(offset);
            (offset, epoch)
        };
        let commit = Commit {
            group: group.as_str().into(),
            member: "".into(),
            instance: None,
            generation: -1,
            knows_epochs: true,
            retention_ms: None,
            partitions: vec![CommitPartition {
                topic: NAMES[name].into(),
                topic_id: id,
                partition: index,
                offset: Offset(offset),
                leader_epoch: epoch,
                metadata: None,
            }],
        };
        let codes = self.until_loaded(move |engine| {
            let commit = commit.clone();
            async move { engine.commit_offsets(commit).await }
        });
        match codes.as_deref() {
            Ok([ErrorCode::NONE]) => {}
            other => return Err(format!("the offset is not committed: {other:?}")),
        }
        let mut ledger = self.ledger.lock();
        let account = ledger.offsets.get_mut(&(group, id, index)).unwrap();
        account.confirmed = Some(offset);
        account.asked.clear();
        Ok(())
    }

    /// Asks again while groups are loaded.
    pub fn until_loaded<T, F>(
        &self,
        ask: impl Fn(Arc<logboom::engine::Engine>) -> F,
    ) -> Result<T, logboom::engine::Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, logboom::engine::Refusal>> + Send + 'static,
    {
        let mut tries = 0;
        loop {
            match self.broker().drive(ask(self.broker().engine())) {
                Err(refusal) if refusal.code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS && tries < 500 => {
                    tries += 1;
                    self.broker().pass(Duration::from_millis(20), 4);
                }
                done => return done,
            }
        }
    }

    /// The disk fails once while something is produced; the broker has to come back by itself.
    fn fail(
        &mut self,
        failure: Failure,
        nth: u64,
        (id, index): (TopicId, i32),
        plans: &[Plan],
    ) -> Result<(), Finding> {
        let call = match failure {
            Failure::Sync => Call::Sync,
            Failure::SyncDir => Call::SyncDir,
            Failure::Write => Call::Write,
            Failure::Rename => Call::Rename,
            Failure::Create => Call::Create,
        };
        let fault = if failure == Failure::Write { Fault::enospc(call) } else { Fault::eio(call) };
        self.ledger.lock().lossy = true;
        self.disk.sim().fail(fault.nth(nth));
        let done = self.produce(id, index, plans, true);
        self.broker().pass(Duration::from_millis(20), 10);
        self.disk.sim().heal();
        done?;
        // Logs are brought back within a second, the catalog at once.
        self.broker().pass(Duration::from_secs(8), 160);
        if self.has_failed_dir() {
            // Only a restart brings a log directory back.
            self.kill();
            self.start()?;
        }
        verify::all(self)
    }
}
