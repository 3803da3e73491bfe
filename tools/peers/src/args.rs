//! The command line.

use crate::floor::Sync;
use crate::peer::{Install, Spec};
use crate::scenario::{SCENARIOS, Scenario, Settings};
use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The brokers that are started if none are named.
const ALL: &str = "floor,floor-together,floor-round,floor-each,logboom,logboom-relaxed,kafka";
/// Those of the quick run.
const QUICK: [&str; 3] = ["floor", "logboom", "logboom-relaxed"];

/// Measures Logboom beside Kafka 4.4.0, other brokers and a floor.
#[derive(Debug, Parser)]
#[command(name = "peers")]
pub struct Args {
    /// What is done.
    #[command(subcommand)]
    pub command: Verb,
}

/// What is done.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Runs the comparison.
    Compare(Compare),
    /// Serves as the floor.
    Floor {
        /// Where.
        #[arg(long)]
        listen: SocketAddr,
        /// The directory of its files.
        #[arg(long)]
        data: PathBuf,
        /// When it syncs.
        #[arg(long, value_enum, default_value = "none")]
        sync: Sync,
        /// Answers all that came with one read by one write.
        #[arg(long)]
        together: bool,
    },
    /// Becomes a program that ends when its parent does.
    #[command(hide = true)]
    Exec {
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<OsString>,
    },
}

/// Options of the comparison.
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// Scenarios, by name; all without any.
    pub scenarios: Vec<String>,
    /// Shows the scenarios and ends.
    #[arg(long)]
    pub list: bool,
    /// Brokers to start.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = ALL
    )]
    pub brokers: Vec<String>,
    /// Another broker that is there: name=host:port[,process id].
    #[arg(long)]
    pub also: Vec<String>,
    /// Rounds of each scenario with each broker.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Seconds of each measured window.
    #[arg(long, default_value_t = 4.0)]
    pub seconds: f64,
    /// Seconds of warming up before it.
    #[arg(long, default_value_t = 1.0)]
    pub warm: f64,
    /// Seconds of work that each broker gets first, without being measured: a virtual machine compiles.
    #[arg(long, default_value_t = 20.0)]
    pub heat: f64,
    /// Partitions of the scenario with many.
    #[arg(long, default_value_t = 10_000)]
    pub partitions: i32,
    /// Idle connections.
    #[arg(long, default_value_t = 10_000)]
    pub connections: usize,
    /// Most MiB of one window.
    #[arg(long, default_value_t = 4096)]
    pub window_mib: u64,
    /// MiB stored before they are fetched.
    #[arg(long, default_value_t = 512)]
    pub fill_mib: u64,
    /// A smoke test of less than a minute: one round, produce and fetch, of those named only the floor and ours.
    #[arg(long)]
    pub quick: bool,
    /// The program logboom.
    #[arg(long)]
    pub logboom: PathBuf,
    /// The folder with the jars of Kafka.
    #[arg(long)]
    pub kafka: Option<PathBuf>,
    /// Where data goes; on the disk that is meant. Removed at the end.
    #[arg(long)]
    pub work: PathBuf,
    /// Where results.md, results.svg and results.json go.
    #[arg(long)]
    pub out: PathBuf,
}

impl Compare {
    /// The scenarios that were asked for, in the order of the table.
    ///
    /// # Errors
    /// A name that is none.
    pub fn chosen(&self) -> Result<Vec<&'static Scenario>> {
        for name in &self.scenarios {
            let known = SCENARIOS.iter().any(|scenario| scenario.name == name);
            ensure!(known, "no scenario {name}; --list shows them");
        }
        let named = |scenario: &Scenario| self.scenarios.iter().any(|name| name == scenario.name);
        let asked = |scenario: &&Scenario| match self.scenarios.is_empty() {
            true => scenario.quick || !self.quick,
            false => named(scenario),
        };
        Ok(SCENARIOS.iter().filter(asked).collect())
    }

    /// The brokers.
    ///
    /// # Errors
    /// A name that is none.
    pub fn specs(&self) -> Result<Vec<Spec>> {
        let started = self.brokers.iter().filter(|name| !self.quick || QUICK.contains(&name.as_str()));
        let also = self.also.iter().map(|text| Spec::also(text).with_context(|| format!("--also {text}")));
        let specs: Vec<Spec> = started.map(|name| Spec::named(name)).chain(also).collect::<Result<_>>()?;
        for (at, spec) in specs.iter().enumerate() {
            ensure!(
                specs[..at].iter().all(|other| other.name != spec.name),
                "two brokers are named {}",
                spec.name
            );
        }
        Ok(specs)
    }

    /// How much is done.
    ///
    /// # Errors
    /// Times that are none.
    pub fn settings(&self) -> Result<Settings> {
        let (warm, window) = if self.quick { (0.3, 1.0) } else { (self.warm, self.seconds) };
        let fill = if self.quick { 32 } else { self.fill_mib };
        Ok(Settings {
            warm: Duration::try_from_secs_f64(warm)?,
            window: Duration::try_from_secs_f64(window)?,
            heat: Duration::try_from_secs_f64(if self.quick { 0.0 } else { self.heat })?,
            settle: !self.quick,
            bytes_max: self.window_mib << 20,
            fill: fill << 20,
            partitions: self.partitions,
            connections: self.connections,
            install: Install {
                logboom: self.logboom.clone(),
                kafka: self.kafka.clone(),
                work: self.work.clone(),
            },
        })
    }

    /// How often.
    pub fn rounds(&self) -> usize {
        if self.quick { 1 } else { self.rounds.max(1) }
    }
}
