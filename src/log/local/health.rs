//! Whether a log directory can be used as a whole, and what takes it out of use for the rest of the process. It must
//! not know what is in the directory.
//!
//! A directory fails as a whole when
//! 1. any call in it ends with an error that speaks of its file system and not of the call: read-only, the device or
//!    the server is gone, the file system found itself damaged (`IoCause::Gone`);
//! 2. the marks cannot be written twice in a row. They are a write, a sync and a rename of a few bytes and a sync of
//!    the directory, so they are also the probe that tells a bad spot from a bad disk: they are tried at once when a
//!    sync failed, and again when they are due.
//!
//! A log whose own write or sync fails goes offline alone, and may be reopened. A full disk is no failure: room comes
//! back, and the calls that found none had no effect.
//!
//! A directory that failed is not used again by this process. What its page cache shows after a failed sync need not
//! be on the disk, and a second sync would not say so. The next start recovers it like after a crash.

use crate::sys::{File, FileLock, Fs, IoCause, OpenHow, Space, io_cause};
use crate::types::TimestampMs;
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Failures of the marks in a row that take the directory out of use.
const MARKS_FAILED_MAX: u32 = 2;

/// What a log directory can be used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogDirState {
    /// Everything.
    Online,
    /// Nothing: every log in it is offline until the next start.
    Failed(Arc<str>),
}

/// The state of one directory, shared with what watches its calls.
pub(super) struct Health {
    path: PathBuf,
    failed: AtomicBool,
    state: watch::Sender<LogDirState>,
    marks_failed: Mutex<u32>,
    /// Takes the logs offline soon, from a thread that holds none of their locks.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Health {
    pub(super) fn new(path: &Path, wake: impl Fn() + Send + Sync + 'static) -> Health {
        Health {
            path: path.to_owned(),
            failed: AtomicBool::new(false),
            state: watch::Sender::new(LogDirState::Online),
            marks_failed: Mutex::new(0),
            wake: Box::new(wake),
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn state(&self) -> LogDirState {
        self.state.borrow().clone()
    }

    pub(super) fn watch(&self) -> watch::Receiver<LogDirState> {
        self.state.subscribe()
    }

    /// An error if the directory failed.
    pub(super) fn check(&self) -> io::Result<()> {
        match &*self.state.borrow() {
            LogDirState::Online => Ok(()),
            LogDirState::Failed(why) => Err(io::Error::other(format!("the log directory failed: {why}"))),
        }
    }

    /// Takes the directory out of use, once. Takes no lock of a log, so that it may be called under one.
    pub(super) fn fail(&self, error: &io::Error, doing: &str) {
        if self.failed.swap(true, Ordering::AcqRel) {
            return;
        }
        let dir = self.path.display();
        tracing::error!(%dir, %error, doing, "the log directory failed: all its partitions are offline");
        self.state.send_replace(LogDirState::Failed(format!("{doing}: {error}").into()));
        (self.wake)();
    }

    /// Looks at an error of any call in the directory.
    pub(super) fn note<T>(&self, result: io::Result<T>, doing: &str) -> io::Result<T> {
        if let Err(error) = &result
            && io_cause(error) == IoCause::Gone
        {
            self.fail(error, doing);
        }
        result
    }

    /// How the writing of the marks ended.
    pub(super) fn marks_written(&self, written: &io::Result<()>) {
        let mut failed = self.marks_failed.lock();
        match written {
            Ok(()) => *failed = 0,
            Err(error) if matches!(io_cause(error), IoCause::Call | IoCause::Gone) => {
                *failed += 1;
                if *failed >= MARKS_FAILED_MAX {
                    self.fail(error, "writing the marks");
                }
            }
            Err(_) => {}
        }
    }
}

/// The file system of one log directory: hands every call on, and looks at how it ended.
pub(super) struct WatchedFs {
    pub inner: Arc<dyn Fs>,
    pub health: Arc<Health>,
}

struct WatchedFile {
    inner: Arc<dyn File>,
    health: Arc<Health>,
}

impl Fs for WatchedFs {
    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Arc<dyn File>> {
        let inner = self.health.note(self.inner.open(path, how), "open")?;
        Ok(Arc::new(WatchedFile { inner, health: Arc::clone(&self.health) }))
    }

    fn rename(&self, source: &Path, target: &Path) -> io::Result<()> {
        self.health.note(self.inner.rename(source, target), "rename")
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.health.note(self.inner.remove(path), "remove")
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.health.note(self.inner.create_dir_all(path), "make a directory")
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.health.note(self.inner.remove_dir_all(path), "remove a directory")
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.health.note(self.inner.list(dir), "list")
    }

    fn exists(&self, path: &Path) -> bool {
        self.inner.exists(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.inner.is_dir(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.health.note(self.inner.sync_dir(dir), "sync of a directory")
    }

    fn lock(&self, path: &Path) -> io::Result<FileLock> {
        self.inner.lock(path)
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.inner.space(path)
    }
}

impl File for WatchedFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        self.health.note(self.inner.read_at(buf, at), "read")
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        self.health.note(self.inner.write_all_at(parts, at), "write")
    }

    fn sync_data(&self) -> io::Result<()> {
        self.health.note(self.inner.sync_data(), "sync")
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.health.note(self.inner.set_len(len), "set a length")
    }

    fn modified(&self) -> io::Result<Option<TimestampMs>> {
        self.health.note(self.inner.modified(), "stat")
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    fn health() -> Health {
        Health::new(Path::new("/data"), || {})
    }

    #[test]
    fn marks_that_fail_twice_in_a_row_take_the_directory_out_of_use() {
        let health = health();
        let failed = || Err(Errno::IO.into());
        health.marks_written(&failed());
        health.marks_written(&Ok(()));
        health.marks_written(&failed());
        assert!(!health.is_failed());
        health.marks_written(&failed());
        assert!(health.is_failed() && health.check().is_err());
    }

    #[test]
    fn a_full_disk_never_takes_a_directory_out_of_use() {
        let health = health();
        for _ in 0..10 {
            health.marks_written(&Err(Errno::NOSPC.into()));
            assert!(health.note::<()>(Err(Errno::NOSPC.into()), "write").is_err());
        }
        assert_eq!(health.state(), LogDirState::Online);
    }

    #[test]
    fn one_call_on_a_read_only_file_system_is_enough() {
        let health = health();
        assert!(health.note::<()>(Err(Errno::IO.into()), "write").is_err());
        assert!(!health.is_failed());
        assert!(health.note::<()>(Err(Errno::ROFS.into()), "write").is_err());
        assert!(matches!(health.state(), LogDirState::Failed(why) if why.contains("write")));
    }
}
