//! The tree of a simulated file system: names to directories and files, room, and what a crash makes of it all.

use super::content::Content;
use super::fault::{Call, Fate, Schedule};
use super::names::{Entries, Inode, Names, Node};
use super::pages::{PAGE, Pages};
use super::survival::Survival;
use crate::sys::SeededRng;
use crate::types::TimestampMs;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Removed files that are kept for a crash before a sweep looks which of them a crash could bring back; a number
/// that makes sweeps rare in a test of a few files.
const SWEEP_AT_LEAST: usize = 256;

/// The root directory.
const ROOT: Inode = Inode(0);

/// All there is on a simulated disk, and in the memory of its file system.
#[derive(Clone)]
pub(super) struct State {
    files: BTreeMap<Inode, Content>,
    dirs: BTreeMap<Inode, Names>,
    next: u64,
    /// Open handles by file: a removed file takes room until the last of them is dropped.
    open: BTreeMap<Inode, usize>,
    /// Files without a name.
    removed: BTreeSet<Inode>,
    sweep_at: usize,
    locks: BTreeSet<PathBuf>,
    pages_max: u64,
    pages_used: u64,
    /// Times of last change that a test gave.
    modified: BTreeMap<Inode, TimestampMs>,
    pub(super) schedule: Schedule,
    pub(super) rng: Arc<SeededRng>,
}

impl State {
    pub(super) fn new(seed: u64) -> State {
        State {
            files: BTreeMap::new(),
            dirs: BTreeMap::from([(ROOT, Names::default())]),
            next: 1,
            open: BTreeMap::new(),
            removed: BTreeSet::new(),
            sweep_at: SWEEP_AT_LEAST,
            locks: BTreeSet::new(),
            pages_max: u64::MAX / PAGE,
            pages_used: 0,
            modified: BTreeMap::new(),
            schedule: Schedule::default(),
            rng: Arc::new(SeededRng::new(seed)),
        }
    }

    /// Counts a call; an inner error is to be returned after the effect.
    pub(super) fn begin(&mut self, call: Call, path: &Path) -> io::Result<io::Result<()>> {
        match self.schedule.fate(call, path)? {
            Fate::Runs(outcome) => Ok(outcome),
            Fate::Fails { error, .. } => Err(error),
        }
    }

    // Names.

    pub(super) fn find(&self, path: &Path) -> io::Result<Node> {
        let mut node = Node::Dir(ROOT);
        for name in names(path)? {
            let Node::Dir(dir) = node else { return Err(io::ErrorKind::NotADirectory.into()) };
            node = self.dir(dir)?.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    pub(super) fn find_dir(&self, path: &Path) -> io::Result<Inode> {
        match self.find(path)? {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// The directory that holds the last name of `path`, and that name.
    fn find_parent<'a>(&self, path: &'a Path) -> io::Result<(Inode, &'a OsStr)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.find_dir(path.parent().unwrap_or(Path::new("")))?, name))
    }

    pub(super) fn dir(&self, dir: Inode) -> io::Result<&Names> {
        self.dirs.get(&dir).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn dir_mut(&mut self, dir: Inode) -> io::Result<&mut Names> {
        self.dirs.get_mut(&dir).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn fresh(&mut self) -> Inode {
        let inode = Inode(self.next);
        self.next += 1;
        inode
    }

    pub(super) fn create_file(&mut self, path: &Path) -> io::Result<(Inode, io::Result<()>)> {
        let (parent, name) = self.find_parent(path)?;
        let outcome = self.begin(Call::Create, path)?;
        let file = self.fresh();
        self.files.insert(file, Content::default());
        self.dir_mut(parent)?.put(name, Node::File(file));
        Ok((file, outcome))
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut at = PathBuf::from("/");
        let mut parent = ROOT;
        for name in names(path)? {
            at.push(name);
            parent = match self.dir(parent)?.get(name) {
                Some(Node::Dir(dir)) => dir,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    let outcome = self.begin(Call::MakeDir, &at)?;
                    let dir = self.fresh();
                    self.dirs.insert(dir, Names::default());
                    self.dir_mut(parent)?.put(name, Node::Dir(dir));
                    outcome?;
                    dir
                }
            };
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, source: &Path, target: &Path) -> io::Result<()> {
        let node = self.find(source)?;
        let (source_dir, source_name) = self.find_parent(source)?;
        let (target_dir, target_name) = self.find_parent(target)?;
        let replaced = self.dir(target_dir)?.get(target_name);
        if replaced == Some(node) {
            return self.begin(Call::Rename, source)?;
        }
        self.may_replace(node, replaced)?;
        if matches!(node, Node::Dir(_)) && names(target)?.starts_with(&names(source)?) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let outcome = self.begin(Call::Rename, source)?;
        if source_dir == target_dir {
            self.dir_mut(source_dir)?.rename(source_name, target_name, node);
        } else {
            self.dir_mut(target_dir)?.put(target_name, node);
            self.dir_mut(source_dir)?.remove(source_name, node);
        }
        if let Some(Node::File(file)) = replaced {
            self.unlinked(file);
        }
        outcome
    }

    fn may_replace(&self, node: Node, replaced: Option<Node>) -> io::Result<()> {
        match (node, replaced) {
            (Node::File(_), Some(Node::Dir(_))) => Err(io::ErrorKind::IsADirectory.into()),
            (Node::Dir(_), Some(Node::File(_))) => Err(io::ErrorKind::NotADirectory.into()),
            (Node::Dir(_), Some(Node::Dir(dir))) if !self.dir(dir)?.now().is_empty() => {
                Err(io::ErrorKind::DirectoryNotEmpty.into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let Node::File(file) = self.find(path)? else { return Err(io::ErrorKind::IsADirectory.into()) };
        let (parent, name) = self.find_parent(path)?;
        let outcome = self.begin(Call::Remove, path)?;
        self.dir_mut(parent)?.remove(name, Node::File(file));
        self.unlinked(file);
        outcome
    }

    /// Removes what is below first, each with a call of its own, as the system's library does.
    pub(super) fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find_dir(path)?;
        let below: Vec<(OsString, Node)> = self.dir(dir)?.now().clone().into_iter().collect();
        for (name, node) in below {
            match node {
                Node::File(_) => self.remove_file(&path.join(name))?,
                Node::Dir(_) => self.remove_dir_all(&path.join(name))?,
            }
        }
        let (parent, name) = self.find_parent(path)?;
        let outcome = self.begin(Call::Remove, path)?;
        self.dir_mut(parent)?.remove(name, Node::Dir(dir));
        outcome
    }

    // Files and room.

    pub(super) fn file(&self, file: Inode) -> io::Result<&Content> {
        self.files.get(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Changes a file and counts the pages it took or gave back.
    pub(super) fn change<T>(&mut self, file: Inode, change: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let content = self.files.get_mut(&file).ok_or(io::ErrorKind::NotFound)?;
        let before = content.now().held();
        let result = change(content);
        self.pages_used = (self.pages_used + content.now().held()).saturating_sub(before);
        Ok(result)
    }

    pub(super) fn opened(&mut self, file: Inode) {
        *self.open.entry(file).or_default() += 1;
    }

    pub(super) fn closed(&mut self, file: Inode) {
        let left = self.open.get(&file).copied().unwrap_or(0).saturating_sub(1);
        if left > 0 {
            self.open.insert(file, left);
            return;
        }
        self.open.remove(&file);
        if self.removed.contains(&file) {
            self.release(file);
        }
    }

    fn unlinked(&mut self, file: Inode) {
        self.removed.insert(file);
        if !self.open.contains_key(&file) {
            self.release(file);
        }
        if self.removed.len() >= self.sweep_at {
            self.sweep();
        }
    }

    /// The pages of a removed file are free, though a crash may yet bring its name back.
    fn release(&mut self, file: Inode) {
        let held = self.files.get(&file).map_or(0, |content| content.now().held());
        self.pages_used = self.pages_used.saturating_sub(held);
    }

    /// Forgets files and directories that neither a reader nor a crash can reach.
    fn sweep(&mut self) {
        let mut reached: BTreeSet<Inode> = self.open.keys().copied().collect();
        let mut waiting = vec![Node::Dir(ROOT)];
        while let Some(node) = waiting.pop() {
            let (Node::File(inode) | Node::Dir(inode)) = node;
            if reached.insert(inode)
                && let Some(names) = self.dirs.get(&inode)
            {
                waiting.extend(names.nodes());
            }
        }
        self.files.retain(|file, _| reached.contains(file));
        self.dirs.retain(|dir, _| reached.contains(dir));
        self.removed.retain(|file| reached.contains(file));
        self.sweep_at = SWEEP_AT_LEAST.max(self.removed.len() * 2);
    }

    /// Files in memory, with or without a name.
    #[cfg(test)]
    pub(super) fn kept_files(&self) -> usize {
        self.files.len()
    }

    pub(super) fn modified(&self, file: Inode) -> Option<TimestampMs> {
        self.modified.get(&file).copied()
    }

    pub(super) fn set_modified(&mut self, file: Inode, at: TimestampMs) {
        self.modified.insert(file, at);
    }

    pub(super) fn set_capacity(&mut self, bytes: u64) {
        self.pages_max = bytes / PAGE;
    }

    pub(super) fn pages_max(&self) -> u64 {
        self.pages_max
    }

    pub(super) fn pages_free(&self) -> u64 {
        self.pages_max.saturating_sub(self.pages_used)
    }

    // Locks.

    pub(super) fn lock(&mut self, path: &Path) -> io::Result<()> {
        if self.locks.insert(path.to_owned()) { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    pub(super) fn unlock(&mut self, path: &Path) {
        self.locks.remove(path);
    }

    // What remains.

    /// The same disk and cache without the process: no locks, no handles, no faults.
    pub(super) fn without_process(&self) -> State {
        let mut state = self.clone();
        for file in std::mem::take(&mut state.open).into_keys() {
            if state.removed.contains(&file) {
                state.release(file);
            }
        }
        state.locks.clear();
        state.schedule = Schedule::default();
        state.rng = Arc::new(SeededRng::new(0));
        state
    }

    /// The disk after the power came back.
    pub(super) fn after_power_cut(&self, seed: u64, names: Survival, bytes: Survival) -> State {
        let mut state = State { pages_max: self.pages_max, next: self.next, ..State::new(seed) };
        let rng = Arc::clone(&state.rng);
        let mut waiting = vec![Node::Dir(ROOT)];
        while let Some(node) = waiting.pop() {
            match node {
                Node::Dir(inode) => {
                    let Some(dir) = self.dirs.get(&inode) else { continue };
                    let survivor = dir.survivor(names.kept(&rng, dir.unsynced()), &rng);
                    // Two lost renames may leave a directory under two names; it is walked once.
                    waiting.extend(survivor.values().copied().filter(|node| !state.holds(*node)));
                    state.dirs.insert(inode, Names::at_rest(survivor));
                }
                Node::File(inode) => {
                    let Some(file) = self.files.get(&inode) else { continue };
                    let survivor = file.survivor(bytes.kept(&rng, file.unsynced()), &rng);
                    state.put_at_rest(inode, survivor);
                }
            }
        }
        state
    }

    fn holds(&self, node: Node) -> bool {
        match node {
            Node::File(inode) => self.files.contains_key(&inode),
            Node::Dir(inode) => inode != ROOT && self.dirs.contains_key(&inode),
        }
    }

    fn put_at_rest(&mut self, file: Inode, bytes: Pages) {
        self.pages_used += bytes.held();
        if let Some(replaced) = self.files.insert(file, Content::at_rest(bytes)) {
            self.pages_used = self.pages_used.saturating_sub(replaced.now().held());
        }
    }

    /// The names that lead to `path` reach the disk, and so do the others beside them.
    pub(super) fn settle_names(&mut self, path: &Path) -> io::Result<()> {
        for dir in path.ancestors().skip(1) {
            let dir = self.find_dir(dir)?;
            self.dir_mut(dir)?.sync();
        }
        Ok(())
    }

    /// Everything reaches the disk.
    pub(super) fn settle(&mut self) {
        self.files.values_mut().for_each(Content::sync);
        self.dirs.values_mut().for_each(Names::sync);
    }

    /// Every file that has a name, by path.
    pub(super) fn paths(&self) -> BTreeMap<PathBuf, Inode> {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<(PathBuf, &Entries)> = Vec::new();
        waiting.extend(self.dirs.get(&ROOT).map(|root| (PathBuf::from("/"), root.now())));
        while let Some((path, entries)) = waiting.pop() {
            for (name, node) in entries {
                match node {
                    Node::File(file) => {
                        found.insert(path.join(name), *file);
                    }
                    Node::Dir(dir) => {
                        waiting.extend(self.dirs.get(dir).map(|names| (path.join(name), names.now())));
                    }
                }
            }
        }
        found
    }
}

fn names(path: &Path) -> io::Result<Vec<&OsStr>> {
    let parts = path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
    let name = |part| match part {
        Component::Normal(name) => Ok(name),
        _ => Err(io::Error::from(io::ErrorKind::InvalidInput)),
    };
    parts.map(name).collect()
}
