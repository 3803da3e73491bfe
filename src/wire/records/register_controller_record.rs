//! RegisterControllerRecord, metadata record type 27, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::{Message, Str};

/// The message RegisterControllerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 27, versions = "0", flexible = "0+")]
pub struct RegisterControllerRecord {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub controller_id: i32,
    /// `uuid`, versions 0+.
    #[field(versions = "0+")]
    pub incarnation_id: Uuid,
    /// `bool`, versions 0+.
    #[field(versions = "0+")]
    pub zk_migration_ready: bool,
    /// `[]ControllerEndpoint`, versions 0+.
    #[field(versions = "0+")]
    pub end_points: Vec<ControllerEndpoint>,
    /// `[]ControllerFeature`, versions 0+.
    #[field(versions = "0+")]
    pub features: Vec<ControllerFeature>,
}

/// Part of RegisterControllerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ControllerEndpoint {
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

/// Part of RegisterControllerRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct ControllerFeature {
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
