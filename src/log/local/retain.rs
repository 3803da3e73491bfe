//! Retention: which segments of a log have to go. The rules, and the order in which they are asked, are those of
//! Kafka 4.4.0 (`UnifiedLog.deleteOldSegments`). How segments go is in `front.rs`; when to ask is up to the caller.

use super::find::Horizon;
use super::log::{LocalLog, State};
use super::read::Run;
use super::scan::{FAR, Scan};
use crate::log::{LogState, ReadError, Retained, Retention};
use crate::sys::File;
use crate::types::{Offset, TimestampMs};
use std::io;
use std::sync::Arc;

/// A segment as it is looked at.
struct Candidate {
    run: Run,
    /// Where the next one begins, or the log ends.
    end: Offset,
    is_active: bool,
}

/// What has to go.
struct Verdict {
    /// The new log start offset.
    start: Offset,
    /// The active segment is among it and has to be closed first.
    with_active: Option<Candidate>,
    retained: Retained,
}

impl LocalLog {
    pub(super) fn take_out(&self, rule: &Retention, now: TimestampMs) -> io::Result<Retained> {
        let (candidates, horizon, high_watermark) = {
            let state = self.state.lock();
            if state.phase != LogState::Online {
                return Ok(Retained::default());
            }
            (state.candidates(), state.horizon(TimestampMs::NONE), state.seen.offset)
        };
        let verdict = self.judge(candidates, &horizon, high_watermark, rule, now)?;
        let Verdict { mut start, with_active, mut retained } = verdict;
        if let Some(active) = with_active
            && !self.close_active(&active)?
        {
            // Somebody appended meanwhile: it stays.
            let size = active.run.size;
            start = active.run.base;
            retained.segments -= 1;
            retained.bytes = retained.bytes.saturating_sub(size);
            retained.aged_bytes = retained.aged_bytes.saturating_sub(size);
        }
        if retained.segments > 0 {
            self.want_start(start);
        }
        Ok(retained)
    }

    /// The longest row of segments at the front that go: by size, and from the first that stays on by age.
    fn judge(
        &self,
        candidates: Vec<Candidate>,
        horizon: &Horizon,
        high_watermark: Offset,
        rule: &Retention,
        now: TimestampMs,
    ) -> io::Result<Verdict> {
        let total: u64 = candidates.iter().map(|candidate| candidate.run.size).sum();
        let mut spare = rule.bytes.and_then(|limit| total.checked_sub(limit));
        let mut verdict = Verdict { start: Offset::ZERO, with_active: None, retained: Retained::default() };
        let retained = &mut verdict.retained;
        for candidate in candidates {
            let size = candidate.run.size;
            if high_watermark < candidate.end || (candidate.is_active && size == 0) {
                break;
            }
            spare = spare.and_then(|spare| spare.checked_sub(size));
            if spare.is_none() {
                match self.age_of(&candidate, horizon, rule, now)? {
                    Age::Within => break,
                    Age::Future => {
                        retained.of_the_future = true;
                        break;
                    }
                    Age::Over if retained.aged_bytes >= rule.aged_bytes_max => {
                        retained.held_back = true;
                        break;
                    }
                    Age::Over => retained.aged_bytes = retained.aged_bytes.saturating_add(size),
                }
            }
            retained.segments += 1;
            retained.bytes = retained.bytes.saturating_add(size);
            verdict.start = candidate.end;
            verdict.with_active = candidate.is_active.then_some(candidate);
        }
        Ok(verdict)
    }

    fn age_of(
        &self,
        candidate: &Candidate,
        horizon: &Horizon,
        rule: &Retention,
        now: TimestampMs,
    ) -> io::Result<Age> {
        let Some(limit) = rule.ms else { return Ok(Age::Within) };
        let Some(newest) = self.newest_in(candidate, horizon)? else { return Ok(Age::Within) };
        Ok(match now.0.saturating_sub(newest.0) {
            age if age > limit => Age::Over,
            age if age < 0 => Age::Future,
            _ => Age::Within,
        })
    }

    /// The largest timestamp of a segment; where no record has one, when its file was last written. None if neither
    /// is known.
    fn newest_in(&self, candidate: &Candidate, horizon: &Horizon) -> io::Result<Option<TimestampMs>> {
        let run = &candidate.run;
        let known = match self.max_time_of(run, horizon) {
            Ok(Some(known)) => known,
            Ok(None) => self.read_max_time(run)?,
            Err(ReadError::Storage(error)) => return Err(error),
            // Damage keeps a segment by age, so that a person can look at it; it goes by size all the same.
            Err(_) => return Ok(None),
        };
        if known.0 >= 0 {
            return Ok(Some(known));
        }
        self.file_of(run)?.modified()
    }

    /// Reads the headers of a segment whose time index does not tell.
    pub(super) fn read_max_time(&self, run: &Run) -> io::Result<TimestampMs> {
        let mut scan = Scan::new(self.file_of(run)?, 0, run.size, FAR);
        let mut newest = TimestampMs::NONE;
        while let Ok(Some((_, header))) = scan.next_header() {
            newest = newest.max(header.max_timestamp);
        }
        self.state.lock().keep_sealed_max_time(run, newest);
        Ok(newest)
    }

    fn file_of(&self, run: &Run) -> io::Result<Arc<dyn File>> {
        self.open_run(run, run.base).map_err(|error| match error {
            ReadError::Storage(error) => error,
            other => io::Error::other(other),
        })
    }

    /// Begins a new segment behind the active one if that is still as it was, and makes it durable: the mark has to
    /// leave a segment before the segment can go.
    fn close_active(&self, seen: &Candidate) -> io::Result<bool> {
        {
            let mut state = self.state.lock();
            let same = state.active.base == seen.run.base && state.end == seen.end;
            if !same || state.phase != LogState::Online {
                return Ok(false);
            }
            let now = self.dir().clock().wall();
            let rolled = self.roll(&mut state, now);
            rolled.inspect_err(|error| self.dir().note_failed_write(error))?;
        }
        self.commit();
        Ok(self.state.lock().point.base >= seen.end)
    }
}

/// How old a segment is.
enum Age {
    Over,
    Within,
    /// Its newest record is younger than now.
    Future,
}

impl State {
    /// All segments, each with its end.
    fn candidates(&self) -> Vec<Candidate> {
        let runs = self.all_runs(Offset(i64::MIN));
        let ends: Vec<Offset> = runs.iter().skip(1).map(|next| next.base).chain([self.end]).collect();
        let below_start = self.start;
        let all = runs.into_iter().zip(ends);
        let all = all.map(|(run, end)| Candidate { run, end, is_active: run.base == self.active.base });
        // What lies below the start is gone already, or waits for the mark to pass.
        all.filter(|candidate| candidate.is_active || candidate.end > below_start).collect()
    }
}
