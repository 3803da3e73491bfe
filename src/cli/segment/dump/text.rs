//! Events of a dump as lines for people: one for a batch, one for a record, aligned.

use super::super::super::output::harmless;
use super::super::args::BytesForm;
use super::json::{hex, sequence, time_type};
use crate::inspect::dump::Event;
use crate::record::{BatchHeader, Record};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// The event as a line, without its end.
pub fn event_text(path: &Path, event: &Event<'_>, form: BytesForm) -> String {
    match event {
        Event::File { kind, leftover } => {
            let left = if *leftover { ", a leftover" } else { "" };
            format!("{}  ({kind:?}{left})", path.display())
        }
        Event::Batch { at, header } => batch(*at, header),
        Event::Record { header, record, meaning } => record_text(header, record, meaning.as_ref(), form),
        Event::Old { at, size, magic, offset } => {
            format!("old message  offset {offset}  at {at}  {size} B  magic {magic}: not read")
        }
        Event::Row(row) => {
            let mut line = row.kind.to_owned();
            for (name, value) in &row.fields {
                let _ = match value {
                    Value::String(text) => write!(line, "  {name}: {}", harmless(text.as_bytes())),
                    other => write!(line, "  {name}: {other}"),
                };
            }
            line
        }
        Event::Damage { at, until, why } => format!("DAMAGED  bytes {at}..{until}  {why}"),
        Event::Zeros { at, until } => format!("zeros  bytes {at}..{until}  reserved, not written"),
    }
}

fn batch(at: u64, header: &BatchHeader) -> String {
    let offsets = format!("{}..{}", header.base_offset, header.last_offset());
    let codec = header.codec().map_or("unknown", |codec| codec.name());
    let mut line = format!(
        "batch  {offsets:<20} {:>6} records  at {at:<10} {:>9} B  {codec:<6}  epoch {:<3}  {} {}",
        header.count,
        header.size,
        header.leader_epoch,
        time_type(header),
        header.max_timestamp
    );
    if header.has_producer_id() {
        let _ = write!(line, "  producer {}/{}", header.producer_id, header.producer_epoch);
        if header.base_sequence >= 0 {
            let _ = write!(line, " seq {}..{}", header.base_sequence, header.last_sequence());
        }
    }
    if header.is_transactional() {
        line.push_str("  transactional");
    }
    if header.is_control() {
        line.push_str("  control");
    }
    if header.has_delete_horizon() {
        let _ = write!(line, "  delete horizon {}", header.base_timestamp);
    }
    let _ = write!(line, "  crc {:#010x} ok", header.crc);
    line
}

fn record_text(header: &BatchHeader, record: &Record, meaning: Option<&Value>, form: BytesForm) -> String {
    let mut line = format!("  record  {:<12} {}", record.offset, record.timestamp);
    if let number @ 0.. = sequence(header, record) {
        let _ = write!(line, "  seq {number}");
    }
    if let Some(meaning) = meaning {
        let _ = write!(line, "  {meaning}");
        return line;
    }
    let _ = write!(line, "  key {}", shown(record.key.as_deref(), form));
    let _ = write!(line, "  value {}", shown(record.value.as_deref(), form));
    for header in &record.headers {
        let key = harmless(header.key.as_str().as_bytes());
        let _ = write!(line, "  [{key}={}]", shown(header.value.as_deref(), form));
    }
    line
}

fn shown(bytes: Option<&[u8]>, form: BytesForm) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    match (form, std::str::from_utf8(bytes)) {
        (BytesForm::None, _) => format!("{} B", bytes.len()),
        (BytesForm::Text, Ok(_)) => format!("\"{}\"", harmless(bytes)),
        (BytesForm::Base64, _) => STANDARD.encode(bytes),
        (BytesForm::Hex | BytesForm::Text, _) => format!("0x{}", hex(bytes)),
    }
}
