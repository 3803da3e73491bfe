//! The checks on a produced record set, those that Kafka makes before an append (`ProduceRequest.validateRecords`,
//! `UnifiedLog`, `LogValidator` of 4.4.0). Must not know producers' state, partitions or request versions.
//!
//! Kafka's checks are kept, with its error codes. On top of them these are refused, which Kafka lets through to the
//! log or answers with `UNKNOWN_SERVER_ERROR`: bytes behind the batch (Kafka drops them silently), offset deltas
//! with gaps in an uncompressed batch, wrong record lengths in a compressed one, a delete horizon set by the producer,
//! transactional batches without a producer id, producer ids without an epoch, codecs that do not exist, and
//! compressed streams that some consumers cannot read. `tests/oracle.rs` lists each with the reason.

use super::attributes::TimestampType;
use super::bad::{BadBatch, RecordFault};
use super::batch::{BatchHeader, check_crc, rewrite_max_timestamp, seal};
use super::checked::{BatchMeta, CheckedBatches};
use super::codec::{Codec, DecompressError, compress, decompress};
use super::rules::{AppendRules, Rejected};
use super::walk::{WalkLimits, walk};
use crate::types::{ErrorCode, Offset, TimestampMs};
use bytes::BytesMut;

/// Checks the record set of one partition in a produce request and makes it ready to get offsets: timestamps by
/// the broker are applied, another codec of the topic is applied. `now` is the wall clock.
///
/// The bytes stay where they are unless the topic asks for another codec.
pub fn check_produced(
    mut records: BytesMut,
    rules: &AppendRules,
    now: TimestampMs,
) -> Result<CheckedBatches, Rejected> {
    let header = check_frame(&records, rules)?;
    check_header(&header)?;
    let seen = check_records(&header, &records, rules, now)?;
    if let Some((codec, level)) = rules.compression
        && header.codec() != Ok(codec)
    {
        records = recompress(&header, &records, codec, level, rules)?;
    }
    let (max_timestamp, max_timestamp_offset_delta) = match rules.timestamp_type {
        TimestampType::CreateTime => (seen.max_timestamp, seen.max_timestamp_at),
        TimestampType::LogAppendTime => (now, 0),
    };
    rewrite_max_timestamp(&mut records, rules.timestamp_type, max_timestamp);
    let header = BatchHeader::parse(&records).map_err(|bad| corrupt(&bad))?;
    let meta = BatchMeta { start: 0, size: records.len(), header, max_timestamp, max_timestamp_offset_delta };
    Ok(CheckedBatches::one(records, meta))
}

fn invalid(message: impl Into<String>) -> Rejected {
    Rejected::batch(ErrorCode::INVALID_RECORD, message)
}

fn corrupt(bad: &BadBatch) -> Rejected {
    Rejected::batch(ErrorCode::CORRUPT_MESSAGE, format!("Record batch is corrupt: {bad}."))
}

/// Exactly one whole batch, of a size the topic takes, with the bytes that the producer sent.
fn check_frame(records: &[u8], rules: &AppendRules) -> Result<BatchHeader, Rejected> {
    let header = match BatchHeader::parse(records) {
        Ok(header) => header,
        Err(BadBatch::Cut { .. }) => {
            return Err(invalid("Produce requests must have one whole record batch per partition."));
        }
        Err(BadBatch::Magic(magic @ (0 | 1))) => {
            return Err(invalid(format!(
                "Produce requests are only allowed to contain record batches with magic version 2, not {magic}."
            )));
        }
        Err(bad) => return Err(corrupt(&bad)),
    };
    if records.len() < header.size {
        return Err(invalid(format!(
            "The record batch is cut: {} of its {} bytes are there.",
            records.len(),
            header.size
        )));
    }
    if header.base_offset != Offset::ZERO {
        return Err(invalid(format!(
            "The base offset of the record batch should be 0, but it is {}.",
            header.base_offset
        )));
    }
    check_size(header.size, rules)?;
    // Before what follows the batch: a wrong size field shows as a wrong CRC, and is damage on the way.
    check_crc(records).map_err(|bad| corrupt(&bad))?;
    if records.len() > header.size {
        return Err(invalid(format!(
            "Produce requests are only allowed to contain exactly one record batch per partition; {} bytes follow it.",
            records.len() - header.size
        )));
    }
    Ok(header)
}

fn check_size(size: usize, rules: &AppendRules) -> Result<(), Rejected> {
    if size <= rules.message_bytes_max {
        return Ok(());
    }
    Err(Rejected::batch(
        ErrorCode::MESSAGE_TOO_LARGE,
        format!(
            "The record batch size is {size} bytes, and max.message.bytes is {}.",
            rules.message_bytes_max
        ),
    ))
}

/// What the header says of the batch as a whole.
fn check_header(header: &BatchHeader) -> Result<(), Rejected> {
    let BatchHeader { count, last_offset_delta, producer_epoch, base_sequence, .. } = *header;
    if count <= 0 {
        return Err(invalid(format!("The record batch reports {count} records.")));
    }
    if i64::from(last_offset_delta) + 1 != i64::from(count) {
        return Err(invalid(format!(
            "The record batch reports {count} records and a last offset delta of {last_offset_delta}."
        )));
    }
    if header.is_control() {
        return Err(invalid("Clients are not allowed to write control records."));
    }
    if header.has_delete_horizon() {
        return Err(invalid("Clients are not allowed to set a delete horizon."));
    }
    if header.has_producer_id() && base_sequence < 0 {
        return Err(invalid(format!(
            "The record batch has producer id {} and no sequence number.",
            header.producer_id
        )));
    }
    if header.has_producer_id() && producer_epoch < 0 {
        let message = format!("The record batch has producer id {} and no epoch.", header.producer_id);
        return Err(Rejected::batch(ErrorCode::INVALID_PRODUCER_EPOCH, message));
    }
    if header.is_transactional() && !header.has_producer_id() {
        return Err(invalid("Transactional records need a producer id."));
    }
    header.codec().map_err(|bad| invalid(format!("{bad}.")))?;
    Ok(())
}

/// What the walk over the records found out.
struct Seen {
    max_timestamp: TimestampMs,
    max_timestamp_at: i32,
    errors: RecordErrors,
}

fn check_records(
    header: &BatchHeader,
    batch: &[u8],
    rules: &AppendRules,
    now: TimestampMs,
) -> Result<Seen, Rejected> {
    let mut seen =
        Seen { max_timestamp: TimestampMs::NONE, max_timestamp_at: 0, errors: RecordErrors::default() };
    let limits = WalkLimits {
        record_bytes_max: rules.decompressed_record_bytes_max,
        batch_bytes_max: rules.decompressed_batch_bytes_max,
    };
    let by_producer = header.timestamp_type() == TimestampType::CreateTime;
    let checks_time = rules.timestamp_type == TimestampType::CreateTime;
    walk(header, batch.get(BatchHeader::SIZE..).unwrap_or_default(), limits, &mut |index, record| {
        if record.offset_delta != index {
            return Err(RecordFault::OffsetDelta);
        }
        // Kafka adds with wrap-around, and what it stored that way must read the same here.
        let stamped = TimestampMs(header.base_timestamp.0.wrapping_add(record.timestamp_delta));
        let timestamp = if by_producer { stamped } else { header.max_timestamp };
        if timestamp > seen.max_timestamp {
            seen.max_timestamp = timestamp;
            seen.max_timestamp_at = index;
        }
        if rules.compacted && !record.has_key {
            seen.errors.add(ErrorCode::INVALID_RECORD, index, || {
                "Compacted topic cannot accept message without key".to_owned()
            });
        } else if checks_time && timestamp != TimestampMs::NONE {
            check_timestamp(timestamp, index, rules, now, &mut seen.errors);
        } else if !by_producer {
            seen.errors.add(ErrorCode::INVALID_TIMESTAMP, index, || {
                "Producer should not set timestamp type to LogAppendTime".to_owned()
            });
        }
        Ok(())
    })
    .map_err(|bad| refuse_walk(bad, rules))?;
    seen.errors.take().map_or(Ok(seen), Err)
}

fn check_timestamp(
    timestamp: TimestampMs,
    index: i32,
    rules: &AppendRules,
    now: TimestampMs,
    errors: &mut RecordErrors,
) {
    // With wrap-around again: so a time before the year -292,000,000 counts as far ahead, and is refused.
    let behind = now.0.wrapping_sub(timestamp.0);
    let ahead = behind.wrapping_neg();
    if behind <= rules.timestamp_before_max_ms && ahead <= rules.timestamp_after_max_ms {
        return;
    }
    errors.add(ErrorCode::INVALID_TIMESTAMP, index, || {
        format!(
            "Timestamp {timestamp} of message with offset {index} is out of range. The timestamp should be within \
             [{}, {}]",
            now.0.saturating_sub(rules.timestamp_before_max_ms),
            now.0.saturating_add(rules.timestamp_after_max_ms)
        )
    });
}

/// The error code for a batch whose records cannot be walked to the end. Its CRC is right, so sending it again
/// does not help: `CORRUPT_MESSAGE`, which clients retry, would be wrong.
fn refuse_walk(bad: BadBatch, rules: &AppendRules) -> Rejected {
    match bad {
        BadBatch::Decompress(DecompressError::TooLarge(cap)) => Rejected::batch(
            ErrorCode::MESSAGE_TOO_LARGE,
            format!("The records of the batch take more than {cap} bytes once decompressed."),
        ),
        BadBatch::Record { index, fault: RecordFault::TooLarge } => invalid(format!(
            "Record {index} is larger than max.decompressed.message.bytes, which is {}.",
            rules.decompressed_record_bytes_max
        )),
        bad => invalid(format!("The record batch is malformed: {bad}.")),
    }
}

/// Builds the batch anew with another codec. The records keep their bytes: their deltas are relative to fields of
/// the header that stay.
fn recompress(
    header: &BatchHeader,
    batch: &[u8],
    codec: Codec,
    level: i32,
    rules: &AppendRules,
) -> Result<BytesMut, Rejected> {
    let (head, records) = batch.split_at_checked(BatchHeader::SIZE).unwrap_or_default();
    let source = header.codec().map_err(|bad| refuse_walk(bad, rules))?;
    let content = match source {
        Codec::None => None,
        source => {
            let content = decompress(source, records, rules.decompressed_batch_bytes_max);
            Some(content.map_err(|error| refuse_walk(error.into(), rules))?)
        }
    };
    let records = match codec {
        Codec::None => content.unwrap_or_default(),
        codec => compress(codec, level, content.as_deref().unwrap_or(records)),
    };
    let size = BatchHeader::SIZE + records.len();
    check_size(size, rules)?;
    let mut fresh = BytesMut::with_capacity(size);
    fresh.extend_from_slice(head);
    fresh.extend_from_slice(&records);
    set_size_and_codec(&mut fresh, header, codec);
    seal(&mut fresh);
    Ok(fresh)
}

fn set_size_and_codec(batch: &mut BytesMut, header: &BatchHeader, codec: Codec) {
    let length = (batch.len() - 12) as u32;
    if let Some(head) = batch.first_chunk_mut::<{ BatchHeader::SIZE }>() {
        head[8..12].copy_from_slice(&length.to_be_bytes());
        head[21..23].copy_from_slice(&header.attributes.with_codec(codec).0.to_be_bytes());
    }
}

/// Faults of single records, gathered over the whole batch so that the producer learns all of them.
#[derive(Default)]
struct RecordErrors {
    total: usize,
    bad_timestamp: bool,
    listed: Vec<(i32, String)>,
}

impl RecordErrors {
    fn add(&mut self, error: ErrorCode, index: i32, message: impl FnOnce() -> String) {
        self.total += 1;
        self.bad_timestamp |= error == ErrorCode::INVALID_TIMESTAMP;
        if self.listed.len() < Rejected::RECORD_ERRORS_MAX {
            self.listed.push((index, message()));
        }
    }

    /// The refusal, if any record is at fault; one bad timestamp decides the code of the whole batch.
    fn take(&mut self) -> Option<Rejected> {
        let (_, first) = self.listed.first()?;
        let (error, message) = match self.bad_timestamp {
            true => (
                ErrorCode::INVALID_TIMESTAMP,
                "One or more records have been rejected due to invalid timestamp".to_owned(),
            ),
            false => (
                ErrorCode::INVALID_RECORD,
                format!(
                    "One or more records have been rejected due to {} record errors, the first: {first}",
                    self.total
                ),
            ),
        };
        Some(Rejected { error, message, record_errors: std::mem::take(&mut self.listed) })
    }
}
