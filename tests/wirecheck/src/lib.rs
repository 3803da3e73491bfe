//! Logboom's wire codec against others: golden bytes of Kafka's own classes (`golden_line`) and the crate
//! kafka-protocol as a second decoder. [`compare`] is what a fuzz target calls. This package is outside the
//! workspace, so that the broker's tests need neither Java nor that crate.

pub mod golden_line;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as other;
use kafka_protocol::protocol::{Decodable, Encodable};
use logboom::wire::kind::{self, Kind};
use logboom::wire::{Message, Reader, Writer, api_key::Api, messages::keys::APIS};

/// How a comparison ended when nothing was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// We refuse the bytes; the other decoder is not asked, since it takes memory for any count it is told.
    Refused,
    /// The other decoder does not know the message or the version.
    OnlyOurs,
    /// Both read the same.
    Same,
}

/// What the other decoder makes of bytes: what it writes again, and the bytes it leaves.
struct Second {
    again: Bytes,
    left: usize,
}

/// Takes message and version from the first two bytes and compares the decoders on the rest.
///
/// # Errors
/// The difference, as text: a bug in one of them.
pub fn compare(input: &[u8]) -> Result<Outcome, String> {
    let kinds: Vec<&Kind> = kind::all().collect();
    let [which, version, body @ ..] = input else { return Ok(Outcome::Refused) };
    let Some(kind) = kinds.get(usize::from(*which) % kinds.len()) else { return Ok(Outcome::Refused) };
    let range = kind.versions.1 - kind.versions.0 + 1;
    let version = kind.versions.0 + i16::from(*version) % range;
    compare_as(kind, version, &Bytes::copy_from_slice(body))
}

/// Compares the decoders on bytes of one message and version.
///
/// # Errors
/// The difference, as text: a bug in one of them.
pub fn compare_as(kind: &Kind, version: i16, bytes: &Bytes) -> Result<Outcome, String> {
    let fail = |what: String| format!("{} v{version} {bytes:02x?}: {what}", kind.name);
    let mut r = Reader::new(bytes.clone());
    let Ok(message) = (kind.decode)(&mut r, version) else { return Ok(Outcome::Refused) };
    let ours = encode(message.as_ref(), version).map_err(&fail)?;
    let mut again = Reader::new(ours.clone());
    let twin = (kind.decode)(&mut again, version).map_err(|error| fail(error.to_string()))?;
    if again.left() > 0 || encode(twin.as_ref(), version).map_err(&fail)? != ours {
        return Err(fail("what we write is not what we read".to_owned()));
    }
    if twin.to_json(version) != message.to_json(version) {
        return Err(fail("what we write shows differently".to_owned()));
    }
    let second = match second(kind.name, version, bytes.clone()) {
        None => return Ok(Outcome::OnlyOurs),
        Some(second) => second.map_err(|error| fail(format!("only the other one refuses: {error}")))?,
    };
    if second.left != r.left() {
        return Err(fail(format!("we leave {} bytes, the other one {}", r.left(), second.left)));
    }
    // The other decoder keeps tags nobody knows and writes them again; we drop them.
    if r.skipped_tags() == 0 && second.again != ours {
        return Err(fail(format!("we write {ours:02x?}, the other one {:02x?}", second.again)));
    }
    Ok(Outcome::Same)
}

fn encode(message: &dyn Message, version: i16) -> Result<Bytes, String> {
    let mut w = Writer::new();
    message.encode(&mut w, version).map_err(|error| error.to_string())?;
    w.finish().to_bytes().map_err(|error| format!("{error:#}"))
}

/// `None` if the other decoder knows no such message or version.
fn second(name: &str, version: i16, mut bytes: Bytes) -> Option<Result<Second, String>> {
    let mut again = BytesMut::new();
    let done = if name == "RequestHeader" {
        header::<other::RequestHeader>(&mut bytes, version, &mut again)
    } else if name == "ResponseHeader" {
        header::<other::ResponseHeader>(&mut bytes, version, &mut again)
    } else if let Some(api) = name.strip_suffix("Request").and_then(api) {
        let key = other::ApiKey::try_from(api.key.0).ok()?;
        other::RequestKind::decode(key, &mut bytes, version)
            .and_then(|message| message.encode(&mut again, version))
            .map_err(|error| format!("{error:#}"))
    } else {
        let api = name.strip_suffix("Response").and_then(api)?;
        let key = other::ApiKey::try_from(api.key.0).ok()?;
        other::ResponseKind::decode(key, &mut bytes, version)
            .and_then(|message| message.encode(&mut again, version))
            .map_err(|error| format!("{error:#}"))
    };
    match done {
        Err(error) if error.contains("version not supported") => None,
        Err(error) => Some(Err(error)),
        Ok(()) => Some(Ok(Second { again: again.freeze(), left: bytes.len() })),
    }
}

fn header<M: Decodable + Encodable>(
    bytes: &mut Bytes,
    version: i16,
    again: &mut BytesMut,
) -> Result<(), String> {
    M::decode(bytes, version)
        .and_then(|message| message.encode(again, version))
        .map_err(|error| format!("{error:#}"))
}

fn api(name: &str) -> Option<&'static Api> {
    APIS.iter().find(|api| api.name == name)
}
