//! A file system in memory that a crash can take things from. It holds to the contract of `sys::Fs` and no more:
//! what was not synced may survive in any part, at the grain of a sector, and each directory loses its unsynced
//! names on its own. Real file systems are kinder; code that lives here lives on them. Everything it draws comes
//! from a seed. It must not know what is stored in it.
//!
//! A test of crash points runs its work once to count (`calls`), then once for each number: `stop_after(n)`,
//! work until it fails, `crash(seed)`, open again and check what was promised.

mod content;
mod fault;
mod names;
mod pages;
mod state;
mod survival;
#[cfg(test)]
mod tests;

pub use fault::{Call, Fault};
pub use survival::Survival;

use super::fs::{File, FileLock, Fs, OpenHow, Space};
use crate::types::TimestampMs;
use fault::Fate;
use names::{Inode, Node};
use pages::PAGE;
use parking_lot::Mutex;
use state::State;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A simulated file system; clones are handles of the same one. It starts as an empty root directory.
#[derive(Clone)]
pub struct SimFs(Arc<Mutex<State>>);

struct SimFile {
    fs: SimFs,
    inode: Inode,
    path: PathBuf,
    writes: bool,
}

struct HeldLock {
    fs: SimFs,
    path: PathBuf,
}

impl Default for SimFs {
    fn default() -> Self {
        SimFs::new(0)
    }
}

impl SimFs {
    /// An empty file system. The seed decides what failed calls leave behind.
    pub fn new(seed: u64) -> SimFs {
        SimFs::holding(State::new(seed))
    }

    fn holding(state: State) -> SimFs {
        SimFs(Arc::new(Mutex::new(state)))
    }

    /// The disk as it is found after a power cut now, on a machine that has just started. This one stays as it
    /// is, so that one moment can be crashed with many seeds. Equal seeds give equal disks.
    pub fn crash(&self, seed: u64) -> SimFs {
        let state = self.0.lock();
        let draw = super::SeededRng::new(!seed);
        let (names, bytes) = (Survival::draw(&draw), Survival::draw(&draw));
        SimFs::holding(state.after_power_cut(seed, names, bytes))
    }

    /// `crash` with a chosen fate for unsynced names and unsynced bytes.
    pub fn crash_keeping(&self, seed: u64, names: Survival, bytes: Survival) -> SimFs {
        SimFs::holding(self.0.lock().after_power_cut(seed, names, bytes))
    }

    /// The file system as another process finds it after this one was killed: every write is there, no lock is
    /// held, faults and counts are gone. A power cut may still take what was not synced.
    pub fn kill(&self) -> SimFs {
        SimFs::holding(self.0.lock().without_process())
    }

    /// Adds an error to come; the one added first strikes first.
    pub fn fail(&self, fault: Fault) {
        self.0.lock().schedule.add(fault);
    }

    /// Takes back the errors to come.
    pub fn heal(&self) {
        self.0.lock().schedule.clear();
    }

    /// Number of errors that have struck.
    pub fn struck(&self) -> u64 {
        self.0.lock().schedule.struck()
    }

    /// The power fails at the changing call (`Call::changes`) after the next `changes` ones: that call may or may
    /// not have its effect, and it and every later call return an error.
    pub fn stop_after(&self, changes: u64) {
        self.0.lock().schedule.stop_after(changes);
    }

    /// True once the call of `stop_after` has come.
    pub fn power_is_off(&self) -> bool {
        self.0.lock().schedule.power_is_off()
    }

    /// Number of changing calls so far: the crash points of what ran.
    pub fn calls(&self) -> u64 {
        self.0.lock().schedule.changes()
    }

    /// Number of calls of one kind so far.
    pub fn count(&self, call: Call) -> u64 {
        self.0.lock().schedule.count(call)
    }

    /// Sets the size of the disk in bytes. Files take room by pages of 4096 bytes; names take none.
    pub fn set_capacity(&self, bytes: u64) {
        self.0.lock().set_capacity(bytes);
    }

    /// Makes everything that was written and named survive a power cut, without counting as a call.
    pub fn settle(&self) {
        self.0.lock().settle();
    }

    /// Flips the bits of `xor` in the byte `at` of a file, on disk and in memory.
    pub fn corrupt(&self, path: &Path, at: u64, xor: u8) -> io::Result<()> {
        self.change_raw(path, |content| content.corrupt(at, xor))
    }

    /// Puts a file on disk whole, making directories as needed, without counting as a call. The names beside
    /// those of its path are on disk then too.
    pub fn plant(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock();
        let schedule = std::mem::take(&mut state.schedule);
        let planted = (|| {
            state.create_dir_all(path.parent().unwrap_or(Path::new("")))?;
            let file = match state.find(path) {
                Ok(Node::File(file)) => file,
                Ok(Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                Err(_) => state.create_file(path)?.0,
            };
            let mut pages = pages::Pages::default();
            pages.write(bytes, 0);
            state.change(file, |content| *content = content::Content::at_rest(pages))?;
            state.settle_names(path)
        })();
        state.schedule = schedule;
        planted
    }

    /// Says when a file was last changed, which nobody knows otherwise: there is no clock here.
    pub fn set_modified(&self, path: &Path, at: TimestampMs) -> io::Result<()> {
        let mut state = self.0.lock();
        match state.find(path)? {
            Node::File(file) => {
                state.set_modified(file, at);
                Ok(())
            }
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// The bytes of a file as readers see them, without counting as a call; works after the power went off.
    pub fn read_raw(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.change_raw(path, |content| {
            let mut bytes = vec![0; content.now().len() as usize];
            content.now().read(&mut bytes, 0);
            bytes
        })
    }

    fn change_raw<T>(&self, path: &Path, change: impl FnOnce(&mut content::Content) -> T) -> io::Result<T> {
        let mut state = self.0.lock();
        match state.find(path)? {
            Node::File(file) => state.change(file, change),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// Path and length of every file, sorted by path.
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        let state = self.0.lock();
        let len = |file| state.file(file).map_or(0, |content| content.now().len());
        state.paths().into_iter().map(|(path, file)| (path, len(file))).collect()
    }
}

impl Fs for SimFs {
    fn open(&self, path: &Path, how: OpenHow) -> io::Result<Arc<dyn File>> {
        let mut state = self.0.lock();
        let inode = match (state.find(path), how) {
            (Ok(_), OpenHow::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Ok(Node::Dir(_)), _) => return Err(io::ErrorKind::IsADirectory.into()),
            (Ok(Node::File(inode)), _) => {
                state.begin(Call::Open, path)??;
                inode
            }
            (Err(error), OpenHow::Create | OpenHow::CreateNew) if error.kind() == io::ErrorKind::NotFound => {
                let (inode, outcome) = state.create_file(path)?;
                outcome?;
                inode
            }
            (Err(error), _) => return Err(error),
        };
        state.opened(inode);
        let writes = how != OpenHow::Read;
        Ok(Arc::new(SimFile { fs: self.clone(), inode, path: path.to_owned(), writes }))
    }

    fn rename(&self, source: &Path, target: &Path) -> io::Result<()> {
        self.0.lock().rename(source, target)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().remove_file(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.lock().create_dir_all(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.lock().remove_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut state = self.0.lock();
        let inode = state.find_dir(dir)?;
        state.begin(Call::List, dir)??;
        Ok(state.dir(inode)?.now().keys().map(|name| dir.join(name)).collect())
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.lock().find(path).is_ok()
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.0.lock().find_dir(path).is_ok()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        let inode = state.find_dir(dir)?;
        match state.schedule.fate(Call::SyncDir, dir)? {
            Fate::Runs(outcome) => {
                outcome?;
                state.dir_mut(inode)?.sync();
                Ok(())
            }
            Fate::Fails { error, .. } => {
                let rng = Arc::clone(&state.rng);
                state.dir_mut(inode)?.sync_failed(&rng);
                Err(error)
            }
        }
    }

    fn lock(&self, path: &Path) -> io::Result<FileLock> {
        let mut state = self.0.lock();
        match state.find(path) {
            Ok(Node::File(_)) => state.begin(Call::Lock, path)??,
            Ok(Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
            Err(_) => state.create_file(path)?.1?,
        }
        state.lock(path)?;
        Ok(FileLock(Box::new(HeldLock { fs: self.clone(), path: path.to_owned() })))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let state = self.0.lock();
        state.find(path)?;
        Ok(Space { total: state.pages_max() * PAGE, usable: state.pages_free() * PAGE })
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.fs.0.lock().unlock(&self.path);
    }
}

impl SimFile {
    fn may_write(&self) -> io::Result<()> {
        if self.writes { Ok(()) } else { Err(rustix::io::Errno::BADF.into()) }
    }
}

impl File for SimFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = self.fs.0.lock();
        state.begin(Call::Read, &self.path)??;
        Ok(state.file(self.inode)?.now().read(buf, at))
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<()> {
        self.may_write()?;
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        let len = bytes.len() as u64;
        if at.checked_add(len).is_none_or(|end| end > i64::MAX as u64) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut state = self.fs.0.lock();
        let (written, outcome) = match state.schedule.fate(Call::Write, &self.path)? {
            Fate::Runs(outcome) => {
                let fits = state.file(self.inode)?.now().fitting(len, at, state.pages_free());
                let full = fits < len;
                (fits, if full { Err(rustix::io::Errno::NOSPC.into()) } else { outcome })
            }
            Fate::Fails { error, written } => {
                (written.unwrap_or_else(|| state.rng.below(len + 1)).min(len), Err(error))
            }
        };
        bytes.truncate(written as usize);
        if !bytes.is_empty() {
            state.change(self.inode, |content| content.write(bytes, at))?;
        }
        outcome
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.fs.0.lock();
        match state.schedule.fate(Call::Sync, &self.path)? {
            Fate::Runs(outcome) => {
                outcome?;
                state.change(self.inode, content::Content::sync)
            }
            Fate::Fails { error, .. } => {
                let rng = Arc::clone(&state.rng);
                state.change(self.inode, |content| content.sync_failed(&rng))?;
                Err(error)
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.may_write()?;
        if len > i64::MAX as u64 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut state = self.fs.0.lock();
        let outcome = state.begin(Call::SetLen, &self.path)?;
        state.change(self.inode, |content| content.set_len(len))?;
        outcome
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.fs.0.lock().file(self.inode)?.now().len())
    }

    fn modified(&self) -> io::Result<Option<TimestampMs>> {
        Ok(self.fs.0.lock().modified(self.inode))
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.fs.0.lock().closed(self.inode);
    }
}
