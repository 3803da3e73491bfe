//! Zig-zag variable-length integers of records: 7 bits a byte, low bits first, the top bit says that more follow.
//! Must not know what the numbers mean.

use bytes::{BufMut, BytesMut};

/// Why no number could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadVarint {
    /// The bytes end inside it.
    Cut,
    /// It does not end where the widest number does.
    Endless,
}

/// Reads an int32 of at most 5 bytes; bits beyond the 32nd are dropped, as Kafka does.
#[inline]
pub(super) fn read_i32(input: &mut &[u8]) -> Result<i32, BadVarint> {
    // Nearly all of them are one byte: small lengths and deltas.
    if let Some((&byte, rest)) = input.split_first()
        && byte < 0x80
    {
        *input = rest;
        return Ok(unzigzag32(u32::from(byte)));
    }
    read_unsigned(input, 5).map(|raw| unzigzag32(raw as u32))
}

/// Reads an int64 of at most 10 bytes.
#[inline]
pub(super) fn read_i64(input: &mut &[u8]) -> Result<i64, BadVarint> {
    read_unsigned(input, 10).map(|raw| (raw >> 1) as i64 ^ -((raw & 1) as i64))
}

fn unzigzag32(raw: u32) -> i32 {
    (raw >> 1) as i32 ^ -((raw & 1) as i32)
}

fn read_unsigned(input: &mut &[u8], bytes_max: u32) -> Result<u64, BadVarint> {
    let mut value = 0u64;
    for (index, &byte) in (0..bytes_max).zip(input.iter()) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            *input = input.get(index as usize + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    if input.len() < bytes_max as usize { Err(BadVarint::Cut) } else { Err(BadVarint::Endless) }
}

/// Appends an int32.
pub(super) fn put_i32(output: &mut BytesMut, value: i32) {
    put_unsigned(output, u64::from((value << 1 ^ value >> 31) as u32));
}

/// Appends an int64.
pub(super) fn put_i64(output: &mut BytesMut, value: i64) {
    put_unsigned(output, (value << 1 ^ value >> 63) as u64);
}

fn put_unsigned(output: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        output.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    output.put_u8(value as u8);
}

/// Bytes that [`put_i32`] takes.
pub(super) fn len_i32(value: i32) -> usize {
    len_unsigned(u64::from((value << 1 ^ value >> 31) as u32))
}

/// Bytes that [`put_i64`] takes.
pub(super) fn len_i64(value: i64) -> usize {
    len_unsigned((value << 1 ^ value >> 63) as u64)
}

fn len_unsigned(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_and_their_length_is_known() {
        for shift in 0..64 {
            for value in [1i64 << shift, (1i64 << shift).wrapping_sub(1), (1i64 << shift).wrapping_neg()] {
                let mut bytes = BytesMut::new();
                put_i64(&mut bytes, value);
                assert_eq!(bytes.len(), len_i64(value));
                assert_eq!(read_i64(&mut &bytes[..]), Ok(value));
                let mut bytes = BytesMut::new();
                put_i32(&mut bytes, value as i32);
                assert_eq!(bytes.len(), len_i32(value as i32));
                assert_eq!(read_i32(&mut &bytes[..]), Ok(value as i32));
            }
        }
    }

    #[test]
    fn a_number_that_is_cut_or_does_not_end_is_refused() {
        assert_eq!(read_i32(&mut &[0x80u8, 0x80][..]), Err(BadVarint::Cut));
        assert_eq!(read_i32(&mut &[0x80u8; 5][..]), Err(BadVarint::Endless));
        assert_eq!(read_i64(&mut &[0x80u8; 9][..]), Err(BadVarint::Cut));
        assert_eq!(read_i64(&mut &[0x80u8; 10][..]), Err(BadVarint::Endless));
    }
}
