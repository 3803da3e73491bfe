//! A commit round of many small appends: their bytes, read back from the files that they were written to, go into the
//! journal together. What is not small, or owes names as well as bytes, is left to a sync of its own.

use super::format::{ENTRY_HEAD, EntryHead, ROUND_HEAD};
use super::{Owing, RoundError};
use crate::log::LogState;
use crate::log::local::dir::LogDir;
use crate::log::local::log::LocalLog;
use crate::log::local::marks::{MarkKey, Point};
use crate::sys::{File, do_at_once};
use crate::types::Offset;
use parking_lot::MutexGuard;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// Bytes of one log above which a sync of its file costs less than writing them twice.
const SMALL: u64 = 16 << 10;

/// Bytes of entries written at once, which bounds the memory of a round.
const ROUND_MAX: usize = 1 << 20;

/// What a log has for the journal. As long as it is there, nobody else syncs the log.
struct Offer<'a> {
    log: &'a Arc<LocalLog>,
    _turn: MutexGuard<'a, ()>,
    file: Arc<dyn File>,
    /// Byte of the segment.
    from: u64,
    len: usize,
    first: Offset,
    point: Point,
}

impl LogDir {
    /// Commits what is small by one sync, if there is enough of it. Those that are left want a sync of their own.
    pub(in crate::log::local) fn journal_round<'a>(
        &self,
        logs: &'a [Arc<LocalLog>],
    ) -> Vec<&'a Arc<LocalLog>> {
        let least = self.options.journal_logs_min;
        let room = self.journal.logs() < self.options.journal_logs_max;
        if least == 0 || logs.len() < least || !room || self.is_full() || self.health.is_failed() {
            return logs.iter().collect();
        }
        let (mut offers, mut left) = (Vec::new(), Vec::new());
        for log in logs {
            match log.offer() {
                Some(offer) => offers.push(offer),
                None => left.push(log),
            }
        }
        if offers.len() < least {
            return logs.iter().collect();
        }
        let mut round = Vec::new();
        while !offers.is_empty() {
            let mut length = 0;
            let fit = offers.iter().take_while(|offer| {
                length += ENTRY_HEAD + offer.len;
                length <= ROUND_MAX
            });
            let behind = offers.split_off(fit.count().max(1).min(offers.len()));
            left.extend(self.put_round(&mut round, std::mem::replace(&mut offers, behind)));
        }
        left
    }

    /// One round; the logs that it could not take.
    fn put_round<'a>(&self, round: &mut Vec<u8>, offers: Vec<Offer<'a>>) -> Vec<&'a Arc<LocalLog>> {
        round.clear();
        round.resize(ROUND_HEAD, 0);
        let (taken, mut left): (Vec<Offer<'a>>, Vec<Offer<'a>>) =
            offers.into_iter().partition(|offer| offer.write(round).is_ok());
        let logs = taken.iter().map(|offer| (offer.log.key_of_marks(), offer.log.me.clone()));
        let put = match taken.len() {
            0 => Ok(()),
            _ => self.journal.put(self.fs(), &*self.rng, self.options.journal_bytes, round, logs),
        };
        if self.journal.wants_room() {
            self.keeper.wake();
        }
        match put {
            Ok(()) => taken.iter().for_each(|offer| offer.log.journaled(offer.point)),
            Err(RoundError::NotSynced(error)) => {
                for offer in &taken {
                    offer.log.fail(&mut offer.log.state.lock(), &error, "journal sync");
                }
                self.note_failed_write(&error);
                self.probe();
            }
            Err(error) => {
                if let RoundError::NotWritten(error) = &error {
                    self.note_failed_write(error);
                }
                tracing::debug!(%error, "logs are synced one by one");
                left.extend(taken);
                return left.into_iter().map(|offer| offer.log).collect();
            }
        }
        let logs: Vec<&Arc<LocalLog>> = taken.iter().map(|offer| offer.log).collect();
        drop(taken);
        logs.into_iter().for_each(|log| log.spill_indexes());
        left.into_iter().map(|offer| offer.log).collect()
    }

    /// Syncs the logs of full journal files, so that these can be used again, and gives up what belongs to no log.
    pub(in crate::log::local) fn settle_journal(&self) {
        let owing = self.journal.owing();
        do_at_once("log-settle", self.threads_for(owing.len()), &owing, |owing: &Owing| {
            if owing.log.as_ref().is_none_or(|log| log.commit()) {
                self.journal.settled(self.fs(), owing);
            }
        });
        if let Err(error) = self.journal.left.sweep(self.fs(), || self.keys_on_disk()) {
            tracing::warn!(%error, "cannot tell which journal entries belong to nobody");
        }
    }

    fn keys_on_disk(&self) -> io::Result<BTreeSet<MarkKey>> {
        let partitions = self.partitions_on_disk()?;
        Ok(partitions.into_iter().filter_map(|(name, id)| Some((id?, name.partition))).collect())
    }
}

impl Offer<'_> {
    /// Appends the entry to a round; after an error the round is as before.
    fn write(&self, round: &mut Vec<u8>) -> io::Result<()> {
        let before = round.len();
        let head = EntryHead {
            key: self.log.key_of_marks(),
            first: self.first,
            next: self.point.end,
            len: u32::try_from(self.len).map_err(io::Error::other)?,
        };
        head.put(round);
        let at = round.len();
        round.resize(at + self.len, 0);
        let read = self.file.read_at(round.get_mut(at..).unwrap_or_default(), self.from);
        match read {
            Ok(got) if got == self.len => Ok(()),
            other => {
                round.truncate(before);
                Err(other.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
            }
        }
    }
}

impl LocalLog {
    /// What was appended since the last round, if it is little and all that this log owes.
    fn offer(self: &Arc<Self>) -> Option<Offer<'_>> {
        let turn = self.syncing.try_lock()?;
        let mut state = self.state.lock();
        let has_names = state.names_durable && !state.names_unsynced && !state.parent_unsynced;
        let owes_active = state.unsynced.len() == 1 && state.active_unsynced;
        if state.phase != LogState::Online
            || !has_names
            || !owes_active
            || state.point.base != state.active.base
        {
            return None;
        }
        let from = state.point.position;
        let bytes = state.active.size.checked_sub(from).filter(|bytes| (1..=SMALL).contains(bytes))?;
        let file = state.unsynced.last()?.clone();
        let (first, point) = (state.point.end, state.active.point(state.end));
        (state.queued, state.unflushed, state.flush_due) = (false, 0, None);
        drop(state);
        Some(Offer { log: self, _turn: turn, file, from, len: usize::try_from(bytes).ok()?, first, point })
    }
}
