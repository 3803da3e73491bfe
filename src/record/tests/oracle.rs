//! Our verdict on produced batches beside that of Kafka 4.4.0.
//!
//! `tests/golden/record/verdicts-kafka-4.4.0.txt` holds one case a line: name, topic settings, the batch in hex,
//! Kafka's error code, and then the indices of faulty records or, if Kafka took the batch, the bytes in its log.
//! The verdicts come from Kafka's own `UnifiedLog` (`Oracle.java` beside them). The ignored test prints the cases.

use super::{NOW, hex, unhex};
use crate::record::codec::Codec;
use crate::record::*;
use crate::types::{Epoch, ErrorCode, Offset};
use bytes::{BufMut, Bytes, BytesMut};

const VERDICTS: &str = include_str!("../../../tests/golden/record/verdicts-kafka-4.4.0.txt");

/// Where we answer otherwise than Kafka: Kafka's verdict, ours, why, and the cases.
const DIFFERENCES: &[(&str, ErrorCode, &str, &[&str])] = &[
    (
        "NONE",
        ErrorCode::INVALID_RECORD,
        "Kafka drops what follows the batch and acknowledges; half a second batch may be meant to be stored",
        &["one-byte-behind", "half-a-batch-behind"],
    ),
    (
        "CORRUPT_MESSAGE",
        ErrorCode::INVALID_RECORD,
        "the same, and sending it again does not help",
        &["a-zero-prefix-behind"],
    ),
    (
        "NONE",
        ErrorCode::INVALID_RECORD,
        "it would let compaction drop the tombstones at once",
        &["delete-horizon"],
    ),
    (
        "NONE",
        ErrorCode::INVALID_RECORD,
        "no producer state can follow such a batch",
        &["transactional-without-producer"],
    ),
    (
        "NONE",
        ErrorCode::INVALID_PRODUCER_EPOCH,
        "the same; Kafka answers this too once it knows the producer",
        &["idempotent-no-epoch"],
    ),
    (
        "NONE",
        ErrorCode::INVALID_RECORD,
        "Kafka skips the length of a record in a compressed batch; its consumers then fail on it",
        &[
            "record-length-too-long-gzip",
            "record-length-too-long-zstd",
            "record-length-too-short-gzip",
            "record-length-too-short-zstd",
        ],
    ),
    (
        "NONE",
        ErrorCode::INVALID_RECORD,
        "two records would have one offset, or one that was never given",
        &["record-offset-delta-1-none", "record-offset-delta-minus-1-none"],
    ),
    (
        "NONE",
        ErrorCode::INVALID_RECORD,
        "librdkafka and others fail on bytes behind the stream",
        &[
            "gzip-byte-behind",
            "gzip-zeros-behind",
            "snappy-byte-behind",
            "lz4-byte-behind",
            "lz4-zeros-behind",
        ],
    ),
    (
        "UNKNOWN_SERVER_ERROR",
        ErrorCode::INVALID_RECORD,
        "the fault is the client's, and Kafka's code says that it is not",
        &[
            "codec-5",
            "codec-6",
            "codec-7",
            "record-length-endless-none",
            "record-offset-delta-1-gzip",
            "record-offset-delta-1-zstd",
            "record-offset-delta-minus-1-gzip",
            "record-offset-delta-minus-1-zstd",
            "gzip-empty",
            "gzip-noise",
            "gzip-cut-by-1",
            "gzip-cut-by-half",
            "snappy-empty",
            "snappy-noise",
            "snappy-cut-by-1",
            "snappy-cut-by-half",
            "snappy-zeros-behind",
            "lz4-empty",
            "lz4-noise",
            "lz4-cut-by-1",
            "lz4-cut-by-half",
            "lz4-dependent",
            "lz4-descriptor-hash-wrong",
            "zstd-noise",
            "zstd-cut-by-1",
            "zstd-cut-by-half",
            "zstd-byte-behind",
            "zstd-zeros-behind",
        ],
    ),
];

/// The settings of a topic as the case file writes them.
fn rules(settings: &str) -> AppendRules {
    let mut rules = AppendRules::default();
    for (key, value) in settings.split(',').filter_map(|setting| setting.split_once('=')) {
        match key {
            "cleanup.policy" => rules.compacted = value == "compact",
            "message.timestamp.type" => rules.timestamp_type = TimestampType::LogAppendTime,
            "message.timestamp.before.max.ms" => rules.timestamp_before_max_ms = value.parse().unwrap(),
            "message.timestamp.after.max.ms" => rules.timestamp_after_max_ms = value.parse().unwrap(),
            "max.message.bytes" => rules.message_bytes_max = value.parse().unwrap(),
            "max.decompressed.message.bytes" => rules.decompressed_record_bytes_max = value.parse().unwrap(),
            "compression.type" => {
                let codec = Codec::ALL.into_iter().find(|codec| codec.name() == value).unwrap_or_default();
                rules.compression = Some((codec, Codec::DEFAULT_LEVEL));
            }
            _ => panic!("no such setting: {key}"),
        }
    }
    rules
}

#[test]
fn every_verdict_is_kafkas_but_for_the_listed_differences() {
    let mut unused: Vec<&str> = DIFFERENCES.iter().flat_map(|(.., cases)| cases.iter().copied()).collect();
    let mut wrong = Vec::new();
    for line in VERDICTS.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [name, settings, input, kafka, detail] = fields[..] else { panic!("{line}") };
        let rules = rules(settings);
        let ours = check_produced(BytesMut::from(&unhex(input)[..]), &rules, NOW);
        if let Some((theirs, expected, ..)) = DIFFERENCES.iter().find(|(.., cases)| cases.contains(&name)) {
            unused.retain(|listed| *listed != name);
            let error = ours.err().map_or(ErrorCode::NONE, |rejected| rejected.error);
            if error != *expected || *theirs != kafka {
                wrong.push(format!("{name}: listed as {expected} and {theirs}, is {error} and {kafka}"));
            }
            continue;
        }
        match ours {
            Ok(mut checked) => {
                checked.assign(Offset(0), Epoch(0));
                if kafka != "NONE" {
                    wrong.push(format!("{name}: taken, Kafka {kafka}"));
                } else if !same_stored(&checked.freeze(), &unhex(detail).into(), &rules) {
                    wrong.push(format!("{name}: stored otherwise"));
                }
            }
            Err(rejected) => {
                let listed: Vec<String> =
                    rejected.record_errors.iter().map(|(at, _)| at.to_string()).collect();
                let listed = if listed.is_empty() { "-".to_owned() } else { listed.join(",") };
                if rejected.error.to_string() != kafka || listed != detail {
                    wrong.push(format!(
                        "{name}: {rejected} {listed}, Kafka {kafka} {}",
                        &detail[..detail.len().min(20)]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unused.is_empty(), "differences without a case: {unused:?}");
}

/// Equal bytes; after recompression, which no two encoders do alike, equal fields and records.
fn same_stored(ours: &Bytes, kafka: &Bytes, rules: &AppendRules) -> bool {
    let same_bytes = ours == kafka;
    if !matches!(rules.compression, Some((codec, _)) if codec != Codec::None) {
        return same_bytes;
    }
    let content = |batch: &Bytes| {
        check_crc(batch).unwrap();
        let header = BatchHeader::parse(batch).unwrap();
        let records: Vec<Record> = read_records(batch, 1 << 20).unwrap().map(Result::unwrap).collect();
        (BatchHeader { size: 0, crc: 0, ..header }, records)
    };
    content(ours) == content(kafka)
}

/// A batch of which every field can be made wrong.
struct Raw {
    base_offset: i64,
    attributes: i16,
    last_offset_delta: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    count: i32,
    records: Vec<u8>,
}

fn raw(records: &[Vec<u8>]) -> Raw {
    Raw {
        base_offset: 0,
        attributes: 0,
        last_offset_delta: records.len() as i32 - 1,
        base_timestamp: NOW.0,
        max_timestamp: NOW.0,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        count: records.len() as i32,
        records: records.concat(),
    }
}

impl Raw {
    fn compressed(mut self, codec: Codec) -> Raw {
        self.records = compress(codec, Codec::DEFAULT_LEVEL, &self.records).to_vec();
        self.with_stream(codec, |_| {})
    }

    fn with_stream(mut self, codec: Codec, change: impl FnOnce(&mut Vec<u8>)) -> Raw {
        self.attributes |= i16::from(codec.code());
        change(&mut self.records);
        self
    }

    fn bytes(self) -> Vec<u8> {
        let mut out = BytesMut::new();
        out.put_i64(self.base_offset);
        out.put_i32(49 + self.records.len() as i32);
        out.put_i32(-1);
        out.put_i8(2);
        out.put_u32(0);
        out.put_i16(self.attributes);
        out.put_i32(self.last_offset_delta);
        out.put_i64(self.base_timestamp);
        out.put_i64(self.max_timestamp);
        out.put_i64(self.producer_id);
        out.put_i16(self.producer_epoch);
        out.put_i32(self.base_sequence);
        out.put_i32(self.count);
        out.put_slice(&self.records);
        crate::record::batch::seal(&mut out);
        out.to_vec()
    }
}

fn varint(value: i64) -> Vec<u8> {
    let mut out = BytesMut::new();
    crate::record::varint::put_i64(&mut out, value);
    out.to_vec()
}

/// A record around a body made of these fields, each a number (varint) or bytes.
fn record(attributes: u8, fields: &[Field]) -> Vec<u8> {
    let mut body = vec![attributes];
    for field in fields {
        match field {
            N(value) => body.extend(varint(*value)),
            B(bytes) => body.extend_from_slice(bytes),
        }
    }
    [varint(body.len() as i64), body].concat()
}

enum Field {
    N(i64),
    B(&'static [u8]),
}
use Field::{B, N};

/// A sound record at a position of the batch.
fn sound(offset_delta: i64) -> Vec<u8> {
    record(0, &[N(0), N(offset_delta), N(1), B(b"k"), N(5), B(b"value"), N(1), N(1), B(b"h"), N(-1)])
}

fn keyless(offset_delta: i64, timestamp_delta: i64) -> Vec<u8> {
    record(0, &[N(timestamp_delta), N(offset_delta), N(-1), N(5), B(b"value"), N(0)])
}

fn timed(offset_delta: i64, timestamp_delta: i64) -> Vec<u8> {
    record(0, &[N(timestamp_delta), N(offset_delta), N(1), B(b"k"), N(-1), N(0)])
}

fn three() -> Raw {
    raw(&[sound(0), sound(1), sound(2)])
}

fn changed(mut bytes: Vec<u8>, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    change(&mut bytes);
    bytes
}

type Case = (String, &'static str, Vec<u8>);

fn frame_cases() -> Vec<Case> {
    let good = || three().bytes();
    let magic = |magic: u8| changed(good(), |bytes| bytes[16] = magic);
    let size = |size: i32| changed(good(), |bytes| bytes[8..12].copy_from_slice(&size.to_be_bytes()));
    [
        ("good", good()),
        ("nothing", vec![]),
        ("cut-in-the-prefix", good()[..11].to_vec()),
        ("cut-in-the-header", good()[..40].to_vec()),
        ("cut-by-one-byte", good()[..good().len() - 1].to_vec()),
        ("one-byte-behind", [good(), vec![0]].concat()),
        ("a-zero-prefix-behind", [good(), vec![0; 20]].concat()),
        ("half-a-batch-behind", [good(), good()[..70].to_vec()].concat()),
        ("two-batches", [good(), good()].concat()),
        ("magic-3", magic(3)),
        ("magic-minus-1", magic(255)),
        ("size-13", size(13)),
        ("size-48", size(48)),
        ("size-minus-1", size(-1)),
        ("size-too-large", size(1 << 30)),
        ("base-offset-5", Raw { base_offset: 5, ..three() }.bytes()),
        ("flipped-bit", changed(good(), |bytes| bytes[70] ^= 4)),
        ("epoch-set", changed(good(), |bytes| bytes[15] = 9)),
    ]
    .map(|(name, bytes)| (name.to_owned(), "-", bytes))
    .into()
}

fn header_cases() -> Vec<Case> {
    let with = |attributes| Raw { attributes, ..three() };
    let idempotent = || Raw { producer_id: 7, producer_epoch: 0, base_sequence: 0, ..three() };
    [
        ("count-0", Raw { count: 0, last_offset_delta: -1, records: vec![], ..three() }),
        ("count-0-delta-0", Raw { count: 0, last_offset_delta: 0, records: vec![], ..three() }),
        ("count-minus-1", Raw { count: -1, ..three() }),
        ("count-4-of-3", Raw { count: 4, last_offset_delta: 3, ..three() }),
        ("count-2-of-3", Raw { count: 2, last_offset_delta: 1, ..three() }),
        ("count-max", Raw { count: i32::MAX, last_offset_delta: i32::MAX - 1, ..three() }),
        ("delta-too-large", Raw { last_offset_delta: 5, ..three() }),
        ("delta-negative", Raw { last_offset_delta: -7, ..three() }),
        ("control", with(0x20)),
        ("control-zstd", with(0x20).compressed(Codec::Zstd)),
        ("delete-horizon", with(0x40)),
        ("unused-bit-7", with(0x80)),
        ("unused-bit-15", with(i16::MIN)),
        ("codec-5", with(5)),
        ("codec-6", with(6)),
        ("codec-7", with(7)),
        ("append-time-by-the-producer", with(8)),
        ("append-time-by-the-producer-untimed", Raw { base_timestamp: -1, max_timestamp: -1, ..with(8) }),
        ("idempotent", idempotent()),
        ("idempotent-last-sequence", Raw { base_sequence: i32::MAX, ..idempotent() }),
        ("idempotent-no-sequence", Raw { base_sequence: -1, ..idempotent() }),
        ("idempotent-sequence-minus-2", Raw { base_sequence: -2, ..idempotent() }),
        ("idempotent-no-epoch", Raw { producer_epoch: -1, ..idempotent() }),
        ("sequence-without-producer", Raw { base_sequence: 5, producer_epoch: 3, ..three() }),
        ("producer-minus-2", Raw { producer_id: -2, ..three() }),
        ("transactional", Raw { attributes: 0x10, ..idempotent() }),
        ("transactional-zstd", Raw { attributes: 0x10, ..idempotent() }.compressed(Codec::Zstd)),
        ("transactional-without-producer", with(0x10)),
        ("max-timestamp-wrong", Raw { max_timestamp: 5, ..three() }),
        ("max-timestamp-wrong-lz4", Raw { max_timestamp: 5, ..three() }.compressed(Codec::Lz4)),
        ("base-timestamp-none", Raw { base_timestamp: -1, ..three() }),
        ("base-timestamp-negative", Raw { base_timestamp: -5, ..three() }),
        ("base-timestamp-min", Raw { base_timestamp: i64::MIN, ..three() }),
        ("base-timestamp-max", Raw { base_timestamp: i64::MAX, ..three() }),
    ]
    .map(|(name, raw)| (name.to_owned(), "-", raw.bytes()))
    .into()
}

fn record_cases() -> Vec<Case> {
    let prefix = || [N(0), N(0), N(1), B(b"k"), N(1), B(b"v")];
    let headers = |tail: Vec<Field>| record(0, &prefix().into_iter().chain(tail).collect::<Vec<_>>());
    let faults = [
        ("length-too-long", changed(sound(0), |bytes| bytes[0] += 2)),
        ("length-too-short", changed(sound(0), |bytes| bytes[0] -= 2)),
        ("length-0", vec![0]),
        ("length-minus-1", vec![1]),
        ("length-endless", vec![0xff; 11]),
        ("length-huge", [varint(i64::from(i32::MAX)), sound(0)].concat()),
        ("timestamp-endless", record(0, &[B(&[0xff; 12]), N(0), N(-1), N(-1), N(0)])),
        ("key-beyond-the-record", record(0, &[N(0), N(0), N(100), B(b"k"), N(-1), N(0)])),
        ("value-beyond-the-record", record(0, &[N(0), N(0), N(-1), N(1 << 20), B(b"v"), N(0)])),
        ("key-length-minus-2", record(0, &[N(0), N(0), N(-2), N(-1), N(0)])),
        ("byte-behind-the-headers", headers(vec![N(0), B(b"x")])),
        ("no-header-count", record(0, &prefix())),
        ("header-count-minus-1", headers(vec![N(-1)])),
        ("header-count-too-large", headers(vec![N(2), N(1), B(b"h"), N(-1)])),
        ("header-count-huge", headers(vec![N(i64::from(i32::MAX))])),
        ("header-key-null", headers(vec![N(1), N(-1), N(-1)])),
        ("header-key-empty", headers(vec![N(1), N(0), N(-1)])),
        ("header-key-not-utf8", headers(vec![N(1), N(2), B(&[0xc3, 0x28]), N(-1)])),
        ("header-value-beyond", headers(vec![N(1), N(1), B(b"h"), N(9)])),
        ("attributes-127", record(127, &[N(0), N(0), N(-1), N(-1), N(0)])),
        ("offset-delta-1", sound(1)),
        ("offset-delta-minus-1", sound(-1)),
        ("truncated", sound(0)[..5].to_vec()),
        ("byte-behind", [sound(0), vec![0]].concat()),
    ];
    let mut cases = Vec::new();
    for (name, fault) in faults {
        for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
            let batch = raw(std::slice::from_ref(&fault));
            let batch = if codec == Codec::None { batch } else { batch.compressed(codec) };
            cases.push((format!("record-{name}-{}", codec.name()), "-", batch.bytes()));
        }
    }
    cases
}

fn stream_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let stream = |change: fn(&mut Vec<u8>)| three().compressed(codec).with_stream(codec, change).bytes();
        let streams = [
            ("whole", stream(|_| {})),
            ("empty", stream(Vec::clear)),
            ("noise", stream(|bytes| *bytes = vec![0x5a; 40])),
            ("cut-by-1", stream(|bytes| bytes.truncate(bytes.len() - 1))),
            ("cut-by-half", stream(|bytes| bytes.truncate(bytes.len() / 2))),
            ("byte-behind", stream(|bytes| bytes.push(7))),
            ("zeros-behind", stream(|bytes| bytes.extend([0; 30]))),
        ];
        cases.extend(streams.map(|(name, bytes)| (format!("{}-{name}", codec.name()), "-", bytes)));
        // Several blocks of our own encoders.
        let many: Vec<Vec<u8>> =
            (0..100).map(|at| record(0, &[N(0), N(at), N(-1), N(1024), B(&[b'x'; 1024]), N(0)])).collect();
        cases.push((format!("{}-blocks", codec.name()), "-", raw(&many).compressed(codec).bytes()));
        // The records in two streams, one behind the other.
        let (first, second) = (sound(0), [sound(1), sound(2)].concat());
        let joined = [first, second].map(|part| compress(codec, Codec::DEFAULT_LEVEL, &part)).concat();
        let joined = three().with_stream(codec, |bytes| *bytes = joined).bytes();
        cases.push((format!("{}-joined", codec.name()), "-", joined));
    }
    let raw_snappy = snap::raw::Encoder::new().compress_vec(&three().records).unwrap();
    let raw_snappy = three().with_stream(Codec::Snappy, |bytes| *bytes = raw_snappy).bytes();
    cases.push(("snappy-raw".to_owned(), "-", raw_snappy));
    cases.extend(lz4_cases());
    cases
}

fn lz4_cases() -> Vec<Case> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let frame = |info: FrameInfo| {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        std::io::Write::write_all(&mut encoder, &three().records).unwrap();
        let frame = encoder.finish().unwrap();
        three().with_stream(Codec::Lz4, |bytes| *bytes = frame).bytes()
    };
    let info = || FrameInfo::new().block_size(BlockSize::Max64KB);
    let size = three().records.len() as u64;
    [
        ("lz4-dependent", frame(info().block_mode(BlockMode::Linked))),
        ("lz4-block-checksums", frame(info().block_checksums(true))),
        ("lz4-content-checksum", frame(info().content_checksum(true))),
        ("lz4-content-size", frame(info().content_size(Some(size)))),
        ("lz4-blocks-of-4-mib", frame(info().block_size(BlockSize::Max4MB))),
        (
            "lz4-descriptor-hash-wrong",
            three().compressed(Codec::Lz4).with_stream(Codec::Lz4, |bytes| bytes[6] ^= 1).bytes(),
        ),
    ]
    .map(|(name, bytes)| (name.to_owned(), "-", bytes))
    .into()
}

fn topic_cases() -> Vec<Case> {
    let mixed = || raw(&[sound(0), keyless(1, 0), sound(2), keyless(3, 0)]);
    let late = || raw(&[timed(0, 0), timed(1, 3_600_000), timed(2, 3_600_001), timed(3, -2000)]);
    let append = "message.timestamp.type=LogAppendTime";
    let cases = [
        ("compacted-keyless", "cleanup.policy=compact", mixed()),
        ("compacted-keyless-lz4", "cleanup.policy=compact", mixed().compressed(Codec::Lz4)),
        ("compacted-keyed", "cleanup.policy=compact", three()),
        ("compacted-keyless-and-late", "cleanup.policy=compact", raw(&[keyless(0, 0), timed(1, 9_000_000)])),
        ("compacted-keyless-late", "cleanup.policy=compact", raw(&[keyless(0, 9_000_000)])),
        ("early", "-", late()),
        ("early-gzip", "-", late().compressed(Codec::Gzip)),
        ("late", "message.timestamp.before.max.ms=1999", late()),
        ("late-at-the-bound", "message.timestamp.before.max.ms=2000", raw(&[timed(0, -2000)])),
        ("untimed", "message.timestamp.before.max.ms=1", Raw { base_timestamp: -1, ..three() }),
        ("append-time", append, late()),
        ("append-time-zstd", append, late().compressed(Codec::Zstd)),
        ("append-time-by-the-producer-too", append, Raw { attributes: 8, ..three() }),
        ("append-time-compacted", "message.timestamp.type=LogAppendTime,cleanup.policy=compact", mixed()),
        ("too-large", "max.message.bytes=100", three()),
        ("just-small-enough", "max.message.bytes=106", three()),
        ("too-large-and-corrupt", "max.message.bytes=100", Raw { count: 0, ..three() }),
        ("record-too-large", "max.decompressed.message.bytes=14", three()),
        ("record-too-large-zstd", "max.decompressed.message.bytes=13", three().compressed(Codec::Zstd)),
        (
            "record-just-small-enough-zstd",
            "max.decompressed.message.bytes=14",
            three().compressed(Codec::Zstd),
        ),
        ("to-zstd", "compression.type=zstd", three()),
        ("to-gzip-from-lz4", "compression.type=gzip", three().compressed(Codec::Lz4)),
        ("to-snappy-too-large", "compression.type=snappy,max.message.bytes=106", three()),
        ("to-none-from-zstd", "compression.type=uncompressed", three().compressed(Codec::Zstd)),
        ("to-none-from-none", "compression.type=uncompressed", three()),
        ("to-lz4-from-lz4", "compression.type=lz4", three().compressed(Codec::Lz4)),
        ("to-none-append-time", "compression.type=uncompressed,message.timestamp.type=LogAppendTime", {
            three().compressed(Codec::Snappy)
        }),
        ("to-lz4-compacted-keyless", "compression.type=lz4,cleanup.policy=compact", mixed()),
    ];
    cases.map(|(name, settings, raw)| (name.to_owned(), settings, raw.bytes())).into()
}

#[test]
#[ignore = "prints the input of Oracle.java"]
fn print_the_cases() {
    let old = ["magic0", "magic1"].map(|name| {
        let line = super::KAFKA.lines().find(|line| line.starts_with(name)).unwrap();
        (name.to_owned(), "-", unhex(line.split_once(' ').unwrap().1))
    });
    let cases = [frame_cases(), old.into(), header_cases(), record_cases(), stream_cases(), topic_cases()];
    for (name, settings, bytes) in cases.concat() {
        println!("CASE {name} {settings} {}", hex(&bytes));
    }
}
