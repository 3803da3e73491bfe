//! Holds the ledger against a broker: what was promised is there, what was deleted is not, and nothing else is. What
//! is found is then promised, too, since a reader has seen it.

use super::broker::Broker;
use super::compacted;
use super::ledger::{Batch, Partition, Policy};
use super::world::{Finding, World};
use bytes::Bytes;
use logboom::engine::{At, Fetch, FetchPartition, FindEpochEnd, FindOffset, Isolation, Position, TopicRef};
use logboom::group::FetchOffsets;
use logboom::record::{BatchHeader, read_records, split_batches};
use logboom::types::{Epoch, Offset, TimestampMs, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes of a fetch: little, so that reads begin everywhere.
const FETCH_BYTES: usize = 900;

/// What a reader finds in a partition.
pub struct Found {
    pub start: Offset,
    pub end: Offset,
    pub batches: Vec<(BatchHeader, Bytes)>,
}

/// Checks everything.
pub fn all(world: &mut World) -> Result<(), Finding> {
    topics(world)?;
    let places = places(world);
    for (id, index) in places {
        partition(world, id, index)?;
    }
    offsets(world)?;
    world.ledger.lock().lossy = false;
    Ok(())
}

/// Every partition that clients know.
pub fn places(world: &World) -> Vec<(TopicId, i32)> {
    let ledger = world.ledger.lock();
    let indexes = |(id, topic): (&TopicId, &super::ledger::Topic)| {
        let id = *id;
        (0..topic.partitions.len() as i32).map(move |index| (id, index)).collect::<Vec<_>>()
    };
    ledger.topics.iter().flat_map(indexes).collect()
}

/// The topics are those that were made, whole, without those that were deleted. Changes that nobody was told of are
/// taken over as they are.
fn topics(world: &mut World) -> Result<(), Finding> {
    let image = world.broker().engine().image();
    let mut ledger = world.ledger.lock();
    let there: BTreeSet<TopicId> =
        image.topics().filter(|topic| !topic.internal).map(|topic| topic.id).collect();
    if let Some(back) = there.iter().find(|id| ledger.deleted.contains(id)) {
        return Err(format!("topic {back} was deleted and is back"));
    }
    for topic in image.topics().filter(|topic| !topic.internal) {
        if let Some(known) = ledger.topics.get_mut(&topic.id) {
            if known.name != *topic.name || known.partitions.len() != topic.partitions as usize {
                return Err(format!("topic {} is not as it was made", topic.name));
            }
            known.deleting = false;
        } else if ledger.creating.get(&*topic.name) == Some(&topic.partitions) {
            let partitions = vec![Partition::default(); topic.partitions as usize];
            let policy = Policy::of(|key| topic.configs.get(key).cloned());
            let adopted =
                super::ledger::Topic { name: topic.name.to_string(), policy, deleting: false, partitions };
            ledger.topics.insert(topic.id, adopted);
        } else {
            return Err(format!("topic {} ({}) was never made", topic.name, topic.id));
        }
    }
    ledger.creating.clear();
    let gone: Vec<TopicId> = ledger.topics.keys().copied().filter(|id| !there.contains(id)).collect();
    for id in gone {
        let topic = ledger.topics.remove(&id).unwrap();
        if !topic.deleting {
            return Err(format!("topic {} ({id}) is lost", topic.name));
        }
        ledger.deleted.insert(id);
        ledger.offsets.retain(|(_, topic, _), _| *topic != id);
    }
    Ok(())
}

/// One partition: its records, its ends, its indexes.
pub fn partition(world: &mut World, id: TopicId, index: i32) -> Result<(), Finding> {
    let (name, policy) = {
        let ledger = world.ledger.lock();
        (ledger.topics[&id].name.clone(), ledger.topics[&id].policy)
    };
    let at = |finding: String| format!("{name}-{index} ({id}): {finding}");
    let mut checked = partition_once(world, id, index, policy);
    // What is read may go meanwhile: by age, or to the cleaner, whose work can be seen.
    for _ in 0..3 {
        match checked {
            Err((_, meanwhile)) if meanwhile => checked = partition_once(world, id, index, policy),
            _ => break,
        }
    }
    checked.map_err(|(finding, _)| at(finding))
}

/// A finding comes with whether the partition was another one at its end than at the beginning.
fn partition_once(world: &mut World, id: TopicId, index: i32, policy: Policy) -> Result<(), (Finding, bool)> {
    let cleaned = world.broker().engine().cleaner_stats().runs;
    let (found, mut expires) = (read(world.broker(), id, index), policy.expires);
    let checked = found.and_then(|found| {
        expires = false;
        let mut ledger = world.ledger.lock();
        let now = TimestampMs(ledger.now());
        let lossy = policy.relaxed && ledger.lossy;
        let account = ledger.partition(id, index);
        let case = Case { policy, now };
        compare(account, case, lossy, &found)?;
        take_over(account, case, &found);
        drop(ledger);
        if policy.expires {
            return Ok(());
        }
        epochs(world, id, index, &found, policy)?;
        times(world, id, index, &found)
    });
    let is_cleaned = cleaned != world.broker().engine().cleaner_stats().runs;
    checked.map_err(|finding| (finding, expires || policy.compaction.is_some() && is_cleaned))
}

/// What decides whether a record may be missing.
#[derive(Clone, Copy)]
struct Case {
    policy: Policy,
    now: TimestampMs,
}

impl Case {
    fn matches(self, life: &[Arc<Batch>], account: &Partition, found: &Found) -> Result<(), Finding> {
        match self.policy.compaction {
            Some(terms) => compacted::matches(life, account, terms, self.now, found),
            None => matches(life, account, found),
        }
    }

    fn is_stored_as(self, batch: &Batch, header: &BatchHeader, bytes: &Bytes) -> bool {
        match self.policy.compaction {
            Some(_) => compacted::is_left_of(batch, header, bytes),
            None => batch.is_stored_as(header.base_offset, bytes),
        }
    }
}

/// Everything from the log start to the high watermark.
pub fn read(broker: &Broker, id: TopicId, index: i32) -> Result<Found, Finding> {
    let start = find(broker, id, index, At::Earliest)?.offset;
    let end = find(broker, id, index, At::Latest)?.offset;
    let (mut next, mut batches) = (start, Vec::new());
    while next < end {
        let read = fetch(broker, id, index, next)?;
        let mut moved = false;
        for batch in split_batches(&read) {
            let (header, bytes) = batch.map_err(|bad| format!("bad bytes at {next}: {bad}"))?;
            logboom::record::check_crc(&bytes).map_err(|bad| format!("bad bytes at {next}: {bad}"))?;
            if header.next_offset() <= next {
                return Err(format!("a fetch at {next} begins at {}", header.base_offset));
            }
            next = header.next_offset();
            moved = true;
            batches.push((header, bytes));
        }
        if !moved {
            return Err(format!("nothing at {next} of {start}..{end}"));
        }
    }
    Ok(Found { start, end, batches })
}

fn fetch(broker: &Broker, id: TopicId, index: i32, offset: Offset) -> Result<Bytes, Finding> {
    let engine = broker.engine();
    let wanted = FetchPartition {
        topic: TopicRef::Id(id),
        partition: index,
        offset,
        bytes_max: FETCH_BYTES,
        current_epoch: Epoch::NONE,
        last_fetched_epoch: Epoch::NONE,
    };
    let deadline = broker.deadline();
    let fetch = Fetch {
        partitions: vec![wanted],
        bytes_min: 0,
        deadline,
        bytes_max: FETCH_BYTES,
        isolation: Isolation::ReadUncommitted,
    };
    let mut outcome = broker.drive(async move { engine.fetch(&fetch).await });
    let fetched = outcome.remove(0).map_err(|refused| format!("no read at {offset}: {refused:?}"))?;
    fetched.plan.read().map_err(|error| format!("no bytes at {offset}: {error}"))
}

pub fn find(broker: &Broker, id: TopicId, index: i32, at: At) -> Result<Position, Finding> {
    let engine = broker.engine();
    let wanted = FindOffset { topic: TopicRef::Id(id), partition: index, current_epoch: Epoch::NONE, at };
    let found = broker.drive(async move { engine.find_offset(&wanted, Isolation::ReadUncommitted).await });
    found.map_err(|refusal| format!("{at:?} is not found: {refusal:?}"))
}

fn compare(account: &Partition, case: Case, lossy: bool, found: &Found) -> Result<(), Finding> {
    let (start, end) = (found.start, found.end);
    let (confirmed, asked) = account.start;
    if start < confirmed || (start > asked && !case.policy.expires) {
        return Err(format!("it starts at {start}, not within {confirmed}..={asked}"));
    }
    if end < account.promised && !lossy {
        return Err(format!(
            "it ends at {end}, and records up to {} were acknowledged or seen",
            account.promised
        ));
    }
    let last = found.batches.last().map_or(start, |(header, _)| header.next_offset());
    if end != last {
        return Err(format!("its last batch ends at {last}, the log at {end}"));
    }
    let mut wrong = account.lives().map(|life| case.matches(life, account, found));
    // The life that it should be in says what is wrong.
    let first = wrong.next().unwrap_or(Ok(()));
    if first.is_err() && !wrong.any(|life| life.is_ok()) {
        return first;
    }
    let epochs = found.batches.windows(2).map(|pair| (pair[0].0.leader_epoch, pair[1].0.leader_epoch));
    match epochs.into_iter().find(|(one, next)| one > next) {
        Some((one, next)) => Err(format!("leader epoch {next} follows {one}")),
        None => Ok(()),
    }
}

/// Whether what was found is what one life of the log holds, and at most one batch more, of which its sender was told
/// that it may be there.
fn matches(life: &[Arc<Batch>], account: &Partition, found: &Found) -> Result<(), Finding> {
    let mut sent = life.iter().filter(|batch| batch.next() > found.start);
    for (header, bytes) in &found.batches {
        let is = |batch: &Arc<Batch>| batch.is_stored_as(header.base_offset, bytes);
        let expected = sent.next();
        // What was refused in doubt may be the last, but not in the place of what was acknowledged.
        let doubtful = header.base_offset >= account.promised && header.next_offset() == found.end;
        if !(expected.is_some_and(is) || doubtful && account.doubtful.iter().any(is)) {
            let expected = expected.map(|batch| batch.first);
            return Err(format!("the batch at {} is not the one sent ({expected:?})", header.base_offset));
        }
    }
    Ok(())
}

/// What was seen is promised, what was not there is not expected any more.
fn take_over(account: &mut Partition, case: Case, found: &Found) {
    let life = account.lives().find(|life| case.matches(life, account, found).is_ok()).cloned();
    let mut life = life.unwrap_or_default();
    life.retain(|batch| batch.first < found.end);
    let doubtful = std::mem::take(&mut account.doubtful);
    if let Some((header, bytes)) = found.batches.last()
        && !life.last().is_some_and(|last| case.is_stored_as(last, header, bytes))
        && let Some(batch) = doubtful.iter().find(|batch| case.is_stored_as(batch, header, bytes))
    {
        life.retain(|batch| batch.first < header.base_offset);
        life.push(Arc::clone(batch));
    }
    let before = std::mem::replace(&mut account.batches, life);
    if found.end == Offset(0) {
        account.earlier.push(before.into_iter().chain(doubtful).collect());
    } else {
        account.earlier.clear();
    }
    account.gone = compacted::gone(&account.batches, found);
    account.promised = found.end;
    account.start = (found.start, found.start);
    let mut sequences = BTreeMap::new();
    for batch in &account.batches {
        if let Some((producer, sequence)) = batch.producer {
            sequences.insert(producer, sequence + batch.records as i32);
        }
    }
    account.sequences = sequences;
}

/// The end of each leader epoch is where the next begins, be that batch still there or not.
fn epochs(world: &World, id: TopicId, index: i32, found: &Found, policy: Policy) -> Result<(), Finding> {
    let epochs: BTreeSet<Epoch> = found.batches.iter().map(|(header, _)| header.leader_epoch).collect();
    for epoch in epochs {
        let later = found.batches.iter().find(|(header, _)| header.leader_epoch > epoch);
        let expected = (epoch, later.map_or(found.end, |(header, _)| header.base_offset));
        let own = found.batches.iter().rfind(|(header, _)| header.leader_epoch == epoch);
        let least = match policy.compaction {
            Some(_) => own.map_or(expected.1, |(header, _)| header.next_offset()),
            None => expected.1,
        };
        let engine = world.broker().engine();
        let wanted =
            FindEpochEnd { topic: TopicRef::Id(id), partition: index, current_epoch: Epoch::NONE, epoch };
        let told = world.broker().drive(async move { engine.find_epoch_end(&wanted).await });
        match told {
            Ok((told, end)) if told == epoch && (least..=expected.1).contains(&end) => {}
            other => return Err(format!("the end of epoch {epoch} is {other:?}, not {expected:?}")),
        }
    }
    Ok(())
}

/// Look-ups by time find what a walk over all records finds.
fn times(world: &World, id: TopicId, index: i32, found: &Found) -> Result<(), Finding> {
    let mut records: Vec<(Offset, TimestampMs)> = Vec::new();
    for (_, bytes) in &found.batches {
        for record in read_records(bytes, 1 << 20).map_err(|bad| bad.to_string())? {
            let record = record.map_err(|bad| bad.to_string())?;
            if record.offset >= found.start {
                records.push((record.offset, record.timestamp));
            }
        }
    }
    let Some(middle) = records.get(records.len() / 2).copied() else { return Ok(()) };
    let expected = records.iter().find(|(_, time)| *time >= middle.1).map(|(offset, _)| *offset);
    let told = find(world.broker(), id, index, At::Time(middle.1))?.offset;
    if Some(told) != expected {
        return Err(format!("the first record of time {} is {told}, not {expected:?}", middle.1));
    }
    let newest = records.iter().map(|(_, time)| *time).max();
    let expected = records.iter().find(|(_, time)| Some(*time) == newest).map(|(offset, _)| *offset);
    let told = find(world.broker(), id, index, At::MaxTimestamp)?.offset;
    // Kafka finds the batch with the largest time, of which compaction may have left no record; then the answer is
    // none, or the newest of another segment.
    let newest_is_empty =
        found.batches.iter().any(|(header, _)| header.count == 0 && Some(header.max_timestamp) >= newest);
    if Some(told) != expected && !newest_is_empty {
        return Err(format!("the newest record is {told}, not {expected:?}"));
    }
    Ok(())
}

/// Committed offsets are the last that were confirmed, or one asked for since.
fn offsets(world: &mut World) -> Result<(), Finding> {
    let wanted: Vec<_> = world.ledger.lock().offsets.keys().cloned().collect();
    for key in wanted {
        let (group, id, index) = key.clone();
        let name: Arc<str> = world.ledger.lock().topics[&id].name.as_str().into();
        let topics = Some(vec![(Arc::clone(&name), vec![index])]);
        let fetch = FetchOffsets { group: group.as_str().into(), member: None, epoch: -1, topics };
        let told = world.until_loaded(move |engine| {
            let fetch = fetch.clone();
            async move { engine.committed_offsets(fetch).await }
        });
        let told = told.map_err(|refusal| format!("offsets of {group} are not told: {refusal:?}"))?;
        let told =
            told.first().and_then(|topic| topic.partitions.first()).and_then(|(_, offset)| offset.clone());
        let told = told.map(|committed| committed.offset.0);
        let mut ledger = world.ledger.lock();
        let account = ledger.offsets.get_mut(&key).unwrap();
        let fits = told == account.confirmed || told.is_some_and(|told| account.asked.contains(&told));
        if !fits {
            return Err(format!("{group} has {told:?} of {name}-{index}, not one of {account:?}"));
        }
        account.confirmed = told;
        account.asked.clear();
    }
    Ok(())
}

/// Clients come back: idempotent producers send again what they may not have heard of, and everybody goes on.
pub fn come_back(world: &mut World) -> Result<(), Finding> {
    for (id, index) in places(world) {
        let (again, end) = {
            let mut ledger = world.ledger.lock();
            let policy = ledger.topics[&id].policy;
            let account = ledger.partition(id, index);
            let mut again: Vec<Arc<Batch>> = Vec::new();
            for producer in account.sequences.keys() {
                let own = |batch: &&Arc<Batch>| batch.producer.is_some_and(|(id, _)| id == *producer);
                // Of a compacted log a start finds but the last.
                let known = if policy.compaction.is_some() { 1 } else { 3 };
                let own = account.batches.iter().filter(own).rev().take(known);
                let whole = own.take_while(|batch| batch.first >= account.start.0);
                again.extend(whole.cloned().collect::<Vec<_>>().into_iter().rev());
            }
            (again, account.promised)
        };
        for batch in again {
            let appended = world.append(id, index, &batch);
            let first =
                appended.map_err(|refused| format!("{id}-{index}: sent again: {refused:?}"))?.written().first;
            if first != batch.first {
                return Err(format!("{id}-{index}: a batch sent again got {first}, not {}", batch.first));
            }
        }
        let now = find(world.broker(), id, index, At::Latest)?.offset;
        if now != end {
            return Err(format!("{id}-{index}: ends at {now}, not {end}, after nothing new was sent"));
        }
    }
    Ok(())
}
