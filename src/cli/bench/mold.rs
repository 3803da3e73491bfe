//! A request to produce, made once and stamped for each sending: call number, time, producer and checksum are written
//! anew, records are shared. So the cost of the client is small beside that of the broker.

use super::super::client::{ClientError, LaneWriter, frame};
use super::args::ShapeArgs;
use crate::record::{BatchBuilder, BatchHeader, Codec, PRODUCER_NONE, reissue};
use crate::sys::{Rng as _, SeededRng};
use crate::types::{ProducerId, TimestampMs};
use crate::wire::Records;
use crate::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use bytes::{Bytes, BytesMut};

/// Requests up to this size go out as one piece; copying them is cheaper than one more piece of a write.
const PIECE_BYTES: usize = 2 << 10;
/// Where a request has its call number.
const CORRELATION_AT: usize = 8;
/// How long a broker may wait for durability.
const ACK_MS_MAX: i32 = 30_000;
/// What values are made of. Sixty-four letters: six of eight bits are chance, so compression has something to find.
const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .";

/// A batch of records, ready to be put in requests.
pub struct Cast {
    batch: Bytes,
    count: u32,
}

/// A request with one batch for one partition.
pub struct Mold {
    /// All before the batch.
    front: BytesMut,
    head: [u8; BatchHeader::SIZE],
    records: Bytes,
    /// All after it.
    back: Bytes,
    issued: Option<(TimestampMs, (ProducerId, i16, i32))>,
}

impl Cast {
    /// A batch of `count` records like these; the same seed gives the same bytes.
    pub fn new(shape: &ShapeArgs, count: u32, seed: u64) -> Cast {
        let rng = SeededRng::new(seed);
        let mut value = vec![0; shape.size];
        let codec = shape.compression.codec();
        let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
        for _ in 0..count {
            for letters in value.chunks_mut(10) {
                let mut chance = rng.next_u64();
                for letter in letters {
                    *letter = LETTERS.get((chance & 63) as usize).copied().unwrap_or_default();
                    chance >>= 6;
                }
            }
            builder.push(TimestampMs(0), None, Some(&value), &[]);
        }
        Cast { batch: builder.build().freeze(), count }
    }

    /// Number of records.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of the batch as it is sent.
    pub fn bytes(&self) -> usize {
        self.batch.len()
    }

    /// The request that sends it to a partition.
    pub fn mold(&self, topic: &str, partition: i32, acks: i16, version: i16) -> Result<Mold, ClientError> {
        let data =
            PartitionProduceData { index: partition, records: Some(Records::Bytes(self.batch.clone())) };
        let topic = TopicProduceData {
            name: topic.into(),
            partition_data: vec![data],
            ..TopicProduceData::default()
        };
        let topic_data = vec![topic];
        let request =
            ProduceRequest { acks, timeout_ms: ACK_MS_MAX, topic_data, ..ProduceRequest::default() };
        let unsayable = |why: &str| ClientError::Unsayable { api: "Produce", why: why.to_owned() };
        let whole = frame(&request, version, 0)?.to_bytes().map_err(|why| unsayable(&why.to_string()))?;
        let at = whole.windows(self.batch.len()).position(|window| window == self.batch);
        let at = at.ok_or_else(|| unsayable("the batch is not in its request"))?;
        let (head, _) = self.batch.split_first_chunk().ok_or_else(|| unsayable("the batch has no header"))?;
        Ok(Mold {
            front: BytesMut::from(whole.get(..at).unwrap_or_default()),
            head: *head,
            records: self.batch.slice(BatchHeader::SIZE..),
            back: whole.slice(at + self.batch.len()..),
            issued: None,
        })
    }
}

impl Mold {
    /// Hands a writer the request with this call number, time and producer.
    pub fn issue(
        &mut self,
        writer: &mut LaneWriter,
        correlation: i32,
        time: TimestampMs,
        producer: Option<(ProducerId, i16, i32)>,
    ) {
        let producer = producer.unwrap_or(PRODUCER_NONE);
        if self.issued != Some((time, producer)) {
            reissue(&mut self.head, &self.records, time, producer);
            self.issued = Some((time, producer));
        }
        if let Some(field) = self.front.get_mut(CORRELATION_AT..CORRELATION_AT + 4) {
            field.copy_from_slice(&correlation.to_be_bytes());
        }
        let is_small = self.records.len() <= PIECE_BYTES;
        let room = self.front.len()
            + self.head.len()
            + if is_small { self.records.len() + self.back.len() } else { 0 };
        let mut piece = BytesMut::with_capacity(room);
        piece.extend_from_slice(&self.front);
        piece.extend_from_slice(&self.head);
        if is_small {
            piece.extend_from_slice(&self.records);
            piece.extend_from_slice(&self.back);
            return writer.push(piece.freeze());
        }
        writer.push(piece.freeze());
        writer.push(self.records.clone());
        if !self.back.is_empty() {
            writer.push(self.back.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::args::Compression;
    use super::*;
    use crate::record::{read_records, split_batches};

    #[test]
    fn a_cast_holds_the_records_it_was_asked_for_and_its_seed_decides_them() {
        for compression in [Compression::None, Compression::Zstd] {
            let shape = ShapeArgs { size: 33, batch: 4, compression };
            let cast = Cast::new(&shape, 3, 7);
            let batches: Vec<_> = split_batches(&cast.batch).collect();
            let (header, batch) = batches[0].as_ref().unwrap();
            assert_eq!((batches.len(), header.count, cast.count(), batch.len()), (1, 3, 3, cast.bytes()));
            let values: Vec<_> =
                read_records(batch, 1 << 20).unwrap().map(|record| record.unwrap().value.unwrap()).collect();
            assert!(values.iter().all(|value| value.len() == 33) && values[0] != values[1]);
            assert_eq!(cast.batch, Cast::new(&shape, 3, 7).batch);
            assert_ne!(cast.batch, Cast::new(&shape, 3, 8).batch);
        }
    }
}
