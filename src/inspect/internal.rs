//! Records of internal topics as JSON, by Kafka's own message specs. Must not know what the records do.
//!
//! A key is its type (`int16`) and a message; a value is the version of its message (`int16`) and the message. In the
//! metadata log there is no key, and the value is framed by type and version.

use crate::record::Record;
use crate::wire::kind::{self, Kind};
use crate::wire::{Reader, metadata};
use bytes::Bytes;
use serde_json::{Value, json};

/// Names of key types in `__consumer_offsets` (`CoordinatorRecordType` of Kafka 4.4.0).
const GROUP: &[(i16, &str)] = &[
    (0, "LegacyOffsetCommit"),
    (1, "OffsetCommit"),
    (2, "GroupMetadata"),
    (3, "ConsumerGroupMetadata"),
    (4, "ConsumerGroupPartitionMetadata"),
    (5, "ConsumerGroupMemberMetadata"),
    (6, "ConsumerGroupTargetAssignmentMetadata"),
    (7, "ConsumerGroupTargetAssignmentMember"),
    (8, "ConsumerGroupCurrentMemberAssignment"),
    (10, "ShareGroupMemberMetadata"),
    (11, "ShareGroupMetadata"),
    (12, "ShareGroupTargetAssignmentMetadata"),
    (13, "ShareGroupTargetAssignmentMember"),
    (14, "ShareGroupCurrentMemberAssignment"),
    (15, "ShareGroupStatePartitionMetadata"),
    (16, "ConsumerGroupRegularExpression"),
    (17, "StreamsGroupMetadata"),
    (19, "StreamsGroupMemberMetadata"),
    (20, "StreamsGroupTargetAssignmentMetadata"),
    (21, "StreamsGroupTargetAssignmentMember"),
    (22, "StreamsGroupCurrentMemberAssignment"),
    (23, "StreamsGroupTopology"),
];
const TRANSACTION: &[(i16, &str)] = &[(0, "TransactionLog")];
const SHARE: &[(i16, &str)] = &[(0, "ShareSnapshot"), (1, "ShareUpdate")];

/// Types of records in `__cluster_metadata`.
const METADATA: &[(u32, &str)] = &[
    (0, "RegisterBrokerRecord"),
    (1, "UnregisterBrokerRecord"),
    (2, "TopicRecord"),
    (3, "PartitionRecord"),
    (4, "ConfigRecord"),
    (5, "PartitionChangeRecord"),
    (7, "FenceBrokerRecord"),
    (8, "UnfenceBrokerRecord"),
    (9, "RemoveTopicRecord"),
    (10, "DelegationTokenRecord"),
    (11, "UserScramCredentialRecord"),
    (12, "FeatureLevelRecord"),
    (14, "ClientQuotaRecord"),
    (15, "ProducerIdsRecord"),
    (17, "BrokerRegistrationChangeRecord"),
    (18, "AccessControlEntryRecord"),
    (19, "RemoveAccessControlEntryRecord"),
    (20, "NoOpRecord"),
    (21, "ZkMigrationStateRecord"),
    (22, "RemoveUserScramCredentialRecord"),
    (23, "BeginTransactionRecord"),
    (24, "EndTransactionRecord"),
    (25, "AbortTransactionRecord"),
    (26, "RemoveDelegationTokenRecord"),
    (27, "RegisterControllerRecord"),
    (28, "ClearElrRecord"),
    (29, "UnregisterControllerRecord"),
];

/// The coordinator or controller whose records a topic holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Internal {
    /// `__consumer_offsets`
    Groups,
    /// `__transaction_state`
    Transactions,
    /// `__share_group_state`
    Shares,
    /// `__cluster_metadata`
    Metadata,
}

impl Internal {
    /// Whose records a topic holds; `None` if they are those of clients.
    pub fn of(topic: &str) -> Option<Internal> {
        match topic {
            "__consumer_offsets" => Some(Internal::Groups),
            "__transaction_state" => Some(Internal::Transactions),
            "__share_group_state" => Some(Internal::Shares),
            "__cluster_metadata" => Some(Internal::Metadata),
            _ => None,
        }
    }

    /// The record as JSON: its type by name, key and value as Kafka's JSON converters write them. A record that
    /// cannot be read says so, with the reason.
    pub fn record_json(self, record: &Record) -> Value {
        let read = match self {
            Internal::Metadata => metadata_json(record.value.as_ref()),
            Internal::Groups => keyed_json(GROUP, record),
            Internal::Transactions => keyed_json(TRANSACTION, record),
            Internal::Shares => keyed_json(SHARE, record),
        };
        read.unwrap_or_else(|why| json!({ "unreadable": why }))
    }
}

fn keyed_json(types: &[(i16, &str)], record: &Record) -> Result<Value, String> {
    let key = record.key.as_ref().ok_or("a key is missing")?;
    let (code, key) = split(key)?;
    let Some((_, name)) = types.iter().find(|(known, _)| *known == code) else {
        return Ok(json!({ "type": code }));
    };
    let key = read(kind(&format!("{name}Key"))?, key, 0)?;
    let value = match record.value.as_ref() {
        None => Value::Null,
        Some(value) => {
            let (version, value) = split(value)?;
            let data = read(kind(&format!("{name}Value"))?, value, version)?;
            json!({ "version": version, "data": data })
        }
    };
    Ok(json!({ "type": name, "key": key, "value": value }))
}

fn metadata_json(value: Option<&Bytes>) -> Result<Value, String> {
    let mut reader = Reader::new(value.ok_or("a value is missing")?.clone());
    let (code, version) = metadata::decode_frame(&mut reader).map_err(|error| error.to_string())?;
    let Some((_, name)) = METADATA.iter().find(|(known, _)| *known == code) else {
        return Ok(json!({ "type": code, "version": version }));
    };
    let message = (kind(name)?.decode)(&mut reader, version).map_err(|error| error.to_string())?;
    Ok(json!({ "type": name, "version": version, "data": message.to_json(version) }))
}

fn split(bytes: &Bytes) -> Result<(i16, Bytes), String> {
    match bytes.first_chunk() {
        Some(number) => Ok((i16::from_be_bytes(*number), bytes.slice(2..))),
        None => Err("key or value is shorter than its type or version".to_owned()),
    }
}

fn kind(name: &str) -> Result<&'static Kind, String> {
    kind::by_name(name).ok_or_else(|| format!("{name} is not known"))
}

fn read(kind: &Kind, bytes: Bytes, version: i16) -> Result<Value, String> {
    let message = (kind.decode)(&mut Reader::new(bytes), version).map_err(|error| error.to_string())?;
    Ok(message.to_json(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Offset, TimestampMs};

    fn record(key: &'static [u8], value: Option<&'static [u8]>) -> Record {
        Record {
            offset: Offset(0),
            timestamp: TimestampMs(0),
            key: Some(Bytes::from_static(key)),
            value: value.map(Bytes::from_static),
            headers: Vec::new(),
        }
    }

    #[test]
    fn every_type_in_the_tables_has_its_messages() {
        for (_, name) in GROUP.iter().chain(TRANSACTION).chain(SHARE) {
            assert!(kind(&format!("{name}Key")).is_ok() || *name == "LegacyOffsetCommit", "{name}");
        }
        assert!(METADATA.iter().all(|(_, name)| kind(name).is_ok()));
    }

    #[test]
    fn a_committed_offset_is_shown_and_a_broken_one_is_said_to_be() {
        let key = b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x03";
        let value = b"\x00\x03\x00\x00\x00\x00\x00\x00\x00\x2a\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01";
        let shown = Internal::Groups.record_json(&record(key, Some(value)));
        assert_eq!(shown["type"], "OffsetCommit");
        assert_eq!((&shown["key"]["group"], &shown["value"]["data"]["offset"]), (&json!("g"), &json!(42)));
        assert!(Internal::Groups.record_json(&record(key, None))["value"].is_null());
        let broken = Internal::Groups.record_json(&record(b"\x00\x01\x00", None));
        assert!(broken["unreadable"].is_string(), "{broken}");
        assert_eq!(Internal::Groups.record_json(&record(b"\x00\x63", None)), json!({ "type": 99 }));
    }
}
