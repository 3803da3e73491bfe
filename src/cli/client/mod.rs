//! A thin client of the Kafka protocol: what the verbs of the command line need, with bounded retries and errors that
//! say where and why. Not a library for programs; it keeps no transactions.

mod admin;
mod coordinator;
mod error;
mod group_offsets;
mod group_view;
mod groups;
mod heart;
mod lane;
mod link;
mod member;
mod murmur2;
mod oldest;
mod producer;
mod reader;
mod topics;

pub use admin::{ConfigEntry, TopicSummary};
pub use coordinator::Coordinator;
pub use error::ClientError;
pub use group_offsets::{OffsetCodes, PartitionKey};
pub use group_view::{GroupKind, GroupView, MemberView};
pub use groups::GroupSummary;
pub use heart::{Member, Membership};
pub use lane::{Lane, LaneReader, LaneWriter, frame};
pub use member::Owned;
pub use producer::{Acks, Delivered, Message, ProduceOptions, Producer};
pub use reader::{RecordReader, Span};
pub use topics::{EARLIEST, LATEST, Topic};

use crate::sys::{Clock, Net, Rng};
use coordinator::Seat;
use link::Link;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Tries of a call that a broker asks to repeat; with the pauses about ten seconds, the time of a slow restart.
const TRIES_MAX: u32 = 14;

/// What the client needs of the machine.
#[derive(Clone)]
pub struct Reach {
    /// Network
    pub net: Arc<dyn Net>,
    /// Time
    pub clock: Arc<dyn Clock>,
    /// Chance, for the first partition of records without a key.
    pub rng: Arc<dyn Rng>,
}

/// A client of one cluster.
pub struct Client {
    reach: Reach,
    bootstrap: String,
    seed: Mutex<Arc<Link>>,
    links: Mutex<BTreeMap<String, Arc<Link>>>,
    /// Coordinators by group, on connections of their own.
    seats: Mutex<BTreeMap<String, Seat>>,
}

impl Client {
    /// Connects to the first of the addresses (`host:port,...`) that answers.
    pub async fn connect(reach: Reach, bootstrap: &str) -> Result<Client, ClientError> {
        let seed = connect_any(&reach, bootstrap).await?;
        Ok(Client {
            reach,
            bootstrap: bootstrap.to_owned(),
            seed: Mutex::new(seed),
            links: Mutex::new(BTreeMap::new()),
            seats: Mutex::new(BTreeMap::new()),
        })
    }

    /// The addresses it was given.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The connection for everything that has no leader; connected anew if it was lost.
    async fn seed(&self) -> Result<Arc<Link>, ClientError> {
        let mut seed = self.seed.lock().await;
        if seed.is_lost() {
            *seed = connect_any(&self.reach, &self.bootstrap).await?;
        }
        Ok(Arc::clone(&seed))
    }

    /// The connection to an address that the cluster told us.
    async fn link(&self, address: &str) -> Result<Arc<Link>, ClientError> {
        let mut links = self.links.lock().await;
        if let Some(link) = links.get(address).filter(|link| !link.is_lost()) {
            return Ok(Arc::clone(link));
        }
        let link = self.open(address).await?;
        links.insert(address.to_owned(), Arc::clone(&link));
        Ok(link)
    }

    /// A new connection to an address that the cluster told us.
    async fn open(&self, address: &str) -> Result<Arc<Link>, ClientError> {
        Link::open(&self.reach, address).await.map_err(|error| match error {
            ClientError::Connect { address, source } if address != self.bootstrap => {
                ClientError::Advertised { bootstrap: self.bootstrap.clone(), address, source }
            }
            other => other,
        })
    }

    /// Waits before try number `tries` (from 1): 50 ms, doubling up to a second.
    async fn pause(&self, tries: u32) {
        let ms = 50u64.saturating_mul(1 << tries.min(5)).min(1000);
        self.reach.clock.sleep(Duration::from_millis(ms)).await;
    }
}

async fn connect_any(reach: &Reach, bootstrap: &str) -> Result<Arc<Link>, ClientError> {
    let mut last = ClientError::NoAddress { given: bootstrap.to_owned() };
    for address in bootstrap.split(',').map(str::trim).filter(|address| !address.is_empty()) {
        match Link::open(reach, address).await {
            Ok(link) => return Ok(link),
            Err(error) => last = error,
        }
    }
    Err(last)
}
