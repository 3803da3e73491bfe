//! Calls that are not measured: one connection that blocks, over Logboom's own codec. Any code that is an error ends
//! the run: a benchmark that goes on without what it asked for measures something else.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use logboom::types::ErrorCode;
use logboom::wire::Request;
use logboom::wire::frame::{decode_response, encode_request};
use logboom::wire::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use logboom::wire::messages::delete_topics::DeleteTopicsRequest;
use logboom::wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use logboom::wire::messages::metadata::MetadataRequest;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Creating ten thousand partitions takes Kafka its time.
const CALL_MAX: Duration = Duration::from_secs(300);
/// How long a partition may be without a leader after its topic was made.
const READY_MAX: Duration = Duration::from_secs(120);
/// End of the log, in ListOffsets.
const LATEST: i64 = -1;
/// Most partitions in one ListOffsets.
const PARTITIONS_AT_ONCE: i32 = 2000;

/// A connection.
pub struct Caller {
    socket: TcpStream,
    calls: i32,
}

impl Caller {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(address: SocketAddr) -> Result<Caller> {
        let socket = TcpStream::connect_timeout(&address, CALL_MAX)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(CALL_MAX))?;
        Ok(Caller { socket, calls: 0 })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The connection ends, no answer comes in time, or it cannot be read.
    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response> {
        self.calls += 1;
        let frame = encode_request(request, version, self.calls, Some("peers"))?.to_bytes()?;
        self.socket.write_all(&frame)?;
        let mut length = [0; 4];
        self.socket.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut answer)?;
        let (correlation, response) = decode_response::<R>(Bytes::from(answer), version)?;
        ensure!(correlation == self.calls, "an answer to another call");
        Ok(response)
    }

    /// Whether a broker and a controller are there.
    ///
    /// # Errors
    /// As [`Caller::call`].
    pub fn ready(&mut self) -> Result<bool> {
        let request = MetadataRequest { topics: Some(Vec::new()), ..MetadataRequest::default() };
        let answer = self.call(&request, 12)?;
        Ok(!answer.brokers.is_empty() && answer.controller_id >= 0)
    }

    /// Makes a topic and waits until each partition has a leader.
    ///
    /// # Errors
    /// As [`Caller::call`], the broker's error, and a partition that is not ready in time.
    pub fn create(&mut self, name: &str, partitions: i32) -> Result<()> {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 240_000, validate_only: false };
        let answer = self.call(&request, 7)?;
        let made = answer.topics.first().context("no answer")?;
        ensure!(
            made.error_code.is_none(),
            "{name} was not created: {} {:?}",
            made.error_code,
            made.error_message
        );
        let begun = Instant::now();
        loop {
            match self.ends(name, partitions) {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > READY_MAX => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Deletes a topic.
    ///
    /// # Errors
    /// As [`Caller::call`], and the broker's error.
    pub fn delete(&mut self, name: &str) -> Result<()> {
        let request = DeleteTopicsRequest {
            topic_names: vec![name.into()],
            timeout_ms: 60_000,
            ..DeleteTopicsRequest::default()
        };
        let answer = self.call(&request, 5)?;
        let gone = answer.responses.first().context("no answer")?;
        ensure!(gone.error_code.is_none(), "{name} was not deleted: {}", gone.error_code);
        Ok(())
    }

    /// The end of each partition, by index: offsets that the broker says it has.
    ///
    /// # Errors
    /// As [`Caller::call`], and the first error of a partition.
    pub fn ends(&mut self, name: &str, partitions: i32) -> Result<Vec<i64>> {
        let mut ends = vec![-1; usize::try_from(partitions)?];
        for first in (0..partitions).step_by(PARTITIONS_AT_ONCE as usize) {
            let indexes = first..partitions.min(first + PARTITIONS_AT_ONCE);
            let asked = indexes.map(|index| ListOffsetsPartition {
                partition_index: index,
                timestamp: LATEST,
                ..ListOffsetsPartition::default()
            });
            let topic = ListOffsetsTopic { name: name.into(), partitions: asked.collect() };
            let request =
                ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..ListOffsetsRequest::default() };
            let answer = self.call(&request, 7)?;
            for found in answer.topics.iter().flat_map(|topic| &topic.partitions) {
                if found.error_code != ErrorCode::NONE {
                    bail!("the end of {name}-{}: {}", found.partition_index, found.error_code);
                }
                *ends
                    .get_mut(usize::try_from(found.partition_index)?)
                    .context("a partition not asked for")? = found.offset;
            }
        }
        ensure!(ends.iter().all(|end| *end >= 0), "not every end was answered");
        Ok(ends)
    }
}
