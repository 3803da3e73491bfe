//! What the tests of cleaning share: a partition's files, and a swap that is no more than renames.

mod model;
mod offline;
mod rules;

use super::swap::CLEANED;
use super::*;
use crate::log::local::files::{Kind, segment_path};
use crate::log::local::index_file::Entry;
use crate::log::local::offset_index::OffsetEntry;
use crate::log::local::seal::{self, BuildOptions, Stored, build_body};
use crate::log::local::time_index::TimeEntry;
use crate::record::{BatchHeader, Record, read_records, split_batches};
use crate::sys::{Fs, OpenHow, SeededRng, SimFs};
use crate::types::{Offset, ProducerId, TimestampMs};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DIR: &str = "/data/topic-0";

/// The files of a partition. The last segment is the active one.
struct Ground {
    fs: SimFs,
    segments: Vec<SourceSegment>,
}

impl Ground {
    /// An empty log.
    fn new() -> Ground {
        let fs = SimFs::default();
        fs.create_dir_all(Path::new(DIR)).unwrap();
        let mut ground = Ground { fs, segments: Vec::new() };
        ground.roll(Offset(0));
        ground
    }

    fn dir(&self) -> PathBuf {
        PathBuf::from(DIR)
    }

    fn roll(&mut self, base: Offset) {
        self.fs.plant(&segment_path(Path::new(DIR), base, Kind::Log), b"").unwrap();
        self.segments.push(SourceSegment { base, size: 0, end: base });
    }

    /// Appends a batch as it is.
    fn append(&mut self, batch: &[u8]) {
        let header = BatchHeader::parse(batch).unwrap();
        let active = self.segments.last_mut().unwrap();
        assert!(header.base_offset >= active.end, "offsets ascend");
        let path = segment_path(Path::new(DIR), active.base, Kind::Log);
        let mut bytes = self.fs.read(&path).unwrap();
        bytes.extend_from_slice(batch);
        self.fs.plant(&path, &bytes).unwrap();
        (active.size, active.end) = (bytes.len() as u64, header.next_offset());
    }

    fn end(&self) -> Offset {
        self.segments.last().unwrap().end
    }

    /// Everything below the active segment.
    fn task(&self, first_dirty: Offset, now: i64) -> CleanTask {
        let (active, sealed) = self.segments.split_last().unwrap();
        CleanTask {
            dir: self.dir(),
            segments: sealed.to_vec(),
            beyond: vec![*active],
            first_dirty,
            end: active.base,
            high_watermark: self.end(),
            producers: BTreeMap::new(),
            settings: CleanSettings {
                delete_retention_ms: 1000,
                index_interval_bytes: 100,
                ..CleanSettings::default()
            },
            now: TimestampMs(now),
        }
    }

    /// A cleaning in one go, with a map of so many slots. How it ended, and how many groups were replaced.
    fn clean(&mut self, task: &CleanTask, slots: usize) -> Result<(CleanReport, usize), CleanError> {
        let limits = CleanerLimits { map_bytes: slots * 16, load_factor: 0.9, io_buffer_bytes: 0 };
        let fs: Arc<dyn Fs> = Arc::new(self.fs.clone());
        let mut cleaner = Cleaner::new(fs, Arc::new(SeededRng::new(slots as u64)), limits);
        let mut cleaning = cleaner.begin(task, &FullSpeed)?;
        let mut groups = 0;
        while let Some(group) = cleaning.next_group()? {
            self.put_in_place(&group);
            groups += 1;
        }
        let names = self.fs.list(Path::new(DIR)).unwrap();
        assert!(!names.iter().any(|path| path.extension() == Some(CLEANED.as_ref())), "{names:?}");
        Ok((cleaning.finish(), groups))
    }

    fn put_in_place(&mut self, group: &CleanedGroup) {
        let (dir, base) = (self.dir(), group.seal.base);
        for old in &group.replaces {
            for suffix in ["log", "index", "timeindex", "txnindex", seal::SUFFIX] {
                let path = dir.join(format!("{:020}.{suffix}", old.base.0));
                if self.fs.exists(&path) {
                    self.fs.remove(&path).unwrap();
                }
            }
        }
        for suffix in ["log", "index", "timeindex", "txnindex", seal::SUFFIX] {
            let path = dir.join(format!("{:020}.{suffix}", base.0));
            let cleaned = dir.join(format!("{:020}.{suffix}.{CLEANED}", base.0));
            if suffix != "txnindex" || group.has_txn_index {
                self.fs.rename(&cleaned, &path).unwrap();
            }
        }
        let at = self.segments.iter().position(|segment| segment.base == base).unwrap();
        let replaced = at..at + group.replaces.len();
        assert_eq!(self.segments[replaced.clone()], group.replaces);
        let cleaned = SourceSegment { base, size: group.seal.body.size, end: group.seal.end };
        self.segments.splice(replaced, [cleaned]);
        self.check_files(group);
    }

    /// The seal is what sealing the file would give, and both indexes are true.
    fn check_files(&self, group: &CleanedGroup) {
        let (dir, base) = (self.dir(), group.seal.base);
        assert_eq!(seal::load(&self.fs, &dir, base), Stored::Sound(group.seal.clone()));
        let file = self.fs.open(&segment_path(&dir, base, Kind::Log), OpenHow::Read).unwrap();
        let mut headers = BTreeMap::new();
        let options = BuildOptions {
            base,
            end: group.seal.end,
            size: file.size().unwrap(),
            note: &mut |at, header| {
                headers.insert(at, *header);
            },
            pace: &mut |_| ControlFlow::Continue(()),
        };
        let body = build_body(&*file, options).unwrap();
        assert_eq!(
            seal::Body { epochs: Vec::new(), ..body },
            seal::Body { epochs: Vec::new(), ..group.seal.body.clone() }
        );
        assert!(
            body.epochs.iter().all(|(epoch, _)| group
                .seal
                .body
                .epochs
                .iter()
                .any(|(known, _)| known == epoch))
        );
        let index = self.fs.read(&segment_path(&dir, base, Kind::Index)).unwrap();
        for entry in index.chunks(8).map(|bytes| OffsetEntry::decode(bytes).unwrap()) {
            assert_eq!(headers[&u64::from(entry.position)].last_offset(), entry.last_offset(base));
        }
        let times = self.fs.read(&segment_path(&dir, base, Kind::TimeIndex)).unwrap();
        let times: Vec<_> = times.chunks(12).map(|bytes| TimeEntry::decode(bytes).unwrap()).collect();
        let closing = times.last().map_or(TimestampMs::NONE, |entry| entry.timestamp);
        assert_eq!(closing, body.max_time);
        for entry in times {
            let upto = headers.values().take_while(|header| header.last_offset() <= entry.last_offset(base));
            assert_eq!(upto.map(|header| header.max_timestamp).max(), Some(entry.timestamp));
        }
    }

    /// Every batch of the log.
    fn batches(&self) -> Vec<(BatchHeader, Bytes)> {
        let read = |segment: &SourceSegment| {
            let bytes = self.fs.read(&segment_path(Path::new(DIR), segment.base, Kind::Log)).unwrap();
            assert_eq!(bytes.len() as u64, segment.size);
            split_batches(&bytes.into()).map(Result::unwrap).collect::<Vec<_>>()
        };
        self.segments.iter().flat_map(read).collect()
    }

    /// Every record of the log that is not a marker.
    fn records(&self) -> Vec<Record> {
        let data = self.batches().into_iter().filter(|(header, _)| !header.is_control());
        data.flat_map(|(_, batch)| read_records(&batch, 1 << 20).unwrap().map(Result::unwrap)).collect()
    }
}
