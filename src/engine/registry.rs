//! The partitions that are open. Each is opened once, on first use, on a background thread: opening recovers the
//! log, which reads from the disk. It knows neither topics nor settings; how to open is told from outside.

use crate::log::local::clean::CleanRules;
use crate::log::local::{LocalLog, LogDir};
use crate::partition::Partition;
use crate::record::AppendRules;
use crate::sys::Clock;
use crate::types::{MonoNs, TopicId};
use arc_swap::ArcSwap;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A partition that cannot be opened is tried again after this time: a file may be mended, or the disk be full, and
/// once it has room producers are to go on within seconds.
const REOPEN_AFTER: Duration = Duration::from_secs(2);

/// A partition by the id of its topic: a topic made anew under an old name is another one.
pub(super) type Key = (TopicId, i32);

/// An open partition with what its topic asks of produced records.
pub struct Served {
    /// The partition.
    pub(super) partition: Partition,
    /// Its log, for those who clean it.
    pub(super) log: Arc<LocalLog>,
    /// Where it is.
    pub(super) dir: Arc<LogDir>,
    /// Exchanged whole when the topic's settings change.
    pub(super) rules: ArcSwap<TopicRules>,
}

/// What the engine has to know of a topic's settings for each request.
#[derive(Debug, Clone, Default)]
pub(super) struct TopicRules {
    /// What may be appended.
    pub(super) append: AppendRules,
    /// `cleanup.policy` has `delete`, or is empty: records may be deleted from the front.
    pub(super) records_may_go: bool,
    /// `cleanup.policy` has `compact`, and no machine of the broker rewrites the log: how it is cleaned.
    pub(super) cleaning: Option<CleanRules>,
    /// A machine of the broker keeps its records here: it alone appends, and brings the log back after a failure.
    pub(super) is_own: bool,
}

#[derive(Clone)]
enum State {
    Closed,
    Opening,
    Open(Arc<Served>),
    /// Opening failed at this time.
    Broken(MonoNs),
    /// Deleted, or the broker is closing.
    Gone,
}

/// Where a partition is on its way to being open.
pub(super) enum Found {
    /// Here.
    Open(Arc<Served>),
    /// Somebody is opening it: wait until the receiver changes, and look again.
    Opening(Waiting),
    /// The caller has to open it, and then to tell by [`Registry::opened`].
    ToOpen,
    /// It could not be opened, and it is too early to try again.
    Broken,
    /// It was deleted.
    Gone,
}

/// What a partition was when it was taken out.
pub(super) enum Was {
    /// Open: the caller closes it.
    Open(Arc<Served>),
    /// Being opened: whoever does finds it gone.
    Opening,
    /// Not open.
    Closed,
}

/// What a partition has become that was opened for a short time.
pub(super) enum Back {
    /// It is closed again, and nobody asked for it.
    Closed,
    /// Somebody waits for it: the caller has to open it, and then to tell by [`Registry::opened`].
    Wanted,
    /// It was deleted, or the broker is closing: the caller removes it in the first case.
    Gone,
}

/// Waits for an opening to end, either way.
pub(super) struct Waiting(watch::Receiver<State>);

impl Waiting {
    pub(super) async fn done(mut self) {
        // An error means that the registry is gone, and so is what was waited for.
        let _ = self.0.wait_for(|state| !matches!(state, State::Opening)).await;
    }
}

/// Partitions by topic id and number.
#[derive(Default)]
pub(super) struct Registry {
    slots: RwLock<HashMap<Key, watch::Sender<State>>>,
}

impl Registry {
    /// Finds a partition; `ToOpen` at most to one caller at a time.
    pub(super) fn find(&self, key: Key, clock: &dyn Clock) -> Found {
        if let Some(slot) = self.slots.read().get(&key) {
            match &*slot.borrow() {
                State::Open(served) => return Found::Open(Arc::clone(served)),
                State::Gone => return Found::Gone,
                State::Broken(at) if clock.mono().since(*at) < REOPEN_AFTER => return Found::Broken,
                State::Opening => return Found::Opening(Waiting(slot.subscribe())),
                State::Closed | State::Broken(_) => {}
            }
        }
        let mut slots = self.slots.write();
        let slot = slots.entry(key).or_insert_with(|| watch::Sender::new(State::Closed));
        let mut mine = false;
        slot.send_if_modified(|state| {
            mine = matches!(state, State::Closed | State::Broken(_));
            if mine {
                *state = State::Opening;
            }
            mine
        });
        if mine { Found::ToOpen } else { Found::Opening(Waiting(slot.subscribe())) }
    }

    /// A partition if it is open.
    pub(super) fn get(&self, key: Key) -> Option<Arc<Served>> {
        match &*self.slots.read().get(&key)?.borrow() {
            State::Open(served) => Some(Arc::clone(served)),
            _ => None,
        }
    }

    /// Tells how an opening ended. False if the partition was deleted meanwhile: the caller closes it again.
    pub(super) fn opened(&self, key: Key, result: Result<Arc<Served>, MonoNs>) -> bool {
        let slots = self.slots.read();
        let Some(slot) = slots.get(&key) else { return false };
        let next = match result {
            Ok(served) => State::Open(served),
            Err(at) => State::Broken(at),
        };
        slot.send_if_modified(|state| {
            let waiting = matches!(state, State::Opening);
            if waiting {
                *state = next;
            }
            waiting
        })
    }

    /// Takes back that a partition is being opened; the caller has closed it again.
    pub(super) fn give_back(&self, key: Key) -> Back {
        // Nobody can begin to wait meanwhile.
        let mut slots = self.slots.write();
        let Some(slot) = slots.get(&key) else { return Back::Gone };
        let (opening, wanted) = (matches!(*slot.borrow(), State::Opening), slot.receiver_count() > 0);
        match (opening, wanted) {
            (false, _) => Back::Gone,
            (true, true) => Back::Wanted,
            (true, false) => {
                slots.remove(&key);
                Back::Closed
            }
        }
    }

    /// Takes an open partition out that cannot be used any more, as if opening it had failed at `now`. False if it is
    /// not there any more.
    pub(super) fn broke(&self, key: Key, served: &Arc<Served>, now: MonoNs) -> bool {
        let slots = self.slots.read();
        slots.get(&key).is_some_and(|slot| {
            slot.send_if_modified(|state| {
                let there = matches!(state, State::Open(open) if Arc::ptr_eq(open, served));
                if there {
                    *state = State::Broken(now);
                }
                there
            })
        })
    }

    /// Takes a partition out. What asks for it later finds it gone, until [`Registry::forget`].
    pub(super) fn remove(&self, key: Key) -> Was {
        let mut slots = self.slots.write();
        let slot = slots.entry(key).or_insert_with(|| watch::Sender::new(State::Closed));
        match slot.send_replace(State::Gone) {
            State::Open(served) => Was::Open(served),
            State::Opening => Was::Opening,
            State::Closed | State::Broken(_) | State::Gone => Was::Closed,
        }
    }

    /// Drops what is left of a removed partition.
    pub(super) fn forget(&self, key: Key) {
        self.slots.write().remove(&key);
    }

    /// Returns once all that are being opened now have come to an end, either way.
    pub(super) async fn settled(&self) {
        let waiting: Vec<Waiting> = {
            let slots = self.slots.read();
            let opening = slots.values().filter(|slot| matches!(*slot.borrow(), State::Opening));
            opening.map(|slot| Waiting(slot.subscribe())).collect()
        };
        for one in waiting {
            one.done().await;
        }
    }

    /// Takes all out, as [`Registry::remove`]: those that were open, in the order of their keys. What is still being
    /// opened its opener finds gone.
    pub(super) fn remove_all(&self) -> Vec<(Key, Arc<Served>)> {
        let slots = self.slots.write();
        let open = slots.iter().filter_map(|(key, slot)| match slot.send_replace(State::Gone) {
            State::Open(served) => Some((*key, served)),
            _ => None,
        });
        let mut all: Vec<_> = open.collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    /// All that are open, in the order of their keys.
    pub(super) fn all(&self) -> Vec<(Key, Arc<Served>)> {
        let slots = self.slots.read();
        let open = slots.iter().filter_map(|(key, slot)| match &*slot.borrow() {
            State::Open(served) => Some((*key, Arc::clone(served))),
            _ => None,
        });
        let mut all: Vec<_> = open.collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SimClock;
    use crate::types::{TimestampMs, Uuid};

    const KEY: Key = (Uuid([1; 16]), 0);

    fn clock() -> SimClock {
        SimClock::new(TimestampMs(0))
    }

    #[test]
    fn a_partition_is_opened_by_one_caller_and_awaited_by_the_others() {
        let registry = Registry::default();
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
        assert!(matches!(registry.find(KEY, &clock()), Found::Opening(_)));
        assert!(registry.get(KEY).is_none());
    }

    #[tokio::test]
    async fn a_partition_that_does_not_open_is_tried_again_after_a_while() {
        let registry = Registry::default();
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
        let Found::Opening(waiting) = registry.find(KEY, &clock()) else { panic!("being opened") };
        assert!(registry.opened(KEY, Err(MonoNs(0))));
        waiting.done().await;
        let clock = clock();
        clock.advance(Duration::from_nanos(1));
        assert!(matches!(registry.find(KEY, &clock), Found::Broken));
        clock.advance(REOPEN_AFTER);
        assert!(matches!(registry.find(KEY, &clock), Found::ToOpen));
    }

    #[test]
    fn a_partition_opened_for_a_short_time_is_left_closed_unless_somebody_waits() {
        let registry = Registry::default();
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
        assert!(matches!(registry.give_back(KEY), Back::Closed));
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
        let Found::Opening(_waiting) = registry.find(KEY, &clock()) else { panic!("being opened") };
        assert!(matches!(registry.give_back(KEY), Back::Wanted));
        assert!(matches!(registry.remove(KEY), Was::Opening));
        assert!(matches!(registry.give_back(KEY), Back::Gone));
    }

    #[test]
    fn what_is_being_opened_at_a_stop_is_closed_by_its_opener() {
        // Only open partitions were taken out, so one that was being opened came up behind the stop and stayed.
        let registry = Registry::default();
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
        assert!(registry.remove_all().is_empty());
        assert!(!registry.opened(KEY, Err(MonoNs(0))));
        assert!(matches!(registry.find(KEY, &clock()), Found::Gone));
    }

    #[test]
    fn a_partition_deleted_while_it_is_opened_is_left_to_its_opener() {
        let registry = Registry::default();
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
        assert!(matches!(registry.remove(KEY), Was::Opening));
        assert!(matches!(registry.find(KEY, &clock()), Found::Gone));
        assert!(!registry.opened(KEY, Err(MonoNs(0))));
        registry.forget(KEY);
        assert!(matches!(registry.find(KEY, &clock()), Found::ToOpen));
    }
}
