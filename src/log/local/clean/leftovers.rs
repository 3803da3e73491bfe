//! What a crash leaves of swaps in a partition's directory: finishing those that were committed, removing the others,
//! and seeing through them without touching anything. Recovery and the offline tools use it; it knows Kafka's leftovers
//! as well as our own.

use super::swap::{CLEANED, DATA, SWAP, Swap, TXN_INDEX, staged};
use crate::log::local::files::{Kind, file_name};
use crate::log::local::scan::{FAR, Scan};
use crate::log::local::seal::{self, Stored};
use crate::sys::{Fs, OpenHow};
use crate::types::Offset;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Finishes the swaps that were committed in a partition's directory and removes what is left of those that were not.
/// True if there was a committed one. For recovery, before anything else looks at the segments.
pub fn settle(fs: &dyn Fs, dir: &Path) -> io::Result<bool> {
    let found = list(fs, dir)?;
    let mut completed = false;
    for (base, end) in committed(fs, dir, &found) {
        tracing::info!(dir = %dir.display(), %base, %end, "finishing the replacement of cleaned segments");
        let live = found.iter().filter(|file| file.stage == Stage::Live);
        let others = live.filter(|file| file.base > base && file.base < end);
        Swap { fs, dir, base }.complete(others.map(|file| file.path.as_path()))?;
        completed = true;
    }
    let has_log = |base| found.iter().any(|file| file.is(base, Kind::Log.suffix(), Stage::Live));
    for file in found.iter().filter(|file| file.stage != Stage::Live) {
        // Our own are never without the segment they were made of; whose data this is we do not know.
        let foreign = file.stage == Stage::Swap && !has_log(file.base);
        if !foreign && fs.exists(&file.path) {
            fs.remove(&file.path)?;
        }
    }
    Ok(completed)
}

/// Who left the files of an unfinished swap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Logboom: a swap is committed by its seal.
    ByLogboom,
    /// Kafka: whatever is named `.swap` is whole and takes its place, unless a `.cleaned` file at or below it shows
    /// that a segment was being split (`LogLoader.load`).
    ByKafka,
}

/// Where the files of a segment are, be it under names that only a recovery would mend.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Files {
    /// By suffix: `log`, `index`, `timeindex`, `txnindex`, `seal`.
    pub by_suffix: BTreeMap<&'static str, PathBuf>,
}

/// The segments of a partition's directory as the next recovery would make them, without touching anything: for tools
/// that read. Files whose segment has no log are left out.
pub fn segments_as_settled(fs: &dyn Fs, dir: &Path, left: Left) -> io::Result<BTreeMap<Offset, Files>> {
    let found = list(fs, dir)?;
    let ranges = match left {
        Left::ByLogboom => committed(fs, dir, &found),
        Left::ByKafka => swapped_by_kafka(fs, &found)?,
    };
    let placed = |base| ranges.iter().any(|(first, _)| *first == base);
    let replaced = |base| ranges.iter().any(|(first, end)| (*first..*end).contains(&base));
    let mut segments: BTreeMap<Offset, Files> = BTreeMap::new();
    for Found { base, suffix, stage, path } in found {
        // Of a swap that was under way, some files have their last names already.
        let counts = match stage {
            Stage::Live => !replaced(base) || placed(base),
            Stage::Swap => placed(base),
            Stage::Cleaned => false,
        };
        if counts {
            let files = &mut segments.entry(base).or_default().by_suffix;
            if stage == Stage::Swap {
                files.insert(suffix, path);
            } else {
                files.entry(suffix).or_insert(path);
            }
        }
    }
    segments.retain(|_, files| files.by_suffix.contains_key(Kind::Log.suffix()));
    Ok(segments)
}

/// The swaps that Kafka would finish, as ranges that share one end.
fn swapped_by_kafka(fs: &dyn Fs, found: &[Found]) -> io::Result<Vec<(Offset, Offset)>> {
    let split = found.iter().filter(|file| file.stage == Stage::Cleaned).map(|file| file.base).min();
    let valid = |file: &&Found| {
        file.stage == Stage::Swap
            && file.suffix == Kind::Log.suffix()
            && split.is_none_or(|split| file.base < split)
    };
    let logs: Vec<&Found> = found.iter().filter(valid).collect();
    let mut end = Offset::ZERO;
    for log in &logs {
        let file = fs.open(&log.path, OpenHow::Read)?;
        let size = file.size()?;
        let mut scan = Scan::new(file, 0, size, FAR);
        // Like Kafka, as far as the batches go.
        while let Ok(Some((_, header))) = scan.next_header() {
            end = end.max(header.next_offset());
        }
    }
    Ok(logs.into_iter().map(|log| (log.base, end.max(log.base.plus(1)))).collect())
}

/// The ranges of the swaps that were committed: a sound seal waits, and the log it speaks of is there.
fn committed(fs: &dyn Fs, dir: &Path, found: &[Found]) -> Vec<(Offset, Offset)> {
    let seals = found.iter().filter(|file| file.stage == Stage::Swap && file.suffix == seal::SUFFIX);
    let ranges = seals.filter_map(|file| {
        let Stored::Sound(seal) = seal::load_from(fs, &file.path, file.base) else { return None };
        let waiting = staged(dir, file.base, Kind::Log.suffix(), SWAP);
        let placed = dir.join(file_name(file.base, Kind::Log.suffix()));
        let log = if fs.exists(&waiting) { waiting } else { placed };
        let size = fs.open(&log, OpenHow::Read).and_then(|file| file.size());
        size.is_ok_and(|size| size == seal.body.size).then_some((seal.base, seal.end))
    });
    ranges.collect()
}

/// How far a file of a segment has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Live,
    Cleaned,
    Swap,
}

/// A file of a segment.
struct Found {
    base: Offset,
    suffix: &'static str,
    stage: Stage,
    path: PathBuf,
}

impl Found {
    fn is(&self, base: Offset, suffix: &str, stage: Stage) -> bool {
        self.base == base && self.suffix == suffix && self.stage == stage
    }

    /// What a name says; `None` for what is not a file of a segment, or on its way out.
    fn parse(path: PathBuf) -> Option<Found> {
        let name = path.file_name()?.to_str()?;
        let (name, stage) = match name.rsplit_once('.')? {
            (name, CLEANED) => (name, Stage::Cleaned),
            (name, SWAP) => (name, Stage::Swap),
            _ => (name, Stage::Live),
        };
        let (digits, suffix) = name.split_once('.')?;
        let suffixes = DATA.into_iter().chain([seal::SUFFIX, TXN_INDEX]);
        let suffix = suffixes.into_iter().find(|known| *known == suffix)?;
        let digits =
            (digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(digits)?;
        let base = Offset(digits.parse().ok()?);
        Some(Found { base, suffix, stage, path })
    }
}

fn list(fs: &dyn Fs, dir: &Path) -> io::Result<Vec<Found>> {
    Ok(fs.list(dir)?.into_iter().filter_map(Found::parse).collect())
}
