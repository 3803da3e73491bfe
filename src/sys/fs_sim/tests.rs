//! What a crash, a kill and a fault may and may not do to the simulated file system.

use super::*;
use crate::sys::{RealFs, Rng, SeededRng, write_atomically};
use rustix::io::Errno;
use std::collections::BTreeSet;

fn path(name: &str) -> PathBuf {
    Path::new("/data").join(name)
}

/// A file system with an empty directory /data that is on disk.
fn fs() -> SimFs {
    let fs = SimFs::new(1);
    fs.create_dir_all(Path::new("/data")).unwrap();
    fs.settle();
    fs
}

fn write(fs: &SimFs, name: &str, bytes: &[u8], at: u64) -> Arc<dyn File> {
    let file = fs.open(&path(name), OpenHow::Create).unwrap();
    file.write_all_at(&[IoSlice::new(bytes)], at).unwrap();
    file
}

fn sync_names(fs: &SimFs) {
    fs.sync_dir(Path::new("/data")).unwrap();
}

/// What a file holds after each of many power cuts.
fn outcomes(fs: &SimFs, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..400).map(|seed| fs.crash(seed).read_raw(&path(name)).ok()).collect()
}

fn names(fs: &SimFs) -> Vec<String> {
    let list = fs.list(Path::new("/data")).unwrap();
    list.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn bytes_and_names_that_were_synced_survive_every_power_cut() {
    let fs = fs();
    write(&fs, "a", &[7; 3000], 0).sync_data().unwrap();
    sync_names(&fs);
    assert_eq!(outcomes(&fs, "a"), BTreeSet::from([Some(vec![7; 3000])]));
}

#[test]
fn a_synced_file_whose_name_was_not_synced_may_be_gone() {
    let fs = fs();
    write(&fs, "a", b"x", 0).sync_data().unwrap();
    assert_eq!(outcomes(&fs, "a"), BTreeSet::from([None, Some(b"x".to_vec())]));
}

#[test]
fn a_directory_whose_name_was_not_synced_is_gone_with_all_in_it() {
    let fs = fs();
    fs.create_dir_all(&path("t-0")).unwrap();
    write(&fs, "t-0/a", b"x", 0).sync_data().unwrap();
    fs.sync_dir(&path("t-0")).unwrap();
    let left = fs.crash_keeping(0, Survival::Nothing, Survival::Everything);
    assert_eq!((left.files(), left.is_dir(&path("t-0"))), (vec![], false));
    sync_names(&fs);
    assert_eq!(outcomes(&fs, "t-0/a"), BTreeSet::from([Some(b"x".to_vec())]));
}

#[test]
fn unsynced_bytes_are_torn_at_sectors_and_holes_read_as_zeros() {
    let fs = fs();
    write(&fs, "a", &[1; 512], 0).sync_data().unwrap();
    sync_names(&fs);
    write(&fs, "a", &[2; 1536], 512);
    let outcomes = outcomes(&fs, "a");
    for bytes in outcomes.iter().flatten() {
        assert!(bytes.len() == 512 || bytes.len() == 2048);
        assert!(bytes[..512].iter().all(|byte| *byte == 1));
        assert!(bytes[512..].chunks(512).all(|sector| sector == [0; 512] || sector == [2; 512]));
    }
    assert!(outcomes.len() >= 7, "lost, kept, and torn in several ways: {}", outcomes.len());
    let first_sector_lost = |bytes: &Vec<u8>| bytes.len() == 2048 && bytes[512] == 0 && bytes[1024] == 2;
    assert!(outcomes.iter().flatten().any(first_sector_lost));
}

#[test]
fn within_a_sector_a_later_write_is_never_there_without_the_earlier() {
    let fs = fs();
    sync_names(&fs);
    write(&fs, "a", &[1; 100], 0);
    write(&fs, "a", &[2; 100], 100);
    sync_names(&fs);
    for bytes in outcomes(&fs, "a").into_iter().flatten().filter(|bytes| bytes.len() == 200) {
        assert!(bytes[100] == 0 || bytes[0] == 1);
    }
}

#[test]
fn an_unsynced_cut_happened_or_not_and_shows_no_old_bytes_once_the_file_grew_again() {
    let fs = fs();
    let file = write(&fs, "a", &[1; 2048], 0);
    file.sync_data().unwrap();
    sync_names(&fs);
    file.set_len(700).unwrap();
    file.write_all_at(&[IoSlice::new(&[2; 1000])], 700).unwrap();
    let outcomes = outcomes(&fs, "a").into_iter().flatten().collect::<Vec<_>>();
    for bytes in &outcomes {
        assert!([2048, 700, 1700].contains(&bytes.len()));
        assert!(bytes[..700].iter().all(|byte| *byte == 1));
        assert!(bytes.len() != 1700 || !bytes[700..].contains(&1), "bytes from before the cut");
    }
    for len in [2048, 700, 1700] {
        assert!(outcomes.iter().any(|bytes| bytes.len() == len), "{len} never seen");
    }
}

#[test]
fn a_rename_within_a_directory_is_there_or_not_and_never_half() {
    let fs = fs();
    write(&fs, "old", b"x", 0).sync_data().unwrap();
    sync_names(&fs);
    fs.rename(&path("old"), &path("mid")).unwrap();
    fs.rename(&path("mid"), &path("new")).unwrap();
    let seen: BTreeSet<Vec<String>> = (0..200).map(|seed| names(&fs.crash(seed))).collect();
    assert_eq!(seen, ["mid", "new", "old"].map(|name| vec![name.to_owned()]).into());
}

#[test]
fn a_rename_can_reach_the_disk_before_the_bytes_it_names() {
    let fs = fs();
    write(&fs, "a.tmp", b"whole", 0);
    fs.rename(&path("a.tmp"), &path("a")).unwrap();
    sync_names(&fs);
    let left = fs.crash_keeping(3, Survival::Everything, Survival::Nothing);
    assert_eq!(left.read_raw(&path("a")).unwrap(), b"");
}

#[test]
fn a_file_replaced_atomically_is_old_or_new_at_every_crash_point() {
    let prepared = fs();
    write_atomically(&prepared, &path("a"), b"old").unwrap();
    let work = |fs: &SimFs| write_atomically(fs, &path("a"), b"new and longer");
    let counted = prepared.kill();
    work(&counted).unwrap();
    assert_eq!(counted.calls(), 6);
    for at in 0..=counted.calls() {
        for seed in 0..50 {
            let fs = prepared.kill();
            fs.stop_after(at);
            let done = work(&fs).is_ok();
            assert_eq!((done, fs.power_is_off()), (at == 6, at < 6));
            let found = fs.crash(seed).read_raw(&path("a")).unwrap();
            assert!(found == b"new and longer" || (!done && found == b"old"), "{at} {seed} {found:?}");
        }
    }
}

#[test]
fn a_missing_sync_is_found_by_crash_points() {
    let careless = |fs: &SimFs| -> io::Result<()> {
        let file = fs.open(&path("a.tmp"), OpenHow::Create)?;
        file.write_all_at(&[IoSlice::new(b"new")], 0)?;
        fs.rename(&path("a.tmp"), &path("a"))?;
        fs.sync_dir(Path::new("/data"))
    };
    let fs = fs();
    careless(&fs).unwrap();
    assert!((0..20).any(|seed| fs.crash(seed).read_raw(&path("a")).unwrap() != b"new"));
}

#[test]
fn after_the_power_is_gone_nothing_more_reaches_the_disk() {
    let fs = fs();
    let file = write(&fs, "a", b"x", 0);
    sync_names(&fs);
    fs.stop_after(0);
    assert!(file.write_all_at(&[IoSlice::new(b"y")], 0).is_err());
    assert!(file.sync_data().is_err());
    assert!(file.read_at(&mut [0], 0).is_err());
    assert!(fs.open(&path("a"), OpenHow::Read).is_err());
    assert!(outcomes(&fs, "a").contains(&Some(vec![])));
    let left = fs.crash(1);
    assert!(!left.power_is_off());
    left.open(&path("a"), OpenHow::Read).unwrap();
}

#[test]
fn equal_seeds_give_equal_disks() {
    let run = |seed| {
        let fs = fs();
        fs.fail(Fault::eio(Call::Write).nth(3));
        let rng = SeededRng::new(seed);
        for at in 0..40 {
            let file = fs.open(&path(&format!("f{}", rng.below(5))), OpenHow::Create).unwrap();
            let _ = file.write_all_at(&[IoSlice::new(&vec![at; rng.below(3000) as usize])], rng.below(4000));
        }
        let left = fs.crash(seed);
        left.files().into_iter().map(|(path, _)| (left.read_raw(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_killed_process_loses_no_writes_and_no_name_but_its_locks() {
    let fs = fs();
    let lock = fs.lock(&path(".lock")).unwrap();
    assert_eq!(fs.lock(&path(".lock")).err().unwrap().kind(), io::ErrorKind::WouldBlock);
    write(&fs, "a", b"x", 0);
    let next = fs.kill();
    assert_eq!(next.read_raw(&path("a")).unwrap(), b"x");
    let _held = next.lock(&path(".lock")).unwrap();
    drop(lock);
    assert!(next.lock(&path(".lock")).is_err());
    fs.lock(&path(".lock")).unwrap();
    assert_eq!(outcomes(&next, "a").len(), 4, "gone, empty, a zero, or whole");
}

#[test]
fn a_fault_strikes_the_chosen_call_and_then_no_other() {
    let fs = fs();
    let log = write(&fs, "a.log", b"x", 0);
    let index = write(&fs, "a.index", b"x", 0);
    fs.fail(Fault::eio(Call::Sync).named(".log").nth(2));
    index.sync_data().unwrap();
    log.sync_data().unwrap();
    assert_eq!(log.sync_data().unwrap_err().raw_os_error(), Some(Errno::IO.raw_os_error()));
    log.sync_data().unwrap();
    assert_eq!((fs.struck(), fs.count(Call::Sync)), (1, 4));
    fs.fail(Fault::on(Call::Rename, io::ErrorKind::PermissionDenied).lasting());
    for _ in 0..2 {
        let error = fs.rename(&path("a.log"), &path("b.log")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
    fs.heal();
    fs.rename(&path("a.log"), &path("b.log")).unwrap();
}

#[test]
fn a_short_write_leaves_a_prefix() {
    let fs = fs();
    let file = write(&fs, "a", b"", 0);
    fs.fail(Fault::enospc(Call::Write).after_bytes(2));
    assert!(file.write_all_at(&[IoSlice::new(b"a"), IoSlice::new(b"bc")], 0).is_err());
    assert_eq!(fs.read_raw(&path("a")).unwrap(), b"ab");
}

#[test]
fn a_failed_sync_loses_bytes_that_still_read_back_and_a_second_sync_does_not_save_them() {
    let seen: BTreeSet<Vec<u8>> = (0..60)
        .map(|seed| {
            let fs = SimFs::new(seed);
            let file = fs.open(Path::new("/a"), OpenHow::Create).unwrap();
            fs.settle();
            file.write_all_at(&[IoSlice::new(b"x")], 0).unwrap();
            fs.fail(Fault::eio(Call::Sync));
            file.sync_data().unwrap_err();
            file.sync_data().unwrap();
            assert_eq!(fs.read(Path::new("/a")).unwrap(), b"x");
            fs.crash(seed).read_raw(Path::new("/a")).unwrap()
        })
        .collect();
    assert_eq!(seen, BTreeSet::from([b"".to_vec(), b"\0".to_vec(), b"x".to_vec()]));
}

#[test]
fn a_full_disk_takes_what_fits_and_room_comes_back() {
    let fs = fs();
    fs.set_capacity(3 * PAGE);
    let file = write(&fs, "a", &[1; PAGE as usize], 0);
    let error = file.write_all_at(&[IoSlice::new(&[2; 12_288])], PAGE).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(Errno::NOSPC.raw_os_error()));
    assert_eq!(file.size().unwrap(), 3 * PAGE);
    let usable = |fs: &SimFs| fs.space(Path::new("/data")).unwrap().usable;
    assert_eq!(usable(&fs), 0);
    file.write_all_at(&[IoSlice::new(b"in place")], 0).unwrap();
    file.set_len(PAGE).unwrap();
    assert_eq!(usable(&fs), 2 * PAGE);
    fs.remove(&path("a")).unwrap();
    assert_eq!(usable(&fs), 2 * PAGE, "an open file keeps its room");
    drop(file);
    assert_eq!(usable(&fs), 3 * PAGE);
    assert_eq!(usable(&fs.kill()), 3 * PAGE);
}

#[test]
fn removed_files_are_forgotten_once_no_crash_can_bring_them_back() {
    let fs = fs();
    for _ in 0..2000 {
        write(&fs, "a", &[1; 5000], 0);
        fs.remove(&path("a")).unwrap();
        sync_names(&fs);
    }
    assert!(fs.0.lock().kept_files() < 600);
    fs.fail(Fault::eio(Call::Remove));
    write(&fs, "b", b"x", 0).sync_data().unwrap();
    sync_names(&fs);
    fs.remove(&path("b")).unwrap_err();
    fs.remove(&path("b")).unwrap();
    assert_eq!(outcomes(&fs, "b"), BTreeSet::from([None, Some(b"x".to_vec())]));
}

#[test]
fn a_flipped_bit_is_there_before_and_after_a_crash() {
    let fs = fs();
    fs.plant(&path("deep/er/a"), b"abc").unwrap();
    fs.corrupt(&path("deep/er/a"), 1, 0x02).unwrap();
    assert_eq!(fs.read(&path("deep/er/a")).unwrap(), b"a`c");
    assert_eq!(outcomes(&fs, "deep/er/a"), BTreeSet::from([Some(b"a`c".to_vec())]));
}

/// One random call; what it returned, as far as every file system must agree on it.
fn step(fs: &dyn Fs, root: &Path, rng: &SeededRng) -> Result<Vec<u8>, ()> {
    let name = |rng: &SeededRng| root.join(["a", "b", "d/a", "d/b", "d", "e"][rng.below(6) as usize]);
    let at = name(rng);
    let other = name(rng);
    let (draw, offset, bits) = (rng.below(9), rng.below(9000), rng.next_u64());
    let how = [OpenHow::Read, OpenHow::Write, OpenHow::Create, OpenHow::CreateNew][(bits % 4) as usize];
    let report = match draw {
        0 => fs.rename(&at, &other).map(|()| vec![]),
        1 => fs.remove(&at).map(|()| vec![]),
        2 => fs.create_dir_all(&at).map(|()| vec![]),
        3 if at != root => fs.remove_dir_all(&at).map(|()| vec![]),
        4 => fs.list(&at).map(|paths| format!("{}", paths.len()).into_bytes()),
        _ if fs.is_dir(&at) => Ok(vec![]),
        5 => fs.read(&at),
        6 => fs.open(&at, how).and_then(|file| file.set_len(offset)).map(|()| vec![]),
        _ => fs.open(&at, how).and_then(|file| {
            let bytes = bits.to_le_bytes().repeat(200);
            file.write_all_at(&[IoSlice::new(&bytes), IoSlice::new(b"end")], offset)?;
            Ok(file.size()?.to_string().into_bytes())
        }),
    };
    report.map_err(|_| ())
}

#[test]
fn it_answers_as_the_machine_does_while_nothing_goes_wrong() {
    let root = std::env::temp_dir().join(format!("logboom-sim-{}", std::process::id()));
    let sim = SimFs::new(0);
    sim.create_dir_all(&root).unwrap();
    RealFs.create_dir_all(&root).unwrap();
    for seed in 0..60 {
        let (one, two) = (SeededRng::new(seed), SeededRng::new(seed));
        for at in 0..40 {
            let real = step(&RealFs, &root, &one);
            assert_eq!(step(&sim, &root, &two), real, "seed {seed}, step {at}");
        }
    }
    for (path, _) in sim.files() {
        assert_eq!(sim.read_raw(&path).unwrap(), RealFs.read(&path).unwrap());
    }
    RealFs.remove_dir_all(&root).unwrap();
}

#[test]
fn after_a_sync_of_everything_a_crash_finds_what_readers_saw() {
    for seed in 0..200 {
        let fs = SimFs::new(seed);
        fs.create_dir_all(Path::new("/r")).unwrap();
        let rng = SeededRng::new(seed);
        for _ in 0..30 {
            let _ = step(&fs, Path::new("/r"), &rng);
        }
        let _ = fs.crash(seed);
        fs.settle();
        let left = fs.crash(seed);
        assert_eq!(left.files(), fs.files());
        for (path, _) in fs.files() {
            assert_eq!(left.read_raw(&path).unwrap(), fs.read_raw(&path).unwrap(), "seed {seed} {path:?}");
        }
    }
}

#[test]
fn bytes_written_again_after_a_failed_sync_are_saved_by_the_next_with_their_length() {
    // The length was that of before the failed sync, though the bytes behind it had been written again.
    let fs = SimFs::new(1);
    let path = Path::new("/f");
    let file = fs.open(path, OpenHow::Create).unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    for seed in 0..8 {
        let (at, bytes) = (seed * 3000, [b'a' + seed as u8; 3000]);
        file.write_all_at(&[IoSlice::new(&bytes)], at).unwrap();
        fs.fail(Fault::eio(Call::Sync));
        file.sync_data().unwrap_err();
        file.write_all_at(&[IoSlice::new(&bytes)], at).unwrap();
        file.sync_data().unwrap();
        let found = fs.crash(seed).read(path).unwrap();
        assert_eq!(found[at as usize..], bytes, "{seed}");
    }
}
