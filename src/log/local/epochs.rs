//! Which leader epoch starts at which offset, and the file that keeps it (`leader-epoch-checkpoint`, Kafka's text:
//! version 0, number of entries, one `epoch startOffset` a line). Everything in it is in the batches too.

use crate::types::{Epoch, Offset};
use std::fmt::Write as _;

/// Name of the file in the partition's directory.
pub const FILE: &str = "leader-epoch-checkpoint";

/// The epochs of a log, ascending in both columns.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Epochs {
    starts: Vec<(Epoch, Offset)>,
}

impl Epochs {
    /// Epochs and where each starts, ascending.
    pub fn from_starts(starts: Vec<(Epoch, Offset)>) -> Epochs {
        Epochs { starts }
    }

    /// Takes note of a batch; true if its epoch is new.
    pub fn note(&mut self, epoch: Epoch, first: Offset) -> bool {
        let newer = epoch > self.latest() && epoch.0 >= 0;
        if newer {
            self.starts.push((epoch, first));
        }
        newer
    }

    /// The newest epoch; `Epoch::NONE` before the first batch.
    pub fn latest(&self) -> Epoch {
        self.starts.last().map_or(Epoch::NONE, |(epoch, _)| *epoch)
    }

    /// Where the newest epoch starts.
    pub fn last_start(&self) -> Option<Offset> {
        self.starts.last().map(|(_, start)| *start)
    }

    /// The largest epoch not above `asked` and where its records end, in a log that ends at `end` (KIP-320).
    pub fn end_of(&self, asked: Epoch, end: Offset) -> (Epoch, Offset) {
        let unknown = (Epoch::NONE, Offset(-1));
        if asked.0 < 0 || asked > self.latest() {
            return unknown;
        }
        let above = self.starts.partition_point(|(epoch, _)| *epoch <= asked);
        let end = self.starts.get(above).map_or(end, |(_, start)| *start);
        match above.checked_sub(1).and_then(|at| self.starts.get(at)) {
            Some((epoch, _)) => (*epoch, end),
            // Older than all that is kept: Kafka answers with the epoch asked for and the first start known.
            None => (asked, end),
        }
    }

    /// The epoch of the record at `at`.
    pub fn at(&self, at: Offset) -> Epoch {
        let above = self.starts.partition_point(|(_, start)| *start <= at);
        above.checked_sub(1).and_then(|at| self.starts.get(at)).map_or(Epoch::NONE, |(epoch, _)| *epoch)
    }

    /// Forgets epochs that start at `end` or later.
    pub fn cut_back(&mut self, end: Offset) -> bool {
        let before = self.starts.len();
        self.starts.retain(|(_, start)| *start < end);
        before != self.starts.len()
    }

    /// Forgets epochs that ended at `start` or before; the one that holds `start` now begins there.
    pub fn cut_front(&mut self, start: Offset) {
        let above = self.starts.partition_point(|(_, first)| *first <= start);
        if let Some(held) = above.checked_sub(1) {
            self.starts.drain(..held);
            if let Some((_, first)) = self.starts.first_mut() {
                *first = start;
            }
        }
    }

    /// A checksum of the epochs as a log that begins at `start` has them.
    pub fn sum(&self, start: Offset) -> u32 {
        let mut cut = self.clone();
        cut.cut_front(start);
        crc32fast::hash(cut.to_text().as_bytes())
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = format!("0\n{}\n", self.starts.len());
        for (epoch, start) in &self.starts {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{epoch} {start}");
        }
        text
    }

    /// Reads the file; `None` if it is not whole or not ascending.
    pub fn parse(bytes: &[u8]) -> Option<Epochs> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let version = lines.next()?;
        let count: usize = lines.next()?.parse().ok()?;
        let mut starts: Vec<(Epoch, Offset)> = Vec::new();
        for line in lines {
            let (epoch, start) = line.split_once(' ')?;
            let (epoch, start) = (Epoch(epoch.parse().ok()?), Offset(start.parse().ok()?));
            let ascends = starts.last().is_none_or(|last| last.0 < epoch && last.1 <= start);
            if !ascends || epoch.0 < 0 || start.0 < 0 {
                return None;
            }
            starts.push((epoch, start));
        }
        (version == "0" && count == starts.len()).then_some(Epochs { starts })
    }
}

/// Epochs as batch headers say, one of which may be wrong: no CRC covers them.
#[derive(Default)]
pub struct GatheredEpochs {
    /// Epoch, first offset, number of batches in a row.
    runs: Vec<(Epoch, Offset, u32)>,
}

impl GatheredEpochs {
    /// Takes note of a batch.
    pub fn note(&mut self, epoch: Epoch, first: Offset) {
        match self.runs.last_mut() {
            Some((last, _, count)) if *last == epoch => *count = count.saturating_add(1),
            _ => self.runs.push((epoch, first, 1)),
        }
    }

    /// Takes note of an epoch out of a seal, which is certain.
    pub fn note_many(&mut self, epoch: Epoch, first: Offset) {
        self.note(epoch, first);
        if let Some((_, _, count)) = self.runs.last_mut() {
            *count = u32::MAX;
        }
    }

    /// The epochs, without those that stand out of order: epochs never go down, so of two that do not fit the one
    /// that fewer batches have is wrong.
    pub fn settled(&self) -> Epochs {
        let mut kept: Vec<(Epoch, Offset, u32)> = Vec::new();
        for (nth, run) in self.runs.iter().enumerate() {
            let after = self.runs.get(nth + 1).map(|after| after.0);
            let mut takes = run.0.0 >= 0;
            while let Some(top) = kept.last().filter(|top| takes && top.0 > run.0) {
                if top.2 > run.2 || after == Some(top.0) {
                    takes = false;
                } else {
                    kept.pop();
                }
            }
            if takes && kept.last().is_none_or(|top| top.0 < run.0) {
                kept.push(*run);
            }
        }
        Epochs { starts: kept.into_iter().map(|(epoch, first, _)| (epoch, first)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(starts: &[(i32, i64)]) -> Epochs {
        Epochs { starts: starts.iter().map(|(epoch, start)| (Epoch(*epoch), Offset(*start))).collect() }
    }

    #[test]
    fn the_end_of_an_epoch_is_the_start_of_the_next() {
        let known = epochs(&[(2, 0), (4, 10), (7, 20)]);
        let ends = [1, 2, 3, 4, 6, 7, 8, -1].map(|asked| known.end_of(Epoch(asked), Offset(30)));
        let expect = [(1, 0), (2, 10), (2, 10), (4, 20), (4, 20), (7, 30), (-1, -1), (-1, -1)];
        assert_eq!(ends, expect.map(|(epoch, end)| (Epoch(epoch), Offset(end))));
        assert_eq!([0, 9, 10, 99].map(|at| known.at(Offset(at)).0), [2, 2, 4, 7]);
    }

    #[test]
    fn cutting_keeps_the_epoch_that_holds_the_start() {
        let mut known = epochs(&[(2, 0), (4, 10), (7, 20)]);
        known.cut_front(Offset(15));
        assert_eq!(known, epochs(&[(4, 15), (7, 20)]));
        assert!(known.cut_back(Offset(20)));
        assert_eq!(known, epochs(&[(4, 15)]));
    }

    #[test]
    fn the_file_reads_back_and_a_torn_one_does_not() {
        let known = epochs(&[(0, 0), (3, 17)]);
        assert_eq!(known.to_text(), "0\n2\n0 0\n3 17\n");
        assert_eq!(Epochs::parse(known.to_text().as_bytes()), Some(known));
        for bad in ["", "0\n2\n0 0\n", "1\n0\n", "0\n2\n3 0\n1 5\n", "0\n1\nx 0\n", "0\n1\n-4 0\n"] {
            assert_eq!(Epochs::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn one_epoch_out_of_order_is_not_believed() {
        let check = |noted: &[i32], expect: &[(i32, i64)]| {
            let mut gathered = GatheredEpochs::default();
            noted.iter().zip(0..).for_each(|(epoch, at)| gathered.note(Epoch(*epoch), Offset(at)));
            assert_eq!(gathered.settled(), epochs(expect), "{noted:?}");
        };
        check(&[0, 0, 3, 3, 7], &[(0, 0), (3, 2), (7, 4)]);
        check(&[0, 4096, 0, 0, 3], &[(0, 0), (3, 4)]);
        check(&[5, 1, 5, 5], &[(5, 0)]);
        check(&[5, 5, 1, 6], &[(5, 0), (6, 3)]);
        check(&[5, 5, -7, 5], &[(5, 0)]);
        check(&[], &[]);
    }
}
