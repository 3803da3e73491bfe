//! The log directories: which can be used, which holds the catalog, and in which a partition is. Must not know what is
//! in a partition, nor when one is opened.

use crate::log::local::{LogDir, LogDirOptions, LogDirState, Member, Meta, OpenDirError, partition_named};
use crate::sys::{Clock, Fs, Rng};
use crate::types::{TopicId, TopicPartition, Uuid};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The log directories in the order of `log.dirs`, at least one.
pub(super) struct LogDirs {
    slots: Vec<Slot>,
    catalog: Arc<LogDir>,
}

/// One entry of `log.dirs`.
pub(super) struct Slot {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The directory, or why it could not be opened.
    opened: Result<Arc<LogDir>, Arc<str>>,
}

/// What the directories are opened with.
pub(super) struct Ground<'a> {
    pub(super) fs: &'a Arc<dyn Fs>,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) rng: &'a Arc<dyn Rng>,
    pub(super) options: LogDirOptions,
    /// `node.id`, for directories that are new.
    pub(super) node_id: i32,
}

/// Why the log directories cannot be used together.
#[derive(Debug, thiserror::Error)]
pub enum OpenDirsError {
    /// The only one, or that of the catalog, or one that must not be left out.
    #[error(transparent)]
    Dir(#[from] OpenDirError),
    /// Two of different brokers.
    #[error(
        "the log directories {} and {} belong to different brokers: node {} of cluster {}, and node {} of cluster {}",
        one.display(), two.display(), first.node_id, first.cluster_id, second.node_id, second.cluster_id
    )]
    Mixed {
        /// A directory.
        one: PathBuf,
        /// Whose it is.
        first: Member,
        /// Another one.
        two: PathBuf,
        /// Whose that is.
        second: Member,
    },
    /// The same directory by two ways, or a copy of one.
    #[error(
        "the log directories {} and {} have the same directory.id: they are the same directory, or one is a copy",
        one.display(), two.display()
    )]
    Twins {
        /// A directory.
        one: PathBuf,
        /// Another one.
        two: PathBuf,
    },
    /// Which one holds is not for us to say.
    #[error(
        "the log directories {} and {} both have a catalog ({name}); one of them has to go",
        one.display(), two.display()
    )]
    TwoCatalogs {
        /// A directory.
        one: PathBuf,
        /// Another one.
        two: PathBuf,
        /// Name of the catalog's partition.
        name: TopicPartition,
    },
    /// Without the catalog all partitions would look like those of deleted topics.
    #[error("no log directory has the catalog ({name}), and this is not a new broker: {why}")]
    NoCatalog {
        /// Name of the catalog's partition.
        name: TopicPartition,
        /// What says that there should be one.
        why: String,
    },
}

/// Why there is no directory to open a partition in. Nothing is made anew then.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotPlaced {
    #[error("its log directory is offline: {0}")]
    Offline(String),
    #[error("it is in two log directories, {} and {}; one of them has to go", one.display(), two.display())]
    Twice { one: PathBuf, two: PathBuf },
    #[error("cannot look for its log directory: {0}")]
    Storage(#[from] io::Error),
}

/// Where a partition is.
pub(super) struct Place {
    pub(super) dir: Arc<LogDir>,
    /// Not where the catalog has it: somebody moved it while the broker was down.
    pub(super) moved: bool,
}

impl Slot {
    /// The directory if it can be used.
    pub(super) fn online(&self) -> Option<&Arc<LogDir>> {
        self.opened.as_ref().ok().filter(|dir| dir.state() == LogDirState::Online)
    }

    /// Why it cannot be used.
    pub(super) fn why_failed(&self) -> Option<Arc<str>> {
        match &self.opened {
            Err(why) => Some(Arc::clone(why)),
            Ok(dir) => match dir.state() {
                LogDirState::Online => None,
                LogDirState::Failed(why) => Some(why),
            },
        }
    }
}

impl LogDirs {
    /// Opens all. One that cannot be opened is left out, unless it is the catalog's or the error is one of the
    /// operator: then nothing is opened.
    pub(super) fn open(
        ground: &Ground<'_>,
        paths: &[PathBuf],
        catalog: &TopicPartition,
    ) -> Result<LogDirs, OpenDirsError> {
        let fs = ground.fs.as_ref();
        let mut peeked: Vec<_> = paths.iter().map(|path| (path, LogDir::peek(fs, path))).collect();
        let metas: Vec<(&PathBuf, Meta)> =
            peeked.iter().filter_map(|(path, meta)| Some((*path, (*meta.as_ref().ok()?)?))).collect();
        check_metas(&metas)?;
        let member = metas.first().map_or_else(
            || Member { cluster_id: Uuid::from_random(ground.rng.next_u128()), node_id: ground.node_id },
            |(_, meta)| member_of(meta),
        );
        let at = match peeked.as_mut_slice() {
            // Its own error says most.
            [(_, Err(_))] => 0,
            all => find_catalog(fs, all, catalog)?,
        };
        let open = |path: &Path| {
            let (fs, clock, rng) = (ground.fs.clone(), ground.clock.clone(), ground.rng.clone());
            LogDir::open_for(fs, clock, rng, path, ground.options, Some(member))
        };
        let path_of_catalog = paths.get(at).cloned().unwrap_or_default();
        let catalog = open(&path_of_catalog)?;
        let mut slots = Vec::with_capacity(paths.len());
        for path in paths {
            let opened = match *path == path_of_catalog {
                true => Ok(Arc::clone(&catalog)),
                false => match open(path) {
                    Ok(dir) => Ok(dir),
                    Err(error @ (OpenDirError::InUse(_) | OpenDirError::Foreign { .. })) => {
                        return Err(error.into());
                    }
                    Err(error) => {
                        tracing::error!(
                            dir = %path.display(), %error,
                            "a log directory cannot be used: its partitions are offline until the next start"
                        );
                        Err(error.to_string().into())
                    }
                },
            };
            slots.push(Slot { path: path.clone(), opened });
        }
        Ok(LogDirs { slots, catalog })
    }

    /// The one that holds the catalog.
    pub(super) fn catalog(&self) -> &Arc<LogDir> {
        &self.catalog
    }

    /// All entries of `log.dirs`.
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Those that can be used, in order.
    pub(super) fn online(&self) -> impl Iterator<Item = &Arc<LogDir>> {
        self.slots.iter().filter_map(Slot::online)
    }

    /// Those that were opened, also if they failed since.
    pub(super) fn opened(&self) -> impl Iterator<Item = &Arc<LogDir>> {
        self.slots.iter().filter_map(|slot| slot.opened.as_ref().ok())
    }

    /// Ids of those that can be used, in order.
    pub(super) fn online_ids(&self) -> Arc<[Uuid]> {
        self.online().map(|dir| dir.directory_id()).collect()
    }

    /// All were closed in good order, none is missing.
    pub(super) fn were_clean(&self) -> bool {
        self.slots.iter().all(|slot| slot.opened.as_ref().is_ok_and(|dir| dir.was_clean()))
    }

    /// Whether a partition that the catalog has in this directory can be used there, as far as the directory goes.
    pub(super) fn is_online(&self, recorded: Uuid) -> bool {
        self.home(recorded).is_some()
    }

    /// Whether a partition that the catalog has in `recorded` belongs into this directory.
    pub(super) fn is_home(&self, dir: &Arc<LogDir>, recorded: Uuid) -> bool {
        self.home(recorded).is_some_and(|home| Arc::ptr_eq(home, dir))
    }

    fn home(&self, recorded: Uuid) -> Option<&Arc<LogDir>> {
        match recorded.is_zero() {
            true => Some(&self.catalog).filter(|dir| dir.state() == LogDirState::Online),
            false => self.online().find(|dir| dir.directory_id() == recorded),
        }
    }

    /// The directory to open a partition in: the one that the catalog has it in, or the only one that it is found in.
    pub(super) fn place(
        &self,
        name: &TopicPartition,
        id: TopicId,
        recorded: Uuid,
    ) -> Result<Place, NotPlaced> {
        let home = self.home(recorded);
        if let ([_], Some(home)) = (self.slots.as_slice(), home) {
            return Ok(Place { dir: Arc::clone(home), moved: false });
        }
        let mut elsewhere = Vec::new();
        for dir in self.online().filter(|dir| home.is_none_or(|home| !Arc::ptr_eq(home, dir))) {
            if dir.holds(name, id, false)? {
                elsewhere.push(dir);
            }
        }
        let there = home.map(|home| home.holds(name, id, true)).transpose()?.unwrap_or(false);
        match (home, elsewhere.as_slice()) {
            (Some(home), []) => Ok(Place { dir: Arc::clone(home), moved: false }),
            (Some(home), [other, ..]) if there => Err(twice(home, other)),
            (_, [one, two, ..]) => Err(twice(one, two)),
            (Some(_), [other]) => Ok(Place { dir: Arc::clone(other), moved: true }),
            (None, found) => {
                if let Some(slot) = self.slots.iter().find(|slot| slot.why_failed().is_some()) {
                    // It may have newer records than what was found elsewhere.
                    let why = slot.why_failed().unwrap_or_default();
                    return Err(NotPlaced::Offline(format!("{}: {why}", slot.path.display())));
                }
                match found {
                    [other, ..] => Ok(Place { dir: Arc::clone(other), moved: true }),
                    [] => Err(NotPlaced::Offline(format!("no directory has the id {recorded}"))),
                }
            }
        }
    }

    /// Removes a partition, wherever it is; its files go after `delay`.
    pub(super) fn delete_partition(
        &self,
        name: &TopicPartition,
        id: TopicId,
        delay: Duration,
    ) -> io::Result<()> {
        let mut deleted = Ok(());
        for dir in self.online() {
            let removed = match dir.holds(name, id, true) {
                Ok(true) => dir.delete_partition(name, delay),
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            deleted = deleted.and(removed);
        }
        deleted
    }

    /// Every partition that has a directory in one that can be listed, and which.
    pub(super) fn partitions_on_disk(&self) -> Vec<(Arc<LogDir>, TopicPartition, Option<TopicId>)> {
        let mut all = Vec::new();
        for dir in self.online() {
            match dir.partitions_on_disk() {
                Ok(found) => all.extend(found.into_iter().map(|(name, id)| (Arc::clone(dir), name, id))),
                Err(error) => {
                    tracing::warn!(dir = %dir.path().display(), %error, "cannot list a log directory");
                }
            }
        }
        all
    }
}

fn twice(one: &LogDir, two: &LogDir) -> NotPlaced {
    NotPlaced::Twice { one: one.path().to_owned(), two: two.path().to_owned() }
}

fn member_of(meta: &Meta) -> Member {
    Member { cluster_id: meta.cluster_id, node_id: meta.node_id }
}

/// All directories belong to one broker, and none is there twice: Kafka's rules.
fn check_metas(metas: &[(&PathBuf, Meta)]) -> Result<(), OpenDirsError> {
    for (nth, (two, second)) in metas.iter().enumerate() {
        for (one, first) in metas.iter().take(nth) {
            let (one, two) = ((*one).clone(), (*two).clone());
            if member_of(first) != member_of(second) {
                let (first, second) = (member_of(first), member_of(second));
                return Err(OpenDirsError::Mixed { one, first, two, second });
            }
            if first.directory_id == second.directory_id {
                return Err(OpenDirsError::Twins { one, two });
            }
        }
    }
    Ok(())
}

/// A directory, and what was read of its `meta.properties`.
type Peeked<'a> = (&'a PathBuf, Result<Option<Meta>, OpenDirError>);

/// The directory that has the catalog; in a new broker the first.
fn find_catalog(
    fs: &dyn Fs,
    peeked: &mut [Peeked<'_>],
    name: &TopicPartition,
) -> Result<usize, OpenDirsError> {
    let folder = name.to_string();
    let mut found: Option<(usize, &PathBuf)> = None;
    for (at, (path, _)) in peeked.iter().enumerate() {
        if !fs.is_dir(&path.join(&folder)) {
            continue;
        }
        if let Some((_, one)) = found {
            let (one, two) = (one.clone(), (*path).clone());
            return Err(OpenDirsError::TwoCatalogs { one, two, name: name.clone() });
        }
        found = Some((at, path));
    }
    if let Some((at, _)) = found {
        return Ok(at);
    }
    let no_catalog = |why| OpenDirsError::NoCatalog { name: name.clone(), why };
    if let [(first, Ok(None)), rest @ ..] = &*peeked
        && let Some((other, _)) = rest.iter().find(|(_, meta)| matches!(meta, Ok(Some(_))))
    {
        // The catalog is made before any other directory is.
        return Err(no_catalog(format!("{} is new and {} is not", first.display(), other.display())));
    }
    for (path, meta) in peeked.iter() {
        let why = match meta {
            Err(error) => Some(format!("{}: {error}", path.display())),
            Ok(None) => None,
            Ok(Some(_)) => {
                let names = fs.list(path).map_err(OpenDirError::from)?;
                let partition = names.iter().find_map(|path| partition_named(path));
                partition.map(|partition| format!("{} has the partition {partition}", path.display()))
            }
        };
        if let Some(why) = why {
            return Err(no_catalog(why));
        }
    }
    Ok(0)
}
