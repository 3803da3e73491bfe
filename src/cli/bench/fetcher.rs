//! Fetching partitions on one connection, one request at a time, as consumers do: checks every batch that comes and
//! counts its records without reading them. Must not know when to fetch, nor when to stop.

use super::super::client::{ClientError, Lane};
use super::super::failure::Failure;
use super::target::Seat;
use super::{DISAGREES, Run};
use crate::record::{BatchHeader, check_crc, split_batches};
use crate::wire::Records;
use crate::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};

/// Longest wait of a broker for records.
const WAIT_MS_MAX: i32 = 500;
/// Most bytes of one answer, as of consumers of Kafka.
const ANSWER_BYTES: i32 = 50 << 20;

/// A partition that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The partition.
    pub partition: i32,
    /// Offset of its first record.
    pub start: i64,
    /// Offset of the next record.
    pub next: i64,
    /// Where to stop.
    pub end: i64,
}

/// Fetches spans.
pub struct Fetcher {
    lane: Lane,
    topic: String,
    version: i16,
    fetch_bytes: i32,
    correlation: i32,
    /// The spans; each is read up to its end.
    pub spans: Vec<Span>,
}

/// What an answer held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Haul {
    /// Records.
    pub records: u64,
    /// Bytes of batches.
    pub bytes: u64,
}

impl Fetcher {
    /// A fetcher of spans at a seat.
    pub async fn new(run: &Run, seat: &Seat, spans: Vec<Span>, fetch: usize) -> Result<Fetcher, ClientError> {
        Ok(Fetcher {
            lane: run.client.lane(&seat.address).await?,
            topic: run.target.topic.name.clone(),
            version: run.client.version_at::<FetchRequest>(&seat.address).await?,
            fetch_bytes: i32::try_from(fetch).unwrap_or(i32::MAX),
            correlation: 0,
            spans,
        })
    }

    /// Whether every span was read.
    pub fn is_done(&self) -> bool {
        self.spans.iter().all(|span| span.next >= span.end)
    }

    /// Reads everything once more.
    pub fn rewind(&mut self) {
        self.spans.iter_mut().for_each(|span| span.next = span.start);
    }

    /// Sends a request for what is left. Another partition comes first each time, since brokers fill answers in order.
    pub async fn ask(&mut self) -> Result<(), ClientError> {
        if !self.spans.is_empty() {
            self.spans.rotate_left(1);
        }
        let left = self.spans.iter().filter(|span| span.next < span.end);
        let partitions = left.map(|span| FetchPartition {
            partition: span.partition,
            fetch_offset: span.next,
            partition_max_bytes: self.fetch_bytes,
            ..FetchPartition::default()
        });
        let request = FetchRequest {
            replica_id: -1,
            max_wait_ms: WAIT_MS_MAX,
            min_bytes: 1,
            max_bytes: ANSWER_BYTES,
            topics: vec![FetchTopic {
                topic: self.topic.as_str().into(),
                partitions: partitions.collect(),
                ..FetchTopic::default()
            }],
            ..FetchRequest::default()
        };
        self.correlation = self.correlation.wrapping_add(1);
        self.lane.writer.push_request(&request, self.version, self.correlation)?;
        self.lane.writer.flush().await
    }

    /// Waits for the answer and shows each batch with its partition. Moves the spans on behind them.
    pub async fn take(
        &mut self,
        mut each: impl FnMut(i32, &BatchHeader) -> Result<(), Failure>,
    ) -> Result<Haul, Failure> {
        let answer = self.lane.reader.answer::<FetchRequest>(self.version, self.correlation).await?;
        self.refused(answer.error_code, "", None)?;
        let mut haul = Haul::default();
        for entry in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
            self.take_partition(&entry, &mut haul, &mut each)?;
        }
        Ok(haul)
    }

    fn take_partition(
        &mut self,
        entry: &PartitionData,
        haul: &mut Haul,
        each: &mut impl FnMut(i32, &BatchHeader) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let partition = entry.partition_index;
        self.refused(entry.error_code, &format!("-{partition}"), Some(entry))?;
        let Some(Records::Bytes(bytes)) = &entry.records else { return Ok(()) };
        let Some(span) = self.spans.iter_mut().find(|span| span.partition == partition) else {
            return Err(Failure::new(DISAGREES, format!("partition {partition} came and was not asked for")));
        };
        for batch in split_batches(bytes) {
            let place = || format!("{}-{partition} at offset {}", self.topic, span.next);
            let damaged = |why| ClientError::Damaged { place: place(), why };
            let (header, batch) = batch.map_err(damaged)?;
            check_crc(&batch).map_err(damaged)?;
            // A batch is whole even if only its last record was asked for; nothing comes twice.
            let wanted = if span.next == span.start {
                span.next <= header.last_offset().0
            } else {
                span.next <= header.base_offset.0
            };
            if !wanted {
                let found = format!("batch of offsets {} to {}", header.base_offset, header.last_offset());
                return Err(Failure::new(DISAGREES, format!("{}: a {found} came instead", place())));
            }
            span.next = header.next_offset().0;
            haul.bytes += batch.len() as u64;
            if !header.is_control() {
                haul.records += u64::from(header.count.unsigned_abs());
                each(partition, &header)?;
            }
        }
        Ok(())
    }

    fn refused(
        &self,
        code: crate::types::ErrorCode,
        place: &str,
        entry: Option<&PartitionData>,
    ) -> Result<(), Failure> {
        if code.is_none() {
            return Ok(());
        }
        let has = entry.filter(|entry| entry.high_watermark >= 0);
        let has =
            has.map(|entry| format!("it has offsets {} to {}", entry.log_start_offset, entry.high_watermark));
        Err(ClientError::Refused { code, what: format!("cannot read {}{place}", self.topic), message: has }
            .into())
    }
}
