//! The journal of a log directory: one file into which a commit round puts the small appends of many logs, so that one
//! sync makes all of them durable (decision 2). The logs' own files have the same bytes already and are synced later,
//! when a journal file is full; until then the journal is where recovery finds what a crash took out of them.
//!
//! Two files take turns: while one is written the logs in the other are synced. Must not know why a round is written.

mod format;
mod left;
mod round;
#[cfg(test)]
mod tests;

pub(super) use left::{Batches, Left};

use super::log::LocalLog;
use super::marks::MarkKey;
use crate::sys::{File, Fs, OpenHow, Rng};
use format::{BLOCK, Head};
use left::PREFIX;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

/// Files of this process: one is written while the logs of the other are synced.
const FILES_MAX: usize = 2;

/// The journal of one log directory.
pub(super) struct Journal {
    /// What earlier processes left.
    pub left: Left,
    dir: PathBuf,
    /// Held while a round is written and synced. Nothing that takes a lock of a log is called under it.
    files: Mutex<Files>,
}

struct Files {
    files: Vec<JournalFile>,
    /// The one that is written.
    current: Option<u32>,
    next_number: u32,
    next_generation: u64,
    /// It has no place until a file is settled.
    wants_room: bool,
}

struct JournalFile {
    number: u32,
    file: Arc<dyn File>,
    head: Head,
    /// Where the next round goes.
    end: u64,
    rounds: u32,
    /// Logs whose own files may lack what is in here.
    owing: BTreeMap<MarkKey, Weak<LocalLog>>,
    /// A sync of it failed: nothing goes into it any more.
    broken: bool,
    /// A log in it was closed while its own file lacked something: it stays for the next start.
    pinned: bool,
}

/// Why a round is not in the journal.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    /// Both files are full, and logs in them are not synced yet. Nothing was written.
    #[error("no journal file is free")]
    Full,
    /// Nothing of it counts.
    #[error("cannot write the journal: {0}")]
    NotWritten(io::Error),
    /// It may be there or not; what is in its logs' files cannot be called durable by another sync of the journal.
    #[error("cannot sync the journal: {0}")]
    NotSynced(io::Error),
}

/// A log that a full journal file waits for.
pub(super) struct Owing {
    number: u32,
    key: MarkKey,
    /// `None` once the log was closed in good order.
    pub log: Option<Arc<LocalLog>>,
}

impl Journal {
    /// Reads what earlier processes left among the `names` of the directory.
    pub fn open(fs: &dyn Fs, dir: &Path, names: &[PathBuf]) -> io::Result<Journal> {
        let found = left::find(fs, dir, names)?;
        let files = Files {
            files: Vec::new(),
            current: None,
            next_number: found.next_number,
            next_generation: found.next_generation,
            wants_room: false,
        };
        Ok(Journal { left: found.left, dir: dir.to_owned(), files: Mutex::new(files) })
    }

    /// Makes a round durable: entries behind `ROUND_HEAD` bytes of room, and the logs that they are of. Files grow to
    /// about `file_bytes`.
    fn put(
        &self,
        fs: &dyn Fs,
        rng: &dyn Rng,
        file_bytes: u64,
        round: &mut Vec<u8>,
        logs: impl Iterator<Item = (MarkKey, Weak<LocalLog>)>,
    ) -> Result<(), RoundError> {
        let mut files = self.files.lock();
        let length = (round.len() - format::ROUND_HEAD.min(round.len())) as u64;
        let number = files.place(fs, rng, &self.dir, file_bytes, format::round_size(length))?;
        let Some(file) = files.files.iter_mut().find(|file| file.number == number) else {
            return Err(RoundError::Full);
        };
        format::close_round(round, file.head.nonce, file.rounds);
        file.file.write_all_at(&[IoSlice::new(round)], file.end).map_err(RoundError::NotWritten)?;
        if let Err(error) = file.file.sync_data() {
            file.broken = true;
            files.current = None;
            return Err(RoundError::NotSynced(error));
        }
        file.end += round.len() as u64;
        file.rounds += 1;
        file.owing.extend(logs);
        Ok(())
    }

    /// Logs that are to be synced so that full files can be used again.
    pub fn owing(&self) -> Vec<Owing> {
        let files = self.files.lock();
        let full = files.files.iter().filter(|file| files.current != Some(file.number));
        full.flat_map(|file| {
            let number = file.number;
            file.owing.iter().map(move |(key, log)| Owing { number, key: *key, log: log.upgrade() })
        })
        .collect()
    }

    /// The log's own files have all that the journal file has of it.
    pub fn settled(&self, fs: &dyn Fs, owing: &Owing) {
        let mut files = self.files.lock();
        let Some(file) = files.files.iter_mut().find(|file| file.number == owing.number) else { return };
        file.owing.remove(&owing.key);
        if file.broken && !file.pinned && file.owing.is_empty() {
            self.remove_file(fs, owing.number);
            files.files.retain(|file| file.number != owing.number);
        }
    }

    /// Whether a round found no place: logs are to be synced at once.
    pub fn wants_room(&self) -> bool {
        std::mem::take(&mut self.files.lock().wants_room)
    }

    /// Number of logs whose own files may lack something: each holds its file open.
    fn logs(&self) -> usize {
        self.files.lock().files.iter().map(|file| file.owing.len()).max().unwrap_or(0)
    }

    /// A log was closed while its own files lack something: what is here of it stays for the next start.
    pub fn keep_for(&self, key: MarkKey) {
        let mut files = self.files.lock();
        let current = files.current;
        for file in files.files.iter_mut().filter(|file| file.owing.contains_key(&key)) {
            file.pinned = true;
        }
        let is_pinned = files.files.iter().any(|file| file.pinned && current == Some(file.number));
        if is_pinned {
            files.current = None;
        }
    }

    /// What the files in use hold of a log.
    pub fn batches(&self, key: MarkKey) -> io::Result<Batches> {
        let files = self.files.lock();
        let mut ordered: Vec<&JournalFile> = files.files.iter().collect();
        ordered.sort_by_key(|file| file.head.generation);
        let mut batches = Batches::default();
        for file in ordered.into_iter().filter(|file| file.owing.contains_key(&key)) {
            batches.add(file.number, &file.file, file.head.nonce, file.end, key)?;
        }
        Ok(batches)
    }

    /// Every log was closed: removes the files that none of them needs.
    pub fn remove(&self, fs: &dyn Fs) {
        let mut files = self.files.lock();
        files.current = None;
        files.files.retain(|file| {
            if !file.pinned {
                self.remove_file(fs, file.number);
            }
            file.pinned
        });
    }

    fn remove_file(&self, fs: &dyn Fs, number: u32) {
        if let Err(error) = fs.remove(&self.dir.join(format!("{PREFIX}{number}"))) {
            // The next start finds that nothing of it is missing.
            tracing::warn!(number, %error, "cannot remove a journal file");
        }
    }
}

impl Files {
    /// The number of the file that takes a round of `size` bytes next.
    fn place(
        &mut self,
        fs: &dyn Fs,
        rng: &dyn Rng,
        dir: &Path,
        file_bytes: u64,
        size: u64,
    ) -> Result<u32, RoundError> {
        let fits = |file: &JournalFile| file.rounds == 0 || file.end.saturating_add(size) <= file_bytes;
        let current = self.files.iter().find(|file| Some(file.number) == self.current);
        if let Some(current) = current.filter(|file| fits(file)) {
            return Ok(current.number);
        }
        if self.current.take().is_some() {
            self.wants_room = true;
        }
        let head = Head { generation: self.next_generation, nonce: rng.next_u64() };
        let has_room = self.files.len() < FILES_MAX;
        let free = self.files.iter_mut().find(|file| file.owing.is_empty() && !file.broken && !file.pinned);
        let number = match free {
            Some(file) => {
                (file.head, file.end, file.rounds) = (head, BLOCK, 0);
                // Synced with the first round: as long as it is not, the file is one that nobody needs.
                file.file.write_all_at(&[IoSlice::new(&head.encode())], 0).map_err(RoundError::NotWritten)?;
                file.number
            }
            None if has_room => self.make(fs, dir, head)?,
            None => return Err(RoundError::Full),
        };
        self.next_generation += 1;
        self.current = Some(number);
        Ok(number)
    }

    /// Makes another file, its name durable.
    fn make(&mut self, fs: &dyn Fs, dir: &Path, head: Head) -> Result<u32, RoundError> {
        let number = self.next_number;
        let path = dir.join(format!("{PREFIX}{number}"));
        let made = (|| {
            let file = fs.open(&path, OpenHow::CreateNew)?;
            file.write_all_at(&[IoSlice::new(&head.encode())], 0)?;
            file.sync_data()?;
            fs.sync_dir(dir)?;
            Ok(file)
        })();
        self.next_number += 1;
        match made {
            Ok(file) => {
                self.files.push(JournalFile::new(number, file, head));
                Ok(number)
            }
            Err(error) => {
                // Whatever is left of it holds no round.
                let _ = fs.remove(&path);
                Err(RoundError::NotWritten(error))
            }
        }
    }
}

impl JournalFile {
    fn new(number: u32, file: Arc<dyn File>, head: Head) -> JournalFile {
        let owing = BTreeMap::new();
        JournalFile { number, file, head, end: BLOCK, rounds: 0, owing, broken: false, pinned: false }
    }
}
