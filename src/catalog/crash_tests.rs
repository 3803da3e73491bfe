//! The catalog in its log on a simulated disk that loses power, or whose syncs fail, at every change in turn: what was
//! answered holds, and nothing else appears.

use super::*;
use crate::coordinator::{CallError, Outlet, Shard, ShardOptions};
use crate::log::local::{Commit, LogDir, LogDirOptions};
use crate::log::{LogSettings, PartitionLog};
use crate::partition::LeaderEpoch;
use crate::sys::{Call, Fault, SeededRng, SimClock, SimFs};
use crate::types::{Epoch, ProducerId, TimestampMs, TopicId, TopicPartition, Uuid};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Default)]
struct Published(Arc<ArcSwap<CatalogImage>>);

impl Outlet<Catalog> for Published {
    fn publish(&mut self, image: CatalogImage) {
        self.0.store(Arc::new(image));
    }

    fn effect(&mut self, _effect: Effect) {}

    fn run_blocking(&mut self, job: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
        job();
        Ok(())
    }
}

/// What callers were told.
#[derive(Default)]
struct Told {
    topics: BTreeMap<String, TopicId>,
    deleted: BTreeSet<TopicId>,
    producers: BTreeSet<ProducerId>,
    epoch: Option<Epoch>,
}

struct Broker {
    dir: Arc<LogDir>,
    clock: SimClock,
    catalog: CatalogHandle,
    published: Published,
    task: tokio::task::JoinHandle<()>,
}

async fn start(fs: &SimFs, seed: u64) -> Option<Broker> {
    let (clock, rng) = (SimClock::new(TimestampMs(1_000_000)), Arc::new(SeededRng::new(seed)));
    let options = LogDirOptions { commit: Commit::Manual, ..LogDirOptions::default() };
    let path = Path::new("/data");
    let dir = LogDir::open(Arc::new(fs.clone()), Arc::new(clock.clone()), rng, path, options).ok()?;
    let id = TopicPartition::new("__cluster_metadata", 0);
    let settings = LogSettings { segment_bytes: 1000, ..LogSettings::default() };
    let (log, _) = dir.open_partition(&id, Uuid([0; 16]), settings).ok()?;
    let options = ShardOptions {
        name: "catalog".into(),
        seed,
        epoch: LeaderEpoch::new(Epoch(0)),
        rewrite_bytes_min: 1500,
    };
    let published = Published::default();
    let log: Arc<dyn PartitionLog> = log;
    let opened = Shard::open(log, Arc::new(clock.clone()), options, published.clone()).await;
    let (shard, runner) = opened.ok()?;
    let task = tokio::spawn(runner.run());
    Some(Broker { dir, clock, catalog: CatalogHandle::new(shard), published, task })
}

impl Broker {
    /// Runs commit rounds and time until the call is answered.
    async fn drive<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, CallError>> + Send + 'static,
    ) -> Result<T, CallError> {
        let call = tokio::spawn(call);
        while !call.is_finished() {
            tokio::task::yield_now().await;
            self.dir.commit_round();
            self.clock.advance(Duration::from_millis(20));
        }
        call.await.unwrap()
    }

    /// Some of everything, until a call fails.
    async fn work(&self, told: &mut Told, round: usize) -> Result<(), CallError> {
        let dirs: Arc<[Uuid]> = [Uuid([9; 16])].into();
        let broker =
            Registration { broker_id: 1, incarnation: Uuid([7; 16]), directories: Arc::clone(&dirs) };
        let catalog = self.catalog.clone();
        let clean = round == 0;
        told.epoch = Some(self.drive(async move { catalog.boot(clean, broker).await }).await?);
        for at in 0..6 {
            let name = format!("t{round}-{at}");
            let (catalog, topic, dirs) = (self.catalog.clone(), name.clone(), Arc::clone(&dirs));
            let made = async move { catalog.create_topic(topic.into(), 2, Configs::new(), dirs).await };
            let id = self.drive(made).await?.unwrap();
            assert_eq!(
                self.published.0.load().topic(&name).map(|topic| topic.id),
                Some(id),
                "published first"
            );
            told.topics.insert(name.clone(), id);
            let catalog = self.catalog.clone();
            let producer = self.drive(async move { catalog.new_producer_id().await }).await?;
            assert!(told.producers.insert(producer), "producer id {producer} was given before");
            if at % 2 == 1 {
                // It may be deleted from now on, whatever is answered.
                told.topics.remove(&name);
                let catalog = self.catalog.clone();
                self.drive(async move { catalog.delete_topic(id).await }).await?.unwrap();
                told.deleted.insert(id);
            }
        }
        Ok(())
    }

    fn check(&self, told: &Told) {
        let image = self.published.0.load();
        for (name, id) in &told.topics {
            let topic = image.topic(name).unwrap_or_else(|| panic!("topic {name} was promised"));
            assert_eq!((topic.id, topic.partitions), (*id, 2), "whole or not at all");
        }
        assert!(image.topics().all(|topic| topic.partitions == 2 && !told.deleted.contains(&topic.id)));
        assert!(told.epoch.is_none_or(|epoch| image.epoch() >= epoch));
        assert!(told.producers.iter().all(|id| *id < image.next_producer_id()));
    }
}

async fn check_power_cut(stop_after: u64, seed: u64) -> bool {
    let mut fs = SimFs::new(seed);
    let mut told = Told::default();
    fs.stop_after(stop_after);
    if let Some(broker) = start(&fs, seed).await {
        let _ = broker.work(&mut told, 0).await;
        broker.task.abort();
    }
    let cut = fs.power_is_off();
    for round in 1..4 {
        fs = fs.crash(seed + round);
        if round < 3 {
            fs.stop_after(stop_after % 41 + 25 * round);
        }
        let Some(broker) = start(&fs, seed + round).await else {
            assert!(round < 3, "the last start meets no failure");
            continue;
        };
        broker.check(&told);
        let before = told.epoch;
        if broker.work(&mut told, round as usize).await.is_ok() {
            assert!(told.epoch > before || !cut, "the epoch rises after a crash");
        }
        broker.task.abort();
    }
    cut
}

#[tokio::test]
async fn what_the_catalog_answered_holds_wherever_the_power_goes() {
    let mut stop_after = 0;
    while check_power_cut(stop_after, 5000).await {
        stop_after += 1;
    }
    assert!(stop_after > 40, "the script makes {stop_after} changes");
}

#[tokio::test]
async fn the_catalog_comes_back_from_any_failed_sync() {
    for nth in 1..30 {
        let fs = SimFs::new(nth);
        fs.fail(Fault::eio(Call::Sync).nth(nth));
        let mut told = Told::default();
        let mut round = 0;
        loop {
            let Some(broker) = start(&fs, nth + round).await else {
                assert!(round == 0, "one failure only");
                round += 1;
                continue;
            };
            broker.check(&told);
            let mut calls = 0;
            while broker.work(&mut told, (round * 10 + calls) as usize).await.is_err() {
                calls += 1;
                assert!(calls < 4, "the shard comes back by itself");
            }
            broker.check(&told);
            broker.catalog.stop().await;
            broker.task.await.unwrap();
            break;
        }
    }
}
