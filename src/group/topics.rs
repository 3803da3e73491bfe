//! What a group has to know of topics. The owner of the machine shows it the catalog through this.

use crate::types::TopicId;
use std::sync::Arc;

/// A topic at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: TopicId,
    /// Number of its partitions.
    pub partitions: i32,
    /// The broker's own: regular expressions do not match it.
    pub internal: bool,
}

/// All topics at one moment; a later moment is another table.
pub trait TopicTable: Send + Sync {
    /// The topic of a name.
    fn by_name(&self, name: &str) -> Option<Topic>;

    /// The topic of an id.
    fn by_id(&self, id: TopicId) -> Option<Topic>;

    /// Calls `each` for all topics in the order of their names.
    fn for_each(&self, each: &mut dyn FnMut(&Topic));

    /// Grows with each change of the topics; equal numbers mean equal tables.
    fn version(&self) -> u64;

    /// Racks of a partition's replicas, for rack-aware assignment. One broker has at most one.
    fn racks(&self, id: TopicId, partition: i32) -> Vec<Arc<str>>;
}

/// No topics: where none were told yet, and for tests.
pub(super) struct NoTopics;

impl TopicTable for NoTopics {
    fn by_name(&self, _name: &str) -> Option<Topic> {
        None
    }

    fn by_id(&self, _id: TopicId) -> Option<Topic> {
        None
    }

    fn for_each(&self, _each: &mut dyn FnMut(&Topic)) {}

    fn version(&self) -> u64 {
        0
    }

    fn racks(&self, _id: TopicId, _partition: i32) -> Vec<Arc<str>> {
        Vec::new()
    }
}
