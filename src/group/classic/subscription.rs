//! Which topics the members of a consumer group read, as their assignor's metadata says. Other types keep theirs to
//! themselves.

use super::group::LiveGroup;
use crate::wire::records::consumer_protocol_subscription::ConsumerProtocolSubscription;
use crate::wire::{DecodeError, Message as _, Reader};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Topics of all members; none if the group is not of consumers, or one member's metadata cannot be read.
pub(super) fn subscribed(group: &LiveGroup) -> Option<BTreeSet<Arc<str>>> {
    if !group.is_consumer() {
        return None;
    }
    if group.members().is_empty() {
        return Some(BTreeSet::new());
    }
    let protocol = group.protocol.as_deref()?;
    let mut all = BTreeSet::new();
    for member in group.members().values() {
        for topic in topics(member.metadata(protocol)).ok()? {
            all.insert(topic);
        }
    }
    Some(all)
}

/// The topics come first in every version (KIP-429), so whatever version it says is read as version 0.
fn topics(metadata: Bytes) -> Result<Vec<Arc<str>>, DecodeError> {
    let mut reader = Reader::new(metadata);
    // Below 0 is no version: the decoder refuses it.
    let version = i16::from_be_bytes(reader.array()?).min(0);
    let subscription = ConsumerProtocolSubscription::decode(&mut reader, version)?;
    Ok(subscription.topics.iter().map(|topic| Arc::from(&**topic)).collect())
}
