//! The epoch of a group: it moves on with each change of members, subscriptions or subscribed topics. Topics are
//! compared by a hash that is kept with the epoch, so that a restart on the same topics moves nothing.

use super::index::emit;
use super::members::context;
use crate::coordinator::Cx;
use crate::group::machine::Groups;
use crate::group::records::ConsumerRecord;
use crate::group::state::{GroupEpoch, TargetEpoch};
use crate::group::topics::{Topic, TopicTable};
use crate::types::TimestampMs;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Moves the epoch on if `bump` says so, or the subscribed topics are not what they were at the last epoch.
pub(super) fn refresh(cx: &mut Cx<'_, Groups>, group: &Arc<str>, bump: bool) {
    if !bump && !are_topics_new(cx, group) {
        return;
    }
    let hash = metadata_hash(cx, group);
    let before = cx.hard().consumer(group).map_or(0, |known| known.metadata_hash());
    if bump || hash != before {
        set(cx, group, hash);
    }
    checked(cx, group);
}

/// Moves the epoch on.
pub(super) fn bump(cx: &mut Cx<'_, Groups>, group: &Arc<str>) {
    let hash = metadata_hash(cx, group);
    set(cx, group, hash);
}

fn set(cx: &mut Cx<'_, Groups>, group: &Arc<str>, metadata_hash: i64) {
    let before = cx.hard().consumer(group).map_or(1, |known| known.group_epoch());
    let epoch = before.saturating_add(1);
    tracing::info!(group = %group, epoch, "the group's epoch moves on");
    emit(cx, group, ConsumerRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
}

/// Says that the target assignment is that of the group's epoch.
pub(super) fn set_target_epoch(cx: &mut Cx<'_, Groups>, group: &Arc<str>, at: TimestampMs) {
    let epoch = cx.hard().consumer(group).map_or(1, |known| known.group_epoch());
    emit(cx, group, ConsumerRecord::TargetEpoch(Some(TargetEpoch { epoch, at })));
}

/// Whether topics changed since the hash was last compared in this life.
fn are_topics_new(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> bool {
    let version = context(cx).topics.version();
    cx.soft().consumer.groups.get(group).is_none_or(|index| index.checked != Some(version))
}

/// Says that the hash was compared with the topics as they are.
pub(super) fn checked(cx: &mut Cx<'_, Groups>, group: &Arc<str>) {
    let version = context(cx).topics.version();
    if let Some(index) = cx.soft().consumer.groups.get_mut(group) {
        index.checked = Some(version);
    }
}

/// Hash over the topics that the group reads and that exist; 0 if there are none. The same in each life of the machine.
pub(super) fn metadata_hash(cx: &mut Cx<'_, Groups>, group: &Arc<str>) -> i64 {
    let topics = context(cx).topics;
    let live = &mut cx.soft().consumer;
    let Some(index) = live.groups.get(group) else { return 0 };
    let names: BTreeSet<&Arc<str>> = index.topics().collect();
    let mut hash = None;
    for name in names {
        let of_topic = match live.topic_hashes.get(name) {
            Some(known) => *known,
            None => {
                let Some(topic) = topics.by_name(name) else { continue };
                let of_topic = topic_hash(&topic, topics.as_ref());
                live.topic_hashes.insert(Arc::clone(name), of_topic);
                of_topic
            }
        };
        hash.get_or_insert_with(Hash::default).number(of_topic);
    }
    hash.map_or(0, |hash| hash.end().cast_signed())
}

fn topic_hash(topic: &Topic, topics: &dyn TopicTable) -> u64 {
    let mut hash = Hash::default();
    hash.number(0);
    hash.bytes(&topic.id.0);
    hash.bytes(topic.name.as_bytes());
    for partition in 0..topic.partitions {
        hash.number(u64::from(partition.cast_unsigned()));
        let mut racks = topics.racks(topic.id, partition);
        racks.sort();
        for rack in racks {
            hash.bytes(rack.as_bytes());
        }
    }
    hash.end()
}

/// 64 bits over numbers and strings: enough to tell two tables of topics apart, and written to logs, so it never
/// changes. Multiply and fold, with splitmix64's last step.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0x9e37_79b9_7f4a_7c15)
    }
}

impl Hash {
    fn number(&mut self, number: u64) {
        let wide = u128::from(self.0 ^ number) * 0xd134_2543_de82_ef95_u128;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23) ^ number.rotate_left(32);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.number(u64::from_le_bytes(word));
        }
    }

    fn end(self) -> u64 {
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}
