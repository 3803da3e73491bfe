//! Messages of the protocol: every request, response and record of every version, and the header of a request.
//!
//! Input: four bytes that choose the kind of message, one for the version, then the message. The kind is chosen by
//! a hash of its name, so that stored inputs keep their meaning when messages are added.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use logboom::wire::frame::decode_request_header;
use logboom::wire::kind::{Kind, all};
use logboom::wire::{Message, Reader, Writer};
use logboom_fuzz::Bound;

/// An empty element of an array is one byte on the wire, and a struct of a few words in memory, in a vector that
/// grows by doubling; the largest such struct has some 200 bytes.
const DECODED: Bound = Bound { times: 600, plus: 64 << 10 };

/// The kind whose name hashes to `selector` (FNV-1a, 32 bits), or any.
fn chosen(selector: u32) -> &'static Kind {
    let hash = |kind: &&Kind| {
        let bytes = kind.name.bytes();
        bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
            == selector
    };
    let any = selector as usize % all().count();
    all().find(hash).or_else(|| all().nth(any)).expect("there are kinds")
}

fn encoded(message: &dyn Message, version: i16) -> Bytes {
    let mut writer = Writer::new();
    message.encode(&mut writer, version).expect("what was decoded can be encoded");
    writer.finish().to_bytes().expect("what was decoded has no holes")
}

fuzz_target!(|data: &[u8]| {
    let [a, b, c, d, version, body @ ..] = data else { return };
    let body = Bytes::copy_from_slice(body);
    let header =
        DECODED.hold("a header", body.len(), || decode_request_header(&mut Reader::new(body.clone())));
    drop(header);

    let kind = chosen(u32::from_be_bytes([*a, *b, *c, *d]));
    let versions = i16::from(*version) % (kind.versions.1 - kind.versions.0 + 1);
    let version = kind.versions.0 + versions;
    let mut reader = Reader::new(body.clone());
    let decoded = DECODED.hold(kind.name, body.len(), || (kind.decode)(&mut reader, version));
    let Ok(message) = decoded else { return };
    let written = encoded(&*message, version);
    let used = body.len() - reader.left();
    assert!(
        reader.skipped_tags() > 0 || written.len() <= used,
        "{} v{version}: {used} bytes became {}",
        kind.name,
        written.len()
    );
    let mut again = Reader::new(written.clone());
    let message = (kind.decode)(&mut again, version).expect("what was encoded can be decoded");
    assert_eq!((again.left(), again.skipped_tags()), (0, 0));
    assert_eq!(
        encoded(&*message, version),
        written,
        "{} v{version} is not encoded as it was read",
        kind.name
    );
    let _ = message.to_json(version);
    let _ = message.to_log_json(version);
});
