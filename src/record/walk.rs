//! Walks the records of a batch, compressed or not, with one parser and without an allocation per record. Must not
//! know what is wanted of the records.

use super::bad::{BadBatch, RecordFault};
use super::batch::BatchHeader;
use super::codec::{Codec, Decoder};
use super::large;
use super::raw::{Cut, RawRecord, cut_record};
use super::varint;

/// Bounds of a walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct WalkLimits {
    /// Bytes of one record's body, compressed batches only.
    pub record_bytes_max: usize,
    /// Bytes of all records once decompressed.
    pub batch_bytes_max: usize,
}

/// What the checks on a batch need to know of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordShape {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub has_key: bool,
}

impl From<RawRecord<'_>> for RecordShape {
    fn from(record: RawRecord<'_>) -> RecordShape {
        let RawRecord { timestamp_delta, offset_delta, key, .. } = record;
        RecordShape { timestamp_delta, offset_delta, has_key: key.is_some() }
    }
}

/// A longer record of a compressed batch is read field by field: memory for many connections at once must not
/// follow what their batches unpack to.
const HELD_BYTES_MAX: usize = 256 * 1024;

/// Shows every record of `records`, the bytes behind the header, to `visit` with its position; the walk ends at
/// the first fault. Exactly as many records as the header counts must be there, and nothing behind them.
pub(super) fn walk(
    header: &BatchHeader,
    records: &[u8],
    limits: WalkLimits,
    visit: &mut impl FnMut(i32, RecordShape) -> Result<(), RecordFault>,
) -> Result<(), BadBatch> {
    match header.codec()? {
        Codec::None => walk_plain(header.count, records, visit),
        codec => walk_compressed(
            header.count,
            Decoder::new(codec, records, limits.batch_bytes_max)?,
            limits,
            visit,
        ),
    }
}

fn walk_plain(
    count: i32,
    mut records: &[u8],
    visit: &mut impl FnMut(i32, RecordShape) -> Result<(), RecordFault>,
) -> Result<(), BadBatch> {
    for index in 0..count {
        let at = |fault| BadBatch::Record { index, fault };
        let Cut::Whole { body, rest } = cut_record(records).map_err(at)? else {
            return Err(at(RecordFault::Cut));
        };
        RawRecord::parse(body).and_then(|record| visit(index, record.into())).map_err(at)?;
        records = rest;
    }
    if records.is_empty() { Ok(()) } else { Err(BadBatch::Trailing(records.len())) }
}

/// What follows a record's length.
fn rest_of_length(mut record: &[u8]) -> &[u8] {
    // It was read once already.
    let _ = varint::read_i32(&mut record);
    record
}

/// Keeps only a window of the output in memory: the record at hand, unless it is large, and one piece of the stream.
fn walk_compressed(
    count: i32,
    mut decoder: Decoder<'_>,
    limits: WalkLimits,
    visit: &mut impl FnMut(i32, RecordShape) -> Result<(), RecordFault>,
) -> Result<(), BadBatch> {
    let mut window = Vec::new();
    let mut start = 0;
    for index in 0..count {
        let at = |fault| BadBatch::Record { index, fault };
        loop {
            let unread = window.get(start..).unwrap_or_default();
            match cut_record(unread).map_err(at)? {
                Cut::Whole { body, rest } => {
                    if body.len() > limits.record_bytes_max {
                        return Err(at(RecordFault::TooLarge));
                    }
                    RawRecord::parse(body).and_then(|record| visit(index, record.into())).map_err(at)?;
                    start = window.len() - rest.len();
                    break;
                }
                // The claim alone condemns it: nothing is decompressed to see whether it was true.
                Cut::Short(Some(length)) if length > limits.record_bytes_max => {
                    return Err(at(RecordFault::TooLarge));
                }
                Cut::Short(Some(length)) if length > HELD_BYTES_MAX => {
                    // Its length has been read; the fields follow.
                    start = window.len() - rest_of_length(unread).len();
                    let shape = large::read(&mut window, &mut start, &mut decoder, length);
                    let shape = shape.map_err(|fault| match fault {
                        large::Fault::Record(fault) => at(fault),
                        large::Fault::Stream(bad) => bad,
                    })?;
                    visit(index, shape).map_err(at)?;
                    break;
                }
                Cut::Short(_) => {
                    window.drain(..start);
                    start = 0;
                    if !decoder.read_more(&mut window)? {
                        return Err(at(RecordFault::Cut));
                    }
                }
            }
        }
    }
    // The end of the stream is read as well: its checksum or end mark stands there.
    loop {
        let left = window.len() - start;
        if left > 0 {
            return Err(BadBatch::Trailing(left));
        }
        window.clear();
        start = 0;
        if !decoder.read_more(&mut window)? {
            return Ok(());
        }
    }
}
