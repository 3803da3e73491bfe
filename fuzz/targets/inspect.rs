//! The offline tools on files whose content is the input: dumping, verifying and weighing end, with something to say or
//! with nothing, and take memory by what is there and not by what is claimed.
//!
//! Input: a byte that names the kind of file, then its bytes. A second one may follow behind four bytes of 0xff.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logboom::inspect::dump::{Selection, dump_file};
use logboom::inspect::stats::weigh;
use logboom::inspect::verify::{Work, judge_file};
use logboom::sys::SimFs;
use logboom_fuzz::Bound;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const NAMES: [&str; 13] = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000000.seal",
    "00000000000000000009.snapshot",
    "00000000000000000009-0000000001.checkpoint",
    "leader-epoch-checkpoint",
    "partition.metadata",
    "logboom.marks",
    "logboom.damage",
    "meta.properties",
    "cleaner-offset-checkpoint",
];

/// A chunk of the walk, a decompressed batch under its cap, and rows of what was read.
const LOOKING: Bound = Bound { times: 64, plus: 16 << 20 };

fuzz_target!(|data: &[u8]| {
    let fs = SimFs::new(0);
    let mut files: Vec<PathBuf> = Vec::new();
    let cut = data.windows(4).position(|mark| mark == [0xff; 4]);
    let (first, second) = cut.map_or((data, &[][..]), |at| (&data[..at], &data[at + 4..]));
    for part in [first, second] {
        let [name, bytes @ ..] = part else { continue };
        // Its topic is internal, so that records are decoded.
        let path = Path::new("/data/__consumer_offsets-0").join(NAMES[usize::from(*name) % NAMES.len()]);
        fs.plant(&path, bytes).expect("there is room");
        files.push(path);
    }
    LOOKING.hold("looking", data.len(), || {
        for path in &files {
            let selection = Selection { skip_damage: true, held_bytes_max: 1 << 20, ..Selection::default() };
            let _ = dump_file(&fs, path, &selection, &mut |_, _| ControlFlow::Continue(()))
                .expect("reading does not fail");
            let mut pace = |_| ControlFlow::Continue(());
            let mut work =
                Work { fs: &fs, deep: false, pace: &mut pace, done: &|_, _| None, keep: &mut |_| {} };
            judge_file(&mut work, path).expect("reading does not fail");
            weigh(&fs, path, false, &mut |_| ControlFlow::Continue(())).expect("reading does not fail");
        }
    });
});
