//! Forgets offsets of topics that are gone, so that a topic made again under the same name is not read from where the
//! former one was left.
//!
//! The names of all topics that have offsets are known with the id that each had when it was last looked at. When the
//! table of topics has changed, those whose id is another now are looked for in all groups, turn by turn if there is
//! much to write; until a turn has come to a group, its stale offsets are hidden. An offset is stale if it is of the
//! former id, or says nothing of its topic and is older than the look. After a load the former ids are not known: then
//! all that is older than the look and not of the present id is stale. Nothing younger is touched, for a commit may
//! know of a new topic before the table does.

use super::{BREATH, GROUPS_PER_TURN, RECORDS_PER_TURN, forget_offsets};
use crate::coordinator::Cx;
use crate::group::machine::{Groups, Timer};
use crate::group::state::{Committed, Group};
use crate::group::topics::TopicTable;
use crate::types::{TimestampMs, TopicId};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// What is known of the topics that have offsets.
#[derive(Default)]
pub(super) struct Known {
    /// Version of the table at the last look; none before the first of this life.
    version: Option<u64>,
    /// Names with their ids at the last look. All topics with offsets are here; others only as long as they exist.
    ids: BTreeMap<Arc<str>, Option<TopicId>>,
    /// What is under way.
    pass: Option<Pass>,
}

/// A way through all groups.
struct Pass {
    gone: BTreeMap<Arc<str>, Gone>,
    /// When the table was looked at.
    at: TimestampMs,
    /// The last group that is done.
    after: Option<Arc<str>>,
    forgotten: usize,
}

/// A topic that is not what it was.
#[derive(Clone, Copy)]
struct Gone {
    /// Its id at the look before; none if that was not in this life, or it was not there.
    former: Option<TopicId>,
    /// Its id now.
    present: Option<TopicId>,
    /// This is the first look of this life.
    at_load: bool,
}

impl Known {
    /// A topic gets an offset.
    pub(super) fn note(&mut self, topic: &Arc<str>, id: TopicId) {
        if !self.ids.contains_key(topic) {
            self.ids.insert(Arc::clone(topic), (!id.is_zero()).then_some(id));
        }
    }

    /// Whether this offset is of a topic that is gone, and will be forgotten soon.
    pub(super) fn is_stale(&self, topic: &str, committed: &Committed) -> bool {
        let pass = self.pass.as_ref();
        pass.is_some_and(|pass| pass.gone.get(topic).is_some_and(|gone| gone.takes(committed, pass.at)))
    }

    /// Looks at the table: which topics are not what they were.
    fn look(&mut self, table: &dyn TopicTable) -> BTreeMap<Arc<str>, Gone> {
        let at_load = self.version.replace(table.version()).is_none();
        let mut gone = BTreeMap::new();
        for (name, id) in &mut self.ids {
            let present = table.by_name(name).map(|topic| topic.id);
            let former = std::mem::replace(id, present);
            if at_load || former != present {
                gone.insert(Arc::clone(name), Gone { former: former.filter(|_| !at_load), present, at_load });
            }
        }
        // A name that is gone stays for one more look: it may be there again, and have offsets that came before this.
        self.ids.retain(|name, id| id.is_some() || gone.contains_key(name));
        gone
    }
}

impl Gone {
    fn takes(&self, committed: &Committed, look: TimestampMs) -> bool {
        let id = committed.topic_id;
        let older = committed.at < look;
        if id.is_zero() {
            let replaced = self.present.is_none() || (self.former.is_some() && self.former != self.present);
            return older && replaced;
        }
        self.present != Some(id) && (self.former == Some(id) || (self.at_load && older))
    }
}

/// Forgets offsets of topics that are gone, if the table of topics has changed.
pub fn forget_topics(cx: &mut Cx<'_, Groups>) {
    let Some(context) = cx.soft().context.clone() else { return };
    let table = context.topics;
    if cx.soft().offsets.topics.version == Some(table.version()) {
        return;
    }
    // What an earlier change left to do is done first, so that there is one pass at most.
    while cx.soft().offsets.topics.pass.is_some() {
        take_turn(cx);
    }
    if cx.soft().offsets.topics.version.is_none() {
        note_all(cx);
    }
    let at = cx.wall();
    let known = &mut cx.soft().offsets.topics;
    let gone = known.look(&*table);
    if !gone.is_empty() {
        known.pass = Some(Pass { gone, at, after: None, forgotten: 0 });
        go_on_forgetting(cx);
    }
}

/// A turn of the pass under way.
pub fn go_on_forgetting(cx: &mut Cx<'_, Groups>) {
    take_turn(cx);
    match cx.soft().offsets.topics.pass {
        Some(_) => cx.arm(Timer::Forget, cx.now().after(BREATH)),
        None => cx.disarm(&Timer::Forget),
    }
}

/// After a load: the topics of all offsets.
fn note_all(cx: &mut Cx<'_, Groups>) {
    let (hard, soft) = cx.state();
    for topic in hard.groups.values().flat_map(|group| group.offsets.keys()) {
        soft.offsets.topics.note(topic, TopicId::ZERO);
    }
}

fn take_turn(cx: &mut Cx<'_, Groups>) {
    let Some(mut pass) = cx.soft().offsets.topics.pass.take() else { return };
    let from = pass.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let behind = cx.hard().groups.range::<Arc<str>, _>((from, Bound::Unbounded));
    let mut found = Vec::new();
    let mut room = RECORDS_PER_TURN;
    let mut looked = 0;
    for (id, group) in behind.take(GROUPS_PER_TURN) {
        let stale = pass.stale(group, room);
        room = room.saturating_sub(stale.len());
        if !stale.is_empty() {
            found.push((Arc::clone(id), stale));
        }
        if room == 0 {
            // There may be more in this group.
            break;
        }
        looked += 1;
        pass.after = Some(Arc::clone(id));
    }
    let all = room > 0 && looked < GROUPS_PER_TURN;
    for (id, stale) in found {
        pass.forgotten += stale.len();
        forget_offsets(cx, &id, stale);
    }
    if !all {
        cx.soft().offsets.topics.pass = Some(pass);
    } else if pass.forgotten > 0 {
        tracing::info!(offsets = pass.forgotten, "offsets of topics that are gone removed");
    }
}

impl Pass {
    /// The stale offsets of a group, at most `room`.
    fn stale(&self, group: &Group, room: usize) -> Vec<(Arc<str>, i32)> {
        let mut stale = Vec::new();
        // The shorter list asks the longer one.
        if self.gone.len() < group.offsets.len() {
            for (topic, gone) in &self.gone {
                if let Some((topic, partitions)) = group.offsets.get_key_value(topic) {
                    self.stale_of(topic, partitions, gone, &mut stale);
                }
            }
        } else {
            for (topic, partitions) in &group.offsets {
                if let Some(gone) = self.gone.get(topic) {
                    self.stale_of(topic, partitions, gone, &mut stale);
                }
            }
        }
        stale.truncate(room);
        stale
    }

    fn stale_of(
        &self,
        topic: &Arc<str>,
        partitions: &BTreeMap<i32, Committed>,
        gone: &Gone,
        stale: &mut Vec<(Arc<str>, i32)>,
    ) {
        let taken = partitions.iter().filter(|(_, committed)| gone.takes(committed, self.at));
        stale.extend(taken.map(|(partition, _)| (Arc::clone(topic), *partition)));
    }
}
