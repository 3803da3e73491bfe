//! Moving the log start offset, and removing the segments that fall below it.

use super::files::{FileKey, Kind, segment_path};
use super::log::{LocalLog, State};
use super::marks::Mark;
use super::seal::seal_path;
use super::segment::Sealed;
use crate::log::{CutError, LogState};
use crate::types::Offset;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the name of a file that waits for removal ends in, as Kafka's does.
pub const DELETED: &str = "deleted";

impl LocalLog {
    pub(super) fn move_start(&self, start: Offset) -> Result<Offset, CutError> {
        {
            let state = self.state.lock();
            if start <= state.start {
                return Ok(state.start);
            }
            if start > state.seen.offset {
                return Err(CutError::OutOfRange { asked: start, high_watermark: state.seen.offset });
            }
            if state.phase != LogState::Online {
                return Err(io::Error::other("the log is offline").into());
            }
        }
        // Where syncs are left to the system the high watermark runs ahead of the durable end. A start beyond it would
        // outlive the records below it in a power cut, and those that came next would lie below the start.
        if start > self.durable_end() {
            self.commit();
            if start > self.durable_end() {
                return Err(io::Error::other("the records below the new start cannot be synced").into());
            }
        }
        // The mark that takes the start along speaks of the log's own files, not of the journal.
        if start > self.state.lock().filed.end && !self.commit() {
            return Err(io::Error::other("the records below the new start cannot be synced").into());
        }
        self.want_start(start);
        let settled = self.dir().settle_starts();
        // Another caller's round may have taken this wish along.
        if self.state.lock().start >= start {
            return Ok(start);
        }
        let failed = || io::Error::other("the marks were not written");
        Err(settled.err().unwrap_or_else(failed).into())
    }

    /// Asks for a new start, which comes when the directory writes its marks next. Records below it are durable and
    /// below the high watermark.
    pub(super) fn want_start(&self, start: Offset) {
        self.dir().want_start(self.number(), self.me.clone(), start);
    }

    /// The mark is on disk: shows the start and takes the segments below it out.
    pub(super) fn start_settled(&self, mark: &Mark) {
        let _tidying = self.tidying.lock();
        let gone = {
            let mut state = self.state.lock();
            if mark.start > state.start {
                state.start = mark.start;
                state.epochs.cut_front(mark.start);
                state.epochs_moved = true;
                self.marks.send_modify(|marks| marks.start = mark.start);
            }
            let gone = state.take_below_start(mark.point.base);
            if !gone.is_empty() {
                self.next_layout();
            }
            gone
        };
        let delay = self.delete_delay();
        for sealed in gone {
            self.put_away(&sealed, delay);
        }
    }

    /// `file.delete.delay.ms`
    pub(super) fn delete_delay(&self) -> Duration {
        let delay = self.state.lock().settings.file_delete_delay_ms;
        Duration::from_millis(u64::try_from(delay).unwrap_or(0))
    }

    fn durable_end(&self) -> Offset {
        self.state.lock().point.end
    }

    /// Renames the files of a segment, which removes it from the log at once, and leaves the removal to the
    /// background. Whatever of the names survives a crash lies below the start and goes at the next start.
    pub(super) fn put_away(&self, sealed: &Sealed, delay: Duration) {
        let kinds = [Kind::Log, Kind::Index, Kind::TimeIndex];
        for kind in kinds {
            let key = FileKey { generation: sealed.generation, ..self.key(sealed.base, kind) };
            self.dir().pool().forget(key);
        }
        let paths = kinds.map(|kind| segment_path(self.path(), sealed.base, kind));
        for path in paths.into_iter().chain([seal_path(self.path(), sealed.base)]) {
            let target = deleted_name(&path);
            match self.dir().fs().rename(&path, &target) {
                Ok(()) => self.dir().remove_later(target, delay),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(file = %path.display(), %error, "cannot remove a segment"),
            }
        }
    }
}

impl State {
    /// Takes the segments out that lie wholly below the start and below `base`, the segment of the mark on disk:
    /// recovery misses that one, whatever was appended since.
    fn take_below_start(&mut self, base: Offset) -> Vec<Sealed> {
        let ends = self.sealed.iter().skip(1).map(|next| next.base).chain([self.active.base]);
        let gone = self
            .sealed
            .iter()
            .zip(ends)
            .take_while(|(sealed, end)| *end <= self.start && sealed.base < base)
            .count();
        self.sealed.drain(..gone).collect()
    }
}

fn deleted_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(DELETED);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::super::testing::LocalPlace;
    use super::*;
    use crate::log::contract::{batch, contents};
    use crate::log::{LogSettings, PartitionLog};
    use crate::sys::{Call, Fault, SimFs};
    use crate::types::Epoch;

    /// Each of ten batches of one record in a segment of its own, all durable and marked.
    fn ten_segments(fs: &SimFs) -> (LocalPlace, std::sync::Arc<LocalLog>) {
        let place = LocalPlace::simulated(fs);
        let log = place.log(LogSettings { segment_bytes: 1, ..LogSettings::default() }).unwrap().0;
        for at in 0..10 {
            log.append(batch(&[at]), Epoch(0)).unwrap();
        }
        place.dir.commit_round();
        (place, log)
    }

    #[test]
    fn a_segment_that_the_mark_on_disk_names_stays_though_the_durable_end_has_left_it() {
        // The mark was compared in memory. A roll and a commit round between the writing of the marks and the removal
        // took the segment away in which recovery begins, and the log looked damaged after a crash.
        let fs = SimFs::default();
        let (_place, log) = ten_segments(&fs);
        let mark = log.mark().unwrap();
        let older = Mark {
            start: Offset(5),
            point: super::super::marks::Point { base: Offset(4), ..mark.point },
            sums: None,
        };
        log.start_settled(&older);
        let there = |base| fs.read_raw(&segment_path(log.path(), Offset(base), Kind::Log)).is_ok();
        assert_eq!((there(3), there(4), log.marks().start), (false, true, Offset(5)));
        assert_eq!(contents(&*log).len(), 5);
    }

    #[test]
    fn a_start_in_the_marks_never_goes_back() {
        // The background wrote the marks between the writing of a new start and the log's taking it over: the old start
        // was on disk again while the segments below the new one went, and the log looked damaged after a crash.
        let fs = SimFs::default();
        let (place, log) = ten_segments(&fs);
        let key = (log.topic_id(), log.name().partition);
        let old = log.mark().unwrap();
        let mut file = place.dir.marks.lock();
        file.put(key, Mark { start: Offset(5), ..old });
        file.put(key, old);
        assert_eq!(file.marks.by_partition[&key].start, Offset(5));
    }

    #[test]
    fn starts_of_many_logs_go_into_one_writing_of_the_marks() {
        let fs = SimFs::default();
        let (place, first) = ten_segments(&fs);
        let name = crate::types::TopicPartition::new("topic", 1);
        let id = first.topic_id();
        let second = place.dir.open_partition(&name, id, LogSettings::default()).unwrap().0;
        second.append(batch(&[1, 2, 3]), Epoch(0)).unwrap();
        place.dir.commit_round();
        first.want_start(Offset(4));
        second.want_start(Offset(2));
        // A second writing would fail.
        fs.fail(Fault::eio(Call::Rename).named("logboom.marks").nth(2));
        place.dir.settle_starts().unwrap();
        assert_eq!(fs.struck(), 0);
        assert_eq!((first.marks().start, second.marks().start), (Offset(4), Offset(2)));
    }
}
