//! Bytes and names that an earlier process left behind the mark, written once more by this one, so that syncs of this
//! one speak of them. Must not know what the bytes are.

use super::scan::FAR;
use crate::sys::{File, Fs, IoCause, OpenHow, io_cause};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A synced copy of a segment under a name that the next recovery removes.
pub(super) fn copy_beside(fs: &dyn Fs, file: &Arc<dyn File>, path: &Path) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let name = PathBuf::from(name);
    let (copy, size) = (fs.open(&name, OpenHow::Create)?, file.size()?);
    let copied = (|| {
        copy.set_len(0)?;
        let mut chunk = vec![0; usize::try_from(size).unwrap_or(FAR).min(FAR)];
        let mut at = 0;
        while at < size {
            let got = file.read_at(&mut chunk, at)?;
            let bytes = chunk.get(..got).filter(|bytes| !bytes.is_empty());
            copy.write_all_at(&[IoSlice::new(bytes.ok_or(io::ErrorKind::UnexpectedEof)?)], at)?;
            at += got as u64;
        }
        copy.sync_data()
    })();
    if copied.is_err() {
        // What is left of it goes at the next start.
        let _ = fs.remove(&name);
    }
    copied.map(|()| name)
}

/// Writes bytes of the file over themselves. An earlier process may have died of a sync that failed: the page cache
/// then shows bytes that are not on the disk and counts them as clean, and no sync would write them, though it would
/// say so.
pub(super) fn write_again(file: &dyn File, from: u64, to: u64) -> io::Result<()> {
    let mut chunk = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(FAR).min(FAR)];
    let mut at = from;
    while at < to {
        let want = usize::try_from(to - at).unwrap_or(FAR).min(chunk.len());
        let got = file.read_at(chunk.get_mut(..want).unwrap_or_default(), at)?;
        let bytes = chunk.get(..got).filter(|bytes| !bytes.is_empty());
        let bytes = bytes.ok_or(io::ErrorKind::UnexpectedEof)?;
        match file.write_all_at(&[IoSlice::new(bytes)], at) {
            // Only file systems that never write in place need room for this; a full one must not keep a log closed.
            Err(error) if io_cause(&error) == IoCause::Full => {
                tracing::warn!(%error, "cannot write the tail of a log again");
                return Ok(());
            }
            written => written?,
        }
        at += got as u64;
    }
    Ok(())
}
