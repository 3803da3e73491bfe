//! The stream of writes and flushes that reached a disk, and the disk as it is while the power stays on. It must not
//! know what a file system or a broker is.

use anyhow::{Context, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// One thing that reached the disk.
pub enum Event {
    /// Bytes for this place; a disk may lose, keep or tear them until the next flush is answered.
    Write {
        /// First byte.
        at: usize,
        /// The bytes.
        data: Box<[u8]>,
    },
    /// All writes before it are safe.
    Flush,
}

/// A recorded disk. A position in its stream is the number of events before it.
pub struct Stream {
    state: Mutex<State>,
    position: AtomicUsize,
}

struct State {
    disk: Vec<u8>,
    events: Vec<Event>,
}

impl Stream {
    /// A disk with this content, on which nothing has happened yet.
    pub fn new(disk: Vec<u8>) -> Stream {
        Stream { state: Mutex::new(State { disk, events: Vec::new() }), position: AtomicUsize::new(0) }
    }

    /// Number of events so far.
    pub fn position(&self) -> usize {
        self.position.load(Ordering::Acquire)
    }

    /// Size of the disk in bytes.
    pub fn size(&self) -> usize {
        self.lock().disk.len()
    }

    /// The bytes of a range, shorter where the disk ends.
    pub fn read(&self, at: usize, size: usize) -> Vec<u8> {
        let state = self.lock();
        let end = at.saturating_add(size).min(state.disk.len());
        state.disk.get(at..end).unwrap_or_default().to_vec()
    }

    /// Writes bytes that the next flush makes safe.
    ///
    /// # Errors
    /// Bytes beyond the end of the disk.
    pub fn write(&self, at: usize, data: &[u8]) -> Result<()> {
        let mut state = self.lock();
        let place = state.disk.get_mut(at..at.saturating_add(data.len())).context("a write past the end")?;
        place.copy_from_slice(data);
        state.events.push(Event::Write { at, data: data.into() });
        self.position.store(state.events.len(), Ordering::Release);
        Ok(())
    }

    /// Makes safe what was written.
    pub fn flush(&self) {
        let mut state = self.lock();
        state.events.push(Event::Flush);
        self.position.store(state.events.len(), Ordering::Release);
    }

    /// The events up to a position; the stream keeps none of them.
    pub fn take(&self, end: usize) -> Vec<Event> {
        let mut state = self.lock();
        let mut events = std::mem::take(&mut state.events);
        events.truncate(end);
        events
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
