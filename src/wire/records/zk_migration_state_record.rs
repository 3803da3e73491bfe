//! ZkMigrationStateRecord, metadata record type 21, versions 0.
//! Written by `tools/wiregen` from the specs of Kafka 4.4.0; not edited by hand.

use crate::wire::Message;

/// The message ZkMigrationStateRecord.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(record = 21, versions = "0", flexible = "0+")]
pub struct ZkMigrationStateRecord {
    /// `int8`, versions 0+.
    #[field(versions = "0+")]
    pub zk_migration_state: i8,
}
