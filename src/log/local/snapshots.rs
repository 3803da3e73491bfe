//! Producer-state snapshots (`%020d.snapshot`): kept and found here, made and checked by the partition. Losing one
//! costs a longer replay, so nothing is synced; a torn one is told by its own checksum.

use super::files::{base_of, file_name};
use super::log::LocalLog;
use crate::sys::OpenHow;
use crate::types::Offset;
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

/// As many as Kafka needs at most: the newest, and one more should that be torn.
const KEPT: usize = 2;
const SUFFIX: &str = "snapshot";

impl LocalLog {
    pub(super) fn write_snapshot(&self, at: Offset, bytes: &[u8]) -> io::Result<()> {
        let fs = self.dir().fs();
        let path = self.path().join(file_name(at, SUFFIX));
        let temporary = path.with_extension("snapshot.tmp");
        let file = fs.open(&temporary, OpenHow::Create)?;
        file.set_len(0)?;
        file.write_all_at(&[IoSlice::new(bytes)], 0)?;
        drop(file);
        fs.rename(&temporary, &path)?;
        let kept = self.snapshot_names()?;
        for (_, path) in kept.iter().skip(KEPT) {
            fs.remove(path)?;
        }
        Ok(())
    }

    pub(super) fn read_snapshots(&self) -> Vec<(Offset, Bytes)> {
        let end = self.state.lock().end;
        let names = self.snapshot_names().unwrap_or_default();
        let below = names.into_iter().filter(|(at, _)| *at <= end);
        below.filter_map(|(at, path)| Some((at, self.dir().fs().read(&path).ok()?.into()))).collect()
    }

    /// Removes the snapshots above `end`, which describe records that are gone. Synced: one that came back after a
    /// power cut would speak of other records than the log then has.
    pub(super) fn drop_snapshots_above(&self, end: Offset) -> io::Result<()> {
        let mut gone = self.snapshot_names()?;
        gone.retain(|(at, _)| *at > end);
        for (_, path) in &gone {
            self.dir().fs().remove(path)?;
        }
        if gone.is_empty() { Ok(()) } else { self.dir().fs().sync_dir(self.path()) }
    }

    /// Newest first.
    fn snapshot_names(&self) -> io::Result<Vec<(Offset, PathBuf)>> {
        let names = self.dir().fs().list(self.path())?;
        let mut found: Vec<_> =
            names.into_iter().filter_map(|path| Some((snapshot_at(&path)?, path))).collect();
        found.reverse();
        Ok(found)
    }
}

/// The offset in the name of a snapshot.
pub fn snapshot_at(path: &Path) -> Option<Offset> {
    base_of(path, SUFFIX)
}
