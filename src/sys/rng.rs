//! Chance as a trait: ids are drawn here, from the machine or from a seed.

use parking_lot::Mutex;

/// A source of random bits.
pub trait Rng: Send + Sync + 'static {
    /// 64 random bits.
    fn next_u64(&self) -> u64;

    /// 128 random bits, enough for an id.
    fn next_u128(&self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }
}

/// The kernel's generator.
#[derive(Default)]
pub struct RealRng;

impl Rng for RealRng {
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        // Up to 256 bytes come whole and without error once the pool is ready, which this call waits for.
        while !matches!(rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()), Ok(8)) {}
        u64::from_ne_bytes(bytes)
    }
}

/// The same bits for the same seed, on every machine (splitmix64, Steele et al. 2014).
pub struct SeededRng {
    state: Mutex<u64>,
}

impl SeededRng {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> SeededRng {
        SeededRng { state: Mutex::new(seed) }
    }

    /// A number below `end`; 0 if `end` is 0. Slightly uneven for huge ranges, which tests do not mind.
    pub fn below(&self, end: u64) -> u64 {
        self.next_u64().checked_rem(end).unwrap_or(0)
    }
}

impl Rng for SeededRng {
    fn next_u64(&self) -> u64 {
        let mut state = self.state.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let draw = |seed| (0..4).map(|_| SeededRng::new(seed).next_u64()).collect::<Vec<_>>();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(RealRng.next_u128(), RealRng.next_u128());
    }
}
