//! The records of one stored batch, checked as far as a stored batch can be: compaction may have taken records out, so
//! offsets ascend and need not be without gaps. Must not know where the batch came from.

use crate::record::{BatchHeader, Record, TimestampType, read_records};
use crate::types::{Offset, TimestampMs};
use bytes::Bytes;

/// Most bytes of a batch, and of what comes out of it, that are held in memory, unless the caller says otherwise.
/// Twice what a broker takes in by default.
pub const HELD_BYTES_MAX: usize = 256 << 20;

/// Shows every record of a batch to `visit` and checks them against the header. Returns the bytes of all records once
/// decompressed.
///
/// # Errors
/// What is wrong, in words. Records in front of the fault have been shown.
pub fn visit_records(
    header: &BatchHeader,
    batch: &Bytes,
    cap_bytes: usize,
    visit: &mut dyn FnMut(&Record),
) -> Result<usize, String> {
    let mut last: Option<Offset> = None;
    let mut max = TimestampMs::NONE;
    let records = read_records(batch, cap_bytes).map_err(|bad| bad.to_string())?;
    let plain = records.plain_bytes();
    for record in records {
        let record = record.map_err(|bad| bad.to_string())?;
        let offset = record.offset;
        if offset < header.base_offset || offset > header.last_offset() {
            return Err(format!(
                "a record has offset {offset}, outside of {}..={}",
                header.base_offset,
                header.last_offset()
            ));
        }
        if last.is_some_and(|last| offset <= last) {
            return Err(format!("a record has offset {offset}, not above the one before it"));
        }
        last = Some(offset);
        max = max.max(record.timestamp);
        visit(&record);
    }
    let by_producer = header.timestamp_type() == TimestampType::CreateTime;
    if by_producer && header.count > 0 && max != header.max_timestamp {
        return Err(format!("the largest timestamp is {max}, and the header says {}", header.max_timestamp));
    }
    Ok(plain)
}
