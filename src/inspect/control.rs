//! Control records as JSON: markers of transactions, and what Raft leaves in the metadata log. Must not know batches.

use crate::record::{ControlType, EndTxnMarker};
use crate::wire::{Reader, kind};
use bytes::Bytes;
use serde_json::{Value, json};

/// What a control record says; kinds and versions that are not known are named by their number.
pub fn control_json(key: Option<&Bytes>, value: Option<&Bytes>) -> Value {
    let Some(control) = key.and_then(|key| ControlType::from_key(key).ok()) else {
        return json!({ "type": "UNREADABLE" });
    };
    let marker = |name: &str| match value.and_then(|value| EndTxnMarker::from_value(value).ok()) {
        Some(marker) => json!({ "type": name, "coordinator_epoch": marker.coordinator_epoch }),
        None => json!({ "type": name, "unreadable": true }),
    };
    match control {
        ControlType::Abort => marker("ABORT"),
        ControlType::Commit => marker("COMMIT"),
        ControlType::Other(2) => raft("LEADER_CHANGE", "LeaderChangeMessage", value),
        ControlType::Other(3) => raft("SNAPSHOT_HEADER", "SnapshotHeaderRecord", value),
        ControlType::Other(4) => raft("SNAPSHOT_FOOTER", "SnapshotFooterRecord", value),
        ControlType::Other(5) => json!({ "type": "KRAFT_VERSION" }),
        ControlType::Other(6) => json!({ "type": "KRAFT_VOTERS" }),
        ControlType::Other(code) => json!({ "type": code }),
    }
}

/// These messages carry their version in their first field.
fn raft(name: &str, message: &str, value: Option<&Bytes>) -> Value {
    let read = || {
        let value = value?;
        let version = i16::from_be_bytes(*value.first_chunk::<2>()?);
        let found = (kind::by_name(message)?.decode)(&mut Reader::new(value.clone()), version).ok()?;
        Some(found.to_json(version))
    };
    match read() {
        Some(data) => json!({ "type": name, "data": data }),
        None => json!({ "type": name, "unreadable": true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_named_and_what_cannot_be_read_is_said_to_be() {
        let key = |code: u8| Some(Bytes::copy_from_slice(&[0, 0, 0, code]));
        let commit = control_json(key(1).as_ref(), Some(&Bytes::from_static(&[0, 0, 0, 0, 0, 7])));
        assert_eq!(commit, json!({ "type": "COMMIT", "coordinator_epoch": 7 }));
        assert_eq!(control_json(key(0).as_ref(), None), json!({ "type": "ABORT", "unreadable": true }));
        assert_eq!(control_json(key(9).as_ref(), None), json!({ "type": 9 }));
        assert_eq!(control_json(None, None), json!({ "type": "UNREADABLE" }));
        let leader = Bytes::from_static(&[0, 0, 0, 0, 0, 1, 1, 1, 0]);
        let change = control_json(key(2).as_ref(), Some(&leader));
        assert_eq!(change["data"]["leaderId"], 1);
    }
}
