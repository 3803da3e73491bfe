//! A client that blocks, over Logboom's own codec: one connection, one call at a time. It repeats nothing by itself
//! but what a broker that is still loading asks to repeat.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use logboom::record::{BatchBuilder, Record, read_records, split_batches};
use logboom::sys::{Clock, RealClock};
use logboom::types::ErrorCode;
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logboom::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use logboom::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use logboom::wire::{Records, Request};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A call that takes longer hangs.
const CALL_MAX: Duration = Duration::from_secs(30);
/// Answers of a broker that is about to be ready.
pub const LOADING: [ErrorCode; 6] = [
    ErrorCode::LEADER_NOT_AVAILABLE,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ErrorCode::NOT_COORDINATOR,
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
];
/// How much of a partition is fetched at once.
const FETCH_BYTES: i32 = 4 << 20;
/// Oldest offset, in ListOffsets.
pub const EARLIEST: i64 = -2;
/// End of the log, in ListOffsets.
pub const LATEST: i64 = -1;

/// A partition of a topic.
pub type Place = (String, i32);

/// A connection.
pub struct Client {
    socket: TcpStream,
    calls: i32,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(address: SocketAddr) -> Result<Client> {
        let socket = TcpStream::connect_timeout(&address, CALL_MAX)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(CALL_MAX))?;
        Ok(Client { socket, calls: 0 })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The connection ends, no answer comes in time, or it cannot be read.
    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response> {
        self.calls += 1;
        let frame = encode_request(request, version, self.calls, Some("powercut"))?.to_bytes()?;
        self.socket.write_all(&frame)?;
        let mut length = [0; 4];
        self.socket.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut answer)?;
        let (correlation, response) = decode_response::<R>(Bytes::from(answer), version)?;
        ensure!(correlation == self.calls, "an answer to another call");
        Ok(response)
    }

    /// Sends batches with acks=all; the first offset of each.
    ///
    /// # Errors
    /// As `call`, and the first error that the broker gives to a batch.
    pub fn produce(&mut self, batches: Vec<(Place, Bytes)>) -> Result<Vec<i64>> {
        let topic_data = batches.iter().map(|((topic, partition), batch)| TopicProduceData {
            name: topic.as_str().into(),
            partition_data: vec![PartitionProduceData {
                index: *partition,
                records: Some(Records::Bytes(batch.clone())),
            }],
            ..TopicProduceData::default()
        });
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            topic_data: topic_data.collect(),
            ..ProduceRequest::default()
        };
        let answer = self.call(&request, 9)?;
        let mut bases = Vec::new();
        for topic in &answer.responses {
            for partition in &topic.partition_responses {
                if !partition.error_code.is_none() {
                    bail!(Refused {
                        code: partition.error_code,
                        what: format!("produce to {}-{}: {partition:?}", topic.name, partition.index),
                    });
                }
                bases.push(partition.base_offset);
            }
        }
        ensure!(bases.len() == batches.len(), "not every batch was answered");
        Ok(bases)
    }

    /// The offset that ListOffsets gives for a time ([`EARLIEST`], [`LATEST`]).
    ///
    /// # Errors
    /// As `call`, and the broker's error.
    pub fn offset(&mut self, place: &Place, timestamp: i64) -> Result<i64> {
        let partition =
            ListOffsetsPartition { partition_index: place.1, timestamp, ..ListOffsetsPartition::default() };
        let topic = ListOffsetsTopic { name: place.0.as_str().into(), partitions: vec![partition] };
        let request =
            ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..ListOffsetsRequest::default() };
        let found = patiently(|| {
            let answer = self.call(&request, 7)?;
            let found =
                answer.topics.first().and_then(|topic| topic.partitions.first()).context("no answer")?;
            Ok((found.error_code, found.offset))
        });
        found.with_context(|| format!("offsets of {place:?}"))
    }

    /// All records of a partition from an offset on.
    ///
    /// # Errors
    /// As `call`, the broker's error, and bytes that are no batches.
    pub fn read(&mut self, place: &Place, from: i64, until: i64) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut next = from;
        while next < until {
            let bytes = self.fetch(place, next).with_context(|| format!("fetch {place:?} at {next}"))?;
            let begun = next;
            for batch in split_batches(&bytes) {
                let (header, batch) = batch?;
                logboom::record::check_crc(&batch)?;
                for record in read_records(&batch, 64 << 20)? {
                    records.push(record?);
                }
                next = header.next_offset().0;
            }
            ensure!(next > begun, "{place:?}: nothing at {begun} below the end {until}");
        }
        records.retain(|record| record.offset.0 >= from);
        Ok(records)
    }

    fn fetch(&mut self, place: &Place, offset: i64) -> Result<Bytes> {
        let partition = FetchPartition {
            partition: place.1,
            fetch_offset: offset,
            partition_max_bytes: FETCH_BYTES,
            ..FetchPartition::default()
        };
        let topic = FetchTopic {
            topic: place.0.as_str().into(),
            partitions: vec![partition],
            ..FetchTopic::default()
        };
        let request = FetchRequest {
            max_wait_ms: 100,
            max_bytes: FETCH_BYTES,
            topics: vec![topic],
            session_epoch: -1,
            ..FetchRequest::default()
        };
        patiently(|| {
            let answer = self.call(&request, 12)?;
            let topic = answer.responses.first().context("no answer")?;
            let found = topic.partitions.first().context("no answer")?;
            let bytes = match &found.records {
                Some(Records::Bytes(bytes)) => bytes.clone(),
                _ => Bytes::new(),
            };
            Ok((found.error_code, bytes))
        })
    }
}

/// The broker said no.
#[derive(Debug)]
pub struct Refused {
    /// Its code.
    pub code: ErrorCode,
    what: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.code, self.what)
    }
}

impl std::error::Error for Refused {}

/// Asks until the broker has loaded what it is asked for.
///
/// # Errors
/// What `ask` gives, the broker's error, and that it is still loading after 10 s.
pub fn patiently<T>(mut ask: impl FnMut() -> Result<(ErrorCode, T)>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match ask()? {
            (code, value) if code.is_none() => return Ok(value),
            (code, _) if LOADING.contains(&code) && begun.elapsed() < Duration::from_secs(10) => {
                std::thread::sleep(Duration::from_millis(10));
            }
            (code, _) => bail!(Refused { code, what: "refused".to_owned() }),
        }
    }
}

/// A record to be sent.
pub enum Sent {
    /// With or without a key.
    Value(Option<Bytes>, Bytes),
    /// A tombstone: its key, and what its header says.
    Tombstone(Bytes, Bytes),
}

/// Name of the header of a tombstone.
pub const MARK: &str = "mark";

/// A batch of these records, of now: old ones would be deleted by age.
pub fn batch_of(mut builder: BatchBuilder, records: &[Sent]) -> Bytes {
    let now = RealClock::new().wall();
    for record in records {
        match record {
            Sent::Value(key, value) => builder.push(now, key.as_deref(), Some(value), &[]),
            Sent::Tombstone(key, mark) => builder.push(now, Some(key), None, &[(MARK, Some(mark))]),
        }
    }
    builder.build().freeze()
}
