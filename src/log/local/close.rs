//! The mark of a log, and its last one: what a crash, or the next start, goes by.

use super::epochs;
use super::log::{LocalLog, State};
use super::marks::{Mark, MarkSums};
use crate::log::LogState;
use crate::sys::{File, replace};
use crate::types::Offset;
use std::io;
use std::sync::Arc;

/// What must be on disk before a mark may be.
struct Owed {
    indexes: Vec<(Offset, Arc<dyn File>)>,
    index_names: bool,
    epochs: Option<String>,
    mark: Mark,
}

impl LocalLog {
    /// The end of what is durable in the log's own files, with all that goes with it synced: the entries of both
    /// indexes below it, and the epochs.
    pub(super) fn mark(&self) -> io::Result<Mark> {
        let owed = {
            let mut state = self.state.lock();
            if state.phase != LogState::Online || self.dir().health.is_failed() {
                return Err(io::Error::other("the log is offline"));
            }
            self.write_indexes(&mut state)?;
            state.owed()
        };
        self.settle(owed)
    }

    fn settle(&self, owed: Owed) -> io::Result<Mark> {
        let Owed { indexes, mut index_names, epochs, mark } = owed;
        let synced = indexes.iter().try_for_each(|(_, file)| file.sync_data());
        if let Err(error) = synced {
            // The disk does not keep what it is given: better offline now than wrong later. `reopen` builds anew
            // what was not synced.
            let mut state = self.state.lock();
            state.unsynced_indexes.extend(indexes);
            self.fail(&mut state, &error, "index sync");
            return Err(error);
        }
        let fs = self.dir().fs();
        if let Some(text) = epochs {
            if let Err(error) = replace(fs, &self.path().join(epochs::FILE), text.as_bytes()) {
                let mut state = self.state.lock();
                state.index_names_unsynced |= index_names;
                state.epochs_moved = true;
                return Err(error);
            }
            index_names = true;
        }
        if index_names && let Err(error) = fs.sync_dir(self.path()) {
            // It may have taken the name of a new segment with it.
            self.fail(&mut self.state.lock(), &error, "directory sync");
            return Err(error);
        }
        Ok(mark)
    }

    /// Syncs all, writes the last index entries and the last mark's facts, and lets go of the files.
    pub(super) fn finish(&self) -> io::Result<()> {
        // A start that was asked for would wait for the next life of the log. It takes `tidying` to show itself.
        if self.state.lock().phase == LogState::Online
            && let Err(error) = self.dir().settle_starts()
        {
            tracing::warn!(partition = %self.name(), %error, "cannot move the log start offset");
        }
        // Once it is closed its directory may get another name, and another log its name.
        let _tidying = self.tidying.lock();
        if self.state.lock().phase == LogState::Online {
            self.commit();
        }
        let turn = self.syncing.lock();
        let mut state = self.state.lock();
        if state.phase == LogState::Closed {
            return Ok(());
        }
        let was_online = state.phase == LogState::Online && !self.dir().health.is_failed();
        let all_durable = was_online && state.point.end == state.end && state.unsynced.is_empty();
        let owed = if all_durable {
            self.owed_at_close(&mut state)
        } else {
            Err(io::Error::other("not all is durable"))
        };
        if state.filed != state.point {
            self.dir().journal.keep_for(self.key_of_marks());
        }
        state.phase = LogState::Closed;
        state.unsynced.clear();
        self.marks.send_modify(|marks| marks.state = LogState::Closed);
        drop(state);
        drop(turn);
        let mark = owed.and_then(|owed| self.settle(owed));
        self.dir().pool().forget_log(self.number());
        self.dir().seals().forget_log(self.number());
        self.dir().closed(self, mark.as_ref().ok().copied());
        mark.map(|_| ())
    }

    fn owed_at_close(&self, state: &mut State) -> io::Result<Owed> {
        // The segment closes like one that is rolled: with its largest timestamp in the time index.
        state.active.note_time();
        self.write_indexes(state)?;
        state.point = state.active.point(state.end);
        state.filed = state.point;
        Ok(state.owed())
    }
}

impl State {
    fn owed(&mut self) -> Owed {
        let moved = std::mem::take(&mut self.epochs_moved);
        // What lies above the durable end is not promised, and recovery drops it.
        let mut below = self.epochs.clone();
        below.cut_back(self.filed.end);
        Owed {
            indexes: std::mem::take(&mut self.unsynced_indexes),
            index_names: std::mem::take(&mut self.index_names_unsynced),
            epochs: moved.then(|| self.epochs.to_text()),
            mark: Mark {
                start: self.start,
                point: self.filed,
                sums: Some(MarkSums { epochs: below.sum(self.start) }),
            },
        }
    }
}
