//! What rounds of the journal hold of a log, for a log that lost it: after a crash of the machine, or after a sync of
//! its file failed. Batches are looked for by offset, so it does not matter where in the segment they were.
//!
//! Nothing here is put into a log unless its offset is the one at which the log ends and its epoch is not below the
//! log's: so what a file holds of refused or cut records, which it may, is not taken for what came in their place.

use super::format::{self, BLOCK, EntryHead, Head, ROUND_HEAD};
use crate::log::local::marks::MarkKey;
use crate::record::{check_crc, split_batches};
use crate::sys::{File, Fs, OpenHow};
use crate::types::{Epoch, Offset};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the names of the files begin with; a number follows.
pub const PREFIX: &str = "logboom.journal.";

/// Entries that may hold an offset and are looked at: the nearest is right, but for records that were refused.
const CANDIDATES_MAX: usize = 8;

/// Where an entry is.
#[derive(Clone, Copy, Debug)]
struct Place {
    next: Offset,
    file: u32,
    at: u64,
    len: u32,
}

/// Entries of one log by their first offset, the newest last.
type Places = BTreeMap<Offset, Vec<Place>>;

/// The files of earlier processes, until every log in them was opened again.
#[derive(Default)]
pub(in crate::log::local) struct Left {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    files: BTreeMap<u32, LeftFile>,
    logs: BTreeMap<MarkKey, Places>,
    /// Logs that are gone were looked for.
    swept: bool,
}

struct LeftFile {
    file: Arc<dyn File>,
    path: PathBuf,
    owing: BTreeSet<MarkKey>,
}

/// What the directory holds of earlier processes.
pub(super) struct Found {
    pub left: Left,
    /// Above those of all files.
    pub next_number: u32,
    /// The same.
    pub next_generation: u64,
}

/// Reads the files in the directory, all rounds of them, and keeps where their entries are.
pub(super) fn find(fs: &dyn Fs, dir: &Path, names: &[PathBuf]) -> io::Result<Found> {
    let mut found = Found { left: Left::default(), next_number: 0, next_generation: 1 };
    let mut heads = Vec::new();
    for number in names.iter().filter_map(|name| number_of(name)) {
        found.next_number = found.next_number.max(number.saturating_add(1));
        let path = dir.join(format!("{PREFIX}{number}"));
        let file = fs.open(&path, OpenHow::Read)?;
        let mut bytes = [0; BLOCK as usize];
        let got = file.read_at(&mut bytes, 0)?;
        match Head::decode(bytes.get(..got).unwrap_or_default()) {
            Some(head) => heads.push((head, number, file, path)),
            // Its first sync did not come, so nothing in it was promised.
            None if bytes.iter().all(|byte| *byte == 0) => fs.remove(&path)?,
            None => tracing::error!(file = %path.display(), "a journal file is damaged and is left as it is"),
        }
    }
    heads.sort_by_key(|(head, ..)| head.generation);
    let inner = found.left.inner.get_mut();
    for (head, number, file, path) in heads {
        found.next_generation = found.next_generation.max(head.generation.saturating_add(1));
        let size = file.size()?;
        let mut owing = BTreeSet::new();
        walk(&*file, head.nonce, size, &mut |entry, at| {
            owing.insert(entry.key);
            let places = inner.logs.entry(entry.key).or_default();
            let place = Place { next: entry.next, file: number, at, len: entry.len };
            places.entry(entry.first).or_default().push(place);
        })?;
        inner.files.insert(number, LeftFile { file, path, owing });
    }
    Ok(found)
}

fn number_of(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)?.parse().ok()
}

/// The length of the entries of a round, and where in the round the batches of each begin.
type Round = (u64, Vec<(EntryHead, usize)>);

/// Shows every entry of the whole rounds below byte `upto`, and where in the file its batches are.
pub(super) fn walk(
    file: &dyn File,
    nonce: u64,
    upto: u64,
    visit: &mut dyn FnMut(EntryHead, u64),
) -> io::Result<()> {
    let (mut at, mut number, mut skipped) = (BLOCK, 0, false);
    while at < upto {
        let Some((length, round)) = read_round(file, nonce, number, at, upto)? else {
            // The end, most likely. A round behind it means damage, which must hide no more than it hit.
            skipped = true;
            at += BLOCK;
            if let Some(later) = number_at(file, nonce, number, at)? {
                number = later;
            }
            continue;
        };
        if skipped {
            tracing::error!(byte = at, "a journal file is damaged before this round");
            skipped = false;
        }
        round.into_iter().for_each(|(head, from)| visit(head, at + from as u64));
        at += format::round_size(length);
        number += 1;
    }
    Ok(())
}

/// The number of the round of this nonce that seems to begin here, if it is a later one than expected.
fn number_at(file: &dyn File, nonce: u64, expected: u32, at: u64) -> io::Result<Option<u32>> {
    let mut head = [0; ROUND_HEAD];
    let got = file.read_at(&mut head, at)?;
    let number = format::round_number(head.get(..got).unwrap_or_default(), nonce);
    Ok(number.filter(|number| *number > expected))
}

/// The length and the entries of the round at a byte of the file, if a whole one of this number begins there.
fn read_round(file: &dyn File, nonce: u64, number: u32, at: u64, upto: u64) -> io::Result<Option<Round>> {
    let mut head = [0; ROUND_HEAD];
    let got = file.read_at(&mut head, at)?;
    let Some(length) = format::round_length(head.get(..got).unwrap_or_default(), nonce, number) else {
        return Ok(None);
    };
    let whole = ROUND_HEAD as u64 + u64::from(length);
    if whole > upto - at {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(whole).unwrap_or(0)];
    let got = file.read_at(&mut bytes, at)?;
    let entries = format::entries(bytes.get(..got).unwrap_or_default());
    Ok(entries.map(|entries| (u64::from(length), entries)))
}

impl Left {
    /// What there is of a log. It stays until the log is `recovered`.
    pub(in crate::log::local) fn of(&self, key: MarkKey) -> Batches {
        let inner = self.inner.lock();
        let places = inner.logs.get(&key).cloned().unwrap_or_default();
        let wanted = |number: &u32| places.values().flatten().any(|place| place.file == *number);
        let files = inner.files.iter().filter(|(number, _)| wanted(number));
        Batches {
            files: files.map(|(number, left)| (*number, left.file.clone())).collect(),
            places,
            ..Batches::default()
        }
    }

    /// The log has all of it, synced. Files that no other log needs go.
    pub(in crate::log::local) fn recovered(&self, fs: &dyn Fs, key: MarkKey) {
        let mut inner = self.inner.lock();
        if inner.logs.remove(&key).is_some() {
            for left in inner.files.values_mut() {
                left.owing.remove(&key);
            }
            inner.remove_settled(fs);
        }
    }

    /// Gives up what belongs to no partition of the directory. Once in a process: `on_disk` is asked for only if
    /// logs are left that nobody has opened.
    pub(in crate::log::local) fn sweep(
        &self,
        fs: &dyn Fs,
        on_disk: impl FnOnce() -> io::Result<BTreeSet<MarkKey>>,
    ) -> io::Result<()> {
        {
            let inner = self.inner.lock();
            if inner.swept || inner.files.is_empty() {
                return Ok(());
            }
        }
        let on_disk = on_disk()?;
        let mut inner = self.inner.lock();
        inner.swept = true;
        inner.logs.retain(|key, _| on_disk.contains(key));
        inner.files.values_mut().for_each(|left| left.owing.retain(|key| on_disk.contains(key)));
        inner.remove_settled(fs);
        Ok(())
    }
}

impl Inner {
    fn remove_settled(&mut self, fs: &dyn Fs) {
        self.files.retain(|_, left| {
            if !left.owing.is_empty() {
                return true;
            }
            if let Err(error) = fs.remove(&left.path) {
                // The next start reads it again, and finds that nothing of it is missing.
                tracing::warn!(file = %left.path.display(), %error, "cannot remove a journal file");
            }
            false
        });
    }
}

/// Batches of one log out of the journal.
#[derive(Default)]
pub(in crate::log::local) struct Batches {
    files: BTreeMap<u32, Arc<dyn File>>,
    places: Places,
    /// The entry read last, by its file and place.
    held: Option<(u32, u64, Bytes)>,
    /// The offset asked for last.
    asked: Option<Offset>,
}

impl Batches {
    /// Takes in what a file in use holds of a log.
    pub(super) fn add(
        &mut self,
        number: u32,
        file: &Arc<dyn File>,
        nonce: u64,
        upto: u64,
        key: MarkKey,
    ) -> io::Result<()> {
        self.files.insert(number, file.clone());
        walk(&**file, nonce, upto, &mut |entry, at| {
            if entry.key == key {
                let place = Place { next: entry.next, file: number, at, len: entry.len };
                self.places.entry(entry.first).or_default().push(place);
            }
        })
    }

    /// The sound batch that begins at offset `at` and is of no epoch below `least`. Once: who asks again refused it.
    pub(in crate::log::local) fn batch_at(&mut self, at: Offset, least: Epoch) -> Option<Bytes> {
        if self.asked.replace(at) == Some(at) {
            return None;
        }
        let near = self.places.range(..=at).rev().flat_map(|(_, places)| places.iter().rev());
        let candidates: Vec<Place> =
            near.filter(|place| place.next > at).take(CANDIDATES_MAX).copied().collect();
        candidates.into_iter().find_map(|place| {
            let bytes = self.load(place)?;
            let (_, batch) = split_batches(&bytes)
                .map_while(Result::ok)
                .find(|(header, _)| header.base_offset == at && header.leader_epoch >= least)?;
            check_crc(&batch).is_ok().then_some(batch)
        })
    }

    fn load(&mut self, place: Place) -> Option<Bytes> {
        if let Some((file, at, bytes)) = &self.held
            && (*file, *at) == (place.file, place.at)
        {
            return Some(bytes.clone());
        }
        // No longer than the file, whose rounds were read whole.
        let mut bytes = vec![0; usize::try_from(place.len).ok()?];
        match self.files.get(&place.file)?.read_at(&mut bytes, place.at) {
            Ok(got) => bytes.truncate(got),
            Err(error) => {
                tracing::error!(%error, "a journal file cannot be read");
                return None;
            }
        }
        let bytes = Bytes::from(bytes);
        self.held = Some((place.file, place.at, bytes.clone()));
        Some(bytes)
    }
}
