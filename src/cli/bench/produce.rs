//! `logboom bench produce`: clients that keep requests under way.

use super::super::client::{LATEST, Lane, LaneWriter};
use super::super::failure::Failure;
use super::args::ProduceBench;
use super::caster::{Caster, Made};
use super::pace::{Pace, Turn};
use super::tally::Tally;
use super::target::Target;
use super::{DISAGREES, Run, team};
use crate::sys::{Alarm, Clock};
use crate::types::MonoNs;
use indicatif::ProgressBar;
use std::io;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Bytes that are collected before they are written although there is room for more.
const FLUSH_BYTES: usize = 256 << 10;

/// Sends what the arguments say, and looks whether it arrived.
pub async fn run(args: &ProduceBench, run: &Run) -> Result<Tally, Failure> {
    let before = run.target.offsets(&run.client, LATEST).await?;
    let tally = send(args, run).await?;
    let grown = run.target.growth(&run.client, &before, tally.records, &run.clock).await?;
    check_growth(&run.target, tally.records, grown, run)?;
    Ok(tally)
}

/// Sends what the arguments say.
pub async fn send(args: &ProduceBench, run: &Run) -> Result<Tally, Failure> {
    let seats = run.target.shared_seats(args.clients);
    let mut senders = Vec::new();
    for (index, seat) in (0..).zip(seats) {
        let lane = run.client.lane(&seat.address).await?;
        let caster = Caster::new(run, &seat, &args.shape, &args.way, index).await?;
        senders.push((lane, caster));
    }
    let pace = Arc::new(Pace::start(&args.amount, &run.clock, run.stop.clone()));
    let bar = team::bar(&args.amount, args.amount.records, "sending", run.output);
    let clients = senders.into_iter().map(|(lane, caster)| {
        let client = Sender {
            pace: Arc::clone(&pace),
            clock: Arc::clone(&run.clock),
            bar: bar.clone(),
            in_flight: usize::try_from(args.in_flight).unwrap_or(1),
            batch: args.shape.batch,
        };
        client.run(lane, caster)
    });
    let tally = team::run(clients, pace.begun(), run.fs.as_ref()).await;
    bar.finish_and_clear();
    tally
}

/// Whether the ends of the partitions moved by what was acknowledged.
pub fn check_growth(target: &Target, sent: u64, grown: u64, run: &Run) -> Result<(), Failure> {
    let name = &target.topic.name;
    if grown < sent || (grown > sent && target.is_made) {
        let message = format!("{sent} records were sent to `{name}`, and its partitions grew by {grown}");
        return Err(Failure::new(DISAGREES, message));
    }
    if grown > sent {
        run.output.say(&format!("somebody else wrote {} records to `{name}` meanwhile", grown - sent));
    }
    Ok(())
}

/// One client.
struct Sender {
    pace: Arc<Pace>,
    clock: Arc<dyn Clock>,
    bar: ProgressBar,
    in_flight: usize,
    batch: u32,
}

impl Sender {
    async fn run(self, lane: Lane, mut caster: Caster) -> Result<Tally, Failure> {
        let Lane { mut writer, mut reader } = lane;
        if !caster.is_answered() {
            return self.shout(&mut writer, &mut caster).await;
        }
        let (window, mut tally) = (Semaphore::new(self.in_flight), Tally::default());
        // The window bounds what is in it.
        let (flights, mut landing) = mpsc::channel(self.in_flight);
        let lander = caster.lander();
        let send = self.send(&mut writer, &mut caster, &window, flights);
        let receive = async {
            while let Some((due, made)) = landing.recv().await {
                lander.land(&made, &mut reader).await?;
                self.count(&made, &mut tally);
                tally.answered.record(tally.last.since(due));
                window.add_permits(1);
            }
            Ok(())
        };
        tokio::try_join!(send, receive)?;
        Ok(tally)
    }

    fn count(&self, made: &Made, tally: &mut Tally) {
        tally.last = self.pace.now();
        tally.requests += 1;
        tally.records += u64::from(made.records);
        tally.bytes += made.bytes;
        self.bar.inc(u64::from(made.records));
    }

    async fn send(
        &self,
        writer: &mut LaneWriter,
        caster: &mut Caster,
        window: &Semaphore,
        flights: mpsc::Sender<(MonoNs, Made)>,
    ) -> Result<(), Failure> {
        let mut alarm = Alarm::new().map_err(no_alarm)?;
        loop {
            let room = match window.try_acquire() {
                Ok(room) => Ok(room),
                Err(_) => {
                    writer.flush().await?;
                    window.acquire().await
                }
            };
            // The one who lands gives it back.
            let Ok(()) = room.map(|room| room.forget()) else { break };
            let Some(turn) = self.turn(writer, &mut alarm).await? else { break };
            let made = caster.issue(turn.records, self.clock.wall(), writer)?;
            if flights.send((turn.due, made)).await.is_err() {
                break;
            }
            if writer.queued() >= FLUSH_BYTES {
                writer.flush().await?;
            }
        }
        Ok(writer.flush().await?)
    }

    /// The next turn, once it is due.
    async fn turn(&self, writer: &mut LaneWriter, alarm: &mut Alarm) -> Result<Option<Turn>, Failure> {
        let Some(turn) = self.pace.take(self.batch) else { return Ok(None) };
        if self.pace.is_open() && turn.due > self.pace.now() {
            writer.flush().await?;
            if !self.pace.wait(turn.due, alarm).await.map_err(no_alarm)? {
                return Ok(None);
            }
        }
        Ok(Some(turn))
    }

    /// Sends without waiting for anybody.
    async fn shout(&self, writer: &mut LaneWriter, caster: &mut Caster) -> Result<Tally, Failure> {
        let mut alarm = Alarm::new().map_err(no_alarm)?;
        let mut tally = Tally::default();
        while let Some(turn) = self.turn(writer, &mut alarm).await? {
            let made = caster.issue(turn.records, self.clock.wall(), writer)?;
            if writer.queued() >= FLUSH_BYTES || self.pace.is_open() {
                writer.flush().await?;
            }
            self.count(&made, &mut tally);
        }
        writer.flush().await?;
        Ok(tally)
    }
}

/// Of a timer that the system would not give.
pub fn no_alarm(error: io::Error) -> Failure {
    Failure::new("LB0105", format!("no timer: {error}"))
}
