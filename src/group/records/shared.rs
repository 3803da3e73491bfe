//! Keys and values with the number in front of them. Must not know what the messages mean.

use crate::coordinator::BadRecord;
use crate::wire::{DecodeError, EncodeError, Message, Reader, Str, Writer, from_bytes};
use bytes::Bytes;
use std::sync::{Arc, LazyLock};

/// The only version of every key.
const KEY_VERSION: i16 = 0;

/// A key with its type in front.
pub(super) fn key_bytes<M: Message>(kind: i16, key: &M) -> Result<Bytes, BadRecord> {
    numbered(kind, key, KEY_VERSION)
}

/// A value with its version in front.
pub(super) fn value_bytes<M: Message>(value: &M, version: i16) -> Result<Bytes, BadRecord> {
    numbered(version, value, version)
}

fn numbered<M: Message>(number: i16, message: &M, version: i16) -> Result<Bytes, BadRecord> {
    let mut w = Writer::new();
    w.i16(number);
    message.encode(&mut w, version).map_err(cannot_write)?;
    w.finish().to_bytes().map_err(cannot_write)
}

/// The number in front, and the message behind it.
pub(super) fn split(bytes: Bytes) -> Result<(i16, Bytes), BadRecord> {
    let mut r = Reader::new(bytes);
    let number = r.i16().map_err(cannot_read)?;
    Ok((number, r.rest()))
}

/// The key behind its type.
pub(super) fn key<M: Message>(bytes: Bytes) -> Result<M, BadRecord> {
    from_bytes(bytes, KEY_VERSION).map_err(cannot_read)
}

/// A value, or none for a tombstone. Bytes behind the message are left alone, as Kafka leaves them.
pub(super) fn value<M: Message>(bytes: Option<Bytes>) -> Result<Option<M>, BadRecord> {
    let Some(bytes) = bytes else { return Ok(None) };
    let mut r = Reader::new(bytes);
    let version = r.i16().map_err(cannot_read)?;
    M::decode(&mut r, version).map(Some).map_err(cannot_read)
}

/// A name on its way to the log.
pub(super) fn text(name: &Arc<str>) -> Str {
    Str::from(name.as_ref())
}

/// A name out of the log. The empty one is common and shared.
pub(super) fn name(text: &Str) -> Arc<str> {
    static EMPTY: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));
    if text.as_bytes().is_empty() { Arc::clone(&EMPTY) } else { Arc::from(text.as_str()) }
}

/// Opaque bytes out of the log, without the batch they were read from.
pub(super) fn detached(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn cannot_write(error: EncodeError) -> BadRecord {
    BadRecord::new(format!("a group record that cannot be written: {error}"))
}

fn cannot_read(error: DecodeError) -> BadRecord {
    BadRecord::new(format!("a group record that cannot be read: {error}"))
}
