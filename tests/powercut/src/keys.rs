//! What a compacted partition must still hold: of each key the last record that was acknowledged, or a later one. It
//! must not know how records were read.

use crate::client::Place;
use crate::history::{History, is_tombstone, key};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// What became of the keys of a partition.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Keys whose last acknowledged record is gone without a later one, and deleted keys that are back.
    pub wrong: Vec<String>,
    /// Acknowledged records that are gone because their key has a later one.
    pub compacted: u64,
    /// Keys of which nothing is left, as they were deleted.
    pub gone: u64,
}

/// Compares the numbers of the records that are there after a cut with what was asked before it. Records of a key are
/// in the order of their numbers, for one worker sends them all.
pub fn judge(history: &History, place: &Place, cut: usize, there: &BTreeSet<u64>) -> Keys {
    let mut keys = Keys::default();
    let (mut promised, mut deleted, mut have) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    there.iter().for_each(|number| note(&mut have, *number));
    let here = history.batches.iter().filter(|batch| batch.place == *place && batch.span.may_be_done(cut));
    for batch in here {
        for number in batch.first..batch.first + batch.count {
            if batch.span.is_promised(cut) {
                note(&mut promised, number);
                keys.compacted += u64::from(!there.contains(&number));
            }
            if is_tombstone(number) {
                note(&mut deleted, number);
            }
        }
    }
    for (key, number) in promised {
        let good = match have.get(&key) {
            Some(have) => *have >= number,
            // The tombstone goes too, in the end.
            None => deleted.get(&key).is_some_and(|deleted| *deleted >= number),
        };
        if !good {
            let have = have.get(&key);
            keys.wrong.push(format!("{place:?}: {key:?} is {have:?}, acknowledged {number}"));
        }
        keys.gone += u64::from(good && !have.contains_key(&key));
    }
    keys.compacted -= (keys.wrong.len() as u64).min(keys.compacted);
    keys
}

/// Remembers the largest number of each key.
fn note(of_keys: &mut BTreeMap<Bytes, u64>, number: u64) {
    let largest = of_keys.entry(key(number)).or_insert(number);
    *largest = number.max(*largest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Batch, Span};

    /// Numbers of one key, in their order: three values, a tombstone, two values.
    const OF_A_KEY: [u64; 6] = [180, 240, 300, 360, 420, 480];
    const TOMBSTONE: usize = 3;

    /// A batch of each record; each is acknowledged at ten times its place and five, but those that are `open`.
    fn history(count: usize, open: &[usize]) -> History {
        let batch = |i: usize| Batch {
            place: ("table".to_owned(), 0),
            worker: 2,
            first: OF_A_KEY[i],
            count: 1,
            identity: None,
            base: None,
            span: Span { sent: 10 * i, acked: (!open.contains(&i)).then_some(10 * i + 5) },
        };
        History { batches: (0..count).map(batch).collect(), ..History::default() }
    }

    fn is_good(history: &History, cut: usize, there: &[usize]) -> bool {
        let there = there.iter().map(|i| OF_A_KEY[*i]).collect();
        judge(history, &("table".to_owned(), 0), cut, &there).wrong.is_empty()
    }

    #[test]
    fn the_numbers_are_of_one_key_and_one_of_them_is_a_tombstone() {
        assert!(OF_A_KEY.iter().all(|number| key(*number) == key(180)));
        let tombstones: Vec<usize> = (0..6).filter(|i| is_tombstone(OF_A_KEY[*i])).collect();
        assert_eq!(tombstones, [TOMBSTONE]);
    }

    #[test]
    fn the_last_acknowledged_value_or_a_later_one_must_be_there() {
        let two = history(2, &[]);
        assert!(is_good(&two, 15, &[0, 1]) && is_good(&two, 15, &[1]));
        assert!(!is_good(&two, 15, &[0]) && !is_good(&two, 15, &[]));
        assert!(is_good(&two, 14, &[0]) && is_good(&two, 14, &[1]), "the second was under way");
        assert!(!is_good(&two, 14, &[]));
    }

    #[test]
    fn a_deleted_key_may_go_and_may_not_come_back() {
        let four = history(4, &[]);
        assert!(is_good(&four, 35, &[]) && is_good(&four, 35, &[3]) && is_good(&four, 35, &[1, 2, 3]));
        assert!(!is_good(&four, 35, &[2]) && !is_good(&four, 35, &[0, 1, 2]));
        assert!(is_good(&four, 34, &[2]) && is_good(&four, 34, &[]), "the tombstone was under way");
        let six = history(6, &[]);
        assert!(is_good(&six, 55, &[5]) && is_good(&six, 55, &[0, 5]));
        assert!(!is_good(&six, 55, &[3]) && !is_good(&six, 55, &[]) && !is_good(&six, 55, &[4]));
    }

    #[test]
    fn a_tombstone_that_nobody_acknowledged_may_have_deleted_what_was_before_it() {
        let four = history(4, &[TOMBSTONE]);
        assert!(is_good(&four, 1000, &[]) && is_good(&four, 1000, &[2]) && !is_good(&four, 1000, &[1]));
        let six = history(6, &[TOMBSTONE]);
        assert!(!is_good(&six, 1000, &[]), "a later value was acknowledged");
    }

    #[test]
    fn what_compaction_took_is_counted() {
        let there = BTreeSet::from([OF_A_KEY[2]]);
        let keys = judge(&history(3, &[]), &("table".to_owned(), 0), 1000, &there);
        assert_eq!(keys, Keys { wrong: Vec::new(), compacted: 2, gone: 0 });
        let keys = judge(&history(4, &[]), &("table".to_owned(), 0), 1000, &BTreeSet::new());
        assert_eq!(keys, Keys { wrong: Vec::new(), compacted: 4, gone: 1 });
    }
}
