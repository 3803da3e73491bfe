//! One line of golden bytes, written by Kafka's own classes (`tests/wirecheck/java/Golden.java`), and the check
//! of our codec against it. Shared by the integration tests of Logboom and by this package.

use bytes::Bytes;
use logboom::wire::kind::{Kind, by_name};
use logboom::wire::{Message, Reader, Writer};
use serde_json::Value as Json;

/// A line, its bytes out of hexadecimal.
pub struct Line {
    /// Kafka's name of the message.
    pub message: String,
    /// Version the bytes are in.
    pub version: i16,
    /// The message as Kafka writes it.
    pub bytes: Bytes,
    /// The same with tagged fields nobody knows in each of its structs.
    pub tagged: Option<Bytes>,
    /// The same in the frame of a metadata record.
    pub framed: Option<Bytes>,
    /// The message as Kafka's request log shows it.
    pub json: Json,
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, as text.
pub fn parse(text: &str) -> Result<Line, String> {
    let line: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let bytes = |name: &str| line.get(name).and_then(Json::as_str).map(unhex).transpose();
    let version = line.get("version").and_then(Json::as_i64).ok_or("a line has a version")?;
    Ok(Line {
        message: line.get("message").and_then(Json::as_str).ok_or("a line has a message")?.to_owned(),
        version: i16::try_from(version).map_err(|error| error.to_string())?,
        bytes: bytes("hex")?.ok_or("a line has bytes")?,
        tagged: bytes("tagged")?,
        framed: bytes("framed")?,
        json: line.get("json").cloned().ok_or("a line has its JSON")?,
    })
}

/// Bytes out of hexadecimal.
///
/// # Errors
/// If it is not that.
pub fn unhex(text: &str) -> Result<Bytes, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or("not a hexadecimal digit");
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return Err("half a byte".to_owned()) };
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).map_err(|error| error.to_string())?);
    }
    Ok(Bytes::from(bytes))
}

impl Line {
    /// The kind of message on the line.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn kind(&self) -> Result<&'static Kind, String> {
        by_name(&self.message).ok_or_else(|| format!("no message {}", self.message))
    }

    /// Decodes, compares the JSON, encodes again and compares the bytes, with and without unknown tags.
    ///
    /// # Errors
    /// The first difference, as text.
    pub fn check(&self) -> Result<(), String> {
        self.check_of(&self.bytes, false)?;
        self.tagged.as_ref().map_or(Ok(()), |tagged| self.check_of(tagged, true))
    }

    fn check_of(&self, bytes: &Bytes, tags: bool) -> Result<(), String> {
        let fail = |what: String| format!("{} v{}: {what}", self.message, self.version);
        let mut r = Reader::new(bytes.clone());
        let message: Box<dyn Message> =
            (self.kind()?.decode)(&mut r, self.version).map_err(|error| fail(error.to_string()))?;
        r.end().map_err(|error| fail(error.to_string()))?;
        if tags != (r.skipped_tags() > 0) {
            return Err(fail(format!("{} unknown tags", r.skipped_tags())));
        }
        let mut w = Writer::new();
        message.encode(&mut w, self.version).map_err(|error| fail(error.to_string()))?;
        let again = w.finish().to_bytes().map_err(|error| fail(error.to_string()))?;
        if again != self.bytes {
            return Err(fail(format!("encodes as {again:02x?} and not as {:02x?}", self.bytes)));
        }
        let json = message.to_log_json(self.version);
        if json != self.json {
            return Err(fail(format!("shows as {json} and not as {}", self.json)));
        }
        Ok(())
    }
}
