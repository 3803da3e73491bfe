//! Opening a log that is on disk (decision 4): only bytes behind the durable mark may be cut, and only they are read.
//! What is missing before the mark is damage: it is reported and refused, what is left of it stays as it is, and the
//! log opens. What is wrong before the mark is found when it is first touched.

use super::again::{copy_beside, write_again};
use super::clean::leftovers;
use super::dir::{OpenLogError, read_if_sound};
use super::epochs::{self, Epochs, GatheredEpochs};
use super::files::{FileKey, Kind, base_of, segment_path};
use super::front::DELETED;
use super::journal::Batches;
use super::log::{Identity, State};
use super::marks::{Mark, Point};
use super::meta;
use super::restore::{Site, restore};
use super::scan::{FAR, Scan, ScanError, is_unreadable};
use super::seal::{self, Stored, seal_path};
use super::segment::{Active, Sealed};
use super::survey::Survey;
use crate::log::{LogSettings, ReadError};
use crate::record::BatchHeader;
use crate::sys::{File, IoCause, OpenHow, io_cause};
use crate::types::Offset;
use std::collections::BTreeSet;
use std::io::{self, IoSlice};
use std::sync::Arc;

/// What opening a log found and did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// Bytes behind the mark that were read and checked.
    pub scanned_bytes: u64,
    /// Bytes that the segments lacked and the journal had.
    pub mended_bytes: u64,
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
) -> Result<Opened, OpenLogError> {
    let mut walk = Walk::begin(identity, known, settings)?;
    walk.tail()?;
    walk.finish()
}

/// What opening a log gives.
pub(super) struct Opened {
    pub state: State,
    pub recovery: Recovery,
    /// Segments behind which something is missing.
    pub gaps: Vec<Offset>,
}

/// The segments found on disk.
#[derive(Default)]
struct Found {
    /// Ascending.
    bases: Vec<Offset>,
    /// Those that have a file of the name of a seal.
    seals: BTreeSet<Offset>,
}

/// Where a log goes on.
struct Resumed {
    point: Point,
    /// The file of the segment was made just now.
    made: bool,
    /// Some of what the mark promised is not there.
    lost: bool,
}

impl Known {
    /// The log start offset, and the point from which on to read.
    fn place(self, found: &Found) -> (Offset, Point) {
        let first = found.bases.first().copied();
        match self {
            Known::Marked(mark) => (mark.start, mark.point),
            Known::Never | Known::Lost => {
                let first = first.unwrap_or(Offset::ZERO);
                (first, Point::start_of(first))
            }
        }
    }
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
    /// What the journal has of the log.
    journal: Batches,
    /// Those that have a file of the name of a seal.
    seals: BTreeSet<Offset>,
    sealed: Vec<Sealed>,
    active: Active,
    /// The active segment's file.
    file: Arc<dyn File>,
    end: Offset,
    epochs: Epochs,
    epochs_moved: bool,
    /// The epochs as the batches say, where their file cannot be believed.
    gathered: GatheredEpochs,
    /// Files that a crash of the machine could still take, before they are synced.
    touched: Vec<Arc<dyn File>>,
    indexes: Vec<(Offset, Arc<dyn File>)>,
    names_touched: bool,
    recovery: Recovery,
    gaps: Vec<Offset>,
}

impl<'a> Walk<'a> {
    /// Goes to the mark; nothing behind it has been read yet.
    fn begin(identity: &'a Identity, known: Known, settings: LogSettings) -> Result<Walk<'a>, OpenLogError> {
        let site = Site { dir: &identity.dir, path: &identity.path, number: identity.number };
        let mut found = segments(&site)?;
        if known == Known::Never {
            drop_headless(&site, &mut found.bases)?;
        }
        let (start, point) = known.place(&found);
        remove_below(&site, &mut found.bases, start, point.base)?;
        let resumed = resume_at(&site, &found, point)?;
        let point = resumed.point;
        let rest = found.bases.iter().copied().filter(|base| *base > point.base).collect();
        let below: Vec<Offset> = found.bases.iter().copied().filter(|base| *base < point.base).collect();
        let mut sealed = Vec::with_capacity(below.len());
        for base in below {
            let size = size_of(&site, base)?.unwrap_or(0);
            sealed.push(Sealed::found(base, size, found.seals.contains(&base)));
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
            journal: identity.dir.journal.left.of((identity.id, identity.name.partition)),
            seals: found.seals,
            sealed,
            active: restored.active,
            end: point.end,
            epochs: Epochs::default(),
            epochs_moved: false,
            gathered: GatheredEpochs::default(),
            touched: Vec::new(),
            indexes: Vec::new(),
            names_touched: resumed.made,
            recovery: Recovery { rebuilt_indexes: u32::from(restored.rebuilt), ..Recovery::default() },
            gaps: Vec::new(),
        };
        walk.gaps.extend(walk.sealed.last().filter(|_| resumed.lost).map(|last| last.base));
        walk.load_epochs(&point)?;
        Ok(walk)
    }

    /// Takes the epochs below the mark out of their file, or out of seals and batches if the file is not to be had, or
    /// is not what it was at the mark.
    fn load_epochs(&mut self, point: &Point) -> Result<(), OpenLogError> {
        let stored = read_if_sound(self.site.dir.fs(), &self.site.path.join(epochs::FILE))?;
        let parsed = stored.as_deref().and_then(Epochs::parse);
        let covers = |epochs: &Epochs| point.end <= self.start || epochs.at(self.start).0 >= 0;
        if let (Known::Marked(mark), Some(mut epochs)) = (self.known, parsed) {
            self.epochs_moved = epochs.cut_back(mark.point.end);
            if covers(&epochs) && mark.sums.is_none_or(|sums| sums.epochs == epochs.sum(self.start)) {
                self.epochs = epochs;
                return Ok(());
            }
        }
        self.epochs_moved = true;
        let below: Vec<(Offset, u64)> = self.sealed.iter().map(|sealed| (sealed.base, sealed.size)).collect();
        for (base, size) in below.into_iter().chain([(point.base, point.position)]) {
            self.gather_epochs(base, size)?;
        }
        self.epochs = self.gathered.settled();
        self.epochs.cut_front(self.start);
        Ok(())
    }

    /// The epochs of one segment, by its seal or else by its headers.
    fn gather_epochs(&mut self, base: Offset, size: u64) -> Result<(), OpenLogError> {
        // Of the segment in which the tail begins only what lies below the point counts, whatever its seal says.
        let is_below = self.sealed.iter().any(|sealed| sealed.base == base);
        if is_below
            && self.seals.contains(&base)
            && let Stored::Sound(seal) = seal::load(self.site.dir.fs(), self.site.path, base)
        {
            seal.body.epochs.iter().for_each(|(epoch, first)| self.gathered.note_many(*epoch, *first));
            return Ok(());
        }
        let file = match self.site.open(base, Kind::Log) {
            Err(error) if is_unreadable(&error) => return Ok(()),
            file => file?,
        };
        let mut scan = Scan::new(file, 0, size, FAR);
        // Damage before the mark is for readers to report.
        while let Ok(Some((_, header))) = scan.next_header() {
            self.gathered.note(header.leader_epoch, header.base_offset);
        }
        Ok(())
    }

    /// Reads from the mark to the end, segment by segment.
    fn tail(&mut self) -> Result<(), OpenLogError> {
        let mut name_is_safe = !self.is_new();
        loop {
            let is_copy = !name_is_safe && self.known != Known::Lost && self.name_again()?;
            name_is_safe = false;
            let size = self.file.size()?;
            let from = self.active.size;
            self.recovery.scanned_bytes += size.saturating_sub(from);
            let mut scan = Scan::new(self.file.clone(), from, size, FAR);
            let torn = self.walk_batches(&mut scan)?;
            let size = size.max(self.active.size);
            if size > from {
                if !is_copy {
                    write_again(&*self.file, from, self.active.size)?;
                }
                self.touched.push(self.file.clone());
            }
            if torn {
                self.cut(size)?;
                return Ok(());
            }
            if self.rest.is_empty() {
                return Ok(());
            }
            let next = self.rest.remove(0);
            if !self.follows(next) {
                self.rest.insert(0, next);
                self.cut(size)?;
                return Ok(());
            }
            self.seal(next)?;
        }
    }

    /// Takes note of the batches that are whole, sound and in order; true if what follows them is to be cut off.
    fn walk_batches(&mut self, scan: &mut Scan) -> Result<bool, OpenLogError> {
        loop {
            match scan.next_checked() {
                Ok(None) if self.mend(scan)? => {}
                Ok(None) => return Ok(false),
                Ok(Some((_, header))) if self.in_order(&header) => {
                    self.active.note(&header, self.settings.index_interval_bytes);
                    self.note_epoch(&header);
                    self.end = header.next_offset();
                }
                Ok(Some(_)) | Err(ScanError::Bad { .. }) if self.mend(scan)? => {}
                Ok(Some(_)) | Err(ScanError::Bad { .. }) => match self.behind_damage()? {
                    Some((at, offset)) => {
                        self.active.size = at;
                        self.end = self.end.max(offset);
                        scan.jump(at, self.end);
                    }
                    None => return Ok(true),
                },
                Err(ScanError::Storage(error)) => return Err(error.into()),
            }
        }
    }

    /// Puts the batch with which the log goes on, if the journal has it, where the segment lacks it or has something
    /// else: a power cut took from the file what a round of the journal had made durable.
    fn mend(&mut self, scan: &mut Scan) -> Result<bool, OpenLogError> {
        if self.rest.first().is_some_and(|next| *next == self.end || self.known == Known::Lost) {
            return Ok(false);
        }
        let Some(batch) = self.journal.batch_at(self.end, self.epochs.latest()) else { return Ok(false) };
        let (at, site) = (self.active.size, self.site);
        site.dir.with_room(|| self.file.write_all_at(&[IoSlice::new(&batch)], at))?;
        self.recovery.mended_bytes += batch.len() as u64;
        let end = self.file.size()?;
        *scan = Scan::new(self.file.clone(), at, end, FAR).above(self.end);
        Ok(true)
    }

    fn note_epoch(&mut self, header: &BatchHeader) {
        if self.known == Known::Lost {
            self.gathered.note(header.leader_epoch, header.base_offset);
        } else {
            self.epochs_moved |= self.epochs.note(header.leader_epoch, header.base_offset);
        }
    }

    /// Without marks a torn tail and damage look alike, but for what stands behind them: sound batches or segments
    /// mean that these bytes were durable once. Where it goes on then; behind a mark, never.
    fn behind_damage(&self) -> Result<Option<(u64, Offset)>, OpenLogError> {
        if self.known != Known::Lost {
            return Ok(None);
        }
        let size = self.file.size()?;
        if let Some(next) = self.rest.first() {
            return Ok(Some((size, *next)));
        }
        let survey = Survey {
            file: self.file.clone(),
            size,
            base: self.active.base,
            below: Offset(i64::MAX),
            epochs: Epochs::default(),
            seal: None,
            index: None,
        };
        let (at, offset) = survey.resync(self.active.size, self.end).map_err(|error| match error {
            ReadError::Storage(error) => error,
            other => io::Error::other(other),
        })?;
        Ok((at < size).then_some((at, offset)))
    }

    /// Batches behind a mark were appended one after another; compaction leaves gaps only before it.
    fn in_order(&self, header: &BatchHeader) -> bool {
        match self.known {
            Known::Lost => header.base_offset >= self.end,
            Known::Marked(_) | Known::Never => {
                header.base_offset == self.end && header.leader_epoch >= self.epochs.latest()
            }
        }
    }

    /// Without marks a gap, or offsets that run into the next segment, is for the first touch to judge.
    fn follows(&self, next: Offset) -> bool {
        self.known == Known::Lost || next == self.end
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
        let has_seal = self.seals.contains(&full.base);
        let sealed = Sealed { has_seal, ..full.sealed() };
        self.sealed.push(match self.known {
            // Its bytes were durable once and may have rotted since: what holds of them is for the first touch to say.
            Known::Lost => Sealed::found(full.base, self.file.size()?, has_seal),
            Known::Marked(_) | Known::Never => sealed,
        });
        self.end = next;
        self.site.reset_indexes(next)?;
        self.file = self.site.open(next, Kind::Log)?;
        // Its name may not have been synced.
        self.names_touched = true;
        Ok(())
    }

    /// No mark says that the names are on disk. A mark at the very beginning may have been written before they were.
    fn is_new(&self) -> bool {
        !matches!(self.known, Known::Marked(mark) if mark.point.end > Offset::ZERO)
    }

    /// Puts a copy of the segment being read in its place, so that it has a name of this process. An earlier one may
    /// have died of a sync of the directory that failed: the name is seen then, is not on the disk, and no later
    /// sync of the directory would write it, though it would say so.
    ///
    /// All of such a segment lies behind the mark, so no more is copied than is read anyway; a crash leaves the file
    /// under its name, the old or the new, and at most a copy beside it that the next recovery removes. A segment that
    /// began before the mark keeps its name, which was synced with the first batches in it. False if there was no room.
    fn name_again(&mut self) -> Result<bool, OpenLogError> {
        let path = segment_path(self.site.path, self.active.base, Kind::Log);
        let copied = copy_beside(self.site.dir.fs(), &self.file, &path);
        match copied {
            Ok(copy) => {
                self.site.dir.fs().rename(&copy, &path)?;
                self.site.dir.pool().forget(FileKey {
                    log: self.site.number,
                    base: self.active.base,
                    generation: 0,
                    kind: Kind::Log,
                });
                self.file = self.site.open(self.active.base, Kind::Log)?;
                self.names_touched = true;
                Ok(true)
            }
            // A full disk must not keep a log closed.
            Err(error) if io_cause(&error) == IoCause::Full => {
                tracing::warn!(partition = %self.identity.name, %error, "cannot name a segment again");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Syncs what was found behind the mark, so that it can be shown and stay, and hands over the state.
    fn finish(mut self) -> Result<Opened, OpenLogError> {
        let new = self.is_new();
        let stored = self.identity.dir.stored_id(self.site.path)?;
        if stored != Some(self.identity.id) || new {
            self.touched.push(write_partition_id(self.identity)?);
            self.names_touched = true;
        }
        // It will grow again.
        let unsealed = seal_path(self.site.path, self.active.base);
        if self.seals.contains(&self.active.base) && self.site.dir.fs().exists(&unsealed) {
            self.site.dir.fs().remove(&unsealed)?;
            self.names_touched = true;
        }
        if self.known == Known::Lost {
            self.epochs = self.gathered.settled();
            self.epochs.cut_front(self.start);
            self.epochs_moved = true;
            self.active.trusted = self.active.size;
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
        Ok(Opened { state, recovery: self.recovery, gaps: self.gaps })
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
fn segments(site: &Site<'_>) -> io::Result<Found> {
    leftovers::settle(site.dir.fs(), site.path)?;
    let mut found = Found::default();
    for path in site.dir.fs().list(site.path)? {
        let leftover = path.extension().is_some_and(|suffix| suffix == DELETED || suffix == "tmp");
        if leftover && !site.dir.fs().is_dir(&path) {
            match site.dir.fs().remove(&path) {
                // The background was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        } else if let Some(base) = base_of(&path, Kind::Log.suffix()) {
            found.bases.push(base);
        } else if let Some(base) = base_of(&path, seal::SUFFIX) {
            found.seals.insert(base);
        }
    }
    found.bases.sort_unstable();
    Ok(found)
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

/// Bytes of a segment's file; `None` if it is not there. One that the disk does not give has none.
fn size_of(site: &Site<'_>, base: Offset) -> io::Result<Option<u64>> {
    match site.open(base, Kind::Log).and_then(|file| file.size()) {
        Ok(size) => Ok(Some(size)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if is_unreadable(&error) => {
            tracing::error!(segment = %base, path = %site.path.display(), %error, "a segment cannot be read");
            Ok(Some(0))
        }
        Err(error) => Err(error),
    }
}

/// Where the log goes on: at the mark, if all that it promises of its segment is there. Else what is left of that
/// segment takes no more, and the log goes on in the next one, or in a new one where the mark ended.
fn resume_at(site: &Site<'_>, found: &Found, point: Point) -> Result<Resumed, OpenLogError> {
    let size = if found.bases.contains(&point.base) { size_of(site, point.base)? } else { None };
    if size.is_some_and(|size| size >= point.position) {
        return Ok(Resumed { point, made: false, lost: false });
    }
    let next = found.bases.iter().copied().find(|base| *base > point.base && *base >= point.end);
    let lost = point.position > 0 || next.is_some();
    let base = if lost { next.unwrap_or(point.end) } else { point.base };
    if lost {
        tracing::error!(
            path = %site.path.display(), segment = %point.base, bytes = size, promised = point.position,
            "the last segment is not what it was; the log goes on behind it"
        );
    }
    let made = !found.bases.contains(&base);
    if made {
        site.dir.fs().open(&segment_path(site.path, base, Kind::Log), OpenHow::CreateNew)?;
    }
    Ok(Resumed { point: Point::start_of(base), made, lost })
}

/// Writes `partition.metadata`, unsynced.
fn write_partition_id(identity: &Identity) -> io::Result<Arc<dyn File>> {
    let text = meta::partition_text(identity.id);
    let file = identity.dir.fs().open(&identity.path.join(meta::PARTITION_FILE), OpenHow::Create)?;
    file.set_len(text.len() as u64)?;
    file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)?;
    Ok(file)
}
