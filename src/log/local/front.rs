//! Moving the log start offset, and removing the segments that fall below it.

use super::files::{FileKey, Kind, segment_path};
use super::log::{LocalLog, State};
use super::segment::Sealed;
use crate::log::{CutError, LogState};
use crate::types::Offset;
use std::io;
use std::path::{Path, PathBuf};

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
        let _tidying = self.tidying.lock();
        // Durable before it is shown: a start that went back would show records that were said to be gone.
        self.dir().write_marks_with_start(self, start)?;
        let mut state = self.state.lock();
        if start > state.start {
            state.start = start;
            state.epochs.cut_front(start);
            state.epochs_moved = true;
            self.marks.send_modify(|marks| marks.start = start);
        }
        let gone = state.take_below_start();
        if !gone.is_empty() {
            self.next_layout();
        }
        drop(state);
        for sealed in gone {
            self.put_away(&sealed);
        }
        Ok(start)
    }

    fn durable_end(&self) -> Offset {
        self.state.lock().point.end
    }

    /// Renames the files of a segment, which removes it from the log at once, and leaves the removal to the
    /// background. Whatever of the names survives a crash lies below the start and goes at the next start.
    pub(super) fn put_away(&self, sealed: &Sealed) {
        for kind in [Kind::Log, Kind::Index, Kind::TimeIndex] {
            self.dir()
                .pool()
                .forget(FileKey { generation: sealed.generation, ..self.key(sealed.base, kind) });
            let path = segment_path(self.path(), sealed.base, kind);
            if !self.dir().fs().exists(&path) {
                continue;
            }
            let target = deleted_name(&path);
            match self.dir().fs().rename(&path, &target) {
                Ok(()) => self.dir().remove_later(target),
                Err(error) => tracing::warn!(file = %path.display(), %error, "cannot remove a segment"),
            }
        }
    }
}

impl State {
    /// Takes the segments out that lie wholly below the start and below the durable end's segment.
    fn take_below_start(&mut self) -> Vec<Sealed> {
        let ends = self.sealed.iter().skip(1).map(|next| next.base).chain([self.active.base]);
        let gone = self
            .sealed
            .iter()
            .zip(ends)
            .take_while(|(sealed, end)| *end <= self.start && sealed.base < self.point.base)
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
