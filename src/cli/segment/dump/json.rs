//! Events of a dump as JSON lines. The names of the fields are kept from release to release.

use super::super::args::BytesForm;
use crate::inspect::dump::Event;
use crate::inspect::entries::Row;
use crate::record::{BatchHeader, Record, TimestampType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The event as one object; none for what is no line of its own.
pub fn event_json(path: &Path, event: &Event<'_>, form: BytesForm) -> Option<Value> {
    let mut object = match event {
        Event::File { .. } => return None,
        Event::Batch { at, header } => batch(*at, header),
        Event::Record { header, record, meaning } => record_object(header, record, meaning.as_ref(), form),
        Event::Old { at, size, magic, offset } => fields(
            json!({ "kind": "old-message", "position": at, "size": size, "magic": magic, "offset": offset.0 }),
        ),
        Event::Row(row) => row_object(row),
        Event::Damage { at, until, why } => {
            fields(json!({ "kind": "damage", "position": at, "until": until, "why": why }))
        }
        Event::Zeros { at, until } => fields(json!({ "kind": "zeros", "position": at, "until": until })),
    };
    object.insert("file".to_owned(), json!(path.display().to_string()));
    Some(Value::Object(object))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn batch(at: u64, header: &BatchHeader) -> Map<String, Value> {
    let horizon = header.has_delete_horizon().then_some(header.base_timestamp.0);
    fields(json!({
        "kind": "batch",
        "position": at,
        "size": header.size,
        "base_offset": header.base_offset.0,
        "last_offset": header.last_offset().0,
        "count": header.count,
        "base_sequence": header.base_sequence,
        "last_sequence": header.last_sequence(),
        "producer_id": header.producer_id.0,
        "producer_epoch": header.producer_epoch,
        "leader_epoch": header.leader_epoch.0,
        "transactional": header.is_transactional(),
        "control": header.is_control(),
        "delete_horizon": horizon,
        "timestamp_type": time_type(header),
        "base_timestamp": header.base_timestamp.0,
        "max_timestamp": header.max_timestamp.0,
        "magic": header.magic,
        "codec": header.codec().map_or("unknown", |codec| codec.name()),
        "crc": header.crc,
    }))
}

/// Who set the timestamps, in Kafka's words.
pub fn time_type(header: &BatchHeader) -> &'static str {
    match header.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

/// Sequence number of a record; -1 if its batch has none.
pub fn sequence(header: &BatchHeader, record: &Record) -> i64 {
    if header.base_sequence < 0 || header.is_control() {
        return -1;
    }
    let delta = record.offset.0.saturating_sub(header.base_offset.0);
    i64::from(header.base_sequence).saturating_add(delta).rem_euclid(1 << 31)
}

fn record_object(
    header: &BatchHeader,
    record: &Record,
    meaning: Option<&Value>,
    form: BytesForm,
) -> Map<String, Value> {
    let mut object = fields(json!({
        "kind": "record",
        "offset": record.offset.0,
        "timestamp": record.timestamp.0,
        "sequence": sequence(header, record),
    }));
    put(&mut object, "key", record.key.as_deref(), form);
    put(&mut object, "value", record.value.as_deref(), form);
    let headers = record.headers.iter().map(|header| {
        let mut one = fields(json!({ "key": header.key.as_str() }));
        put(&mut one, "value", header.value.as_deref(), form);
        Value::Object(one)
    });
    object.insert("headers".to_owned(), Value::Array(headers.collect()));
    if let Some(meaning) = meaning {
        let name = if header.is_control() { "control" } else { "decoded" };
        object.insert(name.to_owned(), meaning.clone());
    }
    object
}

/// Bytes under their name, or under their name with what they are encoded by; their size, too, which is -1 for null.
fn put(object: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>, form: BytesForm) {
    let size = bytes.map_or(json!(-1), |bytes| json!(bytes.len()));
    object.insert(format!("{name}_size"), size);
    let Some(bytes) = bytes else {
        object.insert(name.to_owned(), Value::Null);
        return;
    };
    match (form, std::str::from_utf8(bytes)) {
        (BytesForm::None, _) => None,
        (BytesForm::Text, Ok(text)) => object.insert(name.to_owned(), json!(text)),
        (BytesForm::Hex, _) => object.insert(format!("{name}_hex"), json!(hex(bytes))),
        (BytesForm::Base64 | BytesForm::Text, _) => {
            object.insert(format!("{name}_base64"), json!(STANDARD.encode(bytes)))
        }
    };
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn row_object(row: &Row) -> Map<String, Value> {
    let mut object = fields(json!({ "kind": row.kind, "position": row.at }));
    object.extend(row.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    object
}
