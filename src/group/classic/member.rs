//! A member of a classic group as it is now. Must not know its group.

use crate::coordinator::CallId;
use crate::group::command::{Client, Join};
use crate::group::state::{ClassicMember, ClassicProtocol};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// A member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    pub client: Client,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// What it can, in its order. After a load only the chosen one is known.
    pub protocols: Vec<ClassicProtocol>,
    /// What the leader assigned; empty for nothing.
    pub assignment: Bytes,
    /// No generation has it yet: it may be silent longer, but not for ever.
    pub is_new: bool,
    /// Its parked JoinGroup.
    join: Option<CallId>,
    /// Its parked SyncGroup.
    sync: Option<CallId>,
}

impl Member {
    /// A member that joins.
    pub fn new(join: &Join) -> Member {
        Member {
            instance: join.instance.clone(),
            client: join.client.clone(),
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            session_timeout_ms: join.session_timeout_ms,
            protocols: join.protocols.clone(),
            assignment: Bytes::new(),
            is_new: true,
            join: None,
            sync: None,
        }
    }

    /// A member that was in the group before.
    pub fn of(roster: super::RosterMember) -> Member {
        Member {
            instance: roster.instance,
            client: roster.client,
            rebalance_timeout_ms: roster.rebalance_timeout_ms,
            session_timeout_ms: roster.session_timeout_ms,
            protocols: roster.protocols,
            assignment: roster.assignment,
            is_new: false,
            join: None,
            sync: None,
        }
    }

    /// A member as it was written, under the protocol that was chosen.
    pub fn written(written: &ClassicMember, protocol: &Arc<str>) -> Member {
        // Records of old brokers do not know a time to rejoin.
        let rebalance_timeout_ms = match written.rebalance_timeout_ms {
            -1 => written.session_timeout_ms,
            timeout => timeout,
        };
        Member {
            instance: written.instance.clone(),
            client: Client { id: Arc::clone(&written.client_id), host: Arc::clone(&written.client_host) },
            rebalance_timeout_ms,
            session_timeout_ms: written.session_timeout_ms,
            protocols: vec![ClassicProtocol {
                name: Arc::clone(protocol),
                metadata: written.subscription.clone(),
            }],
            assignment: written.assignment.clone(),
            is_new: false,
            join: None,
            sync: None,
        }
    }

    /// The member as it is to be written under this protocol.
    pub fn to_write(&self, protocol: &str) -> ClassicMember {
        ClassicMember {
            instance: self.instance.clone(),
            client_id: Arc::clone(&self.client.id),
            client_host: Arc::clone(&self.client.host),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            subscription: self.metadata(protocol),
            assignment: self.assignment.clone(),
        }
    }

    /// Its metadata for a protocol; empty for one it cannot.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        metadata(&self.protocols, protocol)
    }

    /// A JoinGroup of it is parked.
    pub fn awaits_join(&self) -> bool {
        self.join.is_some()
    }

    /// One that waits for the group's answer is not silent. A new one is held to its time to join all the same,
    /// since nothing else would take out a client that went away before the group answered it.
    pub fn is_excused(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }

    pub fn rebalance_timeout(&self) -> Duration {
        millis(self.rebalance_timeout_ms)
    }

    pub fn session_timeout(&self) -> Duration {
        millis(self.session_timeout_ms)
    }

    /// Parks a JoinGroup; the one that was parked before.
    pub(super) fn park_join(&mut self, call: CallId) -> Option<CallId> {
        self.join.replace(call)
    }

    pub(super) fn take_join(&mut self) -> Option<CallId> {
        self.join.take()
    }

    /// Parks a SyncGroup; the one that was parked before.
    pub(super) fn park_sync(&mut self, call: CallId) -> Option<CallId> {
        self.sync.replace(call)
    }

    pub(super) fn take_sync(&mut self) -> Option<CallId> {
        self.sync.take()
    }
}

/// The metadata among these for a protocol; empty if it is not there.
pub(super) fn metadata(protocols: &[ClassicProtocol], protocol: &str) -> Bytes {
    let of_name = protocols.iter().find(|can| *can.name == *protocol);
    of_name.map(|can| can.metadata.clone()).unwrap_or_default()
}

/// A time from the wire; what is below zero is no time.
fn millis(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
