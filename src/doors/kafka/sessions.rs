//! Incremental fetch sessions (KIP-227): the broker remembers which partitions a client fetches and what it last
//! said about them, so that requests and answers carry only changes. It knows no wire messages.

use super::limits::{SESSION_IDLE, SESSION_PARTITIONS_MAX};
use crate::engine::TopicRef;
use crate::sys::{Clock, Rng};
use crate::types::{Epoch, ErrorCode, MonoNs, Offset};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// "No session" on the wire.
pub(super) const NO_SESSION: i32 = 0;

/// Session epoch of a full fetch that asks for a session.
pub(super) const EPOCH_INITIAL: i32 = 0;

/// Session epoch of a full fetch without a session, and of the last fetch of one.
pub(super) const EPOCH_FINAL: i32 = -1;

/// A partition as a client named it.
pub(super) type Key = (TopicRef, i32);

/// What a client wants of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Want {
    pub(super) offset: Offset,
    pub(super) bytes_max: i32,
    pub(super) current_epoch: Epoch,
    pub(super) last_fetched_epoch: Epoch,
}

/// What a client was last told of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) high_watermark: Offset,
    pub(super) start: Offset,
}

/// What there is to say of a partition now.
#[derive(Debug, Clone, Copy)]
pub(super) struct News {
    pub(super) told: Told,
    /// Bytes of records.
    pub(super) bytes: usize,
    pub(super) error: ErrorCode,
    /// The client's log has diverged.
    pub(super) diverging: bool,
}

struct Remembered {
    key: Key,
    want: Want,
    told: Option<Told>,
}

/// The partitions of one session, in the order in which they are served.
pub(super) struct Session {
    id: i32,
    epoch: i32,
    by_id: bool,
    /// By place in line.
    partitions: BTreeMap<u64, Remembered>,
    places: HashMap<Key, u64>,
    next_place: u64,
    counted: Arc<AtomicUsize>,
}

/// How a fetch is answered.
pub(super) enum Context {
    /// All partitions; `make` asks for a session to be made with the answer.
    Full { make: bool },
    /// Only what changed, by a session.
    Incremental(Arc<Mutex<Session>>),
}

/// A session with when it was last used.
type Used = (MonoNs, Arc<Mutex<Session>>);

/// The sessions of all clients.
pub(super) struct Sessions {
    slots_max: usize,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    by_id: Mutex<HashMap<i32, Used>>,
    /// Partitions remembered by all sessions.
    partitions: Arc<AtomicUsize>,
}

impl Sessions {
    pub(super) fn new(slots_max: usize, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Sessions {
        Sessions { slots_max, clock, rng, by_id: Mutex::default(), partitions: Arc::default() }
    }

    /// Finds how a fetch with this session id and epoch is answered, and takes its changes over.
    ///
    /// # Errors
    /// The code of the whole answer: the session is not here (evicted, or of another life of the broker), the
    /// epoch is not the next one, or topics are named by ids where they were by names.
    pub(super) fn begin(
        &self,
        id: i32,
        epoch: i32,
        by_id: bool,
        wants: &[(Key, Want)],
        forgotten: &[Key],
    ) -> Result<Context, ErrorCode> {
        if epoch == EPOCH_INITIAL || epoch == EPOCH_FINAL {
            if id != NO_SESSION {
                self.by_id.lock().remove(&id);
            }
            return Ok(Context::Full { make: epoch == EPOCH_INITIAL });
        }
        let session = {
            let mut sessions = self.by_id.lock();
            let found = sessions.get_mut(&id).ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
            found.0 = self.clock.mono();
            Arc::clone(&found.1)
        };
        let mut state = session.lock();
        if state.epoch != epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if state.by_id != by_id {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        state.epoch = next_epoch(epoch);
        for (key, want) in wants {
            state.put(key, want, None);
        }
        for key in forgotten {
            state.forget(key);
        }
        let empty = state.partitions.is_empty();
        drop(state);
        if empty {
            self.by_id.lock().remove(&id);
            return Ok(Context::Full { make: false });
        }
        Ok(Context::Incremental(session))
    }

    /// Makes a session out of a full answer; its id, or [`NO_SESSION`] if there is no room.
    pub(super) fn make(&self, by_id: bool, answered: Vec<(Key, Want, News)>) -> i32 {
        if answered.is_empty()
            || self.partitions.load(Relaxed).saturating_add(answered.len()) > SESSION_PARTITIONS_MAX
        {
            return NO_SESSION;
        }
        let now = self.clock.mono();
        let mut sessions = self.by_id.lock();
        if sessions.len() >= self.slots_max {
            let oldest = sessions
                .iter()
                .min_by_key(|(id, (used, _))| (*used, **id))
                .map(|(id, (used, _))| (*id, *used));
            match oldest {
                Some((id, used)) if now.since(used) >= SESSION_IDLE => sessions.remove(&id),
                _ => return NO_SESSION,
            };
        }
        let id = loop {
            let id = (self.rng.next_u64() >> 33) as i32;
            if id != NO_SESSION && !sessions.contains_key(&id) {
                break id;
            }
        };
        let mut session = Session {
            id,
            epoch: EPOCH_INITIAL + 1,
            by_id,
            partitions: BTreeMap::new(),
            places: HashMap::new(),
            next_place: 0,
            counted: Arc::clone(&self.partitions),
        };
        for (key, want, news) in answered {
            session.put(&key, &want, (news.error.is_none() && !news.diverging).then_some(news.told));
        }
        sessions.insert(id, (now, Arc::new(Mutex::new(session))));
        id
    }

    /// Sessions alive.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.lock().len()
    }
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch.saturating_add(1).max(1) }
}

impl Session {
    pub(super) fn id(&self) -> i32 {
        self.id
    }

    /// All partitions, in the order in which they are served.
    pub(super) fn wants(&self) -> Vec<(Key, Want)> {
        self.partitions.values().map(|one| (one.key.clone(), one.want.clone())).collect()
    }

    /// Whether the client has to be told of this partition; remembers it as told. A partition that gave records
    /// goes to the end of the line, so that others have their turn.
    pub(super) fn tell(&mut self, key: &Key, news: &News) -> bool {
        let Some(place) = self.places.get(key).copied() else { return true };
        let Some(remembered) = self.partitions.get_mut(&place) else { return true };
        let changed = remembered.told != Some(news.told);
        let bad = !news.error.is_none() || news.diverging;
        // After an error the partition is told of again, also when nothing has changed but the error is gone.
        remembered.told = (!bad).then_some(news.told);
        if news.bytes > 0
            && let Some(remembered) = self.partitions.remove(&place)
        {
            self.places.insert(remembered.key.clone(), self.next_place);
            self.partitions.insert(self.next_place, remembered);
            self.next_place += 1;
        }
        news.bytes > 0 || changed || bad
    }

    fn put(&mut self, key: &Key, want: &Want, told: Option<Told>) {
        if let Some(known) = self.places.get(key).and_then(|place| self.partitions.get_mut(place)) {
            known.want = want.clone();
            return;
        }
        if self.counted.load(Relaxed) >= SESSION_PARTITIONS_MAX {
            return;
        }
        self.counted.fetch_add(1, Relaxed);
        self.places.insert(key.clone(), self.next_place);
        self.partitions.insert(self.next_place, Remembered { key: key.clone(), want: want.clone(), told });
        self.next_place += 1;
    }

    fn forget(&mut self, key: &Key) {
        if let Some(place) = self.places.remove(key) {
            self.partitions.remove(&place);
            self.counted.fetch_sub(1, Relaxed);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.counted.fetch_sub(self.partitions.len(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{SeededRng, SimClock};
    use crate::types::TimestampMs;
    use std::time::Duration;

    fn sessions(slots: usize) -> (Sessions, SimClock) {
        let clock = SimClock::new(TimestampMs(0));
        (Sessions::new(slots, Arc::new(clock.clone()), Arc::new(SeededRng::new(1))), clock)
    }

    fn key(partition: i32) -> Key {
        (TopicRef::Name("orders".into()), partition)
    }

    fn want() -> Want {
        Want {
            offset: Offset(5),
            bytes_max: 1000,
            current_epoch: Epoch::NONE,
            last_fetched_epoch: Epoch::NONE,
        }
    }

    fn news(high_watermark: i64, bytes: usize, error: ErrorCode) -> News {
        News {
            told: Told { high_watermark: Offset(high_watermark), start: Offset(0) },
            bytes,
            error,
            diverging: false,
        }
    }

    fn made(sessions: &Sessions, partitions: std::ops::Range<i32>) -> i32 {
        sessions.make(false, partitions.map(|n| (key(n), want(), news(5, 0, ErrorCode::NONE))).collect())
    }

    fn incremental(sessions: &Sessions, id: i32, epoch: i32, forgotten: &[Key]) -> Arc<Mutex<Session>> {
        match sessions.begin(id, epoch, false, &[], forgotten) {
            Ok(Context::Incremental(session)) => session,
            _ => panic!("a session"),
        }
    }

    #[test]
    fn a_session_tells_only_what_changed() {
        let (sessions, _) = sessions(10);
        let id = made(&sessions, 0..2);
        let session = incremental(&sessions, id, 1, &[]);
        let mut session = session.lock();
        assert!(!session.tell(&key(0), &news(5, 0, ErrorCode::NONE)));
        assert!(session.tell(&key(0), &news(6, 0, ErrorCode::NONE)));
        assert!(session.tell(&key(1), &news(5, 0, ErrorCode::UNKNOWN_TOPIC_ID)));
        assert!(session.tell(&key(1), &news(5, 0, ErrorCode::NONE)), "the error is gone, which is news");
        assert!(!session.tell(&key(1), &news(5, 0, ErrorCode::NONE)));
    }

    #[test]
    fn a_partition_that_gave_records_goes_to_the_end_of_the_line() {
        let (sessions, _) = sessions(10);
        let id = made(&sessions, 0..3);
        let session = incremental(&sessions, id, 1, &[]);
        session.lock().tell(&key(0), &news(6, 10, ErrorCode::NONE));
        let order: Vec<i32> = session.lock().wants().iter().map(|(key, _)| key.1).collect();
        assert_eq!(order, [1, 2, 0]);
    }

    #[test]
    fn a_wrong_epoch_and_an_unknown_session_are_refused() {
        let (sessions, _) = sessions(10);
        let id = made(&sessions, 0..1);
        let code = |id, epoch, by_id| sessions.begin(id, epoch, by_id, &[], &[]).err();
        assert_eq!(code(id, 2, false), Some(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
        assert_eq!(code(id, 1, true), Some(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR));
        assert_eq!(code(id + 1, 1, false), Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
        assert_eq!(code(id, 1, false), None);
        assert_eq!(code(id, 1, false), Some(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    }

    #[test]
    fn a_session_whose_last_partition_is_forgotten_ends() {
        let (sessions, _) = sessions(10);
        let id = made(&sessions, 0..2);
        incremental(&sessions, id, 1, &[key(0)]);
        assert!(matches!(sessions.begin(id, 2, false, &[], &[key(1)]), Ok(Context::Full { make: false })));
        assert_eq!(sessions.len(), 0);
        assert_eq!(sessions.partitions.load(Relaxed), 0);
    }

    #[test]
    fn only_a_session_unused_for_two_minutes_gives_its_slot_away() {
        let (sessions, clock) = sessions(1);
        let first = made(&sessions, 0..1);
        assert_eq!(made(&sessions, 0..1), NO_SESSION);
        clock.advance(Duration::from_secs(120));
        assert_ne!(made(&sessions, 0..1), NO_SESSION);
        assert!(matches!(
            sessions.begin(first, 1, false, &[], &[]),
            Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)
        ));
    }

    #[test]
    fn the_partitions_of_all_sessions_together_are_bounded() {
        let (sessions, _) = sessions(1000);
        let many = i32::try_from(SESSION_PARTITIONS_MAX).unwrap();
        assert_ne!(made(&sessions, 0..many), NO_SESSION);
        assert_eq!(made(&sessions, 0..1), NO_SESSION);
    }
}
