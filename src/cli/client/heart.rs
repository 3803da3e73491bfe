//! The heartbeats of a member, on a task of their own: a reader that is slow to take records must not cost the
//! membership. What the member has and gives up is decided by who reads; here it is only told.

use super::coordinator::refuse;
use super::member::{Heard, MemberState, Owned};
use super::{Client, ClientError};
use crate::sys::Rng;
use crate::types::{MonoNs, Uuid};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Failures in a row before the member gives up: about two minutes, the time of a slow restart of a broker with many
/// partitions.
pub(super) const FAILURES_MAX: u32 = 120;
/// A member whose reader took nothing for so long leaves its partitions to others (Java: max.poll.interval.ms).
const STALLED: Duration = Duration::from_secs(300);
/// Longest wait for the answer to a goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(3);

/// What a member is and should have at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Its id.
    pub id: String,
    /// Its epoch; 0 while it has not joined.
    pub epoch: i32,
    /// Counts how often it lost everything it had.
    pub life: u32,
    /// Partitions it should have.
    pub target: Owned,
}

struct Shared {
    state: Mutex<MemberState>,
    failed: Mutex<Option<ClientError>>,
    /// When the reader last showed itself.
    seen: Mutex<MonoNs>,
    /// Something changed that the reader must know.
    news: Notify,
    /// Something changed that the coordinator must know.
    poke: Notify,
}

/// A member of a group. It leaves by [`Member::leave`]; if dropped, the coordinator notices by its silence.
pub struct Member {
    client: Arc<Client>,
    group: String,
    shared: Arc<Shared>,
    heart: JoinHandle<()>,
}

impl Member {
    /// Begins to join a group as a reader of these topics.
    pub fn join(client: &Arc<Client>, group: &str, topics: &[String]) -> Member {
        let id = member_id(client.reach.rng.as_ref());
        let shared = Arc::new(Shared {
            state: Mutex::new(MemberState::new(group, topics, id)),
            failed: Mutex::new(None),
            seen: Mutex::new(client.reach.clock.mono()),
            news: Notify::new(),
            poke: Notify::new(),
        });
        let heart = tokio::spawn(beat(Arc::clone(client), group.to_owned(), Arc::clone(&shared)));
        Member { client: Arc::clone(client), group: group.to_owned(), shared, heart }
    }

    /// Done once something has changed since it was last done.
    pub async fn changed(&self) {
        self.shared.news.notified().await;
    }

    /// What the member is now.
    ///
    /// # Errors
    /// Why it could not stay a member.
    pub fn now(&self) -> Result<Membership, ClientError> {
        *self.shared.seen.lock() = self.client.reach.clock.mono();
        if let Some(error) = self.shared.failed.lock().take() {
            return Err(error);
        }
        let state = self.shared.state.lock();
        Ok(Membership {
            id: state.id.clone(),
            epoch: state.epoch,
            life: state.life,
            target: state.target.clone(),
        })
    }

    /// Shows that somebody takes the records.
    pub fn show_life(&self) {
        *self.shared.seen.lock() = self.client.reach.clock.mono();
    }

    /// Says which partitions are held, in which life; the coordinator is told at once.
    pub fn hold(&self, life: u32, held: &Owned) {
        self.shared.state.lock().hold(life, held);
        self.shared.poke.notify_one();
    }

    /// The coordinator was heard to say elsewhere that the member is none any more.
    pub fn was_fenced(&self, life: u32) {
        let mut state = self.shared.state.lock();
        if state.life == life {
            state.lose_everything();
            drop(state);
            self.shared.poke.notify_one();
            self.shared.news.notify_one();
        }
    }

    /// Leaves the group, so that others get its partitions at once. If the coordinator does not answer, it will notice
    /// the silence.
    pub async fn leave(self) {
        self.heart.abort();
        let goodbye = self.shared.state.lock().goodbye();
        let late = self.client.reach.clock.sleep(GOODBYE_MAX);
        let say = async {
            if let Ok(seat) = self.client.seat(&self.group).await {
                // That it is gone already is as good.
                let _ = seat.link.call(&goodbye).await;
            }
        };
        tokio::select! {
            biased;
            () = say => {}
            () = late => {}
        }
    }
}

/// An id that is no flag on a command line: Kafka makes none that begins with a dash either.
fn member_id(rng: &dyn Rng) -> Uuid {
    loop {
        let id = Uuid::from_random(rng.next_u128());
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}

async fn beat(client: Arc<Client>, group: String, shared: Arc<Shared>) {
    let mut failures = 0;
    loop {
        let asked = shared.state.lock().heartbeat();
        let answer = async { client.seat(&group).await?.link.call(&asked).await };
        let heard = match answer.await {
            Ok(answer) => {
                let heard = shared.state.lock().hear(&asked, &answer);
                let is_over = heard == Heard::Refused || (heard == Heard::Later && failures >= FAILURES_MAX);
                match refuse(&group, answer.error_code, answer.error_message.as_deref()) {
                    Err(error) if is_over => return give_up(&shared, error),
                    _ => heard,
                }
            }
            Err(error) if error.may_heal() && failures < FAILURES_MAX => {
                shared.state.lock().say_all_again();
                Heard::Later
            }
            Err(error) => return give_up(&shared, error),
        };
        match heard {
            Heard::Later => {
                failures += 1;
                client.forget_seat(&group).await;
                client.pause(failures).await;
                continue;
            }
            Heard::Fenced => {
                failures += 1;
                shared.news.notify_one();
                client.pause(failures).await;
                continue;
            }
            Heard::Changed => shared.news.notify_one(),
            Heard::Same | Heard::Refused => {}
        }
        failures = 0;
        rest(&client, &group, &shared).await;
    }
}

/// Waits for the next heartbeat: until it is due, or until there is something to say.
async fn rest(client: &Client, group: &str, shared: &Shared) {
    let (interval, has_news) = {
        let state = shared.state.lock();
        (state.interval, state.has_news())
    };
    if !has_news {
        tokio::select! {
            biased;
            () = shared.poke.notified() => {}
            () = client.reach.clock.sleep(interval) => {}
        }
    }
    if client.reach.clock.mono().since(*shared.seen.lock()) <= STALLED {
        return;
    }
    let goodbye = {
        let mut state = shared.state.lock();
        let goodbye = state.goodbye();
        state.lose_everything();
        goodbye
    };
    if let Ok(seat) = client.seat(group).await {
        // Whether it arrives or not, the member joins again once its reader is back.
        let _ = seat.link.call(&goodbye).await;
    }
    shared.news.notify_one();
    while client.reach.clock.mono().since(*shared.seen.lock()) > STALLED {
        client.reach.clock.sleep(Duration::from_secs(1)).await;
    }
}

fn give_up(shared: &Shared, error: ClientError) {
    *shared.failed.lock() = Some(error);
    shared.news.notify_one();
}
