//! Layer 1: Kafka record batches (magic 2) over [`bytes::Bytes`]: the header view, the checks on the way in,
//! compression with caps, iteration, building and control records.
//!
//! Nothing here knows of topics, partitions, files or requests; time comes in as a parameter. Bytes given to this
//! module are never trusted: no input makes it panic, and no claimed size makes it allocate.

mod attributes;
mod bad;
mod batch;
mod builder;
mod check;
mod checked;
mod codec;
mod control;
mod large;
mod raw;
mod records;
mod reissue;
mod rules;
mod stored;
#[cfg(test)]
mod tests;
mod varint;
mod walk;

pub use attributes::{Attributes, TimestampType};
pub use bad::{BadBatch, RecordFault};
pub use batch::{BatchHeader, check_crc, peek_size, set_log_append_time, stamp};
pub use builder::BatchBuilder;
pub use check::check_produced;
pub use checked::{BatchMeta, CheckedBatches};
pub use codec::{Codec, DecompressError, compress, decompress};
pub use control::{BadControl, ControlType, EndTxnMarker};
pub use records::{Batches, Header, HeaderKey, Record, Records, find_timestamp, read_records, split_batches};
pub use reissue::{PRODUCER_NONE, reissue};
pub use rules::{AppendRules, Rejected};
pub use stored::{StoredRecord, StoredRecords, empty_batch, rebuild_batch, stored_records};
