//! What can be wrong with the bytes of a batch. Must not know what a client is told about it.

use super::codec::DecompressError;

/// Why bytes are not a whole and sound record batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBatch {
    /// The bytes end before the batch does: a torn tail, or a fetch that was cut.
    #[error("{have} bytes are there and {need} are needed")]
    Cut {
        /// Bytes present.
        have: usize,
        /// Bytes that the header, or the batch by its own size field, needs.
        need: usize,
    },
    /// The size field is smaller than a header.
    #[error("the size field {0} is smaller than a batch header")]
    Size(i32),
    /// Another magic than 2: message sets of Kafka before 0.11 (0, 1), or noise.
    #[error("magic {0} is not 2")]
    Magic(i8),
    /// The bytes are not those that were written.
    #[error("the stored CRC is {stored:#010x} and the bytes give {computed:#010x}")]
    Crc {
        /// CRC in the header.
        stored: u32,
        /// CRC of the bytes.
        computed: u32,
    },
    /// Codec bits 5 to 7 mean nothing.
    #[error("compression codec {0} does not exist")]
    Codec(u8),
    /// A record does not have the shape of a record.
    #[error("record {index}: {fault}")]
    Record {
        /// Position of the record in its batch, from 0.
        index: i32,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// Bytes are left behind the last record.
    #[error("{0} bytes follow the last record")]
    Trailing(usize),
    /// The records do not decompress.
    #[error(transparent)]
    Decompress(#[from] DecompressError),
}

/// What is wrong with one record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// The batch ends inside the record.
    #[error("the batch ends inside the record")]
    Cut,
    /// The fields do not fill exactly the length that the record gives.
    #[error("the fields do not fill the record's length")]
    Length,
    /// A varint of more than 5 bytes, or a varlong of more than 10.
    #[error("a variable-length integer does not end")]
    Varint,
    /// A negative number of headers, or more than bytes are left.
    #[error("the number of headers is out of range")]
    HeaderCount,
    /// Header keys are never null.
    #[error("a header key is null")]
    HeaderKeyNull,
    /// Offset deltas count from 0 without a gap.
    #[error("the offset delta is not the record's position")]
    OffsetDelta,
    /// Longer than `max.decompressed.message.bytes` allows.
    #[error("the record is larger than the topic allows")]
    TooLarge,
}
