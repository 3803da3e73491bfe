//! LeaderChangeMessage, versions 0-1.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::types::Uuid;
use crate::wire::Message;

/// The message LeaderChangeMessage.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct LeaderChangeMessage {
    /// `int16`, versions 0+.
    #[field(versions = "0+")]
    pub version: i16,
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub leader_id: i32,
    /// `[]Voter`, versions 0+.
    #[field(versions = "0+")]
    pub voters: Vec<Voter>,
    /// `[]Voter`, versions 0+.
    #[field(versions = "0+")]
    pub granting_voters: Vec<Voter>,
}

/// Part of LeaderChangeMessage.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(part)]
pub struct Voter {
    /// `int32`, versions 0+.
    #[field(versions = "0+")]
    pub voter_id: i32,
    /// `uuid`, versions 1+.
    #[field(versions = "1+")]
    pub voter_directory_id: Uuid,
}
