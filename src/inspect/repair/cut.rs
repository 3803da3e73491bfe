//! Cutting the end of a log at an offset. Order is all: what is cut is kept aside and synced before anything else, then
//! nothing is promised of it any more (marks and checkpoints), then it goes. Interrupted anywhere, what a broker finds
//! is a log with a tail that it may keep or cut.

use super::rebuild::{build_indexes, write_indexes};
use super::steps::RepairError;
use crate::inspect::entries::offsets;
use crate::inspect::place::{FileKind, PartitionPlace, partition_of};
use crate::inspect::walk::{Found, LogWalk};
use crate::log::local::epochs::{self, Epochs};
use crate::log::local::marks::{self, Mark, Marks, Point};
use crate::log::local::meta;
use crate::sys::{Fs, OpenHow, replace, write_atomically};
use crate::types::Offset;
use std::fmt::Write as _;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

/// Copied at a time.
const CHUNK: usize = 1 << 20;
/// Promises of Kafka's that must not lie above the end of a log.
const CHECKPOINTS: [&str; 3] =
    ["recovery-point-offset-checkpoint", "replication-offset-checkpoint", "cleaner-offset-checkpoint"];

/// What names of journal files begin with.
const JOURNAL: &str = "logboom.journal.";

/// Why a log cannot be cut there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CutError {
    /// There is nothing to cut, or nothing would be left to stand on.
    #[error("offset {asked} is outside of the log, {start}..{end}")]
    OutOfRange {
        /// What was asked for.
        asked: i64,
        /// First offset.
        start: i64,
        /// Offset behind the last.
        end: i64,
    },
    /// Batches are cut whole.
    #[error("offset {asked} lies inside of a batch; cut at {first} or at {behind}")]
    Inside {
        /// What was asked for.
        asked: i64,
        /// First offset of that batch.
        first: i64,
        /// First offset behind it.
        behind: i64,
    },
    /// What the journal of a log directory holds would be put back behind the cut by the next start.
    #[error(
        "the broker was not stopped in good order and its journal may have records of this log: start and stop it"
    )]
    Journal,
}

/// Where a log is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CutPlace {
    /// The offset.
    pub at: Offset,
    /// The segment that ends there.
    pub base: Offset,
    /// Bytes of its `.log` file that stay.
    pub byte: u64,
    /// Bytes of it that go.
    pub bytes: u64,
}

/// Finds the byte of an offset.
///
/// # Errors
/// [`CutError`], and whatever reading gives.
pub fn find(fs: &dyn Fs, partition: &PartitionPlace, at: Offset, end: i64) -> Result<CutPlace, RepairError> {
    let beside = partition.path.parent().map_or(Ok(Vec::new()), |dir| fs.list(dir))?;
    let is_journal = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(JOURNAL))
    };
    if beside.iter().any(is_journal) {
        return Err(CutError::Journal.into());
    }
    let start = partition.bases.first().map_or(0, |base| base.0);
    let out_of_range = CutError::OutOfRange { asked: at.0, start, end };
    let base = partition.bases.iter().rev().find(|base| **base <= at).copied().ok_or(out_of_range)?;
    let mut walk = LogWalk::open(fs, &partition.segment(base, "log"))?.within(base, Offset(i64::MAX));
    let size = walk.end();
    let mut byte = 0;
    while let Some(found) = walk.find_next()? {
        match found {
            Found::Batch { at: from, header } if header.base_offset >= at => {
                byte = from;
                break;
            }
            Found::Batch { header, .. } if header.next_offset() > at => {
                return Err(CutError::Inside {
                    asked: at.0,
                    first: header.base_offset.0,
                    behind: header.next_offset().0,
                }
                .into());
            }
            // Damage in front of the cut stays where it is; behind the last batch below it, it goes.
            Found::Batch { .. } | Found::Old { .. } => byte = walk.position(),
            Found::Damage { .. } | Found::Torn { .. } | Found::Zeros { .. } => {}
        }
    }
    if byte == size && partition.bases.last() == Some(&base) && at.0 >= end {
        return Err(out_of_range.into());
    }
    Ok(CutPlace { at, base, byte, bytes: size - byte })
}

/// Cuts the log.
///
/// # Errors
/// Reading or writing failed; the directory is sound, and the same cut may be made again.
pub fn cut(fs: &dyn Fs, partition: &PartitionPlace, place: &CutPlace) -> io::Result<()> {
    let log = partition.segment(place.base, "log");
    if place.bytes > 0 {
        set_aside(fs, &log, place)?;
        fs.sync_dir(&partition.path)?;
    }
    let indexes = build_indexes(fs, partition, place.base, place.byte, false)?;
    let (index_entries, time_entries) = indexes.counts();
    let (max_time, max_time_offset) = indexes.max_time(place.base);
    let point = Point {
        end: place.at,
        base: place.base,
        position: place.byte,
        index_entries: 0,
        time_entries: 0,
        max_time,
        max_time_offset,
    };
    lower_promises(fs, partition, &point)?;
    let behind: Vec<Offset> = partition.bases.iter().copied().filter(|base| *base > place.base).collect();
    for base in behind.iter().rev() {
        rename_all(fs, partition, *base)?;
    }
    fs.sync_dir(&partition.path)?;
    let file = fs.open(&log, OpenHow::Write)?;
    file.set_len(place.byte)?;
    file.sync_data()?;
    drop(file);
    for path in partition.of_kind(FileKind::Snapshot) {
        if FileKind::number(path).is_some_and(|at| at > place.at) {
            fs.rename(path, &free_name(fs, path))?;
        }
    }
    // What it vouched for is not there any more; the segment takes records again.
    for suffix in ["seal", "txnindex"] {
        let path = partition.segment(place.base, suffix);
        if fs.exists(&path) {
            fs.rename(&path, &free_name(fs, &path))?;
        }
    }
    write_indexes(fs, partition, place.base, &indexes)?;
    cut_epochs(fs, partition, place.at)?;
    lower_promises(fs, partition, &Point { index_entries, time_entries, ..point })
}

/// Copies what will be cut, synced.
fn set_aside(fs: &dyn Fs, log: &Path, place: &CutPlace) -> io::Result<()> {
    let source = fs.open(log, OpenHow::Read)?;
    let target = fs.open(&free_name(fs, log), OpenHow::CreateNew)?;
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    while done < place.bytes {
        let want = usize::try_from(place.bytes - done).unwrap_or(CHUNK).min(CHUNK);
        let part = chunk.get_mut(..want).unwrap_or_default();
        let got = source.read_at(part, place.byte + done)?;
        if got == 0 {
            break;
        }
        target.write_all_at(&[IoSlice::new(part.get(..got).unwrap_or_default())], done)?;
        done += got as u64;
    }
    target.sync_data()
}

/// A name beside the file under which it is out of every reader's way.
pub fn free_name(fs: &dyn Fs, path: &Path) -> PathBuf {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 0 { String::new() } else { format!(".{number}") });
        name.push(".damaged");
        PathBuf::from(name)
    };
    (0..u32::MAX).map(name).find(|free| !fs.exists(free)).unwrap_or_else(|| name(0))
}

/// The `.log` file goes first: what is left without it is no segment.
fn rename_all(fs: &dyn Fs, partition: &PartitionPlace, base: Offset) -> io::Result<()> {
    for suffix in ["log", "index", "timeindex", "txnindex", "seal"] {
        let path = partition.segment(base, suffix);
        if fs.exists(&path) {
            fs.rename(&path, &free_name(fs, &path))?;
        }
    }
    Ok(())
}

fn cut_epochs(fs: &dyn Fs, partition: &PartitionPlace, at: Offset) -> io::Result<()> {
    let path = partition.path.join(epochs::FILE);
    if !fs.exists(&path) {
        return Ok(());
    }
    let Some(mut epochs) = Epochs::parse(&fs.read(&path)?) else { return Ok(()) };
    match epochs.cut_back(at) {
        true => write_atomically(fs, &path, epochs.to_text().as_bytes()),
        false => Ok(()),
    }
}

/// Marks and checkpoints of the log directory promise no more than this.
fn lower_promises(fs: &dyn Fs, partition: &PartitionPlace, point: &Point) -> io::Result<()> {
    let Some(root) = partition.path.parent() else { return Ok(()) };
    let Some(name) = partition_of(&partition.path) else { return Ok(()) };
    let path = root.join(marks::FILE);
    if fs.exists(&path)
        && let Some(mut held) = Marks::decode(&fs.read(&path)?)
        && let Some(id) = read_id(fs, partition)?
        && let Some(mark) = held.by_partition.get_mut(&(id, name.partition))
        && mark.point.end >= point.end
    {
        *mark = Mark { start: mark.start.min(point.end), point: *point, sums: None };
        write_atomically(fs, &path, &held.encode())?;
    }
    for file in CHECKPOINTS {
        let path = root.join(file);
        let lines = if fs.exists(&path) { offsets(&fs.read(&path)?) } else { None };
        let Some(mut lines) = lines else { continue };
        let mine = |topic: &str, partition: i32| topic == &*name.topic && partition == name.partition;
        let mut changed = false;
        for line in
            lines.iter_mut().filter(|line| mine(&line.topic, line.partition) && line.offset > point.end.0)
        {
            line.offset = point.end.0;
            changed = true;
        }
        if changed {
            let mut text = format!("0\n{}\n", lines.len());
            for line in &lines {
                // Writing to a String does not fail.
                let _ = writeln!(text, "{} {} {}", line.topic, line.partition, line.offset);
            }
            replace(fs, &path, text.as_bytes())?;
            fs.sync_dir(root)?;
        }
    }
    Ok(())
}

fn read_id(fs: &dyn Fs, partition: &PartitionPlace) -> io::Result<Option<crate::types::TopicId>> {
    let path = partition.path.join(meta::PARTITION_FILE);
    if !fs.exists(&path) {
        return Ok(None);
    }
    Ok(meta::parse_partition(&fs.read(&path)?))
}
