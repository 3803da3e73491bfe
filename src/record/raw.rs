//! One record as bytes: where its fields lie and whether they fill it. Must not know batches, rules or offsets.
//!
//! ```text
//! varint length of all that follows | int8 attributes, unused | varlong timestamp delta | varint offset delta
//! | varint key length, -1 null | key | varint value length, -1 null | value
//! | varint header count | per header: varint key length | key | varint value length, -1 null | value
//! ```

use super::bad::RecordFault;
use super::varint::{self, BadVarint};

/// A record's fields, borrowed from the bytes of its batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawRecord<'a> {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// The headers, walked once already: none is cut, none has a null key.
    headers: &'a [u8],
}

impl From<BadVarint> for RecordFault {
    fn from(bad: BadVarint) -> RecordFault {
        match bad {
            // Within a record the bytes end where its length says.
            BadVarint::Cut => RecordFault::Length,
            BadVarint::Endless => RecordFault::Varint,
        }
    }
}

impl<'a> RawRecord<'a> {
    /// Reads the fields of a record; `body` is exactly what its length counts.
    pub fn parse(body: &'a [u8]) -> Result<RawRecord<'a>, RecordFault> {
        // Attributes of a record are unused; Kafka takes any.
        let (_, mut rest) = body.split_first().ok_or(RecordFault::Length)?;
        let timestamp_delta = varint::read_i64(&mut rest)?;
        let offset_delta = varint::read_i32(&mut rest)?;
        let key = read_field(&mut rest)?;
        let value = read_field(&mut rest)?;
        let header_count = varint::read_i32(&mut rest)?;
        let headers = rest;
        match usize::try_from(header_count) {
            Ok(count) if count <= rest.len() => {
                for _ in 0..count {
                    read_header(&mut rest)?;
                }
            }
            _ => return Err(RecordFault::HeaderCount),
        }
        if !rest.is_empty() {
            return Err(RecordFault::Length);
        }
        Ok(RawRecord { timestamp_delta, offset_delta, key, value, headers })
    }

    /// Keys and values of the headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let mut rest = self.headers;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| read_header(&mut rest).ok()).flatten())
    }
}

fn read_header<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], Option<&'a [u8]>), RecordFault> {
    let key = read_field(rest)?.ok_or(RecordFault::HeaderKeyNull)?;
    Ok((key, read_field(rest)?))
}

/// Bytes behind their length. Any negative length means null, as in Kafka.
#[inline]
fn read_field<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, RecordFault> {
    let Ok(length) = usize::try_from(varint::read_i32(rest)?) else { return Ok(None) };
    let (field, after) = rest.split_at_checked(length).ok_or(RecordFault::Length)?;
    *rest = after;
    Ok(Some(field))
}

/// The record at the start of some bytes.
pub(super) enum Cut<'a> {
    /// All of it is there.
    Whole {
        /// What the record's length counts.
        body: &'a [u8],
        /// What follows the record.
        rest: &'a [u8],
    },
    /// The bytes end before the record does; its length, once known.
    Short(Option<usize>),
}

/// Cuts the first record off `input`.
#[inline]
pub(super) fn cut_record(input: &[u8]) -> Result<Cut<'_>, RecordFault> {
    let mut rest = input;
    let length = match varint::read_i32(&mut rest) {
        Ok(length) => usize::try_from(length).map_err(|_| RecordFault::Length)?,
        Err(BadVarint::Cut) => return Ok(Cut::Short(None)),
        Err(BadVarint::Endless) => return Err(RecordFault::Varint),
    };
    Ok(match rest.split_at_checked(length) {
        Some((body, rest)) => Cut::Whole { body, rest },
        None => Cut::Short(Some(length)),
    })
}
