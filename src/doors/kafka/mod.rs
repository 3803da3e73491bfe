//! The Kafka door: frames of the Kafka protocol in, commands of the engine out, and back. API versions stop here
//! (decision 7).
//!
//! A connection is one task (`conn`): it reads frames, starts each in order (`dispatch`, `handlers`), and sends
//! answers in the same order. What a stranger can make us hold is bounded by `limits`.

mod activity;
mod answer;
mod conn;
mod dispatch;
mod handlers;
mod limits;
mod line;
mod listen;
mod memory;
mod send;
mod sessions;
mod source;

pub use answer::{Answer, Close, Frame, Later};
pub use dispatch::{BadRequest, ROUTES, Route};
pub use limits::{Limits, QUEUED_BYTES_MAX, STALL};
pub use listen::listen;

use crate::engine::{Engine, Quiet};
use crate::sys::{Clock, PeerAddr, Rng};
use crate::wire::Str;
use limits::ANSWERS_HELD_BYTES_MAX;
use memory::{LongAnswers, Requests};
use parking_lot::Mutex;
use sessions::Sessions;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How clients are told to reach this broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advertised {
    /// By the address they came to.
    Auto,
    /// By this name and port.
    As {
        /// A name or an address.
        host: String,
        /// A port.
        port: u16,
    },
}

/// What all connections of the door share.
pub struct Door {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    sessions: Sessions,
    requests: Requests,
    long_answers: LongAnswers,
    quiet: Quiet,
    connections: Mutex<Connections>,
    /// Set when the server stops: nothing new is read, what was read is answered.
    stop: CancellationToken,
}

/// Connections alive.
#[derive(Default)]
struct Connections {
    total: usize,
    by_ip: BTreeMap<IpAddr, usize>,
}

/// What a handler knows of the connection a request came by.
#[derive(Clone)]
pub struct ConnCx {
    addr: PeerAddr,
    advertised: Arc<Advertised>,
    /// As the client calls itself in the request; empty for requests that do not want it.
    client_id: Arc<str>,
    door: Arc<Door>,
}

impl Door {
    /// A door to `engine` that stops taking requests when `stop` is cancelled.
    pub fn new(
        engine: Arc<Engine>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        limits: Limits,
        stop: CancellationToken,
    ) -> Arc<Door> {
        let slots = engine.settings().fetch_sessions_max;
        Arc::new(Door {
            engine,
            limits,
            sessions: Sessions::new(slots, Arc::clone(&clock), rng),
            clock,
            requests: Requests::new(limits.queued_bytes_max),
            long_answers: LongAnswers::new(ANSWERS_HELD_BYTES_MAX),
            quiet: Quiet::default(),
            connections: Mutex::default(),
            stop,
        })
    }

    /// Connections alive now.
    pub fn connections(&self) -> usize {
        self.connections.lock().total
    }
}

impl ConnCx {
    /// The name and port under which this client finds this broker.
    fn reached_at(&self) -> (Str, i32) {
        match &*self.advertised {
            Advertised::Auto => {
                let local = self.addr.local;
                (Str::from(local.ip().to_canonical().to_string()), i32::from(local.port()))
            }
            Advertised::As { host, port } => (Str::from(host.as_str()), i32::from(*port)),
        }
    }
}
