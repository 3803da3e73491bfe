//! Ids of members, as Kafka makes them.

use std::sync::Arc;

/// The longest string that a group's record can hold.
const STRING_MAX: usize = i16::MAX as usize;

/// An id that says for people whose it is: by `owner`, cut where the id would not fit into a record.
pub(super) fn member_id(owner: &str, bits: u128) -> Arc<str> {
    let uuid = uuid_text(bits);
    let room = STRING_MAX - uuid.len() - 1;
    let end = owner.floor_char_boundary(room);
    let owner = owner.get(..end).unwrap_or(owner);
    Arc::from(format!("{owner}-{uuid}"))
}

/// Random bits as a version-4 UUID in its usual text: 8-4-4-4-12 hexadecimal digits (RFC 9562).
fn uuid_text(bits: u128) -> String {
    let bits = bits & !(0xf << 76) | (0x4 << 76);
    let bits = bits & !(0x3 << 62) | (0x2 << 62);
    let part = |from: u32, width: u32| (bits >> from) & ((1 << width) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 32),
        part(80, 16),
        part(64, 16),
        part(48, 16),
        part(0, 48)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_to_fit_into_a_record() {
        assert_eq!(member_id(&"\u{e4}".repeat(20_000), 0).len(), STRING_MAX);
        assert_eq!(&*member_id("me", 0), "me-00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        assert_eq!(uuid_text(0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid_text(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
