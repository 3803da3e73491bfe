//! Room on the disk that cleanings may take. A cleaned segment stands beside those it was made of until these are gone,
//! so on a disk that is nearly full a cleaning would take from producers what they need until then. Must not know what
//! is cleaned.

use crate::log::local::dir::LogDir;

/// Cleanings leave one in so many bytes of the disk to everybody else.
const KEPT_PART: u64 = 50;

/// On a large disk that is more than a cleaning could take by surprise.
const KEPT_MAX: u64 = 1 << 30;

impl LogDir {
    /// Bytes that cleaned segments may take now. All there are if the file system does not say how many.
    pub(super) fn room_to_clean(&self) -> u64 {
        if self.is_full() {
            return 0;
        }
        let Ok(space) = self.space() else { return u64::MAX };
        let kept = (space.total / KEPT_PART).min(KEPT_MAX).max(self.options.reserve_bytes);
        space.usable.saturating_sub(kept)
    }
}

#[cfg(test)]
mod tests {
    use crate::log::local::clean::live_tests::{clean, clean_with, dirt, fill, prepared, rules, view};
    use crate::log::local::clean::{CleanLogError, CleanRules, CleanSettings, FullSpeed};
    use crate::log::local::testing::{LocalPlace, ROOT};
    use crate::log::local::{LocalLog, LogDirState};
    use crate::log::{LogSettings, LogState, PartitionLog};
    use crate::record::{BatchBuilder, CheckedBatches};
    use crate::sys::{Call, Fault, Fs, SimFs};
    use crate::types::{Epoch, TimestampMs};
    use rustix::io::Errno;
    use std::path::Path;

    fn leftovers(fs: &SimFs) -> Vec<String> {
        let names = fs.list(&Path::new(ROOT).join("topic-0")).unwrap().into_iter();
        let names = names.map(|path| path.display().to_string());
        names.filter(|name| name.ends_with(".cleaned") || name.ends_with(".swap")).collect()
    }

    fn is_online(log: &LocalLog) -> bool {
        log.marks().state == LogState::Online
    }

    #[test]
    fn a_cleaning_without_room_leaves_no_file_and_the_log_goes_on() {
        let files = [".log.cleaned", ".index.cleaned", ".timeindex.cleaned", ".seal.cleaned"];
        let calls = [Call::Create, Call::Write, Call::Sync, Call::Rename];
        for (file, call) in files.into_iter().flat_map(|file| calls.map(|call| (file, call))) {
            let (fs, place, log) = prepared(60);
            let said = view(&log);
            fs.fail(Fault::enospc(call).named(file).lasting());
            let cleaned = clean_with(&log, &rules(), &FullSpeed);
            assert!(matches!(cleaned, Err(CleanLogError::NoRoom)), "{call:?} of {file}: {cleaned:?}");
            fs.heal();
            assert_eq!((leftovers(&fs), view(&log)), (vec![], said), "{call:?} of {file}");
            assert!(is_online(&log) && !place.dir.is_full());
            fill(&place, &log, 61..67);
            let (said, size) = (view(&log), log.size_bytes());
            clean(&log, &rules());
            assert!(log.size_bytes() * 3 < size && view(&log) == said, "{call:?} of {file}");
        }
    }

    #[test]
    fn a_checkpoint_without_room_costs_time_only() {
        for file in ["logboom.cleaned", "cleaner-offset-checkpoint"] {
            let (fs, _place, log) = prepared(60);
            let (said, size) = (view(&log), log.size_bytes());
            fs.fail(Fault::enospc(Call::Write).named(file).lasting());
            clean(&log, &rules());
            assert!(is_online(&log) && log.size_bytes() * 4 < size && view(&log) == said);
            assert!(!dirt(&log, &rules()).is_due(&rules()), "not again and again");
            drop(log);
            fs.heal();
            let place = LocalPlace::simulated(&fs.crash(1));
            let log = place.log(LogSettings { segment_bytes: 500, ..LogSettings::default() }).unwrap().0;
            assert_eq!(view(&log), said);
            clean(&log, &rules());
            assert_eq!(view(&log), said);
        }
    }

    #[test]
    fn a_bad_spot_spoils_a_cleaning_and_a_bad_disk_the_directory() {
        let (fs, place, log) = prepared(60);
        let said = view(&log);
        fs.fail(Fault::eio(Call::Write).named(".log.cleaned").lasting());
        for _ in 0..3 {
            let cleaned = clean_with(&log, &rules(), &FullSpeed);
            assert!(matches!(cleaned, Err(CleanLogError::Clean(_))), "{cleaned:?}");
            // The marks, which are asked then, can be written.
            place.dir.commit_round();
        }
        assert_eq!((place.dir.state(), leftovers(&fs), view(&log)), (LogDirState::Online, vec![], said));
        fs.fail(Fault::eio(Call::Write).lasting());
        for _ in 0..2 {
            clean_with(&log, &rules(), &FullSpeed).unwrap_err();
            place.dir.commit_round();
        }
        assert!(matches!(place.dir.state(), LogDirState::Failed(_)) && !is_online(&log));
        let (fs, place, log) = prepared(60);
        fs.fail(Fault::on(Call::Write, Errno::ROFS).named(".log.cleaned"));
        clean_with(&log, &rules(), &FullSpeed).unwrap_err();
        assert!(matches!(place.dir.state(), LogDirState::Failed(_)), "one such error is enough");
    }

    #[test]
    fn the_last_of_a_disk_is_left_to_producers() {
        let fs = SimFs::default();
        let place = LocalPlace::simulated(&fs);
        let settings = LogSettings { segment_bytes: 3 << 20, ..LogSettings::default() };
        let log = place.log(settings).unwrap().0;
        let put = |key: u32| {
            let mut builder = BatchBuilder::new();
            builder.push(TimestampMs(1), Some(&key.to_be_bytes()), Some(&[7; 50_000]), &[]);
            log.append(CheckedBatches::trusted(builder.build()).unwrap(), Epoch(0)).unwrap();
        };
        // One in ten is an old one.
        (0..100).for_each(|nth| put(if nth % 10 == 0 { 0 } else { nth }));
        place.dir.commit_round();
        let settings = CleanSettings { segment_bytes: 3 << 20, ..CleanSettings::default() };
        let rules = CleanRules { settings, ..rules() };
        let used: u64 = fs.files().iter().map(|(_, size)| size.next_multiple_of(4096)).sum();
        let usable = || fs.space(Path::new(ROOT)).unwrap().usable;
        // Enough to begin with, and to end with; in between there are 3 MiB to write.
        for (spare, is_enough) in [(100_000, false), (2 << 20, false), (4 << 20, true)] {
            fs.set_capacity(used + spare);
            let before = usable();
            assert_eq!(log.room_to_clean() >= log.room_wanted(&rules), is_enough);
            match clean_with(&log, &rules, &FullSpeed) {
                // But for the marks.
                Err(CleanLogError::NoRoom) => assert!(!is_enough && usable() + 16_384 >= before, "{spare}"),
                cleaned => assert!(cleaned.is_ok() && is_enough, "{spare}: {cleaned:?}"),
            }
            assert!(leftovers(&fs).is_empty() && !place.dir.is_full());
        }
    }
}
