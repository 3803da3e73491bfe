//! Records of stored batches as compaction sees them: walked in place, or in one reused buffer once decompressed, and
//! put together again without some of them. Nothing is allocated per record. Must not know why a record stays or goes.

use super::attributes::TimestampType;
use super::bad::{BadBatch, RecordFault};
use super::batch::{BatchHeader, seal};
use super::codec::{Codec, Decoder, compress};
use super::raw::{Cut, cut_record};
use super::varint;
use crate::types::{Offset, TimestampMs};
use bytes::{BufMut, BytesMut};

/// The fields of a stored record that decide whether it stays.
#[derive(Debug, Clone, Copy)]
pub struct StoredRecord<'a> {
    /// Its offset less the base offset of the batch.
    pub offset_delta: i32,
    /// Its key, or null.
    pub key: Option<&'a [u8]>,
    /// Its value is null: a tombstone.
    pub is_tombstone: bool,
    timestamp_delta: i64,
    /// From the offset delta to the end of the record.
    tail: &'a [u8],
}

/// The records of one stored batch, in order. Ends after the first fault.
#[derive(Debug, Clone)]
pub struct StoredRecords<'a> {
    rest: &'a [u8],
    index: i32,
    count: i32,
}

/// The records of a batch; compressed ones are decompressed into `buffer`, at most `cap_bytes` of them. The CRC is not
/// checked here.
pub fn stored_records<'a>(
    header: &BatchHeader,
    batch: &'a [u8],
    cap_bytes: usize,
    buffer: &'a mut Vec<u8>,
) -> Result<StoredRecords<'a>, BadBatch> {
    let records = batch
        .get(BatchHeader::SIZE..header.size)
        .ok_or(BadBatch::Cut { have: batch.len(), need: header.size })?;
    let rest = match header.codec()? {
        Codec::None => records,
        // Compaction leaves batches without records, and writes no stream for them.
        _ if header.count == 0 => &[],
        codec => {
            buffer.clear();
            let mut decoder = Decoder::new(codec, records, cap_bytes)?;
            while decoder.read_more(buffer)? {}
            buffer
        }
    };
    Ok(StoredRecords { rest, index: 0, count: header.count })
}

impl<'a> Iterator for StoredRecords<'a> {
    type Item = Result<StoredRecord<'a>, BadBatch>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.count {
            let left = std::mem::take(&mut self.rest).len();
            return (left > 0).then_some(Err(BadBatch::Trailing(left)));
        }
        let index = self.index;
        let next = match cut_record(self.rest) {
            Ok(Cut::Whole { body, rest }) => {
                self.rest = rest;
                self.index += 1;
                StoredRecord::parse(body)
            }
            Ok(Cut::Short(_)) => Err(RecordFault::Cut),
            Err(fault) => Err(fault),
        };
        if next.is_err() {
            (self.rest, self.index) = (&[], i32::MAX);
        }
        Some(next.map_err(|fault| BadBatch::Record { index, fault }))
    }
}

impl<'a> StoredRecord<'a> {
    /// Reads up to the length of the value; what is behind it was checked when the batch was produced.
    #[inline]
    fn parse(body: &'a [u8]) -> Result<StoredRecord<'a>, RecordFault> {
        let (_, mut rest) = body.split_first().ok_or(RecordFault::Length)?;
        let timestamp_delta = varint::read_i64(&mut rest)?;
        let tail = rest;
        let offset_delta = varint::read_i32(&mut rest)?;
        let key = match usize::try_from(varint::read_i32(&mut rest)?) {
            Ok(length) => {
                let (key, after) = rest.split_at_checked(length).ok_or(RecordFault::Length)?;
                rest = after;
                Some(key)
            }
            Err(_) => None,
        };
        let is_tombstone = match usize::try_from(varint::read_i32(&mut rest)?) {
            Ok(length) if length > rest.len() => return Err(RecordFault::Length),
            value => value.is_err(),
        };
        Ok(StoredRecord { offset_delta, key, is_tombstone, timestamp_delta, tail })
    }
}

/// Appends to `out` the batch without the records whose place in `keep` is false; at least one is kept. `records` are
/// those of [`stored_records`]. With a `horizon` the batch gets it, or keeps the one it has.
///
/// As Kafka does it: codec, offsets, epochs and sequences stay; the times are those of the records that are left, under
/// the horizon or the first of them as base.
pub fn rebuild_batch(
    header: &BatchHeader,
    records: StoredRecords<'_>,
    keep: &[bool],
    horizon: Option<TimestampMs>,
    out: &mut BytesMut,
) -> Result<(), BadBatch> {
    let codec = header.codec()?;
    let start = out.len();
    let mut rebuilt = BatchHeader {
        attributes: header.attributes.with_delete_horizon(horizon.is_some()),
        base_timestamp: horizon.unwrap_or(TimestampMs::NONE),
        max_timestamp: TimestampMs::NONE,
        count: 0,
        ..*header
    };
    // Sizes and times are known at the end; the header is then written over this one.
    put_header(&rebuilt, out);
    let append_time =
        (header.timestamp_type() == TimestampType::LogAppendTime).then_some(header.max_timestamp);
    let (first, mut base) = (out.len(), horizon);
    let places = keep.iter().copied().chain(std::iter::repeat(true));
    for (record, _) in records.zip(places).filter(|(_, keep)| *keep) {
        let record = record?;
        let time = header.base_timestamp.0.wrapping_add(record.timestamp_delta);
        let time = append_time.unwrap_or(TimestampMs(time));
        rebuilt.base_timestamp = *base.get_or_insert(time);
        put_record(out, time.0.wrapping_sub(rebuilt.base_timestamp.0), record.tail);
        rebuilt.max_timestamp = rebuilt.max_timestamp.max(time);
        rebuilt.count += 1;
    }
    if codec != Codec::None {
        let packed = compress(codec, Codec::DEFAULT_LEVEL, out.get(first..).unwrap_or_default());
        out.truncate(first);
        out.put_slice(&packed);
    }
    rebuilt.max_timestamp = append_time.unwrap_or(rebuilt.max_timestamp);
    rebuilt.size = out.len() - start;
    let batch = out.get_mut(start..).unwrap_or_default();
    if let Some(place) = batch.get_mut(..BatchHeader::SIZE) {
        put_header(&rebuilt, &mut &mut *place);
    }
    seal(batch);
    Ok(())
}

/// Appends what is left of a batch without records: its offsets, epochs, sequence and largest time, as Kafka does.
pub fn empty_batch(header: &BatchHeader, out: &mut BytesMut) {
    let start = out.len();
    let empty = BatchHeader {
        size: BatchHeader::SIZE,
        attributes: header.attributes.with_codec(Codec::None).with_delete_horizon(false),
        base_timestamp: TimestampMs::NONE,
        count: 0,
        ..*header
    };
    put_header(&empty, out);
    seal(out.get_mut(start..).unwrap_or_default());
}

fn put_record(out: &mut BytesMut, timestamp_delta: i64, tail: &[u8]) {
    let size = 1 + varint::len_i64(timestamp_delta) + tail.len();
    varint::put_i32(out, size as i32);
    out.put_u8(0);
    varint::put_i64(out, timestamp_delta);
    out.put_slice(tail);
}

fn put_header(header: &BatchHeader, out: &mut impl BufMut) {
    let Offset(base_offset) = header.base_offset;
    out.put_i64(base_offset);
    out.put_i32((header.size - 12) as i32);
    out.put_i32(header.leader_epoch.0);
    out.put_i8(2);
    out.put_u32(0);
    out.put_i16(header.attributes.0);
    out.put_i32(header.last_offset_delta);
    out.put_i64(header.base_timestamp.0);
    out.put_i64(header.max_timestamp.0);
    out.put_i64(header.producer_id.0);
    out.put_i16(header.producer_epoch);
    out.put_i32(header.base_sequence);
    out.put_i32(header.count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BatchBuilder, Record, check_crc, read_records};
    use crate::types::{Epoch, ProducerId};
    use bytes::Bytes;

    const CAP: usize = 1 << 20;

    /// Three records at offsets 10, 11 and 12; the second is a tombstone.
    fn batch(change: impl Fn(BatchBuilder) -> BatchBuilder) -> Bytes {
        let builder = BatchBuilder::new().base_offset(Offset(10)).leader_epoch(Epoch(3));
        let mut builder = change(builder.producer(ProducerId(7), 1, 40));
        builder.push(TimestampMs(5_000), Some(b"a"), Some(b"one"), &[("h", Some(b"v")), ("n", None)]);
        builder.push(TimestampMs(9_000), Some(b"b"), None, &[]);
        builder.push(TimestampMs(2_000), None, Some(&[7; 300]), &[]);
        builder.build().freeze()
    }

    fn rebuild(batch: &Bytes, keep: [bool; 3], horizon: Option<TimestampMs>) -> Bytes {
        let header = BatchHeader::parse(batch).unwrap();
        let (mut buffer, mut out) = (Vec::new(), BytesMut::from(&b"before"[..]));
        let records = stored_records(&header, batch, CAP, &mut buffer).unwrap();
        rebuild_batch(&header, records, &keep, horizon, &mut out).unwrap();
        let out = out.freeze().slice(6..);
        check_crc(&out).unwrap();
        out
    }

    fn read(batch: &Bytes) -> Vec<Record> {
        read_records(batch, CAP).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn what_is_kept_is_as_it_was_under_every_codec() {
        for codec in Codec::ALL {
            let source = batch(|builder| builder.codec(codec, Codec::DEFAULT_LEVEL).transactional());
            let mut expect = read(&source);
            expect.remove(0);
            for horizon in [None, Some(TimestampMs(1_000_000)), Some(TimestampMs(0))] {
                let out = rebuild(&source, [false, true, true], horizon);
                assert_eq!(read(&out), expect, "{codec:?}");
                let (before, after) =
                    (BatchHeader::parse(&source).unwrap(), BatchHeader::parse(&out).unwrap());
                assert_eq!(after.size, out.len());
                assert_eq!(after.base_timestamp, horizon.unwrap_or(TimestampMs(9_000)));
                assert_eq!((after.max_timestamp, after.count), (TimestampMs(9_000), 2));
                assert_eq!(after.has_delete_horizon(), horizon.is_some());
                let same = BatchHeader {
                    size: after.size,
                    crc: after.crc,
                    count: 2,
                    attributes: after.attributes,
                    base_timestamp: after.base_timestamp,
                    ..before
                };
                assert_eq!(after, same);
                assert_eq!(after.attributes.with_delete_horizon(false), before.attributes);
            }
        }
    }

    #[test]
    fn the_largest_time_is_that_of_the_records_left() {
        let out = rebuild(&batch(|builder| builder), [true, false, true], None);
        let header = BatchHeader::parse(&out).unwrap();
        assert_eq!((header.base_timestamp, header.max_timestamp), (TimestampMs(5_000), TimestampMs(5_000)));
    }

    #[test]
    fn the_time_of_an_append_stays() {
        let source = batch(|builder| builder.log_append_time(TimestampMs(77)));
        let out = rebuild(&source, [false, false, true], Some(TimestampMs(1000)));
        assert_eq!(read(&out), [read(&source).remove(2)]);
        assert_eq!(BatchHeader::parse(&out).unwrap().max_timestamp, TimestampMs(77));
    }

    #[test]
    fn keys_and_tombstones_are_seen() {
        for codec in Codec::ALL {
            let source = batch(|builder| builder.codec(codec, Codec::DEFAULT_LEVEL));
            let header = BatchHeader::parse(&source).unwrap();
            let mut buffer = vec![1; 10];
            let seen: Vec<_> = stored_records(&header, &source, CAP, &mut buffer)
                .unwrap()
                .map(|record| {
                    record.map(|record| (record.offset_delta, record.key, record.is_tombstone)).unwrap()
                })
                .collect();
            assert_eq!(seen, [(0, Some(&b"a"[..]), false), (1, Some(&b"b"[..]), true), (2, None, false)]);
        }
    }

    #[test]
    fn an_emptied_batch_is_what_the_builder_makes_of_it() {
        let source = batch(|builder| builder.codec(Codec::Zstd, 3).delete_horizon(TimestampMs(4)));
        let header = BatchHeader::parse(&source).unwrap();
        let mut out = BytesMut::new();
        empty_batch(&header, &mut out);
        assert_eq!(out, BatchBuilder::like(&header).build());
    }

    /// Name, records kept, horizon to be set, batch before and after, as `Filtered.java` beside them prints them.
    const FILTERED: &str = include_str!("../../tests/golden/record/filtered-kafka-clients-4.4.0.txt");

    fn unhex(text: &str) -> Bytes {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn kafkas_cleaner_makes_the_same_bytes_of_a_batch() {
        for line in FILTERED.lines() {
            let [name, keep, horizon, before, after] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let (before, after) = (unhex(before), unhex(after));
            let header = BatchHeader::parse(&before).unwrap();
            let keep: Vec<bool> = keep.bytes().map(|kept| kept == b'1').collect();
            let set = name.starts_with("tombstone") || name == "marker";
            let kept = header.has_delete_horizon().then_some(header.base_timestamp);
            let horizon = if set { Some(TimestampMs(horizon.parse().unwrap())) } else { kept };
            let (mut buffer, mut out) = (Vec::new(), BytesMut::new());
            let records = stored_records(&header, &before, CAP, &mut buffer).unwrap();
            if keep.contains(&true) {
                rebuild_batch(&header, records, &keep, horizon, &mut out).unwrap();
            } else {
                empty_batch(&header, &mut out);
            }
            assert_eq!(out, after, "{name}");
        }
        assert_eq!(FILTERED.lines().count(), 11);
    }

    #[test]
    fn bytes_that_are_no_records_are_an_error_and_too_many_are_refused() {
        let source = batch(|builder| builder);
        let header = BatchHeader::parse(&source).unwrap();
        for count in [2, 4] {
            let wrong = BatchHeader { count, ..header };
            let mut buffer = Vec::new();
            let mut records = stored_records(&wrong, &source, CAP, &mut buffer).unwrap().collect::<Vec<_>>();
            assert!(records.pop().unwrap().is_err());
            assert!(records.iter().all(Result::is_ok));
        }
        let packed = batch(|builder| builder.codec(Codec::Gzip, 1));
        let header = BatchHeader::parse(&packed).unwrap();
        assert!(matches!(
            stored_records(&header, &packed, 100, &mut Vec::new()),
            Err(BadBatch::Decompress(_))
        ));
        assert!(matches!(
            stored_records(&header, &packed[..70], CAP, &mut Vec::new()),
            Err(BadBatch::Cut { .. })
        ));
    }
}
