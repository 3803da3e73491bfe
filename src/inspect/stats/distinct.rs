//! How many different keys went by, about, in 4 KiB: HyperLogLog (Flajolet et al., 2007) with 4096 registers, whose
//! standard error is 1.6 %. Two of them join into that of both. Must not know what a key is.

use serde::{Deserialize, Serialize};

/// Bits of the hash that choose a register.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;

/// The registers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Distinct(Vec<u8>);

impl Default for Distinct {
    fn default() -> Distinct {
        Distinct(vec![0; REGISTERS])
    }
}

impl Distinct {
    /// A key goes by.
    pub fn note(&mut self, key: &[u8]) {
        let hash = hash(key);
        let (register, rest) = ((hash >> (64 - BITS)) as usize, hash << BITS);
        let rank = (rest.leading_zeros() + 1).min(64 - BITS + 1) as u8;
        if let Some(held) = self.0.get_mut(register) {
            *held = (*held).max(rank);
        }
    }

    /// Takes in what another has seen.
    pub fn join(&mut self, other: &Distinct) {
        for (held, theirs) in self.0.iter_mut().zip(&other.0) {
            *held = (*held).max(*theirs);
        }
    }

    /// About how many different keys there were.
    pub fn estimate(&self) -> u64 {
        let registers = REGISTERS as f64;
        let sum: f64 = self.0.iter().map(|rank| 0.5_f64.powi(i32::from(*rank))).sum();
        let alpha = 0.7213 / (1.0 + 1.079 / registers);
        let raw = alpha * registers * registers / sum.max(f64::MIN_POSITIVE);
        let empty = self.0.iter().filter(|rank| **rank == 0).count();
        // Few keys leave registers empty, and their number says more.
        let few = raw <= 2.5 * registers && empty > 0;
        let estimate = if few { registers * (registers / empty as f64).ln() } else { raw };
        estimate.round() as u64
    }
}

/// FNV-1a, its bits mixed by the finalizer of SplitMix64, since the high ones choose the register.
fn hash(key: &[u8]) -> u64 {
    let fnv = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_different_keys_is_told_within_a_few_percent() {
        for count in [0_u64, 1, 100, 5_000, 200_000] {
            let mut seen = Distinct::default();
            for turn in 0..2 {
                for key in 0..count {
                    seen.note(format!("key-{key}").as_bytes());
                }
                let off = seen.estimate().abs_diff(count);
                assert!(off * 20 <= count, "{count} in turn {turn}: {}", seen.estimate());
            }
        }
    }

    #[test]
    fn joined_halves_know_what_the_whole_knows() {
        let (mut even, mut odd, mut whole) = (Distinct::default(), Distinct::default(), Distinct::default());
        for key in 0_u32..10_000 {
            whole.note(&key.to_be_bytes());
            if key.is_multiple_of(2) { &mut even } else { &mut odd }.note(&key.to_be_bytes());
        }
        even.join(&odd);
        assert_eq!(even, whole);
    }
}
