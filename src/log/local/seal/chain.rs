//! Checking batches as their bytes go by, each byte once: sizes, CRC, offsets that ascend, epochs that do not go down.
//! Memory is one header, whatever sizes the bytes claim. Knows nothing of files.

use crate::record::{BadBatch, BatchHeader};
use crate::types::{Epoch, Offset};

/// Where the CRC-protected bytes of a batch begin.
const CRC_FROM: usize = 21;

/// Why a run of bytes is not a chain of sound batches.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("byte {at}: {why}")]
pub struct BadChain {
    /// Byte of the file at which the batch starts that is not sound.
    pub at: u64,
    /// What is wrong with it.
    pub why: String,
}

/// The state of a check: between two batches, or inside of one.
#[derive(Debug)]
pub struct Chain {
    /// First byte of the present batch.
    at: u64,
    /// Its header, as far as it is there.
    head: [u8; BatchHeader::SIZE],
    have: usize,
    /// Set once the header is whole.
    header: Option<BatchHeader>,
    /// Bytes of the present batch still to come.
    left: usize,
    crc: u32,
    next: Offset,
    epoch: Epoch,
    below: Offset,
}

impl Chain {
    /// A chain that begins at byte `at` of its file, whose first offset is at least `least` and which ends below
    /// `below`.
    pub fn new(at: u64, least: Offset, below: Offset) -> Chain {
        Chain {
            at,
            head: [0; BatchHeader::SIZE],
            have: 0,
            header: None,
            left: 0,
            crc: 0,
            next: least,
            epoch: Epoch::NONE,
            below,
        }
    }

    /// The next bytes of the file. `note` gets each batch that is whole and sound, with its first byte.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        note: &mut dyn FnMut(u64, &BatchHeader),
    ) -> Result<(), BadChain> {
        while !bytes.is_empty() {
            bytes = match self.header {
                None => self.feed_head(bytes)?,
                Some(_) => self.feed_body(bytes),
            };
            if let Some(header) = self.header.filter(|_| self.left == 0) {
                self.end_batch(&header)?;
                note(self.at, &header);
                self.at += header.size as u64;
                (self.header, self.have) = (None, 0);
            }
        }
        Ok(())
    }

    /// After the last bytes: no batch may be cut.
    pub fn finish(&self) -> Result<(), BadChain> {
        if self.have == 0 {
            return Ok(());
        }
        let need = self.header.map_or(BatchHeader::SIZE, |header| header.size);
        Err(self.bad(&BadBatch::Cut { have: need.saturating_sub(self.left), need }))
    }

    /// The offset behind the last batch, or the least one if there was none.
    pub fn next(&self) -> Offset {
        self.next
    }

    fn feed_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], BadChain> {
        let take = (BatchHeader::SIZE - self.have).min(bytes.len());
        let (part, rest) = bytes.split_at(take);
        if let Some(room) = self.head.get_mut(self.have..self.have + take) {
            room.copy_from_slice(part);
        }
        self.have += take;
        if self.have < BatchHeader::SIZE {
            self.left = BatchHeader::SIZE - self.have;
            return Ok(rest);
        }
        let header = BatchHeader::parse(&self.head).map_err(|why| self.bad(&why))?;
        self.check_order(&header)?;
        self.crc = crc32c::crc32c(self.head.get(CRC_FROM..).unwrap_or_default());
        self.left = header.size - BatchHeader::SIZE;
        self.header = Some(header);
        Ok(rest)
    }

    fn feed_body<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (part, rest) = bytes.split_at(self.left.min(bytes.len()));
        self.crc = crc32c::crc32c_append(self.crc, part);
        self.left -= part.len();
        rest
    }

    fn check_order(&self, header: &BatchHeader) -> Result<(), BadChain> {
        let last = header.base_offset.0.checked_add(i64::from(header.last_offset_delta));
        let fits = last.is_some_and(|last| last < self.below.0);
        if header.base_offset < self.next || header.last_offset_delta < 0 || !fits {
            let why = format!(
                "offsets {} + {}, expected within {}..{}",
                header.base_offset, header.last_offset_delta, self.next, self.below
            );
            return Err(BadChain { at: self.at, why });
        }
        if header.leader_epoch < self.epoch {
            let why = format!("leader epoch {} behind {}", header.leader_epoch, self.epoch);
            return Err(BadChain { at: self.at, why });
        }
        Ok(())
    }

    fn end_batch(&mut self, header: &BatchHeader) -> Result<(), BadChain> {
        if self.crc != header.crc {
            return Err(self.bad(&BadBatch::Crc { stored: header.crc, computed: self.crc }));
        }
        self.next = header.next_offset();
        self.epoch = header.leader_epoch;
        Ok(())
    }

    fn bad(&self, why: &BadBatch) -> BadChain {
        BadChain { at: self.at, why: why.to_string() }
    }
}
