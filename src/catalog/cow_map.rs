//! An ordered map whose copy is cheap, so that readers keep a whole image while the next one is made. Must not know
//! what it maps.

use std::sync::Arc;

/// Entries of a chunk at most. A change after a copy costs one chunk and one pointer per chunk: for 10,000 topics
/// about 200 pointers and 64 entries.
const CHUNK_MAX: usize = 128;

/// Some consecutive pairs, never none.
type Chunk<K, V> = Arc<Vec<(K, V)>>;

/// Sorted pairs in chunks that copies share. A copy costs one pointer; a look-up two binary searches; a change
/// copies what is shared with others of the chunk and of the list of chunks.
#[derive(Debug)]
pub struct CowMap<K, V> {
    chunks: Arc<Vec<Chunk<K, V>>>,
    len: usize,
}

impl<K, V> Clone for CowMap<K, V> {
    fn clone(&self) -> CowMap<K, V> {
        CowMap { chunks: Arc::clone(&self.chunks), len: self.len }
    }
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> CowMap<K, V> {
        CowMap { chunks: Arc::default(), len: 0 }
    }
}

/// Equal if the pairs are, however they are cut into chunks.
impl<K: PartialEq, V: PartialEq> PartialEq for CowMap<K, V> {
    fn eq(&self, other: &CowMap<K, V>) -> bool {
        self.len == other.len && self.pairs().eq(other.pairs())
    }
}

impl<K, V> CowMap<K, V> {
    /// True only if nothing was changed between the two; may be false although they are equal.
    pub fn is_same(&self, other: &CowMap<K, V>) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks)
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All pairs in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.pairs().map(|(key, value)| (key, value))
    }

    fn pairs(&self) -> impl Iterator<Item = &(K, V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

impl<K: Ord + Clone, V: Clone> CowMap<K, V> {
    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let at = chunk.binary_search_by(|(have, _)| have.borrow().cmp(key)).ok()?;
        chunk.get(at).map(|(_, value)| value)
    }

    /// The pairs above `key` in the order of their keys; all of them for `None`.
    pub fn iter_after<Q: Ord + ?Sized>(&self, key: Option<&Q>) -> impl Iterator<Item = (&K, &V)>
    where
        K: std::borrow::Borrow<Q>,
    {
        let first = key.map_or(0, |key| self.chunk_of(key));
        let chunks = self.chunks.get(first..).unwrap_or_default();
        let pairs = chunks.iter().flat_map(|chunk| chunk.iter());
        // Only pairs of the first chunk are passed over.
        let above = pairs.skip_while(move |(have, _)| key.is_some_and(|key| have.borrow() <= key));
        above.map(|(key, value)| (key, value))
    }

    /// Whether there is a value of `key`.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: std::borrow::Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The value of `key`, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let chunk_at = self.chunk_of(key);
        let at = self.chunks.get(chunk_at)?.binary_search_by(|(have, _)| have.borrow().cmp(key)).ok()?;
        let chunk = Arc::make_mut(Arc::make_mut(&mut self.chunks).get_mut(chunk_at)?);
        chunk.get_mut(at).map(|(_, value)| value)
    }

    /// Puts a value in place of what `key` had, which is returned.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let chunk_at = self.chunk_of(&key);
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(shared) = chunks.get_mut(chunk_at) else {
            chunks.push(Arc::new(vec![(key, value)]));
            self.len += 1;
            return None;
        };
        let chunk = Arc::make_mut(shared);
        match chunk.binary_search_by(|(have, _)| have.cmp(&key)) {
            Ok(at) => chunk.get_mut(at).map(|pair| std::mem::replace(&mut pair.1, value)),
            Err(at) => {
                chunk.insert(at, (key, value));
                self.len += 1;
                if chunk.len() > CHUNK_MAX {
                    // Keys that only grow leave full chunks behind.
                    let keep = if at + 1 == chunk.len() { CHUNK_MAX } else { CHUNK_MAX / 2 };
                    let upper = Arc::new(chunk.split_off(keep));
                    chunks.insert(chunk_at + 1, upper);
                }
                None
            }
        }
    }

    /// Takes out what `key` had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let chunk_at = self.chunk_of(key);
        let at = self.chunks.get(chunk_at)?.binary_search_by(|(have, _)| have.borrow().cmp(key)).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(chunks.get_mut(chunk_at)?);
        let (_, value) = chunk.remove(at);
        self.len -= 1;
        if chunk.is_empty() {
            chunks.remove(chunk_at);
        }
        Some(value)
    }

    /// Position of the chunk that has `key` if any has: the last that starts at or below it, or the first.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: std::borrow::Borrow<Q>,
    {
        let starts_at_or_below =
            |chunk: &Chunk<K, V>| chunk.first().is_some_and(|(first, _)| first.borrow() <= key);
        self.chunks.partition_point(starts_at_or_below).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_an_ordered_map_and_copies_do_not_change(
            steps in prop::collection::vec((any::<bool>(), 0u16..600, any::<u8>()), 0..1500),
        ) {
            let (mut map, mut model) = (CowMap::default(), BTreeMap::new());
            let mut copies = Vec::new();
            for (count, (put, key, value)) in steps.into_iter().enumerate() {
                if put || count % 3 == 0 {
                    prop_assert_eq!(map.insert(key, value), model.insert(key, value));
                } else {
                    prop_assert_eq!(map.remove(&key), model.remove(&key));
                }
                prop_assert_eq!(map.get(&key), model.get(&key));
                prop_assert_eq!(map.len(), model.len());
                prop_assert!(map.iter_after(Some(&key)).eq(model.range(key + 1..)));
                if count % 100 == 0 {
                    copies.push((map.clone(), model.clone()));
                }
            }
            copies.push((map, model));
            for (map, model) in copies {
                prop_assert!(map.iter().eq(model.iter()));
                prop_assert!(map.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK_MAX));
            }
        }
    }

    #[test]
    fn growing_keys_fill_their_chunks() {
        let mut map = CowMap::default();
        (0..10_000).for_each(|key| {
            map.insert(key, ());
        });
        assert_eq!(map.chunks.len(), 10_000usize.div_ceil(CHUNK_MAX));
        assert_eq!(map.get_mut(&9_999), Some(&mut ()));
    }
}
