//! The primitive types of the protocol, read and written: big-endian integers, varints, strings and byte strings
//! with plain and compact lengths. Records of machines use these directly; messages go through `value`.

use super::reader::{DecodeError, Reader};
use super::text::Str;
use super::writer::{EncodeError, Writer};
use crate::types::Uuid;
use bytes::Bytes;

/// The longest string the protocol can say, in bytes, with plain and with compact lengths.
pub const STRING_BYTES_MAX: usize = 0x7fff;

macro_rules! fixed {
    ($($name:ident $kind:ty, $what:literal;)*) => {
        impl Reader {$(
            #[doc = concat!("The next ", $what, ".\n\n# Errors\n`Short` past the end.")]
            #[inline]
            pub fn $name(&mut self) -> Result<$kind, DecodeError> {
                Ok(<$kind>::from_be_bytes(self.array()?))
            }
        )*}
        impl Writer {$(
            #[doc = concat!("Writes ", $what, ".")]
            #[inline]
            pub fn $name(&mut self, value: $kind) {
                self.put(&value.to_be_bytes());
            }
        )*}
    };
}

fixed! {
    i8 i8, "an `int8`";
    i16 i16, "a big-endian `int16`";
    i32 i32, "a big-endian `int32`";
    i64 i64, "a big-endian `int64`";
    u16 u16, "a big-endian `uint16`";
    u32 u32, "a big-endian `uint32`";
    f64 f64, "a big-endian `float64`";
}

/// The most elements an array may claim. Kafka 4.4.0 draws the line at the same number; a frame of 100 MiB could
/// otherwise claim tens of millions of elements, each many times larger in memory than on the wire.
pub const ARRAY_LEN_MAX: usize = 1_000_000;

/// The most tagged fields a struct may claim, as in Kafka 4.4.0.
pub const TAGS_MAX: u32 = 10_000;

/// Bytes of `value` as an unsigned varint.
pub fn uvarint_len(value: u32) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => 5,
    }
}

impl Reader {
    /// An unsigned varint: seven bits a byte, low bits first, at most five bytes (KIP-482).
    ///
    /// # Errors
    /// `OverlongVarint` if it does not fit 32 bits, `Short` past the end.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let place = self.place();
        let mut value = 0u32;
        for shift in [0u32, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            if shift == 28 && byte > 0x0f {
                break;
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::OverlongVarint { place })
    }

    /// A zig-zag varint of 32 bits.
    ///
    /// # Errors
    /// As [`Reader::uvarint`].
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        let raw = self.uvarint()?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// A zig-zag varint of 64 bits, at most ten bytes.
    ///
    /// # Errors
    /// `OverlongVarint` if it does not fit 64 bits, `Short` past the end.
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let place = self.place();
        let mut raw = 0u64;
        for shift in (0u32..70).step_by(7) {
            let [byte] = self.array()?;
            if shift == 63 && byte > 1 {
                break;
            }
            raw |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed());
            }
        }
        Err(DecodeError::OverlongVarint { place })
    }

    /// A length or count: an unsigned varint of one more if `compact`, else an `int32`; `None` is null.
    ///
    /// # Errors
    /// `BadLength` below -1 or beyond 2 GiB, and as [`Reader::uvarint`].
    #[inline]
    pub fn length(&mut self, compact: bool) -> Result<Option<usize>, DecodeError> {
        let place = self.place();
        let length = if compact { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i32()?) };
        Self::checked(length, i64::from(i32::MAX), place)
    }

    /// The length of a string: as [`Reader::length`], but an `int16` if not `compact`.
    ///
    /// # Errors
    /// `BadLength` below -1 or beyond [`STRING_BYTES_MAX`], and as [`Reader::uvarint`].
    #[inline]
    pub fn string_length(&mut self, compact: bool) -> Result<Option<usize>, DecodeError> {
        let place = self.place();
        let length = if compact { i64::from(self.uvarint()?) - 1 } else { i64::from(self.i16()?) };
        Self::checked(length, 0x7fff, place)
    }

    fn checked(length: i64, max: i64, place: super::Place) -> Result<Option<usize>, DecodeError> {
        match length {
            -1 => Ok(None),
            _ if length > max => Err(DecodeError::BadLength { length, place }),
            _ => match usize::try_from(length) {
                Ok(length) => Ok(Some(length)),
                Err(_) => Err(DecodeError::BadLength { length, place }),
            },
        }
    }

    /// A string or null, shared with the frame.
    ///
    /// # Errors
    /// `NotUtf8`, and as [`Reader::string_length`] and [`Reader::take`].
    pub fn nullable_string(&mut self, compact: bool) -> Result<Option<Str>, DecodeError> {
        let Some(length) = self.string_length(compact)? else { return Ok(None) };
        let place = self.place();
        let bytes = self.take(length)?;
        Str::from_utf8(bytes).map(Some).ok_or(DecodeError::NotUtf8 { place })
    }

    /// A string, shared with the frame.
    ///
    /// # Errors
    /// `Null`, and as [`Reader::nullable_string`].
    pub fn string(&mut self, compact: bool) -> Result<Str, DecodeError> {
        let place = self.place();
        self.nullable_string(compact)?.ok_or(DecodeError::Null { place })
    }

    /// A byte string or null, shared with the frame.
    ///
    /// # Errors
    /// As [`Reader::length`] and [`Reader::take`].
    pub fn nullable_bytes(&mut self, compact: bool) -> Result<Option<Bytes>, DecodeError> {
        match self.length(compact)? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// A byte string, shared with the frame.
    ///
    /// # Errors
    /// `Null`, and as [`Reader::nullable_bytes`].
    pub fn byte_string(&mut self, compact: bool) -> Result<Bytes, DecodeError> {
        let place = self.place();
        self.nullable_bytes(compact)?.ok_or(DecodeError::Null { place })
    }

    /// 128 bits.
    ///
    /// # Errors
    /// `Short` past the end.
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.array().map(Uuid)
    }

    /// The number of elements that follow, or `None` for null; each is taken to need `each` bytes at least.
    ///
    /// # Errors
    /// `CountBeyondBytes` if the bytes left cannot hold them, `TooMany` beyond [`ARRAY_LEN_MAX`], and as
    /// [`Reader::length`].
    pub fn count(&mut self, compact: bool, each: usize) -> Result<Option<usize>, DecodeError> {
        let place = self.place();
        let count = self.length(compact)?;
        let left = self.left();
        match count {
            Some(count) if count > left / each.max(1) => {
                Err(DecodeError::CountBeyondBytes { count, left, place })
            }
            Some(count) if count > ARRAY_LEN_MAX => {
                Err(DecodeError::TooMany { count, max: ARRAY_LEN_MAX, place })
            }
            _ => Ok(count),
        }
    }
}

impl Writer {
    /// An unsigned varint (KIP-482).
    #[inline]
    pub fn uvarint(&mut self, value: u32) {
        let mut left = value;
        while left >= 0x80 {
            self.put(&[(left & 0x7f) as u8 | 0x80]);
            left >>= 7;
        }
        self.put(&[left as u8]);
    }

    /// A zig-zag varint of 32 bits.
    pub fn varint(&mut self, value: i32) {
        self.uvarint(((value << 1) ^ (value >> 31)).cast_unsigned());
    }

    /// A zig-zag varint of 64 bits.
    pub fn varlong(&mut self, value: i64) {
        let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while left >= 0x80 {
            self.put(&[(left & 0x7f) as u8 | 0x80]);
            left >>= 7;
        }
        self.put(&[left as u8]);
    }

    /// A length or count, or null; see [`Reader::length`].
    ///
    /// # Errors
    /// `TooLong` beyond 2 GiB.
    #[inline]
    pub fn length(&mut self, length: Option<usize>, compact: bool) -> Result<(), EncodeError> {
        let signed = match length {
            Some(length) => i32::try_from(length).map_err(|_| EncodeError::TooLong { length })?,
            None => -1,
        };
        if compact {
            self.uvarint(signed.cast_unsigned().wrapping_add(1))
        } else {
            self.i32(signed)
        }
        Ok(())
    }

    /// A string or null; see [`Reader::nullable_string`].
    ///
    /// # Errors
    /// `TooLong` beyond [`STRING_BYTES_MAX`].
    pub fn nullable_string(&mut self, text: Option<&str>, compact: bool) -> Result<(), EncodeError> {
        let Some(text) = text else {
            if compact {
                self.uvarint(0)
            } else {
                self.i16(-1)
            }
            return Ok(());
        };
        let length = text.len();
        let short = i16::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
        if compact {
            self.uvarint(u32::from(short.cast_unsigned()) + 1)
        } else {
            self.i16(short)
        }
        self.put(text.as_bytes());
        Ok(())
    }

    /// A string.
    ///
    /// # Errors
    /// `TooLong` beyond [`STRING_BYTES_MAX`].
    pub fn string(&mut self, text: &str, compact: bool) -> Result<(), EncodeError> {
        self.nullable_string(Some(text), compact)
    }

    /// A byte string or null, copied in.
    ///
    /// # Errors
    /// `TooLong` beyond 2 GiB.
    pub fn nullable_bytes(&mut self, bytes: Option<&[u8]>, compact: bool) -> Result<(), EncodeError> {
        self.length(bytes.map(<[u8]>::len), compact)?;
        self.put(bytes.unwrap_or_default());
        Ok(())
    }

    /// A byte string, copied in.
    ///
    /// # Errors
    /// `TooLong` beyond 2 GiB.
    pub fn byte_string(&mut self, bytes: &[u8], compact: bool) -> Result<(), EncodeError> {
        self.nullable_bytes(Some(bytes), compact)
    }

    /// 128 bits.
    pub fn uuid(&mut self, id: Uuid) {
        self.put(&id.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Place;
    use proptest::prelude::*;

    fn read<T>(bytes: &[u8], with: impl Fn(&mut Reader) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        with(&mut Reader::new(Bytes::copy_from_slice(bytes)))
    }

    fn place(at: usize) -> Place {
        Place { field: "", at }
    }

    #[test]
    fn a_varint_that_does_not_end_or_does_not_fit_is_refused() {
        let overlong = Err(DecodeError::OverlongVarint { place: place(0) });
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f], Reader::uvarint), Ok(u32::MAX));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x10], Reader::uvarint), overlong);
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], Reader::uvarint), overlong);
        assert_eq!(read(&[0x80, 0x00], Reader::uvarint), Ok(0), "zeros in front are Kafka's to allow");
        let overlong = Err(DecodeError::OverlongVarint { place: place(0) });
        assert_eq!(read(&[[0xff; 9].as_slice(), &[1]].concat(), Reader::varlong), Ok(i64::MIN));
        assert_eq!(read(&[[0xff; 9].as_slice(), &[2]].concat(), Reader::varlong), overlong);
        assert_eq!(read(&[0x80; 20], Reader::varlong), overlong);
        assert!(matches!(read(&[0x80], Reader::uvarint), Err(DecodeError::Short { .. })));
    }

    #[test]
    fn a_length_below_null_is_refused_and_minus_one_is_null() {
        assert_eq!(read(&(-1i32).to_be_bytes(), |r| r.length(false)), Ok(None));
        let refused = DecodeError::BadLength { length: -2, place: place(0) };
        assert_eq!(read(&(-2i32).to_be_bytes(), |r| r.length(false)), Err(refused));
        assert_eq!(read(&(-2i16).to_be_bytes(), |r| r.nullable_string(false)), Err(refused));
        assert_eq!(read(&[0], |r| r.length(true)), Ok(None));
        let huge = DecodeError::BadLength { length: 0xffff_fffe, place: place(0) };
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f], |r| r.length(true)), Err(huge));
    }

    #[test]
    fn a_count_beyond_the_bytes_left_is_refused_before_memory_is_taken() {
        let claimed = i32::MAX.to_be_bytes();
        let refused = DecodeError::CountBeyondBytes { count: i32::MAX as usize, left: 0, place: place(0) };
        assert_eq!(read(&claimed, |r| r.count(false, 1)), Err(refused));
        let three = [4, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(read(&three, |r| r.count(true, 2)), Ok(Some(3)));
        let refused = DecodeError::CountBeyondBytes { count: 3, left: 8, place: place(0) };
        assert_eq!(read(&three, |r| r.count(true, 3)), Err(refused));
        assert_eq!(read(&three, |r| r.count(true, 0)), Ok(Some(3)));
    }

    #[test]
    fn no_more_elements_are_believed_than_kafka_believes() {
        let mut bytes = vec![0; ARRAY_LEN_MAX + 100];
        let count = ARRAY_LEN_MAX + 1;
        bytes[..4].copy_from_slice(&u32::try_from(count).unwrap().to_be_bytes());
        let refused = DecodeError::TooMany { count, max: ARRAY_LEN_MAX, place: place(0) };
        assert_eq!(read(&bytes, |r| r.count(false, 1)), Err(refused));
    }

    #[test]
    fn text_is_utf8_and_no_longer_than_the_protocol_can_say() {
        let refused = DecodeError::NotUtf8 { place: place(2) };
        assert_eq!(read(&[0, 2, b'a', 0xff], |r| r.string(false)), Err(refused));
        assert_eq!(read(&[0], |r| r.string(true)), Err(DecodeError::Null { place: place(0) }));
        let mut w = Writer::new();
        w.uvarint(0x8001);
        w.put(&[b'a'; 0x8000]);
        let long = w.finish().to_bytes().unwrap();
        let refused = DecodeError::BadLength { length: 0x8000, place: place(0) };
        assert_eq!(read(&long, |r| r.string(true)), Err(refused));
        let long = "a".repeat(0x8000);
        assert_eq!(Writer::new().string(&long, true), Err(EncodeError::TooLong { length: 0x8000 }));
    }

    proptest! {
        #[test]
        fn every_number_comes_back(small in any::<i32>(), large in any::<i64>(), unsigned in any::<u32>()) {
            let mut w = Writer::new();
            w.varint(small);
            w.varlong(large);
            let before = w.len();
            w.uvarint(unsigned);
            prop_assert_eq!(w.len() - before, uvarint_len(unsigned));
            let mut r = Reader::new(w.finish().to_bytes().unwrap());
            prop_assert_eq!(r.varint(), Ok(small));
            prop_assert_eq!(r.varlong(), Ok(large));
            prop_assert_eq!(r.uvarint(), Ok(unsigned));
            prop_assert_eq!(r.end(), Ok(()));
        }
    }
}
