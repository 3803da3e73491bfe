//! What a disk may hold after a power cut: everything up to the last flush, and of the writes after it any part, by
//! sector. It must not know what the bytes mean.

use crate::stream::Event;
use logboom::sys::{Rng, SeededRng};
use std::fmt;

/// A disk writes a sector whole or not at all.
pub const SECTOR: usize = 512;
/// Blocks of the file system: losing these whole is what most drives do.
const BLOCK: usize = 4096;

/// The block of ext4's superblock, which spans two sectors under one checksum and is written outside of the journal: a
/// drive that tears it leaves a file system that cannot be mounted, whatever stands on it.
const WHOLE: usize = BLOCK;

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
        let pieces: Vec<_> = pieces(*at, data, SECTOR).collect();
        for (at, piece) in &pieces[..rng.below(pieces.len() as u64) as usize] {
            disk[*at..at + piece.len()].copy_from_slice(piece);
        }
    }
    let Some(unit) = unit else { return };
    for (at, data) in open {
        for (at, piece) in pieces(*at, data, unit) {
            if rng.next_u64() & 1 == 0 {
                disk[at..at + piece.len()].copy_from_slice(piece);
            }
        }
    }
}

/// What a drive writes whole or not at all, each with its place.
fn pieces(at: usize, data: &[u8], unit: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let (head, rest) = data.split_at(WHOLE.saturating_sub(at).min(data.len()));
    let first = (!head.is_empty()).then_some((at, head));
    let begin = at + head.len();
    first.into_iter().chain(rest.chunks(unit).enumerate().map(move |(i, piece)| (begin + i * unit, piece)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write behind the superblock's block.
    fn write(at: usize, byte: u8, size: usize) -> Event {
        Event::Write { at: WHOLE + at, data: vec![byte; size].into() }
    }

    fn blank(forgets: bool) -> Replay {
        Replay::new(vec![0; WHOLE + 8 * SECTOR], forgets)
    }

    /// The disk behind the superblock's block.
    fn after(events: &[Event], at: usize, tail: Tail, seed: u64) -> Vec<u8> {
        blank(false).disk_after(events, Cut { at, tail, seed, again: false }).split_off(WHOLE)
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
        let disk = blank(true).disk_after(&events, cut).split_off(WHOLE);
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

    // A second cut during the mount tore the superblock, and ext4 refused to mount.
    #[test]
    fn the_superblock_is_never_torn() {
        let events = [Event::Write { at: 0, data: vec![1; WHOLE + 2 * SECTOR].into() }];
        for tail in [Tail::Torn, Tail::Sectors, Tail::Blocks] {
            for seed in 0..100 {
                let disk = blank(false).disk_after(&events, Cut { at: 1, tail, seed, again: false });
                assert!(disk[..WHOLE].iter().all(|byte| *byte == disk[0]), "{tail:?} {seed}");
            }
        }
    }

    #[test]
    fn cuts_in_order_give_the_same_disks_as_each_alone() {
        let events: Vec<Event> = (0..40)
            .map(|i| if i % 5 == 4 { Event::Flush } else { write(i % 8 * SECTOR, i as u8, SECTOR) })
            .collect();
        let mut replay = blank(false);
        for at in 0..=events.len() {
            let cut = Cut { at, tail: Tail::Sectors, seed: 7, again: false };
            let disk = replay.disk_after(&events, cut).split_off(WHOLE);
            assert_eq!(disk, after(&events, at, Tail::Sectors, 7));
        }
    }
}
