//! What every `PartitionLog` promises, as checks over a place where one can be opened. Must not know what keeps it.

#![allow(missing_docs, reason = "the name of a check says what it checks")]

use super::{LogSettings, LogState, PartitionLog, ReadError, ReadLimit, Retained, Retention};
use crate::record::{BatchBuilder, BatchHeader, CheckedBatches, read_records, split_batches};
use crate::types::{Epoch, Offset, TimestampMs};
use bytes::Bytes;
use futures_util::FutureExt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A place that keeps one log.
pub trait Place {
    /// Opens the log, also again after it was closed.
    fn open(&mut self, settings: LogSettings) -> Arc<dyn PartitionLog>;
    /// Makes durable what was appended.
    fn commit(&self);
}

/// Small segments and a dense index, so that few records meet every boundary.
pub fn small() -> LogSettings {
    LogSettings { segment_bytes: 700, index_interval_bytes: 150, ..LogSettings::default() }
}

/// One batch with a record for each timestamp.
pub fn batch(times: &[i64]) -> CheckedBatches {
    let mut builder = BatchBuilder::new();
    for (at, time) in times.iter().enumerate() {
        let value = format!("value {at} at {time}");
        builder.push(TimestampMs(*time), Some(b"key"), Some(value.as_bytes()), &[]);
    }
    CheckedBatches::trusted(builder.build()).unwrap()
}

/// All that a reader may see below `below`.
pub fn limit(bytes: usize) -> ReadLimit {
    ReadLimit { bytes, at_least_one: true, below: Offset(i64::MAX) }
}

/// Every batch of the log from its start, as `replay` shows it.
pub fn contents(log: &dyn PartitionLog) -> Vec<Bytes> {
    let mut batches = Vec::new();
    log.replay(log.marks().start, &mut |_, bytes| {
        batches.push(bytes);
        ControlFlow::Continue(())
    })
    .unwrap();
    batches
}

/// A log of many batches of different sizes, all durable; timestamps wander. The place, and the timestamps by offset.
fn filled(place: &mut dyn Place) -> (Arc<dyn PartitionLog>, Vec<i64>) {
    let log = place.open(small());
    let mut times = Vec::new();
    for at in 0..40i64 {
        let own: Vec<i64> = (0..=at % 4).map(|nth| 1000 + at * 10 + (at * 37 + nth * 23) % 61).collect();
        log.append(batch(&own), Epoch(i32::try_from(at / 15).unwrap())).unwrap();
        times.extend(own);
        if at % 3 == 0 {
            place.commit();
        }
    }
    place.commit();
    (log, times)
}

pub fn appends_get_consecutive_offsets_and_the_epoch(place: &mut dyn Place) {
    let log = place.open(LogSettings::default());
    for (first, count) in [(0, 3), (3, 1), (4, 2)] {
        let appended = log.append(batch(&vec![5; count]), Epoch(7)).unwrap();
        assert_eq!((appended.first, appended.last), (Offset(first), Offset(first + count as i64 - 1)));
        assert_eq!(appended.rolled_at, None);
    }
    let headers: Vec<BatchHeader> =
        contents(&*log).iter().map(|bytes| BatchHeader::parse(bytes).unwrap()).collect();
    assert_eq!(headers.iter().map(|header| header.base_offset.0).collect::<Vec<_>>(), [0, 3, 4]);
    assert!(headers.iter().all(|header| header.leader_epoch == Epoch(7)));
}

pub fn a_ticket_is_done_once_its_records_are_durable_and_not_before(place: &mut dyn Place) {
    let log = place.open(LogSettings::default());
    let first = log.append(batch(&[1, 2]), Epoch(0)).unwrap().ticket;
    assert!(!first.is_done());
    place.commit();
    let second = log.append(batch(&[3]), Epoch(0)).unwrap().ticket;
    assert!(first.is_done() && !second.is_done());
    assert_eq!(first.done().now_or_never(), Some(Ok(())));
    assert!(second.done().now_or_never().is_none());
    assert_eq!(log.ticket(Offset(1)).done().now_or_never(), Some(Ok(())));
    place.commit();
    assert_eq!(log.ticket(Offset(2)).done().now_or_never(), Some(Ok(())));
}

pub fn nothing_is_seen_above_the_high_watermark(place: &mut dyn Place) {
    let log = place.open(LogSettings::default());
    let mut marks = log.watch();
    log.append(batch(&[1, 2]), Epoch(0)).unwrap();
    assert!(log.plan_read(Offset(0), limit(1000)).unwrap().is_empty());
    assert_eq!(log.find_time(TimestampMs(0)).unwrap(), None);
    assert_eq!(log.find_max_time().unwrap(), None);
    place.commit();
    assert!(marks.has_changed().unwrap());
    let seen = *marks.borrow_and_update();
    assert_eq!((seen.durable, seen.high_watermark, seen.end), (Offset(2), Offset(2), Offset(2)));
    log.append(batch(&[3]), Epoch(0)).unwrap();
    let plan = log.plan_read(Offset(0), limit(1000)).unwrap().read().unwrap();
    assert_eq!(split_batches(&plan).count(), 1);
    assert!(log.plan_read(Offset(2), limit(1000)).unwrap().is_empty());
}

pub fn where_syncs_are_left_to_the_system_records_are_seen_at_once(place: &mut dyn Place) {
    let log = place.open(LogSettings { flush_messages: 3, ..LogSettings::default() });
    let ticket = log.append(batch(&[1, 2]), Epoch(0)).unwrap().ticket;
    assert!(ticket.is_done());
    place.commit();
    assert_eq!((log.marks().durable, log.marks().high_watermark), (Offset(0), Offset(2)));
    assert_eq!(split_batches(&log.plan_read(Offset(0), limit(1000)).unwrap().read().unwrap()).count(), 1);
    log.append(batch(&[1]), Epoch(0)).unwrap();
    place.commit();
    assert_eq!(log.marks().durable, Offset(3));
}

pub fn a_read_starts_with_the_batch_that_holds_the_offset(place: &mut dyn Place) {
    let (log, times) = filled(place);
    let batches = contents(&*log);
    let all: Vec<u8> = batches.concat();
    for from in 0..times.len() as i64 {
        let plan = log.plan_read(Offset(from), limit(usize::MAX)).unwrap();
        let bytes = plan.read().unwrap();
        let first = BatchHeader::parse(&bytes).unwrap();
        assert!(first.base_offset.0 <= from && from <= first.last_offset().0);
        assert!(all.ends_with(&bytes), "from {from}");
    }
    assert!(log.plan_read(Offset(times.len() as i64), limit(1000)).unwrap().is_empty());
    for outside in [-1, times.len() as i64 + 1] {
        assert!(matches!(log.plan_read(Offset(outside), limit(1000)), Err(ReadError::OutOfRange { .. })));
    }
}

pub fn a_read_keeps_to_its_limits(place: &mut dyn Place) {
    let (log, times) = filled(place);
    let batches = contents(&*log);
    let end = times.len() as i64;
    for (from, bytes) in (0..end).flat_map(|from| [0, 1, 61, 200, 1500].map(|bytes| (from, bytes))) {
        let plan = |at_least_one| {
            let limit = ReadLimit { bytes, at_least_one, below: Offset(i64::MAX) };
            log.plan_read(Offset(from), limit).unwrap().read().unwrap()
        };
        assert!(plan(false).len() <= bytes);
        let whole = plan(true);
        let first = BatchHeader::parse(&whole).unwrap();
        assert!(whole.len() >= first.size && whole.len() <= bytes.max(first.size), "{from} {bytes}");
    }
    for (from, below) in (0..end).flat_map(|from| (from..=end + 1).map(move |below| (from, below))) {
        let limit = ReadLimit { bytes: 900, at_least_one: true, below: Offset(below) };
        let read = log.plan_read(Offset(from), limit).unwrap().read().unwrap();
        let expect: Vec<u8> = batches
            .iter()
            .filter(|bytes| {
                let header = BatchHeader::parse(bytes).unwrap();
                header.last_offset().0 >= from && header.last_offset().0 < below
            })
            .flat_map(|bytes| bytes.to_vec())
            .collect();
        assert!(expect.starts_with(&read), "{from}..{below}");
        assert!(read.len() == expect.len() || read.len() >= 900, "{from}..{below}: {}", read.len());
    }
}

pub fn records_are_found_by_time(place: &mut dyn Place) {
    let (log, times) = filled(place);
    log.cut_front(Offset(5)).unwrap();
    for at in 990..1500 {
        let expect = times.iter().enumerate().skip(5).find(|(_, time)| **time >= at);
        let found = log.find_time(TimestampMs(at)).unwrap();
        let found = found.map(|found| (usize::try_from(found.offset.0).unwrap(), found.timestamp.0));
        assert_eq!(found, expect.map(|(offset, time)| (offset, *time)), "at {at}");
    }
    let latest = times.iter().skip(5).max().unwrap();
    let first = times.iter().skip(5).position(|time| time == latest).unwrap() + 5;
    let found = log.find_max_time().unwrap().unwrap();
    assert_eq!((found.offset.0, found.timestamp.0), (first as i64, *latest));
    assert_eq!(found.epoch, Epoch(2));
}

pub fn the_latest_record_is_looked_for_from_the_start_on(place: &mut dyn Place) {
    let log = place.open(LogSettings::default());
    log.append(batch(&[90, 10, 40, 40]), Epoch(0)).unwrap();
    log.append(batch(&[30, 20]), Epoch(0)).unwrap();
    place.commit();
    for (start, expect) in [(0, (0, 90)), (1, (2, 40)), (3, (3, 40)), (4, (4, 30)), (5, (5, 20))] {
        log.cut_front(Offset(start)).unwrap();
        let found = log.find_max_time().unwrap().unwrap();
        assert_eq!((found.offset.0, found.timestamp.0), expect);
    }
    log.cut_front(Offset(6)).unwrap();
    assert_eq!(log.find_max_time().unwrap(), None);
}

pub fn a_cut_front_stays_cut(place: &mut dyn Place) {
    let (log, times) = filled(place);
    let before = contents(&*log);
    let size = log.size_bytes();
    log.append(batch(&[1]), Epoch(3)).unwrap();
    let end = times.len() as i64;
    assert!(log.cut_front(Offset(end + 1)).is_err(), "above the high watermark");
    assert_eq!(log.cut_front(Offset(31)).unwrap(), Offset(31));
    assert_eq!(log.cut_front(Offset(30)).unwrap(), Offset(31));
    assert!(log.size_bytes() < size);
    place.commit();
    log.close().unwrap();
    let log = place.open(small());
    assert_eq!(log.marks().start, Offset(31));
    assert!(matches!(log.plan_read(Offset(30), limit(10)), Err(ReadError::OutOfRange { .. })));
    let read = log.plan_read(Offset(31), limit(usize::MAX)).unwrap().read().unwrap();
    assert!([before.concat(), contents(&*log).last().unwrap().to_vec()].concat().ends_with(&read));
    assert_eq!(log.cut_front(Offset(end + 1)).unwrap(), Offset(end + 1));
    assert!(log.plan_read(Offset(end + 1), limit(10)).unwrap().is_empty());
    assert_eq!(log.append(batch(&[1]), Epoch(3)).unwrap().first, Offset(end + 1));
}

pub fn a_closed_log_opens_as_it_was(place: &mut dyn Place) {
    let (log, times) = filled(place);
    let (before, marks, size) = (contents(&*log), log.marks(), log.size_bytes());
    log.close().unwrap();
    assert_eq!(log.marks().state, LogState::Closed);
    assert!(log.append(batch(&[1]), Epoch(0)).is_err());
    let log = place.open(small());
    assert_eq!((contents(&*log), log.marks(), log.size_bytes()), (before, marks, size));
    assert_eq!(log.append(batch(&[1]), Epoch(3)).unwrap().first, Offset(times.len() as i64));
}

pub fn replay_shows_every_batch_from_the_one_that_holds_the_offset(place: &mut dyn Place) {
    let (log, times) = filled(place);
    log.append(batch(&[1, 2]), Epoch(3)).unwrap();
    let all = contents(&*log);
    for from in 0..times.len() as i64 + 2 {
        let mut seen = Vec::new();
        log.replay(Offset(from), &mut |header, bytes| {
            assert_eq!(
                read_records(&bytes, 1 << 20).unwrap().count(),
                usize::try_from(header.count).unwrap()
            );
            seen.push(bytes);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(BatchHeader::parse(&seen[0]).unwrap().last_offset().0 >= from);
        assert!(BatchHeader::parse(&seen[0]).unwrap().base_offset.0 <= from);
        assert_eq!(seen, all[all.len() - seen.len()..]);
    }
    let mut visits = 0;
    log.replay(Offset(0), &mut |_, _| {
        visits += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(visits, 1);
}

pub fn epochs_end_where_the_next_begins(place: &mut dyn Place) {
    let log = place.open(small());
    assert_eq!(log.epoch_at(Offset(0)), Epoch::NONE);
    for epoch in [1, 1, 4, 4, 9] {
        log.append(batch(&[1, 2]), Epoch(epoch)).unwrap();
    }
    place.commit();
    let check = |log: &dyn PartitionLog| {
        for (asked, expect) in
            [(0, (0, 0)), (1, (1, 4)), (3, (1, 4)), (4, (4, 8)), (9, (9, 10)), (10, (-1, -1))]
        {
            assert_eq!(log.epoch_end(Epoch(asked)), (Epoch(expect.0), Offset(expect.1)));
        }
        assert_eq!([0, 3, 4, 9, 10].map(|at| log.epoch_at(Offset(at)).0), [1, 1, 4, 9, 9]);
    };
    check(&*log);
    log.close().unwrap();
    check(&*place.open(small()));
}

pub fn the_newest_two_snapshots_are_kept(place: &mut dyn Place) {
    let (log, _) = filled(place);
    for at in [3, 17, 20] {
        log.put_snapshot(Offset(at), format!("state {at}").as_bytes()).unwrap();
    }
    let expect = [20, 17].map(|at| (Offset(at), Bytes::from(format!("state {at}"))));
    assert_eq!(log.snapshots(), expect);
    log.close().unwrap();
    assert_eq!(place.open(small()).snapshots(), expect);
}

pub fn segments_of_one_batch_are_read_like_others(place: &mut dyn Place) {
    let log = place.open(LogSettings { segment_bytes: 1, ..LogSettings::default() });
    for at in 0..10 {
        log.append(batch(&[at, at, at]), Epoch(0)).unwrap();
    }
    place.commit();
    let all = contents(&*log);
    for from in 0..30 {
        let read = log.plan_read(Offset(from), limit(1)).unwrap().read().unwrap();
        assert_eq!(read, all[usize::try_from(from / 3).unwrap()]);
    }
    assert_eq!(log.find_time(TimestampMs(7)).unwrap().unwrap().offset, Offset(21));
}

pub fn an_append_that_rolls_says_so(place: &mut dyn Place) {
    let log = place.open(small());
    let mut rolled = Vec::new();
    for _ in 0..20 {
        let appended = log.append(batch(&[1, 2]), Epoch(0)).unwrap();
        if let Some(at) = appended.rolled_at {
            assert_eq!(at, appended.first);
            rolled.push(at);
        }
    }
    assert!(rolled.len() >= 2, "{rolled:?}");
}

/// A log whose every batch, of one record, is a segment of its own; batch number n is of the time n. All but the last
/// `unsynced` are durable. Each has the same size, which is returned, too.
fn in_segments(place: &mut dyn Place, times: &[i64], unsynced: usize) -> (Arc<dyn PartitionLog>, u64) {
    let log = place.open(LogSettings { segment_bytes: 1, ..LogSettings::default() });
    for (nth, time) in times.iter().enumerate() {
        if nth == times.len() - unsynced {
            place.commit();
        }
        log.append(batch(&[*time]), Epoch(0)).unwrap();
    }
    if unsynced == 0 {
        place.commit();
    }
    let size = log.size_bytes() / times.len() as u64;
    (log, size)
}

fn by_age(ms: i64) -> Retention {
    Retention { ms: Some(ms), ..Retention::ALL }
}

/// Retains, settles it, and says where the log starts then.
fn start_after(place: &dyn Place, log: &dyn PartitionLog, rule: Retention, now: i64) -> (i64, Retained) {
    let retained = log.retain(&rule, TimestampMs(now)).unwrap();
    place.commit();
    let start = log.marks().start.0;
    assert!(
        contents(log).first().is_none_or(|first| BatchHeader::parse(first).unwrap().base_offset.0 == start)
    );
    (start, retained)
}

pub fn segments_go_by_age_once_their_newest_record_is_too_old(place: &mut dyn Place) {
    let (log, size) = in_segments(place, &[10, 11, 12, 13, 14], 0);
    assert_eq!(start_after(place, &*log, Retention::ALL, 1000).0, 0);
    assert_eq!(start_after(place, &*log, by_age(10), 20).0, 0, "as old as the limit is not too old");
    let (start, retained) = start_after(place, &*log, by_age(10), 23);
    let expect = Retained { segments: 3, bytes: 3 * size, aged_bytes: 3 * size, ..Retained::default() };
    assert_eq!((start, retained), (3, expect));
    assert_eq!(start_after(place, &*log, by_age(10), 23), (3, Retained::default()));
}

pub fn an_old_segment_behind_a_young_one_stays(place: &mut dyn Place) {
    let (log, _) = in_segments(place, &[10, 90, 11, 12], 0);
    assert_eq!(start_after(place, &*log, by_age(10), 50).0, 1);
}

pub fn records_of_the_future_keep_their_segment_and_say_so(place: &mut dyn Place) {
    let (log, _) = in_segments(place, &[10, 5000, 11], 0);
    let (start, retained) = start_after(place, &*log, by_age(10), 50);
    assert_eq!((start, retained.of_the_future), (1, true));
}

pub fn segments_go_by_size_as_long_as_the_others_are_large_enough(place: &mut dyn Place) {
    let (log, size) = in_segments(place, &[1, 2, 3, 4, 5, 6], 0);
    let by_size = |bytes| Retention { bytes: Some(bytes), ..Retention::ALL };
    assert_eq!(start_after(place, &*log, by_size(6 * size), 9).0, 0);
    assert_eq!(start_after(place, &*log, by_size(4 * size + 1), 9).0, 1);
    let (start, retained) = start_after(place, &*log, by_size(2 * size), 9);
    assert_eq!((start, retained), (4, Retained { segments: 3, bytes: 3 * size, ..Retained::default() }));
    assert_eq!(log.size_bytes(), 2 * size);
}

pub fn size_and_age_are_asked_one_after_the_other(place: &mut dyn Place) {
    let (log, size) = in_segments(place, &[90, 10, 90, 10], 0);
    let rule = Retention { bytes: Some(3 * size), ..by_age(10) };
    let (start, retained) = start_after(place, &*log, rule, 50);
    assert_eq!((start, retained.aged_bytes), (2, size));
}

pub fn an_active_segment_goes_once_all_of_it_is_too_old(place: &mut dyn Place) {
    let (log, _) = in_segments(place, &[1, 2, 3], 0);
    let (start, retained) = start_after(place, &*log, by_age(10), 50);
    assert_eq!((start, retained.segments, log.size_bytes()), (3, 3, 0));
    assert_eq!(start_after(place, &*log, by_age(10), 90), (3, Retained::default()), "an empty segment stays");
    assert_eq!(log.append(batch(&[100]), Epoch(0)).unwrap().first, Offset(3));
    place.commit();
    log.close().unwrap();
    let log = place.open(LogSettings::default());
    assert_eq!((log.marks().start, log.marks().end, contents(&*log).len()), (Offset(3), Offset(4), 1));
}

pub fn nothing_goes_above_the_high_watermark(place: &mut dyn Place) {
    let (log, _) = in_segments(place, &[1, 2, 3, 4], 2);
    assert_eq!(start_after(place, &*log, by_age(10), 50).0, 2);
    assert_eq!(start_after(place, &*log, by_age(10), 50).0, 4);
}

pub fn what_goes_by_age_can_be_bounded(place: &mut dyn Place) {
    let (log, size) = in_segments(place, &[1, 2, 3, 4, 5], 0);
    let rule = Retention { aged_bytes_max: size + 1, ..by_age(10) };
    let (start, retained) = start_after(place, &*log, rule, 50);
    assert_eq!((start, retained.held_back, retained.aged_bytes), (2, true, 2 * size));
    let rule = Retention { aged_bytes_max: 0, ..by_age(10) };
    let (start, retained) = start_after(place, &*log, rule, 50);
    assert_eq!((start, retained), (2, Retained { held_back: true, ..Retained::default() }));
}

pub fn what_went_by_retention_stays_gone(place: &mut dyn Place) {
    let (log, _) = in_segments(place, &[1, 2, 30, 40], 0);
    assert_eq!(start_after(place, &*log, by_age(10), 15).0, 2);
    log.close().unwrap();
    let log = place.open(LogSettings::default());
    assert_eq!((log.marks().start, contents(&*log).len()), (Offset(2), 2));
}

/// A test for each check, over the place that `$make` gives.
macro_rules! contract_tests {
    ($make:expr; $($check:ident)*) => {$(
        #[test]
        fn $check() {
            crate::log::contract::$check(&mut $make);
        }
    )*};
    ($make:expr) => {
        crate::log::contract::contract_tests! { $make;
            appends_get_consecutive_offsets_and_the_epoch
            a_ticket_is_done_once_its_records_are_durable_and_not_before
            nothing_is_seen_above_the_high_watermark
            where_syncs_are_left_to_the_system_records_are_seen_at_once
            a_read_starts_with_the_batch_that_holds_the_offset
            a_read_keeps_to_its_limits
            records_are_found_by_time
            the_latest_record_is_looked_for_from_the_start_on
            a_cut_front_stays_cut
            a_closed_log_opens_as_it_was
            replay_shows_every_batch_from_the_one_that_holds_the_offset
            epochs_end_where_the_next_begins
            the_newest_two_snapshots_are_kept
            segments_of_one_batch_are_read_like_others
            an_append_that_rolls_says_so
            segments_go_by_age_once_their_newest_record_is_too_old
            an_old_segment_behind_a_young_one_stays
            records_of_the_future_keep_their_segment_and_say_so
            segments_go_by_size_as_long_as_the_others_are_large_enough
            size_and_age_are_asked_one_after_the_other
            an_active_segment_goes_once_all_of_it_is_too_old
            nothing_goes_above_the_high_watermark
            what_goes_by_age_can_be_bounded
            what_went_by_retention_stays_gone
        }
    };
}
pub(crate) use contract_tests;
