//! `logboom serve`: runs a broker until it is told to stop.

use super::args::{LogFormat, ServeArgs};
use super::failure::Failure;
use super::output::Output;
use super::signals::Signals;
use super::{Machine, settings};
use crate::config::{Advertised, BrokerSettings, Endpoint};
use crate::engine::BootError;
use crate::server::{Parts, Server, StartError};
use crate::types::MonoNs;
use serde_json::json;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Runs a broker; `begun` is when the program started.
pub async fn run(args: ServeArgs, machine: &Machine, begun: MonoNs, output: Output) -> Result<(), Failure> {
    start_log(args.log_format);
    let loaded = settings::load_settings(&args.settings, machine.fs.as_ref())?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let mut signals = Signals::listen()
        .map_err(|error| Failure::new("LB0105", format!("cannot listen for signals: {error}")))?;
    let is_new = !loaded.settings.data_dirs.iter().any(|dir| machine.fs.exists(dir));
    let facts = loaded.settings.clone();
    let server = start(loaded.settings, machine).await?;
    let ready_ms = machine.clock.mono().since(begun).as_millis();
    banner(&facts, &server, is_new, ready_ms, output)?;
    let engine = Arc::clone(server.engine());
    let broken = tokio::select! {
        biased;
        () = signals.first() => None,
        why = engine.broken() => Some(why),
    };
    // It has the directories open.
    drop(engine);
    if let Some(why) = broken {
        // What can be closed is; what cannot, recovers. Whoever watches over the broker starts it again.
        tokio::select! {
            biased;
            () = server.stop() => {}
            () = signals.first() => {}
        }
        return Err(Failure::new("LB0106", why.to_string())
            .help("mend or replace the disk and start the broker again; what was acknowledged is on it"));
    }
    output.say("stopping; a second signal stops at once");
    tokio::select! {
        biased;
        () = server.stop() => Ok(()),
        () = signals.first() => Err(Failure::new(
            "LB0105",
            "stopped before everything was closed; the next start recovers",
        )),
    }
}

/// Starts a broker on the machine.
pub async fn start(settings: BrokerSettings, machine: &Machine) -> Result<Server, Failure> {
    let parts = Parts {
        fs: Arc::clone(&machine.fs),
        clock: Arc::clone(&machine.clock),
        rng: Arc::clone(&machine.rng),
        net: Arc::clone(&machine.net),
    };
    Server::start(Arc::new(settings), parts).await.map_err(explain)
}

fn explain(error: StartError) -> Failure {
    let message = error.to_string();
    match error {
        StartError::Bind { endpoint, error } => {
            let failure = Failure::new("LB0103", message);
            match error.kind() {
                io::ErrorKind::AddrInUse => {
                    let next = Endpoint { port: endpoint.port.saturating_add(100), ..endpoint };
                    failure.help(format!(
                        "is a broker running there already? take another:  logboom serve --listen {}",
                        next.address()
                    ))
                }
                _ => failure.help("name an address of this machine:  --listen HOST:PORT"),
            }
        }
        StartError::Engine(BootError::Dir(_)) => {
            Failure::new("LB0104", message).help("name another directory:  --data DIR")
        }
        StartError::Engine(_) => Failure::new("LB0105", message),
    }
}

fn banner(
    settings: &BrokerSettings,
    server: &Server,
    is_new: bool,
    ready_ms: u128,
    output: Output,
) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let data = data_text(settings);
    let listen = server.local_addr();
    let synced = settings.get("log.flush.interval.messages").is_some_and(|(value, _)| value == "1");
    let durability = match synced {
        true => "every batch is synced before it is acknowledged",
        false => "records are acknowledged before they are synced",
    };
    let told = match &settings.advertised {
        Advertised::Auto => "the address by which they came".to_owned(),
        Advertised::Fixed(endpoints) => {
            endpoints.iter().map(|endpoint| endpoint.to_string()).collect::<Vec<_>>().join(", ")
        }
    };
    output.either(
        || {
            let listen = listen.to_string();
            json!({ "version": version, "listen": listen, "data": data, "ready_ms": ready_ms as u64 })
        },
        || {
            let new = if is_new { " (new)" } else { "" };
            format!(
                "logboom {version} \u{b7} data {data}{new} \u{b7} {durability}\n  \
                 Kafka  {listen}   clients are told: {told}\n\
                 ready in {ready_ms} ms \u{b7} try:  logboom produce hello \"first message\""
            )
        },
    )
}

/// The directories of the data as people write them.
pub(super) fn data_text(settings: &BrokerSettings) -> String {
    let dirs: Vec<String> = settings.data_dirs.iter().map(|dir| dir.display().to_string()).collect();
    dirs.join(",")
}

/// Log lines go to standard error; standard output is for data.
fn start_log(format: LogFormat) {
    let filter = EnvFilter::builder()
        .with_env_var("LOGBOOM_LOG")
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // A log that is set up already, by a test that runs several brokers, stays.
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
