//! A whole broker without doors in one thread, over a simulated disk and clock: what it does depends on the seed alone.
//! It knows how to wait for an answer, and nothing of what is asked.

use super::disk::Disk;
use logboom::config::BrokerSettings;
use logboom::engine::{Engine, EngineParts};
use logboom::log::local::{Commit, LogDirOptions};
use logboom::sys::{Clock, Fs, SeededRng, SimClock};
use logboom::types::{MonoNs, TimestampMs};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Turns of the runtime between two instants of the clock.
const TURNS: usize = 3;
/// Instants after which an answer will not come any more.
const INSTANTS_MAX: usize = 100_000;

/// How the broker is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Longest time between two writings of the marks, ms.
    pub mark_ms: u64,
    /// Bytes after which they are written anyway.
    pub mark_bytes: u64,
    /// Bytes kept back for a full disk.
    pub reserve_bytes: u64,
    /// Fewest logs of which a commit round goes into the journal, 0 for never, and the size of its files.
    pub journal: (usize, u64),
    /// How long the cleaner sleeps, ms; none for no compaction.
    pub cleaner_ms: Option<u64>,
    /// Time for which a round of the scrub is, ms.
    pub scrub_ms: u64,
}

/// A broker that runs as long as it is held.
pub struct Broker {
    // Dropped before the runtime, whose tasks hold the engine as well.
    engine: Option<Arc<Engine>>,
    runtime: Option<Runtime>,
    clock: SimClock,
    stop: CancellationToken,
}

impl Broker {
    /// Starts one; the error is that of the engine.
    pub fn start(fs: Arc<dyn Fs>, data: &str, wall: i64, seed: u64, setup: Setup) -> Result<Broker, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let clock = SimClock::new(TimestampMs(wall));
        let cleaner_ms = setup.cleaner_ms.unwrap_or(1000).to_string();
        let cleaner = if setup.cleaner_ms.is_some() { "true" } else { "false" };
        let values = [
            ("log.dirs", data),
            ("offsets.topic.num.partitions", "2"),
            ("log.retention.check.interval.ms", "1000"),
            ("log.initial.task.delay.ms", "200"),
            ("log.cleaner.enable", cleaner),
            ("log.cleaner.backoff.ms", &cleaner_ms),
            // Little, for many are taken; and batches are longer than what is read and written at a time.
            ("log.cleaner.dedupe.buffer.size", "1048576"),
            ("log.cleaner.io.buffer.size", "1000"),
        ];
        let settings = Arc::new(BrokerSettings::with_values(&values).unwrap());
        let log_dir = LogDirOptions {
            commit: Commit::Task,
            open_files_max: 12,
            mark_interval: Duration::from_millis(setup.mark_ms),
            mark_bytes: setup.mark_bytes,
            reserve_bytes: setup.reserve_bytes,
            journal_logs_min: setup.journal.0,
            journal_bytes: setup.journal.1,
            scrub_interval: Duration::from_millis(setup.scrub_ms),
            ..LogDirOptions::default()
        };
        let rng = Arc::new(SeededRng::new(seed));
        let parts = EngineParts { fs, clock: Arc::new(clock.clone()), rng, log_dir };
        let stop = CancellationToken::new();
        let mut broker = Broker { engine: None, runtime: Some(runtime), clock, stop: stop.clone() };
        let started = broker.drive(Engine::start(settings, parts, stop));
        broker.engine = Some(started.map_err(|error| error.to_string())?);
        Ok(broker)
    }

    /// As `start`, on a watched disk with so many log directories.
    pub fn start_on(disk: &Disk, dirs: usize, wall: i64, seed: u64, setup: Setup) -> Result<Broker, String> {
        disk.process_ends();
        let data = ["/data", "/more"][..dirs].join(",");
        Broker::start(Arc::new(disk.clone()), &data, wall, seed, setup)
    }

    pub fn engine(&self) -> Arc<Engine> {
        self.engine.clone().unwrap()
    }

    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    pub fn wall(&self) -> i64 {
        self.clock.wall().0
    }

    /// Far enough away that only a broker that hangs gets there.
    pub fn deadline(&self) -> MonoNs {
        self.clock.mono().after(Duration::from_secs(60))
    }

    /// Lets time pass until `call` has its answer.
    pub fn drive<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.as_ref().unwrap().block_on(async {
            let call = tokio::spawn(call);
            for _ in 0..INSTANTS_MAX {
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
                if call.is_finished() {
                    return call.await.unwrap();
                }
                self.clock.advance(Duration::from_millis(1));
            }
            panic!("the broker does not answer");
        })
    }

    /// Runs what may start tasks.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.as_ref().unwrap().enter();
        work()
    }

    /// Lets time pass, in steps of which each gives every task its turns.
    pub fn pass(&self, span: Duration, steps: u32) {
        self.runtime.as_ref().unwrap().block_on(async {
            for _ in 0..steps {
                self.clock.advance(span / steps);
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
            }
        });
    }

    /// Stops it in good order.
    pub fn close(mut self) -> i64 {
        self.stop.cancel();
        let engine = self.engine.take().unwrap();
        self.drive(async move { engine.close().await });
        self.wall()
    }

    /// The process is gone, with all it had in memory.
    pub fn kill(self) -> i64 {
        self.wall()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.engine.take());
        // Drops every task, and what they hold.
        drop(self.runtime.take());
    }
}
