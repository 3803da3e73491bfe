//! What a path is: a file of a known kind, the directory of a partition, or a log directory. Goes by names, as Kafka
//! does; must not know what is in a file.

use crate::sys::Fs;
use crate::types::{Offset, TopicPartition};
use std::io;
use std::path::{Path, PathBuf};

/// What a file is by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FileKind {
    /// `<base>.log`: record batches.
    Log,
    /// `<offset>-<epoch>.checkpoint`, `bootstrap.checkpoint`: batches of a metadata snapshot.
    MetadataSnapshot,
    /// `<base>.index`
    OffsetIndex,
    /// `<base>.timeindex`
    TimeIndex,
    /// `<base>.txnindex`: aborted transactions.
    TxnIndex,
    /// `<at>.snapshot`: producers.
    Snapshot,
    /// `<base>.seal`, ours alone.
    Seal,
    /// `leader-epoch-checkpoint`
    Epochs,
    /// `partition.metadata`
    PartitionMetadata,
    /// `logboom.marks`, ours alone.
    Marks,
    /// `logboom.damage`, ours alone.
    Damage,
    /// `meta.properties`
    MetaProperties,
    /// `recovery-point-offset-checkpoint` and the like: an offset for each partition.
    OffsetCheckpoint,
    /// `.kafka_cleanshutdown`, `quorum-state`: JSON.
    Json,
    /// `.lock`
    Lock,
    /// Another file of ours, as the reserve for a full disk.
    Own,
    /// Something else.
    Unknown,
}

impl FileKind {
    /// The kind of a name, and whether it is a leftover: on its way out, or a replacement that was not finished.
    pub fn of(path: &Path) -> (FileKind, bool) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let suffixes = [".deleted", ".cleaned", ".swap", ".tmp", ".damaged"];
        let plain = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
        (FileKind::of_name(plain.unwrap_or(name)), plain.is_some())
    }

    fn of_name(name: &str) -> FileKind {
        match name {
            "leader-epoch-checkpoint" => FileKind::Epochs,
            "partition.metadata" => FileKind::PartitionMetadata,
            "logboom.marks" => FileKind::Marks,
            "logboom.damage" => FileKind::Damage,
            "meta.properties" => FileKind::MetaProperties,
            ".kafka_cleanshutdown" | "quorum-state" => FileKind::Json,
            ".lock" => FileKind::Lock,
            "bootstrap.checkpoint" => FileKind::MetadataSnapshot,
            "recovery-point-offset-checkpoint"
            | "log-start-offset-checkpoint"
            | "replication-offset-checkpoint"
            | "cleaner-offset-checkpoint" => FileKind::OffsetCheckpoint,
            own if own.starts_with("logboom.") => FileKind::Own,
            _ => match name.rsplit_once('.') {
                Some((stem, suffix)) => FileKind::of_suffix(stem, suffix),
                None => FileKind::Unknown,
            },
        }
    }

    fn of_suffix(stem: &str, suffix: &str) -> FileKind {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let epoch = |text: &str| text.split_once('-').is_some_and(|(at, epoch)| digits(at) && digits(epoch));
        match suffix {
            "checkpoint" if epoch(stem) => FileKind::MetadataSnapshot,
            _ if !digits(stem) => FileKind::Unknown,
            "log" => FileKind::Log,
            "index" => FileKind::OffsetIndex,
            "timeindex" => FileKind::TimeIndex,
            "txnindex" => FileKind::TxnIndex,
            "snapshot" => FileKind::Snapshot,
            "seal" => FileKind::Seal,
            _ => FileKind::Unknown,
        }
    }

    /// The number in a name that begins with digits and a dot; a base offset, or that of a snapshot.
    pub fn number(path: &Path) -> Option<Offset> {
        let name = path.file_name()?.to_str()?;
        let digits = name.split(['.', '-']).next()?;
        digits.parse().ok().map(Offset)
    }
}

/// What an argument names.
#[derive(Debug)]
pub enum Target {
    /// One file.
    File(PathBuf),
    /// One partition.
    Partition(PartitionPlace),
    /// A log directory.
    Log(LogPlace),
}

/// The directory of a partition.
#[derive(Clone, Debug)]
pub struct PartitionPlace {
    /// Its path.
    pub path: PathBuf,
    /// Topic and number, by the name of the directory.
    pub name: Option<TopicPartition>,
    /// Base offsets of its segments, ascending.
    pub bases: Vec<Offset>,
    /// Every file, by name.
    pub files: Vec<PathBuf>,
}

/// A log directory.
#[derive(Clone, Debug)]
pub struct LogPlace {
    /// Its path.
    pub path: PathBuf,
    /// Its partitions, by name; those on their way out are not among them.
    pub partitions: Vec<PathBuf>,
    /// Its own files, by name.
    pub files: Vec<PathBuf>,
    /// Directories that are no partition, or one on its way out.
    pub others: Vec<PathBuf>,
}

impl Target {
    /// Looks what a path is.
    pub fn of(fs: &dyn Fs, path: &Path) -> io::Result<Target> {
        if !fs.is_dir(path) {
            if !fs.exists(path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            return Ok(Target::File(path.to_owned()));
        }
        let partition = PartitionPlace::read(fs, path)?;
        let log = LogPlace::read(fs, path)?;
        let named = |kind| log.files.iter().any(|file| FileKind::of(file) == (kind, false));
        let of_log = named(FileKind::MetaProperties) || named(FileKind::Marks) || !log.partitions.is_empty();
        match of_log {
            true => Ok(Target::Log(log)),
            false => Ok(Target::Partition(partition)),
        }
    }
}

impl PartitionPlace {
    /// Lists the directory of a partition.
    pub fn read(fs: &dyn Fs, path: &Path) -> io::Result<PartitionPlace> {
        let mut files = fs.list(path)?;
        files.retain(|file| !fs.is_dir(file));
        let logs = files.iter().filter(|file| FileKind::of(file) == (FileKind::Log, false));
        let mut bases: Vec<Offset> = logs.filter_map(|file| FileKind::number(file)).collect();
        bases.sort_unstable();
        Ok(PartitionPlace { path: path.to_owned(), name: partition_of(&real(path)), bases, files })
    }

    /// The file of a segment.
    pub fn segment(&self, base: Offset, suffix: &str) -> PathBuf {
        self.path.join(format!("{:020}.{suffix}", base.0))
    }

    /// The files of a kind, leftovers not among them.
    pub fn of_kind(&self, kind: FileKind) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().filter(move |file| FileKind::of(file) == (kind, false))
    }

    /// Bytes of a file; none if it is not there.
    pub fn size(&self, fs: &dyn Fs, base: Offset, suffix: &str) -> io::Result<Option<u64>> {
        size_of(fs, &self.segment(base, suffix))
    }
}

/// Bytes of a file; none if it is not there.
pub fn size_of(fs: &dyn Fs, path: &Path) -> io::Result<Option<u64>> {
    match fs.open(path, crate::sys::OpenHow::Read) {
        Ok(file) => file.size().map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl LogPlace {
    /// Lists a log directory.
    pub fn read(fs: &dyn Fs, path: &Path) -> io::Result<LogPlace> {
        let (directories, files): (Vec<_>, Vec<_>) =
            fs.list(path)?.into_iter().partition(|entry| fs.is_dir(entry));
        let (partitions, others) =
            directories.into_iter().partition(|directory| partition_of(directory).is_some());
        Ok(LogPlace { path: path.to_owned(), partitions, files, others })
    }
}

/// A path whose last part is a name, also where somebody wrote `.` or a slash at its end.
fn real(path: &Path) -> PathBuf {
    match path.file_name() {
        Some(_) => path.to_owned(),
        None => std::env::current_dir().map(|here| here.join(path)).unwrap_or_else(|_| path.to_owned()),
    }
}

/// The partition whose directory has this name: a topic, a dash, a number.
pub fn partition_of(path: &Path) -> Option<TopicPartition> {
    let name = path.file_name()?.to_str()?;
    let (topic, number) = name.rsplit_once('-')?;
    let digits = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    (digits && !topic.is_empty()).then(|| Some(TopicPartition::new(topic, number.parse().ok()?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names_as_kafka_writes_them() {
        let check = |name: &str, kind, leftover| {
            assert_eq!(FileKind::of(Path::new(name)), (kind, leftover), "{name}");
        };
        check("a/00000000000000000042.log", FileKind::Log, false);
        check("00000000000000000042.log.deleted", FileKind::Log, true);
        check("00000000000000000042.timeindex.swap", FileKind::TimeIndex, true);
        check("00000000000000000042.txnindex", FileKind::TxnIndex, false);
        check("00000000000000000042-0000000003.checkpoint", FileKind::MetadataSnapshot, false);
        check("cleaner-offset-checkpoint", FileKind::OffsetCheckpoint, false);
        check("logboom.marks.tmp", FileKind::Marks, true);
        check("logboom.reserve", FileKind::Own, false);
        check("server.log", FileKind::Unknown, false);
        check("notes.txt", FileKind::Unknown, false);
    }

    #[test]
    fn a_directory_is_a_partition_by_the_number_at_its_end() {
        let name = |text: &str| partition_of(Path::new(text)).map(|name| name.to_string());
        assert_eq!(name("/d/a-b-12").as_deref(), Some("a-b-12"));
        assert_eq!(name("/d/orders-0.0123456789abcdef0123456789abcdef-delete"), None);
        for wrong in ["a-", "-1", "a", "a-1x", "a-99999999999"] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }
}
