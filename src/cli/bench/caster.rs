//! The requests of one client: which partition, which sequence number, how many records; and their answers. Must not
//! know when they are sent.

use super::super::client::{ClientError, LaneReader, LaneWriter};
use super::Run;
use super::args::{ShapeArgs, WayArgs};
use super::mold::{Cast, Mold};
use super::target::Seat;
use crate::types::{ProducerId, TimestampMs};
use crate::wire::messages::produce::{ProduceRequest, ProduceResponse};

/// How long batches keep one time: long enough to cost nothing, short enough for look-ups by time.
const SAME_TIME_MS: u64 = 100;

/// Makes the requests of one client.
pub struct Caster {
    topic: String,
    cast: Cast,
    molds: Vec<(i32, Mold, i32)>,
    next: usize,
    shape: ShapeArgs,
    acks: i16,
    version: i16,
    seed: u64,
    identity: Option<(ProducerId, i16)>,
    time: TimestampMs,
    correlation: i32,
}

/// A request that was made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// Its partition.
    pub partition: i32,
    /// Its number.
    pub correlation: i32,
    /// Its records.
    pub records: u32,
    /// Bytes of its batch.
    pub bytes: u64,
}

impl Caster {
    /// A caster of requests for a seat.
    pub async fn new(
        run: &Run,
        seat: &Seat,
        shape: &ShapeArgs,
        way: &WayArgs,
        seed: u64,
    ) -> Result<Caster, ClientError> {
        let version = run.client.version_at::<ProduceRequest>(&seat.address).await?;
        let identity = match way.idempotent {
            true => Some(run.client.producer_id().await?),
            false => None,
        };
        let (cast, shape) = (Cast::new(shape, shape.batch, seed), shape.clone());
        let (topic, acks) = (run.target.topic.name.clone(), way.acks.number());
        let molds = seat
            .partitions
            .iter()
            .map(|partition| Ok((*partition, cast.mold(&topic, *partition, acks, version)?, 0)));
        let molds = molds.collect::<Result<_, ClientError>>()?;
        let (next, time, correlation) = (0, TimestampMs::NONE, 0);
        Ok(Caster { topic, cast, molds, next, shape, acks, version, seed, identity, time, correlation })
    }

    /// Whether answers will come.
    pub fn is_answered(&self) -> bool {
        self.acks != 0
    }

    /// Hands a writer the next request, for the next partition.
    pub fn issue(
        &mut self,
        records: u32,
        now: TimestampMs,
        writer: &mut LaneWriter,
    ) -> Result<Made, ClientError> {
        if now.0.abs_diff(self.time.0) >= SAME_TIME_MS {
            self.time = now;
        }
        self.correlation = self.correlation.wrapping_add(1);
        let count = self.molds.len();
        let Some((partition, mold, sequence)) = self.molds.get_mut(self.next) else {
            let why = "no partition was given".to_owned();
            return Err(ClientError::Unsayable { api: "Produce", why });
        };
        self.next = (self.next + 1) % count;
        let producer = self.identity.map(|(id, epoch)| (id, epoch, *sequence));
        // Sequence numbers wrap from 2^31-1 to 0.
        *sequence = sequence.wrapping_add(i32::try_from(records).unwrap_or(0)) & i32::MAX;
        let (partition, correlation) = (*partition, self.correlation);
        let mut bytes = self.cast.bytes();
        if records == self.cast.count() {
            mold.issue(writer, correlation, self.time, producer);
        } else {
            // The last of a run has what is left.
            let rest = Cast::new(&self.shape, records, self.seed);
            let mut mold = rest.mold(&self.topic, partition, self.acks, self.version)?;
            mold.issue(writer, correlation, self.time, producer);
            bytes = rest.bytes();
        }
        Ok(Made { partition, correlation, records, bytes: bytes as u64 })
    }

    /// A reader of the answers.
    pub fn lander(&self) -> Lander {
        Lander { topic: self.topic.clone(), version: self.version }
    }
}

/// Reads answers to requests of a caster.
pub struct Lander {
    topic: String,
    version: i16,
}

impl Lander {
    /// The answer to a request, if it is good: offset of the first record.
    pub async fn land(&self, made: &Made, reader: &mut LaneReader) -> Result<i64, ClientError> {
        let answer = reader.answer::<ProduceRequest>(self.version, made.correlation).await?;
        outcome(&answer, &self.topic, made.partition)
    }
}

fn outcome(answer: &ProduceResponse, topic: &str, partition: i32) -> Result<i64, ClientError> {
    let mut entries = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    let entry = entries.find(|entry| entry.index == partition).ok_or_else(|| ClientError::Malformed {
        address: topic.to_owned(),
        api: "Produce",
        why: format!("nothing is said of partition {partition}"),
    })?;
    match entry.error_code.is_none() {
        true => Ok(entry.base_offset),
        false => Err(ClientError::Refused {
            code: entry.error_code,
            what: format!("{topic}-{partition}"),
            message: entry.error_message.as_deref().map(str::to_owned),
        }),
    }
}
