//! The order in which Kafka 4.4.0 walks members, topics and partitions. Its `uniform` assignor takes them in the
//! order of Java's hash tables, which is fixed by the ids and the number of entries; who gets which partition follows
//! from it. We walk in the same order, so that the same group gets the same assignment from us as from Kafka.
//!
//! What is left open: of members that fall in one slot of both tables that Kafka keeps them in, the one that joined
//! last comes first; here the one with the greatest id.

use crate::group::state::Assignment;
use crate::group::topics::Topic;
use crate::types::TopicId;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

/// Java's order of strings: by UTF-16 units.
pub(super) fn compare_as_java(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Slots of a `HashMap` that grew to hold `entries`: at most three quarters are taken.
fn grown_slots(entries: usize) -> u32 {
    let needed = entries as u64 * 4;
    let mut slots: u64 = 16;
    while slots * 3 < needed {
        slots *= 2;
    }
    slots as u32
}

/// Slots of a `HashSet` that was made from a collection of `entries`.
fn copied_slots(entries: usize) -> u32 {
    let wanted = (entries as f32 / 0.75) as u64 + 1;
    wanted.max(16).next_power_of_two() as u32
}

/// The slot that a hash falls into; `slots` is a power of two.
fn slot(hash: i32, slots: u32) -> u32 {
    let hash = hash as u32;
    (hash ^ (hash >> 16)) & (slots - 1)
}

fn hash_of_text(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn hash_of_topic(topic: TopicId) -> i32 {
    let bits = u128::from_be_bytes(topic.0);
    let folded = (bits >> 64) as u64 ^ bits as u64;
    (folded >> 32) as i32 ^ folded as i32
}

/// The place in the table with history in which Kafka keeps a group's members, before they come to the assignor.
fn timeline_slot(hash: i32, entries: usize) -> u64 {
    let mut slots: u64 = 2;
    while entries as u64 * 3 > slots * 4 {
        slots *= 2;
    }
    let mixed = i64::from(hash).wrapping_mul(-7_046_029_254_386_353_131) as u64;
    mixed >> (64 - slots.trailing_zeros())
}

/// Member ids as a group's map of them is walked.
pub(super) fn members<'a, T>(ids: impl ExactSizeIterator<Item = (&'a str, T)>) -> Vec<(&'a str, T)> {
    let entries = ids.len();
    let slots = grown_slots(entries);
    let mut keyed: Vec<_> = ids
        .map(|(id, value)| {
            let hash = hash_of_text(id);
            ((slot(hash, slots), timeline_slot(hash, entries), Reverse(id)), value)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|((_, _, Reverse(id)), value)| (id, value)).collect()
}

/// Topics as the set of those that a group subscribes to is walked: it was filled in the order of a set of their names.
pub(super) fn subscribed(topics: &BTreeMap<TopicId, Topic>) -> Vec<TopicId> {
    let slots = copied_slots(topics.len());
    let mut keyed: Vec<_> = topics
        .values()
        .map(|topic| {
            let by_id = slot(hash_of_topic(topic.id), slots);
            (by_id, slot(hash_of_text(&topic.name), slots), &topic.name, topic.id)
        })
        .collect();
    keyed.sort();
    keyed.into_iter().map(|(.., id)| id).collect()
}

/// Topics as the map of an assignment is walked. It was filled in the order of `subscribed`, and of those in one slot
/// the last to come is first.
pub(super) fn assigned(assignment: &Assignment, subscribed: &[TopicId]) -> Vec<TopicId> {
    let slots = grown_slots(assignment.len());
    let mut topics: Vec<TopicId> =
        subscribed.iter().rev().copied().filter(|id| assignment.contains_key(id)).collect();
    topics.sort_by_key(|topic| slot(hash_of_topic(*topic), slots));
    topics
}

/// Partitions as the set of a topic's in an assignment is walked.
pub(super) fn partitions(numbers: impl ExactSizeIterator<Item = i32>) -> Vec<i32> {
    let slots = copied_slots(numbers.len());
    let mut numbers: Vec<i32> = numbers.collect();
    numbers.sort_by_key(|number| (slot(*number, slots), *number));
    numbers
}

/// Kafka compares ids as two signed halves.
pub(super) fn as_signed(topic: TopicId) -> (i64, i64) {
    let bits = u128::from_be_bytes(topic.0);
    ((bits >> 64) as i64, bits as i64)
}
