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
use crate::log::local::seal;
use crate::sys::{Fs, OpenHow};
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

/// Kafka's index of aborted transactions. A segment need not have one.
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
        self.replace_txn_index().map_err(CommitError::NotDone)?;
        for suffix in DATA.into_iter().chain(self.has(TXN_INDEX, CLEANED)) {
            self.rename(suffix, Some(CLEANED), Some(SWAP)).map_err(CommitError::NotDone)?;
        }
        // Before the seal: where its name is found, those of the others are on disk, or already in their place.
        self.fs.sync_dir(self.dir).map_err(CommitError::Unknown)?;
        self.rename(seal::SUFFIX, Some(CLEANED), Some(SWAP)).map_err(CommitError::NotDone)?;
        self.fs.sync_dir(self.dir).map_err(CommitError::Unknown)
    }

    /// Removes what there is of cleaned files, in a swap that was not committed. What cannot be removed goes at the
    /// next start.
    pub fn abandon(&self) {
        // The seal first: what is left then was never committed.
        for suffix in [seal::SUFFIX, TXN_INDEX].into_iter().chain(DATA) {
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
        let suffixes = [Kind::Index, Kind::TimeIndex].map(Kind::suffix);
        let mut suffixes = suffixes.into_iter().chain(self.has(TXN_INDEX, SWAP));
        suffixes.try_for_each(|suffix| self.rename(suffix, Some(SWAP), None))
    }

    /// Takes the names of another segment of the group away; the names that its files have then.
    pub fn retire(&self, base: Offset) -> io::Result<Vec<PathBuf>> {
        let mut gone = Vec::new();
        for suffix in DATA.into_iter().chain([seal::SUFFIX, TXN_INDEX]) {
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

    /// Does what a crash left undone of a committed swap. Any part of it may have been done; `others` are the files of
    /// the segments of the group but the first.
    pub(super) fn complete<'f>(&self, others: impl Iterator<Item = &'f Path>) -> io::Result<()> {
        for suffix in DATA.into_iter().chain([TXN_INDEX]).filter_map(|suffix| self.has(suffix, SWAP)) {
            self.rename(suffix, Some(SWAP), None)?;
        }
        for path in others {
            self.fs.remove(path)?;
        }
        self.finish()
    }

    /// A segment that has no aborted transactions any more gets an empty index over the old one: that there is no
    /// file waiting means, after a crash, that it is in its place already.
    fn replace_txn_index(&self) -> io::Result<()> {
        let old = self.dir.join(file_name(self.base, TXN_INDEX));
        if self.has(TXN_INDEX, CLEANED).is_none() && self.fs.exists(&old) {
            let path = staged(self.dir, self.base, TXN_INDEX, CLEANED);
            self.fs.open(&path, OpenHow::Create)?.sync_data()?;
        }
        Ok(())
    }

    /// The suffix, if there is such a file.
    fn has<'s>(&self, suffix: &'s str, stage: &str) -> Option<&'s str> {
        self.fs.exists(&staged(self.dir, self.base, suffix, stage)).then_some(suffix)
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
