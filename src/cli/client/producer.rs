//! Sending records: batches per partition, several under way, none twice and none out of order. Sequence numbers make
//! a batch that is sent again harmless (KIP-98).

use super::error::check;
use super::link::Pending;
use super::murmur2::partition_of_key;
use super::{Client, ClientError, TRIES_MAX, Topic};
use crate::record::{BatchBuilder, Codec};
use crate::types::{ErrorCode, ProducerId, TimestampMs};
use crate::wire::Records;
use crate::wire::messages::init_producer_id::InitProducerIdRequest;
use crate::wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// A broker remembers the last five batches of a producer, so no more may be under way.
const FLIGHTS_MAX: usize = 5;
/// A batch is sent once it holds this much before compression: well under the default limit of a megabyte, which a
/// codec that makes things larger must not break.
const BATCH_BYTES: usize = 512 << 10;
/// How long a broker may wait for durability.
const ACK_MS_MAX: i32 = 30_000;

/// Whom to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Nobody.
    None,
    /// The leader's write.
    Leader,
    /// Durability.
    All,
}

impl Acks {
    /// As requests say it.
    pub fn number(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// How to send.
#[derive(Clone, Copy, Debug)]
pub struct ProduceOptions {
    /// Whom to wait for.
    pub acks: Acks,
    /// How batches are compressed.
    pub codec: Codec,
    /// Send everything here instead of choosing by key.
    pub partition: Option<i32>,
}

/// A record to send.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Key, or null.
    pub key: Option<&'a [u8]>,
    /// Value, or null.
    pub value: Option<&'a [u8]>,
    /// Headers.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Its time; now, if none.
    pub timestamp: Option<TimestampMs>,
}

/// A batch that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Partition
    pub partition: i32,
    /// Offset of the first record; -1 where the broker does not say (acks=0).
    pub first: i64,
    /// Number of records.
    pub count: i32,
}

struct Flight {
    partition: i32,
    count: i32,
    batch: Bytes,
    /// None where sending failed at once.
    answer: Option<Pending<ProduceRequest>>,
}

/// Sends records to one topic.
pub struct Producer<'a> {
    client: &'a Client,
    topic: Topic,
    options: ProduceOptions,
    identity: Option<(ProducerId, i16)>,
    sequences: BTreeMap<i32, i32>,
    open: BTreeMap<i32, BatchBuilder>,
    flights: VecDeque<Flight>,
    delivered: Vec<Delivered>,
    /// Where records without a key go until the batch is full (KIP-480).
    sticky: usize,
}

impl<'a> Producer<'a> {
    /// A producer of a topic that exists.
    pub async fn new(
        client: &'a Client,
        topic: Topic,
        options: ProduceOptions,
    ) -> Result<Producer<'a>, ClientError> {
        if let Some(partition) = options.partition {
            topic.leader(partition)?;
        }
        let seed = client.seed().await?;
        let idempotent = options.acks == Acks::All && seed.offers::<InitProducerIdRequest>();
        let identity = match idempotent {
            true => Some(client.producer_id().await?),
            false => None,
        };
        let sticky = usize::try_from(client.reach.rng.next_u64() >> 33).unwrap_or(0);
        Ok(Producer {
            client,
            topic,
            options,
            identity,
            sequences: BTreeMap::new(),
            open: BTreeMap::new(),
            flights: VecDeque::new(),
            delivered: Vec::new(),
            sticky,
        })
    }

    /// Takes a record; sends its batch if that is full, waiting if too much is under way. An error means that records
    /// taken before may not have arrived.
    pub async fn send(&mut self, message: Message<'_>) -> Result<(), ClientError> {
        let partition = self.partition_of(message.key);
        let builder = self.open.entry(partition).or_insert_with(|| {
            let builder = BatchBuilder::new().codec(self.options.codec, Codec::DEFAULT_LEVEL);
            let Some((id, epoch)) = self.identity else { return builder };
            builder.producer(id, epoch, self.sequences.get(&partition).copied().unwrap_or(0))
        });
        let time = message.timestamp.unwrap_or_else(|| self.client.reach.clock.wall());
        builder.push(time, message.key, message.value, message.headers);
        if builder.size() >= BATCH_BYTES {
            self.close(partition).await?;
        }
        Ok(())
    }

    /// Sends what is left and waits until everything has arrived.
    pub async fn flush(&mut self) -> Result<(), ClientError> {
        for partition in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(partition).await?;
        }
        while !self.flights.is_empty() {
            self.land().await?;
        }
        Ok(())
    }

    /// What arrived since it was last asked, in the order of sending.
    pub fn take_delivered(&mut self) -> Vec<Delivered> {
        std::mem::take(&mut self.delivered)
    }

    fn partition_of(&mut self, key: Option<&[u8]>) -> i32 {
        if let Some(partition) = self.options.partition {
            return partition;
        }
        let count = self.topic.leaders.len();
        let index = match key {
            Some(key) => partition_of_key(key, count),
            None => self.sticky.checked_rem(count).unwrap_or(0),
        };
        self.topic.leaders.keys().nth(index).copied().unwrap_or(0)
    }

    async fn close(&mut self, partition: i32) -> Result<(), ClientError> {
        let Some(builder) = self.open.remove(&partition).filter(|builder| builder.count() > 0) else {
            return Ok(());
        };
        while self.flights.len() >= FLIGHTS_MAX {
            self.land().await?;
        }
        self.sticky = self.sticky.wrapping_add(1);
        let count = builder.count();
        let sequence = self.sequences.entry(partition).or_insert(0);
        // Sequence numbers wrap from 2^31-1 to 0.
        *sequence = sequence.wrapping_add(count) & i32::MAX;
        let mut flight = Flight { partition, count, batch: builder.build().freeze(), answer: None };
        if self.options.acks == Acks::None {
            let link = self.client.link(self.topic.leader(partition)?).await?;
            link.tell(&self.request(&flight)).await?;
            self.delivered.push(Delivered { partition, first: -1, count });
            return Ok(());
        }
        flight.answer = self.take_off(&flight).await.ok();
        self.flights.push_back(flight);
        Ok(())
    }

    fn request(&self, flight: &Flight) -> ProduceRequest {
        let data = PartitionProduceData {
            index: flight.partition,
            records: Some(Records::Bytes(flight.batch.clone())),
        };
        let topic = TopicProduceData {
            name: self.topic.name.as_str().into(),
            partition_data: vec![data],
            ..TopicProduceData::default()
        };
        ProduceRequest {
            acks: self.options.acks.number(),
            timeout_ms: ACK_MS_MAX,
            topic_data: vec![topic],
            ..ProduceRequest::default()
        }
    }

    async fn take_off(&self, flight: &Flight) -> Result<Pending<ProduceRequest>, ClientError> {
        let link = self.client.link(self.topic.leader(flight.partition)?).await?;
        link.begin(&self.request(flight)).await
    }

    /// Waits for the oldest batch under way. If it failed in passing, waits for the others too, and sends all that
    /// failed again in their order.
    async fn land(&mut self) -> Result<(), ClientError> {
        let Some(mut flight) = self.flights.pop_front() else { return Ok(()) };
        let first = match self.outcome(&mut flight).await {
            Ok(delivered) => {
                self.delivered.push(delivered);
                return Ok(());
            }
            Err(error) if self.may_repeat(&error) => error,
            Err(error) => return Err(error),
        };
        let mut again = vec![flight];
        while let Some(mut flight) = self.flights.pop_front() {
            match self.outcome(&mut flight).await {
                Ok(delivered) => self.delivered.push(delivered),
                // A batch behind a lost one is out of order until that one is there.
                Err(error)
                    if self.may_repeat(&error) || error.code() == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER =>
                {
                    again.push(flight);
                }
                Err(error) => return Err(error),
            }
        }
        let mut last = first;
        for flight in again {
            last = self.repeat(flight, last).await?;
        }
        Ok(())
    }

    /// A lost connection or a late answer leaves open what happened: only sequence numbers make sending again safe.
    fn may_repeat(&self, error: &ClientError) -> bool {
        match error {
            ClientError::Lost { .. } | ClientError::TimedOut { .. } => self.identity.is_some(),
            other => other.is_passing(),
        }
    }

    async fn repeat(
        &mut self,
        mut flight: Flight,
        mut last: ClientError,
    ) -> Result<ClientError, ClientError> {
        for tries in 1..=TRIES_MAX {
            self.client.pause(tries).await;
            // The leader may be another one by now.
            if let Ok(topic) = self.client.topic(&self.topic.name, false).await {
                self.topic = topic;
            }
            flight.answer = match self.take_off(&flight).await {
                Ok(answer) => Some(answer),
                Err(error) if self.may_repeat(&error) => {
                    last = error;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match self.outcome(&mut flight).await {
                Ok(delivered) => {
                    self.delivered.push(delivered);
                    return Ok(last);
                }
                Err(error) if self.may_repeat(&error) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    async fn outcome(&self, flight: &mut Flight) -> Result<Delivered, ClientError> {
        let Some(answer) = flight.answer.take() else {
            let address = self.topic.leader(flight.partition)?.to_owned();
            return Err(ClientError::Lost { address, why: "the batch could not be sent".to_owned() });
        };
        let answer = answer.answer().await?;
        let entry = find(&answer, flight.partition).ok_or_else(|| ClientError::Malformed {
            address: self.client.bootstrap().to_owned(),
            api: "Produce",
            why: format!("nothing is said of partition {}", flight.partition),
        })?;
        let Flight { partition, count, .. } = *flight;
        match entry.error_code {
            // It arrived the first time; the broker no longer knows where.
            ErrorCode::DUPLICATE_SEQUENCE_NUMBER => {}
            code => check(code, || format!("{}-{partition}", self.topic.name), message(entry))?,
        }
        Ok(Delivered { partition, first: entry.base_offset, count })
    }
}

fn find(answer: &ProduceResponse, partition: i32) -> Option<&PartitionProduceResponse> {
    answer
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses)
        .find(|entry| entry.index == partition)
}

/// The broker's sentence about the batch, or else about the first bad record in it.
fn message(entry: &PartitionProduceResponse) -> Option<&str> {
    let of_record =
        entry.record_errors.first().and_then(|record| record.batch_index_error_message.as_deref());
    entry.error_message.as_deref().or(of_record)
}

impl Client {
    /// A new producer id with its epoch (KIP-98).
    pub async fn producer_id(&self) -> Result<(ProducerId, i16), ClientError> {
        // An empty transactional id is not none.
        let ask = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: i32::MAX,
            ..InitProducerIdRequest::default()
        };
        let mut tries = 0;
        loop {
            let answer = self.seed().await?.call(&ask).await?;
            match check(answer.error_code, || "cannot get a producer id".to_owned(), None) {
                Ok(()) => return Ok((ProducerId(answer.producer_id), answer.producer_epoch)),
                Err(error) if error.is_passing() && tries < TRIES_MAX => {
                    tries += 1;
                    self.pause(tries).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
