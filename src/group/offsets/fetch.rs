//! OffsetFetch. Must not know how offsets came to be.

use super::forget::Known;
use crate::coordinator::Cx;
use crate::group::command::{FetchOffsets, TopicOffsets};
use crate::group::consumer;
use crate::group::machine::Groups;
use crate::group::refused::Refused;
use crate::group::state::{Committed, Group};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is committed. A group that is not there has committed nothing, which is no error. `Committed` says which topic
/// was meant: who asks by the id of a topic compares it.
pub fn fetch(cx: &mut Cx<'_, Groups>, fetch: &FetchOffsets) -> Result<Vec<TopicOffsets>, Refused> {
    if cx.hard().consumer(&fetch.group).is_some() {
        consumer::check_fetch(cx, fetch)?;
    }
    let (hard, soft) = cx.state();
    let group = hard.group(&fetch.group);
    let known = &soft.offsets.topics;
    Ok(match &fetch.topics {
        Some(topics) => topics.iter().map(|(topic, numbers)| named(group, known, topic, numbers)).collect(),
        None => group.map(|group| all(group, known)).unwrap_or_default(),
    })
}

fn named(group: Option<&Group>, known: &Known, topic: &Arc<str>, numbers: &[i32]) -> TopicOffsets {
    let committed = group.and_then(|group| group.offsets.get(topic));
    let look = |number: &i32| {
        let committed = committed.and_then(|partitions| partitions.get(number));
        (*number, committed.filter(|committed| !known.is_stale(topic, committed)).cloned())
    };
    TopicOffsets { topic: Arc::clone(topic), partitions: numbers.iter().map(look).collect() }
}

fn all(group: &Group, known: &Known) -> Vec<TopicOffsets> {
    let topic = |(topic, partitions): (&Arc<str>, &BTreeMap<i32, Committed>)| {
        let fresh = partitions.iter().filter(|(_, committed)| !known.is_stale(topic, committed));
        let partitions: Vec<_> =
            fresh.map(|(number, committed)| (*number, Some(committed.clone()))).collect();
        (!partitions.is_empty()).then(|| TopicOffsets { topic: Arc::clone(topic), partitions })
    };
    group.offsets.iter().filter_map(topic).collect()
}
