//! Compaction in a running broker: which log is cleaned next, by whom, how fast, and what becomes of one that cannot be
//! cleaned. The order is Kafka's (`LogCleanerManager.grabFilthiestCompactedLog`). How a log is cleaned is in `log/`.

use super::Engine;
use super::registry::{Key, Served};
use super::throttle::Throttle;
use crate::config::TopicSettings;
use crate::log::LogState;
use crate::log::local::clean::{
    CleanError, CleanInput, CleanLogError, CleanReport, CleanRules, CleanerLimits, Dirt, LastRecord, Pace,
};
use crate::sys::lower_priority;
use crate::types::{MonoNs, ProducerId, TimestampMs, TopicPartition};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Least time between two looks, whatever `log.cleaner.backoff.ms` says: looking costs a little of every open log.
const BACKOFF_MIN: Duration = Duration::from_millis(10);

/// First and longest wait before a log is tried again that could not be cleaned.
const RETRY: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));

/// Directories of partitions that are not open, looked at in one go: what that takes must not keep a stop waiting.
const AT_REST_PER_LOOK: usize = 64;

/// What compaction has done since the start, and how it stands.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct CleanerStats {
    /// Cleanings that came to their end.
    pub runs: u64,
    /// Cleanings that failed.
    pub failures: u64,
    /// Bytes read, to find keys and to rewrite.
    pub bytes_read: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Bytes that logs became smaller by.
    pub bytes_freed: u64,
    /// Records that went.
    pub records_removed: u64,
    /// The dirty part of the filthiest log, 0 to 1, when they were last looked at.
    pub dirtiest: f64,
    /// For how long records have waited longer than `max.compaction.lag.ms`, in milliseconds, at most.
    pub overdue_ms: i64,
    /// Logs that could not be cleaned and wait to be tried again.
    pub uncleanable: usize,
    /// Logs that are being cleaned.
    pub under_way: usize,
    /// When logs were last looked at.
    pub last_look: Option<TimestampMs>,
}

/// The cleaner's state.
pub(super) struct Cleaning {
    inner: Mutex<Inner>,
    throttle: Throttle,
    /// The settings may have changed: what they say of threads and waits holds at once.
    changed: Notify,
    /// False while something is being cleaned, or may be.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    /// Set the flag, and the cleaning ends soon.
    under_way: BTreeMap<Key, Arc<AtomicBool>>,
    failed: BTreeMap<Key, Failed>,
    /// Partitions that are not open and were found clean enough. Nobody appends to them.
    at_rest: BTreeSet<Key>,
    stats: CleanerStats,
    /// Log directories without room to spare, which were told of.
    crowded: BTreeSet<PathBuf>,
}

struct Failed {
    times: u32,
    next: MonoNs,
    /// It failed for want of room: with so many bytes to spare it is tried at once.
    wants: Option<u64>,
}

/// A log to be cleaned.
struct Job {
    key: Key,
    served: Arc<Served>,
    rules: CleanRules,
    dirt: Dirt,
    cancelled: Arc<AtomicBool>,
}

impl Default for Cleaning {
    fn default() -> Cleaning {
        Cleaning {
            inner: Mutex::default(),
            throttle: Throttle::default(),
            changed: Notify::new(),
            ended: watch::Sender::new(true),
        }
    }
}

impl Cleaning {
    /// Ends the cleaning of a partition soon, and forgets what is known of it: it is deleted or closed.
    pub(super) fn cancel(&self, key: Key) {
        let mut inner = self.inner.lock();
        if let Some(cancelled) = inner.under_way.get(&key) {
            cancelled.store(true, Ordering::Release);
        }
        inner.failed.remove(&key);
        inner.at_rest.remove(&key);
    }

    /// Looks at the settings again.
    pub(super) fn settings_changed(&self) {
        self.changed.notify_one();
    }

    /// Returns once nothing is cleaned any more. The engine's `stop` must be cancelled.
    pub(super) async fn over(&self) {
        // An error means that the engine is gone.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    fn stats(&self) -> CleanerStats {
        let inner = self.inner.lock();
        let (under_way, uncleanable) = (inner.under_way.len(), inner.failed.len());
        CleanerStats { under_way, uncleanable, ..inner.stats }
    }
}

/// Runs until the engine is gone or stops.
pub(super) async fn run(engine: Weak<Engine>) {
    let mut running = JoinSet::new();
    loop {
        let Some(this) = engine.upgrade() else { break };
        let (clock, stop, settings) = (Arc::clone(&this.clock), this.stop.clone(), this.settings.load_full());
        if stop.is_cancelled() {
            break;
        }
        while settings.cleaner.enabled && running.len() < settings.cleaner.threads {
            // Before anybody can ask whether it is over.
            this.cleaning.ended.send_replace(false);
            let Some(job) = this.next_job().await else { break };
            running.spawn(clean(engine.clone(), job));
        }
        if running.is_empty() {
            this.cleaning.ended.send_replace(true);
        }
        // The engine is not held while asleep, or it could not go.
        let cleaning = Arc::clone(&this.cleaning);
        drop(this);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = cleaning.changed.notified() => {}
            Some(_) = running.join_next() => {}
            () = clock.sleep(settings.cleaner.backoff.max(BACKOFF_MIN)) => {}
        }
    }
    while running.join_next().await.is_some() {}
    if let Some(this) = engine.upgrade() {
        this.cleaning.ended.send_replace(true);
    }
}

/// One cleaning, on a thread of its own.
async fn clean(engine: Weak<Engine>, job: Job) {
    let Some(this) = engine.upgrade() else { return };
    let key = job.key;
    let worker = Arc::clone(&this);
    let ended = this.workers.run_alone("log-cleaner", move || worker.clean_blocking(&job)).await;
    if ended.is_err() {
        // The thread was not to be had, or gave up; that was logged.
        this.cleaning.inner.lock().under_way.remove(&key);
    }
}

impl Engine {
    /// What compaction has done, and how it stands.
    pub fn cleaner_stats(&self) -> CleanerStats {
        self.cleaning.stats()
    }

    /// The log to clean next, if one is due.
    async fn next_job(&self) -> Option<Job> {
        let engine = self.me.upgrade()?;
        let (job, at_rest) = self
            .workers
            .run("look-for-dirt", move || match engine.filthiest() {
                Some(job) => (Some(job), None),
                None => (None, engine.dirty_at_rest()),
            })
            .await
            .ok()?;
        if let Some((name, key)) = at_rest {
            // Like for a client; the next look finds it open.
            if let Some(opening) = self.wait_for(&name.topic, key) {
                opening.await;
            }
            let engine = self.me.upgrade()?;
            return self.workers.run("look-for-dirt", move || engine.filthiest()).await.ok()?;
        }
        job
    }

    /// Among the open logs that are due, the one with the largest part to clean.
    fn filthiest(&self) -> Option<Job> {
        let (now, mono) = (self.clock.wall(), self.clock.mono());
        let mut best: Option<Job> = None;
        let (mut dirtiest, mut overdue_ms) = (0.0_f64, 0);
        for (key, served) in self.open.all() {
            if self.stop.is_cancelled() {
                return None;
            }
            let Some(rules) = served.rules.load().cleaning else { continue };
            if served.partition.marks().state != LogState::Online || self.is_left_alone(key, &served, mono) {
                continue;
            }
            let dirt = match self.look_at(&served, &rules, now) {
                Ok(dirt) => dirt,
                Err(error) => {
                    self.cleaning_failed(key, served.partition.id(), &error);
                    continue;
                }
            };
            dirtiest = dirtiest.max(dirt.ratio());
            overdue_ms = overdue_ms.max(dirt.overdue_ms);
            if dirt.is_due(&rules) && best.as_ref().is_none_or(|best| dirt.ratio() > best.dirt.ratio()) {
                best = Some(Job { key, served, rules, dirt, cancelled: Arc::default() });
            }
        }
        let mut inner = self.cleaning.inner.lock();
        let stats = &mut inner.stats;
        (stats.dirtiest, stats.overdue_ms, stats.last_look) = (dirtiest, overdue_ms, Some(now));
        if let Some(job) = &best {
            inner.under_way.insert(job.key, Arc::clone(&job.cancelled));
        }
        best
    }

    fn is_left_alone(&self, key: Key, served: &Served, now: MonoNs) -> bool {
        let wants = {
            let inner = self.cleaning.inner.lock();
            if inner.under_way.contains_key(&key) {
                return true;
            }
            inner.failed.get(&key).filter(|failed| now < failed.next).map(|failed| failed.wants)
        };
        wants.is_some_and(|wants| wants.is_none_or(|wants| served.log.room_to_clean() < wants))
    }

    fn look_at(
        &self,
        served: &Served,
        rules: &CleanRules,
        now: TimestampMs,
    ) -> Result<Dirt, crate::log::ReadError> {
        if served.log.close_overdue(rules.max_lag_ms, now)? {
            tracing::debug!(partition = %served.partition.id(), "closed a segment for its records to be compacted");
        }
        served.log.dirt(served.partition.last_stable(), rules, now)
    }

    /// A partition that nobody has opened since the start and that is worth to be opened for cleaning.
    fn dirty_at_rest(&self) -> Option<(TopicPartition, Key)> {
        let (image, settings) = (self.image.load(), self.settings.load());
        let mut left = AT_REST_PER_LOOK;
        for topic in image.topics() {
            let rules = TopicSettings::resolve(&topic.configs, &settings).ok();
            let own = crate::catalog::is_internal(&topic.name);
            let Some(rules) = rules.and_then(|rules| rules.clean_rules()).filter(|_| !own) else { continue };
            for partition in 0..topic.partitions {
                let key = (topic.id, partition);
                if self.open.get(key).is_some() || self.cleaning.inner.lock().at_rest.contains(&key) {
                    continue;
                }
                if left == 0 || self.stop.is_cancelled() {
                    return None;
                }
                left -= 1;
                let name = TopicPartition::new(Arc::clone(&topic.name), partition);
                self.cleaning.inner.lock().at_rest.insert(key);
                let Ok(place) = self.dirs.place(&name, topic.id, topic.directory(partition)) else {
                    continue;
                };
                let (clean, dirty) = place.dir.dirt_at_rest(&name, topic.id).unwrap_or_default();
                let ratio = dirty as f64 / (clean + dirty).max(1) as f64;
                if dirty > 0 && (ratio > rules.min_ratio || rules.max_lag_ms != i64::MAX) {
                    return Some((name, key));
                }
            }
        }
        None
    }

    fn clean_blocking(&self, job: &Job) {
        lower_priority();
        let name = job.served.partition.id();
        let settings = self.settings.load_full();
        let threads = settings.cleaner.threads.max(1);
        let limits = CleanerLimits {
            map_bytes: settings.cleaner.map_bytes / threads,
            load_factor: settings.cleaner.load_factor,
            // Half for reading, half for writing, as Kafka does.
            io_buffer_bytes: settings.cleaner.io_buffer_bytes / threads / 2,
        };
        let mut cleaner = job.served.log.cleaner(Arc::clone(&self.rng), limits);
        let input = CleanInput {
            dirt: job.dirt,
            rules: &job.rules,
            producers: job.last_records(),
            now: self.clock.wall(),
        };
        let cleaned = job.served.log.clean(&mut cleaner, input, &Paced { engine: self, job });
        match &cleaned {
            Ok(report) => self.cleaned(name, job.directory(), report),
            Err(CleanLogError::Stopped | CleanLogError::Clean(CleanError::Stopped)) => {}
            Err(_) if job.served.partition.marks().state != LogState::Online => {}
            Err(CleanLogError::NoRoom) => self.no_room(job),
            Err(error) => self.cleaning_failed(job.key, name, error),
        }
        let mut inner = self.cleaning.inner.lock();
        if cleaned.is_ok() {
            inner.failed.remove(&job.key);
        }
        inner.under_way.remove(&job.key);
    }

    fn cleaned(&self, name: &TopicPartition, directory: &Path, report: &CleanReport) {
        let stats = &report.stats;
        let freed = stats.bytes_read.saturating_sub(stats.bytes_written);
        tracing::info!(
            partition = %name, until = %report.cleaned_until, keys = stats.map_keys, read = stats.bytes_read,
            written = stats.bytes_written, map_was_full = stats.map_was_full, "compacted a log"
        );
        let mut inner = self.cleaning.inner.lock();
        inner.crowded.remove(directory);
        let sum = &mut inner.stats;
        sum.runs += 1;
        sum.bytes_read += stats.map_bytes_read.saturating_add(stats.bytes_read);
        sum.bytes_written += stats.bytes_written;
        sum.bytes_freed += freed;
        sum.records_removed += stats.records_read.saturating_sub(stats.records_written);
    }

    /// Others go on; this one is tried again, for a file may be mended.
    fn cleaning_failed(&self, key: Key, name: &TopicPartition, error: &dyn std::error::Error) {
        let wait = self.leave_alone(key, None);
        tracing::error!(partition = %name, %error, ?wait, "a log cannot be compacted; it is left alone for a while");
    }

    /// Tried again when there is room for all that it may take, and now and then with less, for it may take less.
    fn no_room(&self, job: &Job) {
        let log = &job.served.log;
        // With room all the same it is a quota or the like, which does not say when there is more.
        let wants = Some(log.room_wanted(&job.rules)).filter(|wants| log.room_to_clean() < *wants);
        let wait = self.leave_alone(job.key, wants);
        let (name, directory) = (job.served.partition.id(), job.directory());
        if self.cleaning.inner.lock().crowded.insert(directory.to_owned()) {
            let dir = directory.display();
            tracing::warn!(%dir, partition = %name, "the disk has no room for compaction, which waits for some");
        } else {
            tracing::debug!(partition = %name, ?wait, "no room to spare for compacting a log");
        }
    }

    fn leave_alone(&self, key: Key, wants: Option<u64>) -> Duration {
        let now = self.clock.mono();
        let mut inner = self.cleaning.inner.lock();
        inner.stats.failures += 1;
        let failed = inner.failed.entry(key).or_insert(Failed { times: 0, next: now, wants });
        let wait = RETRY.0.saturating_mul(1 << failed.times.min(6)).min(RETRY.1);
        *failed = Failed { times: failed.times.saturating_add(1), next: now.after(wait), wants };
        wait
    }
}

impl Job {
    /// The log directory that the log is in.
    fn directory(&self) -> &Path {
        self.served.dir.path()
    }

    /// The batches that stay for their producers' sake, who are remembered.
    fn last_records(&self) -> BTreeMap<ProducerId, LastRecord> {
        let producers = self.served.partition.producers().into_iter();
        producers.map(|one| (one.id, LastRecord { data: one.last_offset, epoch: one.epoch })).collect()
    }
}

/// Holds a cleaning to its rate, and ends it when it has to.
struct Paced<'a> {
    engine: &'a Engine,
    job: &'a Job,
}

impl Paced<'_> {
    fn is_over(&self) -> bool {
        self.engine.stop.is_cancelled() || self.job.cancelled.load(Ordering::Acquire)
    }
}

impl Pace for Paced<'_> {
    fn moved(&self, bytes_read: u64, bytes_written: u64) -> ControlFlow<()> {
        let bytes = bytes_read.saturating_add(bytes_written);
        let rate = || self.engine.settings.load().cleaner.bytes_per_second_max;
        self.engine.cleaning.throttle.take(bytes, rate, &*self.engine.clock, || self.is_over());
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
