//! Records out of stored or fetched batches, for readers: tools, the consume verb, look-ups by time. Must not know
//! what a producer may write; a log copied from Kafka is read whatever is in it.

use super::attributes::TimestampType;
use super::bad::{BadBatch, RecordFault};
use super::batch::BatchHeader;
use super::codec::{Codec, decompress};
use super::raw::{Cut, RawRecord, cut_record};
use crate::types::{Offset, TimestampMs};
use bytes::Bytes;
use std::fmt;

/// One record of a batch. Keys and values are slices of the batch, or of its decompressed records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its offset in the partition.
    pub offset: Offset,
    /// Its time: its own, or the append's under LogAppendTime.
    pub timestamp: TimestampMs,
    /// Key, or null.
    pub key: Option<Bytes>,
    /// Value, or null: a tombstone on compacted topics.
    pub value: Option<Bytes>,
    /// Headers, in the order written; keys may repeat.
    pub headers: Vec<Header>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Key, never null.
    pub key: HeaderKey,
    /// Value, or null.
    pub value: Option<Bytes>,
}

/// The key of a header: UTF-8 over the bytes of the batch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderKey(Bytes);

impl HeaderKey {
    /// Takes bytes as a key; what is not UTF-8 in them is replaced as Java clients do.
    pub fn new(bytes: Bytes) -> HeaderKey {
        match std::str::from_utf8(&bytes) {
            Ok(_) => HeaderKey(bytes),
            Err(_) => HeaderKey(String::from_utf8_lossy(&bytes).into_owned().into()),
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<&str> for HeaderKey {
    fn from(text: &str) -> HeaderKey {
        HeaderKey(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for HeaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Iterator over the records of one batch.
#[derive(Debug)]
pub struct Records {
    header: BatchHeader,
    bytes: Bytes,
    at: usize,
    index: i32,
}

/// The records of the batch at the start of `batch`; nothing is copied unless they are compressed, and then at
/// most `cap_bytes` come out. The CRC is not checked here. After the first fault the iterator ends.
pub fn read_records(batch: &Bytes, cap_bytes: usize) -> Result<Records, BadBatch> {
    let header = BatchHeader::parse(batch)?;
    if batch.len() < header.size {
        return Err(BadBatch::Cut { have: batch.len(), need: header.size });
    }
    let records = batch.slice(BatchHeader::SIZE..header.size);
    let bytes = match header.codec()? {
        Codec::None => records,
        // Compaction leaves batches without records, and writes no stream for them.
        _ if header.count == 0 => Bytes::new(),
        codec => decompress(codec, &records, cap_bytes)?,
    };
    Ok(Records { header, bytes, at: 0, index: 0 })
}

impl Records {
    /// Header of the batch.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Bytes of all records once decompressed.
    pub fn plain_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn read_next(&mut self) -> Result<Record, BadBatch> {
        let index = self.index;
        let at = |fault| BadBatch::Record { index, fault };
        let unread = self.bytes.get(self.at..).unwrap_or_default();
        let Cut::Whole { body, rest } = cut_record(unread).map_err(at)? else {
            return Err(at(RecordFault::Cut));
        };
        let record = self.own(&RawRecord::parse(body).map_err(at)?);
        self.at = self.bytes.len() - rest.len();
        self.index += 1;
        Ok(record)
    }

    fn own(&self, raw: &RawRecord<'_>) -> Record {
        let timestamp = match self.header.timestamp_type() {
            TimestampType::CreateTime => {
                TimestampMs(self.header.base_timestamp.0.wrapping_add(raw.timestamp_delta))
            }
            TimestampType::LogAppendTime => self.header.max_timestamp,
        };
        let slice = |bytes: &[u8]| self.bytes.slice_ref(bytes);
        let own_header = |(key, value): (&[u8], Option<&[u8]>)| Header {
            key: HeaderKey::new(slice(key)),
            value: value.map(slice),
        };
        Record {
            offset: self.header.base_offset.plus(i64::from(raw.offset_delta)),
            timestamp,
            key: raw.key.map(slice),
            value: raw.value.map(slice),
            headers: raw.headers().map(own_header).collect(),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, BadBatch>;

    fn next(&mut self) -> Option<Result<Record, BadBatch>> {
        if self.index >= self.header.count {
            let left = self.bytes.len().saturating_sub(self.at);
            self.at = self.bytes.len();
            return (left > 0).then_some(Err(BadBatch::Trailing(left)));
        }
        let next = self.read_next();
        if next.is_err() {
            self.index = i32::MAX;
            self.at = self.bytes.len();
        }
        Some(next)
    }
}

/// The first record of a batch at or after `target` in time and at or after `from` in offset: Kafka's rule for
/// look-ups by timestamp.
pub fn find_timestamp(
    batch: &Bytes,
    target: TimestampMs,
    from: Offset,
    cap_bytes: usize,
) -> Result<Option<(Offset, TimestampMs)>, BadBatch> {
    for record in read_records(batch, cap_bytes)? {
        let record = record?;
        if record.timestamp >= target && record.offset >= from {
            return Ok(Some((record.offset, record.timestamp)));
        }
    }
    Ok(None)
}

/// Batches of a fetched record set, in order.
#[derive(Debug, Clone)]
pub struct Batches {
    rest: Bytes,
    partial: bool,
}

/// Splits the record set of a fetch into its batches, headers parsed, records and CRC unchecked.
///
/// Brokers may cut the last batch anywhere: the iterator ends before it, and [`Batches::partial`] then holds its
/// bytes. Bytes that are no batch are given as one error, which ends the iterator.
pub fn split_batches(records: &Bytes) -> Batches {
    Batches { rest: records.clone(), partial: false }
}

impl Batches {
    /// The bytes of a last batch that is not whole, once the iterator has ended; `None` if every batch was whole.
    pub fn partial(&self) -> Option<&Bytes> {
        self.partial.then_some(&self.rest)
    }
}

impl Iterator for Batches {
    type Item = Result<(BatchHeader, Bytes), BadBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.partial {
            return None;
        }
        match BatchHeader::parse(&self.rest) {
            Ok(header) if header.size <= self.rest.len() => {
                Some(Ok((header, self.rest.split_to(header.size))))
            }
            Ok(_) | Err(BadBatch::Cut { .. }) => {
                self.partial = true;
                None
            }
            Err(bad) => {
                self.rest.clear();
                Some(Err(bad))
            }
        }
    }
}
