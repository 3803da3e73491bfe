//! A string of the protocol as a slice of the frame it came in: decoding a name copies nothing. It knows UTF-8
//! and nothing of messages.

use bytes::Bytes;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// UTF-8 text over shared bytes. A clone is a reference count; the text keeps its frame alive, so what outlives a
/// request takes a copy with [`Str::detached`].
#[derive(Clone, Default)]
pub struct Str {
    // Valid UTF-8 by construction; `Deref` looks again, because only `sys` may skip the look.
    bytes: Bytes,
}

impl Str {
    /// The empty text.
    pub const EMPTY: Str = Str { bytes: Bytes::new() };

    /// Text that lives as long as the program; nothing is allocated.
    pub const fn from_static(text: &'static str) -> Str {
        Str { bytes: Bytes::from_static(text.as_bytes()) }
    }

    /// The text of these bytes, or `None` if they are not UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Option<Str> {
        std::str::from_utf8(&bytes).is_ok().then_some(Str { bytes })
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// The bytes behind the text.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// A copy that no longer holds the frame it was cut from.
    pub fn detached(&self) -> Str {
        Str { bytes: Bytes::copy_from_slice(&self.bytes) }
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Str {
        Str { bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }
}

impl From<String> for Str {
    fn from(text: String) -> Str {
        Str { bytes: Bytes::from(text) }
    }
}

// Order and equality of UTF-8 text are those of its bytes.
impl PartialEq for Str {
    fn eq(&self, other: &Str) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.bytes == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.bytes == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Str) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `str` hashes, since maps are searched by `&str`.
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_map_keyed_by_str_is_searched_by_plain_text() {
        let map = HashMap::from([(Str::from("orders"), 1)]);
        assert_eq!(map.get("orders"), Some(&1));
        assert_eq!(map.get("order"), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_text() {
        assert_eq!(Str::from_utf8(Bytes::from_static(b"\xff")), None);
        assert_eq!(Str::from_utf8(Bytes::from_static("\u{e9}".as_bytes())).as_deref(), Some("\u{e9}"));
    }
}
