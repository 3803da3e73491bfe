//! The pass of retention over all partitions: what is open, and what lies on disk untouched since the start. Few
//! partitions at a time on the workers, so that clients are served meanwhile. What has to go of one log is decided
//! there; here is who is asked, when, and how far the clock is to be believed.

use super::opening::effective;
use super::registry::{Back, Found, Key};
use super::wall::{Finding, Limits, Trust, WallWatch};
use super::{Engine, dirs::Place};
use crate::catalog::is_internal;
use crate::config::{BrokerSettings, TopicSettings};
use crate::log::local::{LocalLog, LogDir};
use crate::log::{PartitionLog, Retained, Retention};
use crate::sys::IoCause;
use crate::types::{TimestampMs, TopicPartition};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Partitions looked at in one job. Those of them that are not open and have something due are open together, so that
/// the marks, which are written whole, are written once for all of them.
const PARTITIONS_PER_JOB: usize = 16;

/// Where the clock is in doubt, one pass removes by age at most this, or the part below of what the disk holds.
const BOUNDED_BYTES_MIN: u64 = 1 << 30;
const BOUNDED_PART: u64 = 20;

/// A partition to look at.
struct Task {
    name: TopicPartition,
    key: Key,
    rule: Retention,
}

/// What a pass did.
#[derive(Clone, Copy, Default)]
struct Sum {
    retained: Retained,
    partitions: u64,
}

/// A partition that is open for retention alone.
struct Lease {
    name: TopicPartition,
    key: Key,
    log: Option<Arc<LocalLog>>,
}

/// Runs until the engine is gone or stops.
pub(super) async fn run(engine: Weak<Engine>) {
    let mut watch = None;
    let mut wait = engine.upgrade().map(|engine| engine.settings.load().initial_task_delay);
    while let Some(span) = wait {
        let Some((clock, stop)) = engine.upgrade().map(|this| (Arc::clone(&this.clock), this.stop.clone()))
        else {
            return;
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = clock.sleep(span) => {}
        }
        let Some(this) = engine.upgrade() else { return };
        this.retention_pass(&mut watch).await;
        wait = Some(this.settings.load().retention_check_interval);
    }
}

impl Engine {
    /// One look at every partition.
    async fn retention_pass(&self, watch: &mut Option<WallWatch>) {
        let Some(engine) = self.me.upgrade() else { return };
        // A stop waits for what is open here.
        let _turn = self.upkeep.lock().await;
        let settings = self.settings.load_full();
        // What an earlier process deleted may lie in any partition.
        let every = watch.is_none();
        let (now, trust) = self.look_at_clock(watch, &settings).await;
        let mut left = match trust {
            Trust::Full | Trust::Held => u64::MAX,
            Trust::Bounded => self.bounded_bytes().await,
        };
        let mut sum = Sum::default();
        let mut tasks = self.tasks(&settings, trust, every).into_iter();
        loop {
            let some: Vec<Task> = tasks.by_ref().take(PARTITIONS_PER_JOB).collect();
            if some.is_empty() {
                break;
            }
            if self.stop.is_cancelled() {
                return;
            }
            let worker = Arc::clone(&engine);
            let job = move || worker.retain_some(some, now, left);
            let Ok((done, leases)) = self.workers.run("retention", job).await else { return };
            left = left.saturating_sub(done.retained.aged_bytes);
            sum.add(&done);
            for lease in leases {
                self.give_back(lease).await;
            }
        }
        if sum.partitions > 0 {
            let Retained { segments, bytes, .. } = sum.retained;
            tracing::info!(partitions = sum.partitions, segments, bytes, "removed old segments");
        }
        if trust == Trust::Bounded {
            match (sum.retained.held_back, watch) {
                (true, _) => tracing::warn!(
                    removed = sum.retained.aged_bytes,
                    "more is older than its topic keeps than one pass removes while the clock may be wrong; \
                     the next pass goes on"
                ),
                (false, Some(watch)) => watch.caught_up(),
                (false, None) => {}
            }
        }
    }

    /// Compares the clocks, says what it found, and writes down what is trusted.
    async fn look_at_clock(
        &self,
        watch: &mut Option<WallWatch>,
        settings: &BrokerSettings,
    ) -> (TimestampMs, Trust) {
        let limits = Limits { jump: settings.clock_jump, grace: settings.clock_grace };
        let dir = Arc::clone(self.dirs.catalog());
        let (wall, mono) = (self.clock.wall(), self.clock.mono());
        if watch.is_none() {
            let stored = dir.trusted_time().unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot read which time was trusted last");
                None
            });
            let (begun, finding) = WallWatch::begin(stored, wall, mono, limits);
            finding.iter().for_each(|finding| tell(*finding, limits));
            *watch = Some(begun);
        }
        let Some(watch) = watch else { return (wall, Trust::Held) };
        let (trust, finding) = watch.look(wall, mono, limits);
        finding.iter().for_each(|finding| tell(*finding, limits));
        let trusted = watch.trusted(mono);
        let write = move || {
            if !dir.is_full()
                && let Err(error) = dir.trust_time(trusted)
            {
                tracing::warn!(%error, "cannot write down which time is trusted");
            }
        };
        // A job that was lost was logged; the next start only trusts less.
        let _ = self.workers.run("trust-time", write).await;
        (wall, trust)
    }

    /// What one pass may remove by age while the clock is in doubt.
    async fn bounded_bytes(&self) -> u64 {
        let dirs: Vec<Arc<LogDir>> = self.dirs.online().cloned().collect();
        let used = move || -> u64 {
            let spaces = dirs.iter().filter_map(|dir| dir.space().ok());
            spaces.map(|space| space.total.saturating_sub(space.usable)).sum()
        };
        let used = self.workers.run("space", used).await.unwrap_or(0);
        (used / BOUNDED_PART).max(BOUNDED_BYTES_MIN)
    }

    /// Every partition of which something may go by age or size; all others, too, if `every`. Topics of the broker's
    /// machines keep their own logs short.
    fn tasks(&self, settings: &BrokerSettings, trust: Trust, every: bool) -> Vec<Task> {
        let image = self.image.load();
        let mut tasks = Vec::new();
        for topic in image.topics() {
            let mut rule = match TopicSettings::resolve(&topic.configs, settings) {
                Ok(resolved) if !is_internal(&topic.name) => resolved.retention(),
                // Settings that do not go together any more are reported where the topic is opened.
                _ => Retention::ALL,
            };
            if trust == Trust::Held {
                rule.ms = None;
            }
            if !every && rule.ms.is_none() && rule.bytes.is_none() {
                continue;
            }
            let names =
                (0..topic.partitions).map(|index| TopicPartition::new(Arc::clone(&topic.name), index));
            tasks.extend(names.map(|name| Task { key: (topic.id, name.partition), name, rule }));
        }
        tasks
    }

    /// Looks at some partitions. What was opened for it is closed again; the caller gives it back.
    fn retain_some(&self, tasks: Vec<Task>, now: TimestampMs, mut left: u64) -> (Sum, Vec<Lease>) {
        let mut sum = Sum::default();
        let mut leases = Vec::new();
        for Task { name, key, rule } in tasks {
            if self.stop.is_cancelled() {
                break;
            }
            let rule = Retention { aged_bytes_max: left, ..rule };
            let retained = match self.open.get(key) {
                Some(served) => served.partition.log().retain(&rule, now),
                None => match self.lease(&name, key, &rule, now) {
                    Some(lease) => {
                        let retained = lease.log.as_ref().map(|log| log.retain(&rule, now));
                        leases.push(lease);
                        retained.unwrap_or(Ok(Retained::default()))
                    }
                    None => continue,
                },
            };
            match retained {
                Ok(retained) => {
                    self.report(&name, &retained);
                    left = left.saturating_sub(retained.aged_bytes);
                    sum.add(&Sum { retained, partitions: u64::from(retained.segments > 0) });
                }
                // A full disk was reported; the next pass tries again.
                Err(error) if crate::sys::io_cause(&error) == IoCause::Full => {}
                Err(error) => tracing::warn!(partition = %name, %error, "cannot remove old segments"),
            }
        }
        for lease in &mut leases {
            // The first close makes the new starts of all durable.
            if let Some(log) = lease.log.take()
                && let Err(error) = log.close()
            {
                tracing::warn!(partition = %lease.name, %error, "cannot close a partition after retention");
            }
        }
        (sum, leases)
    }

    fn report(&self, name: &TopicPartition, retained: &Retained) {
        if retained.segments > 0 {
            let Retained { segments, bytes, aged_bytes, .. } = *retained;
            tracing::debug!(partition = %name, segments, bytes, aged_bytes, "old segments go");
        }
        if retained.of_the_future
            && let Some(held_back) = self.quiet.allow(self.clock.mono())
        {
            tracing::warn!(
                partition = %name, held_back,
                "records with timestamps of the future keep the oldest segment"
            );
        }
    }

    /// Opens the log of a partition that nobody has open, if something may be due there. Clients who ask for it
    /// meanwhile wait until it is given back.
    fn lease(&self, name: &TopicPartition, key: Key, rule: &Retention, now: TimestampMs) -> Option<Lease> {
        let image = self.image.load();
        let topic = image.topic_by_id(key.0)?;
        // One that was moved is for the usual opening to write down.
        let Ok(Place { dir, moved: false }) = self.dirs.place(name, key.0, topic.directory(name.partition))
        else {
            return None;
        };
        match dir.may_be_due(name, key.0, rule, now) {
            Ok(due) if !due => return None,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(partition = %name, %error, "cannot look for old segments");
                return None;
            }
        }
        if !matches!(self.open.find(key, &*self.clock), Found::ToOpen) {
            return None;
        }
        let (log_settings, _) = effective(name, &topic.configs, &self.settings.load());
        let log = match dir.open_partition(name, key.0, log_settings) {
            Ok((log, _)) => Some(log),
            Err(error) => {
                tracing::warn!(partition = %name, %error, "cannot open a partition to remove old segments");
                None
            }
        };
        Some(Lease { name: name.clone(), key, log })
    }

    /// Leaves a partition as it was found, unless somebody wants it by now.
    async fn give_back(&self, lease: Lease) {
        let Lease { name, key, log: _ } = lease;
        match self.open.give_back(key) {
            Back::Closed => {}
            Back::Wanted => self.open_one(name, key).await,
            Back::Gone => {
                // Deleted meanwhile; or the broker stops, and keeps it.
                let deleted = self.image.load().topic_by_id(key.0).is_none();
                self.close_and_delete(name, key, None, deleted.then_some(Duration::ZERO)).await;
            }
        }
    }
}

impl Sum {
    fn add(&mut self, other: &Sum) {
        self.partitions += other.partitions;
        self.retained.segments += other.retained.segments;
        self.retained.bytes += other.retained.bytes;
        self.retained.aged_bytes += other.retained.aged_bytes;
        self.retained.held_back |= other.retained.held_back;
    }
}

fn tell(finding: Finding, limits: Limits) {
    let Limits { grace, .. } = limits;
    match finding {
        Finding::Ahead(by) => tracing::error!(
            ?by,
            ?grace,
            "the wall clock jumped ahead: nothing is removed by age until it is set right or the grace is over"
        ),
        Finding::Behind(by) => tracing::warn!(?by, "the wall clock was set back: records live longer"),
        Finding::Returned => tracing::info!("the wall clock agrees with its past again"),
        Finding::Accepted => {
            tracing::warn!(
                "the wall clock stayed where it jumped and is believed: what is old now goes in parts"
            );
        }
        Finding::LongStop(away) => tracing::warn!(
            ?away,
            "a long stop, or a clock that jumped meanwhile: what is old now goes in parts"
        ),
    }
}
