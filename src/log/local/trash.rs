//! Files and directories that have their last name and wait for removal: how long, and in steps so small that nobody
//! has to wait for them. Knows nothing of logs. What waits is in memory only: the next start finds it by its name.

use super::dir::LogDir;
use crate::sys::Clock;
use crate::types::MonoNs;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files that wait at most, at some 200 bytes each; beyond it a file goes at once. Retention of 1,000 partitions
/// takes a few segments a minute.
const WAITING_MAX: usize = 10_000;

/// The pause after a removal is as long as the removal was, so that a large topic takes at most half of what the disk
/// can do, and not longer than this.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// While something waits the clock is looked at this often: its time may not pass as that of the machine does.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What waits, by the time at which it goes.
#[derive(Default)]
pub(super) struct Trash {
    inner: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    due: BTreeMap<(MonoNs, u64), PathBuf>,
    pushed: u64,
    stopped: bool,
}

impl Trash {
    fn push(&self, path: PathBuf, due: MonoNs) {
        let mut waiting = self.inner.lock();
        waiting.pushed += 1;
        let key = (due, waiting.pushed);
        waiting.due.insert(key, path);
        self.wake.notify_one();
    }

    fn is_full(&self) -> bool {
        self.inner.lock().due.len() >= WAITING_MAX
    }

    /// Everything goes now: the room is needed.
    pub(super) fn hurry(&self) {
        let mut waiting = self.inner.lock();
        let all = std::mem::take(&mut waiting.due);
        waiting.due = all.into_iter().map(|((_, nth), path)| ((MonoNs(0), nth), path)).collect();
        self.wake.notify_one();
    }

    fn take(&self, now: MonoNs) -> Option<PathBuf> {
        let mut waiting = self.inner.lock();
        let first = waiting.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    /// Waits until something is due; false once stopped.
    pub(super) fn wait(&self, clock: &dyn Clock) -> bool {
        let mut waiting = self.inner.lock();
        loop {
            if waiting.stopped {
                return false;
            }
            match waiting.due.first_key_value().map(|((due, _), _)| due.since(clock.mono())) {
                Some(Duration::ZERO) => return true,
                Some(left) => {
                    self.wake.wait_for(&mut waiting, left.min(LOOK_EVERY));
                }
                None => self.wake.wait(&mut waiting),
            }
        }
    }

    /// Waits for this long, or until it is stopped: then true.
    pub(super) fn pause(&self, span: Duration) -> bool {
        let mut waiting = self.inner.lock();
        if !waiting.stopped {
            self.wake.wait_for(&mut waiting, span);
        }
        waiting.stopped
    }

    pub(super) fn stop(&self) {
        self.inner.lock().stopped = true;
        self.wake.notify_all();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.inner.lock().due.len()
    }
}

impl LogDir {
    /// Leaves a file or directory that has its last name to the background, which removes it after `delay`.
    pub(super) fn remove_later(&self, path: PathBuf, delay: Duration) {
        if self.trash.is_full() && !self.fs().is_dir(&path) {
            self.remove_file(&path);
            return;
        }
        self.trash.push(path, self.clock().mono().after(delay));
    }

    /// Removes what is due, file by file; `pause` is told how long each took and says whether to stop.
    pub(super) fn empty_trash(&self, pause: &mut dyn FnMut(Duration) -> bool) {
        while let Some(path) = self.trash.take(self.clock().mono()) {
            if self.remove_in_steps(&path, pause) {
                return;
            }
        }
    }

    /// One file after the other, and the directory last; true if it was stopped.
    fn remove_in_steps(&self, path: &Path, pause: &mut dyn FnMut(Duration) -> bool) -> bool {
        if !self.fs().is_dir(path) {
            return self.timed(pause, || self.remove_file(path));
        }
        for file in self.fs().list(path).unwrap_or_default() {
            if !self.fs().is_dir(&file) && self.timed(pause, || self.remove_file(&file)) {
                return true;
            }
        }
        self.timed(pause, || report(path, self.fs().remove_dir_all(path)))
    }

    fn timed(&self, pause: &mut dyn FnMut(Duration) -> bool, work: impl FnOnce()) -> bool {
        let begun = self.clock().mono();
        work();
        pause(self.clock().mono().since(begun).min(PAUSE_MAX))
    }

    fn remove_file(&self, path: &Path) {
        report(path, self.fs().remove(path));
    }
}

fn report(path: &Path, removed: io::Result<()>) {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(file = %path.display(), %error, "cannot remove; the next start will");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::LocalPlace;
    use super::*;
    use crate::sys::{Fs, SimFs};

    #[test]
    fn what_waits_goes_when_its_time_has_come_and_not_before() {
        let fs = SimFs::default();
        let place = LocalPlace::simulated(&fs);
        for name in ["soon", "late"] {
            fs.plant(Path::new("/data").join(name).as_path(), b"x").unwrap();
        }
        place.dir.remove_later("/data/late".into(), Duration::from_secs(60));
        place.dir.remove_later("/data/soon".into(), Duration::from_secs(1));
        place.dir.commit_round();
        assert!(fs.exists(Path::new("/data/soon")));
        place.clock.advance(Duration::from_secs(1));
        place.dir.commit_round();
        assert!(!fs.exists(Path::new("/data/soon")) && fs.exists(Path::new("/data/late")));
        place.dir.trash.hurry();
        place.dir.commit_round();
        assert!(!fs.exists(Path::new("/data/late")));
    }

    #[test]
    fn a_directory_goes_file_by_file_and_stops_when_told() {
        let fs = SimFs::default();
        let place = LocalPlace::simulated(&fs);
        for at in 0..5 {
            fs.plant(Path::new(&format!("/data/gone/{at}.log")), b"x").unwrap();
        }
        place.dir.remove_later("/data/gone".into(), Duration::ZERO);
        let mut steps = 0;
        place.dir.empty_trash(&mut |_| {
            steps += 1;
            steps == 3
        });
        assert_eq!(fs.list(Path::new("/data/gone")).unwrap().len(), 2);
        place.dir.remove_later("/data/gone".into(), Duration::ZERO);
        place.dir.commit_round();
        assert!(!fs.exists(Path::new("/data/gone")));
    }

    #[test]
    fn files_beyond_the_bound_go_at_once() {
        let fs = SimFs::default();
        let place = LocalPlace::simulated(&fs);
        for at in 0..WAITING_MAX {
            place.dir.remove_later(format!("/data/{at}").into(), Duration::from_secs(60));
        }
        fs.plant(Path::new("/data/one-more"), b"x").unwrap();
        place.dir.remove_later("/data/one-more".into(), Duration::from_secs(60));
        assert!(!fs.exists(Path::new("/data/one-more")));
        assert_eq!(place.dir.trash.len(), WAITING_MAX);
    }
}
