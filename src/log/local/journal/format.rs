//! The bytes of a journal file (`logboom.journal.N`). Ours alone. Must not know who writes or reads them, or when.
//!
//! ```text
//! at size field            all integers big-endian
//!  0   4  magic "LBJN"
//!  4   2  version = 1
//!  6   2  reserved = 0
//!  8   8  generation       files are read in its order
//! 16   8  nonce            drawn anew with each generation; every round of it carries the nonce
//! 24   4  crc              crc32 (ISO-HDLC) of all before
//! 4096 .  rounds           each begins at a multiple of 4096, so that no block with an earlier one is written again
//!
//! round
//!  0   4  magic "LBJR"
//!  4   8  nonce
//! 12   4  number           0 for the first of the file
//! 16   4  length           of the entries, in bytes
//! 20   4  crc              crc32 of the 20 bytes before and of the entries
//! 24   .  entries
//!
//! entry
//!  0  16  topic id
//! 16   4  partition
//! 20   8  first            offset of its first record
//! 28   8  next             offset behind its last record
//! 36   4  length
//! 40   .  whole batches, as in the `.log` file
//! ```

use crate::log::local::marks::MarkKey;
use crate::types::{Offset, Uuid};
use bytes::{Buf, BufMut};

/// Where the first round begins, and what all rounds are aligned to.
pub const BLOCK: u64 = 4096;

/// Bytes of a round before its entries.
pub const ROUND_HEAD: usize = 24;

/// Bytes of an entry before its batches.
pub const ENTRY_HEAD: usize = 40;

const MAGIC: &[u8; 4] = b"LBJN";
const ROUND_MAGIC: &[u8; 4] = b"LBJR";
const VERSION: u16 = 1;
const HEAD: usize = 28;

/// What the head of a file says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Files are read in its order.
    pub generation: u64,
    /// Tells the rounds of this generation from those of earlier ones, and from bytes of a client that look like one.
    pub nonce: u64,
}

impl Head {
    /// The first bytes of the file.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD);
        out.put_slice(MAGIC);
        out.put_u16(VERSION);
        out.put_u16(0);
        out.put_u64(self.generation);
        out.put_u64(self.nonce);
        out.put_u32(crc32fast::hash(&out));
        out
    }

    /// Reads the first bytes of a file; `None` if they are damaged or of a later version.
    pub fn decode(bytes: &[u8]) -> Option<Head> {
        let (body, mut crc) = bytes.get(..HEAD)?.split_at_checked(HEAD - 4)?;
        let mut rest = body.strip_prefix(MAGIC)?;
        let (version, _) = (rest.get_u16(), rest.get_u16());
        (version == VERSION && crc32fast::hash(body) == crc.get_u32())
            .then(|| Head { generation: rest.get_u64(), nonce: rest.get_u64() })
    }
}

/// What one entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryHead {
    /// The partition.
    pub key: MarkKey,
    /// Offset of its first record.
    pub first: Offset,
    /// Offset behind its last record.
    pub next: Offset,
    /// Bytes of its batches.
    pub len: u32,
}

impl EntryHead {
    /// Appends it to the entries of a round; the batches follow.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.put_slice(&self.key.0.0);
        out.put_i32(self.key.1);
        out.put_i64(self.first.0);
        out.put_i64(self.next.0);
        out.put_u32(self.len);
    }

    /// Takes it off the front of `rest`; `None` if there are not so many bytes.
    fn take(rest: &mut &[u8]) -> Option<EntryHead> {
        if rest.len() < ENTRY_HEAD {
            return None;
        }
        let mut id = [0; 16];
        rest.copy_to_slice(&mut id);
        let key = (Uuid(id), rest.get_i32());
        Some(EntryHead {
            key,
            first: Offset(rest.get_i64()),
            next: Offset(rest.get_i64()),
            len: rest.get_u32(),
        })
    }
}

/// Puts the head of a round before its entries, for which `round` has kept the first `ROUND_HEAD` bytes, and fills it
/// up to a whole number of blocks.
pub fn close_round(round: &mut Vec<u8>, nonce: u64, number: u32) {
    let length = u32::try_from(round.len().saturating_sub(ROUND_HEAD)).unwrap_or(u32::MAX);
    let mut head = Vec::with_capacity(ROUND_HEAD);
    head.put_slice(ROUND_MAGIC);
    head.put_u64(nonce);
    head.put_u32(number);
    head.put_u32(length);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head);
    crc.update(round.get(ROUND_HEAD..).unwrap_or_default());
    head.put_u32(crc.finalize());
    if let Some(room) = round.get_mut(..ROUND_HEAD) {
        room.copy_from_slice(&head);
    }
    round.resize(round.len().next_multiple_of(BLOCK as usize), 0);
}

/// Bytes that a round with so many bytes of entries takes.
pub fn round_size(length: u64) -> u64 {
    (ROUND_HEAD as u64 + length).next_multiple_of(BLOCK)
}

/// The number of the round of this nonce that seems to begin here.
pub fn round_number(bytes: &[u8], nonce: u64) -> Option<u32> {
    let mut rest = bytes.get(..ROUND_HEAD)?.strip_prefix(ROUND_MAGIC)?;
    (rest.get_u64() == nonce).then(|| rest.get_u32())
}

/// The length of the entries as the head of a round tells it; `None` if no round of this nonce and number begins here.
pub fn round_length(bytes: &[u8], nonce: u64, number: u32) -> Option<u32> {
    let mut rest = bytes.get(..ROUND_HEAD)?.strip_prefix(ROUND_MAGIC)?;
    let (theirs, nth) = (rest.get_u64(), rest.get_u32());
    (theirs == nonce && nth == number).then(|| rest.get_u32())
}

/// The entries of a round whose head was looked at and whose bytes are all here: heads, and where the batches of each
/// begin in `bytes`. `None` if the round is torn or damaged.
pub fn entries(bytes: &[u8]) -> Option<Vec<(EntryHead, usize)>> {
    let (head, body) = bytes.split_at_checked(ROUND_HEAD)?;
    let (before, mut stored) = head.split_at_checked(ROUND_HEAD - 4)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(before);
    crc.update(body);
    if crc.finalize() != stored.get_u32() {
        return None;
    }
    let (mut rest, mut found) = (body, Vec::new());
    while !rest.is_empty() {
        let head = EntryHead::take(&mut rest)?;
        found.push((head, bytes.len() - rest.len()));
        rest = rest.get(usize::try_from(head.len).ok()?..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> (Vec<u8>, Vec<EntryHead>) {
        let mut bytes = vec![0; ROUND_HEAD];
        let heads = [(1, 3), (2, 0), (1, 5)].map(|(id, len)| EntryHead {
            key: (Uuid::from_random(id), 7),
            first: Offset(10),
            next: Offset(12),
            len,
        });
        for head in heads {
            head.put(&mut bytes);
            bytes.extend(vec![b'x'; head.len as usize]);
        }
        (bytes, heads.to_vec())
    }

    #[test]
    fn a_head_reads_back_and_no_flipped_bit_or_cut_passes() {
        let head = Head { generation: 7, nonce: 0xfeed_beef };
        let good = head.encode();
        assert_eq!((good.len(), Head::decode(&good)), (HEAD, Some(head)));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::decode(&bad), None, "bit {bit}");
        }
        assert!((0..good.len()).all(|end| Head::decode(&good[..end]).is_none()));
    }

    #[test]
    fn a_round_reads_back_and_no_flipped_bit_passes() {
        let (mut bytes, heads) = round();
        let used = bytes.len();
        close_round(&mut bytes, 99, 4);
        assert_eq!(bytes.len() as u64, round_size((used - ROUND_HEAD) as u64));
        assert_eq!(round_length(&bytes, 99, 4), Some((used - ROUND_HEAD) as u32));
        assert_eq!((round_length(&bytes, 98, 4), round_length(&bytes, 99, 5)), (None, None));
        let found = entries(&bytes[..used]).unwrap();
        assert_eq!(found.iter().map(|(head, _)| *head).collect::<Vec<_>>(), heads);
        assert_eq!(&bytes[found[2].1..found[2].1 + 5], b"xxxxx");
        for bit in 0..used * 8 {
            let mut bad = bytes[..used].to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(entries(&bad), None, "bit {bit}");
        }
        assert!((0..used).all(|end| entries(&bytes[..end]).is_none()));
    }
}
