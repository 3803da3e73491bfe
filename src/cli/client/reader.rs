//! Reading records: from an offset to an offset, partition by partition in their order.

use super::error::check;
use super::heart::FAILURES_MAX;
use super::{Client, ClientError, TRIES_MAX, Topic};
use crate::record::{Record, check_crc, read_records, split_batches};
use crate::types::ErrorCode;
use crate::wire::Records;
use crate::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// Longest wait of a broker for records.
const WAIT_MS_MAX: i32 = 500;
/// Most bytes of one answer.
const ANSWER_BYTES: i32 = 16 << 20;
/// Most bytes of one partition in an answer.
const PARTITION_BYTES: i32 = 4 << 20;
/// Versions of Fetch that know topics by name, and by id (KIP-516): a topic that was made again under its name is not
/// the one whose offsets we know.
const BY_NAME: i16 = 12;
const BY_ID: i16 = 13;
/// Most bytes a batch may have after decompression.
const BATCH_BYTES_MAX: usize = 512 << 20;

/// What to read of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The partition.
    pub partition: i32,
    /// Offset of the next record.
    pub next: i64,
    /// Offset before which to stop; none to wait for more for ever.
    pub until: Option<i64>,
}

impl Span {
    fn is_read(&self) -> bool {
        self.until.is_some_and(|until| self.next >= until)
    }
}

/// Reads spans of one topic.
pub struct RecordReader<'a> {
    client: &'a Client,
    topic: Topic,
    spans: Vec<Span>,
    ready: VecDeque<(i32, Record)>,
    /// Failures without a success between them, and how many are borne.
    failures: u32,
    failures_max: u32,
}

impl<'a> RecordReader<'a> {
    /// A reader of these spans.
    pub fn new(client: &'a Client, topic: Topic, spans: Vec<Span>) -> RecordReader<'a> {
        let failures_max = TRIES_MAX;
        RecordReader { client, topic, spans, ready: VecDeque::new(), failures: 0, failures_max }
    }

    /// Bears as many failures in a row as the member of a group does.
    pub fn patient(self) -> RecordReader<'a> {
        RecordReader { failures_max: FAILURES_MAX, ..self }
    }

    /// Whether the next record has still to be fetched.
    pub fn would_wait(&self) -> bool {
        self.ready.is_empty()
    }

    /// Whether all spans were given out.
    pub fn is_done(&self) -> bool {
        self.ready.is_empty() && self.spans.iter().all(Span::is_read)
    }

    /// The next record with its partition; `None` once all spans are read. Waits for records that are still to come
    /// where a span has no end.
    pub async fn next(&mut self) -> Result<Option<(i32, Record)>, ClientError> {
        loop {
            if let Some(record) = self.pop() {
                return Ok(Some(record));
            }
            if self.is_done() {
                return Ok(None);
            }
            self.fill().await?;
        }
    }

    /// A record that is here already.
    pub fn pop(&mut self) -> Option<(i32, Record)> {
        self.ready.pop_front()
    }

    /// Fetches once, and again where that failed in passing. May be dropped at any time.
    pub async fn fill(&mut self) -> Result<(), ClientError> {
        loop {
            match self.fetch().await {
                Ok(()) => {
                    self.failures = 0;
                    return Ok(());
                }
                Err(error) if self.may_repeat(&error) => {
                    self.failures += 1;
                    self.client.pause(self.failures).await;
                    if let Ok(topic) = self.client.topic(&self.topic.name, false).await {
                        self.find_again(topic)?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The leaders may be others by now.
    fn find_again(&mut self, topic: Topic) -> Result<(), ClientError> {
        if topic.id != self.topic.id {
            return Err(ClientError::Refused {
                code: ErrorCode::UNKNOWN_TOPIC_ID,
                what: format!("cannot read on in topic `{}`", topic.name),
                message: Some("it was deleted and made again meanwhile".to_owned()),
            });
        }
        self.topic = topic;
        Ok(())
    }

    /// The topic that it reads.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// A patient reader waits for a broker that hangs, too: reading twice does no harm.
    fn may_repeat(&self, error: &ClientError) -> bool {
        let is_patient = self.failures_max > TRIES_MAX;
        let may = if is_patient { error.may_heal() } else { error.is_passing() };
        may && self.failures < self.failures_max
    }

    /// Offset of the next record to give out, of each partition. What holds no records, as the marks of
    /// transactions, is passed over.
    pub fn positions(&self) -> BTreeMap<i32, i64> {
        let mut positions: BTreeMap<i32, i64> =
            self.spans.iter().map(|span| (span.partition, span.next)).collect();
        for (partition, record) in self.ready.iter().rev() {
            positions.insert(*partition, record.offset.0);
        }
        positions
    }

    /// Reads these spans too, of the topic as it is now.
    pub fn add(&mut self, topic: Topic, spans: impl IntoIterator<Item = Span>) {
        self.topic = topic;
        self.spans.extend(spans);
    }

    /// Reads a partition no further, and forgets what was fetched of it.
    pub fn drop_partitions(&mut self, gone: impl Fn(i32) -> bool) {
        self.spans.retain(|span| !gone(span.partition));
        self.ready.retain(|(partition, _)| !gone(*partition));
    }

    async fn fetch(&mut self) -> Result<(), ClientError> {
        let wanted: Vec<i32> =
            self.spans.iter().filter(|span| !span.is_read()).map(|span| span.partition).collect();
        let leaders = self.topic.by_leader(&wanted)?;
        // With several leaders, waiting at one keeps the others' records waiting.
        let wait_ms = if leaders.len() > 1 { WAIT_MS_MAX / 10 } else { WAIT_MS_MAX };
        for (address, partitions) in leaders {
            let request = self.request(&partitions, wait_ms);
            let most = if self.topic.id.is_zero() { BY_NAME } else { BY_ID };
            let answer = self.client.link(&address).await?.call_within(&request, most).await?;
            check(answer.error_code, || format!("cannot read topic `{}`", self.topic.name), None)?;
            for entry in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
                let partition = entry.partition_index;
                let what = || format!("cannot read {}-{partition}", self.topic.name);
                let message = (entry.error_code == ErrorCode::OFFSET_OUT_OF_RANGE).then(|| {
                    format!("it has offsets {} to {}", entry.log_start_offset, entry.high_watermark)
                });
                check(entry.error_code, what, message.as_deref())?;
                if let Some(Records::Bytes(bytes)) = entry.records {
                    self.take_in(partition, &bytes)?;
                }
            }
        }
        Ok(())
    }

    fn request(&self, partitions: &[i32], max_wait_ms: i32) -> FetchRequest {
        let spans = self.spans.iter().filter(|span| partitions.contains(&span.partition));
        let wanted = spans.map(|span| FetchPartition {
            partition: span.partition,
            fetch_offset: span.next,
            partition_max_bytes: PARTITION_BYTES,
            ..FetchPartition::default()
        });
        FetchRequest {
            replica_id: -1,
            max_wait_ms,
            min_bytes: 1,
            max_bytes: ANSWER_BYTES,
            topics: vec![FetchTopic {
                topic: self.topic.name.as_str().into(),
                topic_id: self.topic.id,
                partitions: wanted.collect(),
            }],
            ..FetchRequest::default()
        }
    }

    fn take_in(&mut self, partition: i32, bytes: &Bytes) -> Result<(), ClientError> {
        let Some(span) = self.spans.iter_mut().find(|span| span.partition == partition) else {
            return Ok(());
        };
        let place = |span: &Span| format!("{}-{partition} at offset {}", self.topic.name, span.next);
        for batch in split_batches(bytes) {
            let damaged = |why| ClientError::Damaged { place: place(span), why };
            let (header, batch) = batch.map_err(damaged)?;
            check_crc(&batch).map_err(damaged)?;
            // A batch is whole even if only its last record was asked for.
            let wanted = span.next..span.until.unwrap_or(i64::MAX);
            if !header.is_control() && header.last_offset().0 >= wanted.start {
                for record in read_records(&batch, BATCH_BYTES_MAX).map_err(damaged)? {
                    let record = record.map_err(damaged)?;
                    if wanted.contains(&record.offset.0) {
                        self.ready.push_back((partition, record));
                    }
                }
            }
            span.next = span.next.max(header.next_offset().0);
        }
        Ok(())
    }
}
