//! Reading records: from an offset to an offset, partition by partition in their order.

use super::error::check;
use super::{Client, ClientError, TRIES_MAX, Topic};
use crate::record::{Record, check_crc, read_records, split_batches};
use crate::types::ErrorCode;
use crate::wire::Records;
use crate::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use bytes::Bytes;
use std::collections::VecDeque;

/// Longest wait of a broker for records.
const WAIT_MS_MAX: i32 = 500;
/// Most bytes of one answer.
const ANSWER_BYTES: i32 = 16 << 20;
/// Most bytes of one partition in an answer.
const PARTITION_BYTES: i32 = 4 << 20;
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
    /// Failures without a success between them.
    failures: u32,
}

impl<'a> RecordReader<'a> {
    /// A reader of these spans.
    pub fn new(client: &'a Client, topic: Topic, spans: Vec<Span>) -> RecordReader<'a> {
        RecordReader { client, topic, spans, ready: VecDeque::new(), failures: 0 }
    }

    /// Whether the next record has still to be fetched.
    pub fn would_wait(&self) -> bool {
        self.ready.is_empty()
    }

    /// The next record with its partition; `None` once all spans are read. Waits for records that are still to come
    /// where a span has no end.
    pub async fn next(&mut self) -> Result<Option<(i32, Record)>, ClientError> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(Some(record));
            }
            if self.spans.iter().all(Span::is_read) {
                return Ok(None);
            }
            match self.fetch().await {
                Ok(()) => self.failures = 0,
                Err(error) if error.is_passing() && self.failures < TRIES_MAX => {
                    self.failures += 1;
                    self.client.pause(self.failures).await;
                    if let Ok(topic) = self.client.topic(&self.topic.name, false).await {
                        self.topic = topic;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn fetch(&mut self) -> Result<(), ClientError> {
        let wanted: Vec<i32> =
            self.spans.iter().filter(|span| !span.is_read()).map(|span| span.partition).collect();
        let leaders = self.topic.by_leader(&wanted)?;
        // With several leaders, waiting at one keeps the others' records waiting.
        let wait_ms = if leaders.len() > 1 { WAIT_MS_MAX / 10 } else { WAIT_MS_MAX };
        for (address, partitions) in leaders {
            let request = self.request(&partitions, wait_ms);
            let answer = self.client.link(&address).await?.call(&request).await?;
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
                partitions: wanted.collect(),
                ..FetchTopic::default()
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
