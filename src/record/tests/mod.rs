//! Behaviours of the whole layer: build, check, read.

mod large;
mod oracle;

use super::*;
use crate::types::{Epoch, ErrorCode, Offset, ProducerId, TimestampMs};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

/// Name and batch in hex, one a line; made by `Golden.java` and `golden_librdkafka.py` beside them.
const KAFKA: &str = include_str!("../../../tests/golden/record/batches-kafka-clients-4.4.0.txt");
const LIBRDKAFKA: &str = include_str!("../../../tests/golden/record/batches-librdkafka-2.16.0.txt");

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn golden(file: &str, name: &str) -> Bytes {
    let line = file.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
    unhex(line.split_once(' ').unwrap().1).into()
}

fn three_records(codec: Codec) -> BytesMut {
    let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
    push_three(&mut builder);
    builder.build()
}

fn push_three(builder: &mut BatchBuilder) {
    builder.push(NOW, Some(b"a"), Some(b"one"), &[("trace", Some(b"1")), ("empty", None)]);
    builder.push(TimestampMs(NOW.0 + 5), Some(b"b"), None, &[]);
    builder.push(TimestampMs(NOW.0 + 5), None, Some(b"three"), &[]);
}

fn records_of(batch: &Bytes) -> Vec<Record> {
    read_records(batch, 1 << 20).unwrap().map(Result::unwrap).collect()
}

fn rejection(batch: &[u8], rules: &AppendRules) -> Rejected {
    check_produced(BytesMut::from(batch), rules, NOW).unwrap_err()
}

#[test]
fn a_checked_batch_gets_offsets_and_reads_back_for_every_codec() {
    for codec in Codec::ALL {
        let mut checked = check_produced(three_records(codec), &AppendRules::default(), NOW).unwrap();
        assert_eq!(checked.assign(Offset(100), Epoch(3)), Offset(103));
        let meta = checked.batches()[0];
        assert_eq!((meta.max_timestamp, meta.max_timestamp_offset_delta), (TimestampMs(NOW.0 + 5), 1));
        assert_eq!((meta.header.base_offset, meta.header.leader_epoch), (Offset(100), Epoch(3)));
        let bytes = checked.freeze();
        check_crc(&bytes).unwrap();
        assert_eq!(BatchHeader::parse(&bytes).unwrap(), meta.header);
        let records = records_of(&bytes);
        let offsets: Vec<i64> = records.iter().map(|record| record.offset.0).collect();
        assert_eq!(offsets, [100, 101, 102]);
        assert_eq!(records[0].headers[0].key.as_str(), "trace");
        assert_eq!(records[0].headers[1].value, None);
        assert_eq!(records[1].value, None);
        assert_eq!(records[2].key, None);
    }
}

#[test]
fn batches_of_the_java_producer_are_taken_and_read() {
    for codec in Codec::ALL {
        let name = codec.name();
        let small = golden(KAFKA, &format!("small-{name}"));
        assert_eq!(records_of(&small), records_of(&three_records(codec).freeze()), "{name}");
        let transactional = golden(KAFKA, &format!("txn-{name}"));
        let header = BatchHeader::parse(&transactional).unwrap();
        assert!(header.is_transactional() && header.codec() == Ok(codec));
        assert_eq!((header.producer_id, header.producer_epoch), (ProducerId(4711), 3));
        assert_eq!((header.base_sequence, header.last_sequence()), (i32::MAX - 1, 0));
        check_produced(BytesMut::from(&small[..]), &AppendRules::default(), NOW).unwrap();
        check_produced(BytesMut::from(&transactional[..]), &AppendRules::default(), NOW).unwrap();
        if codec != Codec::None {
            let blocks = golden(KAFKA, &format!("blocks-{name}"));
            let records = records_of(&blocks);
            assert_eq!((records.len(), records[149].value.as_ref().unwrap().len()), (150, 1000));
            check_produced(BytesMut::from(&blocks[..]), &AppendRules::default(), NOW).unwrap();
        }
    }
}

#[test]
fn our_uncompressed_batches_are_those_of_the_java_producer_byte_by_byte() {
    assert_eq!(three_records(Codec::None).freeze(), golden(KAFKA, "small-none"));
    let mut builder = BatchBuilder::new().producer(ProducerId(4711), 3, i32::MAX - 1).transactional();
    push_three(&mut builder);
    assert_eq!(builder.build().freeze(), golden(KAFKA, "txn-none"));
}

#[test]
fn our_transaction_markers_are_kafkas_byte_by_byte() {
    let marker = EndTxnMarker { coordinator_epoch: 12 };
    for (name, committed, offset) in [("marker-commit", true, 40), ("marker-abort", false, 41)] {
        let mut batch = marker.to_batch(committed, ProducerId(4711), 3, NOW);
        stamp(&mut batch, Offset(offset), Epoch(7));
        assert_eq!(batch.freeze(), golden(KAFKA, name));
    }
}

#[test]
fn batches_of_librdkafka_are_taken_and_read() {
    for codec in Codec::ALL {
        let mut names = vec![format!("small-{}", codec.name())];
        if codec != Codec::None {
            names.push(format!("blocks-{}", codec.name()));
        }
        for name in names {
            let batch = golden(LIBRDKAFKA, &name);
            assert_eq!(BatchHeader::parse(&batch).unwrap().codec(), Ok(codec));
            let records = records_of(&batch);
            assert_eq!(records[2].key.as_deref(), Some(&b"key-2"[..]));
            assert_eq!(records[0].headers[0].key.as_str(), "trace");
            check_produced(BytesMut::from(&batch[..]), &AppendRules::default(), NOW).unwrap();
        }
    }
}

#[test]
fn a_cut_batch_is_refused_at_every_byte_and_read_as_partial() {
    for codec in Codec::ALL {
        let whole = three_records(codec).freeze();
        for end in 0..whole.len() {
            let rejected = rejection(&whole[..end], &AppendRules::default());
            assert_eq!(rejected.error, ErrorCode::INVALID_RECORD, "{} cut at {end}", codec.name());
            let two: Bytes = [&whole[..], &whole[..end]].concat().into();
            let mut batches = split_batches(&two);
            assert_eq!(batches.next().unwrap().unwrap().1, whole);
            assert!(batches.next().is_none());
            assert_eq!(batches.partial().map_or(0, Bytes::len), end);
            assert!(read_records(&whole.slice(..end), 1 << 20).is_err());
        }
    }
}

#[test]
fn every_flipped_bit_under_the_crc_of_a_produced_batch_is_refused_as_corrupt() {
    let mut builder = BatchBuilder::new();
    builder.push(NOW, Some(b"key"), Some(&[7; 300]), &[]);
    let good = builder.build();
    for bit in 21 * 8..good.len() * 8 {
        let mut bad = good.to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(rejection(&bad, &AppendRules::default()).error, ErrorCode::CORRUPT_MESSAGE, "bit {bit}");
    }
}

#[test]
fn a_bomb_stops_at_the_cap() {
    let zeros = vec![0u8; 32 << 20];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bomb = compress(codec, Codec::DEFAULT_LEVEL, &zeros);
        assert_eq!(decompress(codec, &bomb, 1 << 20), Err(DecompressError::TooLarge(1 << 20)));
        assert_eq!(decompress(codec, &bomb, zeros.len()).unwrap().len(), zeros.len());
    }
}

/// Producers answer MESSAGE_TOO_LARGE by sending the batch in halves.
#[test]
fn a_batch_with_more_inside_than_allowed_is_too_large() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
        for _ in 0..40 {
            builder.push(NOW, None, Some(&[0; 100_000]), &[]);
        }
        let batch = builder.build();
        let rules = AppendRules { decompressed_batch_bytes_max: 1 << 20, ..AppendRules::default() };
        assert_eq!(rejection(&batch, &rules).error, ErrorCode::MESSAGE_TOO_LARGE, "{}", codec.name());
        let recompress = AppendRules { compression: Some((Codec::None, 0)), ..rules };
        assert_eq!(rejection(&batch, &recompress).error, ErrorCode::MESSAGE_TOO_LARGE, "{}", codec.name());
    }
}

/// A few bytes that claim megabytes: a snappy block of 1 GiB, an lz4 frame of 4 MiB blocks, a zstd window of 2 GiB.
#[test]
fn claimed_sizes_are_refused_before_they_cost_anything() {
    let snappy = [0x80, 0x80, 0x80, 0x80, 0x04, 0, b'x'];
    assert_eq!(decompress(Codec::Snappy, &snappy, 1 << 30), Err(DecompressError::Damaged(Codec::Snappy)));
    let mut framed = compress(Codec::Snappy, 0, b"x")[..16].to_vec();
    framed.extend([0x7f, 0xff, 0xff, 0xff, 1, 0, b'x']);
    assert_eq!(decompress(Codec::Snappy, &framed, 1 << 30), Err(DecompressError::Damaged(Codec::Snappy)));
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    assert_eq!(decompress(Codec::Zstd, &zstd, 1 << 30), Err(DecompressError::Damaged(Codec::Zstd)));
    let bytes = decompress(Codec::Lz4, &compress(Codec::Lz4, 0, b"x"), 10).unwrap();
    assert_eq!(&bytes[..], b"x");
}

#[test]
fn many_faulty_records_are_counted_and_the_first_thousand_listed() {
    let mut builder = BatchBuilder::new();
    for _ in 0..3000 {
        builder.push(NOW, None, None, &[]);
    }
    let rejected = rejection(&builder.build(), &AppendRules { compacted: true, ..AppendRules::default() });
    assert_eq!(rejected.error, ErrorCode::INVALID_RECORD);
    assert_eq!(rejected.record_errors.len(), Rejected::RECORD_ERRORS_MAX);
    assert!(rejected.message.contains("3000"), "{rejected}");
}

#[test]
fn a_look_up_by_time_finds_the_first_record_at_or_after_it() {
    let find = |batch: &Bytes, target, from| {
        let found = find_timestamp(batch, TimestampMs(target), Offset(from), 1 << 20).unwrap();
        found.map(|(offset, timestamp)| (offset.0, timestamp.0 - NOW.0))
    };
    for codec in Codec::ALL {
        let batch = three_records(codec).freeze();
        assert_eq!(find(&batch, 0, 0), Some((0, 0)));
        assert_eq!(find(&batch, NOW.0 + 1, 0), Some((1, 5)));
        assert_eq!(find(&batch, NOW.0, 2), Some((2, 5)));
        assert_eq!(find(&batch, NOW.0 + 6, 0), None);
    }
}

#[test]
fn a_batch_rebuilt_without_a_record_keeps_its_offsets_and_sequence_numbers() {
    let mut original = three_records(Codec::Zstd);
    stamp(&mut original, Offset(50), Epoch(2));
    let original = original.freeze();
    let header = BatchHeader::parse(&original).unwrap();
    let mut rebuilt = BatchBuilder::like(&header).delete_horizon(TimestampMs(NOW.0 + 1000));
    let kept: Vec<Record> = records_of(&original).into_iter().skip(2).collect();
    kept.iter().for_each(|record| rebuilt.push_record(record));
    let rebuilt = rebuilt.build().freeze();
    check_crc(&rebuilt).unwrap();
    let after = BatchHeader::parse(&rebuilt).unwrap();
    assert_eq!((after.base_offset, after.next_offset(), after.count), (Offset(50), Offset(53), 1));
    assert_eq!(
        (after.base_timestamp, after.max_timestamp),
        (TimestampMs(NOW.0 + 1000), TimestampMs(NOW.0 + 5))
    );
    assert!(after.has_delete_horizon());
    assert_eq!(records_of(&rebuilt), kept);
    // A batch of which nothing is left keeps its place and its time.
    let emptied = BatchBuilder::like(&header).build().freeze();
    let after = BatchHeader::parse(&emptied).unwrap();
    assert_eq!((after.next_offset(), after.max_timestamp), (Offset(53), header.max_timestamp));
    assert_eq!(records_of(&emptied), []);
    assert_eq!(emptied.len(), BatchHeader::SIZE);
}

#[test]
fn trusted_batches_get_consecutive_offsets_and_a_torn_one_is_refused() {
    let mut bytes = three_records(Codec::None);
    bytes.unsplit(three_records(Codec::Lz4));
    let torn = BytesMut::from(&bytes[..bytes.len() - 1]);
    assert!(matches!(CheckedBatches::trusted(torn), Err(BadBatch::Cut { .. })));
    let mut trusted = CheckedBatches::trusted(bytes).unwrap();
    assert_eq!(trusted.assign(Offset(7), Epoch(1)), Offset(13));
    let bases: Vec<Offset> = trusted.batches().iter().map(|meta| meta.header.base_offset).collect();
    assert_eq!(bases, [Offset(7), Offset(10)]);
    let bytes = trusted.freeze();
    let offsets: Vec<i64> = split_batches(&bytes)
        .flat_map(|batch| records_of(&batch.unwrap().1))
        .map(|record| record.offset.0)
        .collect();
    assert_eq!(offsets, [7, 8, 9, 10, 11, 12]);
}

#[test]
fn header_keys_of_a_foreign_log_that_are_not_utf8_are_shown_with_replacements() {
    assert_eq!(HeaderKey::new(Bytes::from_static(&[0xc3, 0x28])).as_str(), "\u{fffd}(");
}

type AnyRecord = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

fn any_record() -> impl Strategy<Value = AnyRecord> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    let headers = proptest::collection::vec((".{0,8}", bytes()), 0..4);
    (-1_000_000i64..1_000_000, bytes(), bytes(), headers)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_taken_and_read_back(
        records in proptest::collection::vec(any_record(), 1..20),
        codec in 0usize..5,
        target in 0usize..6,
    ) {
        let codec = Codec::ALL[codec];
        let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
        for (timestamp, key, value, headers) in &records {
            let headers: Vec<(&str, Option<&[u8]>)> =
                headers.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
            builder.push(TimestampMs(NOW.0 + timestamp), key.as_deref(), value.as_deref(), &headers);
        }
        let compression = Codec::ALL.get(target).map(|codec| (*codec, Codec::DEFAULT_LEVEL));
        let rules = AppendRules { compression, ..AppendRules::default() };
        let mut checked = check_produced(builder.build(), &rules, NOW).unwrap();
        let next = checked.assign(Offset(1000), Epoch(0));
        prop_assert_eq!(next, Offset(1000 + records.len() as i64));
        let batch = checked.freeze();
        check_crc(&batch).unwrap();
        let stored_as = BatchHeader::parse(&batch).unwrap().codec().unwrap();
        prop_assert_eq!(stored_as, compression.map_or(codec, |(codec, _)| codec));
        let read = records_of(&batch);
        prop_assert_eq!(read.len(), records.len());
        for (at, (read, (timestamp, key, value, headers))) in read.iter().zip(&records).enumerate() {
            prop_assert_eq!(read.offset, Offset(1000 + at as i64));
            prop_assert_eq!(read.timestamp, TimestampMs(NOW.0 + timestamp));
            prop_assert_eq!(read.key.as_deref(), key.as_deref());
            prop_assert_eq!(read.value.as_deref(), value.as_deref());
            let read = read.headers.iter();
            let read: Vec<_> = read
                .map(|header| (header.key.as_str().to_owned(), header.value.as_deref().map(<[u8]>::to_vec)))
                .collect();
            prop_assert_eq!(&read, headers);
        }
    }

    /// Damage behind a right CRC: what the checks let through must be readable to the end.
    #[test]
    fn whatever_is_taken_can_be_read(
        codec in 0usize..5,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let codec = Codec::ALL[codec];
        let mut bytes = golden(KAFKA, &format!("small-{}", codec.name())).to_vec();
        for (at, byte) in damage {
            let at = BatchHeader::SIZE + at.index(bytes.len() - BatchHeader::SIZE);
            bytes[at] = byte;
        }
        batch::seal(&mut bytes);
        if let Ok(checked) = check_produced(BytesMut::from(&bytes[..]), &AppendRules::default(), NOW) {
            prop_assert_eq!(records_of(&checked.freeze()).len(), 3);
        }
    }

    #[test]
    fn no_bytes_make_any_reader_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        like_a_batch in any::<bool>(),
        codec in 0u8..8,
        count in -1i32..6,
    ) {
        if like_a_batch && bytes.len() >= BatchHeader::SIZE {
            let length = bytes.len() as u32 - 12;
            bytes[0..8].fill(0);
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            bytes[16] = 2;
            bytes[21..23].copy_from_slice(&[0, codec]);
            bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
            bytes[43..51].fill(255);
            bytes[57..61].copy_from_slice(&count.to_be_bytes());
            batch::seal(&mut bytes);
        }
        let owned = Bytes::from(bytes.clone());
        let rules = AppendRules { compression: Some((Codec::Lz4, 0)), ..AppendRules::default() };
        let _ = check_produced(BytesMut::from(&bytes[..]), &rules, NOW);
        let _ = CheckedBatches::trusted(BytesMut::from(&bytes[..])).map(|mut ok| ok.assign(Offset(i64::MAX), Epoch(0)));
        let _ = read_records(&owned, 1 << 16).map(|records| records.for_each(drop));
        split_batches(&owned).for_each(drop);
        for codec in Codec::ALL {
            let _ = decompress(codec, &bytes, 1 << 16);
        }
    }
}
