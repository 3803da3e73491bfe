//! `logboom bench`: puts load on a broker that speaks Kafka's protocol, ours or another, and tells throughput and
//! latencies. It checks its work: what was acknowledged must be there, and what is there must come back.

mod args;
mod caster;
mod consume;
mod end_to_end;
mod fetcher;
mod host;
mod mold;
mod pace;
mod produce;
mod report;
mod tally;
mod target;
mod team;

pub use args::BenchVerb;

use super::Machine;
use super::client::Client;
use super::failure::Failure;
use super::output::Output;
use super::signals::Signals;
use crate::sys::{Clock, Fs};
use args::AmountArgs;
use host::Host;
use report::Finished;
use std::sync::Arc;
use target::Target;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

/// Code of: what was counted on one side is not what was counted on the other.
const DISAGREES: &str = "LB0403";

/// Length of a run that nobody gave one.
const SECONDS: f64 = 5.0;
/// Most threads that make load; a broker on the same machine needs the rest.
const THREADS_MAX: usize = 8;

/// What the clients of a run share.
struct Run {
    client: Client,
    target: Target,
    clock: Arc<dyn Clock>,
    fs: Arc<dyn Fs>,
    output: Output,
    /// Cancelled when somebody wants the run to end.
    stop: CancellationToken,
}

/// Runs what the arguments say.
pub fn run(verb: BenchVerb, bootstrap: &str, machine: &Machine, output: Output) -> Result<(), Failure> {
    let runtime = runtime(verb.lanes()).map_err(super::no_runtime)?;
    runtime.block_on(bench(with_length(verb), bootstrap, machine, output))
}

/// A runtime for so many clients: half of the processors, and one thread without switches where that is one.
fn runtime(lanes: u64) -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lanes = usize::try_from(lanes).unwrap_or(usize::MAX);
    match (cores / 2).min(lanes).min(THREADS_MAX) {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

fn with_length(mut verb: BenchVerb) -> BenchVerb {
    let limit = |amount: &mut AmountArgs| {
        if amount.records.is_none() {
            amount.seconds.get_or_insert(SECONDS);
        }
    };
    match &mut verb {
        BenchVerb::Produce(args) => limit(&mut args.amount),
        BenchVerb::EndToEnd(args) => limit(&mut args.amount),
        // It ends with its topic.
        BenchVerb::Consume(_) => {}
    }
    verb
}

async fn bench(verb: BenchVerb, bootstrap: &str, machine: &Machine, output: Output) -> Result<(), Failure> {
    let stop = listen()?;
    let client = Client::connect(machine.reach(), bootstrap).await?;
    let target = Target::prepare(report::topic(&verb), &client).await?;
    let (clock, fs) = (Arc::clone(&machine.clock), Arc::clone(&machine.fs));
    let run = Run { client, target, clock, fs, output, stop };
    let result = match &verb {
        BenchVerb::Produce(args) => produce::run(args, &run).await,
        BenchVerb::Consume(args) => consume::run(args, &run).await,
        BenchVerb::EndToEnd(args) => end_to_end::run(args, &run).await,
    };
    // What came back wrong is kept for a look.
    let differs = matches!(&result, Err(failure) if failure.code == DISAGREES);
    let cleared = match differs {
        true => Ok(()),
        false => run.target.clear(report::topic(&verb), &run.client).await,
    };
    let tally = result?;
    cleared?;
    let ended = jiff::Timestamp::from_millisecond(run.clock.wall().0).unwrap_or_default();
    let finished = Finished {
        verb: &verb,
        target: &run.target,
        bootstrap,
        tally,
        stopped: run.stop.is_cancelled(),
        ended: ended.to_string(),
        host: Host::here(run.fs.as_ref()),
    };
    finished.report(output)
}

/// Cancelled by the first signal to end; a second ends the process.
fn listen() -> Result<CancellationToken, Failure> {
    let mut signals = Signals::listen().map_err(super::no_runtime)?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        signals.first().await;
        asked.cancel();
        signals.first().await;
        std::process::exit(130);
    });
    Ok(stop)
}
