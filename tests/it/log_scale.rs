//! Many partitions in one process: few open files, little memory, and a start that does not depend on their data.

use crate::log_kit::{batch_at, id, name, small};
use logboom::log::PartitionLog;
use logboom::log::local::{Commit, LogDir, LogDirOptions};
use logboom::record::CheckedBatches;
use logboom::sys::{Clock, Fs, RealClock, RealFs, SeededRng};
use logboom::types::{Epoch, Offset};
use std::path::Path;
use std::sync::Arc;

const PARTITIONS: i32 = 10_000;

fn open(root: &Path) -> Arc<LogDir> {
    let options = LogDirOptions { commit: Commit::Manual, open_files_max: 100, ..LogDirOptions::default() };
    LogDir::open(Arc::new(RealFs), Arc::new(RealClock::new()), Arc::new(SeededRng::new(1)), root, options)
        .unwrap()
}

/// Memory of this process in bytes.
fn resident() -> u64 {
    let file = RealFs.open(Path::new("/proc/self/statm"), logboom::sys::OpenHow::Read).unwrap();
    let mut text = [0; 100];
    let got = file.read_at(&mut text, 0).unwrap();
    let pages = String::from_utf8_lossy(&text[..got]).split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    pages * 4096
}

#[test]
#[ignore = "a measurement: prints memory and time for 10,000 partitions"]
fn ten_thousand_partitions_at_rest() {
    let root = std::env::temp_dir().join(format!("logboom-scale-{}", std::process::id()));
    let (clock, dir) = (RealClock::new(), open(&root));
    let began = clock.mono();
    for partition in 0..PARTITIONS {
        let log = dir.open_partition(&name(partition), id(), small()).unwrap().0;
        let batches = CheckedBatches::trusted(batch_at(0, Offset(0), Epoch(0))[..].into()).unwrap();
        log.append(batches, Epoch(0)).unwrap();
        if partition % 100 == 99 {
            dir.commit_round();
        }
        log.close().unwrap();
    }
    dir.close().unwrap();
    drop(dir);
    println!("made and filled: {:?}", clock.mono().since(began));
    let (began, before) = (clock.mono(), resident());
    let dir = open(&root);
    let logs: Vec<_> = (0..PARTITIONS)
        .map(|partition| dir.open_partition(&name(partition), id(), small()).unwrap().0)
        .collect();
    let each = (resident() - before) / logs.len() as u64;
    println!("opened: {:?}; {each} bytes each; {} files open", clock.mono().since(began), dir.open_files());
    assert!(dir.open_files() <= 100);
    assert!(each < 4096, "{each} bytes a partition");
    drop((logs, dir));
    RealFs.remove_dir_all(&root).unwrap();
}
