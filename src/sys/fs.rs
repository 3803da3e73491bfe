//! The file system as a trait: what a log needs of it, and what a crash may take away.
//!
//! The contract that the simulated side enforces: bytes are safe only after `File::sync_data`; a name (made,
//! renamed or removed) is safe only after `Fs::sync_dir` of its directory; after a failed sync nothing is known of
//! the bytes since the last good one, and trying again proves nothing.

use crate::types::TimestampMs;
use std::any::Any;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `Fs::open` may find and make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenHow {
    /// Reading only; the file must exist.
    Read,
    /// Reading and writing; the file must exist.
    Write,
    /// Reading and writing; made empty if absent.
    Create,
    /// Reading and writing; an error if it exists.
    CreateNew,
}

/// Bytes of the file system under a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// Size of the file system.
    pub total: u64,
    /// What may still be written.
    pub usable: u64,
}

/// Held as long as this process owns a lock file; dropping it gives the lock back.
pub struct FileLock(#[allow(dead_code, reason = "held for its drop")] pub(super) Box<dyn Any + Send + Sync>);

/// An open file. Reads and writes name their position, so that threads share one handle.
pub trait File: Send + Sync {
    /// Fills `buf` from byte `at`; fewer bytes mean the end of the file.
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize>;
    /// Writes all parts one after another from byte `at`. After an error any prefix may have been written.
    fn write_all_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<()>;
    /// Returns once the bytes and the length would survive a power cut.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts or extends with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// When its bytes were last changed, by the wall clock; none if that is not known.
    fn modified(&self) -> io::Result<Option<TimestampMs>>;
    /// The descriptor, for sendfile and mmap; none in the simulation.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}

/// A file system.
pub trait Fs: Send + Sync + 'static {
    /// Opens a file.
    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Arc<dyn File>>;
    /// Gives a file or directory a new name, replacing a file there.
    fn rename(&self, source: &Path, target: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory and those above it; no error if it is there.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Full paths of what a directory holds, sorted by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Whether a file or directory of this name is there.
    fn exists(&self, path: &Path) -> bool;
    /// Whether the name is a directory.
    fn is_dir(&self, path: &Path) -> bool;
    /// Makes the names in `dir` survive a power cut.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the lock file for this process, making it if absent; `WouldBlock` if another holds it.
    fn lock(&self, path: &Path) -> io::Result<FileLock>;
    /// Room on the file system that holds `path`.
    fn space(&self, path: &Path) -> io::Result<Space>;

    /// The whole file. For small files: the caller knows that it is.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenHow::Read)?;
        let len = usize::try_from(file.size()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut bytes = vec![0; len];
        let got = file.read_at(&mut bytes, 0)?;
        bytes.truncate(got);
        Ok(bytes)
    }
}

/// Replaces the file at `path` by `bytes`, whole: written to `path` + ".tmp", synced, renamed. The new name survives
/// a crash once the directory is synced, which is left to the caller.
pub fn replace(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs.rename(&stage(fs, path, bytes)?, path)
}

/// The first half of [`replace`]: `bytes` synced under `path` + ".tmp", which is returned, for callers that rename it
/// when they may.
pub fn stage(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let file = fs.open(&temporary, OpenHow::Create)?;
    file.set_len(0)?;
    file.write_all_at(&[IoSlice::new(bytes)], 0)?;
    file.sync_data()?;
    drop(file);
    Ok(temporary)
}

/// Like [`replace`], with the directory synced: after a crash either the old or the new content is there whole, and
/// once this has returned, the new.
pub fn write_atomically(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(fs, path, bytes)?;
    match path.parent() {
        Some(dir) => fs.sync_dir(dir),
        None => Ok(()),
    }
}
