//! The Kafka protocol as bytes and typed messages, without I/O. Facts come from the message specs of Kafka 4.4.0
//! (`tools/wiregen` writes `messages/` and `records/` from them); what a message means is not known here.
//!
//! A message is a struct whose fields carry their versions; `#[derive(Message)]` makes the codec out of calls to
//! [`field::Field`], where the rules about versions live once.

pub mod api_key;
pub mod field;
pub mod frame;
pub mod kind;
pub mod messages;
pub mod metadata;
pub mod primitives;
pub mod reader;
pub mod records;
#[cfg(test)]
mod tests;
pub mod text;
pub mod value;
pub mod variable;
pub mod writer;

pub use api_key::{ApiKey, request_header_version, response_header_version};
pub use kind::Kind;
pub use logboom_derive::Message;
pub use messages::request_header::RequestHeader;
pub use messages::response_header::ResponseHeader;
pub use metadata::MetadataRecord;
pub use reader::{DecodeError, Place, Reader};
pub use text::Str;
pub use variable::Records;
pub use writer::{EncodeError, Encoded, Part, Writer};

use bytes::Bytes;
use std::ops::RangeInclusive;
use value::Form;

/// A whole message: something with versions of its own.
pub trait Message: std::fmt::Debug + Send + Sync {
    /// Reads a message of this version; what follows it stays in the reader.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes, and a version that is not known.
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError>
    where
        Self: Sized;

    /// Writes the message in this version.
    ///
    /// # Errors
    /// A value the version has no encoding for, and a version that is not known.
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError>;

    /// The message as Kafka's JSON converters write it for this version, with one difference: records are shown
    /// as base64, where Kafka writes an empty string.
    fn to_json(&self, version: i16) -> serde_json::Value;

    /// The message as Kafka's request log shows it: as [`Message::to_json`], with the size of records in their
    /// place (KIP-673).
    fn to_log_json(&self, version: i16) -> serde_json::Value;
}

/// A request, and through it its response.
pub trait Request: Message {
    /// The API.
    const KEY: ApiKey;
    /// Stable versions of request and response.
    const VERSIONS: RangeInclusive<i16>;
    /// First version with tag sections; `i16::MAX` if none has.
    const FLEXIBLE_FROM: i16;
    /// What answers it.
    type Response: Message + Default;
}

/// The message alone in one piece, all bytes used.
///
/// # Errors
/// As [`Message::decode`], and `TrailingBytes`.
pub fn from_bytes<M: Message>(bytes: Bytes, version: i16) -> Result<M, DecodeError> {
    let mut r = Reader::new(bytes);
    let message = M::decode(&mut r, version)?;
    r.end()?;
    Ok(message)
}

/// The message alone in one piece.
///
/// # Errors
/// As [`Message::encode`], and `Hole`.
pub fn to_bytes<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut w = Writer::new();
    message.encode(&mut w, version)?;
    w.finish().to_bytes()
}

/// Called by what the derive writes: the form of a whole message.
#[doc(hidden)]
pub fn form_of(version: i16, flexible_from: i16) -> Form {
    Form {
        version,
        flexible: version >= flexible_from,
        nullable: false,
        in_tags: false,
        records_as_sizes: false,
    }
}
