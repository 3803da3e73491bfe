//! A batch sent again and again as a new one: a load generator compresses and encodes its records once, and only what
//! differs from batch to batch is written anew. Must not know the records.

use super::batch::{ATTRIBUTES_AT, BatchHeader, CRC_AT};
use crate::types::{ProducerId, TimestampMs};

const BASE_TIMESTAMP_AT: usize = 27;
const PRODUCER_AT: usize = 43;

/// Of nobody: id, epoch and sequence of a batch without a producer id.
pub const PRODUCER_NONE: (ProducerId, i16, i32) = (ProducerId::NONE, -1, -1);

/// Gives the batch of this header and these records another time, and another producer's id, epoch and first sequence
/// number, and redoes its CRC. The times of all records must have been one.
pub fn reissue(
    head: &mut [u8; BatchHeader::SIZE],
    records: &[u8],
    time: TimestampMs,
    producer: (ProducerId, i16, i32),
) {
    let (id, epoch, sequence) = producer;
    let mut fresh = [0; 30];
    fresh[..8].copy_from_slice(&time.0.to_be_bytes());
    fresh[8..16].copy_from_slice(&time.0.to_be_bytes());
    fresh[16..24].copy_from_slice(&id.0.to_be_bytes());
    fresh[24..26].copy_from_slice(&epoch.to_be_bytes());
    fresh[26..].copy_from_slice(&sequence.to_be_bytes());
    const { assert!(BASE_TIMESTAMP_AT + 16 == PRODUCER_AT, "the fields are one run of bytes") };
    head[BASE_TIMESTAMP_AT..BASE_TIMESTAMP_AT + 30].copy_from_slice(&fresh);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&head[ATTRIBUTES_AT..]), records);
    head[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BatchBuilder, Codec, check_crc};

    #[test]
    fn a_batch_issued_again_is_the_one_that_would_have_been_built() {
        for codec in [Codec::None, Codec::Lz4] {
            let build = |time, (id, epoch, sequence)| {
                let mut builder =
                    BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL).producer(id, epoch, sequence);
                for value in [&b"one"[..], b"two"] {
                    builder.push(TimestampMs(time), None, Some(value), &[]);
                }
                builder.build()
            };
            let mut bytes = build(5, PRODUCER_NONE);
            let want = build(1_700_000_000_000, (ProducerId(7), 2, 99));
            let (head, records) = bytes.split_first_chunk_mut().unwrap();
            reissue(head, records, TimestampMs(1_700_000_000_000), (ProducerId(7), 2, 99));
            assert_eq!(bytes, want);
            check_crc(&bytes).unwrap();
        }
    }
}
