//! Putting cleaned segments in the place of those they were made of, so that a crash at any point leaves the old ones
//! or the new one (`storage-format.md`, "Swap"). Works on a directory's names alone: the running broker, recovery and
//! the offline tools share it. Knows no log, no locks and nothing of what is in the files but the seal.
//!
//! ```text
//! <base>.{log,index,timeindex,seal}.cleaned    written and synced by the cleaner
//! <base>.{log,index,timeindex}.swap            renamed, directory synced
//! <base>.seal.swap                             renamed, directory synced: from here on the swap will happen
//! <base>.{log,index,timeindex}                 renamed over the old ones; the others of the group go; synced
//! <base>.seal                                  renamed, directory synced: done
//! ```

use crate::log::local::files::{Kind, file_name};
use crate::log::local::front::DELETED;
use crate::log::local::seal::{self, Stored};
use crate::sys::Fs;
use crate::types::Offset;
use std::io;
use std::path::{Path, PathBuf};

/// What the name of a file ends in that the cleaner is writing, as Kafka's does.
pub const CLEANED: &str = "cleaned";
/// What the name of a file ends in that waits to take its place, as Kafka's does.
pub const SWAP: &str = "swap";

/// The files of a segment but its seal, in the order in which they are renamed: an index without its log would be
/// believed, a log without its index is not.
pub const DATA: [&str; 3] = ["log", "index", "timeindex"];

/// Kafka's index of aborted transactions, where there is one. The cleaner writes it, be it empty, wherever an old one
/// has to go: one that outlived its markers would hide a later transaction of the same producer.
pub const TXN_INDEX: &str = "txnindex";

/// A group of segments and the files that take its place.
#[derive(Clone, Copy)]
pub struct Swap<'a> {
    /// Where the files are.
    pub fs: &'a dyn Fs,
    /// The partition's directory.
    pub dir: &'a Path,
    /// Base offset of the first segment of the group, and of the cleaned one.
    pub base: Offset,
    /// Where the segment behind the group begins.
    pub end: Offset,
}

/// Why a swap was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It will not happen: the old segments are as they were. The cleaned files may be removed.
    #[error("cannot put a cleaned segment in place: {0}")]
    NotDone(#[source] io::Error),
    /// The names could not be synced. Nobody knows what is on disk; the next recovery finds out.
    #[error("cannot sync the names of a cleaned segment: {0}")]
    Unknown(#[source] io::Error),
}

impl Swap<'_> {
    /// Gives the cleaned files, which are whole and synced, the names under which they wait. Once it has returned the
    /// swap will happen, whatever else does.
    pub fn commit(&self) -> Result<(), CommitError> {
        for suffix in DATA {
            self.rename(suffix, Some(CLEANED), Some(SWAP)).map_err(CommitError::NotDone)?;
        }
        self.rename_if_there(TXN_INDEX, CLEANED, Some(SWAP)).map_err(CommitError::NotDone)?;
        // Before the seal: where its name is found, those of the others are on disk, or already in their place.
        self.fs.sync_dir(self.dir).map_err(CommitError::Unknown)?;
        self.rename(seal::SUFFIX, Some(CLEANED), Some(SWAP)).map_err(CommitError::NotDone)?;
        self.fs.sync_dir(self.dir).map_err(CommitError::Unknown)
    }

    /// Removes what there is of cleaned files, in a swap that was not committed. What cannot be removed goes at the
    /// next start.
    pub fn abandon(&self) {
        // The seal first: what is left then was never committed.
        for suffix in [seal::SUFFIX].into_iter().chain(DATA).chain([TXN_INDEX]) {
            for stage in [CLEANED, SWAP] {
                let _ = self.fs.remove(&staged(self.dir, self.base, suffix, stage));
            }
        }
    }

    /// Renames the log over the old one, which is gone with that.
    pub fn place_log(&self) -> io::Result<()> {
        self.rename(Kind::Log.suffix(), Some(SWAP), None)
    }

    /// Renames the indexes over the old ones.
    pub fn place_indexes(&self) -> io::Result<()> {
        [Kind::Index, Kind::TimeIndex]
            .iter()
            .try_for_each(|kind| self.rename(kind.suffix(), Some(SWAP), None))?;
        self.rename_if_there(TXN_INDEX, SWAP, None)
    }

    /// Takes the names of another segment of the group away; the names that its files have then.
    pub fn retire(&self, base: Offset) -> io::Result<Vec<PathBuf>> {
        let mut gone = Vec::new();
        for suffix in DATA.into_iter().chain([TXN_INDEX, seal::SUFFIX]) {
            let path = self.dir.join(file_name(base, suffix));
            if self.fs.exists(&path) {
                let target = staged(self.dir, base, suffix, DELETED);
                self.fs.rename(&path, &target)?;
                gone.push(target);
            }
        }
        Ok(gone)
    }

    /// Ends a swap whose files are all in their place: only when that is on disk does the seal get its name, for
    /// until then it is what recovery goes by.
    pub fn finish(&self) -> io::Result<()> {
        self.fs.sync_dir(self.dir)?;
        self.rename(seal::SUFFIX, Some(SWAP), None)?;
        self.fs.sync_dir(self.dir)
    }

    /// Does what a crash left undone of a committed swap. Any part of it may have been done.
    fn complete(&self, found: &[Found]) -> io::Result<()> {
        for suffix in DATA.into_iter().chain([TXN_INDEX]) {
            self.rename_if_there(suffix, SWAP, None)?;
        }
        let others = found.iter().filter(|file| file.stage == Stage::Live);
        for file in others.filter(|file| file.base > self.base && file.base < self.end) {
            self.fs.remove(&file.path)?;
        }
        self.finish()
    }

    fn rename_if_there(&self, suffix: &str, from: &str, to: Option<&str>) -> io::Result<()> {
        match self.fs.exists(&staged(self.dir, self.base, suffix, from)) {
            true => self.rename(suffix, Some(from), to),
            false => Ok(()),
        }
    }

    fn rename(&self, suffix: &str, from: Option<&str>, to: Option<&str>) -> io::Result<()> {
        let path = |stage: Option<&str>| match stage {
            Some(stage) => staged(self.dir, self.base, suffix, stage),
            None => self.dir.join(file_name(self.base, suffix)),
        };
        self.fs.rename(&path(from), &path(to))
    }
}

/// Path of a file of the segment at `base` on its way in or out: `<base>.<suffix>.<stage>`.
pub fn staged(dir: &Path, base: Offset, suffix: &str, stage: &str) -> PathBuf {
    dir.join(format!("{}.{stage}", file_name(base, suffix)))
}

/// Finishes the swaps that were committed in a partition's directory and removes what is left of those that were not.
/// True if there was a committed one. For recovery, before anything else looks at the segments.
pub fn settle(fs: &dyn Fs, dir: &Path) -> io::Result<bool> {
    let found = list(fs, dir)?;
    let mut completed = false;
    for (base, end) in committed(fs, dir, &found) {
        tracing::info!(dir = %dir.display(), %base, %end, "finishing the replacement of cleaned segments");
        Swap { fs, dir, base, end }.complete(&found)?;
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

/// The ranges of the swaps that were committed: a sound seal waits, and the log it speaks of is there.
fn committed(fs: &dyn Fs, dir: &Path, found: &[Found]) -> Vec<(Offset, Offset)> {
    let seals = found.iter().filter(|file| file.stage == Stage::Swap && file.suffix == seal::SUFFIX);
    let ranges = seals.filter_map(|file| {
        let Stored::Sound(seal) = seal::load_from(fs, &file.path, file.base) else { return None };
        let waiting = staged(dir, file.base, Kind::Log.suffix(), SWAP);
        let placed = dir.join(file_name(file.base, Kind::Log.suffix()));
        let log = if fs.exists(&waiting) { waiting } else { placed };
        let size = fs.open(&log, crate::sys::OpenHow::Read).and_then(|file| file.size());
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
