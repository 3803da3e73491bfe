//! The shards of groups: one for each partition of `__consumer_offsets`, opened when the broker starts, or when the
//! first group comes. Must not know commands.

use super::super::Engine;
use super::super::TopicRef;
use super::own_log::OwnLog;
use crate::catalog::{CatalogImage, TopicEntry};
use crate::coordinator::{LoadError, Outlet, REWRITE_BYTES_MIN, Shard, ShardHandle, ShardOptions};
use crate::group::{Command, Context, Effect, Groups};
use crate::sys::Clock;
use crate::types::TopicId;
use futures_util::future::join_all;
use parking_lot::Mutex;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// A shard that could not be opened is tried again after this time.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// How long the first caller of all waits for empty logs to be opened, before it is told to try again.
const FIRST_OPENING: Duration = Duration::from_secs(5);

/// The shard of one partition; none while it is loaded.
type Slot = watch::Sender<Option<ShardHandle<Groups>>>;

/// All shards, and what they are told.
#[derive(Default)]
pub(in super::super) struct GroupShards {
    slots: OnceLock<Box<[Slot]>>,
    /// Held by whoever makes the topic.
    pub(super) making: tokio::sync::Mutex<()>,
    told: Mutex<Option<Told>>,
}

/// What the shards were told last.
struct Told {
    image: Arc<CatalogImage>,
    /// Number of the table of topics.
    version: u64,
    contexts: watch::Sender<Context>,
}

/// Where the output of a shard goes.
struct GroupOutlet {
    engine: Weak<Engine>,
    needs_context: Arc<Notify>,
}

impl Outlet<Groups> for GroupOutlet {
    fn publish(&mut self, (): ()) {}

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::NeedsContext => self.needs_context.notify_one(),
        }
    }

    fn run_blocking(&mut self, job: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        let engine = self.engine.upgrade().ok_or_else(|| io::Error::other("the broker stops"))?;
        // Not all logs are read at once, or a start would need a thread for each.
        tokio::spawn(async move {
            // A job that was lost was logged, and the shard sees that it did not end.
            let _ = engine.workers.run("coordinator", job).await;
        });
        Ok(())
    }

    fn before_reopen(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let engine = self.engine.clone();
        Box::pin(async move {
            if let Some(engine) = engine.upgrade() {
                engine.raise_epoch().await;
            }
        })
    }
}

impl GroupShards {
    /// Number of shards; 0 before the topic is there.
    pub(super) fn count(&self) -> usize {
        self.slots.get().map_or(0, |slots| slots.len())
    }

    /// The shard of a group; `None` while it is loaded.
    pub(super) fn of(&self, group: &str) -> Option<ShardHandle<Groups>> {
        let slots = self.slots.get()?;
        slots.get(usize::try_from(self.partition_of(group)).ok()?)?.borrow().clone()
    }

    /// The partition that a group falls on.
    pub(super) fn partition_of(&self, group: &str) -> i32 {
        super::partition_of(group, i32::try_from(self.count()).unwrap_or(i32::MAX))
    }

    /// All shards; `None` for those that are being loaded.
    pub(super) fn all(&self) -> Vec<Option<ShardHandle<Groups>>> {
        let slots = self.slots.get().map(AsRef::as_ref).unwrap_or_default();
        slots.iter().map(|slot| slot.borrow().clone()).collect()
    }

    /// Opens the shards, in the background, once.
    pub(super) fn begin(&self, engine: &Arc<Engine>, topic: &Arc<TopicEntry>) {
        let mut new = false;
        let slots = self.slots.get_or_init(|| {
            new = true;
            (0..topic.partitions).map(|_| watch::Sender::new(None)).collect()
        });
        if !new {
            return;
        }
        for (slot, partition) in slots.iter().zip(0..) {
            tokio::spawn(keep_open(Arc::downgrade(engine), topic.id, partition, slot.clone()));
        }
    }

    /// Waits until all shards are open, not for ever.
    pub(super) async fn all_open(&self, clock: &dyn Clock) {
        let slots = self.slots.get().map(AsRef::as_ref).unwrap_or_default();
        let open = slots.iter().map(|slot| {
            let mut slot = slot.subscribe();
            async move {
                // An error means that the broker stops.
                let _ = slot.wait_for(Option::is_some).await;
            }
        });
        tokio::select! {
            biased;
            _ = join_all(open) => {}
            () = clock.sleep(FIRST_OPENING) => {}
        }
    }

    /// Tells all shards what holds now: always, or if topics changed. Image and settings are looked up under the lock,
    /// so that nobody is told of a topic and then, by a slower caller with an older image, that it is gone.
    pub(super) fn tell(&self, always: bool, engine: &Engine) {
        let mut told = self.told.lock();
        let image = engine.image();
        match told.as_mut() {
            // Before the first time nobody listens.
            None if !always => {}
            None => {
                // Each change of topics is a record of the catalog's log at least, and so is each start: numbers
                // grow from change to change and from start to start.
                let version = u64::try_from(engine.catalog_log.marks().end.0).unwrap_or(0);
                let contexts =
                    watch::Sender::new(engine.context(&image, version, engine.group_settings(&image)));
                *told = Some(Told { image, version, contexts });
            }
            Some(told) => {
                let same = told.image.has_topics_of(&image);
                if same && !always {
                    return;
                }
                told.version += u64::from(!same);
                let settings = match always {
                    true => engine.group_settings(&image),
                    // Those of single groups may be many, and do not change with topics.
                    false => Arc::clone(&told.contexts.borrow().settings),
                };
                told.contexts.send_replace(engine.context(&image, told.version, settings));
                told.image = image;
            }
        }
    }

    fn contexts(&self) -> Option<watch::Receiver<Context>> {
        self.told.lock().as_ref().map(|told| told.contexts.subscribe())
    }

    /// Ends all shards once what was asked is answered.
    pub(in super::super) async fn stop(&self) {
        for shard in self.all().into_iter().flatten() {
            shard.stop().await;
        }
    }
}

/// Opens a shard and serves it; should it end, opens it again, until the broker stops.
async fn keep_open(engine: Weak<Engine>, topic: TopicId, partition: i32, slot: Slot) {
    let mut told = String::new();
    loop {
        let Some(this) = engine.upgrade() else { return };
        let (clock, stop) = (Arc::clone(&this.clock), this.stop.clone());
        if stop.is_cancelled() {
            return;
        }
        let opened = open(&this, topic, partition).await;
        drop(this);
        match opened {
            Ok((handle, shard, feed)) => {
                slot.send_replace(Some(handle));
                told.clear();
                // A task of its own: should the machine panic, the groups are loaded again and the broker goes on.
                let mut shard = tokio::spawn(shard);
                let ended = tokio::select! {
                    biased;
                    ended = &mut shard => ended,
                    // The broker stops: the shard answers what it was asked first.
                    () = feed => shard.await,
                };
                if let Err(error) = ended {
                    tracing::error!(partition, %error, "the groups of a partition failed and are loaded again");
                }
                slot.send_replace(None);
            }
            // Said once, not each second for as long as a disk is away.
            Err(error) => {
                let error = error.to_string();
                if error != told {
                    tracing::error!(partition, %error, "cannot load the groups of a partition");
                    told = error;
                }
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = clock.sleep(REOPEN_AFTER) => {}
        }
    }
}

/// Why a shard is not there.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    #[error("the partition cannot be used: {0}")]
    Partition(#[from] super::super::Refusal),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the broker has not started yet")]
    TooEarly,
}

async fn open(
    engine: &Arc<Engine>,
    topic: TopicId,
    partition: i32,
) -> Result<
    (ShardHandle<Groups>, impl Future<Output = ()> + use<>, impl Future<Output = ()> + use<>),
    NotOpened,
> {
    let served = engine.served(&TopicRef::Id(topic), partition).await?;
    let contexts = engine.groups.contexts().ok_or(NotOpened::TooEarly)?;
    let needs_context = Arc::new(Notify::new());
    let outlet = GroupOutlet { engine: Arc::downgrade(engine), needs_context: Arc::clone(&needs_context) };
    let options = ShardOptions {
        name: format!("groups-{partition}").into(),
        seed: engine.rng.next_u64(),
        epoch: engine.epoch.clone(),
        rewrite_bytes_min: REWRITE_BYTES_MIN,
    };
    let clock = Arc::clone(&engine.clock);
    let (handle, shard) = Shard::<Groups, _>::open(Arc::new(OwnLog(served)), clock, options, outlet).await?;
    let feed = feed(handle.clone(), contexts, needs_context, engine.stop.clone());
    Ok((handle, shard.run(), feed))
}

/// Tells one shard what holds, whenever that changes or the shard was loaded again.
async fn feed(
    shard: ShardHandle<Groups>,
    mut contexts: watch::Receiver<Context>,
    needs_context: Arc<Notify>,
    stop: tokio_util::sync::CancellationToken,
) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = needs_context.notified() => {}
            changed = contexts.changed() => if changed.is_err() {
                return;
            }
        }
        let context = contexts.borrow_and_update().clone();
        // A shard that failed asks again once it is loaded.
        let _ = shard.call(Command::Context(context)).await;
    }
}
