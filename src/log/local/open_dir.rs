//! Taking a log directory into use: its lock, whose it is, its marks. Must not know what is in its partitions.

use super::aside::is_trash;
use super::clean::Checkpoint;
use super::commit::CommitQueue;
use super::dir::{Commit, LogDir, LogDirOptions, read_if_sound, read_if_there};
use super::files::FilePool;
use super::health::{Health, WatchedFs};
use super::journal::Journal;
use super::keep::{Keeper, MarksFile};
use super::marks::{self, Marks};
use super::meta::{self, Meta};
use super::proof::SealCache;
use super::reserve::{Reserve, store_at_start};
use super::whose::partition_named;
use crate::sys::{Clock, Fs, Rng, write_atomically};
use crate::types::Uuid;
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

/// Whose a log directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Id of the cluster.
    pub cluster_id: Uuid,
    /// The broker.
    pub node_id: i32,
}

/// Why a log directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenDirError {
    /// Another process has it.
    #[error("the log directory {0} is in use by another process")]
    InUse(PathBuf),
    /// `meta.properties` is not readable. It is not replaced: its ids say whose data this is.
    #[error("{0} is damaged or of an unknown version")]
    BadMeta(PathBuf),
    /// It belongs to another cluster, or to another node of this one.
    #[error("the log directory {path} belongs to node {} of cluster {}, not to node {} of cluster {}",
        found.node_id, found.cluster_id, wanted.node_id, wanted.cluster_id)]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: Member,
        /// Whose it should be.
        wanted: Member,
    },
    /// The file system said no.
    #[error("cannot open the log directory: {0}")]
    Storage(#[from] io::Error),
}

impl LogDir {
    /// Takes the lock `.lock`, makes the directory if absent, reads `meta.properties` (or writes a new one with fresh
    /// ids) and the marks.
    pub fn open(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        path: &Path,
        options: LogDirOptions,
    ) -> Result<Arc<LogDir>, OpenDirError> {
        LogDir::open_for(fs, clock, rng, path, options, None)
    }

    /// What `meta.properties` of the directory at `path` says, without taking the directory into use; `None` if
    /// there is no such file.
    pub fn peek(fs: &dyn Fs, path: &Path) -> Result<Option<Meta>, OpenDirError> {
        let file = path.join(meta::META_FILE);
        let Some(bytes) = read_if_there(fs, &file)? else { return Ok(None) };
        Meta::parse(&bytes).map(Some).ok_or(OpenDirError::BadMeta(file))
    }

    /// As [`LogDir::open`], as one of several directories: a new one joins `member`, and one of another is refused.
    pub fn open_for(
        fs: Arc<dyn Fs>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        path: &Path,
        options: LogDirOptions,
        member: Option<Member>,
    ) -> Result<Arc<LogDir>, OpenDirError> {
        let keeper = Arc::<Keeper>::default();
        let health = Arc::new(Health::new(path, {
            let keeper = Arc::clone(&keeper);
            move || keeper.wake()
        }));
        let fs: Arc<dyn Fs> = Arc::new(WatchedFs { inner: fs, health: Arc::clone(&health) });
        make_durable(&*fs, path)?;
        let lock = fs.lock(&path.join(".lock")).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenDirError::InUse(path.to_owned()),
            _ => error.into(),
        })?;
        let meta = read_meta(&*fs, &*rng, path, member)?;
        let names = fs.list(path)?;
        let has_partitions = names.iter().any(|name| partition_named(name).is_some());
        let stored = read_if_sound(&*fs, &path.join(marks::FILE))?.map(|bytes| Marks::decode(&bytes));
        let lost = !matches!(stored, Some(Some(_))) && has_partitions;
        let mut marks = stored.flatten().unwrap_or(Marks { clean: !lost, lost, ..Marks::default() });
        let impossible = marks.drop_impossible();
        if impossible > 0 {
            tracing::error!(dir = %path.display(), impossible, "marks that no log can have are ignored");
        }
        let was_clean = marks.clean;
        marks.clean = false;
        // Before anything is appended: a crash from here on must not look like a shutdown in good order.
        let journal = Journal::open(&*fs, path, &names)?;
        let was_full = store_at_start(&*fs, path, &path.join(marks::FILE), &marks.encode())?;
        let dir = Arc::new(LogDir {
            pool: FilePool::new(fs.clone(), options.open_files_max),
            seals: SealCache::default(),
            sealer: Arc::default(),
            queue: Arc::new(CommitQueue::new()),
            keeper,
            health,
            meta,
            was_clean,
            marks: Mutex::new(MarksFile { marks, written_at: clock.mono(), moved: false }),
            bytes_since_marks: AtomicU64::new(0),
            logs: Mutex::default(),
            opening: Mutex::default(),
            closing: AtomicBool::default(),
            starts: Mutex::default(),
            settling: Mutex::new(()),
            trash: Arc::default(),
            reserve: Reserve::default(),
            journal,
            unsyncable: Mutex::default(),
            numbers: AtomicU64::new(0),
            cleaned: Checkpoint::default(),
            threads: Mutex::default(),
            lock: Mutex::new(Some(lock)),
            path: path.to_owned(),
            options,
            fs,
            clock,
            rng,
        });
        dir.begin(names, was_full)?;
        Ok(dir)
    }

    /// Goes on with what an earlier process left, and starts what runs beside the callers.
    fn begin(self: &Arc<Self>, names: Vec<PathBuf>, was_full: bool) -> io::Result<()> {
        let gone = names.into_iter().filter(|name| is_trash(name));
        gone.for_each(|gone| self.remove_later(gone, Duration::ZERO));
        if was_full {
            self.note_failed_write(&io::ErrorKind::StorageFull.into());
        }
        match self.options.commit {
            Commit::Thread => {
                self.start_threads()?;
                self.start_sealer()
            }
            Commit::Task => {
                self.start_task();
                Ok(())
            }
            Commit::Manual => Ok(()),
        }
    }
}

/// Makes the directory, and makes sure that its name, and those of directories made above it, outlast a power cut.
pub(super) fn make_durable(fs: &dyn Fs, path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|above| !fs.is_dir(above)).count();
    fs.create_dir_all(path)?;
    // One above what was there, for an earlier process may have made it and died before it could sync.
    for above in path.ancestors().skip(1).take(missing.max(1)) {
        match fs.sync_dir(if above.as_os_str().is_empty() { Path::new(".") } else { above }) {
            // Not ours to read, then not made by us.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
    }
    Ok(())
}

/// The ids of the directory; a new one gets an id of its own.
fn read_meta(fs: &dyn Fs, rng: &dyn Rng, dir: &Path, member: Option<Member>) -> Result<Meta, OpenDirError> {
    if let Some(meta) = LogDir::peek(fs, dir)? {
        let found = Member { cluster_id: meta.cluster_id, node_id: meta.node_id };
        return match member.filter(|wanted| *wanted != found) {
            Some(wanted) => Err(OpenDirError::Foreign { path: dir.to_owned(), found, wanted }),
            None => Ok(meta),
        };
    }
    let draw = || Uuid::from_random(rng.next_u128());
    let Member { cluster_id, node_id } = member.unwrap_or_else(|| Member { cluster_id: draw(), node_id: 1 });
    let meta = Meta { cluster_id, node_id, directory_id: draw() };
    write_atomically(fs, &dir.join(meta::META_FILE), meta.to_text().as_bytes())?;
    Ok(meta)
}
