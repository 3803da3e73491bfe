//! What files hold, as a stream of events, filtered: batches, their records, rows of everything else, and what is
//! damaged. Must not know how an event is printed.

use super::control::control_json;
use super::entries::{Entry, Row, read_entries};
use super::internal::Internal;
use super::place::{FileKind, partition_of};
use super::records::{HELD_BYTES_MAX, visit_records};
use super::walk::{Found, LogWalk};
use crate::record::{BatchHeader, Codec, Record};
use crate::sys::{Fs, OpenHow};
use crate::types::{Epoch, Offset, ProducerId, TimestampMs};
use serde_json::Value;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How often a file that grows under the reader is looked at again when it ends inside a batch.
const LOOKS_MAX: u32 = 3;

/// What to show. Everything by default.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Records from this offset on.
    pub from: Offset,
    /// Records below this offset.
    pub to: Offset,
    /// Batches from this byte of a file on; need not be where one begins.
    pub from_byte: u64,
    /// Records with exactly this key.
    pub key: Option<Vec<u8>>,
    /// Records whose key begins so.
    pub key_prefix: Option<Vec<u8>>,
    /// Batches of this producer.
    pub producer: Option<ProducerId>,
    /// Records of this time and later.
    pub since: TimestampMs,
    /// Records before this time.
    pub until: TimestampMs,
    /// Batches of this leader epoch.
    pub epoch: Option<Epoch>,
    /// Control batches alone, or all but them.
    pub control: Option<bool>,
    /// Batches of transactions alone, or all but them.
    pub transactional: Option<bool>,
    /// Batches with this codec.
    pub codec: Option<Codec>,
    /// Whether records are read at all; without, only headers and checksums are.
    pub records: bool,
    /// Go on behind damage; else a file ends there.
    pub skip_damage: bool,
    /// Most bytes of a batch, and of what comes out of it, in memory.
    pub held_bytes_max: usize,
}

impl Default for Selection {
    fn default() -> Selection {
        Selection {
            from: Offset::ZERO,
            to: Offset(i64::MAX),
            from_byte: 0,
            key: None,
            key_prefix: None,
            producer: None,
            since: TimestampMs(i64::MIN),
            until: TimestampMs(i64::MAX),
            epoch: None,
            control: None,
            transactional: None,
            codec: None,
            records: true,
            skip_damage: false,
            held_bytes_max: HELD_BYTES_MAX,
        }
    }
}

/// What is shown, in the order of the file.
#[derive(Debug)]
pub enum Event<'a> {
    /// A file begins.
    File {
        /// What it is.
        kind: FileKind,
        /// It is on its way out, or a replacement that was not finished.
        leftover: bool,
    },
    /// A batch whose checksum is right.
    Batch {
        /// Its first byte.
        at: u64,
        /// Its header.
        header: &'a BatchHeader,
    },
    /// A record of the batch before.
    Record {
        /// Header of its batch.
        header: &'a BatchHeader,
        /// The record.
        record: &'a Record,
        /// What a control record, or one of an internal topic, says.
        meaning: Option<Value>,
    },
    /// A message of Kafka before 0.11, named and not read.
    Old {
        /// Its first byte.
        at: u64,
        /// Bytes.
        size: u64,
        /// Its magic.
        magic: i8,
        /// Its offset.
        offset: Offset,
    },
    /// A line of another file.
    Row(&'a Row),
    /// Bytes that say nothing.
    Damage {
        /// First byte.
        at: u64,
        /// First byte behind.
        until: u64,
        /// What is wrong.
        why: &'a str,
    },
    /// Zeros at the end of a file: room that was reserved.
    Zeros {
        /// First byte.
        at: u64,
        /// End of the file.
        until: u64,
    },
}

/// Takes events; breaks when it has enough.
pub type Sink<'a> = &'a mut dyn FnMut(&Path, Event<'_>) -> ControlFlow<()>;

/// Shows one file.
///
/// # Errors
/// Reading failed.
pub fn dump_file(
    fs: &dyn Fs,
    path: &Path,
    selection: &Selection,
    sink: Sink<'_>,
) -> io::Result<ControlFlow<()>> {
    let (kind, leftover) = FileKind::of(path);
    if sink(path, Event::File { kind, leftover }).is_break() {
        return Ok(ControlFlow::Break(()));
    }
    if matches!(kind, FileKind::Log | FileKind::MetadataSnapshot) {
        return dump_log(fs, path, kind, selection, sink);
    }
    let mut flow = ControlFlow::Continue(());
    read_entries(fs, path, kind, &mut |entry| {
        flow = match &entry {
            Entry::Row(row) => sink(path, Event::Row(row)),
            Entry::Bad { at, until, why } => sink(path, Event::Damage { at: *at, until: *until, why }),
        };
        flow
    })?;
    Ok(flow)
}

fn dump_log(
    fs: &dyn Fs,
    path: &Path,
    kind: FileKind,
    selection: &Selection,
    sink: Sink<'_>,
) -> io::Result<ControlFlow<()>> {
    let internal = match kind {
        FileKind::MetadataSnapshot => Some(Internal::Metadata),
        _ => path.parent().and_then(partition_of).and_then(|name| Internal::of(&name.topic)),
    };
    let begin = match selection.from_byte {
        0 => near(fs, path, selection.from)?,
        byte => byte,
    };
    let mut walk = LogWalk::open(fs, path)?.from_byte(begin);
    let mut looks = 0;
    while let Some(found) = walk.find_next()? {
        let flow = match &found {
            Found::Batch { header, .. } if header.base_offset >= selection.to => {
                return Ok(ControlFlow::Continue(()));
            }
            Found::Batch { at, header } if selection.takes(header) => {
                let shown = Batch { walk: &walk, path, at: *at, header, internal, selection };
                shown.show(sink)?
            }
            Found::Batch { .. } => ControlFlow::Continue(()),
            Found::Old { at, size, magic, offset } => {
                sink(path, Event::Old { at: *at, size: *size, magic: *magic, offset: *offset })
            }
            Found::Zeros { at, until } => sink(path, Event::Zeros { at: *at, until: *until }),
            Found::Torn { at, .. } if looks < LOOKS_MAX && grown(fs, path, walk.end())? => {
                // Somebody appends just now; what was cut short is whole by now, or soon.
                looks += 1;
                walk = LogWalk::open(fs, path)?.from_byte(*at);
                continue;
            }
            Found::Torn { at, until, why } | Found::Damage { at, until, why, .. } => {
                let flow = sink(path, Event::Damage { at: *at, until: *until, why });
                if !selection.skip_damage {
                    return Ok(flow);
                }
                flow
            }
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn grown(fs: &dyn Fs, path: &Path, end: u64) -> io::Result<bool> {
    Ok(fs.open(path, OpenHow::Read)?.size()? > end)
}

/// A byte at or before the batch that holds `from`, by the offset index if that speaks the truth.
fn near(fs: &dyn Fs, path: &Path, from: Offset) -> io::Result<u64> {
    let (index, base) = (path.with_extension("index"), FileKind::number(path).unwrap_or(Offset::ZERO));
    if from <= base || FileKind::of(path) != (FileKind::Log, false) || !fs.exists(&index) {
        return Ok(0);
    }
    let mut best = None;
    read_entries(fs, &index, FileKind::OffsetIndex, &mut |entry| {
        let Entry::Row(row) = entry else { return ControlFlow::Break(()) };
        let number = |at: usize| row.fields.get(at).and_then(|(_, value)| value.as_i64());
        match (number(0), number(1)) {
            (Some(last), Some(position)) if last <= from.0 => {
                best = Some((last, position.unsigned_abs()));
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    })?;
    let Some((last, position)) = best else { return Ok(0) };
    let found = LogWalk::open(fs, path)?.from_byte(position).find_next()?;
    let true_to_it = matches!(&found, Some(Found::Batch { header, .. }) if header.last_offset().0 == last);
    Ok(if true_to_it { position } else { 0 })
}

impl Selection {
    /// Whether a batch may hold what is asked for.
    fn takes(&self, header: &BatchHeader) -> bool {
        header.last_offset() >= self.from
            && self.producer.is_none_or(|id| id == header.producer_id)
            && self.epoch.is_none_or(|epoch| epoch == header.leader_epoch)
            && self.control.is_none_or(|control| control == header.is_control())
            && self.transactional.is_none_or(|on| on == header.is_transactional())
            && self.codec.is_none_or(|codec| header.codec() == Ok(codec))
            // A batch that compaction emptied has the time of what it once was.
            && (header.max_timestamp >= self.since || header.count == 0)
    }

    /// Whether it depends on records what is shown of a batch.
    fn picks_records(&self) -> bool {
        self.key.is_some()
            || self.key_prefix.is_some()
            || self.since.0 != i64::MIN
            || self.until.0 != i64::MAX
            || self.from > Offset::ZERO
            || self.to.0 != i64::MAX
    }

    fn takes_record(&self, record: &Record) -> bool {
        let key = record.key.as_deref();
        (self.from..self.to).contains(&record.offset)
            && (self.since..self.until).contains(&record.timestamp)
            && self.key.as_deref().is_none_or(|wanted| key == Some(wanted))
            && self.key_prefix.as_deref().is_none_or(|prefix| key.is_some_and(|key| key.starts_with(prefix)))
    }
}

/// A batch about to be shown.
struct Batch<'a> {
    walk: &'a LogWalk,
    path: &'a Path,
    at: u64,
    header: &'a BatchHeader,
    internal: Option<Internal>,
    selection: &'a Selection,
}

impl Batch<'_> {
    /// Records go to `sink` as they are read: a batch that unpacks to millions of them is never held as such.
    fn show(&self, sink: Sink<'_>) -> io::Result<ControlFlow<()>> {
        let Batch { path, at, header, selection, .. } = *self;
        if !selection.records {
            return Ok(sink(path, Event::Batch { at, header }));
        }
        // The line of a batch goes before those of its records, and without any that is asked for there is none.
        let mut is_shown = false;
        let mut flow = ControlFlow::Continue(());
        if !selection.picks_records() {
            is_shown = true;
            flow = sink(path, Event::Batch { at, header });
        }
        let fault = self.read(&mut |record| {
            if flow.is_continue() && !is_shown {
                is_shown = true;
                flow = sink(path, Event::Batch { at, header });
            }
            if flow.is_continue() {
                flow = sink(path, Event::Record { header, record, meaning: self.meaning(record) });
            }
        })?;
        if let (Some(why), ControlFlow::Continue(())) = (fault, flow) {
            flow = sink(path, Event::Damage { at, until: at + header.size as u64, why: &why });
        }
        Ok(flow)
    }

    fn meaning(&self, record: &Record) -> Option<Value> {
        match self.header.is_control() {
            true => Some(control_json(record.key.as_ref(), record.value.as_ref())),
            false => self.internal.map(|internal| internal.record_json(record)),
        }
    }

    /// Shows the records that are asked for; what is wrong with the first that cannot be read.
    fn read(&self, show: &mut dyn FnMut(&Record)) -> io::Result<Option<String>> {
        let cap = self.selection.held_bytes_max;
        if self.header.size > cap {
            return Ok(Some(format!("the batch is larger than the {cap} bytes that may be held in memory")));
        }
        let bytes = self.walk.batch(self.at, self.header)?;
        let read = visit_records(self.header, &bytes, cap, &mut |record| {
            if self.selection.takes_record(record) {
                show(record);
            }
        });
        Ok(read.err())
    }
}

/// The files of a directory in the order in which a reader wants them: side files of a log first, then its partitions
/// segment by segment. Leftovers and partitions on their way out are not among them; a file that is named is.
pub fn files_of(fs: &dyn Fs, path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs.is_dir(path) {
        return Ok(vec![path.to_owned()]);
    }
    let (directories, mut files): (Vec<_>, Vec<_>) =
        fs.list(path)?.into_iter().partition(|entry| fs.is_dir(entry));
    for directory in directories.iter().filter(|directory| partition_of(directory).is_some()) {
        files.extend(fs.list(directory)?.into_iter().filter(|entry| !fs.is_dir(entry)));
    }
    files.retain(|file| !FileKind::of(file).1);
    Ok(files)
}
