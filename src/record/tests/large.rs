//! Records of a compressed batch that are too large for the window: read field by field, with the verdict that the same
//! bytes get uncompressed.

use super::super::batch::seal;
use super::super::codec::compress;
use super::*;

/// A batch of the header of `plain`, with `records` compressed by `codec`.
fn compressed(plain: &[u8], records: &[u8], codec: Codec) -> BytesMut {
    let mut batch = BytesMut::from(&plain[..BatchHeader::SIZE]);
    batch.extend_from_slice(&compress(codec, Codec::DEFAULT_LEVEL, records));
    let length = batch.len() as i32 - 12;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[22] |= codec.code();
    seal(&mut batch);
    batch
}

#[test]
fn a_large_record_gets_the_verdict_of_the_same_record_uncompressed() {
    let large = vec![b'v'; 600 << 10];
    let mut builder = BatchBuilder::new();
    builder.push(NOW, Some(b"k"), Some(b"small"), &[]);
    builder.push(NOW, Some(b"key"), Some(&large), &[("head", Some(&large)), ("null", None)]);
    builder.push(NOW, None, Some(&large), &[]);
    let plain = builder.build();
    let rules = AppendRules { message_bytes_max: 16 << 20, ..AppendRules::default() };
    let records = &plain[BatchHeader::SIZE..];
    // Where the numbers stand: the heads of the records, and of the fields behind the large ones.
    let behind = |at: usize| at..(at + 12).min(records.len());
    let spots = behind(0).chain(behind(12)).chain(behind(24)).chain(behind(24 + large.len() - 6));
    let spots = spots.chain(behind(24 + 2 * large.len())).chain(behind(36 + 2 * large.len()));
    for at in spots.chain(records.len() - 12..records.len()) {
        for flip in [0, 1, 2, 0x40, 0x80, 0xff] {
            let mut records = records.to_vec();
            records[at] ^= flip;
            let mut uncompressed = plain.clone();
            uncompressed[BatchHeader::SIZE..].copy_from_slice(&records);
            seal(&mut uncompressed);
            let expected = check_produced(uncompressed, &rules, NOW).map(|_| ()).map_err(|no| no.error);
            for codec in [Codec::Snappy, Codec::Lz4] {
                let ours = check_produced(compressed(&plain, &records, codec), &rules, NOW);
                assert_eq!(ours.map(|_| ()).map_err(|no| no.error), expected, "{at} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn a_large_record_without_a_key_is_refused_on_a_compacted_topic() {
    let large = vec![b'v'; 600 << 10];
    for codec in [Codec::Gzip, Codec::Zstd] {
        let mut builder = BatchBuilder::new().codec(codec, Codec::DEFAULT_LEVEL);
        builder.push(NOW, Some(b"k"), Some(&large), &[]);
        builder.push(NOW, None, Some(&large), &[]);
        let rules = AppendRules { compacted: true, ..AppendRules::default() };
        let rejected = rejection(&builder.build(), &rules);
        assert_eq!(rejected.error, ErrorCode::INVALID_RECORD);
        assert_eq!(rejected.record_errors.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1]);
    }
}
