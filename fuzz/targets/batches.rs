//! Record batches: the checks on a produced record set, reading, splitting and every codec, on arbitrary bytes.
//!
//! Input: a byte of switches, a byte of topic settings, then the record set. A switch seals the set first (sizes,
//! magic, CRC), since no mutation of a whole batch passes a checksum by chance.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use logboom::record::{
    AppendRules, BatchHeader, Codec, ControlType, EndTxnMarker, TimestampType, check_crc, check_produced,
    compress, decompress, find_timestamp, read_records, split_batches, stamp,
};
use logboom::types::{Epoch, Offset, TimestampMs};
use logboom_fuzz::Bound;

/// Cap on what comes out of a compressed batch: far above the input, far below what would slow the fuzzer.
const CAP: usize = 1 << 20;

/// The checks name a thousand faulty records at most, and nothing else outlives a record.
const PLAIN: Bound = Bound { times: 4, plus: 512 << 10 };
/// What comes out, the buffer it grew from, and a block of lz4 (4 MiB) with its history.
const COMPRESSED: Bound = Bound { times: 4, plus: 3 * CAP + (10 << 20) };

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

fn seal(set: &mut [u8]) {
    if set.len() < BatchHeader::SIZE {
        return;
    }
    let length = (set.len() as i32 - 12).to_be_bytes();
    set[8..12].copy_from_slice(&length);
    set[16] = 2;
    let crc = crc32c::crc32c(&set[21..]).to_be_bytes();
    set[17..21].copy_from_slice(&crc);
}

fn rules(settings: u8) -> AppendRules {
    let timestamp_type =
        if settings & 1 == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime };
    let codec = Codec::from_code(settings >> 5).filter(|_| settings & 2 != 0);
    AppendRules {
        timestamp_type,
        compression: codec.map(|codec| (codec, Codec::DEFAULT_LEVEL)),
        compacted: settings & 4 != 0,
        timestamp_after_max_ms: if settings & 8 == 0 { i64::MAX } else { 3_600_000 },
        decompressed_batch_bytes_max: CAP,
        ..AppendRules::default()
    }
}

/// What was accepted is a batch that every reader can read, and that would be accepted again.
fn produce(set: &[u8], rules: &AppendRules) {
    let plain = rules.compression.is_none_or(|(codec, _)| codec == Codec::None)
        && BatchHeader::parse(set).is_ok_and(|header| header.codec() == Ok(Codec::None));
    let bound = if plain { PLAIN } else { COMPRESSED };
    let copy = BytesMut::from(set);
    let Ok(mut checked) = bound.hold("check_produced", set.len(), || check_produced(copy, rules, NOW)) else {
        return;
    };
    let next = checked.assign(Offset(1000), Epoch(7));
    let stored = checked.freeze();
    check_crc(&stored).expect("an accepted batch has a good checksum");
    let records = read_records(&stored, 2 * CAP).expect("an accepted batch can be read");
    let header = *records.header();
    let mut expected = Offset(1000);
    for record in records {
        let record = record.expect("an accepted batch has whole records");
        assert_eq!(record.offset, expected, "offsets of an accepted batch have no gaps");
        expected = expected.next();
    }
    assert_eq!((expected, header.next_offset(), header.size), (next, next, stored.len()));
    if rules.timestamp_type == TimestampType::CreateTime {
        let mut again = BytesMut::from(&stored[..]);
        stamp(&mut again, Offset::ZERO, Epoch::NONE);
        check_produced(again, rules, NOW).expect("what was accepted once is accepted again");
    }
}

fn read(set: &Bytes) {
    if let Ok(records) = COMPRESSED.hold("read_records", set.len(), || read_records(set, CAP)) {
        let count = records.header().count;
        let read = records.take_while(|record| record.is_ok()).count();
        assert!(i64::try_from(read).unwrap() <= i64::from(count.max(0)));
    }
    let _ = find_timestamp(set, NOW, Offset(5), CAP);
    let mut batches = split_batches(set);
    let whole: usize = batches.by_ref().filter_map(Result::ok).map(|(_, batch)| batch.len()).sum();
    assert!(whole + batches.partial().map_or(0, Bytes::len) <= set.len());
}

fn decode(bytes: &[u8], code: u8) {
    let Some(codec) = Codec::from_code(code) else { return };
    let bound = Bound { times: 4, plus: COMPRESSED.plus };
    let Ok(plain) = bound.hold(codec.name(), bytes.len(), || decompress(codec, bytes, CAP)) else { return };
    assert!(plain.len() <= CAP);
    let again = compress(codec, Codec::DEFAULT_LEVEL, &plain);
    assert_eq!(decompress(codec, &again, CAP).as_ref(), Ok(&plain), "{} changes bytes", codec.name());
}

fuzz_target!(|data: &[u8]| {
    let [switches, settings, set @ ..] = data else { return };
    let mut set = set.to_vec();
    if switches & 1 != 0 {
        seal(&mut set);
    }
    produce(&set, &rules(*settings));
    decode(set.get(BatchHeader::SIZE..).unwrap_or(&set), switches >> 5);
    if let Ok(kind) = ControlType::from_key(&set) {
        assert_eq!(kind.to_key()[2..], set[2..4]);
    }
    let _ = EndTxnMarker::from_value(&set);
    read(&Bytes::from(set));
});
