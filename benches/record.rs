//! What it costs to take a produced batch: 64 KiB in records of 1 KiB, by codec. Throughput is in bytes of records.

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use logboom::record::{
    AppendRules, BatchBuilder, BatchHeader, Codec, check_crc, check_produced, decompress, read_records,
};
use logboom::types::TimestampMs;
use std::hint::black_box;

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
const RECORDS: usize = 64;
const RECORD_BYTES: usize = 1024;

/// Values like lines of a log: words in changing order, so that codecs find something, but not everything.
fn value(seed: usize) -> Vec<u8> {
    const WORDS: [&str; 8] =
        ["order ", "payment ", "customer=", "warehouse-7 ", "ok ", "retry ", "2023-11-14T22:13:20Z ", "eur "];
    let mut state = seed as u64 + 1;
    let mut out = Vec::with_capacity(RECORD_BYTES + 32);
    while out.len() < RECORD_BYTES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = WORDS.get((state >> 33) as usize % WORDS.len()).copied().unwrap_or_default();
        out.extend_from_slice(word.as_bytes());
        out.extend_from_slice((state >> 48).to_string().as_bytes());
    }
    out.truncate(RECORD_BYTES);
    out
}

fn batch(codec: Codec, records: usize) -> Bytes {
    let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
    for seed in 0..records {
        builder.push(NOW, Some(&(seed as u64).to_be_bytes()), Some(&value(seed)), &[]);
    }
    builder.build().freeze()
}

fn benches(c: &mut Criterion) {
    let rules = AppendRules::default();
    let mut group = c.benchmark_group("check_produced");
    group.throughput(Throughput::Bytes((RECORDS * RECORD_BYTES) as u64));
    for codec in Codec::ALL {
        let batch = batch(codec, RECORDS);
        group.bench_function(codec.name(), |bench| {
            bench.iter_batched(
                || BytesMut::from(&batch[..]),
                |bytes| check_produced(black_box(bytes), &rules, NOW),
                BatchSize::LargeInput,
            )
        });
    }
    group.finish();

    // What a batch costs before its first byte: producers without linger send one record each.
    let mut group = c.benchmark_group("check_produced_single");
    for codec in Codec::ALL {
        let batch = batch(codec, 1);
        group.bench_function(codec.name(), |bench| {
            bench.iter_batched(
                || BytesMut::from(&batch[..]),
                |bytes| check_produced(black_box(bytes), &rules, NOW),
                BatchSize::LargeInput,
            )
        });
    }
    group.finish();

    let mut group = c.benchmark_group("floor");
    group.throughput(Throughput::Bytes((RECORDS * RECORD_BYTES) as u64));
    let plain = batch(Codec::None, RECORDS);
    group.bench_function("check_crc", |bench| bench.iter(|| check_crc(black_box(&plain))));
    for codec in [Codec::Lz4, Codec::Zstd] {
        let batch = batch(codec, RECORDS).slice(BatchHeader::SIZE..);
        group.bench_function(format!("decompress/{}", codec.name()), |bench| {
            bench.iter(|| decompress(codec, black_box(&batch), 1 << 20))
        });
    }
    group.bench_function("read_records", |bench| {
        bench.iter(|| read_records(black_box(&plain), 0).map(|records| records.filter(Result::is_ok).count()))
    });
    group.finish();
}

criterion_group!(record, benches);
criterion_main!(record);
