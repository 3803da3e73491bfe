//! Ids of topics, clusters and directories: 128 bits, written as 22 characters of base64url like Kafka does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// 128 bits as Kafka's `uuid` wire type carries them; all zeros means "none".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Uuid(pub [u8; 16]);

/// The stable identity of a topic: a topic deleted and made again under the same name has another id (KIP-516).
pub type TopicId = Uuid;

/// Number of a partition within its topic, from 0.
pub type PartitionIndex = i32;

/// The text is not 22 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 22 characters of base64url")]
pub struct BadId;

impl Uuid {
    /// "None" on the wire.
    pub const ZERO: Uuid = Uuid([0; 16]);

    /// True for the id that means "none".
    pub fn is_zero(self) -> bool {
        self == Uuid::ZERO
    }

    /// A version-4 id out of 128 random bits.
    pub fn from_random(bits: u128) -> Uuid {
        let mut bytes = bits.to_be_bytes();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid(bytes)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uuid {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Uuid, BadId> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadId)?;
        Ok(Uuid(bytes.try_into().map_err(|_| BadId)?))
    }
}

/// A partition by name, as clients and directories call it; displays as `topic-0`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Number of the partition.
    pub partition: PartitionIndex,
}

impl TopicPartition {
    /// `topic`-`partition`.
    pub fn new(topic: impl Into<Arc<str>>, partition: PartitionIndex) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

impl fmt::Debug for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_22_characters_and_read_back() {
        let id = Uuid::from_random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(id.to_string().len(), 22);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("short".parse::<Uuid>(), Err(BadId));
    }
}
