//! `logboom bench e2e`: clients that send to partitions of their own and fetch them at once. A batch is known by where
//! it lands: only its client writes to its partition, so offsets follow from the order of sending.

use super::super::client::{LATEST, Lane, LaneReader, LaneWriter};
use super::super::failure::Failure;
use super::args::EndToEndBench;
use super::caster::{Caster, Lander, Made};
use super::fetcher::{Fetcher, Span};
use super::pace::Pace;
use super::produce::{check_growth, no_alarm};
use super::tally::Tally;
use super::{DISAGREES, Run, team};
use crate::record::BatchHeader;
use crate::sys::{Alarm, Clock};
use crate::types::MonoNs;
use indicatif::ProgressBar;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Most bytes of each partition in one fetch.
const FETCH_BYTES: usize = 1 << 20;

/// Sends and fetches what the arguments say.
pub async fn run(args: &EndToEndBench, run: &Run) -> Result<Tally, Failure> {
    let before = run.target.offsets(&run.client, LATEST).await?;
    let (shape, in_flight) = (args.shape(), usize::try_from(args.in_flight).unwrap_or(1));
    let mut pairs = Vec::new();
    for (index, seat) in (0..).zip(run.target.own_seats(args.clients)) {
        let start = |partition: &i32| before.get(partition).copied().unwrap_or(0);
        let spans = seat.partitions.iter().map(|partition| {
            let start = start(partition);
            Span { partition: *partition, start, next: start, end: i64::MAX }
        });
        let fetcher = Fetcher::new(run, &seat, spans.collect(), FETCH_BYTES).await?;
        let caster = Caster::new(run, &seat, &shape, &args.way, index).await?;
        let ends = seat.partitions.iter().map(|partition| (*partition, start(partition))).collect();
        pairs.push((run.client.lane(&seat.address).await?, caster, fetcher, ends));
    }
    let pace = Arc::new(Pace::start(&args.amount, &run.clock, run.stop.clone()));
    let bar = team::bar(&args.amount, args.amount.records, "sending and fetching", run.output);
    let clients = pairs.into_iter().map(|(lane, caster, fetcher, ends)| {
        let pair = Pair {
            pace: Arc::clone(&pace),
            clock: Arc::clone(&run.clock),
            bar: bar.clone(),
            batch: args.batch,
            window: Semaphore::new(in_flight),
            flights: Mutex::new(Flights { ends, sent: BTreeMap::new(), count: 0 }),
            sent_all: AtomicBool::new(false),
            over: CancellationToken::new(),
        };
        pair.run(lane, caster, fetcher, in_flight)
    });
    let tally = team::run(clients, pace.begun(), run.fs.as_ref()).await;
    bar.finish_and_clear();
    let tally = tally?;
    let grown = run.target.growth(&run.client, &before, tally.records, &run.clock).await?;
    check_growth(&run.target, tally.records, grown, run)?;
    Ok(tally)
}

/// Two connections and what is between them.
struct Pair {
    pace: Arc<Pace>,
    clock: Arc<dyn Clock>,
    bar: ProgressBar,
    batch: u32,
    /// Room for batches that were sent and not yet fetched.
    window: Semaphore,
    flights: Mutex<Flights>,
    sent_all: AtomicBool,
    /// All was sent and fetched.
    over: CancellationToken,
}

/// Batches that were sent and not yet fetched; the window bounds them.
struct Flights {
    /// Where each partition will end.
    ends: BTreeMap<i32, i64>,
    sent: BTreeMap<i32, VecDeque<Flight>>,
    count: usize,
}

#[derive(Clone, Copy)]
struct Flight {
    base: i64,
    due: MonoNs,
}

impl Flights {
    /// Notes a batch on its way; returns its offset to be.
    fn depart(&mut self, made: &Made, due: MonoNs) -> i64 {
        let end = self.ends.entry(made.partition).or_insert(0);
        let base = *end;
        *end += i64::from(made.records);
        self.sent.entry(made.partition).or_default().push_back(Flight { base, due });
        self.count += 1;
        base
    }

    /// The batch that is next in a partition, if it is this one.
    fn arrive(&mut self, partition: i32, header: &BatchHeader) -> Option<Flight> {
        let flight = self.sent.get_mut(&partition)?.pop_front()?;
        self.count -= 1;
        (flight.base == header.base_offset.0).then_some(flight)
    }
}

impl Pair {
    async fn run(
        self,
        lane: Lane,
        mut caster: Caster,
        mut fetcher: Fetcher,
        in_flight: usize,
    ) -> Result<Tally, Failure> {
        let Lane { mut writer, mut reader } = lane;
        let (mut acked, mut seen) = (Tally::default(), Tally::default());
        let lander = caster.is_answered().then(|| caster.lander());
        let (landing, mut landed) = mpsc::channel(in_flight);
        let land = async {
            while let Some((due, base, made)) = landed.recv().await {
                self.land(lander.as_ref(), &mut reader, (due, base, made), &mut acked).await?;
            }
            self.sent_all.store(true, Ordering::Relaxed);
            if self.flights.lock().count == 0 {
                self.over.cancel();
            }
            Ok(())
        };
        let send = self.send(&mut writer, &mut caster, landing);
        tokio::try_join!(send, land, self.fetch(&mut fetcher, &mut seen))?;
        // Counted once: as fetched.
        let acked = Tally { answered: acked.answered, ..Tally::default() };
        seen.add(&acked);
        Ok(seen)
    }

    async fn send(
        &self,
        writer: &mut LaneWriter,
        caster: &mut Caster,
        landing: mpsc::Sender<(MonoNs, i64, Made)>,
    ) -> Result<(), Failure> {
        let mut alarm = Alarm::new().map_err(no_alarm)?;
        loop {
            if self.window.available_permits() == 0 || landing.capacity() == 0 {
                writer.flush().await?;
            }
            let Ok(room) = self.window.acquire().await else { break };
            // The one who fetches gives it back.
            room.forget();
            let Some(turn) = self.pace.take(self.batch) else { break };
            if self.pace.is_open() && turn.due > self.pace.now() {
                writer.flush().await?;
                if !self.pace.wait(turn.due, &mut alarm).await.map_err(no_alarm)? {
                    break;
                }
            }
            let made = caster.issue(turn.records, self.clock.wall(), writer)?;
            let base = self.flights.lock().depart(&made, turn.due);
            if landing.send((turn.due, base, made)).await.is_err() {
                break;
            }
        }
        Ok(writer.flush().await?)
    }

    async fn land(
        &self,
        lander: Option<&Lander>,
        reader: &mut LaneReader,
        (due, base, made): (MonoNs, i64, Made),
        acked: &mut Tally,
    ) -> Result<(), Failure> {
        let Some(lander) = lander else { return Ok(()) };
        let got = lander.land(&made, reader).await?;
        acked.answered.record(self.pace.now().since(due));
        match got == base {
            true => Ok(()),
            false => Err(displaced(made.partition, base, got)),
        }
    }

    async fn fetch(&self, fetcher: &mut Fetcher, seen: &mut Tally) -> Result<(), Failure> {
        while !self.over.is_cancelled() {
            fetcher.ask().await?;
            let each = |partition: i32, header: &BatchHeader| {
                let Some(flight) = self.flights.lock().arrive(partition, header) else {
                    return Err(displaced(partition, -1, header.base_offset.0));
                };
                seen.last = self.pace.now();
                seen.seen.record(seen.last.since(flight.due));
                self.window.add_permits(1);
                Ok(())
            };
            let haul = tokio::select! {
                biased;
                haul = fetcher.take(each) => haul?,
                () = self.over.cancelled() => break,
            };
            seen.requests += 1;
            seen.records += haul.records;
            seen.bytes += haul.bytes;
            self.bar.inc(haul.records);
            if self.sent_all.load(Ordering::Relaxed) && self.flights.lock().count == 0 {
                break;
            }
        }
        Ok(())
    }
}

fn displaced(partition: i32, want: i64, got: i64) -> Failure {
    let message = match want {
        -1 => format!("a batch at offset {got} of partition {partition} is none of those that were sent"),
        want => format!("a batch landed at offset {got} of partition {partition} instead of {want}"),
    };
    Failure::new(DISAGREES, message).help("nobody else may write to the topic: name another with --topic")
}
