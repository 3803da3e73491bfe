//! The hash by which producers choose a partition for a key: murmur2 with Kafka's seed, so that our records land
//! where those of a Java producer do.

/// `Utils.murmur2` of Kafka.
pub(super) fn murmur2(data: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ (data.len() as u32);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = word.iter().rev().fold(0u32, |k, byte| (k << 8) | u32::from(*byte));
        k = k.wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u32, |k, byte| (k << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    (hash ^ (hash >> 15)).cast_signed()
}

/// The partition of a key among `count` (`BuiltInPartitioner.partitionForKey`); 0 if there is none to choose from.
pub(super) fn partition_of_key(key: &[u8], count: usize) -> usize {
    ((murmur2(key) & 0x7fff_ffff) as usize).checked_rem(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hash_as_those_of_a_java_producer() {
        // Values of `Utils.murmur2` in kafka-clients 4.4.0.
        let check = |text: &str, expect: i32| assert_eq!(murmur2(text.as_bytes()), expect, "{text}");
        check("", 275_646_681);
        check("21", -973_932_308);
        check("foobar", -790_332_482);
        check("a-little-bit-long-string", -985_981_536);
        check("a-little-bit-longer-string", -1_486_304_829);
        check("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971);
        check("abc", 479_470_107);
    }
}
