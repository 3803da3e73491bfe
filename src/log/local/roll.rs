//! When the active segment is full, and beginning the next one. The rules are Kafka's (`LogSegment.shouldRoll`).

use super::files::{FileKey, Held, Kind, segment_path};
use super::index_file::Entry;
use super::log::{LocalLog, State};
use super::offset_index::{OffsetEntry, relative};
use super::seal::seal_path;
use super::segment::Active;
use super::time_index::TimeEntry;
use crate::log::LogSettings;
use crate::sys::{File, OpenHow};
use crate::types::{Offset, TimestampMs};
use std::io;
use std::sync::Arc;

/// What is about to be appended.
#[derive(Clone, Copy, Debug)]
pub struct Incoming {
    /// Bytes of all batches.
    pub bytes: u64,
    /// Last offset they will have.
    pub last: Offset,
    /// Largest timestamp.
    pub max_time: TimestampMs,
    /// Wall clock.
    pub now: TimestampMs,
}

/// Kafka reads positions as `int32`, so no segment grows past this whatever the settings say.
const SEGMENT_BYTES_MAX: u64 = i32::MAX as u64;

/// True if the batches belong into a new segment.
pub fn should_roll(active: &Active, incoming: Incoming, settings: &LogSettings) -> bool {
    if relative(active.base, incoming.last).is_none() {
        return true;
    }
    // An empty segment takes what comes, also what is larger than a segment.
    active.size > 0
        && (active.size.saturating_add(incoming.bytes) > settings.segment_bytes.min(SEGMENT_BYTES_MAX)
            || is_old(active, incoming, settings)
            || is_full(active, settings))
}

fn is_old(active: &Active, incoming: Incoming, settings: &LogSettings) -> bool {
    let now = if settings.log_append_time { incoming.now } else { incoming.max_time };
    let age = match active.first_time.filter(|first| first.0 >= 0 && now.0 >= 0) {
        Some(first) => now.0.saturating_sub(first.0),
        None => incoming.now.0.saturating_sub(active.used_since.0),
    };
    age > settings.segment_ms.saturating_sub(active.jitter_ms)
}

/// The time index keeps one place free for the entry that closes it.
fn is_full(active: &Active, settings: &LogSettings) -> bool {
    let places = |size: usize| settings.index_bytes_max / size as u64;
    u64::from(active.index.len()) >= places(OffsetEntry::SIZE).max(1)
        || u64::from(active.times.len()) >= places(TimeEntry::SIZE).saturating_sub(1).max(1)
}

impl LocalLog {
    /// Seals the active segment and begins one at the end of the log. After an error the log is as before.
    ///
    /// Nothing is synced here: the sealed file stays among the unsynced ones and the directory is marked, so that
    /// the next commit round makes both durable before anything in the new segment is declared so.
    pub(super) fn roll(&self, state: &mut State, now: TimestampMs) -> io::Result<()> {
        let base = state.end;
        state.active.note_time();
        self.write_indexes(state)?;
        // A sealed segment has both files, so that one that is missing is known to be lost.
        self.make_index(state, Kind::Index)?;
        self.make_index(state, Kind::TimeIndex)?;
        let file = match self.make_segment(base) {
            Ok(file) => file,
            Err(error) => {
                self.unmake_segment(state, base);
                return Err(error);
            }
        };
        self.dir().pool().hold(self.key(base, Kind::Log), Held::File(file));
        for kind in [Kind::Index, Kind::TimeIndex] {
            // From now on it is opened as a sealed one, which is mapped.
            self.dir().pool().forget(FileKey { kind, ..self.key(state.active.base, kind) });
        }
        state.sealed.push(state.active.sealed());
        let jitter = self.dir().jitter(&state.settings);
        state.active = Active::new(base, now, jitter);
        state.active_unsynced = false;
        state.names_unsynced = true;
        state.rolled_at = Some(base);
        self.dir().seal_later(self.number(), self.me.clone());
        Ok(())
    }

    /// An empty file for the segment, and no index files or seal of an earlier one of its name.
    fn make_segment(&self, base: Offset) -> io::Result<Arc<dyn File>> {
        let fs = self.dir().fs();
        let file = fs.open(&segment_path(self.path(), base, Kind::Log), OpenHow::Create)?;
        file.set_len(0)?;
        let indexes = [Kind::Index, Kind::TimeIndex].map(|kind| segment_path(self.path(), base, kind));
        for leftover in indexes.into_iter().chain([seal_path(self.path(), base)]) {
            if fs.exists(&leftover) {
                fs.remove(&leftover)?;
            }
        }
        Ok(file)
    }

    /// A segment that was not begun must leave no file: once the log has gone on in the old one, recovery would take
    /// it for the end of what belongs together.
    fn unmake_segment(&self, state: &mut State, base: Offset) {
        let path = segment_path(self.path(), base, Kind::Log);
        if self.dir().fs().exists(&path)
            && let Err(error) = self.dir().fs().remove(&path)
        {
            self.fail(state, &error, "removing a segment that was not begun");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming() -> Incoming {
        Incoming { bytes: 100, last: Offset(10), max_time: TimestampMs(5000), now: TimestampMs(9000) }
    }

    fn active(size: u64) -> Active {
        Active { size, first_time: Some(TimestampMs(4000)), ..Active::new(Offset(0), TimestampMs(0), 0) }
    }

    fn check(size: u64, change: impl Fn(&mut Active, &mut Incoming, &mut LogSettings), expect: bool) {
        let (mut active, mut incoming, mut settings) = (active(size), incoming(), LogSettings::default());
        settings.segment_bytes = 1000;
        change(&mut active, &mut incoming, &mut settings);
        assert_eq!(should_roll(&active, incoming, &settings), expect, "{active:?} {incoming:?} {settings:?}");
    }

    #[test]
    fn a_segment_is_full_by_size_age_index_or_offsets() {
        check(900, |_, _, _| {}, false);
        check(901, |_, _, _| {}, true);
        check(0, |_, incoming, _| incoming.bytes = 5000, false);
        check(100, |_, _, settings| settings.segment_ms = 1000, false);
        check(100, |_, _, settings| settings.segment_ms = 999, true);
        check(0, |_, _, settings| settings.segment_ms = 999, false);
        check(100, |active, _, settings| (active.jitter_ms, settings.segment_ms) = (1, 1000), true);
        check(100, |_, _, settings| (settings.log_append_time, settings.segment_ms) = (true, 4999), true);
        check(100, |_, incoming, _| incoming.last = Offset(i64::from(i32::MAX)), false);
        check(0, |_, incoming, _| incoming.last = Offset(i64::from(i32::MAX) + 1), true);
    }

    #[test]
    fn the_age_counts_by_the_wall_clock_where_batches_have_no_timestamps() {
        let none = |active: &mut Active, incoming: &mut Incoming, settings: &mut LogSettings| {
            active.first_time = Some(TimestampMs::NONE);
            incoming.max_time = TimestampMs::NONE;
            settings.segment_ms = 8999;
        };
        check(100, none, true);
    }

    #[test]
    fn a_full_index_ends_the_segment() {
        let fill = |entries: u32| {
            move |active: &mut Active, _: &mut Incoming, settings: &mut LogSettings| {
                settings.index_bytes_max = 24;
                for at in 0..entries {
                    active.index.push(OffsetEntry { relative: at, position: at });
                }
            }
        };
        check(100, fill(2), false);
        check(100, fill(3), true);
    }
}
