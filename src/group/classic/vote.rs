//! Which protocol a group uses: one that all members can, by vote. Must not know what a protocol does.

use crate::group::state::ClassicProtocol;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many members can each protocol.
#[derive(Debug, Default)]
pub(super) struct Support {
    by_name: BTreeMap<Arc<str>, usize>,
}

impl Support {
    /// One more member can these.
    pub fn add(&mut self, protocols: &[ClassicProtocol]) {
        for name in names(protocols) {
            *self.by_name.entry(Arc::clone(name)).or_default() += 1;
        }
    }

    /// A member that could these is gone.
    pub fn remove(&mut self, protocols: &[ClassicProtocol]) {
        for name in names(protocols) {
            let Some(count) = self.by_name.get_mut(name) else { continue };
            *count -= 1;
            if *count == 0 {
                self.by_name.remove(name);
            }
        }
    }

    /// Whether all of so many members can it.
    pub fn by_all(&self, name: &str, members: usize) -> bool {
        self.by_name.get(name).copied().unwrap_or(0) == members
    }

    /// The protocol most members put first among those that all can.
    pub fn vote<'a>(
        &self,
        members: impl ExactSizeIterator<Item = &'a [ClassicProtocol]>,
    ) -> Option<Arc<str>> {
        let count = members.len();
        let mut votes: BTreeMap<(u32, &Arc<str>), usize> = BTreeMap::new();
        for protocols in members {
            let first = protocols.iter().find(|can| self.by_all(&can.name, count));
            if let Some(first) = first {
                *votes.entry((rank(&first.name), &first.name)).or_default() += 1;
            }
        }
        let mut best: Option<(&Arc<str>, usize)> = None;
        for ((_, name), votes) in votes {
            if best.is_none_or(|(_, most)| votes > most) {
                best = Some((name, votes));
            }
        }
        best.map(|(name, _)| Arc::clone(name))
    }
}

/// The names without repetition: a client that says one twice has one voice.
fn names(protocols: &[ClassicProtocol]) -> BTreeSet<&Arc<str>> {
    protocols.iter().map(|can| &can.name).collect()
}

/// Decides between protocols with as many votes. Kafka takes the first of a hash map: the low bits of a name's Java
/// hash. So do we, since a group should not change its protocol by moving to another broker.
fn rank(name: &str) -> u32 {
    let hash =
        name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_protocol_that_kafka_takes() {
        let mut names = ["cooperative-sticky", "range", "roundrobin", "sticky"];
        names.sort_by_key(|name| rank(name));
        assert_eq!(names, ["sticky", "range", "roundrobin", "cooperative-sticky"]);
    }
}
