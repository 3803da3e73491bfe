//! Looks at a broker that came up after a power cut: is everything there that was acknowledged before it, with its
//! offset and its bytes, and nothing that nobody sent? It must not know how the disk came about.

use crate::client::{Client, EARLIEST, LATEST, MARK, Place, Refused, Sent, patiently};
use crate::history::{
    Batch, Commit, History, Keeps, TopicLife, is_tombstone, key, number_of, number_of_mark,
};
use crate::keys;
use crate::work::{bytes_of, producer_id};
use anyhow::{Context, Result, ensure};
use logboom::record::Record;
use logboom::types::ErrorCode;
use logboom::wire::messages::metadata::MetadataRequest;
use logboom::wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// What was found after one cut.
#[derive(Debug, Default)]
pub struct Findings {
    /// Records that were acknowledged before the cut and are not there.
    pub lost: u64,
    /// Records that are there twice.
    pub doubled: u64,
    /// Acknowledged records that are gone because their key has a later one.
    pub compacted: u64,
    /// Keys of which nothing is left but that their tombstone was acknowledged.
    pub keys_gone: u64,
    /// Acknowledged records that retention took.
    pub retained: u64,
    /// What else was wrong, and the first of the losses.
    pub wrong: Vec<String>,
    /// Records that were read.
    pub read: u64,
}

impl Findings {
    /// Nothing was lost and nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.wrong.is_empty()
    }

    fn expect(&mut self, good: bool, what: impl FnOnce() -> String) {
        // Twenty say enough.
        if !good && self.wrong.len() < 20 {
            self.wrong.push(what());
        }
    }
}

/// One look at a broker.
struct Look<'a> {
    history: &'a History,
    by_number: BTreeMap<(u32, u64), &'a Batch>,
    seed: u64,
    cut: usize,
    client: Client,
    findings: Findings,
}

/// Compares a broker with what was asked before the cut.
///
/// # Errors
/// The broker refuses to answer, or ends.
pub fn check(history: &History, seed: u64, cut: usize, address: SocketAddr) -> Result<Findings> {
    let client = Client::connect(address)?;
    let by_number = history.by_number();
    let mut look = Look { history, by_number, seed, cut, client, findings: Findings::default() };
    let there = look.topics()?;
    for topic in &history.topics {
        if there.contains(&topic.name) {
            for partition in 0..topic.partitions {
                look.partition(topic, (topic.name.clone(), partition))?;
            }
        }
    }
    look.groups()?;
    look.producers(&there)?;
    look.goes_on(&there)?;
    Ok(look.findings)
}

/// Has the broker open every partition that it may have, so that it recovers them.
///
/// # Errors
/// It cannot be reached.
pub fn open_all(history: &History, address: SocketAddr) -> Result<()> {
    let mut client = Client::connect(address)?;
    let answer = client.call(&MetadataRequest { topics: None, ..MetadataRequest::default() }, 12)?;
    let there: BTreeSet<&str> = answer.topics.iter().filter_map(|topic| topic.name.as_deref()).collect();
    for topic in history.topics.iter().filter(|topic| there.contains(topic.name.as_str())) {
        for partition in 0..topic.partitions {
            client.offset(&(topic.name.clone(), partition), LATEST)?;
        }
    }
    Ok(())
}

impl Look<'_> {
    /// The topics that are there and were not about to be deleted.
    fn topics(&mut self) -> Result<BTreeSet<String>> {
        let answer = self.client.call(&MetadataRequest { topics: None, ..MetadataRequest::default() }, 12)?;
        let cut = self.cut;
        let mut there = BTreeMap::new();
        for topic in &answer.topics {
            let name = topic.name.as_ref().map_or(String::new(), ToString::to_string);
            self.findings.expect(topic.error_code.is_none(), || format!("{name}: {:?}", topic.error_code));
            if !topic.is_internal {
                there.insert(name, topic.partitions.len());
            }
        }
        let known: BTreeMap<&str, &TopicLife> =
            self.history.topics.iter().map(|topic| (topic.name.as_str(), topic)).collect();
        for name in there.keys() {
            let may_be = known.get(name.as_str()).is_some_and(|topic| topic.made.may_be_done(cut));
            self.findings.expect(may_be, || format!("the topic {name} was not asked for"));
        }
        for topic in known.values() {
            let deleted = topic.deleted.is_some_and(|span| span.is_promised(cut));
            let may_be_deleted = topic.deleted.is_some_and(|span| span.may_be_done(cut));
            let found = there.get(&topic.name);
            if deleted {
                self.findings.expect(found.is_none(), || format!("the deleted topic {} is back", topic.name));
            } else if topic.made.is_promised(cut) && !may_be_deleted {
                let whole = found.is_some_and(|count| *count as i32 == topic.partitions);
                self.findings.expect(whole, || format!("the topic {} is {found:?}", topic.name));
                if found.is_none() {
                    self.findings.lost += self.promised_to(&topic.name);
                }
            }
            if may_be_deleted {
                there.remove(&topic.name);
            }
        }
        Ok(there.into_keys().collect())
    }

    fn promised_to(&self, topic: &str) -> u64 {
        let lost = |batch: &&Batch| batch.place.0 == topic && batch.span.is_promised(self.cut);
        self.history.batches.iter().filter(lost).map(|batch| batch.count).sum()
    }

    fn partition(&mut self, topic: &TopicLife, place: Place) -> Result<()> {
        let start = self.client.offset(&place, EARLIEST)?;
        let end = self.client.offset(&place, LATEST)?;
        let records = self.client.read(&place, start, end)?;
        let compacted = topic.keeps.is_compacted();
        self.findings.read += records.len() as u64;
        match topic.keeps {
            Keeps::Bytes(bytes) => self.end_alone(&place, start, bytes),
            _ => self.front(&place, start),
        }
        let mut seen = BTreeSet::new();
        let mut found = BTreeMap::new();
        let mut next = start;
        for record in &records {
            let offset = record.offset.0;
            let follows = if compacted { offset >= next } else { offset == next };
            self.findings.expect(follows, || format!("{place:?}: {offset} follows where {next} should be"));
            next = offset + 1;
            if let Some(number) = self.sent(topic, &place, record) {
                let first = seen.insert(number);
                self.findings.doubled += u64::from(!first);
                self.findings.expect(first, || format!("{place:?}: {number:?} is there twice"));
                found.insert(offset, number);
            }
        }
        self.findings.expect(compacted || next == end, || format!("{place:?}: {next} is not the end {end}"));
        if compacted {
            self.latest_of_keys(&place, &found);
        } else {
            self.promised(&place, start, &found);
        }
        Ok(())
    }

    /// The front is neither before what was promised nor behind what was asked for.
    fn front(&mut self, place: &Place, start: i64) {
        let cut = self.cut;
        let fronts = || self.history.fronts.iter().filter(|front| front.place == *place);
        let promised = fronts().filter(|front| front.span.is_promised(cut)).map(|front| front.offset).max();
        let asked = fronts().filter(|front| front.span.may_be_done(cut)).map(|front| front.offset).max();
        let (low, high) = (promised.unwrap_or(0), asked.unwrap_or(0));
        self.findings.expect((low..=high).contains(&start), || {
            format!("{place:?} begins at {start}, and should between {low} and {high}")
        });
    }

    /// Retention took no less than somebody was told, and left as much as the topic keeps.
    fn end_alone(&mut self, place: &Place, start: i64, keeps: usize) {
        let cut = self.cut;
        let shown = self.history.starts.iter().filter(|shown| shown.place == *place);
        let shown = shown.filter(|shown| shown.span.is_promised(cut)).map(|shown| shown.offset).max();
        let shown = shown.unwrap_or(0);
        self.findings.expect(shown <= start, || format!("{place:?} begins at {start} again, after {shown}"));
        // Retention counted what was under way, too.
        let done = |batch: &&Batch| batch.place == *place && batch.span.may_be_done(cut);
        let (gone, stay): (Vec<&Batch>, Vec<&Batch>) = self
            .history
            .batches
            .iter()
            .filter(done)
            .partition(|batch| batch.base.is_some_and(|base| base < start));
        let left: usize = stay.iter().map(|batch| bytes_of(self.seed, batch).len()).sum();
        self.findings.retained += gone.iter().map(|batch| batch.count).sum::<u64>();
        self.findings.expect(gone.is_empty() || left >= keeps, || {
            format!("{place:?} begins at {start}, and keeps {left} bytes of {keeps}")
        });
    }

    /// Whose and which a record is, if somebody sent it here.
    fn sent(&mut self, topic: &TopicLife, place: &Place, record: &Record) -> Option<(u32, u64)> {
        let offset = record.offset.0;
        let compacted = topic.keeps.is_compacted();
        let read = match &record.value {
            Some(value) => {
                number_of(self.seed, value).filter(|(_, number)| !compacted || !is_tombstone(*number))
            }
            None => tombstone(record).filter(|(_, number)| compacted && is_tombstone(*number)),
        };
        let Some((worker, number)) = read else {
            self.findings.expect(false, || format!("{place:?}: the bytes at {offset} are wrong"));
            return None;
        };
        let batch =
            self.by_number.range(..=(worker, number)).next_back().map(|(_, batch)| *batch).filter(|batch| {
                batch.worker == worker && number < batch.first + batch.count && batch.place == *place
            });
        let right_key = record.key == compacted.then(|| key(number));
        let known = batch.is_some_and(|batch| {
            let at = batch.base.map_or(offset, |base| base + (number - batch.first) as i64);
            batch.span.may_be_done(self.cut) && at == offset
        });
        self.findings.expect(known && right_key, || {
            format!(
                "{place:?}: {worker}/{number} is at {offset}, and was not sent or acknowledged so: {batch:?}"
            )
        });
        Some((worker, number))
    }

    fn promised(&mut self, place: &Place, start: i64, found: &BTreeMap<i64, (u32, u64)>) {
        for batch in self.history.batches.iter().filter(|batch| batch.place == *place) {
            let (true, Some(base)) = (batch.span.is_promised(self.cut), batch.base) else { continue };
            for i in 0..batch.count {
                let offset = base + i as i64;
                if offset >= start && found.get(&offset) != Some(&(batch.worker, batch.first + i)) {
                    self.findings.lost += 1;
                    let span = batch.span;
                    let lost =
                        || format!("{place:?}: {offset} was acknowledged at {span:?} and is not there");
                    self.findings.expect(false, lost);
                }
            }
        }
    }

    /// In a compacted partition older records of a key may be gone.
    fn latest_of_keys(&mut self, place: &Place, found: &BTreeMap<i64, (u32, u64)>) {
        let there = found.values().map(|(_, number)| *number).collect();
        let keys = keys::judge(self.history, place, self.cut, &there);
        self.findings.compacted += keys.compacted;
        self.findings.keys_gone += keys.gone;
        self.findings.lost += keys.wrong.len() as u64;
        for wrong in keys.wrong {
            self.findings.expect(false, || wrong);
        }
    }

    fn groups(&mut self) -> Result<()> {
        let mut by_place: BTreeMap<(&str, &Place), Vec<&Commit>> = BTreeMap::new();
        for commit in &self.history.commits {
            by_place.entry((&commit.group, &commit.place)).or_default().push(commit);
        }
        for ((group, place), commits) in by_place {
            let promised = commits.iter().rposition(|commit| commit.span.is_promised(self.cut));
            let possible: Vec<i64> = commits[promised.unwrap_or(0)..]
                .iter()
                .filter(|commit| commit.span.may_be_done(self.cut))
                .map(|commit| commit.offset)
                .collect();
            let (offset, text) = self.committed(group, place)?;
            let good =
                possible.contains(&offset) && text == offset.to_string() || promised.is_none() && offset < 0;
            self.findings.expect(good, || {
                format!(
                    "{group} has committed {offset} ({text}) of {place:?}, and should one of {possible:?}"
                )
            });
        }
        Ok(())
    }

    fn committed(&mut self, group: &str, place: &Place) -> Result<(i64, String)> {
        let topic = OffsetFetchRequestTopics {
            name: place.0.as_str().into(),
            partition_indexes: vec![place.1],
            ..OffsetFetchRequestTopics::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![topic]),
            ..OffsetFetchRequestGroup::default()
        };
        let request = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
        patiently(|| {
            let answer = self.client.call(&request, 9)?;
            let group = answer.groups.first().context("no answer")?;
            let found = group.topics.first().and_then(|topic| topic.partitions.first());
            let text =
                found.and_then(|found| found.metadata.as_ref()).map_or(String::new(), ToString::to_string);
            Ok((group.error_code, (found.map_or(-1, |found| found.committed_offset), text)))
        })
        .context("committed offsets")
    }

    /// The last batches of idempotent producers are known: sent again they change nothing. Ids are not given twice.
    fn producers(&mut self, there: &BTreeSet<String>) -> Result<()> {
        let mut last: BTreeMap<&Place, &Batch> = BTreeMap::new();
        for batch in &self.history.batches {
            if batch.identity.is_some() && batch.span.is_promised(self.cut) && there.contains(&batch.place.0)
            {
                last.insert(&batch.place, batch);
            }
        }
        for (place, batch) in last {
            let end = self.client.offset(place, LATEST)?;
            let again = self.client.produce(vec![(place.clone(), bytes_of(self.seed, batch))]);
            let known = match &again {
                Ok(bases) => bases.first().copied() == batch.base,
                Err(error) => {
                    let refused = error.downcast_ref::<Refused>();
                    refused.is_some_and(|refused| refused.code == ErrorCode::DUPLICATE_SEQUENCE_NUMBER)
                }
            };
            let stays = self.client.offset(place, LATEST)? == end;
            self.findings.expect(known && stays, || {
                format!("{place:?}: {batch:?} was sent again, and the answer is {again:?}")
            });
        }
        let (id, _) = producer_id(&mut self.client)?;
        let new = !self.history.producers.contains(&id) || self.given_later(id);
        self.findings.expect(new, || format!("the producer id {id} was given twice"));
        Ok(())
    }

    /// The id was first given after the cut.
    fn given_later(&self, id: i64) -> bool {
        let of = |batch: &&Batch| batch.identity.is_some_and(|identity| identity.id == id);
        self.history.batches.iter().filter(of).all(|batch| !batch.span.may_be_done(self.cut))
    }

    /// Every topic takes a record at its end and gives it back.
    fn goes_on(&mut self, there: &BTreeSet<String>) -> Result<()> {
        for name in there {
            let place: Place = (name.clone(), 0);
            let end = self.client.offset(&place, LATEST)?;
            let last = crate::client::batch_of(
                logboom::record::BatchBuilder::new(),
                &[Sent::Value(Some(key(0)), bytes::Bytes::from_static(b"after the cut"))],
            );
            let bases = self.client.produce(vec![(place.clone(), last)])?;
            ensure!(bases == [end], "{place:?}: a record went to {bases:?} and not to the end {end}");
            let back = self.client.read(&place, end, end + 1)?;
            let same = back.first().is_some_and(|record| record.value.as_deref() == Some(b"after the cut"));
            self.findings.expect(same, || format!("{place:?}: the record at {end} is not what was sent"));
        }
        Ok(())
    }
}

/// Whose and which a record without a value is.
fn tombstone(record: &Record) -> Option<(u32, u64)> {
    let mark = record.headers.iter().find(|header| header.key.as_str() == MARK)?;
    number_of_mark(mark.value.as_deref()?)
}
