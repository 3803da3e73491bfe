//! RegisterBrokerRecord, metadata record type 0, versions 0-4.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message RegisterBrokerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 0, versions = "0-4", flexible = "0+")]
pub struct RegisterBrokerRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub broker_id: i32,
    /// `bool`, versions 2+.
    #[field(versions = "2+")]
    pub is_migrating_zk_broker: bool,
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub incarnation_id: Uuid,
    /// `int64`, versions 0+.
    #[field(versions = "0+")]
    pub broker_epoch: i64,
    /// `[]BrokerEndpoint`, versions 0+.
    #[field(versions = "0+")]
    pub end_points: Vec<BrokerEndpoint>,
    /// `[]BrokerFeature`, versions 0+.
    #[field(versions = "0+")]
    pub features: Vec<BrokerFeature>,
    /// `string`, versions 0+, nullable 0+.
    #[field(versions = "0+", nullable = "0+")]
    pub rack: Option<Str>,
    /// `bool`, versions 0+, default true.
    #[field(versions = "0+", default = "true")]
    pub fenced: bool,
    /// `bool`, versions 1+.
    #[field(versions = "1+")]
    pub in_controlled_shutdown: bool,
    /// `[]uuid`, versions 3+, tagged 3+.
    #[field(versions = "3+", tagged = "3+", tag = 0)]
    pub log_dirs: Vec<Uuid>,
    /// `[]uuid`, versions 4+, nullable 4+, tagged 4+, default null.
    #[field(versions = "4+", nullable = "4+", tagged = "4+", tag = 1, default = "null")]
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

/// Part of RegisterBrokerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct BrokerEndpoint {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub host: Str,
    /// `uint16`, versions 0+.
    #[field(versions = "0+")]
    pub port: u16,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub security_protocol: i16,
}

/// Part of RegisterBrokerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct BrokerFeature {
    /// `string`, versions 0+.
    #[field(versions = "0+")]
    pub name: Str,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub min_supported_version: i16,
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub max_supported_version: i16,
}
