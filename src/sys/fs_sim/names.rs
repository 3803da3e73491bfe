//! What one simulated directory holds: the names that are seen, the names that are on disk for certain, and the
//! operations between the two, of which a crash keeps any part. Knows nothing of bytes.

use super::survival::Kept;
use crate::sys::SeededRng;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// Number of a file or directory, for as long as the file system lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Inode(pub(super) u64);

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Node {
    File(Inode),
    Dir(Inode),
}

pub(super) type Entries = BTreeMap<OsString, Node>;

/// An operation on the names of one directory. A rename into another directory is a `Drop` in one and a `Put` in
/// the other, and each needs a sync of its own.
#[derive(Clone)]
enum NameChange {
    Put(OsString, Node),
    Drop(OsString, Node),
    /// Within one directory a rename is there or not, never half.
    Move {
        source: OsString,
        target: OsString,
        node: Node,
    },
}

impl NameChange {
    fn apply(&self, entries: &mut Entries) {
        match self {
            NameChange::Put(name, node) => {
                entries.insert(name.clone(), *node);
            }
            NameChange::Drop(name, node) => {
                if entries.get(name) == Some(node) {
                    entries.remove(name);
                }
            }
            NameChange::Move { source, target, node } => {
                if entries.get(source) == Some(node) {
                    entries.remove(source);
                } else {
                    // An earlier rename of the same file was lost: it still has an older name here.
                    entries.retain(|_, held| held != node);
                }
                entries.insert(target.clone(), *node);
            }
        }
    }

    fn node(&self) -> Node {
        match self {
            NameChange::Put(_, node) | NameChange::Drop(_, node) | NameChange::Move { node, .. } => *node,
        }
    }
}

/// A directory of the simulation.
#[derive(Clone, Default)]
pub(super) struct Names {
    now: Entries,
    disk: Entries,
    unsynced: Vec<NameChange>,
}

impl Names {
    /// A directory whose names are all on disk.
    pub(super) fn at_rest(entries: Entries) -> Names {
        Names { now: entries.clone(), disk: entries, unsynced: Vec::new() }
    }

    /// The names that are seen.
    pub(super) fn now(&self) -> &Entries {
        &self.now
    }

    pub(super) fn get(&self, name: &OsStr) -> Option<Node> {
        self.now.get(name).copied()
    }

    pub(super) fn put(&mut self, name: &OsStr, node: Node) {
        self.change(NameChange::Put(name.to_owned(), node));
    }

    pub(super) fn remove(&mut self, name: &OsStr, node: Node) {
        self.change(NameChange::Drop(name.to_owned(), node));
    }

    pub(super) fn rename(&mut self, source: &OsStr, target: &OsStr, node: Node) {
        self.change(NameChange::Move { source: source.to_owned(), target: target.to_owned(), node });
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    /// All names reach the disk.
    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            change.apply(&mut self.disk);
        }
    }

    /// A sync that reported an error: any part of the operations is on disk, and later syncs do not try again.
    pub(super) fn sync_failed(&mut self, rng: &SeededRng) {
        self.disk = self.survivor(Kept::draw(rng, self.unsynced.len()), rng);
        self.unsynced.clear();
    }

    /// Number of operations that a crash may take back.
    pub(super) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// The names after a power cut.
    pub(super) fn survivor(&self, kept: Kept, rng: &SeededRng) -> Entries {
        let mut entries = self.disk.clone();
        for (at, change) in self.unsynced.iter().enumerate() {
            if kept.keeps(at, rng) {
                change.apply(&mut entries);
            }
        }
        entries
    }

    /// Every node that a reader or a crash may still reach from here.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> {
        let named = self.now.values().chain(self.disk.values()).copied();
        named.chain(self.unsynced.iter().map(NameChange::node))
    }
}
