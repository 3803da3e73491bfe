//! BrokerRegistrationChangeRecord, metadata record type 17, versions 0-3.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message BrokerRegistrationChangeRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 17, versions = "0-3", flexible = "0+")]
pub struct BrokerRegistrationChangeRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_id: i32,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub broker_epoch: i64,
    /// `int8`, versions 0+, tagged 0+.
    #[field(versions = "0+", tagged = "0+", tag = 0)]
    pub fenced: i8,
    /// `int8`, versions 1+, tagged 1+.
    #[field(versions = "1+", tagged = "1+", tag = 1)]
    pub in_controlled_shutdown: i8,
    /// `[]uuid`, versions 2+, tagged 2+.
    #[field(versions = "2+", tagged = "2+", tag = 2)]
    pub log_dirs: Vec<Uuid>,
    /// `[]uuid`, versions 3+, nullable 3+, tagged 3+, default null.
    #[field(versions = "3+", nullable = "3+", tagged = "3+", tag = 3, default = "null")]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}
