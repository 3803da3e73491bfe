//! Output templates with the tokens of kcat, and records as JSON.

use crate::record::Record;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::str::FromStr;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    Key,
    KeyLen,
    Value,
    ValueLen,
    Timestamp,
    Headers,
}

/// A text that is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no token; there are %t topic, %p partition, %o offset, %k key, %s or %v value, %K and %S their \
     lengths, %T time in ms, %h headers, %%, and \\n \\r \\t \\0 \\\\"
)]
pub struct BadTemplate(String);

impl FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Template, BadTemplate> {
        let mut tokens = Vec::new();
        let mut plain = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' && c != '\\' {
                plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            let next = chars.next();
            let bad = || BadTemplate([Some(c), next].into_iter().flatten().collect());
            let token = match (c, next) {
                ('%', Some('%')) => Token::Text(b"%".to_vec()),
                ('%', Some('t')) => Token::Topic,
                ('%', Some('p')) => Token::Partition,
                ('%', Some('o')) => Token::Offset,
                ('%', Some('k')) => Token::Key,
                ('%', Some('K')) => Token::KeyLen,
                ('%', Some('s' | 'v')) => Token::Value,
                ('%', Some('S' | 'V')) => Token::ValueLen,
                ('%', Some('T')) => Token::Timestamp,
                ('%', Some('h')) => Token::Headers,
                ('\\', Some('n')) => Token::Text(b"\n".to_vec()),
                ('\\', Some('r')) => Token::Text(b"\r".to_vec()),
                ('\\', Some('t')) => Token::Text(b"\t".to_vec()),
                ('\\', Some('0')) => Token::Text(b"\0".to_vec()),
                ('\\', Some('\\')) => Token::Text(b"\\".to_vec()),
                _ => return Err(bad()),
            };
            match token {
                Token::Text(bytes) => plain.extend(bytes),
                token => {
                    if !plain.is_empty() {
                        tokens.push(Token::Text(std::mem::take(&mut plain)));
                    }
                    tokens.push(token);
                }
            }
        }
        if !plain.is_empty() {
            tokens.push(Token::Text(plain));
        }
        Ok(Template(tokens))
    }
}

impl Template {
    /// The bytes of values alone, a line each: what pipes expect.
    pub fn value_lines() -> Template {
        Template(vec![Token::Value, Token::Text(b"\n".to_vec())])
    }

    /// Writes a record behind what is in `out`.
    pub fn write(&self, topic: &str, partition: i32, record: &Record, out: &mut Vec<u8>) {
        for token in &self.0 {
            match token {
                Token::Text(bytes) => out.extend_from_slice(bytes),
                Token::Topic => out.extend_from_slice(topic.as_bytes()),
                Token::Partition => out.extend_from_slice(partition.to_string().as_bytes()),
                Token::Offset => out.extend_from_slice(record.offset.to_string().as_bytes()),
                Token::Key => out.extend_from_slice(record.key.as_deref().unwrap_or_default()),
                Token::KeyLen => out.extend_from_slice(length(&record.key).as_bytes()),
                Token::Value => out.extend_from_slice(record.value.as_deref().unwrap_or_default()),
                Token::ValueLen => out.extend_from_slice(length(&record.value).as_bytes()),
                Token::Timestamp => out.extend_from_slice(record.timestamp.to_string().as_bytes()),
                Token::Headers => write_headers(record, out),
            }
        }
    }
}

/// Length as kcat prints it: -1 for null.
fn length(field: &Option<Bytes>) -> String {
    field.as_ref().map_or("-1".to_owned(), |bytes| bytes.len().to_string())
}

fn write_headers(record: &Record, out: &mut Vec<u8>) {
    for (index, header) in record.headers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(header.key.as_str().as_bytes());
        out.push(b'=');
        // As kcat: null and empty must not look the same.
        out.extend_from_slice(header.value.as_deref().unwrap_or(b"NULL"));
    }
}

/// A record as one JSON object. Bytes that are not UTF-8 stand under the name with `_base64`.
pub fn to_json(topic: &str, partition: i32, record: &Record) -> Value {
    let mut object = Map::new();
    object.insert("topic".to_owned(), json!(topic));
    object.insert("partition".to_owned(), json!(partition));
    object.insert("offset".to_owned(), json!(record.offset.0));
    object.insert("timestamp".to_owned(), json!(record.timestamp.0));
    put(&mut object, "key", record.key.as_deref());
    put(&mut object, "value", record.value.as_deref());
    let headers = record.headers.iter().map(|header| {
        let mut one = Map::new();
        one.insert("key".to_owned(), json!(header.key.as_str()));
        put(&mut one, "value", header.value.as_deref());
        Value::Object(one)
    });
    object.insert("headers".to_owned(), Value::Array(headers.collect()));
    Value::Object(object)
}

fn put(object: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>) {
    use base64::Engine as _;
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => drop(object.insert(name.to_owned(), Value::Null)),
        Some((Ok(text), _)) => drop(object.insert(name.to_owned(), json!(text))),
        Some((Err(_), bytes)) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            object.insert(format!("{name}_base64"), json!(encoded));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Header;
    use crate::types::{Offset, TimestampMs};

    fn record(key: Option<&'static [u8]>, value: Option<&'static [u8]>) -> Record {
        Record {
            offset: Offset(7),
            timestamp: TimestampMs(1234),
            key: key.map(Bytes::from_static),
            value: value.map(Bytes::from_static),
            headers: vec![
                Header { key: "a".into(), value: Some(Bytes::from_static(b"1")) },
                Header { key: "b".into(), value: None },
            ],
        }
    }

    #[test]
    fn every_token_is_written_as_kcat_writes_it() {
        let check = |template: &str, expect: &str| {
            let mut out = Vec::new();
            let template: Template = template.parse().unwrap();
            template.write("orders", 2, &record(Some(b"k"), Some(b"val")), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        };
        check("%t-%p:%o %k=%s", "orders-2:7 k=val");
        check("%v", "val");
        check("%K %S %T", "1 3 1234");
        check("[%h]", "[a=1,b=NULL]");
        check("100%%\\n\\t\\0\\r\\\\", "100%\n\t\0\r\\");
        check("\u{e9}%s", "\u{e9}val");
    }

    #[test]
    fn null_has_length_minus_one_and_no_bytes() {
        let mut out = Vec::new();
        "%k|%K|%s|%S".parse::<Template>().unwrap().write("t", 0, &record(None, None), &mut out);
        assert_eq!(out, b"|-1||-1");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for wrong in ["%q", "%", "\\x", "a\\"] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_keeps_bytes_that_are_no_text() {
        let json = to_json("t", 0, &record(None, Some(b"\xff\x00")));
        assert_eq!(json["key"], Value::Null);
        assert_eq!(json["value_base64"], "/wA=");
        assert_eq!(json["headers"][0]["value"], "1");
        assert_eq!(json["offset"], 7);
    }
}
