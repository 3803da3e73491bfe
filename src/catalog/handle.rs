//! The catalog as its callers see it: one function a command. Must not know how commands are carried out.

use super::image::{Configs, Registration, Resource, TopicEntry};
use super::machine::{Catalog, Command, NotAdded, NotCreated, NotSet, Reply, UnknownTopic};
use crate::coordinator::{CallError, ShardHandle};
use crate::types::{Epoch, ProducerId, TopicId, Uuid};
use std::sync::Arc;

/// A way to change the catalog. Each function returns once the change is durable and published; the outer error is
/// about the log (`NOT_CONTROLLER`), the inner one about what was asked.
#[derive(Clone)]
pub struct CatalogHandle {
    shard: ShardHandle<Catalog>,
}

/// The reply of the one kind that belongs to the command.
macro_rules! expect {
    ($reply:expr, $kind:pat => $value:expr) => {
        match $reply {
            $kind => Ok($value),
            // The machine answers each command with its own kind of reply.
            _ => Err(CallError::Stopped),
        }
    };
}

impl CatalogHandle {
    /// Calls over a shard.
    pub fn new(shard: ShardHandle<Catalog>) -> CatalogHandle {
        CatalogHandle { shard }
    }

    /// Tells that the process has started; returns the leader epoch of every partition. To be called once, first.
    pub async fn boot(&self, clean: bool, broker: Registration) -> Result<Epoch, CallError> {
        expect!(self.shard.call(Command::Boot { clean, broker }).await?, Reply::Epoch(epoch) => epoch)
    }

    /// Raises the leader epoch, before logs are cut back and reopened.
    pub async fn bump_epoch(&self) -> Result<Epoch, CallError> {
        expect!(self.shard.call(Command::BumpEpoch).await?, Reply::Epoch(epoch) => epoch)
    }

    /// Makes a topic, its partitions spread over these log directories.
    pub async fn create_topic(
        &self,
        name: Arc<str>,
        partitions: i32,
        configs: Configs,
        directories: Arc<[Uuid]>,
    ) -> Result<Result<TopicId, NotCreated>, CallError> {
        let command = Command::CreateTopic { name, partitions, configs, directories };
        expect!(self.shard.call(command).await?, Reply::Created(result) => result)
    }

    /// Deletes a topic; returns it as it was.
    pub async fn delete_topic(
        &self,
        id: TopicId,
    ) -> Result<Result<Arc<TopicEntry>, UnknownTopic>, CallError> {
        expect!(self.shard.call(Command::DeleteTopic { id }).await?, Reply::Deleted(result) => result)
    }

    /// Gives a topic `total` partitions, the new ones spread over these log directories; returns how many it had.
    pub async fn add_partitions(
        &self,
        id: TopicId,
        total: i32,
        directories: Arc<[Uuid]>,
    ) -> Result<Result<i32, NotAdded>, CallError> {
        let command = Command::AddPartitions { id, total, directories };
        expect!(self.shard.call(command).await?, Reply::PartitionsAdded(result) => result)
    }

    /// Says in which log directory a partition is.
    pub async fn put_partition(
        &self,
        id: TopicId,
        partition: i32,
        directory: Uuid,
    ) -> Result<Result<(), UnknownTopic>, CallError> {
        let command = Command::PutPartition { id, partition, directory };
        expect!(self.shard.call(command).await?, Reply::PartitionPut(result) => result)
    }

    /// Changes all settings of a resource from `was`, as the caller saw them, to `now`.
    pub async fn set_configs(
        &self,
        resource: Resource,
        was: Configs,
        now: Configs,
    ) -> Result<Result<(), NotSet>, CallError> {
        let command = Command::SetConfigs { resource, was, now };
        expect!(self.shard.call(command).await?, Reply::ConfigsSet(result) => result)
    }

    /// A producer id that nobody ever had.
    pub async fn new_producer_id(&self) -> Result<ProducerId, CallError> {
        let command = Command::AllocateProducerIds { count: 1 };
        expect!(self.shard.call(command).await?, Reply::ProducerIds { first, .. } => first)
    }

    /// Ends the shard once everything asked before is answered.
    pub async fn stop(&self) {
        self.shard.stop().await;
    }
}
