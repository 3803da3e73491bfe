//! Opening a log that is on disk (decision 4): only bytes behind the durable mark may be cut, and only they are read.
//! What is missing or wrong before the mark is damage: it is reported and left as it is.

use super::clean::leftovers;
use super::dir::{OpenLogError, read_if_there};
use super::epochs::{self, Epochs};
use super::files::{Kind, base_of, segment_path};
use super::front::DELETED;
use super::log::{Identity, State};
use super::marks::{self, Mark, Point};
use super::meta;
use super::restore::{Site, restore};
use super::scan::{FAR, Scan, ScanError};
use super::segment::{Active, Sealed};
use crate::log::LogSettings;
use crate::record::BatchHeader;
use crate::sys::{File, IoCause, OpenHow, io_cause};
use crate::types::Offset;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

/// What opening a log found and did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// Bytes behind the mark that were read and checked.
    pub scanned_bytes: u64,
    /// Bytes of a torn tail that were cut off.
    pub cut_bytes: u64,
    /// The offset that the log was cut back to, if it was.
    pub cut_from: Option<Offset>,
    /// Indexes that were built anew.
    pub rebuilt_indexes: u32,
    /// The end of the log.
    pub end: Offset,
}

/// What the marks say of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// This is durable.
    Marked(Mark),
    /// Nothing, and the marks are whole: the log is younger than they are, so all of it may be torn.
    Never,
    /// Nothing, for marks were lost: a tail may be torn, what has sound batches behind it is damaged.
    Lost,
}

/// The state of a log that begins now. Nothing is synced: its names become durable with its first commit round.
pub(super) fn start_new(identity: &Identity, settings: LogSettings) -> io::Result<State> {
    let fs = identity.dir.fs();
    fs.create_dir_all(&identity.path)?;
    let named = write_partition_id(identity)?;
    fs.open(&segment_path(&identity.path, Offset::ZERO, Kind::Log), OpenHow::Create)?;
    let active = Active::new(Offset::ZERO, identity.dir.clock().wall(), identity.dir.jitter(&settings));
    let mut state = State::resting(settings, Vec::new(), active, Point::start_of(Offset::ZERO));
    state.unsynced.push(named);
    (state.names_unsynced, state.parent_unsynced, state.names_durable) = (true, true, false);
    Ok(state)
}

/// The state of a log that is on disk, its tail read and, where torn, cut.
pub(super) fn recover(
    identity: &Identity,
    known: Known,
    settings: LogSettings,
) -> Result<(State, Recovery), OpenLogError> {
    let mut walk = Walk::begin(identity, known, settings)?;
    walk.tail()?;
    walk.finish()
}

/// A recovery under way.
struct Walk<'a> {
    identity: &'a Identity,
    site: Site<'a>,
    known: Known,
    settings: LogSettings,
    start: Offset,
    /// Segments behind the one being read.
    rest: Vec<Offset>,
    sealed: Vec<Sealed>,
    active: Active,
    /// The active segment's file.
    file: Arc<dyn File>,
    end: Offset,
    epochs: Epochs,
    epochs_moved: bool,
    /// Files that a crash of the machine could still take, before they are synced.
    touched: Vec<Arc<dyn File>>,
    indexes: Vec<(Offset, Arc<dyn File>)>,
    names_touched: bool,
    recovery: Recovery,
}

impl<'a> Walk<'a> {
    /// Goes to the mark; nothing behind it has been read yet.
    fn begin(identity: &'a Identity, known: Known, settings: LogSettings) -> Result<Walk<'a>, OpenLogError> {
        let site = Site { dir: &identity.dir, path: &identity.path, number: identity.number };
        let mut bases = segments(&site)?;
        if known == Known::Never {
            drop_headless(&site, &mut bases)?;
        }
        let (start, point) = match known {
            Known::Marked(mark) => (mark.start, mark.point),
            Known::Never | Known::Lost => {
                let first = bases.first().copied().unwrap_or(Offset::ZERO);
                (first, Point::start_of(first))
            }
        };
        remove_below(&site, &mut bases, start, point.base)?;
        let names_touched = check_mark(&site, &bases, start, &point)?;
        let rest = bases.iter().copied().filter(|base| *base > point.base).collect();
        let mut sealed = Vec::new();
        for base in bases.into_iter().filter(|base| *base < point.base) {
            let size = site.open(base, Kind::Log)?.size()?;
            sealed.push(Sealed { base, generation: 0, size, max_time: None });
        }
        let restored = restore(&site, &point, &settings)?;
        let mut walk = Walk {
            file: site.open(point.base, Kind::Log)?,
            identity,
            site,
            known,
            settings,
            start,
            rest,
            sealed,
            active: restored.active,
            end: point.end,
            epochs: Epochs::default(),
            epochs_moved: false,
            touched: Vec::new(),
            indexes: Vec::new(),
            names_touched,
            recovery: Recovery { rebuilt_indexes: u32::from(restored.rebuilt), ..Recovery::default() },
        };
        walk.load_epochs(&point)?;
        Ok(walk)
    }

    /// Takes the epochs below the mark out of their file, or out of the batches if the file is not to be had.
    fn load_epochs(&mut self, point: &Point) -> Result<(), OpenLogError> {
        let stored = read_if_there(self.site.dir.fs(), &self.site.path.join(epochs::FILE))?;
        let parsed = stored.as_deref().and_then(Epochs::parse);
        let covers = |epochs: &Epochs| point.end <= self.start || epochs.at(self.start).0 >= 0;
        match parsed {
            Some(mut epochs) if matches!(self.known, Known::Marked(_)) && covers(&epochs) => {
                self.epochs_moved = epochs.cut_back(point.end);
                self.epochs = epochs;
            }
            _ => {
                self.epochs_moved = true;
                let below = self.sealed.iter().map(|sealed| (sealed.base, sealed.size));
                for (base, size) in below.chain([(point.base, point.position)]) {
                    let mut scan = Scan::new(self.site.open(base, Kind::Log)?, 0, size, FAR);
                    // Damage before the mark is for readers to report.
                    while let Ok(Some((_, header))) = scan.next_header() {
                        self.epochs.note(header.leader_epoch, header.base_offset);
                    }
                }
                self.epochs.cut_front(self.start);
            }
        }
        Ok(())
    }

    /// Reads from the mark to the end, segment by segment.
    fn tail(&mut self) -> Result<(), OpenLogError> {
        loop {
            let size = self.file.size()?;
            let from = self.active.size;
            self.recovery.scanned_bytes += size.saturating_sub(from);
            let mut scan = Scan::new(self.file.clone(), from, size, FAR);
            let torn = self.walk_batches(&mut scan)?;
            if size > from {
                write_again(&*self.file, from, self.active.size)?;
                self.touched.push(self.file.clone());
            }
            if let Some(why) = torn {
                self.check_torn(&scan, size, &why)?;
                self.cut(size)?;
                return Ok(());
            }
            if self.rest.is_empty() {
                return Ok(());
            }
            let next = self.rest.remove(0);
            if !self.follows(next)? {
                self.rest.insert(0, next);
                self.cut(size)?;
                return Ok(());
            }
            self.seal(next)?;
        }
    }

    /// Takes note of the batches that are whole, sound and in order; what is wrong with the first that is not.
    fn walk_batches(&mut self, scan: &mut Scan) -> Result<Option<String>, OpenLogError> {
        loop {
            match scan.next_checked() {
                Ok(None) => return Ok(None),
                Ok(Some((at, header))) if !self.in_order(&header) => {
                    return Ok(Some(format!(
                        "batch at byte {at} has offset {} of epoch {}, expected {}",
                        header.base_offset, header.leader_epoch, self.end
                    )));
                }
                Ok(Some((_, header))) => {
                    self.active.note(&header, self.settings.index_interval_bytes);
                    self.epochs_moved |= self.epochs.note(header.leader_epoch, header.base_offset);
                    self.end = header.next_offset();
                }
                Err(ScanError::Bad { at, why }) => return Ok(Some(format!("byte {at}: {why}"))),
                Err(ScanError::Storage(error)) => return Err(error.into()),
            }
        }
    }

    /// Batches behind a mark were appended one after another; compaction leaves gaps only before it.
    fn in_order(&self, header: &BatchHeader) -> bool {
        let offset = match self.known {
            Known::Lost => header.base_offset >= self.end,
            Known::Marked(_) | Known::Never => header.base_offset == self.end,
        };
        offset && header.leader_epoch >= self.epochs.latest()
    }

    fn follows(&self, next: Offset) -> Result<bool, OpenLogError> {
        match self.known {
            Known::Marked(_) | Known::Never => Ok(next == self.end),
            Known::Lost if next >= self.end => Ok(true),
            Known::Lost => Err(self.damaged(
                segment_path(self.site.path, next, Kind::Log).as_path(),
                0,
                format!("the segment before it ends at {}", self.end),
            )),
        }
    }

    /// Without marks a torn tail and damage look alike, but for what stands behind them.
    fn check_torn(&self, scan: &Scan, size: u64, why: &str) -> Result<(), OpenLogError> {
        if self.known != Known::Lost {
            return Ok(());
        }
        let at = self.active.size;
        let mut behind = Scan::new(self.file.clone(), at, size, FAR);
        let skipped = matches!(behind.next_header(), Ok(Some(_)));
        let sound_behind = skipped && matches!(behind.next_checked(), Ok(Some(_)));
        if !self.rest.is_empty() || sound_behind {
            let path = segment_path(self.site.path, self.active.base, Kind::Log);
            return Err(self.damaged(
                &path,
                scan.position(),
                format!("{why}; sound batches follow, and the marks are lost"),
            ));
        }
        Ok(())
    }

    fn damaged(&self, file: &Path, byte: u64, why: String) -> OpenLogError {
        OpenLogError::Damaged { file: file.to_owned(), byte, why }
    }

    /// Cuts the active segment, `size` bytes long, at the end of its last good batch and removes all behind it.
    fn cut(&mut self, size: u64) -> Result<(), OpenLogError> {
        let good = self.active.size;
        if size > good {
            self.file.set_len(good)?;
        }
        self.recovery.cut_bytes += size.saturating_sub(good);
        for base in std::mem::take(&mut self.rest) {
            self.recovery.cut_bytes += self.site.open(base, Kind::Log)?.size()?;
            self.site.remove_segment(base)?;
            self.names_touched = true;
        }
        self.recovery.cut_from = Some(self.end);
        tracing::warn!(
            partition = %self.identity.name, end = %self.end, bytes = self.recovery.cut_bytes,
            "cut what was never durable off the log"
        );
        Ok(())
    }

    /// Makes the active segment a sealed one and goes on with the next.
    fn seal(&mut self, next: Offset) -> Result<(), OpenLogError> {
        let active = Active::new(next, self.site.dir.clock().wall(), self.site.dir.jitter(&self.settings));
        let mut full = std::mem::replace(&mut self.active, active);
        full.note_time();
        let written = self.site.write_tail(full.base, Kind::Index, &mut full.index);
        match written
            .and_then(|index| Ok([index, self.site.write_tail(full.base, Kind::TimeIndex, &mut full.times)?]))
        {
            Ok(files) => self.indexes.extend(files.map(|file| (full.base, file))),
            // It will be built anew when somebody needs it; a full disk must not keep a log closed.
            Err(error) => tracing::warn!(partition = %self.identity.name, %error, "cannot write an index"),
        }
        let max_time = Some(full.max_time);
        self.sealed.push(Sealed { base: full.base, generation: 0, size: full.size, max_time });
        self.site.reset_indexes(next)?;
        self.file = self.site.open(next, Kind::Log)?;
        // Its name may not have been synced.
        self.names_touched = true;
        Ok(())
    }

    /// Syncs what was found behind the mark, so that it can be shown and stay, and hands over the state.
    fn finish(mut self) -> Result<(State, Recovery), OpenLogError> {
        // A mark at the very beginning may have been written before the names were synced.
        let new = !matches!(self.known, Known::Marked(mark) if mark.point.end > Offset::ZERO);
        let stored = self.identity.dir.stored_id(self.site.path)?;
        if stored.is_none() || new {
            self.touched.push(write_partition_id(self.identity)?);
            self.names_touched = true;
        }
        if let Err(error) = self.sync(new) {
            self.site.dir.note_unsyncable(&self.identity.name);
            return Err(error.into());
        }
        let point = self.active.point(self.end);
        let mut state = State::resting(self.settings, self.sealed, self.active, point);
        state.start = self.start;
        state.epochs = self.epochs;
        state.epochs_moved = self.epochs_moved;
        state.index_names_unsynced = !self.indexes.is_empty();
        state.unsynced_indexes = self.indexes;
        self.recovery.end = self.end;
        Ok((state, self.recovery))
    }
}

impl Walk<'_> {
    fn sync(&self, new: bool) -> io::Result<()> {
        self.touched.iter().try_for_each(|file| file.sync_data())?;
        if self.names_touched {
            self.site.dir.fs().sync_dir(self.site.path)?;
        }
        if new {
            self.site.dir.sync_root()?;
        }
        Ok(())
    }
}

/// The segments in the directory, ascending. Leftovers of earlier removals and replacements are removed.
fn segments(site: &Site<'_>) -> io::Result<Vec<Offset>> {
    leftovers::settle(site.dir.fs(), site.path)?;
    let mut bases = Vec::new();
    for path in site.dir.fs().list(site.path)? {
        let leftover = path.extension().is_some_and(|suffix| suffix == DELETED || suffix == "tmp");
        if leftover && !site.dir.fs().is_dir(&path) {
            match site.dir.fs().remove(&path) {
                // The background was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        } else if let Some(base) = base_of(&path, Kind::Log.suffix()) {
            bases.push(base);
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

/// Removes the segments of a log whose first one is missing though it was never marked: the names of a new log are
/// synced together before anything in it is acknowledged, so nothing was, and what is left must not be shown without
/// what came before it. A log with epochs was marked once, elsewhere: its directory was put here.
fn drop_headless(site: &Site<'_>, bases: &mut Vec<Offset>) -> io::Result<()> {
    let headless = bases.first().is_some_and(|first| *first > Offset::ZERO);
    if !headless || site.dir.fs().exists(&site.path.join(epochs::FILE)) {
        return Ok(());
    }
    // The last first, so that a crash meanwhile leaves the same again.
    while let Some(base) = bases.pop() {
        site.remove_segment(base)?;
    }
    Ok(())
}

/// Finishes removals that a crash undid: segments wholly below the start.
fn remove_below(site: &Site<'_>, bases: &mut Vec<Offset>, start: Offset, keep: Offset) -> io::Result<()> {
    while let [first, second, ..] = bases.as_slice()
        && *second <= start
        && *first < keep
    {
        site.remove_segment(*first)?;
        bases.remove(0);
    }
    Ok(())
}

/// Makes sure that all that the mark promises is there. True if the mark's segment had to be made.
fn check_mark(site: &Site<'_>, bases: &[Offset], start: Offset, point: &Point) -> Result<bool, OpenLogError> {
    let damaged = |base: Offset, byte: u64, why: String| OpenLogError::Damaged {
        file: segment_path(site.path, base, Kind::Log),
        byte,
        why,
    };
    if start > point.end {
        let why = format!("it has the log start offset {start} and the durable end {}", point.end);
        return Err(OpenLogError::Damaged { file: site.dir.path().join(marks::FILE), byte: 0, why });
    }
    if let Some(first) = bases.first().filter(|first| **first > start && point.end > start) {
        return Err(damaged(start, 0, format!("records {start}..{first} are missing")));
    }
    if !bases.contains(&point.base) {
        let nothing_lost = point.position == 0 && bases.iter().all(|base| *base < point.base);
        if !nothing_lost {
            return Err(damaged(point.base, 0, "the segment is missing".to_owned()));
        }
        site.dir.fs().open(&segment_path(site.path, point.base, Kind::Log), OpenHow::CreateNew)?;
        return Ok(true);
    }
    let size = site.open(point.base, Kind::Log)?.size()?;
    if size < point.position {
        return Err(damaged(point.base, size, format!("{} bytes were here", point.position)));
    }
    Ok(false)
}

/// Writes bytes of the file over themselves. An earlier process may have died of a sync that failed: the page cache then
/// shows bytes that are not on the disk and counts them as clean, and no sync would write them, though it would say so.
fn write_again(file: &dyn File, from: u64, to: u64) -> io::Result<()> {
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

/// Writes `partition.metadata`, unsynced.
fn write_partition_id(identity: &Identity) -> io::Result<Arc<dyn File>> {
    let text = meta::partition_text(identity.id);
    let file = identity.dir.fs().open(&identity.path.join(meta::PARTITION_FILE), OpenHow::Create)?;
    file.set_len(text.len() as u64)?;
    file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)?;
    Ok(file)
}
