//! Builds record batches: for coordinators, the produce verb, compaction and tests. Must not check what a topic
//! asks; that is `check_produced`.

use super::attributes::{Attributes, TimestampType};
use super::batch::{BatchHeader, seal};
use super::codec::{Codec, compress};
use super::records::Record;
use super::varint;
use crate::types::{Epoch, Offset, ProducerId, TimestampMs};
use bytes::{BufMut, BytesMut};

/// A batch in the making. Records must be pushed in the order of their offsets.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    base_offset: Offset,
    leader_epoch: Epoch,
    attributes: Attributes,
    level: i32,
    base_timestamp: Option<TimestampMs>,
    append_time: Option<TimestampMs>,
    /// `max_timestamp` of a batch without records: that of the batch it once was.
    emptied_at: TimestampMs,
    max_timestamp: TimestampMs,
    producer_id: ProducerId,
    producer_epoch: i16,
    base_sequence: i32,
    last_offset_delta: i32,
    count: i32,
    records: BytesMut,
}

impl Default for BatchBuilder {
    fn default() -> BatchBuilder {
        BatchBuilder::new()
    }
}

impl BatchBuilder {
    /// An empty batch at offset 0: no codec, CreateTime, no producer id.
    pub fn new() -> BatchBuilder {
        BatchBuilder {
            base_offset: Offset::ZERO,
            leader_epoch: Epoch::NONE,
            attributes: Attributes::default(),
            level: Codec::DEFAULT_LEVEL,
            base_timestamp: None,
            append_time: None,
            emptied_at: TimestampMs::NONE,
            max_timestamp: TimestampMs::NONE,
            producer_id: ProducerId::NONE,
            producer_epoch: -1,
            base_sequence: -1,
            last_offset_delta: -1,
            count: 0,
            records: BytesMut::new(),
        }
    }

    /// An empty batch with the offsets, epoch, codec, producer and flags of another: what compaction starts with.
    /// Its last offset stays too, whatever is pushed, so that sequence numbers and offsets keep their meaning.
    pub fn like(header: &BatchHeader) -> BatchBuilder {
        BatchBuilder {
            base_offset: header.base_offset,
            leader_epoch: header.leader_epoch,
            attributes: header.attributes,
            base_timestamp: header.has_delete_horizon().then_some(header.base_timestamp),
            emptied_at: header.max_timestamp,
            append_time: (header.timestamp_type() == TimestampType::LogAppendTime)
                .then_some(header.max_timestamp),
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
            last_offset_delta: header.last_offset_delta,
            ..BatchBuilder::new()
        }
    }

    /// Offset of the first record, before any record is pushed.
    pub fn base_offset(mut self, offset: Offset) -> BatchBuilder {
        self.base_offset = offset;
        self
    }

    /// Epoch of the leader.
    pub fn leader_epoch(mut self, epoch: Epoch) -> BatchBuilder {
        self.leader_epoch = epoch;
        self
    }

    /// Codec, and its level ([`Codec::DEFAULT_LEVEL`] for its own).
    pub fn codec(mut self, codec: Codec, level: i32) -> BatchBuilder {
        self.attributes = self.attributes.with_codec(codec);
        self.level = level;
        self
    }

    /// Idempotent producer: id, epoch, and sequence number of the first record (-1 in control batches).
    pub fn producer(mut self, id: ProducerId, epoch: i16, base_sequence: i32) -> BatchBuilder {
        self.producer_id = id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
        self
    }

    /// Part of a transaction.
    pub fn transactional(mut self) -> BatchBuilder {
        self.attributes = self.attributes.with_transactional(true);
        self
    }

    /// Holds control records.
    pub fn control(mut self) -> BatchBuilder {
        self.attributes = self.attributes.with_control(true);
        self
    }

    /// One time for all records, set by the broker.
    pub fn log_append_time(mut self, now: TimestampMs) -> BatchBuilder {
        self.attributes = self.attributes.with_timestamp_type(TimestampType::LogAppendTime);
        self.append_time = Some(now);
        self
    }

    /// Time from which compaction may drop tombstones and markers; before any record is pushed.
    pub fn delete_horizon(mut self, horizon: TimestampMs) -> BatchBuilder {
        self.attributes = self.attributes.with_delete_horizon(true);
        self.base_timestamp = Some(horizon);
        self
    }

    /// Appends a record at the next offset.
    pub fn push(
        &mut self,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        self.push_at(
            self.last_offset_delta.saturating_add(1),
            timestamp,
            key,
            value,
            headers.iter().copied(),
        );
    }

    /// Appends a record as it was read, at its own offset, which must not be below the base offset nor farther than
    /// 2^31-1 from it.
    pub fn push_record(&mut self, record: &Record) {
        let delta = record.offset.0.saturating_sub(self.base_offset.0);
        let delta = i32::try_from(delta).unwrap_or(i32::MAX);
        let headers = record.headers.iter().map(|header| (header.key.as_str(), header.value.as_deref()));
        self.push_at(delta, record.timestamp, record.key.as_deref(), record.value.as_deref(), headers);
    }

    fn push_at<'h>(
        &mut self,
        offset_delta: i32,
        timestamp: TimestampMs,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'h str, Option<&'h [u8]>)> + Clone,
    ) {
        let base = *self.base_timestamp.get_or_insert(timestamp);
        let timestamp_delta = timestamp.0.wrapping_sub(base.0);
        let header_count = headers.clone().count() as i32;
        let mut size = 1 + varint::len_i64(timestamp_delta) + varint::len_i32(offset_delta);
        size += field_len(key) + field_len(value) + varint::len_i32(header_count);
        for (key, value) in headers.clone() {
            size += field_len(Some(key.as_bytes())) + field_len(value);
        }
        let out = &mut self.records;
        out.reserve(size + 5);
        varint::put_i32(out, size as i32);
        out.put_u8(0);
        varint::put_i64(out, timestamp_delta);
        varint::put_i32(out, offset_delta);
        put_field(out, key);
        put_field(out, value);
        varint::put_i32(out, header_count);
        for (key, value) in headers {
            put_field(out, Some(key.as_bytes()));
            put_field(out, value);
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset_delta = self.last_offset_delta.max(offset_delta);
        self.count += 1;
    }

    /// Number of records so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Bytes of the batch so far, before compression.
    pub fn size(&self) -> usize {
        BatchHeader::SIZE + self.records.len()
    }

    /// The finished batch, with its CRC.
    pub fn build(mut self) -> BytesMut {
        if self.count == 0 {
            // As Kafka writes a batch that compaction emptied: no codec, no horizon, the largest time kept.
            self.attributes = self.attributes.with_codec(Codec::None).with_delete_horizon(false);
            self.base_timestamp = None;
            self.max_timestamp = self.emptied_at;
        }
        // The codec bits came from a `Codec`, or from a header whose records were read with it.
        let codec = self.attributes.codec().unwrap_or_default();
        let records = match codec {
            Codec::None => self.records.freeze(),
            codec => compress(codec, self.level, &self.records),
        };
        let size = BatchHeader::SIZE + records.len();
        let mut out = BytesMut::with_capacity(size);
        out.put_i64(self.base_offset.0);
        out.put_i32((size - 12) as i32);
        out.put_i32(self.leader_epoch.0);
        out.put_i8(2);
        out.put_u32(0);
        out.put_i16(self.attributes.0);
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_timestamp.unwrap_or(TimestampMs::NONE).0);
        out.put_i64(self.append_time.unwrap_or(self.max_timestamp).0);
        out.put_i64(self.producer_id.0);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(self.count);
        out.put_slice(&records);
        seal(&mut out);
        out
    }
}

fn field_len(field: Option<&[u8]>) -> usize {
    field.map_or(1, |bytes| varint::len_i32(bytes.len() as i32) + bytes.len())
}

fn put_field(out: &mut BytesMut, field: Option<&[u8]>) {
    match field {
        None => varint::put_i32(out, -1),
        Some(bytes) => {
            varint::put_i32(out, bytes.len() as i32);
            out.put_slice(bytes);
        }
    }
}
