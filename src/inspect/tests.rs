//! What a look into files says of sound and of damaged ones, and that no bytes make it panic, hang or take memory.

use super::dump::{Event, Selection, dump_file, files_of};
use super::stats::{Weight, weigh};
use super::testing::{BATCHES, PARTITION, flip, logs, partition};
use super::verify::{Work, judge_file};
use super::walk::{Found, LogWalk};
use crate::record::Codec;
use crate::sys::SimFs;
use crate::types::{Offset, ProducerId};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Offsets of records, and what was damaged.
fn dump(fs: &SimFs, path: &Path, selection: &Selection) -> (Vec<i64>, Vec<(u64, u64)>) {
    let (mut offsets, mut damaged) = (Vec::new(), Vec::new());
    let _ = dump_file(fs, path, selection, &mut |_, event| {
        match event {
            Event::Record { record, .. } => offsets.push(record.offset.0),
            Event::Damage { at, until, .. } => damaged.push((at, until)),
            _ => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    (offsets, damaged)
}

fn all(fs: &SimFs, selection: &Selection) -> Vec<i64> {
    logs(fs).iter().flat_map(|path| dump(fs, path, selection).0).collect()
}

#[test]
fn every_record_of_a_partition_is_shown_once_and_in_order() {
    let fs = partition();
    let offsets = all(&fs, &Selection::default());
    assert_eq!(offsets, (0..offsets.len() as i64).collect::<Vec<_>>());
    let weights = logs(&fs)
        .into_iter()
        .map(|path| weigh(&fs, &path, true, &mut |_| ControlFlow::Continue(())).unwrap().unwrap());
    let total = weights.fold(Weight::default(), |mut total, weight| {
        total.join(&weight);
        total
    });
    assert_eq!((total.records, total.batches), (offsets.len() as u64, u64::from(BATCHES)));
    assert_eq!((total.distinct_keys.estimate(), total.keyed), (7, total.records));
    assert_eq!(total.codecs.len(), 5);
    assert!(total.compaction_gain() > total.size / 2 && total.compaction_gain() < total.size);
}

#[test]
fn a_selection_shows_what_it_names_and_nothing_else() {
    let fs = partition();
    let end = all(&fs, &Selection::default()).len() as i64;
    let range = Selection { from: Offset(17), to: Offset(end - 9), ..Selection::default() };
    assert_eq!(all(&fs, &range), (17..end - 9).collect::<Vec<_>>());
    let key = Selection { key: Some(b"key3".to_vec()), ..Selection::default() };
    let prefix = Selection { key_prefix: Some(b"key3".to_vec()), ..Selection::default() };
    assert!(!all(&fs, &key).is_empty());
    assert_eq!(all(&fs, &key), all(&fs, &prefix));
    let split: usize = Codec::ALL
        .map(|codec| all(&fs, &Selection { codec: Some(codec), ..Selection::default() }).len())
        .iter()
        .sum();
    assert_eq!(split as i64, end);
    let producer = Selection { producer: Some(ProducerId(40)), ..Selection::default() };
    let others = Selection { producer: Some(ProducerId(-1)), ..Selection::default() };
    assert_eq!((all(&fs, &producer).len() + all(&fs, &others).len()) as i64, end);
    assert!(all(&fs, &Selection { control: Some(true), ..Selection::default() }).is_empty());
    assert!(all(&fs, &Selection { records: false, ..Selection::default() }).is_empty());
}

#[test]
fn a_dump_from_any_byte_begins_with_the_next_batch() {
    let fs = partition();
    let path = &logs(&fs)[1];
    let (whole, _) = dump(&fs, path, &Selection::default());
    for byte in 1..fs.read_raw(path).unwrap().len() as u64 {
        let from = Selection { from_byte: byte, skip_damage: true, ..Selection::default() };
        let (offsets, _) = dump(&fs, path, &from);
        assert!(whole.ends_with(&offsets), "byte {byte}: {offsets:?}");
    }
}

#[test]
fn reading_goes_on_behind_damage_only_when_asked() {
    let fs = partition();
    let path = logs(&fs)[0].clone();
    let (whole, _) = dump(&fs, &path, &Selection::default());
    flip(&fs, &path, 8 * 300);
    let (stopped, damaged) = dump(&fs, &path, &Selection::default());
    let (behind, again) = dump(&fs, &path, &Selection { skip_damage: true, ..Selection::default() });
    assert_eq!((damaged.len(), &damaged), (1, &again));
    assert!((damaged[0].0..damaged[0].1).contains(&300));
    assert!(stopped.len() < behind.len() && behind.len() < whole.len());
}

#[test]
fn a_size_that_is_only_claimed_reserves_nothing() {
    let fs = partition();
    let path = logs(&fs)[0].clone();
    let mut bytes = fs.read_raw(&path).unwrap();
    bytes[8..12].copy_from_slice(&i32::MAX.to_be_bytes());
    fs.plant(&path, &bytes).unwrap();
    let mut walk = LogWalk::open(&fs, &path).unwrap();
    assert!(matches!(walk.find_next().unwrap(), Some(Found::Damage { at: 0, .. })));
    assert!(matches!(walk.find_next().unwrap(), Some(Found::Batch { .. })));
}

#[test]
fn a_lie_about_the_offset_condemns_one_batch_and_not_those_behind() {
    let fs = partition();
    let path = logs(&fs)[0].clone();
    let mut bytes = fs.read_raw(&path).unwrap();
    // The first batch claims to lie far ahead, which no checksum covers.
    bytes[2] = 1;
    fs.plant(&path, &bytes).unwrap();
    let mut walk = LogWalk::open(&fs, &path).unwrap();
    let mut damaged = 0;
    while let Some(found) = walk.find_next().unwrap() {
        damaged += usize::from(matches!(found, Found::Damage { .. }));
    }
    assert_eq!(damaged, 1);
}

#[test]
fn messages_of_the_oldest_formats_are_named_and_not_read() {
    let fs = SimFs::new(0);
    let mut message = Vec::new();
    message.extend_from_slice(&7_i64.to_be_bytes());
    let mut body = vec![0_u8, 0];
    body.extend_from_slice(&(-1_i32).to_be_bytes());
    body.extend_from_slice(&3_i32.to_be_bytes());
    body.extend_from_slice(b"old");
    message.extend_from_slice(&(body.len() as i32 + 4).to_be_bytes());
    message.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    message.extend_from_slice(&body);
    let path = Path::new("/d/00000000000000000000.log");
    fs.plant(path, &message).unwrap();
    let mut walk = LogWalk::open(&fs, path).unwrap();
    let found = walk.find_next().unwrap();
    assert!(matches!(found, Some(Found::Old { magic: 0, offset: Offset(7), .. })), "{found:?}");
    assert!(walk.find_next().unwrap().is_none());
}

/// Looks at every file in every way.
fn look(fs: &SimFs) {
    for path in files_of(fs, Path::new("/data")).unwrap() {
        let size = fs.read_raw(&path).unwrap().len() as u64;
        for skip_damage in [false, true] {
            let selection = Selection { skip_damage, held_bytes_max: 1 << 20, ..Selection::default() };
            for (at, until) in dump(fs, &path, &selection).1 {
                assert!(at <= until && until <= size, "{}: {at}..{until} of {size}", path.display());
            }
        }
        let mut pace = |_| ControlFlow::Continue(());
        let mut work = Work { fs, deep: true, pace: &mut pace, done: &|_, _| None, keep: &mut |_| {} };
        judge_file(&mut work, &path).unwrap();
        weigh(fs, &path, true, &mut |_| ControlFlow::Continue(())).unwrap();
    }
}

/// File, place, byte, and what is done there.
fn edit() -> impl Strategy<Value = (prop::sample::Index, prop::sample::Index, u8, u8)> {
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_look_panic(
        edits in prop::collection::vec(edit(), 1..12),
    ) {
        let fs = partition();
        let files: Vec<PathBuf> = fs.files().into_iter().map(|(path, _)| path).collect();
        for (file, at, byte, what) in edits {
            let path = &files[file.index(files.len())];
            let mut bytes = fs.read_raw(path).unwrap();
            let at = at.index(bytes.len() + 1);
            match what {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 => bytes.extend_from_slice(&[byte; 100]),
                _ => if let Some(held) = bytes.get_mut(at) { *held ^= byte },
            }
            fs.plant(path, &bytes).unwrap();
        }
        look(&fs);
    }

    #[test]
    fn noise_under_the_name_of_any_file_is_said_to_be_noise(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let fs = SimFs::new(0);
        for name in ["00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex",
            "00000000000000000000.txnindex", "00000000000000000003.snapshot", "00000000000000000000.seal",
            "leader-epoch-checkpoint", "logboom.marks", "logboom.damage", "partition.metadata", "meta.properties",
            "quorum-state", "cleaner-offset-checkpoint"] {
            fs.plant(&Path::new(PARTITION).join(name), &noise).unwrap();
        }
        look(&fs);
    }
}
