//! Everything beside the batches as rows of named fields: indexes, snapshots of producers, seals, marks, checkpoints,
//! properties. Must not know how a row is printed, nor whether what it says is true of the log.

use super::place::FileKind;
use crate::log::local::damage::{Damage, DamageKind, Damages};
use crate::log::local::epochs::Epochs;
use crate::log::local::marks::Marks;
use crate::log::local::meta;
use crate::log::local::seal::Seal;
use crate::sys::{File, Fs, OpenHow};
use crate::types::Offset;
use bytes::Buf;
use serde_json::{Value, json};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// Read at a time; a multiple of the size of every entry.
const CHUNK: u64 = 8 * 12 * 17 * 64;
/// A side file without entries of fixed size is read whole, if it is not larger than any that was ever written.
const WHOLE_BYTES_MAX: u64 = 64 << 20;

/// A line of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// First byte of what it was read from.
    pub at: u64,
    /// What it is: `offset-index`, `producer`, `mark`, ...
    pub kind: &'static str,
    /// Its fields in their order.
    pub fields: Vec<(&'static str, Value)>,
}

/// What a file holds at a place.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// A line.
    Row(Row),
    /// Bytes that say nothing.
    Bad {
        /// First byte.
        at: u64,
        /// First byte behind.
        until: u64,
        /// What is wrong.
        why: String,
    },
}

/// Names and values, in order.
type Fields = Vec<(&'static str, Value)>;
type Visit<'a> = &'a mut dyn FnMut(Entry) -> ControlFlow<()>;

/// Shows what a file beside the batches holds to `visit`, in order. Files of unknown kind give one row with their size.
pub fn read_entries(fs: &dyn Fs, path: &Path, kind: FileKind, visit: Visit<'_>) -> io::Result<()> {
    let file = fs.open(path, OpenHow::Read)?;
    let base = FileKind::number(path).unwrap_or(Offset::ZERO);
    match kind {
        FileKind::OffsetIndex => fixed(&*file, 8, visit, &|entry| offset_row(base, entry)),
        FileKind::TimeIndex => fixed(&*file, 12, visit, &|entry| time_row(base, entry)),
        FileKind::TxnIndex => fixed(&*file, 34, visit, &|entry| Some(aborted_row(entry))),
        FileKind::Log | FileKind::MetadataSnapshot => Ok(()),
        FileKind::Lock | FileKind::Own | FileKind::Unknown => {
            let size = file.size()?;
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let what = if kind == FileKind::Unknown { "unknown" } else { "file" };
            let _ = visit(row(0, what, vec![("name", json!(name)), ("size", json!(size))]));
            Ok(())
        }
        _ => {
            let size = file.size()?;
            if size > WHOLE_BYTES_MAX {
                let _ = visit(Entry::Bad {
                    at: 0,
                    until: size,
                    why: "larger than such a file can be".to_owned(),
                });
                return Ok(());
            }
            let entries = whole(kind, &fs.read(path)?);
            let _ = entries.into_iter().try_for_each(visit);
            Ok(())
        }
    }
}

fn row(at: u64, kind: &'static str, fields: Fields) -> Entry {
    Entry::Row(Row { at, kind, fields })
}

/// Entries of one size, up to where only zeros follow: room that was reserved.
fn fixed(
    file: &dyn File,
    size: usize,
    visit: Visit<'_>,
    read: &dyn Fn(&[u8]) -> Option<Fields>,
) -> io::Result<()> {
    let kind = match size {
        8 => "offset-index",
        12 => "time-index",
        _ => "aborted-transaction",
    };
    let end = used_bytes(file, size as u64)?;
    let mut at = 0;
    while at < end {
        let mut chunk = vec![0; usize::try_from((end - at).min(CHUNK)).unwrap_or(0)];
        let got = file.read_at(&mut chunk, at)?;
        chunk.truncate(got);
        if got == 0 {
            return Ok(());
        }
        for (nth, entry) in chunk.chunks(size).enumerate() {
            let from = at + (nth * size) as u64;
            let until = from + entry.len() as u64;
            let read = (entry.len() == size).then(|| read(entry)).flatten();
            let entry = match read {
                Some(fields) => row(from, kind, fields),
                None => Entry::Bad { at: from, until, why: "no whole entry".to_owned() },
            };
            if visit(entry).is_break() {
                return Ok(());
            }
        }
        at += got as u64;
    }
    Ok(())
}

/// Bytes of an index in front of the zeros at its end, which a running broker reserves, rounded up to whole entries.
pub fn used_bytes(file: &dyn File, entry: u64) -> io::Result<u64> {
    let mut end = file.size()?;
    while end > 0 {
        let from = end.saturating_sub(CHUNK) / entry * entry;
        let mut chunk = vec![0; usize::try_from(end - from).unwrap_or(0)];
        let got = file.read_at(&mut chunk, from)?;
        chunk.truncate(got);
        if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
            let used = (from + last as u64 + 1).div_ceil(entry) * entry;
            return Ok(used.min(end));
        }
        end = from;
    }
    Ok(0)
}

fn offset_row(base: Offset, mut entry: &[u8]) -> Option<Fields> {
    let (relative, position) = (entry.try_get_i32().ok()?, entry.try_get_i32().ok()?);
    let sound = relative >= 0 && position >= 0;
    let offset = base.plus(i64::from(relative));
    sound.then(|| vec![("offset", json!(offset.0)), ("position", json!(position))])
}

fn time_row(base: Offset, mut entry: &[u8]) -> Option<Fields> {
    let (timestamp, relative) = (entry.try_get_i64().ok()?, entry.try_get_i32().ok()?);
    let offset = base.plus(i64::from(relative));
    (relative >= 0).then(|| vec![("timestamp", json!(timestamp)), ("offset", json!(offset.0))])
}

fn aborted_row(mut entry: &[u8]) -> Fields {
    vec![
        ("version", json!(entry.try_get_i16().unwrap_or(-1))),
        ("producer_id", json!(entry.try_get_i64().unwrap_or(-1))),
        ("first_offset", json!(entry.try_get_i64().unwrap_or(-1))),
        ("last_offset", json!(entry.try_get_i64().unwrap_or(-1))),
        ("last_stable_offset", json!(entry.try_get_i64().unwrap_or(-1))),
    ]
}

/// The entries of a file that is read at once.
fn whole(kind: FileKind, bytes: &[u8]) -> Vec<Entry> {
    let bad = |why: &str| vec![Entry::Bad { at: 0, until: bytes.len() as u64, why: why.to_owned() }];
    match kind {
        FileKind::Snapshot => match producers(bytes) {
            Ok(entries) => entries.iter().map(|producer| producer.row()).collect(),
            Err(why) => bad(&why),
        },
        FileKind::Seal => {
            Seal::decode(bytes).map_or_else(|| bad("no sound seal"), |seal| vec![seal_row(&seal)])
        }
        FileKind::Marks => {
            Marks::decode(bytes).map_or_else(|| bad("no sound marks"), |marks| marks_rows(&marks))
        }
        FileKind::Damage => match Damages::decode(bytes) {
            Some(refused) => refused.all().iter().map(refused_row).collect(),
            None => bad("no sound list of damage"),
        },
        FileKind::Epochs => match Epochs::parse(bytes) {
            Some(_) => text_rows(bytes, 2, "epoch", &["epoch", "start_offset"]),
            None => bad("not whole, or its lines do not ascend"),
        },
        FileKind::OffsetCheckpoint => match offsets(bytes) {
            Some(lines) => lines.into_iter().map(|line| line.row()).collect(),
            None => bad("not a version, a number of lines, and lines of topic, partition and offset"),
        },
        FileKind::PartitionMetadata => match meta::parse_partition(bytes) {
            Some(id) => vec![row(0, "partition", vec![("topic_id", json!(id.to_string()))])],
            None => bad("no topic id"),
        },
        FileKind::MetaProperties => properties(bytes),
        FileKind::Json => match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => vec![row(0, "json", vec![("data", value)])],
            Err(error) => bad(&error.to_string()),
        },
        _ => vec![row(0, "unknown", vec![("size", json!(bytes.len()))])],
    }
}

/// A producer in a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProducerEntry {
    /// Byte of the file.
    pub at: u64,
    /// Producer id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// Last sequence number of a batch; -1 for none.
    pub last_sequence: i32,
    /// Last offset of that batch; -1 for none.
    pub last_offset: i64,
    /// Its last offset less its first.
    pub offset_delta: i32,
    /// Its largest timestamp.
    pub timestamp: i64,
    /// Epoch of the transaction coordinator; -1 for none.
    pub coordinator_epoch: i32,
    /// First offset of the transaction under way; -1 for none.
    pub txn_first_offset: i64,
}

impl ProducerEntry {
    fn row(&self) -> Entry {
        row(
            self.at,
            "producer",
            vec![
                ("producer_id", json!(self.id)),
                ("producer_epoch", json!(self.epoch)),
                ("last_sequence", json!(self.last_sequence)),
                ("last_offset", json!(self.last_offset)),
                ("offset_delta", json!(self.offset_delta)),
                ("last_timestamp", json!(self.timestamp)),
                ("coordinator_epoch", json!(self.coordinator_epoch)),
                ("current_txn_first_offset", json!(self.txn_first_offset)),
            ],
        )
    }
}

/// The producers of a snapshot.
///
/// # Errors
/// What is wrong with the bytes.
pub fn producers(bytes: &[u8]) -> Result<Vec<ProducerEntry>, String> {
    const ENTRY: usize = 46;
    let short = |_| "shorter than a snapshot without producers".to_owned();
    let mut rest = bytes;
    let version = rest.try_get_i16().map_err(short)?;
    if version != 1 {
        return Err(format!("version {version} is not 1"));
    }
    let stored = rest.try_get_u32().map_err(short)?;
    let computed = crc32c::crc32c(rest);
    if stored != computed {
        return Err(format!("the stored CRC is {stored:#010x} and the bytes give {computed:#010x}"));
    }
    let count = rest.try_get_i32().map_err(short)?;
    if usize::try_from(count).ok().and_then(|count| count.checked_mul(ENTRY)) != Some(rest.len()) {
        return Err(format!("{count} producers do not take {} bytes", rest.len()));
    }
    let entry = |(nth, mut bytes): (usize, &[u8])| ProducerEntry {
        at: (10 + nth * ENTRY) as u64,
        id: bytes.get_i64(),
        epoch: bytes.get_i16(),
        last_sequence: bytes.get_i32(),
        last_offset: bytes.get_i64(),
        offset_delta: bytes.get_i32(),
        timestamp: bytes.get_i64(),
        coordinator_epoch: bytes.get_i32(),
        txn_first_offset: bytes.get_i64(),
    };
    Ok(rest.chunks_exact(ENTRY).enumerate().map(entry).collect())
}

fn seal_row(seal: &Seal) -> Entry {
    let epochs: Vec<Value> =
        seal.body.epochs.iter().map(|(epoch, first)| json!([epoch.0, first.0])).collect();
    row(
        0,
        "seal",
        vec![
            ("base_offset", json!(seal.base.0)),
            ("end_offset", json!(seal.end.0)),
            ("size", json!(seal.body.size)),
            ("max_timestamp", json!(seal.body.max_time.0)),
            ("max_timestamp_offset", json!(seal.body.max_time_offset.0)),
            ("index_size", json!(seal.index.size)),
            ("index_crc", json!(seal.index.crc)),
            ("time_index_size", json!(seal.times.size)),
            ("time_index_crc", json!(seal.times.crc)),
            ("epochs", json!(epochs)),
            ("blocks", json!(seal.body.blocks.len())),
        ],
    )
}

fn refused_row(refused: &Damage) -> Entry {
    let kind = match refused.kind {
        DamageKind::Wrong => "wrong",
        DamageKind::Unreadable => "unreadable",
        DamageKind::Missing => "missing",
    };
    row(
        0,
        "refused",
        vec![
            ("from_offset", json!(refused.at.0)),
            ("until_offset", json!(refused.until.0)),
            ("segment", json!(refused.base.0)),
            ("from_byte", json!(refused.bytes.start)),
            ("until_byte", json!(refused.bytes.end)),
            ("damage", json!(kind)),
            ("found_timestamp", json!(refused.found.0)),
            ("why", json!(refused.why)),
        ],
    )
}

fn marks_rows(marks: &Marks) -> Vec<Entry> {
    let head = row(
        0,
        "marks",
        vec![
            ("clean", json!(marks.clean)),
            ("lost", json!(marks.lost)),
            ("count", json!(marks.by_partition.len())),
        ],
    );
    let mark = |(nth, ((id, partition), mark)): (usize, (&(_, _), &_))| {
        let crate::log::local::marks::Mark { start, point, sums } = mark;
        let id: &crate::types::TopicId = id;
        row(
            12 + 84 * nth as u64,
            "mark",
            vec![
                ("topic_id", json!(id.to_string())),
                ("partition", json!(partition)),
                ("start_offset", json!(start.0)),
                ("durable_end", json!(point.end.0)),
                ("segment", json!(point.base.0)),
                ("position", json!(point.position)),
                ("index_entries", json!(point.index_entries)),
                ("time_index_entries", json!(point.time_entries)),
                ("max_timestamp", json!(point.max_time.0)),
                ("max_timestamp_offset", json!(point.max_time_offset.0)),
                ("epochs_crc", json!(sums.map(|sums| sums.epochs))),
            ],
        )
    };
    std::iter::once(head).chain(marks.by_partition.iter().enumerate().map(mark)).collect()
}

/// A line of one of Kafka's offset checkpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointLine {
    /// Byte of the file.
    pub at: u64,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl CheckpointLine {
    fn row(&self) -> Entry {
        row(
            self.at,
            "checkpoint",
            vec![
                ("topic", json!(self.topic)),
                ("partition", json!(self.partition)),
                ("offset", json!(self.offset)),
            ],
        )
    }
}

/// The lines of an offset checkpoint; `None` if it is not whole.
pub fn offsets(bytes: &[u8]) -> Option<Vec<CheckpointLine>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let (version, count) = (lines.next()?, lines.next()?);
    let found: Vec<CheckpointLine> = lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let line = CheckpointLine {
                at: (line.as_ptr() as usize - text.as_ptr() as usize) as u64,
                topic: words.next()?.to_owned(),
                partition: words.next()?.parse().ok()?,
                offset: words.next()?.parse().ok()?,
            };
            words.next().is_none().then_some(line)
        })
        .collect::<Option<_>>()?;
    (version.trim() == "0" && count.trim().parse() == Ok(found.len())).then_some(found)
}

/// The lines of a text behind its first few, as numbers.
fn text_rows(bytes: &[u8], skip: usize, kind: &'static str, names: &[&'static str]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(bytes);
    let mut at = 0;
    let mut rows = Vec::new();
    for (nth, line) in text.split_inclusive('\n').enumerate() {
        if nth >= skip {
            let numbers =
                line.split_whitespace().map(|word| word.parse::<i64>().map_or(Value::Null, Value::from));
            rows.push(row(at, kind, names.iter().copied().zip(numbers).collect()));
        }
        at += line.len() as u64;
    }
    rows
}

fn properties(bytes: &[u8]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(bytes);
    let mut at = 0;
    let mut rows = Vec::new();
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if let Some((key, value)) = content.split_once('=').filter(|_| !content.starts_with('#')) {
            rows.push(row(at, "property", vec![("key", json!(key.trim())), ("value", json!(value.trim()))]));
        }
        at += line.len() as u64;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SimFs;

    fn entries(name: &str, bytes: &[u8]) -> Vec<Entry> {
        let fs = SimFs::new(0);
        let path = Path::new("/d").join(name);
        fs.create_dir_all(Path::new("/d")).unwrap();
        fs.plant(&path, bytes).unwrap();
        let mut found = Vec::new();
        read_entries(&fs, &path, FileKind::of(&path).0, &mut |entry| {
            found.push(entry);
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    fn field(entry: &Entry, name: &str) -> Value {
        let Entry::Row(row) = entry else { return Value::Null };
        row.fields.iter().find(|(known, _)| *known == name).map_or(Value::Null, |(_, value)| value.clone())
    }

    #[test]
    fn reserved_zeros_at_the_end_of_an_index_are_no_entries() {
        let mut bytes = [0, 0, 0, 9, 0, 0, 1, 0].to_vec();
        bytes.extend_from_slice(&[0; 8000]);
        let found = entries("00000000000000000100.index", &bytes);
        assert_eq!(found.len(), 1);
        assert_eq!((field(&found[0], "offset"), field(&found[0], "position")), (json!(109), json!(256)));
        assert_eq!(entries("00000000000000000100.index", &[]).len(), 0);
    }

    #[test]
    fn an_entry_that_is_cut_is_bad_with_its_place() {
        let found = entries("00000000000000000100.index", &[0, 0, 0, 9, 0, 0, 1, 0, 7, 7, 7]);
        assert_eq!(found[1], Entry::Bad { at: 8, until: 11, why: "no whole entry".to_owned() });
    }

    #[test]
    fn checkpoints_and_properties_are_read_line_by_line() {
        let found = entries("cleaner-offset-checkpoint", b"0\n1\norders 3 77\n");
        assert_eq!((field(&found[0], "topic"), field(&found[0], "offset")), (json!("orders"), json!(77)));
        assert!(matches!(entries("cleaner-offset-checkpoint", b"0\n2\norders 3 77\n")[0], Entry::Bad { .. }));
        let found = entries("meta.properties", b"#\nversion=1\nnode.id=1\n");
        assert_eq!((found.len(), field(&found[1], "value")), (2, json!("1")));
        let found = entries("leader-epoch-checkpoint", b"0\n2\n1 0\n3 50\n");
        assert_eq!((found.len(), field(&found[1], "start_offset")), (2, json!(50)));
    }

    #[test]
    fn what_no_file_of_a_log_is_gets_a_name_and_a_size() {
        let found = entries("notes.txt", b"hello");
        assert_eq!(field(&found[0], "size"), json!(5));
    }
}
