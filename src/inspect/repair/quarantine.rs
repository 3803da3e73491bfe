//! `logboom.damage`: the offsets of a partition that are refused, so that all others are served. The layout is in
//! `storage-format.md`; this is the tools' own reader and writer of it.
//!
//! ```text
//! magic "LBDM" | int16 version 1 | int32 count | entries | crc32 of all before
//! entry: at 8 | until 8 | base 8 | from 8 | to 8 | found 8 | kind 2 | length 2 | why
//! ```

use bytes::{Buf, BufMut};

const MAGIC: &[u8; 4] = b"LBDM";
const VERSION: u16 = 1;
const ENTRY: usize = 52;
/// Longest sentence that is kept of a reason.
const WHY_MAX: usize = 200;

/// A range of offsets that is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// First offset refused, and first behind it that is served.
    pub offsets: (i64, i64),
    /// Segment.
    pub base: i64,
    /// First byte of its `.log` file, and first behind; equal if they are missing.
    pub bytes: (u64, u64),
    /// When it was found, in ms since 1970.
    pub found: i64,
    /// 0 wrong bytes, 1 cannot be read, 2 missing.
    pub kind: u16,
    /// What is wrong.
    pub why: String,
}

/// Reads the file; `None` if it is damaged or of a later version.
pub fn decode_refused(bytes: &[u8]) -> Option<Vec<Refused>> {
    let (all, crc) = bytes.split_last_chunk::<4>()?;
    let mut rest = all.strip_prefix(MAGIC)?;
    if crc32fast::hash(all) != u32::from_be_bytes(*crc) || rest.try_get_u16().ok()? != VERSION {
        return None;
    }
    let count = rest.try_get_u32().ok()?;
    let mut found = Vec::new();
    for _ in 0..count {
        let (mut entry, after) = rest.split_at_checked(ENTRY)?;
        let mut refused = Refused {
            offsets: (entry.get_i64(), entry.get_i64()),
            base: entry.get_i64(),
            bytes: (entry.get_u64(), entry.get_u64()),
            found: entry.get_i64(),
            kind: entry.get_u16(),
            why: String::new(),
        };
        let (why, after) = after.split_at_checked(usize::from(entry.get_u16()))?;
        refused.why = std::str::from_utf8(why).ok()?.to_owned();
        rest = after;
        found.push(refused);
    }
    rest.is_empty().then_some(found)
}

/// The file's bytes; `refused` ascends by segment and byte.
pub fn encode_refused(refused: &[Refused]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_slice(MAGIC);
    out.put_u16(VERSION);
    out.put_u32(u32::try_from(refused.len()).unwrap_or(u32::MAX));
    for one in refused {
        let why = shortened(&one.why);
        out.put_i64(one.offsets.0);
        out.put_i64(one.offsets.1);
        out.put_i64(one.base);
        out.put_u64(one.bytes.0);
        out.put_u64(one.bytes.1);
        out.put_i64(one.found);
        out.put_u16(one.kind);
        out.put_u16(u16::try_from(why.len()).unwrap_or(0));
        out.put_slice(why.as_bytes());
    }
    out.put_u32(crc32fast::hash(&out));
    out
}

fn shortened(why: &str) -> &str {
    let end = (0..=WHY_MAX.min(why.len())).rev().find(|end| why.is_char_boundary(*end));
    why.get(..end.unwrap_or(0)).unwrap_or_default()
}
