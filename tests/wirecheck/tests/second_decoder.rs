//! Both decoders on Kafka's bytes, on those bytes damaged, and on bytes that mean nothing.

use bytes::Bytes;
use flate2::read::GzDecoder;
use logboom_wirecheck::golden_line::{Line, parse};
use logboom_wirecheck::{Outcome, compare, compare_as};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let mut text = String::new();
    GzDecoder::new(include_bytes!("../golden-4.4.0.jsonl.gz").as_slice()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| parse(line).unwrap()).collect()
});

#[test]
fn both_read_kafkas_bytes_alike() {
    let mut outcomes = BTreeMap::new();
    let mut unknown = BTreeMap::new();
    for line in LINES.iter() {
        for bytes in [Some(&line.bytes), line.tagged.as_ref()].into_iter().flatten() {
            let outcome = compare_as(line.kind().unwrap(), line.version, bytes).unwrap();
            *outcomes.entry(outcome).or_insert(0) += 1;
            if outcome == Outcome::OnlyOurs {
                unknown.insert((line.message.as_str(), line.version), ());
            }
        }
    }
    println!("{outcomes:?}; the other one lacks {:?}", unknown.keys());
    assert_eq!(outcomes.get(&Outcome::Refused), None);
    assert!(outcomes[&Outcome::Same] > 1000);
}

/// Golden bytes with a few bytes changed, put in or taken out.
fn damaged() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let damage = (0..3u8, any::<prop::sample::Index>(), any::<u8>());
    (0..LINES.len(), prop::collection::vec(damage, 1..4)).prop_map(|(line, damages)| {
        let mut bytes = LINES[line].tagged.as_ref().unwrap_or(&LINES[line].bytes).to_vec();
        for (what, at, byte) in damages {
            match what {
                0 if !bytes.is_empty() => {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                1 if !bytes.is_empty() => {
                    bytes.remove(at.index(bytes.len()));
                }
                _ => bytes.insert(at.index(bytes.len() + 1), byte),
            }
        }
        (line, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("WIRECHECK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_read_damaged_bytes_alike((line, bytes) in damaged()) {
        let line = &LINES[line];
        let outcome = compare_as(line.kind().unwrap(), line.version, &Bytes::from(bytes));
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }

    #[test]
    fn both_read_noise_alike(noise in prop::collection::vec(prop_oneof![0..4u8, any::<u8>()], 0..120)) {
        let outcome = compare(&noise);
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }
}
