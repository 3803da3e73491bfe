//! The newest offset of every key, in memory of a fixed size: what a cleaning needs to know of a log of any size. Must
//! not know records or files.
//!
//! Open addressing in one flat allocation. An entry is 16 bytes: 96 bits of the key's SipHash-2-4-128 and the offset
//! relative to the map's base; the other 32 bits of the hash say where the search begins. Keys themselves are not kept,
//! so two keys with one hash would be taken for one, and the older record would be lost. The hash is keyed by a random
//! number drawn for each cleaning, which nobody sees, so such keys cannot be made; by chance, a log of 2^33 records
//! against a map of 2^23 keys has one such pair with a probability below 2^-40 (2^56 pairs, 96 bits), and the place
//! where the search begins lowers it further.

use crate::types::Offset;
use siphasher::sip128::SipHasher24;

/// Three words of hash, and the relative offset plus one: 0 marks a free slot, so that fresh zeroed memory, which the
/// system hands out lazily, is an empty map.
type Slot = [u32; 4];

const FREE: Slot = [0; 4];

/// Bytes of a slot.
pub const SLOT_BYTES: usize = size_of::<Slot>();

/// Whether a key found room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// It is in the map.
    Done,
    /// It is not: the map is full, or the offset too far from the base. The pass ends before this record.
    Full,
}

/// The map. Its memory is taken once; [`KeyMap::begin`] empties it for the next cleaning.
pub struct KeyMap {
    slots: Vec<Slot>,
    /// Slots used by this cleaning: a small log needs, touches and clears only a part of the memory.
    used: usize,
    load_factor: f64,
    key: u128,
    base: Offset,
    keys: usize,
    keys_max: usize,
}

impl KeyMap {
    /// A map in at most `bytes`, filled up to `load_factor`; always room for one key.
    pub fn new(bytes: usize, load_factor: f64) -> KeyMap {
        // Beyond 2^32 slots the 32 bits could not name them all.
        let slots = (bytes / SLOT_BYTES).clamp(2, u32::MAX as usize);
        let load_factor = if load_factor > 0.0 { load_factor.min(1.0) } else { 1.0 };
        KeyMap {
            slots: vec![FREE; slots],
            used: 0,
            load_factor,
            key: 0,
            base: Offset::ZERO,
            keys: 0,
            keys_max: 1,
        }
    }

    /// Empties the map for offsets from `base` on, at most `records` of them, under a new random hash key.
    pub fn begin(&mut self, key: u128, base: Offset, records: u64) {
        if let Some(dirty) = self.slots.get_mut(..self.used) {
            dirty.fill(FREE);
        }
        let wanted = (records as f64 / self.load_factor).ceil() as usize;
        self.used = wanted.saturating_add(2).min(self.slots.len());
        // One slot stays free, or a search for a key that is not there would not end.
        let full = (self.used as f64 * self.load_factor) as usize;
        self.keys_max = full.clamp(1, self.used - 1);
        (self.key, self.base, self.keys) = (key, base, 0);
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys
    }

    /// Number of keys at which the map is full.
    pub fn keys_max(&self) -> usize {
        self.keys_max
    }

    /// Takes note that `key` stands at `at`, which is above all offsets noted before.
    #[inline]
    pub fn put(&mut self, key: &[u8], at: Offset) -> Put {
        let relative = at.0.checked_sub(self.base.0).and_then(|relative| u32::try_from(relative).ok());
        let Some(mark) = relative.and_then(|relative| relative.checked_add(1)) else { return Put::Full };
        let (hash, start) = self.place(key);
        let room = self.keys < self.keys_max;
        let Some(slot) = find(self.slots.get_mut(..self.used).unwrap_or_default(), hash, start) else {
            return Put::Full;
        };
        if *slot == FREE {
            if !room {
                return Put::Full;
            }
            self.keys += 1;
        }
        let [a, b, c] = hash;
        *slot = [a, b, c, mark];
        Put::Done
    }

    /// The newest offset of `key`, if it was noted.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<Offset> {
        let ([a, b, c], start) = self.place(key);
        let slots = self.slots.get(..self.used)?;
        let (before, from) = slots.split_at_checked(start)?;
        for slot in from.iter().chain(before) {
            let [d, e, f, mark] = *slot;
            if mark == 0 {
                return None;
            }
            if (a, b, c) == (d, e, f) {
                return Some(self.base.plus(i64::from(mark) - 1));
            }
        }
        None
    }

    #[inline]
    fn place(&self, key: &[u8]) -> ([u32; 3], usize) {
        let hash = SipHasher24::new_with_key(&self.key.to_le_bytes()).hash(key).as_u128();
        let words = [(hash >> 32) as u32, (hash >> 64) as u32, (hash >> 96) as u32];
        // As even as a remainder, without a division.
        let start = (u64::from(hash as u32) * self.used as u64) >> 32;
        (words, start as usize)
    }
}

/// The slot of a hash, or the free one where it belongs.
#[inline]
fn find(slots: &mut [Slot], hash: [u32; 3], start: usize) -> Option<&mut Slot> {
    let (before, from) = slots.split_at_mut_checked(start)?;
    from.iter_mut().chain(before).find(|slot| {
        let [a, b, c, mark] = **slot;
        mark == 0 || [a, b, c] == hash
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn map(keys: usize, records: u64) -> KeyMap {
        let mut map = KeyMap::new(keys * SLOT_BYTES, 1.0);
        map.begin(9, Offset(100), records);
        map
    }

    #[test]
    fn the_newest_offset_of_each_key_is_found() {
        let (mut map, mut model) = (map(1000, 5000), BTreeMap::new());
        for at in 0..5000i64 {
            let key = (at * 7919 % 900).to_be_bytes();
            assert_eq!(map.put(&key, Offset(100 + at)), Put::Done);
            model.insert(key, Offset(100 + at));
        }
        assert_eq!(map.len(), model.len());
        for (key, at) in model {
            assert_eq!(map.get(&key), Some(at));
        }
        assert_eq!(map.get(b"never"), None);
    }

    #[test]
    fn a_full_map_takes_known_keys_and_refuses_new_ones() {
        let mut map = map(11, 100);
        for at in 0..10i64 {
            assert_eq!(map.put(&at.to_be_bytes(), Offset(100 + at)), Put::Done);
        }
        assert_eq!(map.put(b"new", Offset(200)), Put::Full);
        assert_eq!(map.put(&3i64.to_be_bytes(), Offset(201)), Put::Done);
        assert_eq!(map.get(&3i64.to_be_bytes()), Some(Offset(201)));
        assert_eq!((map.get(b"new"), map.len(), map.keys_max()), (None, 10, 10));
    }

    #[test]
    fn the_smallest_map_has_room_for_one_key() {
        for (bytes, load) in [(0, 0.9), (1, 0.0), (31, f64::NAN), (SLOT_BYTES * 2, 0.1)] {
            let mut map = KeyMap::new(bytes, load);
            map.begin(1, Offset(0), u64::MAX);
            assert_eq!(map.put(b"a", Offset(0)), Put::Done, "{bytes} {load}");
            assert_eq!(map.put(b"b", Offset(1)), Put::Full, "{bytes} {load}");
        }
    }

    #[test]
    fn the_next_cleaning_finds_nothing_of_the_last() {
        let mut map = map(100, 50);
        map.put(b"a", Offset(100));
        map.begin(9, Offset(100), 3);
        assert_eq!((map.get(b"a"), map.len()), (None, 0));
        for at in 0..3i64 {
            assert_eq!(map.put(&at.to_be_bytes(), Offset(100 + at)), Put::Done);
        }
    }

    #[test]
    fn offsets_too_far_from_the_base_end_the_pass() {
        let mut map = map(10, 10);
        assert_eq!(map.put(b"far", Offset(100 + i64::from(u32::MAX) - 1)), Put::Done);
        assert_eq!(map.put(b"farther", Offset(100 + i64::from(u32::MAX))), Put::Full);
        assert_eq!(map.put(b"below", Offset(99)), Put::Full);
        assert_eq!(map.get(b"far"), Some(Offset(100 + i64::from(u32::MAX) - 1)));
    }
}
