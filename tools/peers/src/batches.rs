//! Batches, encoded once, and the frames that carry them. Nothing here is done while something is measured.

use anyhow::Result;
use bytes::Bytes;
use logboom::record::{BatchBuilder, Codec};
use logboom::sys::{Clock, RealClock};
use logboom::wire::Records;
use logboom::wire::frame::encode_request;
use logboom::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

/// The version in which batches are sent.
pub const PRODUCE_VERSION: i16 = 9;
/// The level of zstd that clients use by default; lz4 has none that this codec would take.
const DEFAULT_LEVEL: i32 = Codec::DEFAULT_LEVEL;

/// What a batch is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Records in it.
    pub records: usize,
    /// Bytes of each record's value.
    pub value: usize,
    /// How they are compressed.
    pub codec: Codec,
}

/// A batch and what it counts for.
#[derive(Clone, Debug)]
pub struct Batch {
    /// As it travels.
    pub bytes: Bytes,
    /// Records in it.
    pub records: u64,
    /// Bytes of the values, before compression.
    pub plain: u64,
}

impl Shape {
    /// Builds the batch. Values are noise where they stay as they are, and words where they are compressed: noise
    /// cannot be made smaller, and no data of people is noise.
    pub fn build(self) -> Batch {
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let now = RealClock::new().wall();
        let mut builder = BatchBuilder::new().codec(self.codec, DEFAULT_LEVEL);
        let mut plain = 0;
        for _ in 0..self.records {
            let value =
                if self.codec == Codec::None { noise.bytes(self.value) } else { noise.words(self.value) };
            builder.push(now, None, Some(&value), &[]);
            plain += value.len() as u64;
        }
        Batch { bytes: builder.build().freeze(), records: self.records as u64, plain }
    }
}

/// A request to store one batch in one partition, ready but for its correlation id.
///
/// # Errors
/// A name that is too long.
pub fn produce_frame(topic: &str, partition: i32, batch: &Batch) -> Result<Bytes> {
    let data = PartitionProduceData { index: partition, records: Some(Records::Bytes(batch.bytes.clone())) };
    let topic =
        TopicProduceData { name: topic.into(), partition_data: vec![data], ..TopicProduceData::default() };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 30_000, topic_data: vec![topic], ..ProduceRequest::default() };
    Ok(encode_request(&request, PRODUCE_VERSION, 0, Some("peers"))?.to_bytes()?)
}

/// Numbers that are the same in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next() as u8).take(len).collect()
    }

    fn words(&mut self, len: usize) -> Vec<u8> {
        const WORDS: [&str; 16] = [
            "order",
            "paid",
            "log",
            "river",
            "amount",
            "customer",
            "timber",
            "shipped",
            "status",
            "warehouse",
            "id",
            "returned",
            "boom",
            "price",
            "region",
            "north",
        ];
        let mut text = Vec::with_capacity(len + 32);
        while text.len() < len {
            let number = self.next();
            text.extend(WORDS[(number % 16) as usize].as_bytes());
            text.extend(format!("={} ", (number >> 8) % 10_000).as_bytes());
        }
        text.truncate(len);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use logboom::record::{check_crc, read_records};

    #[test]
    fn a_batch_counts_its_records_and_is_sound() {
        for codec in [Codec::None, Codec::Lz4, Codec::Zstd] {
            let batch = Shape { records: 16, value: 1000, codec }.build();
            check_crc(&batch.bytes).unwrap();
            assert_eq!(read_records(&batch.bytes, 1 << 20).unwrap().count(), 16);
            assert_eq!(batch.plain, 16_000);
            assert_eq!(codec == Codec::None, batch.bytes.len() > 16_000, "{codec:?}: {}", batch.bytes.len());
        }
    }
}
