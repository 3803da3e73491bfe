//! Which partition and which topic a directory belongs to, by its name, by the id it holds and by the marks. Must not
//! know what a log is.

use super::dir::{LogDir, read_if_sound};
use super::meta;
use crate::types::{TopicId, TopicPartition};
use std::io;
use std::path::Path;

impl LogDir {
    /// Whether there is a directory for the partition that was made for this topic; also if it does not say for
    /// which, and `or_unnamed`.
    pub fn holds(&self, name: &TopicPartition, id: TopicId, or_unnamed: bool) -> io::Result<bool> {
        let path = self.path.join(name.to_string());
        Ok(self.fs.is_dir(&path) && self.stored_id(&path)?.map_or(or_unnamed, |stored| stored == id))
    }

    /// Every partition that has a directory here, with the topic id it was made for.
    pub fn partitions_on_disk(&self) -> io::Result<Vec<(TopicPartition, Option<TopicId>)>> {
        let names = self.fs.list(&self.path)?;
        let partitions = names.into_iter().filter_map(|path| Some((partition_named(&path)?, path)));
        partitions
            .map(|(name, path)| {
                let id = self.stored_id(&path)?.map(|stored| self.believed_id(stored, &name));
                Ok((name, id))
            })
            .collect()
    }

    /// Whether a directory with the id `stored` belongs to another topic than `id`, of an earlier life. No checksum
    /// covers the id, and taking a directory for another topic's removes it: the marks, which have one, know better,
    /// and two ids that differ in one character were not drawn at random.
    pub(super) fn is_another(&self, stored: TopicId, id: TopicId, name: &TopicPartition) -> bool {
        let file = self.marks.lock();
        let marked = |id| file.marks.by_partition.contains_key(&(id, name.partition));
        let damaged = !marked(stored) && (is_near(stored, id) || marked(id));
        if stored != id && damaged {
            tracing::error!(partition = %name, %stored, %id, "the topic id of a directory is damaged and written anew");
        }
        stored != id && !damaged
    }

    /// The id of the topic that a directory belongs to: as stored, unless the marks know one that differs in one
    /// character and not the stored one.
    fn believed_id(&self, stored: TopicId, name: &TopicPartition) -> TopicId {
        let file = self.marks.lock();
        if file.marks.by_partition.contains_key(&(stored, name.partition)) {
            return stored;
        }
        let ids = file.marks.by_partition.keys().filter(|(_, partition)| *partition == name.partition);
        ids.map(|(id, _)| *id).find(|id| is_near(*id, stored)).unwrap_or(stored)
    }

    pub(super) fn stored_id(&self, partition: &Path) -> io::Result<Option<TopicId>> {
        let bytes = read_if_sound(&*self.fs, &partition.join(meta::PARTITION_FILE))?;
        Ok(bytes.and_then(|bytes| meta::parse_partition(&bytes)))
    }
}

/// Two ids whose text differs in one character.
fn is_near(one: TopicId, other: TopicId) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one.len() == other.len()
        && one.bytes().zip(other.bytes()).filter(|(one, other)| one != other).count() == 1
}

/// The partition whose directory has this name: a topic name, a dash, a number.
pub fn partition_named(path: &Path) -> Option<TopicPartition> {
    let name = path.file_name()?.to_str()?;
    let (topic, number) = name.rsplit_once('-')?;
    let number =
        (!topic.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())).then_some(number)?;
    Some(TopicPartition::new(topic, number.parse().ok()?))
}
