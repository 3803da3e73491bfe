//! The wire codec against bytes that Kafka 4.4.0 wrote: every message and every version of it, as it is, cut
//! short, and with what a stranger might put in. `tests/wirecheck/golden.sh` writes the file again.

#[path = "../wirecheck/src/golden_line.rs"]
mod golden_line;

use bytes::Bytes;
use flate2::read::GzDecoder;
use golden_line::{Line, parse};
use logboom::wire::metadata::{self, MetadataRecord};
use logboom::wire::records::config_record::ConfigRecord;
use logboom::wire::records::feature_level_record::FeatureLevelRecord;
use logboom::wire::records::partition_record::PartitionRecord;
use logboom::wire::records::producer_ids_record::ProducerIdsRecord;
use logboom::wire::records::register_broker_record::RegisterBrokerRecord;
use logboom::wire::records::remove_topic_record::RemoveTopicRecord;
use logboom::wire::records::topic_record::TopicRecord;
use logboom::wire::{DecodeError, Reader, kind};
use std::collections::BTreeSet;
use std::io::Read as _;

const GOLDEN: &[u8] = include_bytes!("../wirecheck/golden-4.4.0.jsonl.gz");

fn lines() -> Vec<Line> {
    let mut text = String::new();
    let read = GzDecoder::new(GOLDEN).read_to_string(&mut text);
    assert!(read.is_ok(), "the golden file is gzip of text");
    let lines: Result<Vec<Line>, String> = text.lines().map(parse).collect();
    lines.unwrap_or_else(|error| unreachable!("{error}"))
}

#[test]
fn kafkas_bytes_are_read_and_written_again_and_shown_as_kafka_shows_them() {
    for line in lines() {
        assert_eq!(line.check(), Ok(()));
    }
}

#[test]
fn every_version_of_every_message_has_golden_bytes_and_no_other_version_is_known() {
    let mut seen = BTreeSet::new();
    for line in lines() {
        seen.insert((line.message, line.version));
    }
    let mut known = BTreeSet::new();
    for kind in kind::all() {
        for version in kind.versions.0..=kind.versions.1 {
            known.insert((kind.name.to_owned(), version));
        }
        for version in [kind.versions.0 - 1, kind.versions.1 + 1, i16::MIN, i16::MAX] {
            let refused = (kind.decode)(&mut Reader::new(Bytes::from_static(&[0; 64])), version);
            assert_eq!(refused.unwrap_err(), DecodeError::UnknownVersion { message: kind.name, version });
        }
    }
    assert_eq!(seen.symmetric_difference(&known).collect::<Vec<_>>(), [] as [&(String, i16); 0]);
}

#[test]
fn a_message_cut_short_anywhere_is_an_error() {
    for line in lines() {
        let kind = line.kind().unwrap();
        for end in 0..line.bytes.len() {
            let cut = (kind.decode)(&mut Reader::new(line.bytes.slice(..end)), line.version);
            assert!(cut.is_err(), "{} v{} cut at {end}", line.message, line.version);
        }
    }
}

#[test]
fn a_message_with_bytes_after_it_leaves_them_to_be_reported() {
    for line in lines() {
        let longer = Bytes::from([line.bytes.as_ref(), &[0, 0]].concat());
        let mut r = Reader::new(longer);
        (line.kind().unwrap().decode)(&mut r, line.version).unwrap();
        assert!(matches!(r.end(), Err(DecodeError::TrailingBytes { left: 2, .. })));
    }
}

#[test]
fn a_byte_changed_anywhere_is_an_error_or_another_message_and_never_a_panic() {
    for line in lines().into_iter().step_by(3) {
        let kind = line.kind().unwrap();
        for at in 0..line.bytes.len() {
            for flip in [0xff, 0x80, 0x7f, 0x01] {
                let mut bytes = line.bytes.to_vec();
                bytes[at] ^= flip;
                if let Ok(message) = (kind.decode)(&mut Reader::new(Bytes::from(bytes)), line.version) {
                    message.to_log_json(line.version);
                }
            }
        }
    }
}

#[test]
fn a_metadata_record_has_kafkas_frame_around_it() {
    fn check<M: MetadataRecord>(name: &str, lines: &[Line]) {
        let framed: Vec<_> = lines.iter().filter(|line| line.message == name).collect();
        assert!(!framed.is_empty(), "{name}");
        for line in framed {
            let golden = line.framed.clone().unwrap();
            let record: M = metadata::decode(golden.clone()).unwrap();
            assert_eq!(metadata::encode(&record, line.version), Ok(golden));
        }
    }
    let lines = lines();
    check::<ConfigRecord>("ConfigRecord", &lines);
    check::<FeatureLevelRecord>("FeatureLevelRecord", &lines);
    check::<PartitionRecord>("PartitionRecord", &lines);
    check::<ProducerIdsRecord>("ProducerIdsRecord", &lines);
    check::<RegisterBrokerRecord>("RegisterBrokerRecord", &lines);
    check::<RemoveTopicRecord>("RemoveTopicRecord", &lines);
    check::<TopicRecord>("TopicRecord", &lines);
}
