//! The load generator: one thread, one epoll, frames encoded before. What is sent when, and what an answer means, is
//! said by a [`Load`]; here is only the way to the broker and back.

mod conn;
pub mod fetch;
pub mod meter;
pub mod mixed;
pub mod produce;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use conn::Conn;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::fs::Timespec;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Answers that are later than this will not come.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Events taken at once.
const EVENTS: usize = 256;

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// From when its latency counts, in nanoseconds of [`Wire::now`]: when it was sent, or should have been.
    pub at: u64,
    /// The load's own mark.
    pub tag: u64,
}

/// What is sent, and what is made of the answers.
pub trait Load {
    /// Called once, to send the first requests.
    ///
    /// # Errors
    /// A request that has no encoding.
    fn start(&mut self, wire: &mut Wire) -> Result<()>;

    /// Called before each wait; when it wants to be called again, if not only after an answer.
    ///
    /// # Errors
    /// A request that has no encoding.
    fn tick(&mut self, wire: &mut Wire) -> Result<Option<u64>>;

    /// An answer came on this connection, at this time: a frame behind its length.
    ///
    /// # Errors
    /// The answer says that something did not happen, or cannot be read.
    fn answer(&mut self, wire: &mut Wire, conn: usize, sent: Sent, frame: Bytes, now: u64) -> Result<()>;

    /// From now on nothing new is sent.
    fn stop(&mut self);
}

/// Connections to one broker.
pub struct Wire {
    epoll: OwnedFd,
    conns: Vec<Conn>,
    dirty: Vec<usize>,
    begun: Instant,
}

impl Wire {
    /// Opens connections.
    ///
    /// # Errors
    /// The broker takes no more.
    pub fn connect(address: SocketAddr, count: usize) -> Result<Wire> {
        // Timers of the kernel are late by up to 50 us otherwise; rates would be less even.
        rustix::thread::set_current_timer_slack(std::num::NonZero::new(1))?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut conns = Vec::with_capacity(count);
        for number in 0..count {
            let conn = Conn::connect(address).with_context(|| format!("connection {number}"))?;
            epoll::add(&epoll, conn.socket(), EventData::new_u64(number as u64), EventFlags::IN)?;
            conns.push(conn);
        }
        Ok(Wire { epoll, conns, dirty: Vec::new(), begun: Instant::now() })
    }

    /// Nanoseconds since the connections were made.
    pub fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.conns.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    /// Requests without an answer on all connections.
    pub fn waiting(&self) -> usize {
        self.conns.iter().map(Conn::waiting).sum()
    }

    /// Requests without an answer on some of them.
    pub fn waiting_on(&self, conns: &std::ops::Range<usize>) -> usize {
        self.conns[conns.clone()].iter().map(Conn::waiting).sum()
    }

    /// Queues a frame, which gets its correlation id here.
    pub fn push(&mut self, conn: usize, frame: &Bytes, sent: Sent) {
        if self.conns[conn].push(frame, sent) {
            self.dirty.push(conn);
        }
    }

    /// Sends and receives until this time.
    ///
    /// # Errors
    /// A connection is lost, or the load says so.
    pub fn run(&mut self, until: u64, load: &mut impl Load) -> Result<()> {
        loop {
            let wake = load.tick(self)?;
            self.flush()?;
            let now = self.now();
            if now >= until {
                return Ok(());
            }
            self.turn(wake.unwrap_or(until).min(until).saturating_sub(now), load)?;
        }
    }

    /// Sends nothing new and waits for all answers.
    ///
    /// # Errors
    /// As [`Wire::run`], and answers that do not come.
    pub fn drain(&mut self, load: &mut impl Load) -> Result<()> {
        load.stop();
        let until = self.now() + ANSWER_MAX.as_nanos() as u64;
        while self.waiting() > 0 {
            self.flush()?;
            let left = until.saturating_sub(self.now());
            if left == 0 {
                bail!("{} requests have no answer after {ANSWER_MAX:?}", self.waiting());
            }
            self.turn(left.min(100_000_000), load)?;
        }
        Ok(())
    }

    /// One wait of at most so many nanoseconds, and what came.
    fn turn(&mut self, nanos: u64, load: &mut impl Load) -> Result<()> {
        let timeout =
            Timespec { tv_sec: (nanos / 1_000_000_000) as i64, tv_nsec: (nanos % 1_000_000_000) as i64 };
        let mut events: [Event; EVENTS] =
            [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; EVENTS];
        let count = match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..count] {
            let number = event.data.u64() as usize;
            // Copied, since the record is packed.
            let flags = event.flags;
            if flags.contains(EventFlags::OUT) {
                self.write(number)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.conns[number].read()?;
                let now = self.now();
                while let Some((sent, frame)) = self.conns[number].pop()? {
                    load.answer(self, number, sent, frame, now)?;
                }
                self.conns[number].settle();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        for number in std::mem::take(&mut self.dirty) {
            self.write(number)?;
        }
        Ok(())
    }

    fn write(&mut self, number: usize) -> Result<()> {
        let conn = &mut self.conns[number];
        if let Some(blocked) = conn.write()? {
            let flags = if blocked { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
            epoll::modify(&self.epoll, conn.socket(), EventData::new_u64(number as u64), flags)?;
        }
        Ok(())
    }
}
