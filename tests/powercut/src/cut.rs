//! What a disk may hold after a power cut: everything up to the last flush, and of the writes after it any part, by
//! sector. It must not know what the bytes mean.

use crate::stream::Event;
use logboom::sys::{Rng, SeededRng};
use std::fmt;

/// A disk writes a sector whole or not at all.
pub const SECTOR: usize = 512;
/// Blocks of the file system: losing these whole is what most drives do.
const BLOCK: usize = 4096;

/// What happened to the writes after the last flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// All were lost.
    Lost,
    /// All were kept.
    Kept,
    /// A first part of them was kept, in order.
    Prefix,
    /// As `Prefix`, and of the next write a first part.
    Torn,
    /// Any sectors.
    Sectors,
    /// Any blocks.
    Blocks,
}

impl Tail {
    /// A tail by chance; the ones that keep least and mix most are the likeliest.
    pub fn pick(rng: &SeededRng) -> Tail {
        match rng.below(20) {
            0..6 => Tail::Lost,
            6..11 => Tail::Sectors,
            11..14 => Tail::Blocks,
            14..17 => Tail::Prefix,
            17..19 => Tail::Torn,
            _ => Tail::Kept,
        }
    }
}

/// A moment at which the power fails, and what that does.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Position in the stream: events before it happened.
    pub at: usize,
    /// What became of what was not flushed.
    pub tail: Tail,
    /// Decides what chance decides.
    pub seed: u64,
    /// The power fails again while the broker comes up.
    pub again: bool,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.again { ", and again" } else { "" };
        write!(f, "cut at event {}, tail {:?}, seed {:#x}{again}", self.at, self.tail, self.seed)
    }
}

/// Makes disks of cuts, in the order of their positions.
pub struct Replay {
    disk: Vec<u8>,
    /// Events that are in `disk`: all up to a flush.
    done: usize,
    /// A cut takes the last flush back.
    forgets: bool,
}

impl Replay {
    /// Starts from the disk as it was before the first event. A disk that `forgets` takes its last flush back, as if
    /// whoever waited for it had not waited to the end.
    pub fn new(disk: Vec<u8>, forgets: bool) -> Replay {
        Replay { disk, done: 0, forgets }
    }

    /// The disk after the cut. Cuts must come in ascending order.
    pub fn disk_after(&mut self, events: &[Event], cut: Cut) -> Vec<u8> {
        let happened = &events[..cut.at.min(events.len())];
        let flushes = happened.iter().enumerate().rev().filter(|(_, event)| matches!(event, Event::Flush));
        let safe = flushes.map(|(at, _)| at + 1).nth(usize::from(self.forgets)).unwrap_or(0);
        assert!(safe >= self.done, "cuts come in ascending order");
        for (at, data) in happened[self.done..safe].iter().filter_map(write_of) {
            self.disk[at..at + data.len()].copy_from_slice(data);
        }
        self.done = safe;
        let mut disk = self.disk.clone();
        let open: Vec<(usize, &[u8])> = happened[safe..].iter().filter_map(write_of).collect();
        apply(&mut disk, &open, cut);
        disk
    }
}

fn write_of(event: &Event) -> Option<(usize, &[u8])> {
    match event {
        Event::Write { at, data } => Some((*at, data)),
        Event::Flush => None,
    }
}

/// Puts on the disk what is left of writes that no flush followed.
fn apply(disk: &mut [u8], open: &[(usize, &[u8])], cut: Cut) {
    let rng = SeededRng::new(cut.seed);
    let (whole, unit) = match cut.tail {
        Tail::Lost => (0, None),
        Tail::Kept => (open.len(), None),
        Tail::Prefix | Tail::Torn => (rng.below(open.len() as u64 + 1) as usize, None),
        Tail::Sectors => (0, Some(SECTOR)),
        Tail::Blocks => (0, Some(BLOCK)),
    };
    for (at, data) in &open[..whole] {
        disk[*at..at + data.len()].copy_from_slice(data);
    }
    if cut.tail == Tail::Torn
        && let Some((at, data)) = open.get(whole)
    {
        let kept = rng.below((data.len() / SECTOR) as u64) as usize * SECTOR;
        disk[*at..at + kept].copy_from_slice(&data[..kept]);
    }
    let Some(unit) = unit else { return };
    for (at, data) in open {
        for (i, piece) in data.chunks(unit).enumerate() {
            if rng.next_u64() & 1 == 0 {
                let at = at + i * unit;
                disk[at..at + piece.len()].copy_from_slice(piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: usize, byte: u8, size: usize) -> Event {
        Event::Write { at, data: vec![byte; size].into() }
    }

    fn after(events: &[Event], at: usize, tail: Tail, seed: u64) -> Vec<u8> {
        Replay::new(vec![0; 8 * SECTOR], false).disk_after(events, Cut { at, tail, seed, again: false })
    }

    #[test]
    fn what_was_flushed_is_there_after_every_cut_and_what_was_not_may_be_lost() {
        let events = [write(0, 1, SECTOR), Event::Flush, write(SECTOR, 2, 2 * SECTOR), write(0, 3, SECTOR)];
        for tail in [Tail::Lost, Tail::Kept, Tail::Prefix, Tail::Torn, Tail::Sectors, Tail::Blocks] {
            for seed in 0..50 {
                let disk = after(&events, 4, tail, seed);
                assert!(disk[..SECTOR] == [1; SECTOR] || disk[..SECTOR] == [3; SECTOR], "{tail:?} {seed}");
                assert_eq!(disk[3 * SECTOR..], [0; 5 * SECTOR]);
            }
        }
        assert_eq!(after(&events, 4, Tail::Lost, 0)[..2 * SECTOR], [[1; SECTOR], [0; SECTOR]].concat());
        assert_eq!(after(&events, 4, Tail::Kept, 0)[..2 * SECTOR], [[3; SECTOR], [2; SECTOR]].concat());
        assert_eq!(after(&events, 1, Tail::Lost, 0), [0; 8 * SECTOR], "the flush came after the cut");
    }

    #[test]
    fn a_disk_that_forgets_takes_back_its_last_flush_alone() {
        let events = [write(0, 1, SECTOR), Event::Flush, write(SECTOR, 2, SECTOR), Event::Flush];
        let cut = Cut { at: 4, tail: Tail::Lost, seed: 0, again: false };
        let disk = Replay::new(vec![0; 8 * SECTOR], true).disk_after(&events, cut);
        assert_eq!(disk[..2 * SECTOR], [[1; SECTOR], [0; SECTOR]].concat());
    }

    #[test]
    fn tails_tear_writes_between_sectors_and_mix_them() {
        let events = [write(0, 1, 4 * SECTOR), write(4 * SECTOR, 2, 4 * SECTOR)];
        let states = |tail| {
            let of = |seed| {
                let disk = after(&events, 2, tail, seed);
                disk.chunks(SECTOR).map(|sector| sector[0]).collect::<Vec<u8>>()
            };
            (0..400).map(of).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(states(Tail::Prefix).len(), 3);
        let torn = states(Tail::Torn);
        assert!(torn.contains(&vec![1, 1, 1, 1, 2, 0, 0, 0]) && torn.contains(&vec![1, 0, 0, 0, 0, 0, 0, 0]));
        let mixed = states(Tail::Sectors);
        assert!(mixed.len() > 150 && mixed.iter().any(|disk| disk[0] == 0 && disk[7] == 2));
    }

    #[test]
    fn cuts_in_order_give_the_same_disks_as_each_alone() {
        let events: Vec<Event> = (0..40)
            .map(|i| if i % 5 == 4 { Event::Flush } else { write(i % 8 * SECTOR, i as u8, SECTOR) })
            .collect();
        let mut replay = Replay::new(vec![0; 8 * SECTOR], false);
        for at in 0..=events.len() {
            let cut = Cut { at, tail: Tail::Sectors, seed: 7, again: false };
            assert_eq!(replay.disk_after(&events, cut), after(&events, at, Tail::Sectors, 7));
        }
    }
}
