//! What a topic asks of produced batches, and how a refusal reads. Must not know how the checks are made.

use super::attributes::TimestampType;
use super::codec::Codec;
use crate::types::ErrorCode;

/// Settings of a topic that decide whether and how produced records are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRules {
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far behind the clock a record may be; `i64::MAX` for any.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far ahead of the clock a record may be.
    pub timestamp_after_max_ms: i64,
    /// `max.message.bytes`: of a whole batch as sent and as stored.
    pub message_bytes_max: usize,
    /// `max.decompressed.message.bytes`: of one record of a compressed batch.
    pub decompressed_record_bytes_max: usize,
    /// Of all records of a compressed batch. Kafka has no such bound; it stops a bomb of a megabyte from keeping a
    /// core busy for a gigabyte. A batch above it gets `MESSAGE_TOO_LARGE`, upon which producers send halves.
    pub decompressed_batch_bytes_max: usize,
    /// `compression.type` and its level; `None` for `producer`, which keeps the batch as it came.
    pub compression: Option<(Codec, i32)>,
    /// `cleanup.policy` has `compact`: records without a key are refused.
    pub compacted: bool,
}

impl AppendRules {
    /// For [`AppendRules::decompressed_batch_bytes_max`]: 128 times the default `max.message.bytes`. Text and JSON
    /// shrink 5 to 30 times, so a full batch of them stays well below.
    pub const DECOMPRESSED_BATCH_BYTES: usize = 128 << 20;
}

impl Default for AppendRules {
    /// Kafka's defaults of the settings.
    fn default() -> AppendRules {
        AppendRules {
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            message_bytes_max: 1_048_588,
            decompressed_record_bytes_max: 2_147_483_639,
            decompressed_batch_bytes_max: AppendRules::DECOMPRESSED_BATCH_BYTES,
            compression: None,
            compacted: false,
        }
    }
}

/// A produced batch that is not stored, as ProduceResponse v8 and later tell it (KIP-467).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {message}")]
pub struct Rejected {
    /// Error of the partition.
    pub error: ErrorCode,
    /// `ErrorMessage`: for the person who reads the client's log.
    pub message: String,
    /// `RecordErrors`: positions in the batch with what is wrong there; empty if the whole batch is at fault. At
    /// most [`Rejected::RECORD_ERRORS_MAX`], the first ones.
    pub record_errors: Vec<(i32, String)>,
}

impl Rejected {
    /// A batch of a megabyte can hold 150,000 faulty records. Producers only use the list to say which records to
    /// blame; those not on it fail as part of the batch.
    pub const RECORD_ERRORS_MAX: usize = 1000;

    /// A refusal of the whole batch.
    pub(super) fn batch(error: ErrorCode, message: impl Into<String>) -> Rejected {
        Rejected { error, message: message.into(), record_errors: Vec::new() }
    }
}
