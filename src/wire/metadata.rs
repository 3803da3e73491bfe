//! The frame around a metadata record in Kafka's `__cluster_metadata`: which record it is and in which version.
//! The same frame serves wherever we keep Kafka's metadata records.
//!
//! ```text
//! frame version  uvarint  1
//! record type    uvarint
//! version        uvarint
//! body           the message, to the end
//! ```

use super::{DecodeError, EncodeError, Message, Reader, Writer};
use bytes::Bytes;
use std::ops::RangeInclusive;

/// The only frame version there is.
const FRAME_VERSION: u32 = 1;

/// A record of Kafka's metadata.
pub trait MetadataRecord: Message {
    /// Its record type.
    const KEY: u32;
    /// Its versions.
    const VERSIONS: RangeInclusive<i16>;
}

/// The record in its frame.
///
/// # Errors
/// As [`Message::encode`].
pub fn encode<M: MetadataRecord>(record: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut w = Writer::new();
    w.uvarint(FRAME_VERSION);
    w.uvarint(M::KEY);
    w.uvarint(u32::from(version.cast_unsigned()));
    record.encode(&mut w, version)?;
    w.finish().to_bytes()
}

/// Record type and version at the start of a framed record; the body stays in the reader.
///
/// # Errors
/// `UnknownFrameVersion`, and whatever is wrong with the bytes.
pub fn decode_frame(r: &mut Reader) -> Result<(u32, i16), DecodeError> {
    let version = r.uvarint()?;
    if version != FRAME_VERSION {
        return Err(DecodeError::UnknownFrameVersion { version });
    }
    let key = r.uvarint()?;
    let place = r.place();
    let version = r.uvarint()?;
    match i16::try_from(version) {
        Ok(version) => Ok((key, version)),
        Err(_) => Err(DecodeError::BadLength { length: i64::from(version), place }),
    }
}

/// The record out of its frame, all bytes used.
///
/// # Errors
/// `UnknownRecordType` if it is another one, and as [`decode_frame`] and [`Message::decode`].
pub fn decode<M: MetadataRecord>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut r = Reader::new(bytes);
    let (key, version) = decode_frame(&mut r)?;
    if key != M::KEY {
        return Err(DecodeError::UnknownRecordType { key });
    }
    let record = M::decode(&mut r, version)?;
    r.end()?;
    Ok(record)
}
