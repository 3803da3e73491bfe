//! The active segment as it was at a durable point, out of its files: at start, and when a failed log is reopened.
//! Also building a sealed segment's indexes anew.

use super::dir::LogDir;
use super::files::{FileKey, Held, Kind, segment_path};
use super::index_file::{Entry, Growing, entry_at};
use super::log::{LocalLog, State};
use super::marks::Point;
use super::offset_index::OffsetEntry;
use super::read::Run;
use super::recover::start_new;
use super::scan::{FAR, NEAR, Scan, is_unreadable};
use super::seal::{Seal, seal_path};
use super::segment::{Active, Reached};
use super::time_index::TimeEntry;
use super::walk::{Step, Walk};
use crate::log::{LogSettings, LogState};
use crate::record::BatchHeader;
use crate::sys::{File, OpenHow, replace, stage};
use crate::types::{Epoch, Offset};
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const INDEXES: [Kind; 2] = [Kind::Index, Kind::TimeIndex];

/// Where the files of a log are.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub dir: &'a LogDir,
    pub path: &'a Path,
    pub number: u64,
}

/// An active segment, and whether its indexes had to be built anew.
pub(super) struct Restored {
    pub active: Active,
    pub rebuilt: bool,
}

/// The segment of `point` as it was then. Its files may be longer; the indexes are cut here, the log is not.
pub(super) fn restore(site: &Site<'_>, point: &Point, settings: &LogSettings) -> io::Result<Restored> {
    let (now, jitter) = (site.dir.clock().wall(), site.dir.jitter(settings));
    let empty = || Active::new(point.base, now, jitter);
    let log = site.open(point.base, Kind::Log)?;
    let (mut active, rebuilt) = match resume(site, point, &log, empty())? {
        Some(active) => (active, false),
        None => {
            site.reset_indexes(point.base)?;
            let mut active = empty();
            index_batches(&mut active, log, point.position, settings);
            (active, true)
        }
    };
    (active.size, active.trusted) = (point.position, point.position);
    (active.max_time, active.max_time_offset) = (point.max_time, point.max_time_offset);
    Ok(Restored { active, rebuilt })
}

/// Takes over the index files as far as the point reaches; `None` if they are not what they were.
fn resume(
    site: &Site<'_>,
    point: &Point,
    log: &Arc<dyn File>,
    mut active: Active,
) -> io::Result<Option<Active>> {
    let index = site.cut_index::<OffsetEntry>(point.base, Kind::Index, point.index_entries);
    let times = site.cut_index::<TimeEntry>(point.base, Kind::TimeIndex, point.time_entries);
    let (Some(index), Some(times)) = (readable(index)?, readable(times)?) else { return Ok(None) };
    active.since_entry = point.position;
    if let Some(last) = index.last() {
        let at = u64::from(last.position);
        let named = Scan::new(log.clone(), at, point.position, NEAR).next_header();
        if !matches!(named, Ok(Some((_, header))) if header.last_offset() == last.last_offset(point.base)) {
            return Ok(None);
        }
        active.since_entry = point.position.saturating_sub(at);
    }
    (active.index, active.times) = (index, times);
    // Its age counts from its first batch, which is read when it matters.
    active.first_time = None;
    Ok(Some(active))
}

/// A file that the disk does not give is as good as none.
fn readable<T>(read: io::Result<Option<T>>) -> io::Result<Option<T>> {
    match read {
        Err(error) if is_unreadable(&error) => Ok(None),
        read => read,
    }
}

/// Fills the indexes of an empty segment from the headers of its first `size` bytes. Damage ends it: readers report it.
fn index_batches(active: &mut Active, log: Arc<dyn File>, size: u64, settings: &LogSettings) {
    let mut scan = Scan::new(log, 0, size, FAR);
    while let Ok(Some((_, header))) = scan.next_header() {
        active.note(&header, settings.index_interval_bytes);
    }
}

/// Both indexes of a segment that were built anew, as bytes.
fn tails(segment: &Active) -> [(Kind, Vec<u8>); 2] {
    [(Kind::Index, segment.index.tail_bytes().1), (Kind::TimeIndex, segment.times.tail_bytes().1)]
}

impl Site<'_> {
    /// A file of a segment, by the pool.
    pub(super) fn open(&self, base: Offset, kind: Kind) -> io::Result<Arc<dyn File>> {
        self.dir.pool().file(self.path, FileKey { log: self.number, base, generation: 0, kind })
    }

    /// The first `entries` of an index file, all others cut off; `None` if it does not have so many.
    fn cut_index<E: Entry>(&self, base: Offset, kind: Kind, entries: u32) -> io::Result<Option<Growing<E>>> {
        let file = match self.open(base, kind) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((entries == 0).then(Growing::new));
            }
            Err(error) => return Err(error),
        };
        let (size, want) = (file.size()?, u64::from(entries) * E::SIZE as u64);
        if size < want {
            return Ok(None);
        }
        if size > want {
            file.set_len(want)?;
        }
        let Some(last) = entries.checked_sub(1) else { return Ok(Some(Growing::new())) };
        let last = entry_at(&Held::File(file), last)?;
        Ok(last.map(|last| Growing::resumed(entries, Some(last))))
    }

    /// Appends what only memory has of an index; the file, if there was anything.
    pub(super) fn write_tail<E: Entry>(
        &self,
        base: Offset,
        kind: Kind,
        index: &mut Growing<E>,
    ) -> io::Result<Arc<dyn File>> {
        let key = FileKey { log: self.number, base, generation: 0, kind };
        let file = self.dir.fs().open(&segment_path(self.path, base, kind), OpenHow::Create)?;
        index.write_tail(&*file)?;
        // From now on it is opened as a sealed one.
        self.dir.pool().forget(key);
        Ok(file)
    }

    /// Removes the index files of a segment.
    pub(super) fn reset_indexes(&self, base: Offset) -> io::Result<()> {
        for kind in INDEXES {
            self.remove_file(base, kind)?;
        }
        Ok(())
    }

    /// Removes all files of a segment.
    pub(super) fn remove_segment(&self, base: Offset) -> io::Result<()> {
        self.reset_indexes(base)?;
        self.remove_seal(base)?;
        self.remove_file(base, Kind::Log)
    }

    /// Removes the seal of a segment that goes, or grows again.
    pub(super) fn remove_seal(&self, base: Offset) -> io::Result<()> {
        self.dir.seals().forget(self.number, base);
        let path = seal_path(self.path, base);
        if self.dir.fs().exists(&path) { self.dir.fs().remove(&path) } else { Ok(()) }
    }

    fn remove_file(&self, base: Offset, kind: Kind) -> io::Result<()> {
        self.dir.pool().forget(FileKey { log: self.number, base, generation: 0, kind });
        let path = segment_path(self.path, base, kind);
        if self.dir.fs().exists(&path) { self.dir.fs().remove(&path) } else { Ok(()) }
    }
}

impl LocalLog {
    fn site(&self) -> Site<'_> {
        Site { dir: self.dir(), path: self.path(), number: self.number() }
    }

    /// Cuts everything behind the durable point off, in memory and on disk, and syncs that.
    pub(super) fn truncate_to_point(&self, state: &mut State) -> io::Result<()> {
        if !state.names_durable {
            return self.begin_again(state);
        }
        let (site, point) = (self.site(), state.point);
        let bases = state.sealed.iter().map(|sealed| sealed.base).chain([state.active.base]);
        for base in bases.filter(|base| *base > point.base) {
            site.remove_segment(base)?;
        }
        site.remove_seal(point.base)?;
        let file = site.open(point.base, Kind::Log)?;
        self.restore_journaled(&*file, &state.filed, &point)?;
        file.set_len(point.position)?;
        file.sync_data()?;
        self.dir().fs().sync_dir(self.path())?;
        self.drop_snapshots_above(point.end)?;
        let suspect: Vec<Offset> = state.unsynced_indexes.iter().map(|(base, _)| *base).collect();
        for base in suspect {
            if base == point.base {
                site.reset_indexes(base)?;
            } else if base < point.base {
                self.rebuild_sealed(base, 0, &state.settings)?;
            }
        }
        state.unsynced_indexes.clear();
        let restored = restore(&site, &point, &state.settings)?;
        // What was checked was seen in a page cache that has since been dropped.
        self.proofs.lock().clear();
        state.sealed.retain(|sealed| sealed.base < point.base);
        state.active = restored.active;
        // Indexes built anew may have other entries than those that were lost.
        state.point = state.active.point(point.end);
        state.filed = state.point;
        state.epochs_moved |= state.epochs.cut_back(point.end);
        state.end = point.end;
        state.seen = point.into();
        state.recent = [point.into(); 4];
        state.reached = Reached::only(point.into());
        (state.active_unsynced, state.names_unsynced, state.queued) = (false, false, false);
        (state.rolled_at, state.flush_due, state.unflushed) = (None, None, 0);
        Ok(())
    }

    /// Writes what is durable by the journal alone into the segment again: its sync failed, so nothing is known of what
    /// the file has there.
    fn restore_journaled(&self, file: &dyn File, filed: &Point, point: &Point) -> io::Result<()> {
        if filed == point {
            return Ok(());
        }
        let mut batches = self.dir().journal.batches(self.key_of_marks())?;
        let (mut at, mut end) = (filed.position, filed.end);
        while end < point.end {
            let lost = || io::Error::other("the journal lacks records that it made durable");
            let batch = batches.batch_at(end, Epoch::NONE).ok_or_else(lost)?;
            file.write_all_at(&[IoSlice::new(&batch)], at)?;
            at += batch.len() as u64;
            end = BatchHeader::parse(&batch).map_err(io::Error::other)?.next_offset();
        }
        if (at, end) == (point.position, point.end) {
            Ok(())
        } else {
            Err(io::Error::other("the journal does not fit the log"))
        }
    }

    /// Nothing of the log ever became durable, and its names may be lost though a later sync of the directories
    /// succeeds: only names made anew can be trusted.
    fn begin_again(&self, state: &mut State) -> io::Result<()> {
        if let Some(gone) = self.dir().set_aside(self.name())? {
            self.dir().remove_later(gone, Duration::ZERO);
        }
        *state = start_new(&self.identity(), state.settings)?;
        state.phase = LogState::Failed;
        Ok(())
    }

    /// Builds the indexes of a sealed segment anew: what they said was not true. Costs a scan, loses nothing.
    pub(super) fn distrust_index(&self, run: &Run) {
        if !run.index.is_sealed() {
            return;
        }
        let _turn = self.rebuilding.lock();
        let settings = {
            let mut state = self.state.lock();
            let Some(sealed) = state.sealed_of(run) else {
                // Replaced meanwhile: entries and batches were not of the same file.
                return;
            };
            // The first touch, which may be the walk below, need not look at what is being built anew.
            sealed.indexes_seen = true;
            state.settings
        };
        tracing::warn!(partition = %self.name(), segment = %run.base, "an index is damaged and built anew");
        let mut segment = Active::new(run.base, self.dir().clock().wall(), 0);
        let built = Walk::new(self, run, 0, FAR, run.base).and_then(|mut walk| {
            while let Some(step) = walk.next_header()? {
                if let Step::Batch(at, header) = step {
                    segment.size = at;
                    segment.note(&header, settings.index_interval_bytes);
                }
            }
            Ok(())
        });
        let kept = match built {
            Ok(()) => self.keep_indexes(run, &mut segment),
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = kept.and_then(|()| self.renew_seal(run)) {
            tracing::warn!(partition = %self.name(), segment = %run.base, %error, "cannot rebuild an index");
        }
    }

    /// Gives indexes built anew their names, unless the segment was removed or is the active one again. The caller has
    /// `rebuilding`.
    fn keep_indexes(&self, run: &Run, segment: &mut Active) -> io::Result<()> {
        segment.note_time();
        let fs = self.dir().fs();
        let mut staged = Vec::new();
        for (kind, bytes) in tails(segment) {
            let path = segment_path(self.path(), run.base, kind);
            staged.push((stage(fs, &path, &bytes)?, path));
        }
        let mut state = self.state.lock();
        let is_here = state.sealed_of(run).is_some();
        for (temporary, path) in staged {
            // Renames under the short lock: `reopen`, which makes a segment the active one again, takes that, too.
            if is_here { fs.rename(&temporary, &path)? } else { fs.remove(&temporary)? }
        }
        if is_here {
            INDEXES.into_iter().for_each(|kind| self.dir().pool().forget(self.run_key(run, kind)));
        }
        Ok(())
    }

    /// The seal of a segment knows its index files, which are others now.
    fn renew_seal(&self, run: &Run) -> io::Result<()> {
        let Some(seal) = self.seal_of(run) else { return Ok(()) };
        let (index, times) = (self.side(run, Kind::Index)?, self.side(run, Kind::TimeIndex)?);
        self.keep_seal(run, &Seal { index, times, ..(*seal).clone() })
    }

    /// Builds the indexes of a sealed segment anew from its headers. Under the short lock, so it looks at nothing else.
    fn rebuild_sealed(&self, base: Offset, generation: u32, settings: &LogSettings) -> io::Result<()> {
        let key = FileKey { generation, ..self.key(base, Kind::Log) };
        let file = self.dir().pool().file(self.path(), key)?;
        let size = file.size()?;
        let mut segment = Active::new(base, self.dir().clock().wall(), 0);
        index_batches(&mut segment, file, size, settings);
        segment.note_time();
        for (kind, bytes) in tails(&segment) {
            replace(self.dir().fs(), &segment_path(self.path(), base, kind), &bytes)?;
            self.dir().pool().forget(FileKey { generation, ..self.key(base, kind) });
        }
        Ok(())
    }
}
