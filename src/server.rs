//! The broker as a whole: built, started, drained, stopped. It knows which parts there are and in which order they
//! come and go, and nothing of what they do.

use crate::config::{self, BrokerSettings, Endpoint};
use crate::doors::kafka::{Advertised, Door, Limits, listen};
use crate::engine::{BootError, Engine, EngineParts};
use crate::log::local::LogDirOptions;
use crate::sys::{Clock, Fs, Listener, Net, Rng, raise_open_files_limit};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Requests that were read are answered within this time at a stop; what is not done by then was not going to be.
const DRAIN: Duration = Duration::from_secs(10);

/// Stands for "never" where a setting switches the idle timeout off.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What the broker stands on: the machine, or a simulation of it.
#[derive(Clone)]
pub struct Parts {
    /// Files.
    pub fs: Arc<dyn Fs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// Sockets.
    pub net: Arc<dyn Net>,
}

/// A running broker.
pub struct Server {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    doors: JoinSet<()>,
    stop_doors: CancellationToken,
    stop_engine: CancellationToken,
    addresses: Vec<SocketAddr>,
}

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener's address cannot be had.
    #[error("cannot listen on {endpoint}: {error}")]
    Bind {
        /// The listener.
        endpoint: Endpoint,
        /// What the system says.
        error: io::Error,
    },
    /// The data cannot be served.
    #[error(transparent)]
    Engine(#[from] BootError),
}

impl Server {
    /// Starts the broker: ready for clients when this returns.
    pub async fn start(settings: Arc<BrokerSettings>, parts: Parts) -> Result<Server, StartError> {
        let log_dir = LogDirOptions::default();
        // Half of the files are for sockets and segments that are read.
        let files = usize::try_from(raise_open_files_limit() / 2).unwrap_or(usize::MAX);
        let log_dir = LogDirOptions { journal_logs_max: log_dir.journal_logs_max.min(files), ..log_dir };
        Server::start_with(settings, parts, log_dir).await
    }

    /// As [`Server::start`], with other ways of the log directory than the usual: for tests and the simulator.
    pub async fn start_with(
        settings: Arc<BrokerSettings>,
        parts: Parts,
        log_dir: LogDirOptions,
    ) -> Result<Server, StartError> {
        let Parts { fs, clock, rng, net } = parts;
        // Addresses first: a second broker on the same machine should not touch the data.
        let mut listeners: Vec<(Endpoint, Box<dyn Listener>)> = Vec::new();
        for endpoint in &settings.listeners {
            let bound = net.bind(&endpoint.address()).await;
            let listener = bound.map_err(|error| StartError::Bind { endpoint: endpoint.clone(), error })?;
            listeners.push((endpoint.clone(), listener));
        }
        let (stop_doors, stop_engine) = (CancellationToken::new(), CancellationToken::new());
        let log_dir = LogDirOptions {
            open_files_max: settings.open_files_max,
            reserve_bytes: settings.reserve_bytes,
            scrub_interval: settings.scrub_interval,
            scrub_bytes_per_second: settings.scrub_bytes_per_second,
            ..log_dir
        };
        let engine_parts = EngineParts { fs, clock: Arc::clone(&clock), rng: Arc::clone(&rng), log_dir };
        let engine = Engine::start(Arc::clone(&settings), engine_parts, stop_engine.clone()).await?;
        let door =
            Door::new(Arc::clone(&engine), Arc::clone(&clock), rng, limits(&settings), stop_doors.clone());
        let mut doors = JoinSet::new();
        let mut addresses = Vec::with_capacity(listeners.len());
        for (endpoint, listener) in listeners {
            let address = listener.local();
            tracing::info!(listener = %endpoint.name, %address, "listening");
            addresses.push(address);
            doors.spawn(listen(listener, advertised(&settings, &endpoint), Arc::clone(&door)));
        }
        Ok(Server { engine, clock, doors, stop_doors, stop_engine, addresses })
    }

    /// Where the first listener listens, with the port that the system chose for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        // There is always one: settings without a listener are refused.
        self.addresses.first().copied().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    /// Where all listeners listen, in the order of the settings.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The engine, for doors of other kinds.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Takes nothing new, answers what was read, closes the data in good order.
    pub async fn stop(mut self) {
        self.stop_doors.cancel();
        // Ends waiting fetches, so that they are answered with what there is.
        self.stop_engine.cancel();
        let drained = async { while self.doors.join_next().await.is_some() {} };
        tokio::select! {
            biased;
            () = drained => {}
            () = self.clock.sleep(DRAIN) => {
                tracing::warn!("connections did not take their answers in time and are cut off");
                self.doors.shutdown().await;
            }
        }
        self.engine.close().await;
        tracing::info!("stopped");
    }
}

fn limits(settings: &BrokerSettings) -> Limits {
    Limits {
        frame_bytes_max: settings.request_bytes_max,
        in_flight_max: settings.inflight_per_connection_max,
        queued_bytes_max: settings.queued_bytes_max,
        idle: settings.connections_idle_max.unwrap_or(NEVER),
        ..Limits::default()
    }
}

fn advertised(settings: &BrokerSettings, listener: &Endpoint) -> Advertised {
    match &settings.advertised {
        config::Advertised::Auto => Advertised::Auto,
        config::Advertised::Fixed(all) => match all.iter().find(|endpoint| endpoint.name == listener.name) {
            Some(endpoint) => Advertised::As { host: endpoint.host.clone(), port: endpoint.port },
            None => Advertised::Auto,
        },
    }
}
