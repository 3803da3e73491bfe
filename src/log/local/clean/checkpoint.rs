//! How far each log is cleaned. Kafka's `cleaner-offset-checkpoint` says it by topic name, which is not enough to
//! believe it: where a topic was made anew, or a log was cut and appended to again, the offset speaks of other records,
//! and a tombstone would go before what it deletes. So `logboom.cleaned` says it again by topic id and leader epoch,
//! and an offset counts only as far as both files have it. Losing either costs a longer cleaning, nothing else.
//!
//! ```text
//! cleaner-offset-checkpoint      logboom.cleaned
//! 0                              0
//! <entries>                      <entries>
//! <topic> <partition> <offset>   <topic id> <partition> <offset> <epoch of the record below it> <topic>
//!                                <crc32 of all lines before, 8 hex digits>
//! ```

use crate::log::local::dir::{LogDir, read_if_there};
use crate::log::local::log::LocalLog;
use crate::log::local::marks::MarkKey;
use crate::sys::replace;
use crate::types::{Epoch, Offset, TopicPartition, Uuid};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

/// Kafka's file, in the log directory.
pub const KAFKA_FILE: &str = "cleaner-offset-checkpoint";
/// Ours, beside it.
pub const FILE: &str = "logboom.cleaned";

/// How far one log is cleaned.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    name: TopicPartition,
    /// Below it every key stands once.
    until: Offset,
    /// Leader epoch of the record below it.
    epoch: Epoch,
}

type Entries = BTreeMap<MarkKey, Entry>;

/// The files' content; read when first asked for.
#[derive(Default)]
pub(in crate::log::local) struct Checkpoint(Mutex<Option<Entries>>);

impl LogDir {
    /// How far a log is cleaned; its start if nobody knows.
    pub(super) fn cleaned_until(&self, log: &LocalLog) -> Offset {
        let mut held = self.cleaned.0.lock();
        let entries = held.get_or_insert_with(|| self.load_checkpoint());
        let state = log.state.lock();
        let entry = entries.get(&key(log)).filter(|entry| {
            // Offsets given out again have a newer epoch.
            entry.until <= state.active.base && state.epochs.at(entry.until.plus(-1)) == entry.epoch
        });
        entry.map_or(state.start, |entry| entry.until.max(state.start))
    }

    /// How far the log of a partition that is not open is cleaned, as far as the files know.
    pub(super) fn cleaned_until_at_rest(&self, key: &MarkKey) -> Offset {
        let mut held = self.cleaned.0.lock();
        let entries = held.get_or_insert_with(|| self.load_checkpoint());
        entries.get(key).map_or(Offset::ZERO, |entry| entry.until)
    }

    /// Keeps that a log is cleaned below `until`. What was swapped for it is durable.
    pub(super) fn note_cleaned(&self, log: &LocalLog, until: Offset) -> io::Result<()> {
        let mut held = self.cleaned.0.lock();
        let entries = held.get_or_insert_with(|| self.load_checkpoint());
        let epoch = log.state.lock().epochs.at(until.plus(-1));
        entries.insert(key(log), Entry { name: log.name().clone(), until, epoch });
        // Those that were deleted have no mark any more.
        let marks = self.marks.lock();
        entries.retain(|key, _| marks.marks.by_partition.contains_key(key));
        drop(marks);
        let (ours, kafkas) = (encode(entries), encode_for_kafka(entries));
        replace(&*self.fs, &self.path.join(FILE), ours.as_bytes())?;
        replace(&*self.fs, &self.path.join(KAFKA_FILE), kafkas.as_bytes())?;
        self.sync_root()
    }

    fn load_checkpoint(&self) -> Entries {
        let text = |name| {
            let bytes = read_if_there(&*self.fs, &self.path.join(name)).ok().flatten()?;
            String::from_utf8(bytes).ok()
        };
        let ours = text(FILE).and_then(|text| decode(&text));
        let kafkas = text(KAFKA_FILE).and_then(|text| decode_kafkas(&text));
        let (Some(mut ours), Some(kafkas)) = (ours, kafkas) else { return Entries::new() };
        // Whoever lowers or removes an offset in Kafka's file wants the log to be cleaned again.
        ours.retain(|_, entry| kafkas.contains_key(&entry.name));
        for entry in ours.values_mut() {
            entry.until = kafkas.get(&entry.name).map_or(entry.until, |until| entry.until.min(*until));
        }
        ours
    }
}

fn key(log: &LocalLog) -> MarkKey {
    (log.topic_id(), log.name().partition)
}

fn encode(entries: &Entries) -> String {
    let mut text = format!("0\n{}\n", entries.len());
    for ((id, partition), Entry { name, until, epoch }) in entries {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{id} {partition} {until} {epoch} {}", name.topic);
    }
    let crc = crc32fast::hash(text.as_bytes());
    let _ = writeln!(text, "{crc:08x}");
    text
}

fn encode_for_kafka(entries: &Entries) -> String {
    let mut text = format!("0\n{}\n", entries.len());
    for Entry { name, until, .. } in entries.values() {
        let _ = writeln!(text, "{} {} {until}", name.topic, name.partition);
    }
    text
}

fn decode(text: &str) -> Option<Entries> {
    let body = text.strip_suffix('\n')?;
    let (_, crc) = body.rsplit_once('\n')?;
    let body = body.strip_suffix(crc)?;
    if crc.len() != 8 || u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(body.as_bytes()) {
        return None;
    }
    let mut entries = Entries::new();
    for line in lines(body)? {
        let mut words = line.split(' ');
        let id: Uuid = words.next()?.parse().ok()?;
        let partition = words.next()?.parse().ok()?;
        let (until, epoch) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let name = TopicPartition::new(words.next()?, partition);
        let entry = Entry { name, until: Offset(until), epoch: Epoch(epoch) };
        entries.insert((id, partition), entry);
    }
    Some(entries)
}

fn decode_kafkas(text: &str) -> Option<BTreeMap<TopicPartition, Offset>> {
    let entries = lines(text)?.map(|line| {
        let mut words = line.split(' ');
        let name = TopicPartition::new(words.next()?, words.next()?.parse().ok()?);
        Some((name, Offset(words.next()?.parse().ok()?)))
    });
    entries.collect()
}

/// The lines behind the version and the count, which has to be right.
fn lines(text: &str) -> Option<impl Iterator<Item = &str>> {
    let mut lines = text.lines();
    let version = lines.next()?;
    let count: usize = lines.next()?.parse().ok()?;
    (version == "0" && lines.clone().count() == count).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Entries {
        let entry = |topic: &str, until, epoch| Entry {
            name: TopicPartition::new(topic, 3),
            until: Offset(until),
            epoch: Epoch(epoch),
        };
        let id = Uuid::from_random;
        Entries::from([((id(1), 3), entry("a.topic", 70, 4)), ((id(2), 3), entry("other", 0, -1))])
    }

    #[test]
    fn a_checkpoint_reads_back_and_kafka_reads_its_own() {
        let text = encode(&entries());
        assert_eq!(decode(&text), Some(entries()));
        let kafkas = encode_for_kafka(&entries());
        let mut lines: Vec<&str> = kafkas.lines().skip(2).collect();
        lines.sort_unstable();
        assert_eq!(lines, ["a.topic 3 70", "other 3 0"]);
        assert!(kafkas.starts_with("0\n2\n"));
        let read = decode_kafkas(&kafkas).unwrap();
        assert_eq!(read[&TopicPartition::new("a.topic", 3)], Offset(70));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_of_ours_is_found() {
        let good = encode(&entries()).into_bytes();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let read = String::from_utf8(bad).ok().and_then(|text| decode(&text));
            assert!(read.is_none_or(|read| read == entries()), "bit {bit}");
        }
        for end in 0..good.len() {
            assert_eq!(decode(std::str::from_utf8(&good[..end]).unwrap()), None, "cut at {end}");
        }
    }

    #[test]
    fn a_file_of_kafka_that_is_wrong_is_not_read() {
        for text in ["", "1\n0\n", "0\n2\na 0 1\n", "0\n1\na 0\n", "0\n1\na x 1\n", "0\n-1\n", "0\n1\n\n"] {
            assert_eq!(decode_kafkas(text), None, "{text:?}");
        }
        assert_eq!(decode_kafkas("0\n0\n"), Some(BTreeMap::new()));
    }
}
