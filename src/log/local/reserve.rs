//! Room for the time when the disk is full (`logboom.reserve`): a file of noise that is given up so that marks can be
//! written and topics deleted, and made again once there is room. Until then nothing else grows, or what is given up
//! would go to the next append. Knows nothing of what the room is used for.

use super::dir::LogDir;
use crate::sys::{Fs, IoCause, OpenHow, Rng, SeededRng, io_cause, write_atomically};
use crate::types::MonoNs;
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Name of the file in the log directory.
pub(super) const FILE: &str = "logboom.reserve";

/// How often room is looked for on a full disk: producers are to go on within seconds.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Every so many looks the room is tried although the file system says that there is none: root may have some left.
const LOOKS_TO_TRY: u32 = 4;

/// While there is room, a reserve that could not be made is tried again after this time.
const MAKE_EVERY: Duration = Duration::from_secs(30);

/// A disk at its brim fills again and again; it is told of at most this often.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Bytes written at once when the reserve is made.
const PART: usize = 64 << 10;

/// What is known of the room.
#[derive(Default)]
pub(super) struct Reserve {
    /// A write found no room, and none was found since.
    full: AtomicBool,
    looks: Mutex<Looks>,
}

#[derive(Default)]
struct Looks {
    /// The file is there, whole.
    made: bool,
    last: Option<MonoNs>,
    count: u32,
    told: Option<MonoNs>,
}

/// Whether an error says that there is no room.
pub(super) fn is_no_room(error: &io::Error) -> bool {
    io_cause(error) == IoCause::Full
}

/// Stores a file of the directory `dir` that is not in use yet, out of the reserve if there is no other room; true if
/// there was none.
pub(super) fn store_at_start(fs: &dyn Fs, dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<bool> {
    match write_atomically(fs, path, bytes) {
        Err(error) if is_no_room(&error) => {
            fs.remove(&dir.join(FILE)).map_err(|_| error)?;
            write_atomically(fs, path, bytes).map(|()| true)
        }
        stored => stored.map(|()| false),
    }
}

impl LogDir {
    /// Whether the disk was found full, so that nothing may grow but what frees room.
    pub fn is_full(&self) -> bool {
        self.reserve.full.load(Ordering::Acquire)
    }

    /// Takes note of a failed write: if there was no room, deleted files go at once and room is looked for from now on.
    pub(super) fn note_failed_write(&self, error: &io::Error) {
        if self.options.reserve_bytes == 0 || !is_no_room(error) {
            return;
        }
        if !self.reserve.full.swap(true, Ordering::AcqRel) {
            let now = self.clock().mono();
            let mut looks = self.reserve.looks.lock();
            looks.last = Some(now);
            looks.count = 0;
            if looks.told.is_none_or(|told| now.since(told) >= TELL_EVERY) {
                looks.told = Some(now);
                tracing::error!(
                    dir = %self.path().display(),
                    "the disk is full: records are refused until there is room; reads and deletions go on"
                );
            }
        }
        self.trash.hurry();
        self.keeper.wake();
    }

    /// Does `work` again with the reserve given up if there was no room for it.
    pub(super) fn with_room<T>(&self, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let done = work();
        match done {
            Err(error) if is_no_room(&error) => {
                self.note_failed_write(&error);
                if self.give_up_reserve() { work() } else { Err(error) }
            }
            done => done,
        }
    }

    /// Removes the reserve; false if there was none.
    pub(super) fn give_up_reserve(&self) -> bool {
        let mut looks = self.reserve.looks.lock();
        looks.made = false;
        self.options.reserve_bytes > 0 && self.fs().remove(&self.reserve_path()).is_ok()
    }

    /// Makes the reserve if there is none, and on a full disk finds out whether there is room again. Room is proven by
    /// writing: what the file system says of itself is not what it gives.
    pub(super) fn look_after_reserve(&self) {
        let full = self.is_full();
        let now = self.clock().mono();
        let mut looks = self.reserve.looks.lock();
        let every = if full { LOOK_EVERY } else { MAKE_EVERY };
        let early = looks.last.is_some_and(|last| now.since(last) < every);
        if self.options.reserve_bytes == 0 || (looks.made && !full) || early {
            return;
        }
        looks.last = Some(now);
        looks.count = looks.count.wrapping_add(1);
        let roomy = self.space().is_ok_and(|space| space.usable >= self.options.reserve_bytes);
        if !roomy && !looks.count.is_multiple_of(LOOKS_TO_TRY) {
            return;
        }
        match self.make_reserve() {
            Ok(()) => {
                looks.made = true;
                if full {
                    self.reserve.full.store(false, Ordering::Release);
                    tracing::warn!(dir = %self.path().display(), "there is room on the disk again");
                }
            }
            Err(error) if is_no_room(&error) => {}
            Err(error) => tracing::warn!(%error, "cannot make the reserve for a full disk"),
        }
    }

    /// Writes the file whole and synced, in place of one that may be there.
    fn make_reserve(&self) -> io::Result<()> {
        let path = self.reserve_path();
        let whole = self.fs().open(&path, OpenHow::Read).and_then(|file| file.size());
        if !self.is_full() && whole.is_ok_and(|size| size == self.options.reserve_bytes) {
            return Ok(());
        }
        let temporary = path.with_extension("reserve.tmp");
        let written = self.write_noise(&temporary);
        if written.is_err() {
            // Nobody may take what was not had whole for the reserve, and its room is needed.
            let _ = self.fs().remove(&temporary);
        }
        written.and_then(|()| self.fs().rename(&temporary, &path))
    }

    /// Noise, because zeros take no room where the file system compresses.
    fn write_noise(&self, path: &Path) -> io::Result<()> {
        let file = self.fs().open(path, OpenHow::Create)?;
        let chance = SeededRng::new(1);
        let mut at = 0;
        while at < self.options.reserve_bytes {
            let left = usize::try_from(self.options.reserve_bytes - at).unwrap_or(PART).min(PART);
            let mut part: Vec<u8> =
                std::iter::repeat_with(|| chance.next_u64().to_be_bytes()).take(PART / 8).flatten().collect();
            part.truncate(left);
            file.write_all_at(&[IoSlice::new(&part)], at)?;
            at += left as u64;
        }
        file.sync_data()
    }

    fn reserve_path(&self) -> PathBuf {
        self.path().join(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::LocalPlace;
    use super::*;
    use crate::log::PartitionLog;
    use crate::log::contract::{batch, small};
    use crate::sys::{Call, Fault, SimFs};
    use crate::types::{Epoch, Offset};

    const BYTES: u64 = 65_536;

    fn reserve(fs: &SimFs) -> Option<u64> {
        fs.files().iter().find(|(path, _)| path.ends_with(FILE)).map(|(_, size)| *size)
    }

    #[test]
    fn a_cut_of_the_front_finds_room_on_a_full_disk_and_appends_do_not_take_it() {
        let fs = SimFs::default();
        let place = LocalPlace::reserving(&fs, BYTES);
        let log = place.log(small()).unwrap().0;
        for _ in 0..20 {
            log.append(batch(&[1, 2, 3]), Epoch(0)).unwrap();
        }
        place.dir.commit_round();
        assert_eq!(reserve(&fs), Some(BYTES));
        fs.fail(Fault::enospc(Call::Write).named(".log"));
        log.append(batch(&[1]), Epoch(0)).unwrap_err();
        assert!(place.dir.is_full());
        log.append(batch(&[1]), Epoch(0)).unwrap_err();
        fs.fail(Fault::enospc(Call::Write).named("logboom.marks"));
        log.cut_front(Offset(30)).unwrap();
        assert_eq!(reserve(&fs), None);
        log.append(batch(&[1]), Epoch(0)).unwrap_err();
        place.clock.advance(LOOK_EVERY);
        place.dir.commit_round();
        assert_eq!((reserve(&fs), place.dir.is_full()), (Some(BYTES), false));
        log.append(batch(&[1]), Epoch(0)).unwrap();
    }

    #[test]
    fn a_full_disk_without_room_for_index_entries_still_moves_a_start() {
        let fs = SimFs::default();
        let place = LocalPlace::reserving(&fs, BYTES);
        let log = place.log(small()).unwrap().0;
        for _ in 0..20 {
            log.append(batch(&[1, 2, 3]), Epoch(0)).unwrap();
        }
        place.dir.commit_round();
        place.clock.advance(Duration::from_secs(10));
        place.dir.commit_round();
        for _ in 0..3 {
            log.append(batch(&[1, 2, 3]), Epoch(0)).unwrap();
        }
        place.dir.commit_round();
        fs.fail(Fault::enospc(Call::Write).named("index").lasting());
        assert_eq!(log.cut_front(Offset(30)).unwrap(), Offset(30));
        assert_eq!(log.marks().start, Offset(30));
    }

    #[test]
    fn deleted_files_go_at_once_when_the_disk_is_full() {
        let fs = SimFs::default();
        let place = LocalPlace::reserving(&fs, BYTES);
        fs.plant(Path::new("/data/old.deleted"), b"x").unwrap();
        place.dir.remove_later("/data/old.deleted".into(), Duration::from_secs(60));
        place.dir.note_failed_write(&io::ErrorKind::StorageFull.into());
        place.dir.commit_round();
        assert!(!fs.exists(Path::new("/data/old.deleted")));
    }
}
