//! The 61-byte header of a record batch: parse it, stamp it, check its CRC. Must not know the records behind it.
//!
//! ```text
//! at size field                     all integers big-endian; the CRC-32C covers byte 21 to the end
//!  0   8  baseOffset                stamped by the broker, outside the CRC
//!  8   4  batchLength               bytes after this field: the whole batch is 12 + batchLength
//! 12   4  partitionLeaderEpoch      stamped by the broker, outside the CRC
//! 16   1  magic = 2                 outside the CRC
//! 17   4  crc
//! 21   2  attributes                bits 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control, 6 delete horizon
//! 23   4  lastOffsetDelta           kept by compaction
//! 27   8  baseTimestamp             the delete horizon if bit 6 is set
//! 35   8  maxTimestamp
//! 43   8  producerId                -1 none
//! 51   2  producerEpoch             -1 none
//! 53   4  baseSequence              -1 none
//! 57   4  count                     of records; compaction lowers it, to 0 even
//! 61   .  records                   one compressed stream of all of them if there is a codec
//! ```

use super::attributes::{Attributes, TimestampType};
use super::bad::BadBatch;
use super::codec::Codec;
use crate::types::{Epoch, Offset, ProducerId, TimestampMs};
use bytes::Buf;

/// The header of one record batch, by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record, also of one that compaction removed.
    pub base_offset: Offset,
    /// Bytes of the whole batch, header included (12 + batchLength); at least [`BatchHeader::SIZE`].
    pub size: usize,
    /// Epoch of the leader that appended the batch.
    pub leader_epoch: Epoch,
    /// Always 2.
    pub magic: i8,
    /// CRC-32C as stored.
    pub crc: u32,
    /// Codec and flags.
    pub attributes: Attributes,
    /// Offset of the last record less the base offset.
    pub last_offset_delta: i32,
    /// Time that the records' deltas add to.
    pub base_timestamp: TimestampMs,
    /// Largest time of the records, or the time of the append.
    pub max_timestamp: TimestampMs,
    /// Idempotent producer, if any.
    pub producer_id: ProducerId,
    /// Its epoch; -1 for none.
    pub producer_epoch: i16,
    /// Sequence number of the first record; -1 for none.
    pub base_sequence: i32,
    /// Number of records present.
    pub count: i32,
}

impl BatchHeader {
    /// Bytes of the header.
    pub const SIZE: usize = 61;

    /// Reads a header from the first 61 bytes of a batch; the rest need not be there.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BadBatch> {
        // The magic stands at byte 16 in every version, and a message of magic 0 or 1 can be shorter than 61 bytes.
        if let Some(&magic) = bytes.get(MAGIC_AT)
            && magic != 2
        {
            return Err(BadBatch::Magic(magic as i8));
        }
        let Some(header) = bytes.first_chunk::<{ BatchHeader::SIZE }>() else {
            return Err(BadBatch::Cut { have: bytes.len(), need: BatchHeader::SIZE });
        };
        let mut rest: &[u8] = header;
        let base_offset = Offset(rest.get_i64());
        let length = rest.get_i32();
        Ok(BatchHeader {
            base_offset,
            size: whole_size(length)?,
            leader_epoch: Epoch(rest.get_i32()),
            magic: rest.get_i8(),
            crc: rest.get_u32(),
            attributes: Attributes(rest.get_i16()),
            last_offset_delta: rest.get_i32(),
            base_timestamp: TimestampMs(rest.get_i64()),
            max_timestamp: TimestampMs(rest.get_i64()),
            producer_id: ProducerId(rest.get_i64()),
            producer_epoch: rest.get_i16(),
            base_sequence: rest.get_i32(),
            count: rest.get_i32(),
        })
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> Offset {
        self.base_offset.plus(i64::from(self.last_offset_delta))
    }

    /// Offset of the record that will follow the batch.
    pub fn next_offset(&self) -> Offset {
        self.last_offset().next()
    }

    /// Sequence number of the last record; after 2^31-1 comes 0. -1 if the batch has none.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        let sum = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        // Both terms are below 2^31, so the remainder fits.
        i32::try_from(sum.rem_euclid(1 << 31)).unwrap_or(-1)
    }

    /// True if an idempotent or transactional producer wrote the batch.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id.0 >= 0
    }

    /// The codec of the records.
    pub fn codec(&self) -> Result<Codec, BadBatch> {
        self.attributes.codec()
    }

    /// Holds control records.
    pub fn is_control(&self) -> bool {
        self.attributes.is_control()
    }

    /// Part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes.is_transactional()
    }

    /// Who set the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        self.attributes.timestamp_type()
    }

    /// `base_timestamp` holds a delete horizon.
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes.has_delete_horizon()
    }
}

const MAGIC_AT: usize = 16;
pub(super) const CRC_AT: usize = 17;
pub(super) const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;

/// Size of a whole batch from its length field; smaller than a header is damage, whatever follows.
fn whole_size(length: i32) -> Result<usize, BadBatch> {
    let size = usize::try_from(length).map_err(|_| BadBatch::Size(length))?.saturating_add(12);
    if size < BatchHeader::SIZE { Err(BadBatch::Size(length)) } else { Ok(size) }
}

/// Base offset and size in bytes of the batch that starts with these 12 bytes: all that a scan over a file needs.
pub fn peek_size(prefix: &[u8; 12]) -> Result<(Offset, usize), BadBatch> {
    let mut rest: &[u8] = prefix;
    let base_offset = Offset(rest.get_i64());
    Ok((base_offset, whole_size(rest.get_i32())?))
}

/// Writes base offset and leader epoch into a batch, in place; both lie outside the CRC.
pub fn stamp(batch: &mut [u8], base: Offset, epoch: Epoch) {
    if let Some(head) = batch.first_chunk_mut::<MAGIC_AT>() {
        head[0..8].copy_from_slice(&base.0.to_be_bytes());
        head[12..16].copy_from_slice(&epoch.0.to_be_bytes());
    }
}

/// Marks a batch as LogAppendTime with `now` for all its records, and redoes its CRC. `batch` is exactly one batch.
pub fn set_log_append_time(batch: &mut [u8], now: TimestampMs) {
    rewrite_max_timestamp(batch, TimestampType::LogAppendTime, now);
}

/// Sets the timestamp type and `maxTimestamp` of a batch in place, and redoes its CRC if that changed anything.
pub(super) fn rewrite_max_timestamp(batch: &mut [u8], kind: TimestampType, max: TimestampMs) {
    let Ok(header) = BatchHeader::parse(batch) else { return };
    if header.timestamp_type() == kind && header.max_timestamp == max {
        return;
    }
    let Some(head) = batch.first_chunk_mut::<{ BatchHeader::SIZE }>() else { return };
    let attributes = header.attributes.with_timestamp_type(kind);
    head[ATTRIBUTES_AT..ATTRIBUTES_AT + 2].copy_from_slice(&attributes.0.to_be_bytes());
    head[MAX_TIMESTAMP_AT..MAX_TIMESTAMP_AT + 8].copy_from_slice(&max.0.to_be_bytes());
    seal(batch);
}

/// Writes the CRC of a finished batch.
pub(super) fn seal(batch: &mut [u8]) {
    let Some(body) = batch.get(ATTRIBUTES_AT..) else { return };
    let crc = crc32c::crc32c(body);
    if let Some(head) = batch.first_chunk_mut::<{ BatchHeader::SIZE }>() {
        head[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
    }
}

/// Checks the CRC-32C of the batch at the start of `batch`; bytes behind its end by its own size field are not
/// looked at.
pub fn check_crc(batch: &[u8]) -> Result<(), BadBatch> {
    let header = BatchHeader::parse(batch)?;
    let body = batch
        .get(ATTRIBUTES_AT..header.size)
        .ok_or(BadBatch::Cut { have: batch.len(), need: header.size })?;
    let computed = crc32c::crc32c(body);
    if computed == header.crc { Ok(()) } else { Err(BadBatch::Crc { stored: header.crc, computed }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch of `body` bytes behind the header, with a right CRC.
    fn batch(body: usize) -> Vec<u8> {
        let mut bytes = vec![0u8; BatchHeader::SIZE + body];
        bytes[8..12].copy_from_slice(&((BatchHeader::SIZE + body - 12) as i32).to_be_bytes());
        bytes[16] = 2;
        bytes[23..27].copy_from_slice(&6i32.to_be_bytes());
        bytes[53..57].copy_from_slice(&(i32::MAX - 3).to_be_bytes());
        for (at, byte) in bytes[61..].iter_mut().enumerate() {
            *byte = at as u8;
        }
        seal(&mut bytes);
        bytes
    }

    #[test]
    fn stamping_moves_the_offsets_and_keeps_the_crc() {
        let mut bytes = batch(20);
        stamp(&mut bytes, Offset(1 << 40), Epoch(7));
        check_crc(&bytes).unwrap();
        let header = BatchHeader::parse(&bytes).unwrap();
        assert_eq!((header.base_offset, header.leader_epoch), (Offset(1 << 40), Epoch(7)));
        assert_eq!(header.next_offset(), Offset((1 << 40) + 7));
        assert_eq!(header.size, bytes.len());
        assert_eq!(peek_size(bytes.first_chunk().unwrap()), Ok((Offset(1 << 40), bytes.len())));
    }

    #[test]
    fn sequence_numbers_wrap_to_zero() {
        let header = BatchHeader::parse(&batch(0)).unwrap();
        assert_eq!(header.base_sequence, i32::MAX - 3);
        assert_eq!(header.last_sequence(), 2);
    }

    #[test]
    fn log_append_time_redoes_the_crc() {
        let mut bytes = batch(20);
        set_log_append_time(&mut bytes, TimestampMs(42));
        check_crc(&bytes).unwrap();
        let header = BatchHeader::parse(&bytes).unwrap();
        assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!(header.max_timestamp, TimestampMs(42));
    }

    #[test]
    fn every_flipped_bit_of_the_body_is_found_by_the_crc() {
        let good = batch(300);
        for bit in ATTRIBUTES_AT * 8..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(check_crc(&bad), Err(BadBatch::Crc { .. })), "bit {bit}");
        }
    }

    #[test]
    fn a_cut_at_every_byte_is_reported_as_a_cut() {
        let good = batch(40);
        for end in 0..good.len() {
            assert!(matches!(check_crc(&good[..end]), Err(BadBatch::Cut { .. })), "cut at {end}");
        }
    }

    #[test]
    fn a_size_below_the_header_and_an_old_magic_are_told_apart() {
        let mut bytes = batch(0);
        bytes[8..12].copy_from_slice(&48i32.to_be_bytes());
        assert_eq!(BatchHeader::parse(&bytes), Err(BadBatch::Size(48)));
        bytes[8..12].copy_from_slice(&(-1i32).to_be_bytes());
        assert_eq!(BatchHeader::parse(&bytes), Err(BadBatch::Size(-1)));
        bytes[16] = 1;
        assert_eq!(BatchHeader::parse(&bytes[..20]), Err(BadBatch::Magic(1)));
    }
}
