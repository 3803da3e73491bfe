//! What the tests of this folder share.

use super::{Commit, LocalLog, LogDir, LogDirOptions, OpenLogError, Recovery};
use crate::log::contract::Place;
use crate::log::{LogSettings, PartitionLog};
use crate::sys::{Fs, RealFs, SeededRng, SimClock, SimFs};
use crate::types::{TimestampMs, TopicPartition, Uuid};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory of its own on the machine's disk, removed at the end.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("logboom-{}-{number}", std::process::id()));
        RealFs.create_dir_all(&path).unwrap();
        TempDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = RealFs.remove_dir_all(&self.0);
    }
}

/// A log directory under manual commit.
pub struct LocalPlace {
    pub dir: Arc<LogDir>,
    pub clock: SimClock,
    /// Kept for its drop.
    _temporary: Option<TempDir>,
}

/// Where the log directory of a simulated file system is.
pub const ROOT: &str = "/data";

impl LocalPlace {
    pub fn on_disk() -> LocalPlace {
        let temporary = TempDir::new();
        let clock = SimClock::new(TimestampMs(1));
        let dir = try_open_dir(Arc::new(RealFs), &temporary.path().join("data"), &clock).unwrap();
        LocalPlace { clock: SimClock::new(TimestampMs(1)), dir, _temporary: Some(temporary) }
    }

    pub fn simulated(fs: &SimFs) -> LocalPlace {
        LocalPlace::try_simulated(fs).unwrap()
    }

    /// `None` where the disk fails.
    pub fn try_simulated(fs: &SimFs) -> Option<LocalPlace> {
        let clock = SimClock::new(TimestampMs(1));
        let dir = try_open_dir(Arc::new(fs.clone()), Path::new(ROOT), &clock)?;
        Some(LocalPlace { dir, clock, _temporary: None })
    }

    /// With so many bytes kept for a full disk.
    pub fn reserving(fs: &SimFs, bytes: u64) -> LocalPlace {
        let clock = SimClock::new(TimestampMs(1));
        let options =
            LogDirOptions { commit: Commit::Manual, reserve_bytes: bytes, ..LogDirOptions::default() };
        let (fs, rng) = (Arc::new(fs.clone()), Arc::new(SeededRng::new(1)));
        let dir = LogDir::open(fs, Arc::new(clock.clone()), rng, Path::new(ROOT), options).unwrap();
        dir.commit_round();
        LocalPlace { dir, clock, _temporary: None }
    }

    pub fn log(&self, settings: LogSettings) -> Result<(Arc<LocalLog>, Recovery), OpenLogError> {
        self.dir.open_partition(&TopicPartition::new("topic", 0), Uuid::from_random(1), settings)
    }
}

fn try_open_dir(fs: Arc<dyn Fs>, path: &Path, clock: &SimClock) -> Option<Arc<LogDir>> {
    let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
    LogDir::open(fs, Arc::new(clock.clone()), Arc::new(SeededRng::new(1)), path, options).ok()
}

impl Place for LocalPlace {
    fn open(&mut self, settings: LogSettings) -> Arc<dyn PartitionLog> {
        self.log(settings).unwrap().0
    }

    fn commit(&self) {
        self.dir.commit_round();
    }
}
