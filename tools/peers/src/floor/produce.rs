//! Produce version 9 at the floor, parsed and answered by hand: no list, no name, no message is built.

use super::commit::Commit;
use super::store::{Store, Topic};
use anyhow::{Context, Result, bail, ensure};

/// The version that is spoken.
const VERSION: i16 = 9;
/// Where the CRC of a batch stands, and what it covers.
const CRC_AT: usize = 17;
const BODY_AT: usize = 21;
const LAST_DELTA_AT: usize = 23;
const HEADER: usize = 61;

/// What a connection remembers: the topic of the last request.
#[derive(Default)]
pub struct Session {
    name: Vec<u8>,
    topic: Option<Topic>,
}

/// Takes the batches of one request; the reply is put behind the others.
pub fn answer(
    frame: &mut [u8],
    session: &mut Session,
    store: &Store,
    commit: &Commit,
    replies: &mut Vec<u8>,
) -> Result<()> {
    let mut at = Cursor { at: 2 };
    ensure!(at.i16(frame)? == VERSION, "only Produce {VERSION} is spoken");
    let correlation = at.take::<4>(frame)?;
    let client = at.i16(frame)?;
    at.skip(usize::try_from(client).unwrap_or(0));
    ensure!(at.uvarint(frame)? == 0 && at.uvarint(frame)? == 0, "tags or a transaction");
    at.skip(2 + 4);

    let begun = replies.len();
    replies.extend([0; 4]);
    replies.extend(correlation);
    replies.push(0);
    let topics = at.uvarint(frame)?;
    put_uvarint(replies, topics);
    for _ in 1..topics {
        let len = at.uvarint(frame)?.saturating_sub(1);
        let name = at.bytes(frame, len)?;
        session.find(&frame[name.clone()], store)?;
        put_uvarint(replies, len + 1);
        replies.extend(&frame[name]);
        let partitions = at.uvarint(frame)?;
        put_uvarint(replies, partitions);
        for _ in 1..partitions {
            let index = at.take::<4>(frame)?;
            let len = at.uvarint(frame)?.saturating_sub(1);
            let batch = at.bytes(frame, len)?;
            let base = append(&mut frame[batch], i32::from_be_bytes(index), session, commit)?;
            replies.extend(index);
            replies.extend([0; 2]);
            replies.extend(base.to_be_bytes());
            replies.extend((-1i64).to_be_bytes());
            replies.extend(0i64.to_be_bytes());
            // No record errors, no message, no tags.
            replies.extend([1, 0, 0]);
            ensure!(at.uvarint(frame)? == 0, "tags");
        }
        replies.push(0);
        ensure!(at.uvarint(frame)? == 0, "tags");
    }
    // Not throttled, no tags.
    replies.extend([0; 5]);
    let size = (replies.len() - begun - 4) as u32;
    replies[begun..begun + 4].copy_from_slice(&size.to_be_bytes());
    Ok(())
}

fn append(batch: &mut [u8], index: i32, session: &Session, commit: &Commit) -> Result<i64> {
    let topic = session.topic.as_ref().context("no topic")?;
    let partition =
        usize::try_from(index).ok().and_then(|index| topic.get(index)).context("no such partition")?;
    ensure!(batch.len() >= HEADER, "a batch without a header");
    let crc = u32::from_be_bytes(batch[CRC_AT..BODY_AT].try_into()?);
    if crc32c::crc32c(&batch[BODY_AT..]) != crc {
        bail!("a batch with a wrong CRC");
    }
    let count = i32::from_be_bytes(batch[LAST_DELTA_AT..LAST_DELTA_AT + 4].try_into()?) + 1;
    let base = partition.append(batch, count)?;
    commit.wrote(partition)?;
    Ok(base)
}

impl Session {
    fn find(&mut self, name: &[u8], store: &Store) -> Result<()> {
        if self.topic.is_none() || self.name != name {
            self.topic = Some(store.topic(std::str::from_utf8(name)?).context("no such topic")?);
            self.name = name.to_vec();
        }
        Ok(())
    }
}

/// A place in a frame. The frame is not borrowed, because its batches are written to.
struct Cursor {
    at: usize,
}

impl Cursor {
    fn skip(&mut self, len: usize) {
        self.at += len;
    }

    fn bytes(&mut self, frame: &[u8], len: usize) -> Result<std::ops::Range<usize>> {
        let range = self.at..self.at.saturating_add(len);
        ensure!(range.end <= frame.len(), "a frame that is cut");
        self.at = range.end;
        Ok(range)
    }

    fn take<const N: usize>(&mut self, frame: &[u8]) -> Result<[u8; N]> {
        let range = self.bytes(frame, N)?;
        Ok(frame[range].try_into()?)
    }

    fn i16(&mut self, frame: &[u8]) -> Result<i16> {
        Ok(i16::from_be_bytes(self.take(frame)?))
    }

    fn uvarint(&mut self, frame: &[u8]) -> Result<usize> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take(frame)?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        bail!("a number without an end")
    }
}

fn put_uvarint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
