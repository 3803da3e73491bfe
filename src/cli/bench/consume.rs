//! `logboom bench consume`: clients that fetch a topic from its start to its end.

use super::super::client::{EARLIEST, LATEST};
use super::super::failure::Failure;
use super::args::{AmountArgs, ConsumeBench, ProduceBench, WayArgs};
use super::fetcher::{Fetcher, Span};
use super::pace::Pace;
use super::produce::{self, no_alarm};
use super::tally::Tally;
use super::target::Seat;
use super::{DISAGREES, Run, team};
use crate::cli::client::Acks;
use crate::sys::Alarm;
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Records that are put into a topic that is made.
const FILL_RECORDS: u64 = 200_000;
/// Longest time in which a partition that has more gives nothing.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Fetches what the arguments say, filling the topic before if it was made.
pub async fn run(args: &ConsumeBench, run: &Run) -> Result<Tally, Failure> {
    let filled = match run.target.is_made {
        true => Some(fill(args, run).await?),
        false => None,
    };
    let starts = run.target.offsets(&run.client, EARLIEST).await?;
    let ends = run.target.offsets(&run.client, LATEST).await?;
    if starts == ends {
        let message = format!("there is nothing to read in `{}`", run.target.topic.name);
        let fill = format!("fill it:  logboom bench produce --topic {}", run.target.topic.name);
        return Err(Failure::new("LB0404", message).help(fill));
    }
    let tally = fetch(args, run, &starts, &ends).await?;
    let once = filled.filter(|_| args.amount.seconds.is_none() && !run.stop.is_cancelled());
    if let Some(records) = once.map(|records| records * u64::from(args.groups))
        && records != tally.records
    {
        let message = format!("{} records were fetched, and {records} are there", tally.records);
        return Err(Failure::new(DISAGREES, message));
    }
    Ok(tally)
}

async fn fill(args: &ConsumeBench, run: &Run) -> Result<u64, Failure> {
    let records = Some(args.amount.records.unwrap_or(FILL_RECORDS));
    let fill = ProduceBench {
        topic: args.topic.clone(),
        amount: AmountArgs { records, seconds: None, rate: None },
        shape: args.shape.clone(),
        way: WayArgs { acks: Acks::All, idempotent: false },
        clients: 2,
        in_flight: 5,
    };
    Ok(produce::run(&fill, run).await?.records)
}

async fn fetch(
    args: &ConsumeBench,
    run: &Run,
    starts: &BTreeMap<i32, i64>,
    ends: &BTreeMap<i32, i64>,
) -> Result<Tally, Failure> {
    let span = |seat: &Seat| -> Vec<Span> {
        let at = |offsets: &BTreeMap<i32, i64>, partition| offsets.get(partition).copied().unwrap_or(0);
        let spans = seat.partitions.iter().map(|partition| {
            let (start, end) = (at(starts, partition), at(ends, partition));
            Span { partition: *partition, start, next: start, end }
        });
        spans.collect()
    };
    let mut fetchers = Vec::new();
    for seat in (0..args.groups).flat_map(|_| run.target.own_seats(args.clients)) {
        fetchers.push(Fetcher::new(run, &seat, span(&seat), args.fetch).await?);
    }
    let there: i64 =
        ends.iter().map(|(partition, end)| end - starts.get(partition).copied().unwrap_or(0)).sum();
    let there = u64::try_from(there).unwrap_or(0) * u64::from(args.groups);
    let most = args.amount.records.unwrap_or(u64::MAX).saturating_mul(u64::from(args.groups));
    let bar = team::bar(&args.amount, Some(there.min(most)), "fetching", run.output);
    let shared = Arc::new(Shared {
        pace: Pace::start(&args.amount, &run.clock, run.stop.clone()),
        bar: bar.clone(),
        again: args.amount.seconds.is_some(),
        readers: fetchers.len(),
        left: AtomicU64::new(if args.amount.seconds.is_some() { u64::MAX } else { most }),
    });
    let clients = fetchers.into_iter().map(|fetcher| read(fetcher, Arc::clone(&shared)));
    let tally = team::run(clients, shared.pace.begun(), run.fs.as_ref()).await;
    bar.finish_and_clear();
    tally
}

/// What all clients of a run look at.
struct Shared {
    pace: Pace,
    bar: ProgressBar,
    /// Whether to begin again at the end.
    again: bool,
    readers: usize,
    /// Records that are still wanted.
    left: AtomicU64,
}

async fn read(mut fetcher: Fetcher, shared: Arc<Shared>) -> Result<Tally, Failure> {
    let mut alarm = Alarm::new().map_err(no_alarm)?;
    let mut tally = Tally { last: shared.pace.now(), ..Tally::default() };
    while shared.left.load(Ordering::Relaxed) > 0 {
        if fetcher.is_done() {
            match shared.again {
                true => fetcher.rewind(),
                false => break,
            }
            if fetcher.is_done() {
                break;
            }
        }
        let Some(due) = shared.pace.due_after(tally.records, shared.readers) else { break };
        if shared.pace.is_open() && !shared.pace.wait(due, &mut alarm).await.map_err(no_alarm)? {
            break;
        }
        fetcher.ask().await?;
        let haul = fetcher.take(|_, _| Ok(())).await?;
        let now = shared.pace.now();
        if haul.bytes == 0 && now.since(tally.last) > IDLE_MAX {
            return Err(Failure::new(
                DISAGREES,
                "the broker says that there are more records, and sends none",
            ));
        }
        if haul.bytes > 0 {
            tally.last = now;
        }
        tally.requests += 1;
        tally.records += haul.records;
        tally.bytes += haul.bytes;
        tally.answered.record(now.since(due));
        shared.bar.inc(haul.records);
        let less = |left: u64| Some(left.saturating_sub(haul.records));
        let _ = shared.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
    Ok(tally)
}
