//! What all simulated clients have in common.

use super::classic_client::ClassicClient;
use super::modern_client::ModernClient;
use super::world::GROUP;
use crate::group::{Assignment, Client as Who, Command, Reply, TopicTable};
use crate::wire::records::consumer_protocol_assignment::{
    ConsumerProtocolAssignment, TopicPartition as Given,
};
use crate::wire::records::consumer_protocol_subscription::{
    ConsumerProtocolSubscription, TopicPartition as Owned,
};
use crate::wire::{Message, Reader, Str, Writer};
use bytes::Bytes;
use std::sync::Arc;

/// A client of one of the protocols.
pub enum Client {
    Modern(ModernClient),
    Classic(ClassicClient),
}

impl Client {
    /// Sends what is due.
    pub fn act(&mut self) -> Command {
        match self {
            Client::Modern(client) => client.act(),
            Client::Classic(client) => client.act(),
        }
    }

    /// Takes a reply in; what it asks next, at once. `None`: it waits for its interval.
    pub fn hear(&mut self, reply: Reply) -> Option<Command> {
        match self {
            Client::Modern(client) => client.hear(reply),
            Client::Classic(client) => client.hear(reply),
        }
    }

    /// Says goodbye.
    pub fn leave(&self) -> Command {
        match self {
            Client::Modern(client) => client.leave(),
            Client::Classic(client) => client.leave(),
        }
    }

    /// Id of its member; empty if it has none yet.
    pub fn id(&self) -> &Arc<str> {
        match self {
            Client::Modern(client) => &client.id,
            Client::Classic(client) => &client.id,
        }
    }

    /// What it reads.
    pub fn owned(&self) -> &Assignment {
        match self {
            Client::Modern(client) => &client.owned,
            Client::Classic(client) => &client.owned,
        }
    }

    /// Time between two heartbeats, ms.
    pub fn interval_ms(&self) -> u64 {
        match self {
            Client::Modern(_) => super::modern_client::INTERVAL_MS,
            Client::Classic(_) => super::classic_client::INTERVAL_MS,
        }
    }
}

/// The id of the group, as requests want it.
pub fn group() -> Arc<str> {
    GROUP.into()
}

/// Who all of them say they are.
pub fn who() -> Who {
    Who { id: "client".into(), host: "/127.0.0.1".into() }
}

/// The version of the embedded protocol that these clients speak.
const VERSION: i16 = 1;

/// What a consumer says of itself in JoinGroup: all topics, and what it owns.
pub fn subscription(topics: &dyn TopicTable, owned: &Assignment) -> Bytes {
    let mut names = Vec::new();
    topics.for_each(&mut |topic| names.push(Str::from(&*topic.name)));
    let owned = named(topics, owned).map(|(topic, partitions)| Owned { topic, partitions });
    let message = ConsumerProtocolSubscription {
        topics: names,
        user_data: None,
        owned_partitions: owned.collect(),
        generation_id: -1,
        rack_id: None,
    };
    written(&message)
}

/// What the leader tells a member.
pub fn assignment(topics: &dyn TopicTable, given: &Assignment) -> Bytes {
    let given = named(topics, given).map(|(topic, partitions)| Given { topic, partitions });
    written(&ConsumerProtocolAssignment { assigned_partitions: given.collect(), user_data: None })
}

/// What a member owns, by its subscription.
pub fn read_owned(topics: &dyn TopicTable, bytes: &Bytes) -> Assignment {
    let message: ConsumerProtocolSubscription = read(bytes);
    by_id(topics, message.owned_partitions.into_iter().map(|one| (one.topic, one.partitions)))
}

/// What a member is given; no bytes are nothing.
pub fn read_assignment(topics: &dyn TopicTable, bytes: &Bytes) -> Assignment {
    if bytes.is_empty() {
        return Assignment::new();
    }
    let message: ConsumerProtocolAssignment = read(bytes);
    by_id(topics, message.assigned_partitions.into_iter().map(|one| (one.topic, one.partitions)))
}

fn named(topics: &dyn TopicTable, assignment: &Assignment) -> impl Iterator<Item = (Str, Vec<i32>)> {
    assignment.iter().map(|(id, numbers)| {
        (Str::from(&*topics.by_id(*id).unwrap().name), numbers.iter().copied().collect())
    })
}

fn by_id(topics: &dyn TopicTable, named: impl Iterator<Item = (Str, Vec<i32>)>) -> Assignment {
    named.map(|(name, numbers)| (topics.by_name(&name).unwrap().id, numbers.into_iter().collect())).collect()
}

fn written(message: &impl Message) -> Bytes {
    let mut w = Writer::new();
    w.put(&VERSION.to_be_bytes());
    message.encode(&mut w, VERSION).unwrap();
    w.finish().to_bytes().unwrap()
}

fn read<M: Message>(bytes: &Bytes) -> M {
    let mut r = Reader::new(bytes.clone());
    assert_eq!(i16::from_be_bytes(r.array().unwrap()), VERSION);
    M::decode(&mut r, VERSION).unwrap()
}
