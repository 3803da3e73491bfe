//! The cursor every decoder reads through. It owns the bounds: nothing is read past the end, and no count is
//! believed that the bytes left could not hold. It knows nothing of messages and versions.

use bytes::Bytes;
use std::fmt;

/// A position in shared bytes. What it hands out are slices of them, never copies.
#[derive(Debug, Clone)]
pub struct Reader {
    bytes: Bytes,
    at: usize,
    field: &'static str,
    skipped_tags: usize,
}

/// Where in a message decoding stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The field being read, in Kafka's spelling; empty before the first.
    pub field: &'static str,
    /// Bytes read before it.
    pub at: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}", self.at)?;
        if self.field.is_empty() { Ok(()) } else { write!(f, ", field {}", self.field) }
    }
}

/// Why bytes are not the message they were taken for. Each says what was wrong and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum DecodeError {
    #[error("{need} bytes needed and {left} left {place}")]
    Short { need: usize, left: usize, place: Place },
    #[error("{count} elements cannot fit in the {left} bytes left {place}")]
    CountBeyondBytes { count: usize, left: usize, place: Place },
    #[error("{count} where {max} are the most {place}")]
    TooMany { count: usize, max: usize, place: Place },
    #[error("a length of {length} {place}")]
    BadLength { length: i64, place: Place },
    #[error("null where no null is allowed {place}")]
    Null { place: Place },
    #[error("{marker} where 1 is a value and -1 is null, or 0 among tags {place}")]
    BadMarker { marker: i8, place: Place },
    #[error("text that is not utf-8 {place}")]
    NotUtf8 { place: Place },
    #[error("a variable-length integer that does not end {place}")]
    OverlongVarint { place: Place },
    #[error("a tagged field of {size} bytes of which {used} were used {place}")]
    TagSize { size: usize, used: usize, place: Place },
    #[error("tag {tag} in version {version}, which has no such tag {place}")]
    TagNotInVersion { tag: u32, version: i16, place: Place },
    #[error("{left} bytes after the end of the message {place}")]
    TrailingBytes { left: usize, place: Place },
    #[error("version {version} of {message} is not known")]
    UnknownVersion { message: &'static str, version: i16 },
    #[error("api key {key} is not known")]
    UnknownApiKey { key: i16 },
    #[error("record type {key} is not the one expected")]
    UnknownRecordType { key: u32 },
    #[error("frame version {version} of a metadata record is not known")]
    UnknownFrameVersion { version: u32 },
}

impl Reader {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: Bytes) -> Reader {
        Reader { bytes, at: 0, field: "", skipped_tags: 0 }
    }

    /// Bytes not read yet.
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Tagged fields passed over so far because no version we know has them.
    pub fn skipped_tags(&self) -> usize {
        self.skipped_tags
    }

    /// Names the field that is read next, for errors.
    pub fn enter(&mut self, field: &'static str) {
        self.field = field;
    }

    /// The position as errors report it.
    pub fn place(&self) -> Place {
        Place { field: self.field, at: self.at }
    }

    /// The next `count` bytes, shared with the frame.
    ///
    /// # Errors
    /// `Short` if fewer are left.
    pub fn take(&mut self, count: usize) -> Result<Bytes, DecodeError> {
        if count > self.left() {
            return Err(self.short(count));
        }
        let end = self.at.saturating_add(count);
        let taken = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    /// The next `N` bytes by value.
    ///
    /// # Errors
    /// `Short` if fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(chunk) => {
                self.at = self.at.saturating_add(N);
                Ok(*chunk)
            }
            None => Err(self.short(N)),
        }
    }

    /// Passes over `count` bytes of a tagged field nobody here knows.
    ///
    /// # Errors
    /// `Short` if fewer are left.
    pub fn skip_tag(&mut self, count: usize) -> Result<(), DecodeError> {
        if count > self.left() {
            return Err(self.short(count));
        }
        self.at = self.at.saturating_add(count);
        self.skipped_tags = self.skipped_tags.saturating_add(1);
        Ok(())
    }

    /// Everything not read yet, shared with the frame.
    pub fn rest(&mut self) -> Bytes {
        let rest = self.bytes.slice(self.at.min(self.bytes.len())..);
        self.at = self.bytes.len();
        rest
    }

    /// Agrees that the message ends here.
    ///
    /// # Errors
    /// `TrailingBytes` if bytes are left.
    pub fn end(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes { left, place: self.place() }),
        }
    }

    fn short(&self, need: usize) -> DecodeError {
        DecodeError::Short { need, left: self.left(), place: self.place() }
    }
}
