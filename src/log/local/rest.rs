//! Looking at a partition that nobody has open, to learn whether retention has anything to do there. Reads names,
//! sizes and one time entry; whoever finds something due opens the log, which decides.

use super::dir::{LogDir, read_if_there};
use super::files::{Held, Kind, base_of, segment_path};
use super::front::DELETED;
use super::index_file::{entries_in, entry_at};
use super::marks::MarkKey;
use super::meta;
use super::time_index::TimeEntry;
use crate::log::Retention;
use crate::sys::{OpenHow, write_atomically};
use crate::types::{Offset, TimestampMs, TopicId, TopicPartition};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Name of the file with the last wall time that was trusted.
const CLOCK_FILE: &str = "logboom.clock";

impl LogDir {
    /// Whether the rule may take something from the partition, which is not open. Deleted files that an earlier process
    /// left in its directory are put on their way out. False if there is no directory for this topic here.
    pub fn may_be_due(
        &self,
        name: &TopicPartition,
        id: TopicId,
        rule: &Retention,
        now: TimestampMs,
    ) -> io::Result<bool> {
        let path = self.path().join(name.to_string());
        if !self.fs().is_dir(&path) || self.stored_id(&path)? != Some(id) {
            return Ok(false);
        }
        let mut bases = Vec::new();
        for file in self.fs().list(&path)? {
            if file.extension().is_some_and(|suffix| suffix == DELETED) {
                self.remove_later(file, Duration::ZERO);
            } else if let Some(base) = base_of(&file, Kind::Log.suffix()) {
                bases.push(base);
            }
        }
        bases.sort_unstable();
        let Some(first) = bases.first().copied() else { return Ok(false) };
        let by_size = match rule.bytes {
            Some(limit) => self.is_over(&path, &bases, limit)?,
            None => false,
        };
        Ok(by_size || self.is_aged(&path, (id, name.partition), first, rule, now)?)
    }

    fn is_over(&self, path: &Path, bases: &[Offset], limit: u64) -> io::Result<bool> {
        let mut sizes = Vec::with_capacity(bases.len());
        for base in bases {
            sizes.push(self.fs().open(&segment_path(path, *base, Kind::Log), OpenHow::Read)?.size()?);
        }
        let behind_first: u64 = sizes.iter().skip(1).sum();
        let total = behind_first + sizes.first().copied().unwrap_or(0);
        Ok(total > 0 && behind_first >= limit)
    }

    /// Whether the oldest segment is too old; also if its age is not known.
    fn is_aged(
        &self,
        path: &Path,
        key: MarkKey,
        first: Offset,
        rule: &Retention,
        now: TimestampMs,
    ) -> io::Result<bool> {
        let Some(limit) = rule.ms else { return Ok(false) };
        let file = self.fs().open(&segment_path(path, first, Kind::Log), OpenHow::Read)?;
        if file.size()? == 0 {
            return Ok(false);
        }
        let mark = self.marks.lock().marks.by_partition.get(&key).copied();
        let newest = match mark.filter(|mark| mark.point.base == first) {
            Some(mark) => Some(mark.point.max_time),
            None => self.last_time_of(path, first),
        };
        let newest = match newest.filter(|newest| newest.0 >= 0) {
            Some(newest) => Some(newest),
            None => file.modified()?,
        };
        Ok(newest.is_none_or(|newest| now.0.saturating_sub(newest.0) > limit))
    }

    fn last_time_of(&self, path: &Path, base: Offset) -> Option<TimestampMs> {
        let file = self.fs().open(&segment_path(path, base, Kind::TimeIndex), OpenHow::Read).ok()?;
        let held = Held::File(file);
        let last = entries_in::<TimeEntry>(&held).ok()?.checked_sub(1)?;
        Some(entry_at::<TimeEntry>(&held, last).ok()??.timestamp)
    }

    /// The wall time that was last written down as one to trust.
    pub fn trusted_time(&self) -> io::Result<Option<TimestampMs>> {
        let bytes = read_if_there(self.fs(), &self.path().join(CLOCK_FILE))?;
        Ok(bytes.and_then(|bytes| meta::parse_clock(&bytes)))
    }

    /// Writes a wall time down as one to trust.
    pub fn trust_time(&self, wall: TimestampMs) -> io::Result<()> {
        write_atomically(self.fs(), &self.path().join(CLOCK_FILE), meta::clock_text(wall).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LocalPlace, ROOT};
    use super::*;
    use crate::log::contract::batch;
    use crate::log::{LogSettings, PartitionLog};
    use crate::sys::{Fs, SimFs};
    use crate::types::{Epoch, Uuid};

    const NEVER: Retention = Retention::ALL;

    /// A closed partition with segments of these times; whether a rule has anything to do there at a time.
    fn asked(fs: &SimFs, times: &[i64]) -> impl Fn(Retention, i64) -> bool + use<> {
        let place = LocalPlace::simulated(fs);
        let log = place.log(LogSettings { segment_bytes: 1, ..LogSettings::default() }).unwrap().0;
        for time in times {
            log.append(batch(&[*time]), Epoch(0)).unwrap();
        }
        place.dir.commit_round();
        log.close().unwrap();
        let ask = move |id: u128, rule: &Retention, now| {
            place.dir.may_be_due(
                &TopicPartition::new("topic", 0),
                Uuid::from_random(id),
                rule,
                TimestampMs(now),
            )
        };
        move |rule, now| {
            assert!(!ask(2, &rule, now).unwrap(), "of another topic");
            ask(1, &rule, now).unwrap()
        }
    }

    #[test]
    fn a_partition_at_rest_is_due_when_its_oldest_segment_is() {
        for times in [&[10, 500, 600][..], &[10]] {
            let due = asked(&SimFs::default(), times);
            let rule = Retention { ms: Some(100), ..NEVER };
            assert_eq!([110, 111].map(|now| due(rule, now)), [false, true], "{times:?}");
            assert!(!due(NEVER, i64::MAX));
        }
    }

    #[test]
    fn a_partition_at_rest_is_due_when_it_can_spare_its_oldest_segment() {
        let due = asked(&SimFs::default(), &[10, 11, 12]);
        let rule = |bytes| Retention { bytes: Some(bytes), ..NEVER };
        assert!(due(rule(100), 20) && !due(rule(100_000), 20));
    }

    #[test]
    fn deleted_files_of_an_earlier_process_go_though_nobody_opens_the_partition() {
        let fs = SimFs::default();
        let due = asked(&fs, &[10]);
        let left = Path::new(ROOT).join("topic-0/00000000000000000000.log.deleted");
        fs.plant(&left, b"x").unwrap();
        assert!(!due(NEVER, 20));
        assert!(fs.exists(&left), "it goes in the background");
    }
}
