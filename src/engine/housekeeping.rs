//! What nobody asks for: brings failed logs back, writes producers down, forgets idle ones.

use super::Engine;
use super::registry::{Key, Served};
use crate::log::LogState;
use crate::partition::OpenError;
use crate::sys::{IoCause, io_cause};
use crate::types::MonoNs;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often failed logs are looked for: one wake-up a second is nothing, and clients retry for two minutes.
const TICK: Duration = Duration::from_secs(1);

/// First and longest wait between attempts to bring a log back.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How often producers are written down and idle ones forgotten.
const PRODUCERS_EVERY: Duration = Duration::from_secs(60);

/// Bytes of records that make it worth to write the producers of a quiet partition down.
const SNAPSHOT_BYTES_MIN: u64 = 1 << 20;

/// Attempts to bring a log back.
struct Attempts {
    failed: u32,
    next: MonoNs,
}

/// Runs until the engine is gone or stops.
pub(super) async fn run(engine: Weak<Engine>) {
    let mut attempts = BTreeMap::new();
    let mut producers_at = None;
    loop {
        let Some(this) = engine.upgrade() else { return };
        let (clock, stop) = (Arc::clone(&this.clock), this.stop.clone());
        this.take_offline().await;
        this.bring_back(&mut attempts).await;
        let due = *producers_at.get_or_insert_with(|| clock.mono().after(PRODUCERS_EVERY));
        if clock.mono() >= due {
            producers_at = None;
            this.look_after_producers().await;
        }
        // Not held while asleep, or the engine could not go.
        drop(this);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = clock.sleep(TICK) => {}
        }
    }
}

impl Engine {
    /// Reopens logs whose sync failed. The epoch rises first, so that clients see that the log was cut.
    async fn bring_back(&self, attempts: &mut BTreeMap<Key, Attempts>) {
        let open = self.open.all();
        // A machine brings the log it keeps its records in back itself.
        let failed = open.into_iter().filter(|(_, served)| {
            served.partition.marks().state == LogState::Failed
                && !served.rules.load().is_own
                && served.check_dir().is_ok()
                // Room is looked for there; without it an attempt would only fail.
                && !served.dir.is_full()
        });
        let failed: Vec<(Key, Arc<Served>)> = failed.collect();
        attempts.retain(|key, _| failed.iter().any(|(other, _)| other == key));
        let now = self.clock.mono();
        let due = failed.into_iter().filter(|(key, _)| attempts.get(key).is_none_or(|past| now >= past.next));
        let due: Vec<_> = due.collect();
        if due.is_empty() {
            return;
        }
        match self.ask(self.catalog.bump_epoch()).await {
            Ok(epoch) => self.epoch.raise(epoch),
            Err(error) => {
                tracing::warn!(%error, "cannot raise the leader epoch; failed logs wait");
                return;
            }
        }
        for (key, served) in due {
            let name = served.partition.id().clone();
            let reopened = self.workers.run("reopen-log", move || served.partition.reopen()).await;
            match reopened {
                Ok(Ok(())) => {
                    attempts.remove(&key);
                    tracing::warn!(partition = %name, epoch = %self.epoch.get(), "a failed log is back");
                }
                Ok(Err(error)) => {
                    let past = attempts.entry(key).or_insert(Attempts { failed: 0, next: now });
                    past.failed = past.failed.saturating_add(1);
                    let wait = match &error {
                        OpenError::Reopen(error) if io_cause(error) == IoCause::Full => BACKOFF.0,
                        _ => BACKOFF.0.saturating_mul(1 << past.failed.min(5)).min(BACKOFF.1),
                    };
                    past.next = self.clock.mono().after(wait);
                    tracing::error!(partition = %name, %error, ?wait, "cannot bring a failed log back yet");
                }
                Err(_) => {}
            }
        }
    }

    async fn look_after_producers(&self) {
        for (_, served) in self.open.all() {
            let job = move || {
                served.partition.expire_producers();
                if let Err(error) = served.partition.snapshot(SNAPSHOT_BYTES_MIN) {
                    tracing::warn!(partition = %served.partition.id(), %error, "cannot keep the state of producers");
                }
            };
            if self.workers.run("producers", job).await.is_err() {
                return;
            }
        }
    }
}
