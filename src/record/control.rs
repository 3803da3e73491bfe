//! Control records: the key that says which kind, and the marker that ends a transaction. Must not know what a
//! marker does to a partition.
//!
//! ```text
//! key:                         int16 version 0 | int16 type
//! value of ABORT and COMMIT:   int16 version 0 | int32 coordinator epoch
//! ```

use super::builder::BatchBuilder;
use crate::types::{ProducerId, TimestampMs};
use bytes::{Buf, BytesMut};

/// The kind of a control record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlType {
    /// The transaction's records are not to be read.
    Abort,
    /// The transaction's records may be read.
    Commit,
    /// Raft and whatever comes later (2 leader change, 3 and 4 snapshot, 5 version, 6 voters): skipped by readers.
    Other(i16),
}

/// The bytes are no control record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadControl {
    /// Key or value is shorter than its fields.
    #[error("a control record is too short")]
    Short,
    /// A negative version.
    #[error("version {0} of a control record does not exist")]
    Version(i16),
}

impl ControlType {
    /// The type in a key.
    pub fn code(self) -> i16 {
        match self {
            ControlType::Abort => 0,
            ControlType::Commit => 1,
            ControlType::Other(code) => code,
        }
    }

    /// The key of a control record of this type.
    pub fn to_key(self) -> [u8; 4] {
        let [high, low] = self.code().to_be_bytes();
        [0, 0, high, low]
    }

    /// Reads the key of a control record; later versions may have more fields behind these.
    pub fn from_key(key: &[u8]) -> Result<ControlType, BadControl> {
        let mut fields: &[u8] = key.first_chunk::<4>().ok_or(BadControl::Short)?;
        let version = fields.get_i16();
        if version < 0 {
            return Err(BadControl::Version(version));
        }
        Ok(match fields.get_i16() {
            0 => ControlType::Abort,
            1 => ControlType::Commit,
            code => ControlType::Other(code),
        })
    }
}

/// The value of a record that ends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnMarker {
    /// Epoch of the transaction coordinator that decided.
    pub coordinator_epoch: i32,
}

impl EndTxnMarker {
    /// The value's bytes.
    pub fn to_value(self) -> [u8; 6] {
        let [a, b, c, d] = self.coordinator_epoch.to_be_bytes();
        [0, 0, a, b, c, d]
    }

    /// Reads a value; later versions are read as version 0, as Kafka does.
    pub fn from_value(value: &[u8]) -> Result<EndTxnMarker, BadControl> {
        let mut fields: &[u8] = value.first_chunk::<6>().ok_or(BadControl::Short)?;
        let version = fields.get_i16();
        if version < 0 {
            return Err(BadControl::Version(version));
        }
        Ok(EndTxnMarker { coordinator_epoch: fields.get_i32() })
    }

    /// A batch with the one record that ends a transaction of a producer in a partition.
    pub fn to_batch(self, committed: bool, id: ProducerId, epoch: i16, now: TimestampMs) -> BytesMut {
        let kind = if committed { ControlType::Commit } else { ControlType::Abort };
        let mut batch = BatchBuilder::new().producer(id, epoch, -1).transactional().control();
        batch.push(now, Some(&kind.to_key()), Some(&self.to_value()), &[]);
        batch.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BatchHeader, check_crc, read_records};

    #[test]
    fn a_marker_is_read_back_from_its_batch() {
        let marker = EndTxnMarker { coordinator_epoch: 3 };
        let batch = marker.to_batch(true, ProducerId(9), 4, TimestampMs(77)).freeze();
        check_crc(&batch).unwrap();
        let header = BatchHeader::parse(&batch).unwrap();
        assert!(header.is_control() && header.is_transactional());
        assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (ProducerId(9), 4, -1));
        let record = read_records(&batch, 0).unwrap().next().unwrap().unwrap();
        assert_eq!(ControlType::from_key(record.key.as_deref().unwrap()), Ok(ControlType::Commit));
        assert_eq!(EndTxnMarker::from_value(record.value.as_deref().unwrap()), Ok(marker));
    }

    #[test]
    fn later_kinds_and_versions_are_read_and_short_ones_refused() {
        assert_eq!(ControlType::from_key(&[0, 1, 0, 2, 9]), Ok(ControlType::Other(2)));
        assert_eq!(ControlType::from_key(&[0, 0, 0]), Err(BadControl::Short));
        assert_eq!(ControlType::from_key(&[255, 255, 0, 0]), Err(BadControl::Version(-1)));
        assert_eq!(
            EndTxnMarker::from_value(&[0, 1, 0, 0, 0, 5, 9]),
            Ok(EndTxnMarker { coordinator_epoch: 5 })
        );
        assert_eq!(EndTxnMarker::from_value(&[0; 5]), Err(BadControl::Short));
    }
}
