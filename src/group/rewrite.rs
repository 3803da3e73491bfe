//! The records that give a state anew, so that the log before them can go. Must not know when that is done.

use super::records::{ConsumerRecord, GroupRecord};
use super::state::{ConsumerGroup, ConsumerMember, Group, GroupsHard};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// The key of the last record written; what follows is behind it, whether it is still there or not. A group is divided
/// between chunks if it is large.
#[derive(Clone, Debug)]
pub struct Cursor {
    group: Arc<str>,
    place: Place,
}

/// Where a key stands within its group.
#[derive(Clone, Debug)]
struct Place {
    section: Section,
    /// Id of the member, pattern or topic; empty where the section has one key.
    name: Arc<str>,
    /// Of an offset.
    partition: i32,
}

/// What is written of a group, in this order: that of Kafka when it writes a whole consumer group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Classic,
    Member,
    Regex,
    Epoch,
    Target,
    TargetEpoch,
    Current,
    Offset,
}

/// Records behind `after`, until there are `budget` of them; and where to go on, if they may not be the last.
pub fn rewrite(
    hard: &GroupsHard,
    after: Option<&Cursor>,
    budget: usize,
) -> (Vec<GroupRecord>, Option<Cursor>) {
    let mut chunk = Chunk { records: Vec::new(), budget: budget.max(1) };
    let from = after.map_or(Bound::Unbounded, |after| Bound::Included(&after.group));
    for (id, group) in hard.groups.range::<Arc<str>, _>((from, Bound::Unbounded)) {
        let behind = after.filter(|after| after.group == *id).map(|after| &after.place);
        write_group(&mut chunk, id, group, behind);
        if chunk.is_full() {
            break;
        }
    }
    let last = chunk.records.last().filter(|_| chunk.is_full()).map(cursor_at);
    (chunk.records, last)
}

struct Chunk {
    records: Vec<GroupRecord>,
    budget: usize,
}

impl Chunk {
    fn is_full(&self) -> bool {
        self.records.len() >= self.budget
    }

    /// Takes as many as fit.
    fn extend(&mut self, records: impl Iterator<Item = GroupRecord>) {
        let room = self.budget.saturating_sub(self.records.len());
        self.records.extend(records.take(room));
    }
}

fn write_group(chunk: &mut Chunk, id: &Arc<str>, group: &Group, behind: Option<&Place>) {
    let classic = group.classic.iter().filter(|_| is_behind(Section::Classic, behind));
    chunk.extend(
        classic.map(|state| GroupRecord::Classic { group: Arc::clone(id), state: Some(state.clone()) }),
    );
    if let Some(consumer) = &group.consumer {
        write_consumer(chunk, id, consumer, behind);
    }
    write_offsets(chunk, id, group, behind);
}

fn write_consumer(chunk: &mut Chunk, id: &Arc<str>, consumer: &ConsumerGroup, behind: Option<&Place>) {
    let record = |record| GroupRecord::Consumer { group: Arc::clone(id), record };
    let members = |section| range(&consumer.members, section, behind);
    let single = |section| is_behind(section, behind);
    let metadata = |(id, member): (&Arc<str>, &ConsumerMember)| {
        let metadata = member.metadata.clone()?;
        Some(ConsumerRecord::Member(Arc::clone(id), Some(Box::new(metadata))))
    };
    chunk.extend(members(Section::Member).filter_map(metadata).map(record));
    let regexes = range(&consumer.regexes, Section::Regex, behind);
    let regexes =
        regexes.map(|(pattern, resolved)| ConsumerRecord::Regex(Arc::clone(pattern), Some(resolved.clone())));
    chunk.extend(regexes.map(record));
    let epoch = consumer.epoch.filter(|_| single(Section::Epoch));
    chunk.extend(epoch.map(|epoch| ConsumerRecord::Epoch(Some(epoch))).map(record).into_iter());
    let target = |(id, member): (&Arc<str>, &ConsumerMember)| {
        Some(ConsumerRecord::Target(Arc::clone(id), Some(member.target.clone()?)))
    };
    chunk.extend(members(Section::Target).filter_map(target).map(record));
    let target_epoch = consumer.target.filter(|_| single(Section::TargetEpoch));
    chunk.extend(target_epoch.map(|epoch| ConsumerRecord::TargetEpoch(Some(epoch))).map(record).into_iter());
    let current = |(id, member): (&Arc<str>, &ConsumerMember)| {
        let current = member.current.clone()?;
        Some(ConsumerRecord::Current(Arc::clone(id), Some(Box::new(current))))
    };
    chunk.extend(members(Section::Current).filter_map(current).map(record));
}

fn write_offsets(chunk: &mut Chunk, id: &Arc<str>, group: &Group, behind: Option<&Place>) {
    let inside = behind.filter(|place| place.section == Section::Offset);
    // The topic that was left in the middle is looked at again.
    let from = inside.map_or(Bound::Unbounded, |place| Bound::Included(&place.name));
    for (topic, partitions) in group.offsets.range::<Arc<str>, _>((from, Bound::Unbounded)) {
        let after = inside.filter(|place| place.name == *topic);
        let from = after.map_or(Bound::Unbounded, |place| Bound::Excluded(place.partition));
        chunk.extend(partitions.range((from, Bound::Unbounded)).map(|(partition, committed)| {
            GroupRecord::Offset {
                group: Arc::clone(id),
                topic: Arc::clone(topic),
                partition: *partition,
                committed: Some(committed.clone()),
            }
        }));
        if chunk.is_full() {
            return;
        }
    }
}

/// Whether the only key of a section is still to be written.
fn is_behind(section: Section, behind: Option<&Place>) -> bool {
    behind.is_none_or(|place| place.section < section)
}

/// The keys of a section that are still to be written.
fn range<'a, V>(
    map: &'a BTreeMap<Arc<str>, V>,
    section: Section,
    behind: Option<&Place>,
) -> impl Iterator<Item = (&'a Arc<str>, &'a V)> {
    let from = match behind {
        Some(place) if place.section > section => None,
        Some(place) if place.section == section => Some(Bound::Excluded(&place.name)),
        _ => Some(Bound::Unbounded),
    };
    from.into_iter().flat_map(|from| map.range::<Arc<str>, _>((from, Bound::Unbounded)))
}

fn cursor_at(record: &GroupRecord) -> Cursor {
    let none = || Arc::from("");
    let (section, name, partition) = match record {
        GroupRecord::Classic { .. } => (Section::Classic, none(), 0),
        GroupRecord::Offset { topic, partition, .. } => (Section::Offset, Arc::clone(topic), *partition),
        GroupRecord::Consumer { record, .. } => match record {
            ConsumerRecord::Epoch(_) => (Section::Epoch, none(), 0),
            ConsumerRecord::TargetEpoch(_) => (Section::TargetEpoch, none(), 0),
            ConsumerRecord::Member(member, _) => (Section::Member, Arc::clone(member), 0),
            ConsumerRecord::Target(member, _) => (Section::Target, Arc::clone(member), 0),
            ConsumerRecord::Current(member, _) => (Section::Current, Arc::clone(member), 0),
            ConsumerRecord::Regex(pattern, _) => (Section::Regex, Arc::clone(pattern), 0),
        },
    };
    Cursor { group: Arc::clone(record.group()), place: Place { section, name, partition } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::records::tests::a_record;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn state(records: &[GroupRecord]) -> GroupsHard {
        let mut hard = GroupsHard::default();
        records.iter().for_each(|record| hard.apply(record));
        hard
    }

    proptest! {
        #[test]
        fn chunks_of_any_size_give_the_state_and_each_key_once(
            records in vec(a_record(), 0..60),
            budget in 1..9usize,
        ) {
            let hard = state(&records);
            let (whole, end) = rewrite(&hard, None, usize::MAX);
            prop_assert!(end.is_none());
            let mut chunks = Vec::new();
            let mut after = None;
            loop {
                let (chunk, next) = rewrite(&hard, after.as_ref(), budget);
                prop_assert!(chunk.len() <= budget);
                chunks.extend(chunk);
                after = next;
                if after.is_none() {
                    break;
                }
            }
            prop_assert_eq!(&chunks, &whole);
            prop_assert_eq!(state(&chunks), hard);
        }

        #[test]
        fn what_changes_between_chunks_is_in_the_log_all_the_same(
            before in vec(a_record(), 0..40),
            between in vec(a_record(), 0..40),
            budget in 1..9usize,
        ) {
            let mut hard = state(&before);
            let mut log = Vec::new();
            let mut between = between.into_iter();
            let mut after = None;
            loop {
                let (chunk, next) = rewrite(&hard, after.as_ref(), budget);
                log.extend(chunk);
                after = next;
                if after.is_none() {
                    break;
                }
                for record in between.by_ref().take(2) {
                    hard.apply(&record);
                    log.push(record);
                }
            }
            prop_assert_eq!(state(&log), hard);
        }
    }
}
