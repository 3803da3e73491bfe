//! Layer 9: the verbs of the binary. Data goes to standard output and talk to standard error; a verb exits with 0 if
//! it did what it was asked, 1 if that failed, 2 if it was called wrongly.

pub mod client;

mod args;
mod bench;
mod consume;
mod demo;
mod explain;
mod failure;
mod group;
mod input;
mod lines;
mod offset;
mod output;
mod produce;
mod segment;
mod serve;
mod settings;
mod signals;
mod template;
mod topic;

use crate::sys::{Clock, Fs, Net, RealClock, RealFs, RealNet, RealRng, Rng};
use args::{Cli, SegmentCli, Verb};
use clap::{CommandFactory as _, Parser as _};
use client::{Client, Reach};
use failure::Failure;
use output::Output;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Stack of a worker. Futures of the broker live on the heap; what a worker's stack holds is one request's calls.
const STACK_BYTES: usize = 1 << 20;
/// Fewest workers: with one, a write that blocks stops everything else.
const WORKERS_MIN: usize = 2;
/// Most workers: beyond it, stacks and steals cost more than they bring.
const WORKERS_MAX: usize = 16;

/// What the verbs use of the machine.
pub struct Machine {
    fs: Arc<dyn Fs>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    net: Arc<dyn Net>,
}

impl Machine {
    fn real() -> Machine {
        Machine {
            fs: Arc::new(RealFs),
            clock: Arc::new(RealClock::new()),
            rng: Arc::new(RealRng),
            net: Arc::new(RealNet),
        }
    }

    fn reach(&self) -> Reach {
        Reach { net: Arc::clone(&self.net), clock: Arc::clone(&self.clock), rng: Arc::clone(&self.rng) }
    }
}

/// Runs the program with its arguments, of which the first is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let machine = Machine::real();
    match Cli::try_parse_from(arguments) {
        Ok(cli) => {
            let output = Output { json: cli.json };
            end(dispatch(cli, &machine, output), output)
        }
        Err(error) => not_understood(&error),
    }
}

/// Runs the verbs of `logboom segment` as a program of their own.
pub fn run_segment(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match SegmentCli::try_parse_from(arguments) {
        Ok(cli) => {
            let output = Output { json: cli.json };
            end(segment::run(&cli.verb, output, &Machine::real()), output)
        }
        Err(error) => not_understood(&error),
    }
}

fn not_understood(error: &clap::Error) -> ExitCode {
    // If nobody can be told, there is nobody to tell that to.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn end(result: Result<(), Failure>, output: Output) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match (failure.code.as_str(), output.json) {
                (output::CLOSED_PIPE, _) => {}
                (_, true) => output.say(&failure.to_json().to_string()),
                (_, false) => output.say(&failure.to_string()),
            }
            ExitCode::from(failure.exit)
        }
    }
}

fn dispatch(cli: Cli, machine: &Machine, output: Output) -> Result<(), Failure> {
    let begun = machine.clock.mono();
    let bootstrap = cli.bootstrap;
    match cli.verb {
        Verb::Config(verb) => settings::run(&verb, output, machine.fs.as_ref()),
        Verb::Explain { code } => output.line(&explain::explain(&code)?),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "logboom", &mut script);
            output.bytes(&script)
        }
        Verb::Serve(args) => workers()?.block_on(serve::run(args, machine, begun, output)),
        Verb::Demo(args) => workers()?.block_on(demo::run(args, &bootstrap, machine, output)),
        Verb::Bench(verb) => bench::run(verb, &bootstrap, machine, output),
        Verb::Produce(args) => single()?.block_on(async {
            let client = Client::connect(machine.reach(), &bootstrap).await?;
            produce::run(args, &client, output, Arc::clone(&machine.fs)).await
        }),
        Verb::Consume(args) if args.group.is_some() => member()?.block_on(async {
            let client = Arc::new(Client::connect(machine.reach(), &bootstrap).await?);
            consume::run_in_group(args, &client, output, machine.clock.as_ref()).await
        }),
        Verb::Consume(args) => single()?.block_on(async {
            let client = Client::connect(machine.reach(), &bootstrap).await?;
            consume::run(args, &client, output, machine.clock.as_ref()).await
        }),
        Verb::Group(verb) => single()?.block_on(async {
            let client = Client::connect(machine.reach(), &bootstrap).await?;
            group::run(verb, &client, output, machine).await
        }),
        Verb::Segment(verb) => segment::run(&verb, output, machine),
        Verb::Topic(verb) => single()?.block_on(async {
            let client = Client::connect(machine.reach(), &bootstrap).await?;
            topic::run(verb, &client, output).await
        }),
    }
}

/// A runtime for a broker.
fn workers() -> Result<Runtime, Failure> {
    let cores = std::thread::available_parallelism().map_or(WORKERS_MIN, usize::from);
    let count = cores.clamp(WORKERS_MIN, WORKERS_MAX);
    Builder::new_multi_thread()
        .worker_threads(count)
        .thread_stack_size(STACK_BYTES)
        .thread_name("worker")
        .enable_all()
        .build()
        .map_err(no_runtime)
}

/// A runtime for a client.
fn single() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(no_runtime)
}

/// A runtime for a member of a group: a worker beside the thread that writes, so that heartbeats go on while a pipe
/// takes nothing.
fn member() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(no_runtime)
}

fn no_runtime(error: std::io::Error) -> Failure {
    Failure::new("LB0105", format!("cannot start: {error}"))
}
