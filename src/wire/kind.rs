//! A message by name, for whoever holds bytes whose type is known only at run time: dumps, logs, checks.

use super::field::Versions;
use super::{DecodeError, Message, Reader};

/// A kind of message and how to read one.
#[derive(Debug)]
pub struct Kind {
    /// Kafka's name of it, such as `ProduceRequest`.
    pub name: &'static str,
    /// Its stable versions.
    pub versions: Versions,
    /// Reads one of a version; see [`Message::decode`].
    pub decode: DecodeKind,
}

/// Reads a message of a version.
pub type DecodeKind = fn(&mut Reader, i16) -> Result<Box<dyn Message>, DecodeError>;

/// Reads an `M` for the table of kinds.
///
/// # Errors
/// As [`Message::decode`].
pub fn boxed<M: Message + 'static>(r: &mut Reader, version: i16) -> Result<Box<dyn Message>, DecodeError> {
    Ok(Box::new(M::decode(r, version)?))
}

/// The kind of this name among messages and records.
pub fn by_name(name: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.name == name)
}

/// Every kind: requests, responses, headers, records.
pub fn all() -> impl Iterator<Item = &'static Kind> {
    super::messages::KINDS.iter().chain(super::records::KINDS)
}
